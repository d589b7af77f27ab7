//! What is put on record of a series.

use cs_model::Timestamp;
use cs_model::event::{Actor, Event, EventKind};

use super::Series;

/// What Countersign itself has to say of a series.
pub(crate) fn event_about(kind: EventKind, found: &Series, why: &str, at: Timestamp) -> Event {
    Event {
        actor: Some(Actor::System),
        tenant: Some(found.new.tenant),
        agent: Some(found.agent),
        credential: Some(found.credential),
        session: Some(found.new.session),
        task: found.task,
        server: Some(found.server),
        tool: Some(found.new.tool),
        tool_name: Some(found.tool_name.clone()),
        approval: found.new.approval,
        series: Some(found.new.id),
        reason: Some(why.to_owned()),
        detail: Some(format!("{} of {} calls were made.", found.used, found.new.calls)),
        ..Event::new(kind, at)
    }
}
