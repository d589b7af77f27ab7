//! What the gateway asks before and after the policy, in words.

use cs_gateway::upstream::HealthState;
use cs_model::state::CredentialState;
use cs_model::{Grant, Kind, MostWaiting, Rate};
use cs_registry::credential::Credential;

use super::{Case, Said};
use crate::view::explain::{ExplainGate, StepVerdict};

/// Whether a credential could be used for the task.
pub(super) fn is_usable(case: &Case<'_>, credential: &Credential) -> bool {
    let task = case.task.map(|it| it.id);
    let bound = |all: &std::collections::BTreeSet<_>| task.is_none_or(|task| all.contains(&task));
    credential.state(case.now) == CredentialState::Active
        && credential.tasks.as_ref().is_none_or(bound)
}

/// Whether anybody can prove to be the agent.
pub(super) fn credential(case: &Case<'_>) -> Said {
    let gate = ExplainGate::Credential;
    let name = &case.agent.name;
    if let Some(session) = case.session {
        let own = case.credentials.iter().find(|it| it.id == session.new.credential);
        return match own.map(|it| (it, it.state(case.now))) {
            None => {
                let sentence = "The credential that opened the session is gone.";
                Said::refuses(gate, "credential_unknown", sentence)
            }
            Some((own, CredentialState::Active)) => {
                let key = &own.key_id;
                Said::passes(gate, format!("Credential `{key}`, which opened it, is active."))
            }
            Some((own, state)) => {
                let (reason, words) = state_words(state);
                let key = &own.key_id;
                let sentence = format!("Credential `{key}`, which opened the session, {words}.");
                Said::refuses(gate, reason, sentence)
            }
        };
    }
    let active = |it: &&Credential| it.state(case.now) == CredentialState::Active;
    let usable = case.credentials.iter().filter(|it| is_usable(case, it)).count();
    let all = case.credentials.iter().filter(active).count();
    match (case.credentials, usable, all) {
        ([], _, _) => {
            let sentence = format!("`{name}` has no credential, so nobody can prove to be it.");
            Said::refuses(gate, "no_credential", sentence)
        }
        (found, _, 0) => {
            let states =
                [CredentialState::Suspended, CredentialState::Expired, CredentialState::Revoked];
            let has = |state: &CredentialState| found.iter().any(|it| it.state(case.now) == *state);
            let state = states.into_iter().find(has).unwrap_or(CredentialState::Revoked);
            let (reason, words) = state_words(state);
            let sentence = match found {
                [one] => format!("Its only credential, `{}`, {words}.", one.key_id),
                [..] => format!("None of its {} credentials is active: one {words}.", found.len()),
            };
            Said::refuses(gate, reason, sentence)
        }
        (_, 0, _) => {
            let task = case.task.map(|it| it.name.to_string()).unwrap_or_default();
            let sentence = format!("None of its active credentials may declare task `{task}`.");
            Said::refuses(gate, "task_not_allowed", sentence)
        }
        (_, 1, _) => Said::passes(gate, format!("`{name}` has one credential that is active.")),
        (_, more, _) => {
            Said::passes(gate, format!("`{name}` has {more} credentials that are active."))
        }
    }
}

const fn state_words(state: CredentialState) -> (&'static str, &'static str) {
    match state {
        CredentialState::Active => ("active", "is active"),
        CredentialState::Expired => ("credential_expired", "has run out"),
        CredentialState::Revoked => ("credential_revoked", "was revoked"),
        CredentialState::Suspended => {
            ("credential_suspended", "is suspended until an operator releases it")
        }
    }
}

/// What is asked of a call that the policy grants.
pub(super) fn after(case: &Case<'_>, grant: Grant) -> Vec<Said> {
    let health = case.core.gateway().map(|it| it.server_health(case.doc.id, case.tool.server));
    let health = health.unwrap_or_default();
    vec![
        arguments(case),
        scopes(case),
        rate(case),
        signature(case, grant),
        drift(case, &health),
        server(&health),
    ]
}

fn arguments(case: &Case<'_>) -> Said {
    let gate = ExplainGate::Arguments;
    let tool = case.tool;
    if let Some(problem) = case.core.examined.problem(tool.kind, &tool.definition, tool.fingerprint)
    {
        let sentence = format!("Nobody is offered the tool: {problem}.");
        return Said::refuses(gate, "definition_refused", sentence);
    }
    let Some(arguments) = case.arguments else {
        return Said::depends(
            gate,
            "They have to fit the pinned definition; none were given here.",
        );
    };
    if tool.kind != Kind::Tool {
        return Said::depends(gate, "They have to be what the pinned definition declares.");
    }
    match cs_gateway::examine_arguments(&tool.definition, arguments) {
        Ok(()) => Said::passes(gate, "They fit the pinned definition of the tool."),
        Err((reason, why)) => Said::refuses(gate, reason, format!("The arguments: {why}.")),
    }
}

