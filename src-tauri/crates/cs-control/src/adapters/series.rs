//! Series of approvals, in the registry.

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use cs_gateway::ports::{PortError, RunningSeries, SeriesBook, SeriesUse, Spend};
use cs_model::event::Event;
use cs_model::{SeriesId, SessionId, TenantId, Timestamp, ToolId};
use cs_registry::series;
use tokio::sync::watch;

use super::Doing as _;
use crate::change::Topic;
use crate::core::Core;

#[derive(Debug)]
pub(crate) struct Book {
    pub(super) core: Weak<Core>,
}

impl Book {
    fn core(&self, doing: &'static str) -> Result<Arc<Core>, PortError> {
        self.core.upgrade().ok_or(PortError { doing, source: None })
    }
}

/// Tells the screens, and whoever waits for a request that may have been taken back.
fn moved(core: &Core) {
    core.waiters.look_again();
    core.bell.ring(Topic::Approvals);
    core.bell.ring(Topic::Audit);
}

#[async_trait]
impl SeriesBook for Book {
    async fn running(
        &self,
        tenant: TenantId,
        session: SessionId,
        tool: ToolId,
    ) -> Result<Vec<RunningSeries>, PortError> {
        let doing = "look up the running series";
        let core = self.core(doing)?;
        let mut db = core.registry.read().await.doing(doing)?;
        let found = series::running(&mut db, tenant, session, tool).await.doing(doing)?;
        let running = |series::Running { id, token, schema }| RunningSeries { id, token, schema };
        Ok(found.into_iter().map(running).collect())
    }

    fn signed(&self) -> watch::Receiver<u64> {
        match self.core.upgrade() {
            Some(core) => core.waiters.series_signed(),
            None => watch::channel(0).1,
        }
    }

    async fn redeem(&self, what: SeriesUse, events: Vec<Event>) -> Result<Spend, PortError> {
        let doing = "spend a call of a series";
        let core = self.core(doing)?;
        let SeriesUse { series, token, tenant, session, operation, calls, expires, at } = what;
        let work =
            series::Use { series, token, tenant, session, operation, calls, expires, at, events };
        let spent = core.registry.submit(work).await.doing(doing)?;
        moved(&core);
        match spent {
            series::Spend::Refused => Ok(Spend::Refused),
            series::Spend::Spent(_) => Ok(Spend::Spent),
        }
    }

    async fn end(
        &self,
        tenant: TenantId,
        series: SeriesId,
        why: &str,
        at: Timestamp,
        events: Vec<Event>,
    ) -> Result<(), PortError> {
        let doing = "end a series";
        let core = self.core(doing)?;
        let ended = series::Ended { at, why: why.to_owned(), by: None };
        let work = series::End { tenant, series, ended, events };
        if core.registry.submit(work).await.doing(doing)? {
            moved(&core);
        }
        Ok(())
    }
}
