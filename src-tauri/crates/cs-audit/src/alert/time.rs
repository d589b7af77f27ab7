//! What only the passing of time finds: credentials that nobody uses, sessions that go on.

use std::time::Duration;

use cs_model::alert::AlertRule;
use cs_model::{AgentId, CredentialId, SessionId, TenantId, Timestamp};

use super::{Firing, safe, sentence};

/// A session with a task, and how long it has lasted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lasted {
    /// The tenant.
    pub tenant: TenantId,
    /// The session.
    pub session: SessionId,
    /// Its agent, and the agent's name.
    pub agent: (AgentId, String),
    /// The credential that opened it.
    pub credential: CredentialId,
    /// The name of its task.
    pub task_name: String,
    /// How long the task is expected to take.
    pub expected: Duration,
    /// How long it lasted, so far or in all.
    pub lasted: Duration,
}

impl Lasted {
    /// Whether it is longer than so many percent of what is expected.
    pub fn is_overlong(&self, percent: u32) -> bool {
        let most = self.expected.as_millis().saturating_mul(u128::from(percent));
        self.lasted.as_millis().saturating_mul(100) > most
    }

    /// The finding. One agent at one task is one alert, however many sessions it takes.
    pub fn firing(&self, at: Timestamp) -> Firing {
        let (agent, name) = &self.agent;
        let expected = sentence::span(self.expected.as_secs());
        Firing {
            rule: AlertRule::SessionOverlong,
            tenant: Some(self.tenant),
            subject: format!("{agent} {}", self.task_name),
            once: Some(self.session.to_string()),
            at,
            count: 1,
            agent: Some((*agent, name.clone())),
            session: Some(self.session),
            credential: Some(self.credential),
            correlation: None,
            sentence: safe(&format!(
                "A session of {name} on task {} lasts longer than the {expected} that the task is \
                 expected to take",
                self.task_name
            )),
            events: Vec::new(),
        }
    }
}

/// A credential that was never used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unused {
    /// The tenant.
    pub tenant: TenantId,
    /// The credential.
    pub credential: CredentialId,
    /// What it is recognised by, such as a key id.
    pub key_id: String,
    /// Its agent, and the agent's name.
    pub agent: (AgentId, String),
    /// When it was issued.
    pub issued: Timestamp,
}

impl Unused {
    /// Whether it was not used within such a time.
    pub fn for_so_long(&self, span: Duration, now: Timestamp) -> bool {
        now >= self.issued.after(span)
    }

    /// The finding.
    pub fn firing(&self, span: Duration, at: Timestamp) -> Firing {
        let (_, name) = &self.agent;
        let span = sentence::span(span.as_secs());
        Firing {
            rule: AlertRule::CredentialUnused,
            tenant: Some(self.tenant),
            subject: self.credential.to_string(),
            once: Some(self.credential.to_string()),
            at,
            count: 1,
            agent: Some(self.agent.clone()),
            session: None,
            credential: Some(self.credential),
            correlation: None,
            sentence: safe(&format!(
                "{name} has not used the credential {} within {span} of its issue",
                self.key_id
            )),
            events: Vec::new(),
        }
    }
}
