//! The gates of the policy, in words. `cs_policy` says which of them decides.

use cs_model::{Grant, RoleId};
use cs_policy::{Cell, Explanation, Gate};

use super::{Case, Said};
use crate::view::explain::ExplainGate;

/// Every gate of the policy: those before the one that refuses let the call pass.
pub(super) fn steps(case: &Case<'_>, found: &Explanation) -> Vec<Said> {
    let refused = found.verdict.err();
    let step = |gate: &Gate| match refused {
        Some(deny) if deny.gate() == *gate => {
            let mut sentence = deny.sentence().to_owned();
            if *gate == Gate::Grant {
                sentence = format!("{sentence} {}", cells(case, &found.cells));
            }
            Said::refuses(shown(*gate), deny.code(), sentence.trim_end())
        }
        Some(_) | None => session(case, *gate)
            .unwrap_or_else(|| Said::passes(shown(*gate), passed(case, found, *gate))),
    };
    Gate::ALL.iter().map(step).collect()
}

/// What the gateway asks of a session that opens, besides the policy: each credential has one
/// session at a time, and it is for one task.
fn session(case: &Case<'_>, gate: Gate) -> Option<Said> {
    if gate != Gate::Session || case.session.is_some() {
        return None;
    }
    let task = case.task.map(|it| it.id);
    let usable = case.credentials.iter().filter(|it| super::around::is_usable(case, it));
    let of = |id| case.live.iter().find(|it| it.new.credential == id);
    let mut others = usable
        .map(|it| of(it.id))
        .map(|live| live.filter(|it| it.new.task.is_some() && it.new.task != task));
    let first = others.next()??;
    if !others.all(|it| it.is_some()) {
        return None;
    }
    let name = first.task_name.clone().unwrap_or_default();
    let sentence = format!(
        "A session of `{}` for task `{name}` is under way. Until it is over, another task under \
         the same credential is refused and counted as an anomaly.",
        case.agent.name
    );
    Some(Said::refuses(ExplainGate::Session, "task_conflict", sentence))
}

const fn shown(gate: Gate) -> ExplainGate {
    match gate {
        Gate::Tenant => ExplainGate::Tenant,
        Gate::Agent => ExplainGate::Agent,
        Gate::Session => ExplainGate::Session,
        Gate::Task => ExplainGate::Task,
        Gate::Tool => ExplainGate::Tool,
        Gate::TaskTools => ExplainGate::TaskTools,
        Gate::Grant => ExplainGate::Grant,
        Gate::Frozen => ExplainGate::Frozen,
    }
}

/// Why a gate lets the call pass.
fn passed(case: &Case<'_>, found: &Explanation, gate: Gate) -> String {
    let (agent, tool) = (&case.agent.name, &case.tool.name);
    let task = case.task.map(|it| it.name.to_string()).unwrap_or_default();
    match gate {
        Gate::Tenant => format!("Tenant `{}` is active.", case.doc.name),
        Gate::Agent => format!("Agent `{agent}` is active."),
        Gate::Session => match case.session {
            Some(session) => format!("The session is open, until {}.", session.new.ends),
            None => match case.task {
                Some(task) => {
                    format!("A session for the task can open; it lasts {} s.", task.longest_secs)
                }
                None => "A session can open.".to_owned(),
            },
        },
        Gate::Task => format!("`{agent}` may declare task `{task}`."),
        Gate::Tool => {
            let server = case.doc.servers.iter().find(|it| it.id == case.tool.server);
            let server = server.map(|it| it.name.to_string()).unwrap_or_default();
            format!("Tool `{tool}` and its server `{server}` are enabled.")
        }
        Gate::TaskTools => format!("Task `{task}` lists `{tool}`."),
        Gate::Grant => cells(case, &found.cells),
        Gate::Frozen => match case.session {
            Some(_) => {
                "It was granted when the session opened, with the same definition; the narrower of \
                 the two grants counts."
                    .to_owned()
            }
            None => "A session that opens now has it on its list.".to_owned(),
        },
    }
}

/// What the roles of the agent say of the tool.
fn cells(case: &Case<'_>, cells: &[Cell]) -> String {
    let name = |id: RoleId| {
        let found = case.doc.roles.iter().find(|role| role.id == id);
        found.map(|it| it.name.to_string()).unwrap_or_default()
    };
    let one = |cell: &Cell| {
        let Cell { role, grant, otherwise, granted } = *cell;
        let role = name(role);
        let Some(otherwise) = otherwise else { return format!("Role `{role}` says {grant}.") };
        let (grant, others) = (grant.as_str(), otherwise.as_str());
        match case.arguments {
            None => format!(
                "Role `{role}` says {grant} for arguments that satisfy its condition, {others} \
                 for others."
            ),
            Some(_) if granted.as_str() == grant => {
                format!("Role `{role}` says {grant}: the arguments satisfy its condition.")
            }
            Some(_) => format!(
                "Role `{role}` says {others}: the arguments do not satisfy its condition for \
                 {grant}."
            ),
        }
    };
    let mut sentences: Vec<String> = cells.iter().map(one).collect();
    match cells {
        [] => sentences.push(format!("`{}` acts in no role.", case.agent.name)),
        [_] => {}
        [..] => {
            let widest = cells.iter().map(|cell| cell.granted).max().unwrap_or(Grant::Deny);
            sentences.push(format!("The widest counts: {widest}."));
        }
    }
    sentences.join(" ")
}
