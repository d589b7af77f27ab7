//! OAuth access tokens: signed JWTs (RFC 7519, RFC 9068) by an identity provider or by the
//! built-in issuer.
//!
//! [`Unverified::parse`] reads a token without believing it, [`KeySet::parse`] the keys of an
//! issuer, and [`Unverified::verify`] holds one against the other and against the [`Rules`] of the
//! endpoint. What comes out, an [`AccessToken`], is genuine, for this endpoint and of this time;
//! whether it has been revoked, belongs to a registered agent and is bound to the right
//! certificate is for the caller to find out.
//!
//! [`examine`] tells an operator the verdict of every single check. It runs the very functions
//! that [`Unverified::verify`] runs.

mod access;
mod checks;
mod claims;
mod error;
mod keys;
mod mint;
mod rules;
mod unverified;

pub use crate::jws::jwk::KeyFault;
pub use access::AccessToken;
pub use checks::{Check, examine};
pub use claims::Confirmation;
pub use error::TokenError;
pub use keys::{IgnoredKey, KeySet, KeySetError};
pub use mint::{IssuerKey, IssuerKeyError, NewToken, mint};
pub use rules::{MOST_SKEW, Rules, TokenTypes};
pub use unverified::Unverified;

#[cfg(test)]
mod tests;