fn scopes(case: &Case<'_>) -> Said {
    let gate = ExplainGate::Scopes;
    let scopes: Vec<&str> = case.tool.scopes.iter().map(String::as_str).collect();
    let asked = "Its provider is asked about it on each call.";
    match (scopes.is_empty(), case.tool.introspect) {
        (true, false) => Said::passes(gate, "The tool needs nothing of an access token."),
        (true, true) => {
            Said::depends(gate, format!("Where the caller comes with an access token: {asked}"))
        }
        (false, introspect) => {
            let asked = if introspect { format!(" {asked}") } else { String::new() };
            let scopes = scopes.join(" ");
            Said::depends(
                gate,
                format!(
                    "An access token needs {scopes}; API keys and certificates have no \
                     scopes.{asked}"
                ),
            )
        }
    }
}

fn rate(case: &Case<'_>) -> Said {
    let gate = ExplainGate::Rate;
    let (tenant, agent, tool) = (case.doc.id, case.agent.id, case.tool.id);
    let gateway = case.core.gateway();
    let of = |rate: Option<Rate>, tool| {
        let rate = rate?;
        let usage = gateway.as_ref().map(|it| it.usage(tenant, agent, tool, rate));
        Some((rate, usage))
    };
    let limits = [
        (of(case.agent.rate, None), "agent_rate", "of any tool"),
        (of(case.tool.rate, Some(tool)), "tool_rate", "of this tool"),
    ];
    let mut sentences = Vec::new();
    for (limit, reason, which) in limits {
        let Some((rate, usage)) = limit else { continue };
        let used = usage.map(|it| it.used).unwrap_or_default();
        if let Some(wait) = usage.and_then(|it| it.wait_secs) {
            let sentence = format!(
                "`{}` has made {used} calls {which} lately and may make {rate}; one more is let \
                 through in {wait} s.",
                case.agent.name
            );
            return Said::refuses(gate, reason, sentence);
        }
        sentences.push(format!("At most {rate} {which}; {used} count now."));
    }
    if sentences.is_empty() {
        return Said::passes(gate, "There is no limit on how often it is called.");
    }
    Said::passes(gate, sentences.join(" "))
}

fn signature(case: &Case<'_>, grant: Grant) -> Said {
    let gate = ExplainGate::Countersignature;
    match grant {
        Grant::Token => {
            if let Some(crowded) = crowded(case) {
                return crowded;
            }
            let sentence = "The grant is token: each call waits until an operator signs for it.";
            Said::new(gate, StepVerdict::Asks, sentence)
        }
        Grant::Allow | Grant::Deny => Said::passes(gate, "Nobody has to sign for it."),
    }
}

/// Whether as many calls wait for people as may: in the session, where the agent has no number of its
/// own, or of the agent.
fn crowded(case: &Case<'_>) -> Option<Said> {
    let (gate, name, waiting) = (ExplainGate::Countersignature, &case.agent.name, case.waiting?);
    let until =
        "another one is refused until somebody has decided on one of them, or its time is up";
    let of_session = case.core.gateway().map_or(usize::MAX, |it| it.config().limits.waiting);
    if case.agent.most_waiting.is_none() && waiting.of_session >= of_session {
        let sentence = format!(
            "{of_session} calls of the session wait for people, which is as many as may: {until}."
        );
        return Some(Said::refuses(gate, "too_many_waiting", sentence));
    }
    let most = usize::from(case.agent.most_waiting.unwrap_or(MostWaiting::USUAL).get());
    let now = waiting.of_agent;
    let sentence =
        format!("`{name}` has {now} calls waiting for people and may have {most}: {until}.");
    (now >= most).then(|| Said::refuses(gate, "agent_too_many_waiting", sentence))
}

fn drift(case: &Case<'_>, health: &cs_gateway::upstream::Health) -> Said {
    let gate = ExplainGate::Drift;
    if health.fingerprints.is_empty() {
        let sentence = "What the server publishes is looked at before the call is sent to it.";
        return Said::depends(gate, sentence);
    }
    match health.fingerprints.get(&(case.tool.kind, case.tool.name.to_string())) {
        Some(now) if *now == case.tool.fingerprint => {
            Said::passes(gate, "The server publishes the definition that was accepted.")
        }
        Some(_) => Said::refuses(
            gate,
            "definition_drift",
            "The server publishes another definition than the accepted one: the tool is in \
             quarantine until somebody has looked at the difference and accepts it.",
        ),
        None => Said::refuses(
            gate,
            "definition_drift",
            "The server does not publish the tool any more, or not in a form that can be read.",
        ),
    }
}

fn server(health: &cs_gateway::upstream::Health) -> Said {
    let gate = ExplainGate::Server;
    let problem = health.problem.clone().map(|it| format!(": {it}")).unwrap_or_default();
    match health.state {
        HealthState::Ready => Said::passes(gate, "The server answers."),
        HealthState::Idle => Said::depends(gate, "The server is started when it is needed."),
        HealthState::Starting => Said::depends(gate, format!("The server is starting{problem}.")),
        HealthState::Failing => Said::depends(
            gate,
            format!("The server fails{problem}. The call would be tried and probably fail."),
        ),
    }
}
