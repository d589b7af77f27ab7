//! Client assertions (RFC 7523, `private_key_jwt`): how a client proves to the built-in issuer who
//! it is, with a key that only it has.
//!
//! Whether an assertion was used before is for the caller to find out: by the client and the id,
//! until [`Assertion::remember_until`].

use std::time::Duration;

use cs_model::Timestamp;

use crate::token::{KeySet, TokenError, Unverified};

/// How far ahead `exp` may be: an assertion is made to be used at once.
pub const LONGEST: Duration = Duration::from_secs(300);

/// How far the client's clock may be ahead: for `exp`, `iat` and `nbf`.
pub const SKEW: Duration = Duration::from_secs(30);

/// An assertion that holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Assertion {
    /// Its id, unique for the client.
    pub jti: String,
    /// Until when the id has to be remembered: one second longer than it can be accepted.
    pub remember_until: Timestamp,
}

/// Holds an assertion against the client that presents it: its keys, its id, and the names by
/// which the issuer may be addressed.
///
/// # Errors
///
/// The first thing that is wrong with it.
pub fn verify(
    assertion: &str,
    keys: &KeySet,
    client_id: &str,
    audiences: &[&str],
    now: Timestamp,
) -> Result<Assertion, TokenError> {
    let assertion = Unverified::parse(assertion)?;
    let typ = assertion.typ();
    demand(
        matches!(typ, None | Some("JWT" | "client-authentication+jwt")),
        TokenError::TypeRefused,
    )?;
    let key = keys.find(assertion.key_id()).ok_or(TokenError::KeyUnknown)?;
    let algorithm = assertion.algorithm();
    demand(key.is_for(algorithm), TokenError::KeyMismatch)?;
    let signed = key.has_signed(algorithm, assertion.message(), assertion.signature());
    demand(signed, TokenError::SignatureWrong)?;

    let claims = assertion.into_claims();
    demand(claims.issuer? == client_id, TokenError::IssuerWrong)?;
    demand(claims.subject? == client_id, TokenError::SubjectWrong)?;
    let audience = claims.audience?;
    demand(
        audiences.iter().any(|own| audience.iter().any(|it| it == own)),
        TokenError::AudienceWrong,
    )?;
    demand(audience.len() == 1, TokenError::AudienceSeveral)?;

    let (expires, latest) = (claims.expires?, now.after(SKEW));
    demand(expires > now, TokenError::Expired)?;
    demand(expires <= latest.after(LONGEST), TokenError::LifetimeTooLong)?;
    demand(claims.issued?.is_none_or(|at| at <= latest), TokenError::IssuedInFuture)?;
    demand(claims.not_before?.is_none_or(|at| at <= latest), TokenError::NotYetValid)?;
    let jti = claims.id?.ok_or(TokenError::IdInvalid)?;
    Ok(Assertion { jti, remember_until: expires.after(Duration::from_secs(1)) })
}

/// Public keys that nobody has the other half of.
const SPARE: &str = r#"{"keys":[
{"kid":"EdDSA","kty":"OKP","crv":"Ed25519","x":"LfgdxWcnvoWiV1plodQC5S6x0YtYrphCw9KasmwbbhA"},
{"kid":"ES256","kty":"EC","crv":"P-256","x":"X9TJm8TuOxizuBGTMIzDSGUM64QGlz_R-x8CmVBeJUk",
"y":"h9fazJFy0Tqblcm1JpkG1wpMd8LnH8E6x0IEiok1T7s"},
{"kid":"RSA","kty":"RSA","e":"AQAB","n":"3XMCw36HE9aOxAzlwZSQDbODbHRw8tmn4hYZG77G9r9n-w_DqaLQZaJrJmdMb3zdv75EWo8xCd0yAGqHB5v9adBiYyb5fSMBwtcpGV6bKPH8PyHzNqb2ia1uSQkJRxouLgyfu5pECO5LsnUqWF_dABHV5UzbOgNAPu6xOu1z5xIDBllwmN3kqYnfSVtuhvbf7V2zUefrRifE_A2hke7MxevML3dXCjJ0v7F0KExZfUrzSqVXs_2cEGTNenUGEFFaxnkn16Hbnm34hgKtQdK5h1NBNcSQmzfsUP9DLT4VaPioVzD2C0jlliEL_yWqwcF0WXvczafhvjNIMvGijUb3kQ"}
]}"#;

/// Does with the assertion of a client that does not exist what [`verify`] does until the signature
/// turns out to be wrong, so that neither is quicker. Says whether there was a key to try it with.
pub fn refuse(assertion: &str) -> bool {
    let Ok(keys) = KeySet::parse(SPARE.as_bytes()) else { return false };
    let Ok(assertion) = Unverified::parse(assertion) else { return false };
    let algorithm = assertion.algorithm();
    let mut spare = ["EdDSA", "ES256", "RSA"].into_iter().filter_map(|id| keys.find(Some(id)));
    let Some(key) = spare.find(|key| key.is_for(algorithm)) else { return false };
    let _ = key.has_signed(algorithm, assertion.message(), assertion.signature());
    true
}

fn demand(holds: bool, otherwise: TokenError) -> Result<(), TokenError> {
    if holds { Ok(()) } else { Err(otherwise) }
}

#[cfg(test)]
mod tests;
