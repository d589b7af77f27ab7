//! One sentence for a person about an audit event.

use cs_model::event::{Decision, Event, EventKind, Outcome};

use crate::names::Names;
use crate::reasons::words;

/// Who acted: the agent, the operator, or `system`.
pub(crate) fn who(event: &Event, names: &Names) -> String {
    use cs_model::event::Actor;
    match (&event.actor, event.agent) {
        (Some(Actor::Operator { id }), _) => names.operator(*id),
        (Some(Actor::Local { .. }), _) => "command line".to_owned(),
        (_, Some(agent)) => names.agent(agent),
        (Some(Actor::System), None) => "system".to_owned(),
        (None, None) => match &event.claimed {
            Some(claimed) => format!("unverified {claimed}"),
            None => "unknown caller".to_owned(),
        },
    }
}

/// The tool of an event, by the name that the agent used or by its own.
pub(crate) fn tool(event: &Event, names: &Names) -> Option<String> {
    event.tool_name.clone().or_else(|| names.tool(event.tool?))
}

/// What happened, in one sentence.
pub(crate) fn summary(event: &Event, names: &Names) -> String {
    let who = who(event, names);
    let tool = tool(event, names).unwrap_or_else(|| "a tool".to_owned());
    let why = event.reason.as_deref().map(|code| format!(": {}", words(code))).unwrap_or_default();
    let detail = event.detail.as_deref();
    match event.kind {
        EventKind::AdminChanged => match detail {
            // What differs between two policies comes as a whole sentence.
            Some(detail) if detail.starts_with(char::is_uppercase) => detail.to_owned(),
            Some(detail) => format!("{who} {detail}"),
            None => format!("{who} changed the registry"),
        },
        EventKind::AlertAcknowledged => with(&format!("{who} acknowledged an alert"), detail),
        EventKind::AlertRaised => with("A rule raised an alert", detail),
        EventKind::ApprovalApproved => format!("{who} countersigned a call of {tool}"),
        EventKind::ApprovalBrokeGlass => {
            with(&format!("{who} broke the glass and signed alone for a call of {tool}"), detail)
        }
        EventKind::ApprovalDenied => match detail {
            Some(reason) => format!("{who} denied a call of {tool}: {reason}"),
            None => format!("{who} denied a call of {tool}"),
        },
        EventKind::ApprovalExpired => match event.reason.as_deref() {
            Some("token_unused") => {
                format!("The countersigned call of {tool} was not made in time")
            }
            Some(_) | None => format!("Nobody decided on a call of {tool} in time"),
        },
        EventKind::ApprovalRequested => format!("{who} asks to call {tool}; a person must decide"),
        EventKind::ApprovalSigned => {
            with(&format!("{who} signed for a call of {tool} that takes more"), detail)
        }
        EventKind::ApprovalSignatureVoid => {
            format!("A signature for a call of {tool} does not count any more{why}")
        }
        EventKind::ApprovalWithdrawn => format!("The request to call {tool} was taken back"),
        EventKind::AuthnFailed => format!("Sign-in of {who} was refused{why}"),
        EventKind::AuthnSucceeded => format!("{who} proved who it is"),
        EventKind::ClockMoved => {
            format!("The clock of this machine was set {}", detail.unwrap_or("by somebody"))
        }
        EventKind::ConsoleAttached => {
            with(&format!("A console of {who} connected from another machine"), detail)
        }
        EventKind::ConsoleLeft => {
            with(&format!("A console of {who} on another machine is gone"), detail)
        }
        EventKind::ConsoleRefused => format!("A console on another machine was not let in{why}"),
        EventKind::CredentialDelivered => {
            with(&format!("{who} fetched its new credential"), detail)
        }
        EventKind::CredentialOverlap => {
            with(&format!("A credential of {who} makes way for its successor"), detail)
        }
        EventKind::CredentialRetired => {
            let which = detail.map(|it| format!(", {it},")).unwrap_or_default();
            format!("A credential of {who}{which} is over{why}")
        }
        EventKind::CredentialRotated => {
            with(&format!("A credential of {who} is to be replaced"), detail)
        }
        EventKind::RotationFailed => {
            with(&format!("A credential of {who} could not be replaced"), detail)
        }
        EventKind::Decision => decision(event, &who, &tool, &why),
        EventKind::ExecutionFinished => finished(event, &tool),
        EventKind::ExecutionStarted => format!("{who} has {tool} called"),
        EventKind::GatewayStarted => with("The gateway began to serve", detail),
        EventKind::GatewayStopped => with("The gateway stopped serving", detail),
        EventKind::IntegrityFailed => with("Not what it was", detail),
        EventKind::IssuerIssued => with(&format!("{who} was given an access token"), detail),
        EventKind::IssuerRefused => format!("{who} was refused by the built-in issuer{why}"),
        EventKind::IssuerRevoked => with(&format!("{who} gave an access token up"), detail),
        EventKind::OperatorLocked => match event.reason.as_deref() {
            Some("idle") => format!("The console of {who} locked itself after ten idle minutes"),
            Some(_) | None => format!("The console of {who} was locked"),
        },
        EventKind::OperatorUnlockFailed => "A wrong passphrase was given".to_owned(),
        EventKind::OperatorUnlocked => format!("{who} unlocked the console"),
        EventKind::PolicyEnforced => match event.policy_version {
            Some(version) => with(&format!("Policy version {version} took effect"), detail),
            None => with("A policy version took effect", detail),
        },
        EventKind::ProviderKeysChanged => with("An identity provider changed its keys", detail),
        EventKind::ProviderRecovered => with("An identity provider can be reached again", detail),
        EventKind::ProviderUnreachable => with("An identity provider cannot be reached", detail),
        EventKind::RegistryRecovered => with("The registry can be written to again", detail),
        EventKind::RequestRefused => format!("A request was refused before it was judged{why}"),
        EventKind::SeriesEnded => format!("A series of calls of {tool} ended{why}"),
        EventKind::SeriesRevoked => {
            with(&format!("{who} took a series of calls of {tool} back"), detail)
        }
        EventKind::SeriesSigned => {
            with(&format!("{who} signed a series of calls of {tool}"), detail)
        }
        EventKind::ServerAsked => {
            let server = event.server.map(|id| names.server(id)).unwrap_or_default();
            format!("{server} asked something back while it served {tool}{why}")
        }
        EventKind::SessionEnded => {
            // Whoever ended it is not whose it was.
            let whose = event.agent.map_or_else(|| who.clone(), |agent| names.agent(agent));
            format!("The session of {whose} ended{why}")
        }
        EventKind::SessionOpened => format!("{who} opened a session"),
        EventKind::TokenRedeemed if event.series.is_some() => {
            with(&format!("A series of calls of {tool} paid for one"), detail)
        }
        EventKind::TokenRedeemed => format!("The operator's signature for {tool} was used"),
        EventKind::TokenRefused => format!("An operator's signature for {tool} was refused{why}"),
        EventKind::ToolDrift => {
            let server = event.server.map(|id| names.server(id)).unwrap_or_default();
            format!("{server} now publishes another definition of {tool} than the accepted one")
        }
    }
}

