//! What a token says, wherever that was read: in the token itself, or in the answer of its
//! provider.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cs_model::provider::ProviderSettings;
use cs_model::{Digest, Timestamp};
use cs_trust::token::{AccessToken, Confirmation};
use serde_json::{Map, Value};

use super::believed::SKEW;

/// The most bytes of a name in an answer.
const MOST: usize = 1024;

/// The last second of the year 9999. A later moment is a mistake or a trick.
const MOST_SECS: i64 = 253_402_300_799;

/// What a token says, once it is believed.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) issuer: String,
    /// Its `jti`, or what stands for it.
    pub(crate) id: String,
    pub(crate) key_id: Option<String>,
    pub(crate) subject: String,
    pub(crate) client_id: Option<String>,
    pub(crate) audience: String,
    pub(crate) issued: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) scopes: BTreeSet<String>,
    pub(crate) confirmation: Confirmation,
    pub(crate) tasks: Vec<String>,
    claims: Claims,
}

#[derive(Debug)]
enum Claims {
    Answer(Map<String, Value>),
    Token(Box<AccessToken>),
}

impl Said {
    /// What a signed token says, which is for this audience.
    pub(crate) fn by_token(token: AccessToken, audience: &str) -> Result<Self, &'static str> {
        Ok(Self {
            issuer: token.issuer().to_owned(),
            id: token.revocation_id().to_owned(),
            key_id: token.key_id().map(str::to_owned),
            subject: token.subject().to_owned(),
            client_id: token.client_id().map(str::to_owned),
            audience: audience.to_owned(),
            issued: token.issued(),
            expires: token.expires(),
            scopes: token.scopes().clone(),
            confirmation: token.confirmation(),
            tasks: token.tasks().map_err(|error| error.code())?,
            claims: Claims::Token(Box::new(token)),
        })
    }

    /// What a provider says of a token that cannot be read (RFC 7662). What a signed token has to
    /// say, this has to say as well.
    pub(crate) fn by_answer(
        said: Map<String, Value>,
        settings: &ProviderSettings,
        token: Digest,
        accepted: &[&str],
        now: Timestamp,
    ) -> Result<Self, &'static str> {
        let text = |name| member(&said, name);
        if text("iss")?.is_some_and(|it| it != settings.issuer) {
            return Err("introspection_mismatch");
        }
        let audience = match said.get("aud") {
            Some(value) => strings(value).ok_or("introspection_malformed")?,
            None => Vec::new(),
        };
        let found = accepted.iter().find(|it| audience.iter().any(|aud| aud == *it));
        let found = found.ok_or("jwt_audience_wrong")?;
        if audience.len() > 1 && !settings.several_audiences {
            return Err("jwt_audience_several");
        }
        let kind = text("token_type")?.unwrap_or("Bearer");
        if !["bearer", "dpop", "access_token"].iter().any(|it| kind.eq_ignore_ascii_case(it)) {
            return Err("jwt_type_refused");
        }
        if said.contains_key("nbf")
            && moment(&said, "nbf").is_none_or(|from| from > now.after(SKEW))
        {
            return Err("jwt_not_yet_valid");
        }
        let scopes = match said.get("scope") {
            None => BTreeSet::new(),
            Some(Value::String(text)) => {
                text.split(' ').filter(|it| !it.is_empty()).map(str::to_owned).collect()
            }
            Some(_) => return Err("jwt_scope_invalid"),
        };
        let id = text("jti")?.map_or_else(|| format!("sha256:{token}"), str::to_owned);
        Ok(Self {
            issuer: settings.issuer.clone(),
            id,
            key_id: None,
            // A client that acts for itself may have no other name than its id.
            subject: text("sub")?.or(text("client_id")?).ok_or("jwt_subject_invalid")?.to_owned(),
            client_id: text("client_id")?.map(str::to_owned),
            audience: (*found).to_owned(),
            issued: moment(&said, "iat").ok_or("jwt_issued_invalid")?,
            expires: moment(&said, "exp").ok_or("jwt_expiry_invalid")?,
            scopes,
            confirmation: confirmation(&said).ok_or("jwt_confirmation_invalid")?,
            tasks: tasks(&said).ok_or("jwt_task_invalid")?,
            claims: Claims::Answer(said),
        })
    }

    /// A claim that is a text or a list of texts, by its name or its path.
    pub(crate) fn claim(&self, path: &str) -> Option<Vec<String>> {
        match &self.claims {
            Claims::Token(token) => token.claim(path),
            Claims::Answer(said) => {
                let found = said.get(path).or_else(|| {
                    let mut steps = path.split('.');
                    let first = said.get(steps.next()?)?;
                    steps.try_fold(first, |value, step| value.as_object()?.get(step))
                });
                strings(found?)
            }
        }
    }

    /// A claim that is exactly one text.
    pub(crate) fn one(&self, path: &str) -> Option<String> {
        let mut texts = self.claim(path)?;
        let only = texts.pop()?;
        texts.is_empty().then_some(only)
    }
}

