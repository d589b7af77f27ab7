//! Which task a request declares.

use cs_model::TaskId;

use crate::authn::Presented;
use crate::gate::Gate;
use crate::refusal::Refusal;
use crate::session::stray;
use crate::trail::Trail;

/// The places where a task may be declared, by their priority. All that are used must agree.
#[derive(Debug, Default)]
pub(crate) struct Declared {
    /// A signed claim of the credential.
    pub(crate) claim: Option<String>,
    /// The address.
    pub(crate) url: Option<String>,
    /// The header `Countersign-Task`.
    pub(crate) header: Option<String>,
    /// `_meta["dev.countersign/task"]`.
    pub(crate) meta: Option<String>,
}

impl Declared {
    /// The name that all places agree on, if there is one.
    pub(crate) fn agreed(&self) -> Option<&str> {
        self.name().ok().flatten()
    }

    /// The name that all places agree on, if any of them has one.
    fn name(&self) -> Result<Option<&str>, Disagreement> {
        let mut named = [&self.claim, &self.url, &self.header, &self.meta].into_iter().flatten();
        let Some(first) = named.next() else { return Ok(None) };
        if named.all(|other| other == first) { Ok(Some(first)) } else { Err(Disagreement) }
    }
}

struct Disagreement;

/// The task that is declared, if the caller may declare it. A task that does not exist and one
/// that it may not declare are refused alike.
pub(super) async fn resolve(
    gate: &Gate,
    presented: &Presented,
    declared: &Declared,
    trail: &mut Trail,
) -> Result<Option<TaskId>, Refusal> {
    let name = match declared.name() {
        Ok(Some(name)) => name,
        Ok(None) => return Ok(None),
        Err(Disagreement) => {
            stray(gate, None, trail, "task_conflict").await?;
            return Err(Refusal::TaskConflict);
        }
    };
    let world = gate.world();
    let tenant = world.policy.tenant(presented.tenant());
    let task = tenant.and_then(|tenant| tenant.task_named(name)).map(|task| task.id);
    let agent = tenant.and_then(|tenant| tenant.agent(presented.agent()));
    let reason = match (task, agent) {
        (None, _) => "task_unknown",
        (Some(task), Some(agent)) if !agent.tasks.contains(&task) => "task_not_assigned",
        (Some(task), Some(_)) if !presented.may_declare(task) => "task_not_in_credential",
        (Some(task), Some(_)) => return Ok(Some(task)),
        (Some(_), None) => "agent_unknown",
    };
    stray(gate, None, trail, reason).await?;
    Err(Refusal::TaskRefused)
}
