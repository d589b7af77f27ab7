//! Calls that wait for a person.

mod card;

use std::time::Duration;

use cs_model::event::EventKind;
use cs_model::state::ApprovalState;
use cs_model::{ApprovalId, Digest, OperationTokenId, Signing, TenantId};
use cs_registry::approval::{self, Approval, Signed};
use cs_registry::server::{self};
use serde::Deserialize;
use ts_rs::TS;

use self::card::drift;
pub(super) use self::card::view;
use super::series;
use crate::actor::{Actor, Caller, Permission};
use crate::change::Topic;
use crate::command::Command;
use crate::control::Control;
use crate::core::Core;
use crate::edit::Edit;
use crate::failure::ControlError;
use crate::names::Names;
use crate::secret_text::SecretText;
use crate::signing::{Terms, Wish};
use crate::unlock::Unlocked;
use crate::view::approval::{ApprovalRow, ApprovalTool, ApprovalView, ApprovalWeek};
use crate::{lifecycle, show, signing};

/// How many requests are listed at most.
const MOST: u32 = 500;

/// Requests in one of the given states, newest first; those that wait, when none is given.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ApprovalList {
    /// Of this tenant; of all, when absent.
    #[serde(default)]
    #[ts(optional)]
    pub tenant: Option<TenantId>,
    /// In one of these states.
    #[serde(default)]
    #[ts(optional)]
    pub states: Option<Vec<ApprovalState>>,
}

impl Command for ApprovalList {
    const NAME: &'static str = "approval_list";
    const NEEDS: Permission = Permission::Look;
    type Answer = Vec<ApprovalRow>;

    async fn run(self, control: &Control, _: &Caller) -> Result<Vec<ApprovalRow>, ControlError> {
        let core = control.core()?;
        let mut db = core.registry.read().await?;
        let found = match &self.states {
            Some(states) => approval::list(&mut db, self.tenant, states, MOST).await?,
            None => approval::waiting(&mut db, self.tenant, core.now(), MOST).await?,
        };
        let name = |it: &Approval| show::tenant_name(&core, it.new.tenant);
        let standing = approval::standing(&mut db, core.now()).await?;
        Ok(found.iter().map(|it| show::approval(&core, it, name(it), &standing)).collect())
    }
}

/// A request with all that a person needs to decide.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ApprovalShow {
    /// The tenant.
    pub tenant: TenantId,
    /// The request.
    pub approval: ApprovalId,
}

impl Command for ApprovalShow {
    const NAME: &'static str = "approval_show";
    const NEEDS: Permission = Permission::Look;
    type Answer = ApprovalView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<ApprovalView, ControlError> {
        view(&control.core()?, self.tenant, self.approval, caller.actor).await
    }
}

/// Signs a waiting call. One that takes several signatures goes on waiting for the others.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ApprovalApprove {
    /// The tenant.
    pub tenant: TenantId,
    /// The request.
    pub approval: ApprovalId,
    /// The digest of the arguments that the operator saw; another one is refused.
    pub shown: Digest,
    /// The operator's passphrase, where the console is not unlocked by them, or the tool asks for
    /// it each time.
    #[serde(default)]
    #[ts(optional)]
    pub passphrase: Option<SecretText>,
    /// Why, where the tool asks for a reason or one is given.
    #[serde(default)]
    #[ts(optional)]
    pub reason: Option<String>,
    /// Whether an owner signs alone what takes more: with the passphrase and a reason, and on
    /// record as that.
    #[serde(default)]
    #[ts(optional)]
    pub break_glass: Option<bool>,
}

impl Command for ApprovalApprove {
    const NAME: &'static str = "approval_approve";
    const NEEDS: Permission = Permission::Decide;
    type Answer = ApprovalView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<ApprovalView, ControlError> {
        let core = control.core()?;
        let wish = Wish {
            reason: self.reason.as_deref().map(given_reason).transpose()?,
            presence: self.passphrase.is_some(),
            break_glass: self.break_glass.unwrap_or_default(),
        };
        let signer = signer(control, caller, self.passphrase.as_ref()).await?;
        let by = cs_model::event::Actor::Operator { id: signer.id };
        let mut edit = core.edit_as(by, caller.correlation).await?;
        let found = approval::find(edit.db(), self.tenant, self.approval).await?;
        if found.new.arguments_digest != self.shown {
            return Err(ControlError::Stale {
                message: "these are not the arguments that were shown; look at the call again"
                    .to_owned(),
            });
        }
        check_waits(&core, &mut edit, &found).await?;
        approve(&core, &mut edit, &found, &signer, wish).await?;
        edit.keep().await?;
        decided(&core);
        view(&core, self.tenant, self.approval, caller.actor).await
    }
}