/// Whether what a provider says of a token fits what the token says of itself.
pub(crate) fn agrees(said: &Map<String, Value>, of: &crate::authn::TokenMark) -> bool {
    let same = |name: &str, own: &str| match said.get(name) {
        None => true,
        Some(value) => value.as_str() == Some(own),
    };
    let audience = match said.get("aud") {
        None => true,
        Some(value) => strings(value).is_some_and(|all| all.contains(&of.audience)),
    };
    let expires = match said.get("exp") {
        None => true,
        Some(_) => moment(said, "exp") == Some(of.expires),
    };
    let client = of.client_id.as_deref().is_none_or(|own| same("client_id", own));
    same("iss", &of.issuer) && same("sub", &of.sub) && client && audience && expires
}

fn member<'s>(said: &'s Map<String, Value>, name: &str) -> Result<Option<&'s str>, &'static str> {
    let plain =
        |text: &&str| (1..=MOST).contains(&text.len()) && !text.chars().any(char::is_control);
    match said.get(name) {
        None => Ok(None),
        Some(value) => value.as_str().filter(plain).map(Some).ok_or("introspection_malformed"),
    }
}

fn moment(said: &Map<String, Value>, name: &str) -> Option<Timestamp> {
    let secs = said.get(name)?.as_i64().filter(|secs| (0..=MOST_SECS).contains(secs))?;
    Some(Timestamp::from_secs(secs))
}

fn strings(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(list) => list.iter().map(|it| it.as_str().map(str::to_owned)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

fn confirmation(said: &Map<String, Value>) -> Option<Confirmation> {
    let Some(bound) = said.get("cnf") else { return Some(Confirmation::default()) };
    let mut found = Confirmation::default();
    for (name, value) in bound.as_object()? {
        let slot = match name.as_str() {
            "jkt" => &mut found.key,
            "x5t#S256" => &mut found.certificate,
            _ => return None,
        };
        let bytes = URL_SAFE_NO_PAD.decode(value.as_str()?).ok()?;
        *slot = Some(Digest::from_bytes(bytes.try_into().ok()?));
    }
    found.is_bound().then_some(found)
}

/// The tasks that an answer names, as a token would.
fn tasks(said: &Map<String, Value>) -> Option<Vec<String>> {
    let mut detailed = Vec::new();
    let details = said.get("authorization_details").map(|it| it.as_array().ok_or(())).transpose();
    for detail in details.ok()?.into_iter().flatten() {
        let detail = detail.as_object()?;
        if detail.get("type")?.as_str()? != "countersign_task" {
            continue;
        }
        if detail.keys().any(|name| !matches!(name.as_str(), "type" | "task")) {
            return None;
        }
        detailed.push(detail.get("task")?.as_str()?.to_owned());
    }
    match said.get("mcp_task") {
        None => Some(detailed),
        Some(value) => {
            let claimed = strings(value)?;
            (detailed.is_empty() || detailed == claimed).then_some(claimed)
        }
    }
}
