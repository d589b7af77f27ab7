//! Replacing credentials: one, all of a tenant, back, and what does it by itself.

use cs_model::state::{CredentialKind, CredentialState};
use cs_model::{AgentId, CredentialId, TenantId, Timestamp};
use cs_registry::credential::{self, Credential};
use cs_registry::rotation;
use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::command::Command;
use crate::commands::credential::one;
use crate::control::Control;
use crate::core::Core;
use crate::edit::Edit;
use crate::failure::ControlError;
use crate::over::Over;
use crate::secret_text::ShownOnce;
use crate::view::rotation::{HousekeepingView, RotatedAllView, RotatedView};
use crate::{binding, housekeeper, names, replace};

/// How many are replaced by one command, at most.
const MOST: u32 = 500;

/// Has another credential take the place of one. Its holder fetches it with the old one; with
/// `now`, the old one ends at once, and the secret of one that nobody has fetched is in the answer.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct CredentialRotate {
    /// The tenant.
    pub tenant: TenantId,
    /// The old one.
    pub credential: CredentialId,
    /// Whether the old one ends at once.
    #[serde(default)]
    #[ts(optional)]
    pub now: Option<bool>,
}

impl Command for CredentialRotate {
    const NAME: &'static str = "credential_rotate";
    const NEEDS: Permission = Permission::Edit;
    type Answer = RotatedView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<RotatedView, ControlError> {
        let core = control.core()?;
        let (tenant, id) = (self.tenant, self.credential);
        let mut edit = core.edit(caller).await?;
        let at = edit.at();
        let found = credential::find(edit.db(), tenant, id).await?;
        let next = rotation::successor(edit.db(), tenant, id).await?;
        let ends = self.now.unwrap_or_default();
        let mut over = Vec::new();
        let (next, secret) = match next {
            Some(_) if !ends => {
                return Err(ControlError::conflict("another credential takes its place already"));
            }
            Some(next) if next.delivered.is_some() || next.first_used.is_some() => (next.id, None),
            // Nobody has it: whoever asks is the one to hand it over.
            Some(next) => {
                let sealed = credential::sealed_secret(edit.db(), next.id).await?;
                let secret = core.vault()?.open_api_key(tenant, next.id, &sealed.sealed);
                let secret =
                    secret.map_err(|source| ControlError::internal("open the key", source))?;
                (next.id, Some(secret))
            }
            None => {
                may_be_replaced(&found, at)?;
                let document = core.document();
                let doc = names::tenant(&document, tenant)?;
                let made = replace::prepare(&core, doc, &found, at)?;
                over.extend(replace::begin(&mut edit, &found, &made, "asked").await?);
                (made.new.id, ends.then_some(made.secret))
            }
        };
        if ends {
            if found.revoked_at.is_some() {
                return Err(ControlError::conflict("the credential is revoked already"));
            }
            if secret.is_some() {
                rotation::deliver(edit.db(), tenant, next, at).await?;
            }
            over.extend(replace::retire(&mut edit, &found, "replaced_now").await?);
        }
        edit.record().await?;
        for over in over {
            Over::take_effect(over, &core).await;
        }
        Ok(RotatedView {
            old: one(&core, tenant, id).await?,
            new: one(&core, tenant, next).await?,
            secret: secret.map(ShownOnce::new),
        })
    }
}

/// Whether another credential can take the place of one.
fn may_be_replaced(found: &Credential, now: Timestamp) -> Result<(), ControlError> {
    if found.proof.kind() != CredentialKind::ApiKey {
        let rule = "only an API key is replaced like this; issue another one of this kind";
        return Err(ControlError::invalid("credential", rule));
    }
    if found.state(now) == CredentialState::Active && found.overlap_ends.is_none() {
        return Ok(());
    }
    Err(ControlError::conflict("only a credential that may be used is replaced"))
}

/// Takes a replacement back, as long as the old credential is good: the old one goes on, the new
/// one is over.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct CredentialRollback {
    /// The tenant.
    pub tenant: TenantId,
    /// The old one.
    pub credential: CredentialId,
}

impl Command for CredentialRollback {
    const NAME: &'static str = "credential_rollback";
    const NEEDS: Permission = Permission::Edit;
    type Answer = RotatedView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<RotatedView, ControlError> {
        let core = control.core()?;
        let (tenant, id) = (self.tenant, self.credential);
        let mut edit = core.edit(caller).await?;
        let found = credential::find(edit.db(), tenant, id).await?;
        let Some(next) = rotation::successor(edit.db(), tenant, id).await? else {
            return Err(ControlError::conflict("no credential takes its place"));
        };
        if found.state(edit.at()) != CredentialState::Active {
            let message = "the old credential is over; issue another one instead";
            return Err(ControlError::conflict(message));
        }
        if rotation::successor(edit.db(), tenant, next.id).await?.is_some() {
            let message = "the new credential is being replaced itself; take that back first";
            return Err(ControlError::conflict(message));
        }
        rotation::go_on(edit.db(), tenant, id).await?;
        let over = replace::retire(&mut edit, &next, "rolled_back").await?;
        edit.record().await?;
        if let Some(over) = over {
            over.take_effect(&core).await;
        }
        Ok(RotatedView {
            old: one(&core, tenant, id).await?,
            new: one(&core, tenant, next.id).await?,
            secret: None,
        })
    }
}

/// Replaces the API keys of a tenant, some of them with each command, each in a transaction of its
/// own. It is the same run until all that existed at its beginning are being replaced. Those of one
/// agent are few, and no run is kept of them.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct CredentialRotateAll {
    /// The tenant.
    pub tenant: TenantId,
    /// The agent whose keys are meant; all of the tenant's when absent.
    #[serde(default)]
    #[ts(optional)]
    pub agent: Option<AgentId>,
    /// How many, at most: 1 to 500.
    pub most: u32,
}

