//! One bounded, guarded HTTP exchange, and the request settings both HTTP steps share.
//!
//! [`Client`] is the plain way out of a house: it makes one exchange, judges every address it dials
//! (N7), follows redirects by its own rules, bounds time and size, and classifies what went wrong. It
//! never repeats a request on its own account. [`Call`] is what an author writes beneath an HTTP step
//! (language, 4); it becomes a [`flowrun_step::Request`] and its reply is read by [`read_json`] or
//! [`read_body`]. Credentials of integrations are the registry's: it wraps a [`Client`].
//!
//! # Example
//! ```
//! use flowrun_http::{Client, NetworkPolicy};
//! use flowrun_step::{Outbound, Request};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder().policy(NetworkPolicy::public_only().allow("10.20.0.5:8443")?).build();
//! let reply = client.send(Request::new(http::Method::GET, "https://10.20.0.5:8443/health".parse()?)).await?;
//! println!("{}", reply.status);
//! # Ok(())
//! # }
//! ```

// What an author writes, and the request it becomes.
mod call;
mod check;
mod expect;
mod field;
mod header;
mod paginate;
mod request;

// The way out.
mod address;
mod client;
mod policy;
mod resolve;

// What came back.
mod json;
mod reply;
mod said;
mod wait;

pub use call::{Call, Method};
pub use client::{BadCertificate, Client, ClientBuilder};
pub use expect::Expect;
pub use field::{Field, Scalar};
pub use paginate::{Carried, Next, Numbered, Paginate};
pub use policy::{BadAddress, NetworkPolicy};
pub use reply::{read_body, read_json};
pub use request::Defaults;
pub use resolve::Resolver;