/// Signs a call that waits, in the name of an operator who may: with the last signature that it takes
/// it is approved.
pub(super) async fn approve(
    core: &Core,
    edit: &mut Edit<'_>,
    found: &Approval,
    signer: &Unlocked,
    wish: Wish,
) -> Result<(), ControlError> {
    let vault = core.vault()?;
    let token = OperationTokenId::from_random(core.random()?);
    let nonce = core.random()?;
    let (at, tenant, id) = (edit.at(), found.new.tenant, found.new.id);
    let document = core.document();
    let of = server::find(edit.db(), tenant, found.new.server).await?;
    if drift(core, &of, &document, found).is_some() {
        return Err(ControlError::conflict(
            "the server publishes another definition of this tool than the one that was shown: the \
             call would be refused; look at the difference, accept it, and have it asked for again",
        ));
    }
    let terms = Terms::of(core, &document, found);
    wish.check(&terms, signer)?;
    let others = signing::count(edit, found, &terms, signer.id, &wish).await?;
    let (count, asked) = (others.saturating_add(1), terms.rule.approvers());
    let claims = wish.claims(core, found, &terms, signer.id, (token, at));
    let expires = cs_model::Timestamp::from_secs(claims.exp);
    let signed = cs_trust::operation::mint(&claims, &signer.key)
        .map_err(|source| ControlError::internal("sign the call", source))?;
    let sealed = vault
        .seal_token(nonce, tenant, id, &signed)
        .map_err(|source| ControlError::internal("seal the signature", source))?;
    let Wish { reason, presence, break_glass } = wish;
    let breaks_glass = break_glass;
    let (by, reason) = (signer.id, reason.clone());
    let signed = Signed { by, at, token, expires, sealed, reason, presence, breaks_glass };
    let told = |edit: &Edit<'_>, kind, detail: Option<String>| {
        let mut event = about(edit, kind, found);
        (event.token, event.detail) = (Some(token), detail);
        event
    };
    if count >= asked || break_glass {
        approval::approve(edit.db(), tenant, id, &signed).await?;
        if break_glass {
            edit.tell(told(edit, EventKind::ApprovalBrokeGlass, signed.reason.clone()));
        }
        edit.tell(told(edit, EventKind::ApprovalApproved, signed.reason));
    } else {
        approval::sign(edit.db(), tenant, id, &signed).await?;
        let progress = format!("signature {count} of {asked}");
        let detail = match signed.reason {
            Some(reason) => format!("{progress}: {reason}"),
            None => progress,
        };
        edit.tell(told(edit, EventKind::ApprovalSigned, Some(detail)));
    }
    Ok(())
}

/// Denies a waiting call.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ApprovalDeny {
    /// The tenant.
    pub tenant: TenantId,
    /// The request.
    pub approval: ApprovalId,
    /// Why, for the agent and the log.
    pub reason: String,
    /// The passphrase of the operator who denies it, where the console is not unlocked by them.
    /// Without one the user of this system may deny too: that grants nothing, and is on record as
    /// done on the command line.
    #[serde(default)]
    #[ts(optional)]
    pub passphrase: Option<SecretText>,
}

impl Command for ApprovalDeny {
    const NAME: &'static str = "approval_deny";
    const NEEDS: Permission = Permission::Decide;
    type Answer = ApprovalView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<ApprovalView, ControlError> {
        let reason = given_reason(&self.reason)?;
        let core = control.core()?;
        let denier = denier(control, caller, self.passphrase.as_ref()).await?;
        let by = denier.operator();
        let mut edit = core.edit_as(denier.on_record(), caller.correlation).await?;
        let found = approval::find(edit.db(), self.tenant, self.approval).await?;
        check_waits(&core, &mut edit, &found).await?;
        let at = edit.at();
        approval::deny(edit.db(), self.tenant, self.approval, by, at, &reason).await?;
        series::end_denied(&mut edit, &found).await?;
        let mut event = about(&edit, EventKind::ApprovalDenied, &found);
        event.detail = Some(reason);
        edit.tell(event);
        edit.keep().await?;
        decided(&core);
        view(&core, self.tenant, self.approval, caller.actor).await
    }
}

/// Who denies: whoever's passphrase came with the command, or else whoever asks.
pub(super) async fn denier(
    control: &Control,
    caller: &Caller,
    passphrase: Option<&SecretText>,
) -> Result<Actor, ControlError> {
    if passphrase.is_none() {
        return Ok(caller.actor);
    }
    let found = signer(control, caller, passphrase).await?;
    Ok(Actor::Operator { id: found.id, role: found.role })
}

