//! Why an agent may or may not call a tool for a task: asked of the very functions that the gateway
//! asks, and put into words.

mod around;
mod policy;

use std::sync::Arc;

use cs_gateway::world::World;
use cs_model::document::{AgentDoc, TaskDoc, TenantDoc, ToolDoc};
use cs_model::{Condition, Grant, Timestamp};
use cs_policy::{Explanation, Met, Session};
use cs_registry::credential::Credential;
use cs_registry::session::{self as kept, Session as Kept};

use crate::core::Core;
use crate::failure::ControlError;
use crate::view::explain::{ExplainGate, ExplainSession, ExplainStep, StepVerdict};

/// What is asked about.
#[derive(Clone, Copy)]
pub(crate) struct Case<'c> {
    pub(crate) core: &'c Core,
    pub(crate) world: &'c World,
    pub(crate) doc: &'c TenantDoc,
    pub(crate) agent: &'c AgentDoc,
    pub(crate) task: Option<&'c TaskDoc>,
    pub(crate) tool: &'c ToolDoc,
    /// The arguments as they are written.
    pub(crate) arguments: Option<&'c str>,
    /// The session; one that opens now when absent.
    pub(crate) session: Option<&'c Kept>,
    /// The agent's credentials.
    pub(crate) credentials: &'c [Credential],
    /// The agent's sessions that are live.
    pub(crate) live: &'c [Kept],
    /// What the agent has waiting; nothing where that does not matter.
    pub(crate) waiting: Option<Waiting>,
    pub(crate) now: Timestamp,
}

/// How many calls wait for people.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    /// Of the agent.
    pub(crate) of_agent: usize,
    /// Of the session, where it is about one.
    pub(crate) of_session: usize,
}

/// Every step, and what all of them come to.
pub(crate) struct Told {
    pub(crate) listed: Option<String>,
    pub(crate) outcome: Grant,
    pub(crate) decides: ExplainGate,
    pub(crate) sentence: String,
    pub(crate) steps: Vec<ExplainStep>,
}

/// A step that says something.
pub(super) struct Said {
    gate: ExplainGate,
    verdict: StepVerdict,
    sentence: String,
    reason: Option<String>,
}

impl Said {
    fn new(gate: ExplainGate, verdict: StepVerdict, sentence: impl Into<String>) -> Self {
        Self { gate, verdict, sentence: sentence.into(), reason: None }
    }

    fn passes(gate: ExplainGate, sentence: impl Into<String>) -> Self {
        Self::new(gate, StepVerdict::Passes, sentence)
    }

    fn depends(gate: ExplainGate, sentence: impl Into<String>) -> Self {
        Self::new(gate, StepVerdict::Depends, sentence)
    }

    fn refuses(gate: ExplainGate, reason: &str, sentence: impl Into<String>) -> Self {
        let said = Self::new(gate, StepVerdict::Refuses, sentence);
        Self { reason: Some(reason.to_owned()), ..said }
    }
}

/// Takes a call through every step, in the order of the gateway. What follows a refusal is not
/// reached, so nothing is said of it.
pub(crate) fn tell(case: &Case<'_>) -> Result<Told, ControlError> {
    let found = policy(case)?;
    let mut all = vec![around::credential(case)];
    all.extend(policy::steps(case, &found));
    all.extend(around::after(case, found.verdict.unwrap_or(Grant::Deny)));
    let refusal = all.iter().position(|it| it.verdict == StepVerdict::Refuses);
    let asks = all.iter().any(|it| it.verdict == StepVerdict::Asks);
    let (outcome, decides, sentence) = match refusal.and_then(|at| all.get(at)) {
        Some(said) => (Grant::Deny, said.gate, format!("Refused. {}", said.sentence)),
        None if asks => (
            Grant::Token,
            ExplainGate::Countersignature,
            "Each such call waits until an operator countersigns it.".to_owned(),
        ),
        None => {
            (Grant::Allow, ExplainGate::Grant, "The call passes without asking anybody.".to_owned())
        }
    };
    let last = refusal.unwrap_or(usize::MAX);
    let steps = all.into_iter().enumerate().map(|(at, said)| {
        let Said { gate, verdict, sentence, reason } = said;
        if at > last {
            let sentence = "Not reached.".to_owned();
            return ExplainStep { gate, verdict: StepVerdict::Skipped, sentence, reason: None };
        }
        ExplainStep { gate, verdict, sentence, reason }
    });
    Ok(Told { listed: found.listed, outcome, decides, sentence, steps: steps.collect() })
}

/// What the policy says.
fn policy(case: &Case<'_>) -> Result<Explanation, ControlError> {
    let (snapshot, task) = (&case.world.policy, case.task.map(|it| it.id));
    let session = case.session.map(|it| opened(it, case.now)).transpose()?;
    let met = met(case, session.as_ref());
    let (tool, met) = (case.tool.id, met.as_ref());
    Ok(match &session {
        Some(session) => cs_policy::explain_in(snapshot, session, tool, met, case.now),
        None => cs_policy::explain_for(snapshot, case.doc.id, case.agent.id, task, tool, met),
    })
}

/// The conditions that the arguments satisfy, where some are given.
fn met(case: &Case<'_>, session: Option<&Session>) -> Option<Met> {
    let arguments = case.arguments?;
    let (snapshot, tenant) = (&case.world.policy, case.doc.id);
    let all = cs_policy::conditions_of(snapshot, tenant, session, case.tool.id);
    let met = all.into_iter().filter(|it| cs_gateway::satisfies(it, Some(arguments)));
    Some(met.map(Condition::digest).collect())
}

/// A session as the policy judges it.
pub(crate) fn opened(found: &Kept, now: Timestamp) -> Result<Session, ControlError> {
    let new = &found.new;
    let allowlist = serde_json::from_str(&new.allowlist)
        .map_err(|source| ControlError::internal("read a session's allowlist", source))?;
    let ended = found.ended.is_some_and(|(at, _)| at <= now);
    let kept::NewSession { id, tenant, agent, task, ends, .. } = new.clone();
    Ok(Session { id, tenant, agent, task, ends, ended, allowlist })
}

/// The agent's sessions for the task that are live, and what the policy says of the call in each.
pub(crate) fn sessions(case: &Case<'_>) -> Result<Vec<ExplainSession>, ControlError> {
    let task = case.task.map(|it| it.id);
    let mut all = Vec::new();
    for found in case.live.iter().filter(|it| it.new.task == task) {
        let judged = policy(&Case { session: Some(found), ..*case })?;
        all.push(ExplainSession {
            id: found.new.id,
            opened: found.new.opened,
            ends: found.new.ends,
            outcome: judged.verdict.unwrap_or(Grant::Deny),
            sentence: judged.sentence().to_owned(),
        });
    }
    Ok(all)
}

/// What the gateway judges by now.
pub(crate) fn world(core: &Core) -> Arc<World> {
    Arc::clone(&core.world.borrow())
}
