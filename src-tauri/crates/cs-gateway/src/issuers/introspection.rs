//! Asking a provider whether a token still holds (RFC 7662). Whatever is not a clear yes is a no.

use std::time::Duration;

use cs_model::json::{self, Limits};
use cs_model::provider::Introspection;
use cs_model::{Digest, ProviderId, Secret, Timestamp};
use serde_json::{Map, Value};

use super::{Issuers, reach};
use crate::fetch::Form;
use crate::world::Provider;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// The most bytes of an answer, and what it may nest.
const MOST: usize = 64 * 1024;
const LIMITS: Limits = Limits { depth: 16, members: 2_000, key: 1024 };

/// What a provider is asked about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) provider: &'a Provider,
    pub(crate) how: &'a Introspection,
    pub(crate) token: &'a Secret,
}

/// What a provider says of a token.
#[derive(Clone, Debug)]
pub(crate) enum Introspected {
    /// It holds; and what else it said.
    Active(Map<String, Value>),
    /// It does not hold.
    Inactive,
    /// That cannot be said: a short code for the log.
    Undecided(&'static str),
}

impl Issuers {
    /// Whether a provider said lately that a token holds.
    pub(crate) fn remembers(&self, provider: ProviderId, token: Digest, now: Timestamp) -> bool {
        self.0.answers.get(&(provider, token)).is_some_and(|until| now < until)
    }

    /// Remembers for a while that a token holds.
    pub(crate) fn remember(&self, provider: ProviderId, token: Digest, now: Timestamp, secs: u32) {
        if secs > 0 {
            let until = now.after(Duration::from_secs(secs.into()));
            self.0.answers.put((provider, token), until);
        }
    }

    /// Asks. Nothing that was said before counts.
    pub(crate) async fn introspect(&self, asked: Asked<'_>) -> Introspected {
        let Asked { provider, how, token } = asked;
        let Ok(_seat) = self.0.asking.try_acquire() else {
            return Introspected::Undecided("introspection_busy");
        };
        let secrets = &self.0.ports.secrets;
        let Ok(secret) = secrets.tenant_secret(provider.tenant, &how.secret).await else {
            return Introspected::Undecided("introspection_secret");
        };
        let Some(token) = token.expose_text() else { return Introspected::Inactive };
        let fields = [("token", token), ("token_type_hint", "access_token")];
        let form = Form { fields: &fields, client: &how.client_id, secret: &secret };
        let reach = reach(provider.settings.private_network);
        match self.0.fetcher.post(&how.endpoint, reach, &form, PATIENCE).await {
            Ok(answer) => read(&answer),
            Err(error) => {
                tracing::warn!(%error, provider = provider.name.as_str(), "introspection failed");
                Introspected::Undecided("introspection_failed")
            }
        }
    }
}

/// Reads an answer.
fn read(answer: &[u8]) -> Introspected {
    let odd = Introspected::Undecided("introspection_malformed");
    let Some(text) = std::str::from_utf8(answer).ok().filter(|it| it.len() <= MOST) else {
        return odd;
    };
    if json::check(text, LIMITS).is_err() {
        return odd;
    }
    let Ok(Value::Object(said)) = serde_json::from_str(text) else { return odd };
    match said.get("active") {
        Some(Value::Bool(true)) => Introspected::Active(said),
        Some(Value::Bool(false)) => Introspected::Inactive,
        Some(_) | None => odd,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn j18_nothing_but_true_is_a_yes() {
        assert!(matches!(read(b"{\"active\":true,\"sub\":\"a\"}"), Introspected::Active(_)));
        assert!(matches!(read(b" {\"active\": true}\n"), Introspected::Active(_)));
        assert!(matches!(read(b"{\"active\":false}"), Introspected::Inactive));
        let odd: [&[u8]; 9] = [
            b"",
            b"<html>active</html>",
            b"{}",
            b"[true]",
            b"true",
            b"{\"active\":\"true\"}",
            b"{\"active\":1}",
            b"{\"active\":null}",
            b"{\"active\":true,\"active\":false}",
        ];
        for text in odd {
            assert!(matches!(read(text), Introspected::Undecided(_)));
        }
        let long = format!("{{\"active\":true,\"x\":\"{}\"}}", "a".repeat(MOST));
        assert!(matches!(read(long.as_bytes()), Introspected::Undecided(_)));
    }
}
