//! The OAuth 2 protocol and the presets of known providers, without a socket or a store.
//!
//! An authorization takes two calls and one exchange: [`begin`] makes the URL for the browser and a [`Pending`]
//! to keep; [`callback`] reads what came back; [`TokenEndpoint::redeem`] turns it into a [`Grant`]. Afterwards
//! [`TokenEndpoint::refresh`] keeps the grant alive. A device without a browser has a [`DeviceGrant`]; a grant ends
//! with a [`Revocation`]; [`discover`] reads what a provider publishes about itself. What a provider does differently is data: a [`Preset`], or
//! [`Settings`] typed by hand, checked into a [`Provider`].
//!
//! Everything the world provides is an argument: the network ([`Exchange`]), the time, the randomness. Where
//! tokens are kept, when they are refreshed and which request may carry them is left to the registry.
//!
//! # Example
//! ```
//! # use flowrun_oauth::{Arrival, AuthorizationRequest, BoxFuture, Client, Exchange, ExchangeError, Preset};
//! # use flowrun_oauth::{TokenEndpoint, begin, callback};
//! # async fn authorise(
//! #     way_out: &dyn Exchange, random: &mut dyn FnMut(&mut [u8]), now: jiff::Timestamp, pasted: &str,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! let preset = Preset::named("zoho-eu").ok_or("no such preset")?;
//! let provider = preset.provider(&Default::default())?;
//! let request = AuthorizationRequest {
//!     integration: "zoho",
//!     client_id: "1000.ABC",
//!     redirect_uri: "http://127.0.0.1:8437/oauth/callback/k3v9",
//!     scopes: &["ZohoCRM.org.READ".to_owned()],
//!     force_consent: false,
//!     session_binding: None,
//! };
//! let (url, pending) = begin(&provider, &request, random, now)?;
//! println!("open {url}, then paste the address the browser ends on");
//!
//! let arrival = Arrival { address: pasted, session_binding: None, at: now };
//! let callback = callback(arrival, &pending, &provider)?;
//! let client = Client { id: "1000.ABC".to_owned(), secret: Some("typed by a person".into()) };
//! let endpoint = TokenEndpoint { exchange: way_out, provider: &provider, client: &client };
//! let grant = endpoint.redeem(&pending, &callback).await?;
//! assert_eq!(grant.kept["api_domain"], "https://www.zohoapis.eu");
//! # Ok(())
//! # }
//! ```

mod begin;
mod callback;
mod discovery;
mod exchange;
mod expiry;
mod keep;
mod pattern;
mod pending;
mod preset;
mod proof;
mod provider;
mod scopes;
mod settings;
mod token;

pub use begin::{AuthorizationRequest, BeginError, begin};
pub use callback::{Arrival, Callback, CallbackError, callback};
pub use discovery::{DiscoveryError, discover};
pub use exchange::{BoxFuture, Exchange, ExchangeError, ExchangeErrorKind};
pub use expiry::{is_expired_sign, margin};
pub use pending::Pending;
pub use preset::{Choice, Fact, Parameter, ParameterKind, Preset, PresetError, Shape};
pub use provider::{InvalidSettings, Problem, Provider, is_loopback};
pub use scopes::ScopeError;
pub use settings::{
    AuthStyle, BodyFormat, Budget, ExpirySign, GrantKind, KeepRule, Pkce, RedirectRule, ScopeSeparator,
    Settings, TokenHeader,
};
pub use token::{
    Class, Client, Device, DeviceGrant, Endpoint, Grant, Introspection, Kept, Lifetime, Poll, Revocation,
    TokenEndpoint, TokenError, TokenKind,
};