impl Command for CredentialRotateAll {
    const NAME: &'static str = "credential_rotate_all";
    const NEEDS: Permission = Permission::Edit;
    type Answer = RotatedAllView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<RotatedAllView, ControlError> {
        if !(1..=MOST).contains(&self.most) {
            let rule = format!("between 1 and {MOST} are replaced by one command");
            return Err(ControlError::invalid("most", rule));
        }
        let core = control.core()?;
        let document = core.document();
        let doc = names::tenant(&document, self.tenant)?;
        let begun = match self.agent {
            Some(agent) => {
                let whose = binding::agent(doc, agent)?;
                let mut edit = core.edit(caller).await?;
                edit.say(
                    Some(self.tenant),
                    format!("had all API keys of `{}` replaced", whose.name),
                );
                let at = edit.at();
                edit.keep().await?;
                at
            }
            None => begin(&core, caller, self.tenant).await?,
        };
        let run = Run { tenant: self.tenant, agent: self.agent, begun };
        let (mut rotated, mut failed) = (0_u64, 0_u64);
        for _ in 0..self.most {
            let mut edit = core.edit(caller).await?;
            match step(&core, &mut edit, run, failed).await? {
                Step::Done => break,
                Step::Failed => {
                    failed = failed.saturating_add(1);
                    edit.keep().await?;
                }
                Step::Rotated(over) => {
                    rotated = rotated.saturating_add(1);
                    edit.record().await?;
                    if let Some(over) = over {
                        over.take_effect(&core).await;
                    }
                }
            }
        }
        let mut edit = core.edit(caller).await?;
        let at = edit.at();
        let left = left(&mut edit, run, at).await?.len();
        if left == 0 && self.agent.is_none() {
            rotation::end_run(edit.db(), self.tenant).await?;
            edit.say(Some(self.tenant), "every API key is being replaced");
            edit.keep().await?;
        }
        Ok(RotatedAllView { begun, rotated, failed, left: crate::show::count(left) })
    }
}

/// Begins to replace all keys of a tenant, or goes on where that was left.
async fn begin(core: &Core, caller: &Caller, tenant: TenantId) -> Result<Timestamp, ControlError> {
    let mut edit = core.edit(caller).await?;
    let at = edit.at();
    let begun = rotation::begin_run(edit.db(), tenant, at).await?;
    if begun == at {
        edit.say(Some(tenant), "began to replace all API keys");
    }
    edit.keep().await?;
    Ok(begun)
}

/// Whose keys are replaced, and which: those that existed when it began.
#[derive(Clone, Copy, Debug)]
struct Run {
    tenant: TenantId,
    agent: Option<AgentId>,
    begun: Timestamp,
}

enum Step {
    Done,
    Failed,
    Rotated(Option<Over>),
}

/// What is left of a run: keys that are good, existed at its beginning and have no successor.
async fn left(
    edit: &mut Edit<'_>,
    run: Run,
    now: Timestamp,
) -> Result<Vec<Credential>, ControlError> {
    let all = credential::standing(edit.db()).await?;
    let replaced: std::collections::HashSet<CredentialId> =
        all.iter().filter_map(|it| it.replaces).collect();
    let mut left: Vec<Credential> = all
        .into_iter()
        .filter(|it| it.tenant == run.tenant && run.agent.is_none_or(|agent| it.agent == agent))
        .filter(|it| it.created <= run.begun && !replaced.contains(&it.id))
        .filter(|it| !it.waits() && may_be_replaced(it, now).is_ok())
        .collect();
    left.sort_by_key(|it| (it.created, it.id));
    Ok(left)
}

/// Replaces the next one, leaving out those that failed.
async fn step(
    core: &Core,
    edit: &mut Edit<'_>,
    run: Run,
    failed: u64,
) -> Result<Step, ControlError> {
    let at = edit.at();
    let left = left(edit, run, at).await?;
    let skip = usize::try_from(failed).unwrap_or(usize::MAX);
    let Some(old) = left.get(skip) else { return Ok(Step::Done) };
    let document = core.document();
    let doc = names::tenant(&document, run.tenant)?;
    match replace::prepare(core, doc, old, at) {
        Ok(made) => Ok(Step::Rotated(replace::begin(edit, old, &made, "asked").await?)),
        Err(error) => {
            replace::tell_failure(edit, old, &error);
            Ok(Step::Failed)
        }
    }
}

/// Whether the housekeeper does its work.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct HousekeepingShow {}

impl Command for HousekeepingShow {
    const NAME: &'static str = "housekeeping_show";
    const NEEDS: Permission = Permission::Look;
    type Answer = HousekeepingView;

    async fn run(self, control: &Control, _: &Caller) -> Result<HousekeepingView, ControlError> {
        shown(&*control.core()?).await
    }
}

/// Has the housekeeper go on that stands still because the clock was set: somebody has looked, and
/// the clock is right.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct HousekeepingResume {}

impl Command for HousekeepingResume {
    const NAME: &'static str = "housekeeping_resume";
    const NEEDS: Permission = Permission::Edit;
    type Answer = HousekeepingView;

    async fn run(
        self,
        control: &Control,
        caller: &Caller,
    ) -> Result<HousekeepingView, ControlError> {
        let core = control.core()?;
        let edit = core.edit(caller).await?;
        housekeeper::resume(&core, edit).await?;
        shown(&core).await
    }
}

async fn shown(core: &Core) -> Result<HousekeepingView, ControlError> {
    let mut db = core.registry.read().await?;
    let kept = rotation::housekeeping(&mut db).await?;
    let (halted, why) = kept.halted.unzip();
    Ok(HousekeepingView { last: kept.last_tick, halted, why })
}
