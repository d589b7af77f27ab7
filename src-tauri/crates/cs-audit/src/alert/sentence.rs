//! What an alert is, for a person. Whatever a caller supplied is made safe first.

use cs_model::alert::AlertRule;
use cs_model::event::{Event, EventKind};

use super::safe;

pub(super) fn authn_failures(who: &str, threshold: u32, window_secs: u32) -> String {
    safe(&format!(
        "More than {threshold} sign-ins of {who} were refused within {}",
        span(u64::from(window_secs))
    ))
}

pub(super) fn anomaly(who: &str, event: &Event) -> String {
    let tool = event.tool_name.as_deref().unwrap_or("a tool");
    if event.kind == EventKind::TokenRefused {
        return safe(&format!("{who} brought a signature for {tool} that is not one for its call"));
    }
    safe(&format!("{who} tried to call {tool}, which its session does not have"))
}

pub(super) fn incident(who: &str, threshold: u32) -> String {
    safe(&format!("{who} made {threshold} or more attempts outside its allowlist in one session"))
}

pub(super) fn glass_broken(who: &str, event: &Event) -> String {
    let tool = event.tool_name.as_deref().unwrap_or("a tool");
    let reason = event.detail.as_deref().unwrap_or("no reason");
    safe(&format!(
        "An owner signed alone for a call of {tool} by {who} that asks for more: {reason}"
    ))
}

/// What an event says of itself.
pub(super) fn plain(rule: AlertRule, event: &Event) -> String {
    let detail = event.detail.as_deref().unwrap_or_default();
    let tool = event.tool_name.as_deref().unwrap_or("a tool");
    safe(&match rule {
        AlertRule::ClockMoved => format!("The clock of this machine was set {detail}"),
        AlertRule::IntegrityFailed => detail.to_owned(),
        AlertRule::ProviderDown => match detail.split_once(": ") {
            Some((name, why)) => format!("Identity provider {name} cannot be reached: {why}"),
            None => format!("Identity provider {detail} cannot be reached"),
        },
        AlertRule::OutcomeUnknown => {
            format!("Nobody knows whether a signed call of {tool} was made; look at its server")
        }
        AlertRule::SigningLoosened => format!("Less is asked of those who sign: {detail}"),
        AlertRule::RotationFailed => format!("A credential was not replaced, and ends: {detail}"),
        AlertRule::ToolDrift => {
            format!("A server publishes another definition of {tool} than the accepted one")
        }
        AlertRule::AuthnFailures
        | AlertRule::CredentialUnused
        | AlertRule::GlassBroken
        | AlertRule::Incident
        | AlertRule::OutsideAllowlist
        | AlertRule::SessionOverlong => String::new(),
    })
}

/// A length of time in the largest unit that fits evenly.
pub(super) fn span(secs: u64) -> String {
    for (unit, name) in [(86_400, "days"), (3600, "hours"), (60, "minutes")] {
        if secs > unit && secs.is_multiple_of(unit) {
            return format!("{} {name}", secs.div_euclid(unit));
        }
    }
    format!("{secs} s")
}
