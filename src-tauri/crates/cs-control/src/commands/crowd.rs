//! What there is to do about an agent that asks people too much.

use cs_model::event::EventKind;
use cs_model::state::{ApprovalState, Standing};
use cs_model::{AgentId, MostWaiting, SessionId, TenantId};
use cs_registry::approval::{self, Approval};
use cs_registry::{agent, session};
use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::command::Command;
use crate::commands::agent::one;
use crate::commands::approval::{about, decided, denier, given_reason};
use crate::commands::series;
use crate::control::Control;
use crate::failure::ControlError;
use crate::secret_text::SecretText;
use crate::view::agent::AgentView;
use crate::view::approval::DeniedAll;
use crate::{over, show};

/// Says how many calls of an agent may wait for people at a time. One more is refused at once.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AgentSetWaiting {
    /// The tenant.
    pub tenant: TenantId,
    /// The agent.
    pub agent: AgentId,
    /// How many; the usual number, which is 10, when absent.
    #[serde(default)]
    #[ts(optional)]
    pub most: Option<MostWaiting>,
}

impl Command for AgentSetWaiting {
    const NAME: &'static str = "agent_set_waiting";
    const NEEDS: Permission = Permission::Edit;
    type Answer = AgentView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<AgentView, ControlError> {
        let core = control.core()?;
        let mut edit = core.edit(caller).await?;
        let found = agent::find(edit.db(), self.tenant, self.agent).await?;
        agent::set_most_waiting(edit.db(), self.tenant, self.agent, self.most).await?;
        edit.enforce(&format!("set how many calls of agent `{}` may wait", found.name)).await?;
        one(&core, self.tenant, self.agent).await
    }
}

/// Refuses every call of an agent from now on, and takes back those that wait, until somebody who
/// may edit lets it act again. Whoever may decide can do it: it only takes away.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AgentPause {
    /// The tenant.
    pub tenant: TenantId,
    /// The agent.
    pub agent: AgentId,
    /// Why, for the log.
    #[serde(default)]
    #[ts(optional)]
    pub reason: Option<String>,
}

impl Command for AgentPause {
    const NAME: &'static str = "agent_pause";
    const NEEDS: Permission = Permission::Decide;
    type Answer = AgentView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<AgentView, ControlError> {
        let reason = self.reason.as_deref().map(given_reason).transpose()?;
        let core = control.core()?;
        let mut edit = core.edit(caller).await?;
        let found = agent::find(edit.db(), self.tenant, self.agent).await?;
        if found.standing == Standing::Suspended {
            return Err(ControlError::conflict("the agent is paused already"));
        }
        agent::set_standing(edit.db(), self.tenant, self.agent, Standing::Suspended).await?;
        let why = reason.map(|it| format!(": {it}")).unwrap_or_default();
        edit.enforce(&format!("paused agent `{}`{why}", found.name)).await?;
        one(&core, self.tenant, self.agent).await
    }
}

/// Denies every call of a session that waits, for one reason, each on record by itself.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ApprovalDenyAll {
    /// The tenant.
    pub tenant: TenantId,
    /// The session.
    pub session: SessionId,
    /// Why, for the agent and the log.
    pub reason: String,
    /// Whether to end the session as well, and suspend the credential that opened it. That takes
    /// somebody who may edit.
    #[serde(default)]
    #[ts(optional)]
    pub end_session: Option<bool>,
    /// The passphrase of the operator who denies them, where the console is not unlocked by them.
    #[serde(default)]
    #[ts(optional)]
    pub passphrase: Option<SecretText>,
}

impl Command for ApprovalDenyAll {
    const NAME: &'static str = "approval_deny_all";
    const NEEDS: Permission = Permission::Decide;
    type Answer = DeniedAll;

    async fn run(self, control: &Control, caller: &Caller) -> Result<DeniedAll, ControlError> {
        let reason = given_reason(&self.reason)?;
        let ends = self.end_session.unwrap_or_default();
        let core = control.core()?;
        let denier = denier(control, caller, self.passphrase.as_ref()).await?;
        if ends && !Permission::Edit.is_held_by(denier) {
            return Err(ControlError::Forbidden { needs: Permission::Edit });
        }
        let mut edit = core.edit_as(denier.on_record(), caller.correlation).await?;
        let (tenant, at) = (self.tenant, edit.at());
        let found = session::find(edit.db(), tenant, self.session).await?;
        let open = approval::open_of_session(edit.db(), tenant, self.session).await?;
        let waits = |it: &&Approval| it.state == ApprovalState::Pending && at < it.new.decide_by;
        let waiting: Vec<&Approval> = open.iter().filter(waits).collect();
        for request in &waiting {
            let (id, by) = (request.new.id, denier.operator());
            approval::deny(edit.db(), tenant, id, by, at, &reason).await?;
            series::end_denied(&mut edit, request).await?;
            let mut event = about(&edit, EventKind::ApprovalDenied, request);
            event.detail = Some(reason.clone());
            edit.tell(event);
        }
        if waiting.is_empty() && !ends {
            return Err(ControlError::conflict("no call of this session waits any more"));
        }
        let session_ended = ends && found.is_live(at);
        if session_ended {
            let over = over::cut_off(&mut edit, &found).await?;
            let what = format!(
                "ended a session of `{}` and suspended the key that opened it: {reason}",
                found.agent_name
            );
            let mut event = edit.admin(tenant, what);
            (event.agent, event.session) = (Some(found.new.agent), Some(self.session));
            event.credential = Some(found.new.credential);
            edit.tell(event);
            edit.record().await?;
            over.take_effect(&core).await;
        } else {
            edit.keep().await?;
        }
        decided(&core);
        Ok(DeniedAll { denied: show::count(waiting.len()), session_ended })
    }
}
