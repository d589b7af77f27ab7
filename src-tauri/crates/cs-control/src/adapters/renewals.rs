//! Handing the successor of a credential over to the holder of the old one.

use std::sync::Weak;

use async_trait::async_trait;
use cs_gateway::ports::{PortError, Renewal, Renewals};
use cs_model::event::{Actor, Event};
use cs_model::state::CredentialState;
use cs_model::{CorrelationId, CredentialId, TenantId};
use cs_registry::{credential, rotation};

use crate::core::Core;
use crate::failure::ControlError;

#[derive(Debug)]
pub(crate) struct Successors {
    pub(crate) core: Weak<Core>,
}

#[async_trait]
impl Renewals for Successors {
    async fn renew(
        &self,
        tenant: TenantId,
        old: CredentialId,
        event: Event,
    ) -> Result<Renewal, PortError> {
        let doing = "hand a credential over";
        let core = self.core.upgrade().ok_or(PortError { doing, source: None })?;
        let done = renew(&core, tenant, old, event).await;
        done.map_err(|error| PortError { doing, source: Some(error.into()) })
    }
}

async fn renew(
    core: &Core,
    tenant: TenantId,
    old: CredentialId,
    mut event: Event,
) -> Result<Renewal, ControlError> {
    {
        let mut db = core.registry.read().await?;
        if rotation::successor(&mut db, tenant, old).await?.is_none() {
            return Ok(Renewal::NotYet);
        }
    }
    let correlation = match event.correlation {
        Some(correlation) => correlation,
        None => CorrelationId::from_random(core.random()?),
    };
    let mut edit = core.edit_as(Actor::System, correlation).await?;
    let at = edit.at();
    if credential::find(edit.db(), tenant, old).await?.state(at) != CredentialState::Active {
        return Ok(Renewal::Refused { reason: "credential_over" });
    }
    let Some(next) = rotation::successor(edit.db(), tenant, old).await? else {
        return Ok(Renewal::NotYet);
    };
    if next.first_used.is_some() {
        return Ok(Renewal::Refused { reason: "successor_in_use" });
    }
    if next.state(at) != CredentialState::Active {
        return Ok(Renewal::Refused { reason: "successor_over" });
    }
    rotation::deliver(edit.db(), tenant, next.id, at).await?;
    let again = if next.delivered.is_some() { ", once more" } else { "" };
    event.detail = Some(format!("API key `{}` was handed over{again}", next.key_id));
    edit.tell(event);
    edit.keep().await?;
    Ok(Renewal::Ready { credential: next.id, key_id: next.key_id, expires: next.expires })
}
