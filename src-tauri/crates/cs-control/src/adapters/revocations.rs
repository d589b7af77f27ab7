//! Tokens that their clients give up, in the registry and in what requests are judged by.

use std::sync::Weak;

use async_trait::async_trait;
use cs_gateway::ports::{GivenUp, PortError, RevocationList};
use cs_model::event::{Actor, Event};
use cs_model::revocation::Revoked;
use cs_model::{CorrelationId, RevocationId};
use cs_registry::revocation::{self, Revocation};

use crate::core::Core;
use crate::failure::ControlError;

#[derive(Debug)]
pub(crate) struct Withdrawn {
    pub(super) core: Weak<Core>,
}

#[async_trait]
impl RevocationList for Withdrawn {
    async fn give_up(&self, token: GivenUp, events: Vec<Event>) -> Result<(), PortError> {
        let doing = "withdraw a token";
        let core = self.core.upgrade().ok_or(PortError { doing, source: None })?;
        let done = give_up(&core, token, events).await;
        done.map_err(|error| PortError { doing, source: Some(error.into()) })
    }
}

async fn give_up(core: &Core, token: GivenUp, events: Vec<Event>) -> Result<(), ControlError> {
    let id = RevocationId::from_random(core.random()?);
    let correlation = match events.iter().find_map(|it| it.correlation) {
        Some(correlation) => correlation,
        None => CorrelationId::from_random(core.random()?),
    };
    let mut edit = core.edit_as(Actor::System, correlation).await?;
    let new = Revocation {
        id,
        tenant: token.tenant,
        what: Revoked::Token { issuer: token.issuer, id: token.id },
        reason: "given up by its client".to_owned(),
        created: edit.at(),
        ends: token.expires,
    };
    revocation::add(edit.db(), &new).await?;
    events.into_iter().for_each(|event| edit.tell(event));
    edit.record().await
}