/// Whether a call still waits. Whoever comes second is told what was decided, and by whom.
async fn check_waits(
    core: &Core,
    edit: &mut Edit<'_>,
    found: &Approval,
) -> Result<(), ControlError> {
    let names = Names::load(edit.db(), &core.document()).await?;
    let by = found.decided.as_ref().map(|it| match it.by {
        Some(id) => names.operator(id),
        None => "somebody on the command line".to_owned(),
    });
    let by = by.unwrap_or_else(|| "somebody".to_owned());
    let told = match found.state {
        ApprovalState::Pending => return Ok(()),
        ApprovalState::Denied => format!("{by} has denied this call already"),
        ApprovalState::Approved | ApprovalState::Executed | ApprovalState::Unknown => {
            format!("{by} has approved this call already")
        }
        ApprovalState::Expired => "nobody decided on this call in time".to_owned(),
        ApprovalState::Withdrawn => "this call was taken back".to_owned(),
    };
    Err(ControlError::conflict(format!("{told}; nothing was changed")))
}

/// A reason as it is kept: of the length that one has, and with nothing in it that deceives.
pub(super) fn given_reason(reason: &str) -> Result<String, ControlError> {
    let reason = reason.trim();
    if !(1..=Signing::LONGEST_REASON).contains(&reason.chars().count()) {
        let rule = format!("a reason has 1 to {} characters", Signing::LONGEST_REASON);
        return Err(ControlError::invalid("reason", rule));
    }
    Ok(cs_model::text::neutralise(reason, Signing::LONGEST_REASON))
}

/// How the last seven days went.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ApprovalWeekOf {
    /// In this tenant; in all, when absent.
    #[serde(default)]
    #[ts(optional)]
    pub tenant: Option<TenantId>,
}

impl Command for ApprovalWeekOf {
    const NAME: &'static str = "approval_week";
    const NEEDS: Permission = Permission::Look;
    type Answer = ApprovalWeek;

    async fn run(self, control: &Control, _: &Caller) -> Result<ApprovalWeek, ControlError> {
        let core = control.core()?;
        let since = core.now().before(Duration::from_secs(7 * 24 * 60 * 60));
        let mut db = core.registry.read().await?;
        let week = approval::week(&mut db, self.tenant, since).await?;
        Ok(ApprovalWeek {
            asked: week.asked,
            approved: week.approved,
            denied: week.denied,
            expired: week.expired,
            median_seconds: week.median_seconds,
            by_tool: week
                .by_tool
                .into_iter()
                .map(|it| ApprovalTool {
                    tool_name: it.tool_name,
                    server_name: it.server_name,
                    asked: it.asked,
                    approved: it.approved,
                    denied: it.denied,
                })
                .collect(),
        })
    }
}

/// Who signs: whoever's passphrase came with the command, or the operator who unlocked the
/// console. Being the user of this system is not enough.
pub(super) async fn signer(
    control: &Control,
    caller: &Caller,
    passphrase: Option<&SecretText>,
) -> Result<Unlocked, ControlError> {
    let signer = match (passphrase, caller.actor) {
        (Some(phrase), _) => lifecycle::operator_with(control, caller, phrase.secret()).await?,
        (None, Actor::Operator { id, .. }) => {
            let unlocked = control.seat().operator(control.now());
            let unlocked = unlocked.filter(|(operator, _)| operator.id == id);
            unlocked.ok_or(ControlError::Locked)?.0
        }
        (None, Actor::Local { .. } | Actor::Nobody) => {
            return Err(ControlError::invalid(
                "passphrase",
                "signing a call takes an operator's passphrase",
            ));
        }
    };
    let actor = Actor::Operator { id: signer.id, role: signer.role };
    if Permission::Decide.is_held_by(actor) {
        Ok(signer)
    } else {
        Err(ControlError::Forbidden { needs: Permission::Decide })
    }
}

pub(crate) fn about(edit: &Edit<'_>, kind: EventKind, found: &Approval) -> cs_model::event::Event {
    let new = &found.new;
    let mut event = edit.event(kind, Some(new.tenant));
    event.agent = Some(new.agent);
    event.credential = Some(new.credential);
    event.session = Some(new.session);
    event.task = Some(new.task);
    event.server = Some(new.server);
    event.tool = Some(new.tool);
    event.tool_name = Some(new.listed.clone());
    event.approval = Some(new.id);
    event.arguments = Some(new.arguments_digest);
    event
}

/// Tells the waiting call and the screens.
pub(super) fn decided(core: &Core) {
    core.waiters.look_again();
    core.bell.ring(Topic::Approvals);
    core.bell.ring(Topic::Audit);
    core.bell.ring(Topic::Status);
}
