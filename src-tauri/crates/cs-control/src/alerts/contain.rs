//! Cutting off what caused an incident, where the tenant wants that: its session ends, and the
//! credential that opened it is suspended until an operator releases it.

use cs_model::CorrelationId;
use cs_model::event::Actor;
use cs_registry::alert::{self, Alert};
use cs_registry::{RegistryError, session};

use crate::core::Core;
use crate::failure::ControlError;
use crate::over;

/// Cuts off all that is to be cut off, each together with the mark that it was.
pub(super) async fn all(core: &Core) -> Result<(), ControlError> {
    let mut db = core.registry.read().await?;
    let due = alert::due(&mut db).await?;
    drop(db);
    for alert in due {
        one(core, &alert).await?;
    }
    Ok(())
}

async fn one(core: &Core, alert: &Alert) -> Result<(), ControlError> {
    let (Some(tenant), Some(id)) = (alert.tenant, alert.session) else { return Ok(()) };
    let correlation = match alert.correlation {
        Some(correlation) => correlation,
        None => CorrelationId::from_random(core.random()?),
    };
    let mut edit = core.edit_as(Actor::System, correlation).await?;
    alert::contained(edit.db(), tenant, alert.id).await?;
    let found = match session::find(edit.db(), tenant, id).await {
        Err(RegistryError::NotFound { .. }) => return edit.keep().await,
        found => found?,
    };
    let over = over::cut_off(&mut edit, &found).await?;
    let what = format!(
        "Containment ended a session of `{}` and suspended the key that opened it: {}",
        found.agent_name, alert.sentence
    );
    let mut event = edit.admin(tenant, what);
    (event.agent, event.session) = (Some(found.new.agent), Some(id));
    event.credential = Some(found.new.credential);
    edit.tell(event);
    edit.record().await?;
    over.take_effect(core).await;
    Ok(())
}
