//! Alerts: what rules found, who has looked, and how the rules are set.

use std::collections::BTreeMap;
use std::time::Duration;

use cs_audit::alert::Rules as _;
use cs_model::alert::{AlertRule, AlertSettings, AlertState, Limit};
use cs_model::event::EventKind;
use cs_model::text::neutralise;
use cs_model::{AlertId, TenantId, Timestamp};
use cs_registry::alert::{self, Acknowledged};
use cs_registry::audit;
use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::alerts::Set;
use crate::change::Topic;
use crate::command::Command;
use crate::control::Control;
use crate::failure::ControlError;
use crate::names::{self, Names};
use crate::show;
use crate::view::alert::{
    AlertDetail, AlertMetric, AlertMetricAgent, AlertMetricDay, AlertMute, AlertRuleView, AlertView,
};

/// How many alerts are listed at most.
const MOST: u32 = 500;

/// The longest note, and the longest reason.
const LONGEST_NOTE: usize = 500;

/// The longest that a rule is muted at once.
const LONGEST_MUTE: Duration = Duration::from_secs(30 * 86_400);

/// The most days that the metric looks back.
const MOST_DAYS: u32 = 90;

/// Alerts, open ones first, the latest of each first, at most 500. Those that concern the whole
/// installation are among them.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AlertList {
    /// Of this tenant; of all when absent.
    #[serde(default)]
    #[ts(optional)]
    pub tenant: Option<TenantId>,
    /// In this state; in either when absent.
    #[serde(default)]
    #[ts(optional)]
    pub state: Option<AlertState>,
}

impl Command for AlertList {
    const NAME: &'static str = "alert_list";
    const NEEDS: Permission = Permission::Look;
    type Answer = Vec<AlertView>;

    async fn run(self, control: &Control, _: &Caller) -> Result<Vec<AlertView>, ControlError> {
        let core = control.core()?;
        if let Some(tenant) = self.tenant {
            names::tenant(&core.document(), tenant)?;
        }
        let mut db = core.registry.read().await?;
        let names = Names::load(&mut db, &core.document()).await?;
        let all = alert::list(&mut db, self.tenant, self.state, MOST).await?;
        Ok(all.iter().map(|it| show::alert(it, &names)).collect())
    }
}

/// An alert with the events that it was found by.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AlertShow {
    /// The alert.
    pub alert: AlertId,
}

impl Command for AlertShow {
    const NAME: &'static str = "alert_show";
    const NEEDS: Permission = Permission::Look;
    type Answer = AlertDetail;

    async fn run(self, control: &Control, _: &Caller) -> Result<AlertDetail, ControlError> {
        let core = control.core()?;
        let mut db = core.registry.read().await?;
        let names = Names::load(&mut db, &core.document()).await?;
        let found = alert::find(&mut db, self.alert).await?;
        let events = audit::several(&mut db, &found.events).await?;
        let events = events.iter().map(|entry| show::audit(entry, &names));
        Ok(AlertDetail {
            alert: show::alert(&found, &names),
            events: events.collect::<Result<_, _>>()?,
        })
    }
}

/// Says that somebody has looked at an alert. What happens again is a new alert then.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AlertAcknowledge {
    /// The alert.
    pub alert: AlertId,
    /// What was found out, or done: between 1 and 500 characters.
    pub note: String,
}

impl Command for AlertAcknowledge {
    const NAME: &'static str = "alert_acknowledge";
    const NEEDS: Permission = Permission::Decide;
    type Answer = AlertView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<AlertView, ControlError> {
        let note = sentence("note", &self.note)?;
        let core = control.core()?;
        let mut edit = core.edit(caller).await?;
        let found = alert::find(edit.db(), self.alert).await?;
        if found.acknowledged.is_some() {
            return Err(ControlError::conflict("somebody has acknowledged the alert already"));
        }
        let by = caller.actor.on_record();
        let seen = Acknowledged { at: edit.at(), by, note: note.clone() };
        alert::acknowledge(edit.db(), self.alert, &seen).await?;
        let mut event = edit.event(EventKind::AlertAcknowledged, found.tenant);
        event.session = found.session;
        event.reason = Some(found.rule.as_str().to_owned());
        event.detail = Some(format!("{}: {note}", found.sentence));
        edit.tell(event);
        edit.keep().await?;
        control.changed(Topic::Alerts);
        let mut db = core.registry.read().await?;
        let names = Names::load(&mut db, &core.document()).await?;
        Ok(show::alert(&alert::find(&mut db, self.alert).await?, &names))
    }
}

/// The rules, as they are set for a tenant.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AlertRules {
    /// The tenant.
    pub tenant: TenantId,
}

impl Command for AlertRules {
    const NAME: &'static str = "alert_rules";
    const NEEDS: Permission = Permission::Look;
    type Answer = Vec<AlertRuleView>;

