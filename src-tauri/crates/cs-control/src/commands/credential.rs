//! What agents prove themselves with.

use std::time::Duration;

use cs_model::state::{CredentialKind, CredentialState, SessionEnd};
use cs_model::{AgentId, CredentialId, ProviderId, TaskId, TenantId};
use cs_registry::credential::{self, NewCredential, Proof};
use cs_registry::session;
use cs_trust::ApiKeyPair;
use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::command::Command;
use crate::control::Control;
use crate::core::Core;
use crate::edit::Edit;
use crate::failure::ControlError;
use crate::over::Over;
use crate::provider::is_plain;
use crate::secret_text::ShownOnce;
use crate::view::agent::{CredentialView, IssuedKey};
use crate::withdraw::noun;
use crate::{binding, lifecycle, names, ready, show};

/// The longest subject, in characters.
const LONGEST_SUBJECT: usize = 255;

/// Issues a credential. Its secret is in the answer, and nowhere else in clear.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct CredentialIssue {
    /// The tenant.
    pub tenant: TenantId,
    /// The agent that it identifies.
    pub agent: AgentId,
    /// What kind it is of: an API key.
    pub kind: CredentialKind,
    /// Seconds; what is usual for the tenant (72 h) when absent, and no more than its credentials
    /// last (90 days).
    #[serde(default)]
    #[ts(optional)]
    pub lifetime_secs: Option<u64>,
    /// The task that the ready configuration declares.
    #[serde(default)]
    #[ts(optional)]
    pub task: Option<TaskId>,
    /// The tasks that it may declare; all of its agent's when absent.
    #[serde(default)]
    #[ts(optional)]
    pub tasks: Option<Vec<TaskId>>,
    /// The networks that it may be used from (CIDR); all when absent.
    #[serde(default)]
    #[ts(optional)]
    pub networks: Option<Vec<String>>,
}

impl Command for CredentialIssue {
    const NAME: &'static str = "credential_issue";
    const NEEDS: Permission = Permission::Edit;
    type Answer = IssuedKey;

