//! What agents prove themselves with.

use std::time::Duration;

use cs_model::state::{CredentialKind, SessionEnd};
use cs_model::{AgentId, CredentialId, Name, TaskId, TenantId};
use cs_registry::credential::{self, NewCredential, Proof};
use cs_registry::session;
use cs_trust::ApiKeyPair;
use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::command::Command;
use crate::control::Control;
use crate::core::Core;
use crate::failure::ControlError;
use crate::over::Over;
use crate::secret_text::ShownOnce;
use crate::view::agent::{CredentialView, IssuedKey};
use crate::{lifecycle, names, ready, show};

/// How long a credential lasts unless said otherwise: 72 hours.
const USUAL_SECS: u64 = 72 * 60 * 60;

/// How long a credential lasts at most: 90 days.
const MOST_SECS: u64 = 90 * 24 * 60 * 60;

/// Issues a credential. Its secret is in the answer, and nowhere else in clear.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct CredentialIssue {
    /// The tenant.
    pub tenant: TenantId,
    /// The agent that it identifies.
    pub agent: AgentId,
    /// What kind it is of.
    pub kind: CredentialKind,
    /// Seconds; 72 h when absent, 90 days at most.
    #[serde(default)]
    #[ts(optional)]
    pub lifetime_secs: Option<u64>,
    /// The task that the ready configuration declares.
    #[serde(default)]
    #[ts(optional)]
    pub task: Option<TaskId>,
}

impl Command for CredentialIssue {
    const NAME: &'static str = "credential_issue";
    const NEEDS: Permission = Permission::Edit;
    type Answer = IssuedKey;

    async fn run(self, control: &Control, caller: &Caller) -> Result<IssuedKey, ControlError> {
        let lifetime = self.lifetime_secs.unwrap_or(USUAL_SECS);
        if !(1..=MOST_SECS).contains(&lifetime) {
            let rule = format!("a credential lasts between 1 and {MOST_SECS} seconds (90 days)");
            return Err(ControlError::invalid("lifetime_secs", rule));
        }
        let core = control.core()?;
        let vault = core.vault()?;
        let document = core.document();
        let doc = names::tenant(&document, self.tenant)?;
        let agent = doc.agents.iter().find(|it| it.id == self.agent);
        let agent = agent.ok_or(ControlError::NotFound { what: "agent" })?;
        let task = self.task.map(|id| task_name(doc, agent, id)).transpose()?;

        let id = CredentialId::from_random(core.random()?);
        let pair = ApiKeyPair::from_random(core.random()?, core.random()?);
        let sealed_secret = vault
            .seal_api_key(core.random()?, self.tenant, id, &pair.secret)
            .map_err(|source| ControlError::internal("seal the key", source))?;
        let mut edit = core.edit(caller).await?;
        let expires = edit.at().after(Duration::from_secs(lifetime));
        let new = NewCredential {
            id,
            tenant: self.tenant,
            agent: self.agent,
            proof: Proof::ApiKey,
            key_id: pair.key_id.clone(),
            sealed_secret: Some(sealed_secret),
            networks: Vec::new(),
            tasks: None,
            created: edit.at(),
            expires,
        };
        credential::issue(edit.db(), &new).await?;
        let mut event = edit.admin(self.tenant, format!("issued an API key to `{}`", agent.name));
        (event.agent, event.credential) = (Some(agent.id), Some(id));
        edit.tell(event);
        edit.record().await?;

        let address = lifecycle::expected_address(control);
        let endpoint = ready::endpoint(&address, &doc.name, task);
        Ok(IssuedKey {
            credential: id,
            configurations: ready::configurations(
                &control.inner().options.executable,
                &endpoint,
                &agent.name,
                &pair.key_id,
            ),
            key_id: pair.key_id,
            secret: ShownOnce::new(pair.secret),
            expires,
            endpoint,
        })
    }
}

fn task_name<'d>(
    doc: &'d cs_model::document::TenantDoc,
    agent: &cs_model::document::AgentDoc,
    id: TaskId,
) -> Result<&'d Name, ControlError> {
    let found = doc.tasks.iter().find(|task| task.id == id);
    let found = found.ok_or(ControlError::NotFound { what: "task" })?;
    if agent.tasks.contains(&id) {
        Ok(&found.name)
    } else {
        let rule = format!("agent `{}` may not declare task `{}`", agent.name, found.name);
        Err(ControlError::invalid("task", rule))
    }
}

/// Withdraws a credential for good, and ends its sessions.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct CredentialRevoke {
    /// The tenant.
    pub tenant: TenantId,
    /// The credential.
    pub credential: CredentialId,
}

impl Command for CredentialRevoke {
    const NAME: &'static str = "credential_revoke";
    const NEEDS: Permission = Permission::Edit;
    type Answer = CredentialView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<CredentialView, ControlError> {
        let core = control.core()?;
        let mut edit = core.edit(caller).await?;
        let (at, why) = (edit.at(), SessionEnd::Credential);
        let (tenant, id) = (self.tenant, self.credential);
        let found = credential::find(edit.db(), tenant, id).await?;
        if found.revoked_at.is_none() {
            credential::revoke(edit.db(), tenant, id, at).await?;
            let mut event = edit.admin(tenant, format!("revoked the API key `{}`", found.key_id));
            (event.agent, event.credential) = (Some(found.agent), Some(id));
            edit.tell(event);
        }
        let ended = session::end_of_credential(edit.db(), tenant, id, why, at).await?;
        let over = Over::of(&mut edit, tenant, ended, why).await?;
        edit.record().await?;
        over.take_effect(&core).await;
        one(&core, tenant, id).await
    }
}

/// Lets a credential that was suspended by ending its session be used again.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct CredentialRelease {
    /// The tenant.
    pub tenant: TenantId,
    /// The credential.
    pub credential: CredentialId,
}

impl Command for CredentialRelease {
    const NAME: &'static str = "credential_release";
    const NEEDS: Permission = Permission::Edit;
    type Answer = CredentialView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<CredentialView, ControlError> {
        let core = control.core()?;
        let mut edit = core.edit(caller).await?;
        let found = credential::find(edit.db(), self.tenant, self.credential).await?;
        if found.suspended_at.is_some() {
            credential::release(edit.db(), self.tenant, self.credential).await?;
            let what = format!("released the API key `{}`", found.key_id);
            let mut event = edit.admin(self.tenant, what);
            (event.agent, event.credential) = (Some(found.agent), Some(found.id));
            edit.tell(event);
            edit.record().await?;
        }
        one(&core, self.tenant, self.credential).await
    }
}

/// A tenant's credentials, newest first.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct CredentialList {
    /// The tenant.
    pub tenant: TenantId,
}

impl Command for CredentialList {
    const NAME: &'static str = "credential_list";
    const NEEDS: Permission = Permission::Look;
    type Answer = Vec<CredentialView>;

    async fn run(self, control: &Control, _: &Caller) -> Result<Vec<CredentialView>, ControlError> {
        let core = control.core()?;
        names::tenant(&core.document(), self.tenant)?;
        let mut db = core.registry.read().await?;
        let all = credential::list(&mut db, self.tenant).await?;
        Ok(all.iter().map(|it| show::credential(it, core.now())).collect())
    }
}

async fn one(
    core: &Core,
    tenant: TenantId,
    id: CredentialId,
) -> Result<CredentialView, ControlError> {
    let mut db = core.registry.read().await?;
    let found = credential::find(&mut db, tenant, id).await?;
    Ok(show::credential(&found, core.now()))
}