    async fn run(self, control: &Control, _: &Caller) -> Result<Vec<AlertRuleView>, ControlError> {
        let core = control.core()?;
        names::tenant(&core.document(), self.tenant)?;
        let (now, mut db) = (core.now(), core.registry.read().await?);
        let (set, stored) = (Set::load(&mut db).await?, alert::rules(&mut db).await?);
        let view = |rule: AlertRule| {
            let whose = whose(self.tenant, rule);
            let kept = stored.iter().find(|it| it.tenant == whose && it.rule == rule);
            let reason = kept.and_then(|it| it.mute_reason.clone());
            show::alert_rule(rule, &set.settings(whose, rule), reason, now)
        };
        Ok(AlertRule::ALL.iter().copied().map(view).collect())
    }
}

/// Whose setting of a rule counts for a tenant.
fn whose(tenant: TenantId, rule: AlertRule) -> Option<TenantId> {
    (!rule.is_everywhere()).then_some(tenant)
}

/// Sets a rule. What is absent stays as it is. A rule about the whole installation is set for all
/// of it.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AlertRuleSet {
    /// The tenant.
    pub tenant: TenantId,
    /// The rule.
    pub rule: AlertRule,
    /// The number at which it fires.
    #[serde(default)]
    #[ts(optional)]
    pub threshold: Option<u32>,
    /// In how many seconds that has to come together.
    #[serde(default)]
    #[ts(optional)]
    pub window_secs: Option<u32>,
    /// How many seconds after its last occasion the same is still the same alert.
    #[serde(default)]
    #[ts(optional)]
    pub repeat_secs: Option<u32>,
    /// Whether the session is ended and its credential suspended when it fires.
    #[serde(default)]
    #[ts(optional)]
    pub contain: Option<bool>,
    /// Mutes it until a moment at most 30 days ahead.
    #[serde(default)]
    #[ts(optional)]
    pub mute: Option<AlertMute>,
    /// Ends a mute before its time.
    #[serde(default)]
    #[ts(optional)]
    pub unmute: Option<bool>,
}

impl Command for AlertRuleSet {
    const NAME: &'static str = "alert_rule_set";
    const NEEDS: Permission = Permission::Edit;
    type Answer = AlertRuleView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<AlertRuleView, ControlError> {
        let core = control.core()?;
        names::tenant(&core.document(), self.tenant)?;
        // What happened before the change is judged as it was set then.
        crate::alerts::evaluate(&core).await?;
        let (rule, whose) = (self.rule, whose(self.tenant, self.rule));
        let mut edit = core.edit(caller).await?;
        let at = edit.at();
        let stored = alert::rules(edit.db()).await?;
        let kept = stored.into_iter().find(|it| it.tenant == whose && it.rule == rule);
        let old = kept.as_ref().map(|it| it.settings);
        let old = old.unwrap_or_else(|| AlertSettings::default_of(rule));
        let (new, mut said) = self.changed(&old)?;
        let muting = self.muting(at)?;
        if let Some(muting) = &muting {
            said.push(match muting {
                Some(mute) => format!("muted until {}: {}", mute.until, mute.reason),
                None => "no longer muted".to_owned(),
            });
        }
        if said.is_empty() {
            let rule = "say what is to be changed";
            return Err(ControlError::invalid("rule", rule));
        }
        alert::set(edit.db(), whose, rule, &new).await?;
        if let Some(muting) = &muting {
            let muting = muting.as_ref().map(|it| (it.until, it.reason.as_str()));
            alert::mute(edit.db(), whose, rule, muting).await?;
        }
        edit.say(whose, format!("set the alert `{}`: {}", rule.title(), said.join(", ")));
        edit.keep().await?;
        control.changed(Topic::Alerts);
        let mut db = core.registry.read().await?;
        let stored = alert::rules(&mut db).await?;
        let kept = stored.into_iter().find(|it| it.tenant == whose && it.rule == rule);
        let kept = kept.ok_or(ControlError::NotFound { what: "rule" })?;
        Ok(show::alert_rule(rule, &kept.settings, kept.mute_reason, core.now()))
    }
}

impl AlertRuleSet {
    /// How the rule is set then, and what that changes.
    fn changed(&self, old: &AlertSettings) -> Result<(AlertSettings, Vec<String>), ControlError> {
        let (mut new, mut said) = (*old, Vec::new());
        let numbers = [
            ("threshold", self.threshold, self.rule.threshold(), &mut new.threshold),
            ("window_secs", self.window_secs, self.rule.window(), &mut new.window_secs),
            ("repeat_secs", self.repeat_secs, Some(self.rule.repeat()), &mut new.repeat_secs),
        ];
        for (field, wanted, limit, place) in numbers {
            let Some(wanted) = wanted else { continue };
            let before = std::mem::replace(place, in_range(field, wanted, limit)?);
            said.push(format!("{} {before} to {wanted}", field.trim_end_matches("_secs")));
        }
        if let Some(contain) = self.contain {
            if !self.rule.can_contain() {
                let rule = "this rule is about nothing that could be cut off";
                return Err(ControlError::invalid("contain", rule));
            }
            new.contain = contain;
            said.push(format!("containment {}", if contain { "on" } else { "off" }));
        }
        Ok((new, said))
    }

