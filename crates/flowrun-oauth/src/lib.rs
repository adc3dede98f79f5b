//! The OAuth 2 protocol and the presets of known providers, without a socket or a store.
//!
//! An authorization takes two calls and one exchange: [`begin`] makes the URL for the browser and a [`Pending`]
//! to keep; [`callback`] reads what came back; [`TokenEndpoint::redeem`] turns it into a [`Grant`]. Afterwards
//! [`TokenEndpoint::refresh`] keeps the grant alive. What a provider does differently is data: a [`Preset`], or
//! [`Settings`] typed by hand, checked into a [`Provider`].
//!
//! Everything the world provides is an argument: the network ([`Exchange`]), the time, the randomness. Where
//! tokens are kept, when they are refreshed and which request may carry them is left to the registry.

mod begin;
mod callback;
mod exchange;
mod expiry;
mod keep;
mod pending;
mod preset;
mod provider;
mod scopes;
mod settings;
mod token;

pub use begin::{AuthorizationRequest, BeginError, begin};
pub use callback::{Arrival, Callback, CallbackError, callback};
pub use exchange::{BoxFuture, Exchange, ExchangeError, ExchangeErrorKind};
pub use expiry::{is_expired_sign, margin};
pub use pending::Pending;
pub use preset::{Choice, Fact, Parameter, Preset, PresetError};
pub use provider::{InvalidSettings, Problem, Provider};
pub use scopes::ScopeError;
pub use settings::{
    AuthStyle, BodyFormat, ExpirySign, GrantKind, KeepRule, Pkce, RedirectRule, ScopeSeparator, Settings,
    TokenHeader,
};
pub use token::{Class, Client, Grant, Kept, Lifetime, TokenEndpoint, TokenError};
