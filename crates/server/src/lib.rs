//! The Visavis server: serves the client and carries its signaling.
//!
//! [`hub`] decides, everything else moves bytes. The hub is a pure state machine that the
//! simulator runs as well.

mod admission;
pub mod assets;
pub mod config;
pub mod doctor;
mod driver;
mod http;
pub mod hub;
pub mod lan;
pub mod links;
mod metrics;
pub mod operator;
mod pass_key;
pub mod private;
mod serve;
mod signature;
mod socket;
pub mod store;
mod tls;
pub mod token;

pub use config::Config;
pub use serve::{Handle, ServeError, serve};
pub use tls::{AuthorityError, PairError, TlsError};
