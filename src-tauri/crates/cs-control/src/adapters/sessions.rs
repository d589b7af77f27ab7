//! Authorization sessions, in the registry.

use async_trait::async_trait;
use cs_gateway::ports::{PortError, SessionStore, StoredSession};
use cs_model::event::Event;
use cs_model::state::SessionEnd;
use cs_model::{SessionId, Timestamp};
use cs_policy::{Allowlist, Session};
use cs_registry::{Registry, session};

use super::Doing as _;
use crate::bell::Bell;
use crate::change::Topic;

#[derive(Debug)]
pub(crate) struct Sessions {
    pub(super) registry: Registry,
    pub(super) bell: Bell,
}

impl Sessions {
    fn ring(&self) {
        self.bell.ring(Topic::Sessions);
        self.bell.ring(Topic::Audit);
    }
}

#[async_trait]
impl SessionStore for Sessions {
    async fn opened(&self, session: &StoredSession, events: Vec<Event>) -> Result<(), PortError> {
        let doing = "keep a new session";
        let kept = &session.session;
        let allowlist = serde_json::to_string(&kept.allowlist)
            .map_err(|source| PortError { doing, source: Some(source.into()) })?;
        let session = session::NewSession {
            id: kept.id,
            tenant: kept.tenant,
            agent: kept.agent,
            credential: session.credential,
            task: kept.task,
            allowlist,
            policy_version: session.policy_version,
            opened: session.opened,
            ends: kept.ends,
            wire_id: session.wire_id.clone(),
        };
        self.registry.submit(session::Open { session, events }).await.doing(doing)?;
        self.ring();
        Ok(())
    }

    async fn rebound(&self, id: SessionId, wire_id: Option<&str>) -> Result<(), PortError> {
        let work = session::Rebind { session: id, wire_id: wire_id.map(str::to_owned) };
        self.registry.submit(work).await.doing("bind a session to another id")
    }

    async fn ended(
        &self,
        id: SessionId,
        why: SessionEnd,
        at: Timestamp,
        events: Vec<Event>,
    ) -> Result<(), PortError> {
        let work = session::End { session: id, why, at, events };
        self.registry.submit(work).await.doing("end a session")?;
        self.ring();
        Ok(())
    }

    async fn live(&self, now: Timestamp) -> Result<Vec<StoredSession>, PortError> {
        let doing = "look up the sessions that are under way";
        let mut db = self.registry.read().await.doing(doing)?;
        let found = session::live(&mut db, now).await.doing(doing)?;
        let stored = found.into_iter().map(|found| {
            let new = found.new;
            let allowlist: Allowlist = serde_json::from_str(&new.allowlist)
                .map_err(|source| PortError { doing, source: Some(source.into()) })?;
            let session = Session {
                id: new.id,
                tenant: new.tenant,
                agent: new.agent,
                task: new.task,
                ends: new.ends,
                ended: false,
                allowlist,
            };
            Ok(StoredSession {
                session,
                credential: new.credential,
                opened: new.opened,
                policy_version: new.policy_version,
                wire_id: new.wire_id,
                calls: found.calls,
                anomalies: found.anomalies,
            })
        });
        stored.collect()
    }
}
