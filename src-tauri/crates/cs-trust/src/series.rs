//! Series: an operator's signature over some calls that are alike.
//!
//! A compact JWS like an operation token, with a type of its own: neither passes for the other.
//! Form, header, signature and claims are checked here; whether it pays for the call at hand is
//! checked by `cs_policy::Held`.

use cs_model::OperatorId;
use cs_model::series::{SeriesClaims, TYPE};

use crate::operation::{TokenError, believed, signed};
use crate::operator::OperatorKey;

/// The claims of a series whose signature was checked. Only [`verify`] makes one.
///
/// ```compile_fail,E0451
/// # let claims = unimplemented!();
/// let forged = cs_trust::series::Verified { claims };
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use]
pub struct Verified {
    claims: SeriesClaims,
}

impl Verified {
    /// What the operator signed.
    pub const fn claims(&self) -> &SeriesClaims {
        &self.claims
    }
}

/// Signs claims with the operator's key.
///
/// # Errors
///
/// [`TokenError::Claims`] when they are for more calls, or for longer, than a series may be.
pub fn mint(claims: &SeriesClaims, key: &OperatorKey) -> Result<String, TokenError> {
    if claims.is_bounded() { signed(TYPE, claims, key) } else { Err(TokenError::Claims) }
}

/// Reads a series and checks its signature with the key of the operator who claims to have signed
/// it.
///
/// # Errors
///
/// The first thing that is wrong with it.
pub fn verify(
    token: &str,
    public_key: impl Fn(OperatorId) -> Option<[u8; 32]>,
) -> Result<Verified, TokenError> {
    let claims = believed(token, TYPE, |claims: &SeriesClaims| public_key(claims.iss))?;
    Ok(Verified { claims })
}

#[cfg(test)]
mod tests;