fn decision(event: &Event, who: &str, tool: &str, why: &str) -> String {
    match event.decision {
        Some(Decision::Allow) => format!("{who} may call {tool}"),
        Some(Decision::Hold) => format!("{who} may call {tool} once a person has signed"),
        Some(Decision::Deny) | None => format!("{who} may not call {tool}{why}"),
    }
}

fn finished(event: &Event, tool: &str) -> String {
    match event.outcome {
        Some(Outcome::Answered) => match event.took_ms {
            Some(ms) => format!("{tool} answered after {ms} ms"),
            None => format!("{tool} answered"),
        },
        Some(Outcome::Failed) => {
            with(&format!("The call of {tool} failed"), event.detail.as_deref())
        }
        Some(Outcome::Unknown) | None => {
            format!("Nobody knows whether {tool} was called; look at what it changes")
        }
    }
}

fn with(sentence: &str, detail: Option<&str>) -> String {
    match detail {
        Some(detail) => format!("{sentence}: {detail}"),
        None => sentence.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use cs_model::Timestamp;

    use super::*;

    #[test]
    fn every_kind_of_event_has_a_sentence_of_its_own() {
        let mut seen = std::collections::BTreeSet::new();
        for kind in EventKind::ALL {
            let event = Event::new(*kind, Timestamp::from_secs(1));
            let sentence = summary(&event, &Names::default());
            assert!(sentence.len() > 8 && !sentence.contains("  "), "{sentence:?}");
            assert!(seen.insert(sentence), "{kind:?}");
        }
    }

    #[test]
    fn a_refusal_says_why_in_words() {
        let event = Event {
            decision: Some(Decision::Deny),
            reason: Some("not_in_task".to_owned()),
            tool_name: Some("send_email".to_owned()),
            claimed: None,
            ..Event::new(EventKind::Decision, Timestamp::from_secs(1))
        };
        let sentence = summary(&event, &Names::default());
        assert_eq!(
            sentence,
            "unknown caller may not call send_email: The task of the session does not list the tool"
        );
    }
}
