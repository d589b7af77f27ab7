//! What will become of credentials, and how well they are kept.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use cs_model::state::{CredentialKind, CredentialState};
use cs_model::{CredentialId, TenantId, Timestamp};
use cs_registry::credential::{self, Credential};
use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::command::Command;
use crate::control::Control;
use crate::failure::ControlError;
use crate::housekeeper::due;
use crate::view::outlook::{CalendarView, PosturePoint, PostureView, PostureWhat};
use crate::{names, show};

/// How far the calendar looks ahead.
const AHEAD: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// How long before its end a credential without a successor is a fault.
const SOON: Duration = Duration::from_secs(24 * 60 * 60);

/// What will happen to a tenant's credentials in the next 90 days, the next first.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct CredentialCalendar {
    /// The tenant.
    pub tenant: TenantId,
}

impl Command for CredentialCalendar {
    const NAME: &'static str = "credential_calendar";
    const NEEDS: Permission = Permission::Look;
    type Answer = Vec<CalendarView>;

    async fn run(self, control: &Control, _: &Caller) -> Result<Vec<CalendarView>, ControlError> {
        let core = control.core()?;
        let document = core.document();
        let doc = names::tenant(&document, self.tenant)?;
        let (now, terms) = (core.now(), doc.lifecycle);
        let mut db = core.registry.read().await?;
        let mut days = Vec::new();
        let all = credential::list(&mut db, self.tenant).await?;
        let ends: HashMap<CredentialId, Timestamp> =
            all.iter().filter(|it| it.revoked_at.is_none()).map(|it| (it.id, it.ends())).collect();
        let replaced = replaced(&all);
        for it in all.iter().filter(|it| it.state(now) == CredentialState::Active) {
            let old_ends = it.replaces.and_then(|old| ends.get(&old).copied());
            let beside = (old_ends, replaced.contains(&it.id));
            let agent = doc.agents.iter().find(|agent| agent.id == it.agent);
            let name = agent.map(|agent| agent.name.to_string()).unwrap_or_default();
            let all = due::ahead(it, beside, terms, now);
            days.extend(all.into_iter().filter(|(at, _)| *at <= now.after(AHEAD)).map(
                |(at, what)| CalendarView {
                    at,
                    what,
                    credential: it.id,
                    key_id: it.key_id.clone(),
                    agent: it.agent,
                    agent_name: name.clone(),
                },
            ));
        }
        days.sort_by_key(|it| (it.at, it.credential));
        Ok(days)
    }
}

/// How well a tenant's credentials are kept: of 100, with what is to be done about each that is
/// missing.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct CredentialPosture {
    /// The tenant.
    pub tenant: TenantId,
}

impl Command for CredentialPosture {
    const NAME: &'static str = "credential_posture";
    const NEEDS: Permission = Permission::Look;
    type Answer = PostureView;

    async fn run(self, control: &Control, _: &Caller) -> Result<PostureView, ControlError> {
        let core = control.core()?;
        let document = core.document();
        let doc = names::tenant(&document, self.tenant)?;
        let now = core.now();
        let mut db = core.registry.read().await?;
        let all = credential::list(&mut db, self.tenant).await?;
        let replaced = replaced(&all);
        let standing: Vec<&Credential> =
            all.iter().filter(|it| it.state(now) == CredentialState::Active).collect();
        let mut points = Vec::new();
        for it in standing.iter().copied() {
            let faults = faults(it, doc.lifecycle, replaced.contains(&it.id), now);
            let agent = doc.agents.iter().find(|agent| agent.id == it.agent);
            points.extend(faults.into_iter().map(|what| PosturePoint {
                what,
                credential: it.id,
                key_id: it.key_id.clone(),
                agent_name: agent.map(|agent| agent.name.to_string()).unwrap_or_default(),
                fix: what.fix().to_owned(),
            }));
        }
        let faulty: BTreeSet<_> = points.iter().map(|it| it.credential).collect();
        let (whole, good) = (standing.len(), standing.len().saturating_sub(faulty.len()));
        let score = good.saturating_mul(100).checked_div(whole).unwrap_or(100);
        Ok(PostureView { score: show::count(score), credentials: show::count(whole), points })
    }
}

/// Those that another one takes the place of.
fn replaced(all: &[Credential]) -> BTreeSet<CredentialId> {
    all.iter().filter(|it| it.revoked_at.is_none()).filter_map(|it| it.replaces).collect()
}

/// What is wrong with how a credential is kept.
fn faults(
    it: &Credential,
    terms: cs_model::Lifecycle,
    is_replaced: bool,
    now: Timestamp,
) -> Vec<PostureWhat> {
    let mut faults = Vec::new();
    let alert = Duration::from_secs(u64::from(terms.alert_unused()));
    if it.first_used.is_none() && now >= it.delivered.unwrap_or(it.created).after(alert) {
        faults.push(PostureWhat::NeverUsed);
    }
    if it.expires.since(it.created) > Duration::from_secs(u64::from(terms.longest())) {
        faults.push(PostureWhat::LivesTooLong);
    }
    // What will be replaced by itself is no fault before it is overdue.
    let is_due = due::rotates(it, terms, now).is_none_or(|at| at <= now);
    let ends_soon = it.ends() <= now.after(SOON) && is_due && !it.waits();
    if ends_soon && !is_replaced && it.proof.kind() != CredentialKind::Certificate {
        faults.push(PostureWhat::EndsWithoutSuccessor);
    }
    let halfway = it.created.after(it.expires.since(it.created).checked_div(6).unwrap_or_default());
    if it.waits() && now >= halfway {
        faults.push(PostureWhat::NotFetched);
    }
    faults
}
