//! Sessions that an operator's change ends.

use cs_model::event::EventKind;
use cs_model::state::SessionEnd;
use cs_model::{SessionId, TenantId};
use cs_registry::session::{self, Session};
use cs_registry::{approval, credential};

use crate::change::Topic;
use crate::core::Core;
use crate::edit::Edit;
use crate::failure::ControlError;

/// Sessions that are over once the change is made.
#[derive(Debug)]
#[must_use = "the gateway still has to be told"]
pub(crate) struct Over {
    sessions: Vec<SessionId>,
    why: SessionEnd,
}

impl Over {
    /// Records the end of sessions that the change ended in the registry, and takes back what
    /// they still asked of a person.
    pub(crate) async fn of(
        edit: &mut Edit<'_>,
        tenant: TenantId,
        sessions: Vec<SessionId>,
        why: SessionEnd,
    ) -> Result<Self, ControlError> {
        let at = edit.at();
        for session in &sessions {
            let found = cs_registry::session::find(edit.db(), tenant, *session).await?;
            let mut event = edit.event(EventKind::SessionEnded, Some(tenant));
            event.session = Some(*session);
            event.agent = Some(found.new.agent);
            event.credential = Some(found.new.credential);
            event.task = found.new.task;
            event.reason = Some(why.as_str().to_owned());
            edit.tell(event);
            let taken = cs_registry::series::taken_along(edit.db(), tenant, *session, at).await?;
            taken.into_iter().for_each(|event| edit.tell(event));
            let (_, events) =
                approval::withdraw_of_session(edit.db(), tenant, *session, at).await?;
            events.into_iter().for_each(|event| edit.tell(event));
        }
        Ok(Self { sessions, why })
    }

    /// Has the gateway cut them off. The registry has them as over already.
    pub(crate) async fn take_effect(self, core: &Core) {
        core.waiters.look_again();
        if let Some(gateway) = core.gateway() {
            for session in self.sessions {
                if let Err(error) = gateway.end_session(session, self.why).await {
                    tracing::error!(%session, %error, "a session ended without its record");
                }
            }
        }
        core.bell.ring(Topic::Sessions);
        core.bell.ring(Topic::Approvals);
    }
}

/// Ends a session, unless it is over, and suspends the credential that opened it until an operator
/// releases it: otherwise ending it would mean nothing.
pub(crate) async fn cut_off(edit: &mut Edit<'_>, found: &Session) -> Result<Over, ControlError> {
    let (tenant, at, why) = (found.new.tenant, edit.at(), SessionEnd::Operator);
    let ended = if found.is_live(at) {
        session::end(edit.db(), tenant, found.new.id, why, at).await?;
        vec![found.new.id]
    } else {
        Vec::new()
    };
    let over = Over::of(edit, tenant, ended, why).await?;
    credential::suspend(edit.db(), tenant, found.new.credential, at).await?;
    Ok(over)
}
