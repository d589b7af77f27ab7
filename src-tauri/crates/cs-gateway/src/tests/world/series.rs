//! Series of approvals in a journal: as few promises as the port makes, so that what the gateway
//! does not see to itself fails.

use async_trait::async_trait;
use cs_model::event::Event;
use cs_model::series::SeriesClaims;
use cs_model::{Digest, OperationTokenId, SeriesId, SessionId, TenantId, Timestamp, ToolId};
use tokio::sync::watch;

use super::Journal;
use crate::ports::*;

/// A series as it is kept.
#[derive(Clone, Debug)]
pub(in crate::tests) struct Kept {
    pub(in crate::tests) running: RunningSeries,
    pub(in crate::tests) spent: Vec<OperationTokenId>,
    pub(in crate::tests) ended: Option<String>,
}

impl Journal {
    /// Keeps a series, and forgets any that was there.
    pub(in crate::tests) fn sign_series(&self, id: SeriesId, token: String, schema: &str) {
        let running = RunningSeries { id, token, schema: schema.to_owned() };
        *self.series.lock().unwrap() = vec![Kept { running, spent: Vec::new(), ended: None }];
        self.series_signed.send_modify(|count| *count += 1);
    }

    /// A series of three calls of the tool that a request is about, for ten minutes.
    pub(in crate::tests) fn series_claims(
        &self,
        request: &NewApproval,
        schema: &str,
    ) -> SeriesClaims {
        let it = self.claims(request, 1);
        SeriesClaims {
            iss: it.iss,
            aud: it.aud,
            sub: it.sub,
            tenant: it.tenant,
            sid: it.sid,
            task: it.task,
            server: it.server,
            tool: it.tool,
            tool_fpr: it.tool_fpr,
            schema: Digest::of(schema.as_bytes()),
            n: 3,
            pv: it.pv,
            jti: SeriesId::from_random([9; 16]),
            iat: it.iat,
            exp: it.iat + 600,
            rsn: None,
            prs: false,
        }
    }

    /// How many calls the series has paid for, and why it ended, if it has.
    pub(in crate::tests) fn series_now(&self) -> (usize, Option<String>) {
        let all = self.series.lock().unwrap();
        all.first().map(|it| (it.spent.len(), it.ended.clone())).unwrap_or_default()
    }
}

#[async_trait]
impl SeriesBook for Journal {
    async fn running(
        &self,
        _: TenantId,
        _: SessionId,
        _: ToolId,
    ) -> Result<Vec<RunningSeries>, PortError> {
        let all = self.series.lock().unwrap();
        Ok(all.iter().filter(|it| it.ended.is_none()).map(|it| it.running.clone()).collect())
    }

    fn signed(&self) -> watch::Receiver<u64> {
        self.series_signed.subscribe()
    }

    async fn redeem(&self, what: SeriesUse, events: Vec<Event>) -> Result<Spend, PortError> {
        self.meanwhile.happen();
        {
            let mut all = self.series.lock().unwrap();
            let Some(kept) = all.iter_mut().find(|it| it.running.id == what.series) else {
                return Ok(Spend::Refused);
            };
            if kept.ended.is_some() || kept.spent.len() >= usize::from(what.calls) {
                return Ok(Spend::Refused);
            }
            kept.spent.push(what.token);
        }
        self.keep(events)?;
        Ok(Spend::Spent)
    }

    async fn end(
        &self,
        _: TenantId,
        series: SeriesId,
        why: &str,
        _: Timestamp,
        events: Vec<Event>,
    ) -> Result<(), PortError> {
        let mut all = self.series.lock().unwrap();
        if let Some(kept) = all.iter_mut().find(|it| it.running.id == series) {
            kept.ended = Some(why.to_owned());
        }
        drop(all);
        self.keep(events)
    }
}
