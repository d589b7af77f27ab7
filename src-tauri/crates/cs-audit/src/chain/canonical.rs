//! The canonical form (RFC 8785) of an event: its members by name, in one order, with nothing
//! between them. Each is written as its serde form says; a test holds the two against each other.

use std::fmt::{Display, Write as _};

use cs_model::event::{Actor, Decision, Event, Outcome};

/// The whole numbers that every reader holds exactly: up to 2^53 - 1.
const MOST: u64 = (1 << 53) - 1;

/// About as many bytes as the event of a call has.
const USUAL: usize = 768;

/// The canonical form; nothing for what has none.
pub(super) fn of(event: &Event) -> Option<String> {
    // Taken apart whole, so that no member can be forgotten.
    let Event {
        schema,
        kind,
        at,
        correlation,
        tenant,
        actor,
        agent,
        claimed,
        credential,
        proof,
        session,
        task,
        server,
        tool,
        tool_name,
        method,
        decision,
        reason,
        policy_version,
        approval,
        token,
        series,
        arguments,
        outcome,
        took_ms,
        client,
        detail,
    } = event;
    let mut form = Form::new();
    // The names are plain ASCII, for which the order of bytes is that of UTF-16.
    form.actor(actor.as_ref())?;
    form.plain("agent", agent.as_ref())?;
    form.plain("approval", approval.as_ref())?;
    form.plain("arguments", arguments.as_ref())?;
    form.plain("at", Some(at))?;
    form.words("claimed", claimed.as_deref())?;
    form.words("client", client.as_deref())?;
    form.plain("correlation", correlation.as_ref())?;
    form.plain("credential", credential.as_ref())?;
    form.plain("decision", decision.map(decision_word))?;
    form.words("detail", detail.as_deref())?;
    form.plain("kind", Some(kind.as_str()))?;
    form.words("method", method.as_deref())?;
    form.plain("outcome", outcome.map(outcome_word))?;
    form.number("policy_version", *policy_version)?;
    form.words("proof", proof.as_deref())?;
    form.words("reason", reason.as_deref())?;
    form.number("schema", Some(u64::from(*schema)))?;
    form.plain("series", series.as_ref())?;
    form.plain("server", server.as_ref())?;
    form.plain("session", session.as_ref())?;
    form.plain("task", task.as_ref())?;
    form.plain("tenant", tenant.as_ref())?;
    form.plain("token", token.as_ref())?;
    form.number("took_ms", *took_ms)?;
    form.plain("tool", tool.as_ref())?;
    form.words("tool_name", tool_name.as_deref())?;
    Some(form.end())
}

const fn decision_word(decision: Decision) -> &'static str {
    match decision {
        Decision::Allow => "allow",
        Decision::Deny => "deny",
        Decision::Hold => "hold",
    }
}

const fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Failed => "failed",
        Outcome::Answered => "answered",
        Outcome::Unknown => "unknown",
    }
}

/// An object in the making.
struct Form(String);

impl Form {
    fn new() -> Self {
        let mut text = String::with_capacity(USUAL);
        text.push('{');
        Self(text)
    }

    fn name(&mut self, name: &str) {
        if !self.0.ends_with('{') {
            self.0.push(',');
        }
        self.0.push('"');
        self.0.push_str(name);
        self.0.push_str("\":");
    }

    /// A member whose text has nothing that would have to be escaped.
    fn plain(&mut self, name: &str, value: Option<impl Display>) -> Option<()> {
        let Some(value) = value else { return Some(()) };
        self.name(name);
        write!(self.0, "\"{value}\"").ok()
    }

    /// A member of any text. What has to be escaped, and how, is the same in RFC 8785 and in what
    /// serde writes.
    fn words(&mut self, name: &str, words: Option<&str>) -> Option<()> {
        let Some(words) = words else { return Some(()) };
        let is_plain = |b: u8| b >= b' ' && b != b'"' && b != b'\\';
        if words.bytes().all(is_plain) {
            return self.plain(name, Some(words));
        }
        self.name(name);
        self.0.push_str(&serde_json::to_string(words).ok()?);
        Some(())
    }

    fn number(&mut self, name: &str, number: Option<u64>) -> Option<()> {
        let Some(number) = number else { return Some(()) };
        if number > MOST {
            return None;
        }
        self.name(name);
        write!(self.0, "{number}").ok()
    }

    fn actor(&mut self, actor: Option<&Actor>) -> Option<()> {
        let Some(actor) = actor else { return Some(()) };
        self.name("actor");
        match actor {
            Actor::Operator { id } => write!(self.0, "{{\"id\":\"{id}\",\"kind\":\"operator\"}}"),
            Actor::Local { uid: Some(uid) } => {
                write!(self.0, "{{\"kind\":\"local\",\"uid\":{uid}}}")
            }
            Actor::Local { uid: None } => write!(self.0, "{{\"kind\":\"local\",\"uid\":null}}"),
            Actor::System => write!(self.0, "{{\"kind\":\"system\"}}"),
        }
        .ok()
    }

    fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}
