//! What waits to be signed, or was signed for later, and is taken back with a change of the policy.

use cs_audit::alert::SIGNING_LOOSENED;
use cs_model::document::AgentDoc;
use cs_model::state::Standing;
use cs_model::{Document, ServerId, TenantId};
use cs_registry::approval::{self, NewApproval};
use cs_registry::series::{self, Series};

use super::Edit;
use crate::failure::ControlError;
use crate::signing;

impl Edit<'_> {
    /// Takes back what a change leaves nobody to sign for, each on record.
    pub(super) async fn take_back(
        &mut self,
        old: &Document,
        new: &Document,
    ) -> Result<(), ControlError> {
        self.of_suspended(old, new).await?;
        self.of_loosened(old, new).await?;
        self.of_other_servers(old, new).await
    }

    /// Of agents that may not act any more.
    async fn of_suspended(&mut self, old: &Document, new: &Document) -> Result<(), ControlError> {
        for doc in &new.tenants {
            let before = old.tenants.iter().find(|it| it.id == doc.id);
            let was = |agent: &AgentDoc| {
                before.and_then(|it| it.agents.iter().find(|it| it.id == agent.id))
            };
            let suspended = doc.agents.iter().filter(|it| it.standing == Standing::Suspended);
            for agent in
                suspended.filter(|it| was(it).is_some_and(|it| it.standing == Standing::Active))
            {
                let why = "agent_suspended";
                self.withdraw(doc.id, |it| it.agent == agent.id, why).await?;
                self.end_series(doc.id, |it| it.agent == agent.id, why).await?;
            }
        }
        Ok(())
    }

    /// Where less is asked of those who sign from now on: nobody lowers the bar for a call that is
    /// before somebody already. That it was lowered is for everybody to see.
    async fn of_loosened(&mut self, old: &Document, new: &Document) -> Result<(), ControlError> {
        for (doc, loosened) in signing::loosened(old, new) {
            let mut event = self.admin(doc.id, loosened.in_words(doc));
            event.reason = Some(SIGNING_LOOSENED.to_owned());
            self.events.push(event);
            let is_meant = |it: &NewApproval| {
                loosened.tools.contains(&it.tool) || loosened.agents.contains(&it.agent)
            };
            self.withdraw(doc.id, is_meant, "signing_changed").await?;
        }
        Ok(())
    }

    /// Where something else may pass of a server from now on.
    async fn of_other_servers(
        &mut self,
        old: &Document,
        new: &Document,
    ) -> Result<(), ControlError> {
        for doc in &new.tenants {
            let Some(before) = old.tenants.iter().find(|it| it.id == doc.id) else { continue };
            for server in &doc.servers {
                let was = before.servers.iter().find(|it| it.id == server.id);
                if was.is_some_and(|was| was.passes != server.passes) {
                    self.take_back_of_server(doc.id, server.id).await?;
                }
            }
        }
        Ok(())
    }

    /// Of a server that is reached in another way from now on: what was signed is for the one that
    /// was shown.
    pub(crate) async fn take_back_of_server(
        &mut self,
        tenant: TenantId,
        server: ServerId,
    ) -> Result<(), ControlError> {
        self.withdraw(tenant, |it| it.server == server, "server_changed").await?;
        self.end_series(tenant, |it| it.server == server, "server_changed").await
    }

    async fn withdraw(
        &mut self,
        tenant: TenantId,
        is_meant: impl Fn(&NewApproval) -> bool,
        why: &str,
    ) -> Result<(), ControlError> {
        let told = (why, self.at);
        let events = approval::withdraw_where(&mut self.change, tenant, is_meant, told).await?;
        self.took_back |= !events.is_empty();
        self.events.extend(events);
        Ok(())
    }

    async fn end_series(
        &mut self,
        tenant: TenantId,
        is_meant: impl Fn(&Series) -> bool,
        why: &str,
    ) -> Result<(), ControlError> {
        let told = (why, self.at);
        let events = series::end_where(&mut self.change, tenant, is_meant, told).await?;
        self.took_back |= !events.is_empty();
        self.events.extend(events);
        Ok(())
    }
}
