//! Spent operation tokens, in the registry.

use std::sync::Arc;

use async_trait::async_trait;
use cs_gateway::ports::{Clock, PortError, Redemption, Spend, TokenLedger};
use cs_model::OperationTokenId;
use cs_model::event::{Event, Outcome};
use cs_registry::{Registry, redemption};

use super::Doing as _;
use crate::bell::Bell;
use crate::change::Topic;

#[derive(Debug)]
pub(crate) struct Ledger {
    pub(super) registry: Registry,
    pub(super) bell: Bell,
    pub(super) clock: Arc<dyn Clock>,
}

#[async_trait]
impl TokenLedger for Ledger {
    async fn redeem(&self, what: Redemption, events: Vec<Event>) -> Result<Spend, PortError> {
        let Redemption { token, others, tenant, session, approval, expires, at } = what;
        let work =
            redemption::Redeem { token, others, tenant, session, approval, expires, at, events };
        let spent = self.registry.submit(work).await.doing("spend an operation token")?;
        self.bell.ring(Topic::Audit);
        self.bell.ring(Topic::Approvals);
        match spent {
            redemption::Spend::Refused => Ok(Spend::Refused),
            redemption::Spend::Spent => Ok(Spend::Spent),
        }
    }

    async fn settled(
        &self,
        token: OperationTokenId,
        outcome: Outcome,
        events: Vec<Event>,
    ) -> Result<(), PortError> {
        let work = redemption::Settle { token, outcome, at: self.clock.now(), events };
        self.registry.submit(work).await.doing("record how a countersigned call ended")?;
        self.bell.ring(Topic::Audit);
        self.bell.ring(Topic::Approvals);
        Ok(())
    }
}
