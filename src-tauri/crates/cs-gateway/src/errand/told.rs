//! What a client is told of an errand.

use cs_model::{CorrelationId, Timestamp};

use super::{Own, Standing};
use crate::upstream::Status;

/// After how long a client may ask again, in milliseconds: while a person is asked, and while the
/// server serves the call.
const WAITING: u64 = 2000;
const RUNNING: u64 = 500;

/// An errand, as a client is told of it.
#[derive(Debug)]
pub(super) struct Telling<'t> {
    pub(super) id: &'t str,
    pub(super) status: Status,
    pub(super) message: Option<&'t str>,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    pub(super) ttl: Option<u64>,
    pub(super) poll: Option<u64>,
    /// A member with what is told besides: its key, and JSON.
    pub(super) detail: Option<(&'static str, &'t str)>,
}

impl Telling<'_> {
    fn members(&self) -> String {
        let Self { id, status, message, created, updated, ttl, poll, detail } = self;
        let id = serde_json::Value::from(*id);
        let ttl = ttl.map_or_else(|| "null".to_owned(), |ttl| ttl.to_string());
        let mut text = format!(
            "\"taskId\":{id},\"status\":\"{}\",\"createdAt\":\"{created}\",\
             \"lastUpdatedAt\":\"{updated}\",\"ttlMs\":{ttl}",
            status.as_str()
        );
        if let Some(poll) = poll {
            text.push_str(&format!(",\"pollIntervalMs\":{poll}"));
        }
        if let Some(message) = message {
            text.push_str(&format!(",\"statusMessage\":{}", serde_json::Value::from(*message)));
        }
        if let Some((key, detail)) = detail {
            text.push_str(&format!(",\"{key}\":{detail}"));
        }
        text
    }

    /// As the answer to the call that became it.
    pub(super) fn created(mut self, correlation: CorrelationId) -> String {
        self.detail = None;
        result("task", &self.members(), correlation)
    }

    /// As the answer to whoever asks.
    pub(super) fn stands(self, correlation: CorrelationId) -> String {
        result("complete", &self.members(), correlation)
    }

    /// As the parameters of a notification, with what a stream is known by.
    pub(super) fn notified(self, meta: &str) -> String {
        format!("{{{},\"_meta\":{meta}}}", self.members())
    }
}

fn result(kind: &str, members: &str, correlation: CorrelationId) -> String {
    let comma = if members.is_empty() { "" } else { "," };
    format!(
        "{{\"resultType\":\"{kind}\"{comma}{members},\
         \"_meta\":{{\"dev.countersign/correlation\":\"{correlation}\"}}}}"
    )
}

/// The answer to whoever wants something done: it is, or will be.
pub(super) fn noted(correlation: CorrelationId) -> String {
    result("complete", "", correlation)
}

/// Tells of an errand of the gateway's own.
pub(super) fn of_own<T>(own: &Own, id: &str, tell: impl FnOnce(Telling<'_>) -> T) -> T {
    let (standing, updated) = own.standing();
    let waits = format!("Waiting for a person to decide on request {}", own.approval);
    let (status, message, poll, detail) = match &standing {
        Standing::Asks(questions) => {
            (Status::Asks, None, Some(RUNNING), Some(("inputRequests", &**questions)))
        }
        Standing::Cancelled => (Status::Cancelled, None, None, None),
        Standing::Completed(result) => (Status::Completed, None, None, Some(("result", &**result))),
        Standing::Failed(error) => (Status::Failed, None, None, Some(("error", &**error))),
        Standing::Running => (
            Status::Working,
            Some("A person approved the call; it is under way"),
            Some(RUNNING),
            None,
        ),
        Standing::Waiting => (Status::Working, Some(waits.as_str()), Some(WAITING), None),
    };
    let ttl = u64::try_from(own.until.since(own.created).as_millis()).ok();
    let created = own.created;
    tell(Telling { id, status, message, created, updated, ttl, poll, detail })
}
