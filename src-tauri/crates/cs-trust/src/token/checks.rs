//! The checks of a token, one function each.
//!
//! [`Unverified::verify`] runs them until one fails, [`examine`] runs them all: there is one list,
//! so that the two cannot disagree.

use cs_model::Timestamp;

use super::access::AccessToken;
use super::error::TokenError;
use super::keys::KeySet;
use super::rules::Rules;
use super::unverified::Unverified;
use crate::jws::jwk::Jwk;

/// One check of a token, and how it went.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Check {
    /// What was checked: a word for the interface to translate.
    pub name: &'static str,
    /// Whether it holds. Nothing when that could not be found out, because another check failed.
    pub passed: Option<bool>,
    /// What was found, or what is wrong. It may repeat what the token says.
    pub detail: String,
}

/// A token, and what it is held against.
struct Look<'l> {
    token: &'l Unverified,
    keys: &'l KeySet,
    rules: &'l Rules,
    now: Timestamp,
}

/// A check: what it is called, what it decides, and what it says when it holds.
struct Step {
    name: &'static str,
    judge: fn(&Look<'_>) -> Result<(), TokenError>,
    tell: fn(&Look<'_>) -> String,
}

/// What [`Unverified::parse`] finds out, in its order.
const READ: [(&str, &[TokenError]); 4] = [
    ("form", &[TokenError::Size, TokenError::Form]),
    ("header", &[TokenError::Header]),
    ("algorithm_known", &[TokenError::AlgorithmUnknown]),
    ("payload", &[TokenError::Payload]),
];

/// What is checked then, in this order: whose token it is, whether it is genuine, and only then
/// what it says.
const STEPS: [Step; 15] = [
    Step { name: "type", judge: typ, tell: |look| say(look.token.typ()) },
    Step { name: "algorithm", judge: algorithm, tell: |look| look.token.algorithm().to_string() },
    Step { name: "issuer", judge: issuer, tell: |look| say(look.token.issuer()) },
    Step { name: "key", judge: |look| key(look).map(drop), tell: |look| say(look.token.key_id()) },
    Step { name: "signature", judge: signature, tell: |look| look.token.algorithm().to_string() },
    Step { name: "audience", judge: audience, tell: |look| look.rules.audience.clone() },
    Step { name: "expiry", judge: expiry, tell: |look| told(look.token.claims.expires.ok()) },
    Step {
        name: "not_before",
        judge: not_before,
        tell: |look| told(look.token.claims.not_before.ok().flatten()),
    },
    Step { name: "issued", judge: issued, tell: |look| told(look.token.claims.issued().ok()) },
    Step { name: "lifetime", judge: lifetime, tell: tell_lifetime },
    Step { name: "subject", judge: subject, tell: |look| say(look.token.subject()) },
    Step { name: "client", judge: client, tell: tell_client },
    Step { name: "id", judge: id, tell: tell_id },
    Step { name: "scope", judge: scope, tell: tell_scope },
    Step { name: "confirmation", judge: confirmation, tell: tell_confirmation },
];

impl Unverified {
    /// Holds the token against the keys of its issuer and the rules of the endpoint.
    ///
    /// # Errors
    ///
    /// The first check that fails. [`TokenError::KeyUnknown`] may mean that the keys are out of
    /// date; [`KeySet::has`] tells that beforehand.
    pub fn verify(
        self,
        keys: &KeySet,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<AccessToken, TokenError> {
        let look = Look { token: &self, keys, rules, now };
        STEPS.iter().try_for_each(|step| (step.judge)(&look))?;
        AccessToken::of(self)
    }
}

/// Runs every check of a token, for an operator to see. The token is believed by
/// [`Unverified::verify`] exactly when all of them hold.
pub fn examine(text: &str, keys: &KeySet, rules: &Rules, now: Timestamp) -> Vec<Check> {
    let token = match Unverified::parse(text) {
        Ok(token) => token,
        Err(error) => return unreadable(error),
    };
    let look = Look { token: &token, keys, rules, now };
    let read =
        READ.iter().map(|(name, _)| Check { name, passed: Some(true), detail: String::new() });
    let mut checks: Vec<_> = read.collect();
    let mut failed = Vec::new();
    for Step { name, judge, tell } in &STEPS {
        let (passed, detail) = match judge(&look) {
            Ok(()) => (Some(true), tell(&look)),
            // The same reason once more: this check never got so far.
            Err(error) if failed.contains(&error) => (None, error.to_string()),
            Err(error) => {
                failed.push(error);
                (Some(false), error.to_string())
            }
        };
        checks.push(Check { name, passed, detail });
    }
    checks
}

/// The checks of a token that could not be read: those before the one that failed hold, those
/// after it were not reached.
fn unreadable(error: TokenError) -> Vec<Check> {
    let mut passed = Some(true);
    let read = READ.iter().map(|(name, errors)| (*name, errors.contains(&error)));
    let rest = STEPS.iter().map(|step| (step.name, false));
    let all = read.chain(rest).map(|(name, failed)| {
        passed = match passed {
            Some(true) if failed => Some(false),
            Some(true) => Some(true),
            Some(false) | None => None,
        };
        let detail = if failed { error.to_string() } else { String::new() };
        Check { name, passed, detail }
    });
    all.collect()
}

fn typ(look: &Look<'_>) -> Result<(), TokenError> {
    demand(look.rules.types.accept(look.token.typ()), TokenError::TypeRefused)
}

fn algorithm(look: &Look<'_>) -> Result<(), TokenError> {
    let accepted = look.rules.algorithms.contains(&look.token.algorithm());
    demand(accepted, TokenError::AlgorithmRefused)
}

fn issuer(look: &Look<'_>) -> Result<(), TokenError> {
    let issuer = look.token.claims.issuer.as_deref().map_err(|error| *error)?;
    demand(issuer == look.rules.issuer, TokenError::IssuerWrong)
}

fn key<'l>(look: &Look<'l>) -> Result<&'l Jwk, TokenError> {
    let key = look.keys.find(look.token.key_id()).ok_or(TokenError::KeyUnknown)?;
    demand(key.is_for(look.token.algorithm()), TokenError::KeyMismatch)?;
    Ok(key)
}

fn signature(look: &Look<'_>) -> Result<(), TokenError> {
    let Look { token, .. } = look;
    let signed = key(look)?.has_signed(token.algorithm(), token.message(), token.signature());
    demand(signed, TokenError::SignatureWrong)
}

fn audience(look: &Look<'_>) -> Result<(), TokenError> {
    let audience = look.token.claims.audience.as_deref().map_err(|error| *error)?;
    demand(audience.contains(&look.rules.audience), TokenError::AudienceWrong)?;
    let alone = audience.len() == 1;
    demand(alone || look.rules.several_audiences, TokenError::AudienceSeveral)
}

// Without leeway: a token is worth nothing from the very moment that it names.
fn expiry(look: &Look<'_>) -> Result<(), TokenError> {
    demand(look.token.claims.expires? > look.now, TokenError::Expired)
}

fn not_before(look: &Look<'_>) -> Result<(), TokenError> {
    let begun = look.token.claims.not_before?.is_none_or(|from| from <= latest(look));
    demand(begun, TokenError::NotYetValid)
}

fn issued(look: &Look<'_>) -> Result<(), TokenError> {
    demand(look.token.claims.issued()? <= latest(look), TokenError::IssuedInFuture)
}

fn lifetime(look: &Look<'_>) -> Result<(), TokenError> {
    let (from, until) = (look.token.claims.issued()?, look.token.claims.expires?);
    let fits = until > from && until.since(from) <= look.rules.longest;
    demand(fits, TokenError::LifetimeTooLong)
}

fn subject(look: &Look<'_>) -> Result<(), TokenError> {
    look.token.claims.subject.as_ref().map(drop).map_err(|error| *error)
}

fn client(look: &Look<'_>) -> Result<(), TokenError> {
    look.token.claims.client_id.as_ref().map(drop).map_err(|error| *error)
}

fn id(look: &Look<'_>) -> Result<(), TokenError> {
    look.token.claims.id.as_ref().map(drop).map_err(|error| *error)
}

fn scope(look: &Look<'_>) -> Result<(), TokenError> {
    look.token.claims.scopes.as_ref().map(drop).map_err(|error| *error)
}

fn confirmation(look: &Look<'_>) -> Result<(), TokenError> {
    look.token.claims.confirmation.map(drop)
}

/// The latest moment that may be now on the issuer's clock.
fn latest(look: &Look<'_>) -> Timestamp {
    look.now.after(look.rules.skew())
}

fn demand(holds: bool, otherwise: TokenError) -> Result<(), TokenError> {
    if holds { Ok(()) } else { Err(otherwise) }
}

fn say(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

fn told(at: Option<Timestamp>) -> String {
    at.map(|at| at.to_string()).unwrap_or_default()
}

fn tell_lifetime(look: &Look<'_>) -> String {
    match (look.token.claims.issued(), look.token.claims.expires) {
        (Ok(from), Ok(until)) => format!("{} s", until.since(from).as_secs()),
        (Err(_), _) | (_, Err(_)) => String::new(),
    }
}

fn tell_client(look: &Look<'_>) -> String {
    say(look.token.claims.client_id.as_ref().ok().and_then(Option::as_deref))
}

fn tell_id(look: &Look<'_>) -> String {
    say(look.token.claims.id.as_ref().ok().and_then(Option::as_deref))
}

fn tell_scope(look: &Look<'_>) -> String {
    let scopes = look.token.claims.scopes.as_ref();
    scopes
        .map(|scopes| scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" "))
        .unwrap_or_default()
}

fn tell_confirmation(look: &Look<'_>) -> String {
    let Ok(bound) = look.token.claims.confirmation else { return String::new() };
    let certificate = bound.certificate.map(|digest| format!("x5t#S256 {digest}"));
    let key = bound.key.map(|digest| format!("jkt {digest}"));
    certificate.into_iter().chain(key).collect::<Vec<_>>().join(", ")
}