    /// Whether a mute begins or ends.
    fn muting(&self, now: Timestamp) -> Result<Option<Option<AlertMute>>, ControlError> {
        let Some(mute) = &self.mute else {
            return Ok((self.unmute == Some(true)).then_some(None));
        };
        if self.unmute == Some(true) {
            let rule = "a rule is muted or no longer muted, not both";
            return Err(ControlError::invalid("unmute", rule));
        }
        if mute.until <= now || mute.until > now.after(LONGEST_MUTE) {
            let rule = "a mute ends within 30 days from now";
            return Err(ControlError::invalid("mute.until", rule));
        }
        let reason = sentence("mute.reason", &mute.reason)?;
        Ok(Some(Some(AlertMute { until: mute.until, reason })))
    }
}

fn in_range(field: &'static str, wanted: u32, limit: Option<Limit>) -> Result<u32, ControlError> {
    match limit {
        Some(limit) if limit.takes(wanted) => Ok(wanted),
        Some(Limit { least, most, .. }) => {
            let rule = format!("it is between {least} and {most} for this rule");
            Err(ControlError::invalid(field, rule))
        }
        None => Err(ControlError::invalid(field, "this rule has no such number")),
    }
}

/// What a person wrote, on one line.
fn sentence(field: &'static str, text: &str) -> Result<String, ControlError> {
    let text = text.trim();
    if !(1..=LONGEST_NOTE).contains(&text.chars().count()) {
        let rule = format!("it has between 1 and {LONGEST_NOTE} characters");
        return Err(ControlError::invalid(field, rule));
    }
    Ok(neutralise(text, usize::MAX))
}

/// Attempts outside allowlists for each session, by day and by agent.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AlertMetricOf {
    /// The tenant.
    pub tenant: TenantId,
    /// How many days to look back, the running one included: between 1 and 90.
    pub days: u32,
}

impl Command for AlertMetricOf {
    const NAME: &'static str = "alert_metric";
    const NEEDS: Permission = Permission::Look;
    type Answer = AlertMetric;

    async fn run(self, control: &Control, _: &Caller) -> Result<AlertMetric, ControlError> {
        const DAY_MS: i64 = 86_400_000;
        if !(1..=MOST_DAYS).contains(&self.days) {
            return Err(ControlError::invalid("days", format!("between 1 and {MOST_DAYS} days")));
        }
        let core = control.core()?;
        names::tenant(&core.document(), self.tenant)?;
        let today = core.now().millis().div_euclid(DAY_MS);
        let first = today.saturating_sub(i64::from(self.days)).saturating_add(1);
        let start = |day: i64| Timestamp::from_millis(day.saturating_mul(DAY_MS));
        let mut db = core.registry.read().await?;
        let all = alert::strays(&mut db, self.tenant, start(first)).await?;
        let day = |day| {
            let own = all.iter().filter(|it| it.day == start(day));
            own.fold(AlertMetricDay { day: start(day), sessions: 0, attempts: 0 }, |sum, it| {
                AlertMetricDay {
                    day: sum.day,
                    sessions: sum.sessions.saturating_add(it.sessions),
                    attempts: sum.attempts.saturating_add(it.attempts),
                }
            })
        };
        let days = (first..=today).map(day).collect();
        let mut agents: BTreeMap<_, AlertMetricAgent> = BTreeMap::new();
        for it in all {
            let own = agents.entry(it.agent).or_insert_with(|| AlertMetricAgent {
                agent: it.agent,
                agent_name: String::new(),
                sessions: 0,
                attempts: 0,
            });
            own.agent_name = it.agent_name;
            own.sessions = own.sessions.saturating_add(it.sessions);
            own.attempts = own.attempts.saturating_add(it.attempts);
        }
        let mut agents: Vec<_> = agents.into_values().collect();
        // a/b before c/d where a*d > c*b: no division, no rounding.
        let product = |one: u64, other: u64| u128::from(one).saturating_mul(u128::from(other));
        agents.sort_by(|one, other| {
            let (this, that) =
                (product(one.attempts, other.sessions), product(other.attempts, one.sessions));
            that.cmp(&this).then_with(|| one.agent_name.cmp(&other.agent_name))
        });
        Ok(AlertMetric { since: start(first), days, agents })
    }
}
