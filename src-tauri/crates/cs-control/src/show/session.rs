//! Authorization sessions, as a person sees them.

use cs_gateway::SessionSummary;
use cs_model::Grant;
use cs_policy::Snapshot;
use cs_registry::SqliteConnection;
use cs_registry::credential::{self, Credential};
use cs_registry::session::Session;

use super::count;
use crate::core::Core;
use crate::explain;
use crate::failure::ControlError;
use crate::view::session::{SessionState, SessionTool, SessionView};

/// What is shown of a session besides its row.
#[derive(Debug)]
pub(crate) struct Sessions<'c> {
    core: &'c Core,
    credentials: Vec<Credential>,
    live: Vec<SessionSummary>,
}

impl<'c> Sessions<'c> {
    /// What is known of a tenant's sessions now.
    pub(crate) async fn of(
        core: &'c Core,
        db: &mut SqliteConnection,
        tenant: cs_model::TenantId,
    ) -> Result<Self, ControlError> {
        let credentials = credential::list(db, tenant).await?;
        let live = core.gateway().map(|gateway| gateway.sessions()).unwrap_or_default();
        Ok(Self { core, credentials, live })
    }

    /// One of them.
    pub(crate) fn show(&self, found: &Session) -> Result<SessionView, ControlError> {
        let (new, now) = (&found.new, self.core.now());
        let state = match found.ended {
            Some((_, why)) => SessionState::from(Some(why)),
            None if now < new.ends => SessionState::Live,
            None => SessionState::Expired,
        };
        let expired = (state == SessionState::Expired).then_some(new.ends);
        let own = self.credentials.iter().find(|it| it.id == new.credential);
        // The row is written when the gateway has a moment; the gateway counts at once.
        let live = self.live.iter().find(|it| it.id == new.id);
        Ok(SessionView {
            id: new.id,
            tenant: new.tenant,
            agent: new.agent,
            agent_name: found.agent_name.clone(),
            credential: new.credential,
            key_id: own.map(|it| it.key_id.clone()),
            credential_state: own.map(|it| it.state(now)),
            client: own.and_then(|it| it.last_from.clone()),
            task: new.task,
            task_name: found.task_name.clone(),
            state,
            opened: new.opened,
            ends: new.ends,
            ended: found.ended.map(|(at, _)| at).or(expired),
            policy_version: new.policy_version,
            tools: self.tools(found, state)?,
            calls: live.map_or(found.calls, |it| it.calls.max(found.calls)),
            anomalies: live.map_or(found.anomalies, |it| it.anomalies.max(found.anomalies)),
            waiting: live.map_or(0, |it| count(it.waiting)),
        })
    }

    /// Its frozen list, and what has become of each tool of it.
    fn tools(
        &self,
        found: &Session,
        state: SessionState,
    ) -> Result<Vec<SessionTool>, ControlError> {
        let session = explain::opened(found, self.core.now())?;
        let world = explain::world(self.core);
        let snapshot: &Snapshot = &world.policy;
        let all = session.allowlist.iter().map(|(listed, entry)| {
            let judged = (state == SessionState::Live).then(|| {
                cs_policy::explain_in(snapshot, &session, entry.tool, None, self.core.now())
            });
            let refused = judged.as_ref().and_then(|it| it.verdict.err());
            SessionTool {
                listed: listed.to_owned(),
                tool: entry.tool,
                grant: entry.grant,
                now: judged.map_or(entry.grant, |it| it.verdict.unwrap_or(Grant::Deny)),
                why: refused.map(|deny| deny.sentence().to_owned()),
            }
        });
        Ok(all.collect())
    }
}
