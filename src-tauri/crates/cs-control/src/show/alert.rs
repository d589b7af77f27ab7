//! Alerts and their rules, for a person.

use cs_model::Timestamp;
use cs_model::alert::{AlertRule, AlertSettings, AlertState, Limit};
use cs_model::event::Actor;
use cs_registry::alert::{Alert, Contain};

use crate::names::Names;
use crate::view::alert::{AlertLimit, AlertMute, AlertRuleView, AlertView};

pub(crate) fn alert(found: &Alert, names: &Names) -> AlertView {
    let seen = found.acknowledged.as_ref();
    AlertView {
        id: found.id,
        tenant: found.tenant,
        tenant_name: found.tenant.and_then(|id| names.tenant(id)),
        rule: found.rule,
        class: found.rule.class(),
        severity: found.rule.severity(),
        title: found.rule.title().to_owned(),
        sentence: found.sentence.clone(),
        agent: found.agent.as_ref().map(|it| it.0),
        agent_name: found.agent.as_ref().map(|it| it.1.clone()),
        session: found.session,
        credential: found.credential,
        count: found.count,
        first: found.first,
        last: found.last,
        over: found.over,
        contained: found.contain == Contain::Done,
        state: if seen.is_some() { AlertState::Acknowledged } else { AlertState::Open },
        acknowledged_by: seen.map(|it| match &it.by {
            Actor::Operator { id } => names.operator(*id),
            Actor::Local { .. } => "command line".to_owned(),
            Actor::System => "system".to_owned(),
        }),
        at: seen.map(|it| it.at),
        note: seen.map(|it| it.note.clone()),
        correlation: found.correlation,
    }
}

const fn limit(limit: Limit, value: u32) -> AlertLimit {
    let Limit { default, least, most } = limit;
    AlertLimit { value, default, least, most }
}

/// A rule as it is set.
pub(crate) fn alert_rule(
    rule: AlertRule,
    settings: &AlertSettings,
    mute_reason: Option<String>,
    now: Timestamp,
) -> AlertRuleView {
    let muted = settings.muted_until.filter(|_| settings.is_muted(now));
    AlertRuleView {
        rule,
        class: rule.class(),
        severity: rule.severity(),
        title: rule.title().to_owned(),
        sentence: sentence(rule, settings),
        everywhere: rule.is_everywhere(),
        threshold: rule.threshold().map(|it| limit(it, settings.threshold)),
        window_secs: rule.window().map(|it| limit(it, settings.window_secs)),
        repeat_secs: limit(rule.repeat(), settings.repeat_secs),
        contain: rule.can_contain().then_some(settings.contain),
        muted: muted.map(|until| AlertMute { until, reason: mute_reason.unwrap_or_default() }),
    }
}

/// When a rule fires.
fn sentence(rule: AlertRule, settings: &AlertSettings) -> String {
    let AlertSettings { threshold, window_secs, .. } = *settings;
    match rule {
        AlertRule::AuthnFailures => format!(
            "More than {threshold} authentication failures within {window_secs} s from one agent \
             identity"
        ),
        AlertRule::ClockMoved => "The clock of the machine was set back, or far ahead".to_owned(),
        AlertRule::CredentialUnused => {
            format!("A credential was not used within {threshold} days of its issue")
        }
        AlertRule::GlassBroken => {
            "An owner signs alone for a call that takes more signatures, or a group".to_owned()
        }
        AlertRule::Incident => {
            format!("{threshold} or more attempts outside the allowlist in one session")
        }
        AlertRule::IntegrityFailed => {
            "A seal of the log does not hold, or the registry is not what it was".to_owned()
        }
        AlertRule::OutcomeUnknown => {
            "Nobody knows whether a call was made that somebody signed for".to_owned()
        }
        AlertRule::SigningLoosened => {
            "Less is asked of those who sign calls of a tool than before".to_owned()
        }
        AlertRule::OutsideAllowlist => "Any attempt outside the session's allowlist".to_owned(),
        AlertRule::RotationFailed => "A credential could not be replaced in time".to_owned(),
        AlertRule::ProviderDown => "An identity provider cannot be reached".to_owned(),
        AlertRule::SessionOverlong => match threshold {
            100 => "A session is longer than its task is expected to take".to_owned(),
            percent => {
                format!("A session is longer than {percent} % of what its task is expected to take")
            }
        },
        AlertRule::ToolDrift => {
            "A server publishes another definition of a tool than the accepted one".to_owned()
        }
    }
}
