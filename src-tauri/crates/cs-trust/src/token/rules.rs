//! What an endpoint accepts from an issuer.

use std::collections::BTreeSet;
use std::time::Duration;

use cs_model::identity::TokenAlgorithm;

/// The most that clocks may differ, whatever the rules say.
pub const MOST_SKEW: Duration = Duration::from_secs(60);

/// What an endpoint accepts from an issuer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rules {
    /// The issuer, compared character by character.
    pub issuer: String,
    /// The canonical URI of the endpoint, compared character by character.
    pub audience: String,
    /// The algorithms that this issuer signs with. None of them: no token is accepted.
    pub algorithms: BTreeSet<TokenAlgorithm>,
    /// The types of token that are accepted.
    pub types: TokenTypes,
    /// The longest time from `iat` to `exp`.
    pub longest: Duration,
    /// How far the issuer's clock may be ahead: for `nbf` and `iat`, never for `exp`. More than
    /// [`MOST_SKEW`] counts as that.
    pub skew: Duration,
    /// Whether a token may be for other endpoints as well.
    pub several_audiences: bool,
}

impl Rules {
    /// How far clocks may differ.
    pub(super) fn skew(&self) -> Duration {
        self.skew.min(MOST_SKEW)
    }
}

/// The `typ` that marks an access token.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum TokenTypes {
    /// `at+jwt` alone (RFC 9068), with or without `application/`.
    AtJwt,
    /// That, `JWT`, or no type at all: for issuers that do not mark their access tokens. What
    /// tells them from the issuer's other tokens is then the audience alone.
    AtJwtOrJwt,
}

impl TokenTypes {
    /// Whether a token of this type is accepted.
    pub(super) fn accept(self, typ: Option<&str>) -> bool {
        match typ {
            Some("at+jwt" | "application/at+jwt") => true,
            Some("JWT") | None => self == Self::AtJwtOrJwt,
            Some(_) => false,
        }
    }
}
