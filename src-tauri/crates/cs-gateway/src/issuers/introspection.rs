//! Asking a provider whether a token still holds (RFC 7662). Whatever is not a clear yes is a no.

use std::net::IpAddr;
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
    /// Where it came from, as long as nobody knows anything of it.
    pub(crate) stranger: Option<IpAddr>,
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
        let Some(_seat) = self.0.seats.take(asked.stranger) else {
            return Introspected::Undecided("introspection_busy");
        };
        let Asked { provider, how, .. } = asked;
        let answer = self.answer(asked).await;
        let failed = answer.as_ref().err().map(|unclear| unclear.why.as_str());
        let now = self.0.ports.clock.now();
        let news = self.0.asking.learn(provider.id, &how.endpoint, failed, now);
        self.tell(provider, news.into_iter().collect()).await;
        answer.unwrap_or_else(|unclear| Introspected::Undecided(unclear.code))
    }

    async fn answer(&self, asked: Asked<'_>) -> Result<Introspected, Unclear> {
        let Asked { provider, how, token, .. } = asked;
        let secrets = &self.0.ports.secrets;
        let secret = secrets.tenant_secret(provider.tenant, &how.secret).await;
        let secret = secret.map_err(|_| Unclear {
            code: "introspection_secret",
            why: "its secret cannot be read".to_owned(),
        })?;
        let Some(token) = token.expose_text() else { return Ok(Introspected::Inactive) };
        let fields = [("token", token), ("token_type_hint", "access_token")];
        let form = Form { fields: &fields, client: &how.client_id, secret: &secret };
        let reach = reach(provider.settings.private_network);
        let answer = self.0.fetcher.post(&how.endpoint, reach, &form, PATIENCE).await;
        let answer = answer
            .map_err(|error| Unclear { code: "introspection_failed", why: error.to_string() })?;
        read(&answer).ok_or_else(|| Unclear {
            code: "introspection_malformed",
            why: "its answer cannot be read".to_owned(),
        })
    }
}

/// Why it cannot be said whether a token holds: a short code for the log, and a line for operators.
#[derive(Debug)]
struct Unclear {
    code: &'static str,
    why: String,
}

/// Reads an answer, if it is one.
fn read(answer: &[u8]) -> Option<Introspected> {
    let text = std::str::from_utf8(answer).ok().filter(|it| it.len() <= MOST)?;
    json::check(text, LIMITS).ok()?;
    let Ok(Value::Object(said)) = serde_json::from_str(text) else { return None };
    match said.get("active") {
        Some(Value::Bool(true)) => Some(Introspected::Active(said)),
        Some(Value::Bool(false)) => Some(Introspected::Inactive),
        Some(_) | None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn j18_nothing_but_true_is_a_yes() {
        let active = |text: &[u8]| matches!(read(text), Some(Introspected::Active(_)));
        assert!(active(b"{\"active\":true,\"sub\":\"a\"}"));
        assert!(active(b" {\"active\": true}\n"));
        assert!(matches!(read(b"{\"active\":false}"), Some(Introspected::Inactive)));
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
            assert!(read(text).is_none());
        }
        let long = format!("{{\"active\":true,\"x\":\"{}\"}}", "a".repeat(MOST));
        assert!(read(long.as_bytes()).is_none());
    }
}
