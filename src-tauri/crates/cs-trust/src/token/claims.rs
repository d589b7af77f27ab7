//! The claims of a token, each read once, with what is wrong with it in its place.

use std::collections::BTreeSet;

use cs_model::{Digest, Timestamp};
use serde_json::Value;

use super::error::TokenError;
use crate::jws::{self, Object};

/// The most bytes of an issuer or an audience.
const MOST_URI: usize = 1024;

/// The most bytes of a subject, a client or an id.
pub(crate) const MOST_NAME: usize = 255;

/// The most scopes of a token.
const MOST_SCOPES: usize = 200;

/// What a token is bound to (RFC 7800): it may be used only by whoever proves to have this.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Confirmation {
    /// The SHA-256 digest of a client certificate, `x5t#S256` (RFC 8705).
    pub certificate: Option<Digest>,
    /// The thumbprint of a key that proofs are signed with, `jkt` (RFC 9449).
    pub key: Option<Digest>,
}

impl Confirmation {
    /// Whether the token is bound to anything.
    pub const fn is_bound(&self) -> bool {
        self.certificate.is_some() || self.key.is_some()
    }
}

/// The claims of a token. A claim that is malformed is an error in its own place, so that each
/// check has its own verdict.
#[derive(Clone, Debug)]
pub(crate) struct Claims {
    pub(crate) audience: Result<Vec<String>, TokenError>,
    pub(crate) client_id: Result<Option<String>, TokenError>,
    pub(crate) confirmation: Result<Confirmation, TokenError>,
    pub(crate) expires: Result<Timestamp, TokenError>,
    pub(crate) id: Result<Option<String>, TokenError>,
    pub(crate) issued: Result<Option<Timestamp>, TokenError>,
    pub(crate) issuer: Result<String, TokenError>,
    pub(crate) not_before: Result<Option<Timestamp>, TokenError>,
    pub(crate) scopes: Result<BTreeSet<String>, TokenError>,
    pub(crate) subject: Result<String, TokenError>,
    pub(crate) all: Object,
}

impl Claims {
    /// Reads all of them.
    pub(crate) fn read(all: Object) -> Self {
        let name = |name, error| match jws::text(&all, name, MOST_NAME) {
            Ok(text) => Ok(text.map(str::to_owned)),
            Err(jws::Odd) => Err(error),
        };
        let moment = |name, error| jws::moment(&all, name).map_err(|_| error);
        let issuer = jws::text(&all, "iss", MOST_URI).ok().flatten().map(str::to_owned);
        Self {
            audience: audience(&all).ok_or(TokenError::AudienceInvalid),
            client_id: name("client_id", TokenError::ClientInvalid),
            confirmation: confirmation(&all).ok_or(TokenError::ConfirmationInvalid),
            expires: moment("exp", TokenError::ExpiryInvalid)
                .and_then(|at| at.ok_or(TokenError::ExpiryInvalid)),
            id: name("jti", TokenError::IdInvalid),
            issued: moment("iat", TokenError::IssuedInvalid),
            issuer: issuer.ok_or(TokenError::IssuerInvalid),
            not_before: moment("nbf", TokenError::NotBeforeInvalid),
            scopes: scopes(&all).ok_or(TokenError::ScopeInvalid),
            subject: name("sub", TokenError::SubjectInvalid)
                .and_then(|subject| subject.ok_or(TokenError::SubjectInvalid)),
            all,
        }
    }

    /// When it was issued, for tokens that have to say so.
    pub(crate) fn issued(&self) -> Result<Timestamp, TokenError> {
        self.issued?.ok_or(TokenError::IssuedInvalid)
    }
}

fn audience(claims: &Object) -> Option<Vec<String>> {
    let audience = jws::texts(claims, "aud").ok()??;
    let plain = audience.iter().all(|one| jws::is_plain(one, MOST_URI));
    (plain && !audience.is_empty()).then_some(audience)
}

/// The scopes of `scope` (RFC 8693, section 4.2) or of `scp`, which some issuers write instead.
fn scopes(claims: &Object) -> Option<BTreeSet<String>> {
    let scope = match claims.get("scope") {
        None => None,
        Some(value) => Some(split_scopes(value.as_str()?)?),
    };
    let scp = match claims.get("scp") {
        None => None,
        Some(Value::String(text)) => Some(split_scopes(text)?),
        Some(value) => Some(jws::strings(value)?.into_iter().collect::<BTreeSet<_>>()),
    };
    let scopes = match (scope, scp) {
        (Some(scope), Some(scp)) if scope == scp => scope,
        (Some(_), Some(_)) => return None,
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => BTreeSet::new(),
    };
    let fit = scopes.len() <= MOST_SCOPES && scopes.iter().all(|scope| is_scope(scope));
    fit.then_some(scopes)
}

fn split_scopes(text: &str) -> Option<BTreeSet<String>> {
    // Some issuers write the claim even where there is nothing to write.
    if text.is_empty() {
        return Some(BTreeSet::new());
    }
    text.split(' ').map(|scope| is_scope(scope).then(|| scope.to_owned())).collect()
}

/// A scope of RFC 6749, section 3.3.
pub(crate) fn is_scope(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

fn confirmation(claims: &Object) -> Option<Confirmation> {
    let Some(bound) = claims.get("cnf") else { return Some(Confirmation::default()) };
    let mut confirmation = Confirmation::default();
    for (name, value) in bound.as_object()? {
        let slot = match name.as_str() {
            "jkt" => &mut confirmation.key,
            "x5t#S256" => &mut confirmation.certificate,
            _ => return None,
        };
        *slot = Some(jws::digest(value.as_str()?)?);
    }
    confirmation.is_bound().then_some(confirmation)
}