    async fn run(self, control: &Control, caller: &Caller) -> Result<IssuedKey, ControlError> {
        if self.kind != CredentialKind::ApiKey {
            let rule = "only API keys are issued like this";
            return Err(ControlError::invalid("kind", rule));
        }
        let networks = binding::networks(self.networks)?;
        let core = control.core()?;
        let vault = core.vault()?;
        let document = core.document();
        let doc = names::tenant(&document, self.tenant)?;
        let agent = binding::agent(doc, self.agent)?;
        let tasks = binding::tasks(doc, agent, self.tasks)?;
        let task = self.task.map(|id| binding::task(doc, agent, id, "task")).transpose()?;
        if tasks.as_ref().is_some_and(|bound| self.task.is_some_and(|it| !bound.contains(&it))) {
            let rule = "the credential is bound to other tasks than this one";
            return Err(ControlError::invalid("task", rule));
        }

        let id = CredentialId::from_random(core.random()?);
        let pair = ApiKeyPair::from_random(core.random()?, core.random()?);
        let sealed_secret = vault
            .seal_api_key(core.random()?, self.tenant, id, &pair.secret)
            .map_err(|source| ControlError::internal("seal the key", source))?;
        let mut edit = core.edit(caller).await?;
        // Nobody changes it from here on.
        let terms = core.document();
        let terms = names::tenant(&terms, self.tenant)?;
        let usual = u64::from(terms.lifecycle.usual());
        let lifetime = binding::lifetime(terms, self.lifetime_secs, usual)?;
        let expires = edit.at().after(Duration::from_secs(lifetime));
        let new = NewCredential {
            id,
            tenant: self.tenant,
            agent: self.agent,
            proof: Proof::ApiKey,
            key_id: pair.key_id.clone(),
            sealed_secret: Some(sealed_secret),
            networks,
            tasks,
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

/// Registers a subject of an identity provider as an agent: from now on its access tokens are that
/// agent's. There is no secret of ours in it.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct CredentialRegister {
    /// The tenant.
    pub tenant: TenantId,
    /// The agent that it identifies.
    pub agent: AgentId,
    /// The identity provider.
    pub provider: ProviderId,
    /// The subject, as the provider's claim map finds it, letter by letter.
    pub subject: String,
    /// Seconds; 90 days when absent and at most.
    #[serde(default)]
    #[ts(optional)]
    pub lifetime_secs: Option<u64>,
    /// The tasks that it may declare; all of its agent's when absent.
    #[serde(default)]
    #[ts(optional)]
    pub tasks: Option<Vec<TaskId>>,
    /// The networks that it may be used from (CIDR); all when absent.
    #[serde(default)]
    #[ts(optional)]
    pub networks: Option<Vec<String>>,
}

impl Command for CredentialRegister {
    const NAME: &'static str = "credential_register";
    const NEEDS: Permission = Permission::Edit;
    type Answer = CredentialView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<CredentialView, ControlError> {
        let networks = binding::networks(self.networks)?;
        if !is_plain(&self.subject, LONGEST_SUBJECT) {
            let rule = format!(
                "a subject has between 1 and {LONGEST_SUBJECT} characters, none of them invisible"
            );
            return Err(ControlError::invalid("subject", rule));
        }
        let core = control.core()?;
        let id = CredentialId::from_random(core.random()?);
        let mut edit = core.edit(caller).await?;
        let document = core.document();
        let doc = names::tenant(&document, self.tenant)?;
        let lifetime = binding::lifetime(doc, self.lifetime_secs, binding::MOST_SECS)?;
        let agent = binding::agent(doc, self.agent)?;
        let tasks = binding::tasks(doc, agent, self.tasks)?;
        let provider = doc.providers.iter().find(|it| it.id == self.provider);
        let provider = provider.ok_or(ControlError::NotFound { what: "identity provider" })?;
        let key_id = free_key_id(&mut edit, self.tenant, id, provider.id, &self.subject).await?;
        let expires = edit.at().after(Duration::from_secs(lifetime));
        let new = NewCredential {
            id,
            tenant: self.tenant,
            agent: self.agent,
            proof: Proof::External { provider: provider.id, subject: self.subject },
            key_id,
            sealed_secret: None,
            networks,
            tasks,
            created: edit.at(),
            expires,
        };
        credential::issue(edit.db(), &new).await?;
        let what = format!("registered `{}` as agent `{}`", new.key_id, agent.name);
        let mut event = edit.admin(self.tenant, what);
        (event.agent, event.credential) = (Some(agent.id), Some(id));
        edit.tell(event);
        edit.record().await?;
        one(&core, self.tenant, id).await
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
            let mut event = edit.admin(
                tenant,
                format!("revoked the {} `{}`", noun(found.proof.kind()), found.key_id),
            );
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
            let what = format!("released the {} `{}`", noun(found.proof.kind()), found.key_id);
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
        let document = core.document();
        let doc = names::tenant(&document, self.tenant)?;
        let mut db = core.registry.read().await?;
        let all = credential::list(&mut db, self.tenant).await?;
        Ok(all.iter().map(|it| show::credential(doc, it, core.now())).collect())
    }
}

pub(crate) async fn one(
    core: &Core,
    tenant: TenantId,
    id: CredentialId,
) -> Result<CredentialView, ControlError> {
    let document = core.document();
    let doc = names::tenant(&document, tenant)?;
    let mut db = core.registry.read().await?;
    let found = credential::find(&mut db, tenant, id).await?;
    Ok(show::credential(doc, &found, core.now()))
}

/// What a subject is listed under. One subject is one agent at a time; a registration that is
/// over makes way for another.
async fn free_key_id(
    edit: &mut Edit<'_>,
    tenant: TenantId,
    id: CredentialId,
    provider: ProviderId,
    subject: &str,
) -> Result<String, ControlError> {
    let now = edit.at();
    let all = credential::list(edit.db(), tenant).await?;
    let proof = Proof::External { provider, subject: subject.to_owned() };
    let mut before = all.iter().filter(|it| it.proof == proof).peekable();
    let taken = before.peek().is_some();
    if before.any(|it| is_standing(it.state(now))) {
        return Err(ControlError::conflict(
            "this subject is registered already; revoke that credential first",
        ));
    }
    let key_id = format!("{provider}/{subject}");
    Ok(if taken { format!("{key_id}/{id}") } else { key_id })
}

/// Whether a credential may be used, or may be used again.
pub(crate) const fn is_standing(state: CredentialState) -> bool {
    match state {
        CredentialState::Active | CredentialState::Suspended => true,
        CredentialState::Expired | CredentialState::Revoked => false,
    }
}
