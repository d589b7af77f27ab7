//! Withdrawals before their time: of tokens, of an agent, of a whole tenant.

use cs_model::revocation::Revoked;
use cs_model::{AgentId, RevocationId, TenantId};
use cs_registry::outside;
use cs_registry::revocation::{self, Revocation};
use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::command::Command;
use crate::control::Control;
use crate::failure::ControlError;
use crate::issuer::{self, Aside, Seeds};
use crate::names;
use crate::view::revocation::{RevocationView, RevokedAll};
use crate::withdraw::{self, Withdrawal};

/// The longest reason.
const LONGEST_REASON: usize = 500;

/// A tenant's revocations, newest first.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct RevocationList {
    /// The tenant.
    pub tenant: TenantId,
}

impl Command for RevocationList {
    const NAME: &'static str = "revocation_list";
    const NEEDS: Permission = Permission::Look;
    type Answer = Vec<RevocationView>;

    async fn run(self, control: &Control, _: &Caller) -> Result<Vec<RevocationView>, ControlError> {
        let core = control.core()?;
        names::tenant(&core.document(), self.tenant)?;
        let mut db = core.registry.read().await?;
        let all = revocation::list(&mut db, self.tenant).await?;
        Ok(all.into_iter().map(withdraw::view).collect())
    }
}

/// Withdraws tokens or certificates of others before their time. The very next request that comes with one is refused, and
/// what is under way with one ends.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct RevocationAdd {
    /// The tenant.
    pub tenant: TenantId,
    /// What is withdrawn.
    pub what: Revoked,
    /// Why: between 1 and 500 characters.
    pub reason: String,
}

impl Command for RevocationAdd {
    const NAME: &'static str = "revocation_add";
    const NEEDS: Permission = Permission::Edit;
    type Answer = RevocationView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<RevocationView, ControlError> {
        let reason = reason(&self.reason)?;
        let core = control.core()?;
        let id = RevocationId::from_random(core.random()?);
        let alone = core.hold().await?;
        let document = core.document();
        let doc = names::tenant(&document, self.tenant)?;
        let own = issuer::uri(control, doc);
        withdraw::judge(doc, &own, &self.what, core.now())?;
        let is_own = of_issuer(&self.what) == Some(&*own);
        let is_key = matches!(self.what, Revoked::Key { .. });
        let mut seeds = Seeds::make(&core, usize::from(is_own && is_key))?;
        seeds.keep(&core, self.tenant).await?;
        let mut edit = core.edit_alone(alone, caller).await?;
        if let Revoked::Certificate { authority, .. } = &self.what {
            outside::find(edit.db(), self.tenant, *authority).await?;
        }
        let before = revocation::list(edit.db(), self.tenant).await?;
        if let Some(same) = before.into_iter().find(|it| it.what == self.what) {
            drop(edit);
            seeds.forget(&core, self.tenant).await;
            return Ok(withdraw::view(same));
        }
        let new = Revocation {
            id,
            tenant: self.tenant,
            ends: withdraw::ends(&self.what, edit.at()),
            what: self.what,
            reason,
            created: edit.at(),
        };
        revocation::add(edit.db(), &new).await?;
        let mut aside = Aside::default();
        if is_own {
            aside = issuer::replace(&mut edit, self.tenant, &new.what, &mut seeds).await?;
        }
        let sentence = withdraw::sentence(&new.what);
        edit.say(Some(self.tenant), format!("revoked {sentence}: {}", new.reason));
        edit.record().await?;
        aside.take_effect(&core).await;
        seeds.forget(&core, self.tenant).await;
        Ok(withdraw::view(new))
    }
}

/// The issuer whose tokens are withdrawn.
fn of_issuer(what: &Revoked) -> Option<&str> {
    match what {
        Revoked::Certificate { .. } => None,
        Revoked::Issuer { issuer, .. }
        | Revoked::Key { issuer, .. }
        | Revoked::Subject { issuer, .. }
        | Revoked::Token { issuer, .. } => Some(issuer),
    }
}

/// Withdraws all that an agent proves itself with: every credential for good, and every token that
/// was issued to it up to now. Its sessions end, and what waits for a person is taken back.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AgentRevoke {
    /// The tenant.
    pub tenant: TenantId,
    /// The agent.
    pub agent: AgentId,
    /// Why: between 1 and 500 characters.
    pub reason: String,
}

impl Command for AgentRevoke {
    const NAME: &'static str = "agent_revoke";
    const NEEDS: Permission = Permission::Edit;
    type Answer = RevokedAll;

    async fn run(self, control: &Control, caller: &Caller) -> Result<RevokedAll, ControlError> {
        let reason = reason(&self.reason)?;
        let core = control.core()?;
        let edit = core.edit(caller).await?;
        let document = core.document();
        let doc = names::tenant(&document, self.tenant)?;
        let agent = doc.agents.iter().find(|it| it.id == self.agent);
        let agent = agent.ok_or(ControlError::NotFound { what: "agent" })?;
        let own = issuer::uri(control, doc);
        let mut withdrawal = Withdrawal::new(&core, edit, (doc, own), reason);
        withdrawal.agent(agent).await?;
        withdrawal.take_effect(Some(agent)).await
    }
}

/// Withdraws all that a tenant's agents prove themselves with: every credential for good, and
/// every token that was issued up to now. All sessions end, and what waits for a person is taken
/// back.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct TenantRevoke {
    /// The tenant.
    pub tenant: TenantId,
    /// Why: between 1 and 500 characters.
    pub reason: String,
}

impl Command for TenantRevoke {
    const NAME: &'static str = "tenant_revoke";
    const NEEDS: Permission = Permission::Edit;
    type Answer = RevokedAll;

    async fn run(self, control: &Control, caller: &Caller) -> Result<RevokedAll, ControlError> {
        let reason = reason(&self.reason)?;
        let core = control.core()?;
        let edit = core.edit(caller).await?;
        let document = core.document();
        let doc = names::tenant(&document, self.tenant)?;
        let own = issuer::uri(control, doc);
        let mut withdrawal = Withdrawal::new(&core, edit, (doc, own), reason);
        for agent in &doc.agents {
            withdrawal.agent(agent).await?;
        }
        withdrawal.issuers().await?;
        withdrawal.take_effect(None).await
    }
}

fn reason(text: &str) -> Result<String, ControlError> {
    let text = text.trim();
    if !(1..=LONGEST_REASON).contains(&text.chars().count()) {
        let rule = format!("a reason has between 1 and {LONGEST_REASON} characters");
        return Err(ControlError::invalid("reason", rule));
    }
    Ok(cs_model::text::neutralise(text, LONGEST_REASON))
}
