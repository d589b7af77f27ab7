//! The policy, as a question: who may do what, and why.

use cs_model::json::{self, Limits};
use cs_model::{AgentId, SessionId, TaskId, TenantId, ToolId};
use cs_registry::{approval, credential, session};
use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::command::Command;
use crate::control::Control;
use crate::explain::{self, Case, Waiting};
use crate::failure::ControlError;
use crate::names;
use crate::view::explain::ExplainView;

/// How many live sessions of a tenant are looked through at most.
const MOST_SESSIONS: u32 = 10_000;

/// Why an agent may or may not call a tool for a task, step by step.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct PolicyExplain {
    /// The tenant.
    pub tenant: TenantId,
    /// The agent.
    pub agent: AgentId,
    /// The task that it declares; none when absent.
    #[serde(default)]
    #[ts(optional)]
    pub task: Option<TaskId>,
    /// The tool.
    pub tool: ToolId,
    /// The arguments, as a JSON object. Without any, the best there are.
    #[serde(default)]
    #[ts(optional)]
    pub arguments: Option<String>,
    /// The session that it is asked of, whose task counts then. One that opens now when absent.
    #[serde(default)]
    #[ts(optional)]
    pub session: Option<SessionId>,
}

impl Command for PolicyExplain {
    const NAME: &'static str = "policy_explain";
    const NEEDS: Permission = Permission::Look;
    type Answer = ExplainView;

    async fn run(self, control: &Control, _: &Caller) -> Result<ExplainView, ControlError> {
        if let Some(arguments) = &self.arguments {
            judge(arguments)?;
        }
        let core = control.core()?;
        let (document, world, now) = (core.document(), explain::world(&core), core.now());
        let doc = names::tenant(&document, self.tenant)?;
        let agent = doc.agents.iter().find(|it| it.id == self.agent);
        let agent = agent.ok_or(ControlError::NotFound { what: "agent" })?;
        let tool = names::tool(doc, self.tool)?;
        let mut db = core.registry.read().await?;
        let session = match self.session {
            Some(id) => {
                let found = session::find(&mut db, self.tenant, id).await?;
                let own = found.new.agent == agent.id;
                Some(own.then_some(found).ok_or(ControlError::NotFound { what: "session" })?)
            }
            None => None,
        };
        let task = session.as_ref().map_or(self.task, |it| it.new.task);
        let task = match task {
            Some(id) => {
                let found = doc.tasks.iter().find(|it| it.id == id);
                Some(found.ok_or(ControlError::NotFound { what: "task" })?)
            }
            None => None,
        };
        let credentials = credential::list(&mut db, self.tenant).await?;
        let credentials: Vec<_> =
            credentials.into_iter().filter(|it| it.agent == agent.id).collect();
        let live = session::list(&mut db, self.tenant, true, now, MOST_SESSIONS).await?;
        let live: Vec<_> = live.into_iter().filter(|it| it.new.agent == agent.id).collect();
        let waiting = approval::waiting(&mut db, Some(self.tenant), now, u32::MAX).await?;
        drop(db);
        let of_agent = waiting.iter().filter(|it| it.new.agent == agent.id);
        let in_session = of_agent
            .clone()
            .filter(|it| session.as_ref().is_some_and(|s| s.new.id == it.new.session));
        let waiting = Waiting { of_agent: of_agent.count(), of_session: in_session.count() };
        let case = Case {
            core: &core,
            world: &world,
            doc,
            agent,
            task,
            tool,
            arguments: self.arguments.as_deref(),
            session: session.as_ref(),
            credentials: &credentials,
            live: &live,
            waiting: Some(waiting),
            now,
        };
        let told = explain::tell(&case)?;
        let server = doc.servers.iter().find(|it| it.id == tool.server);
        Ok(ExplainView {
            policy_version: world.policy.version(),
            agent: agent.id,
            agent_name: agent.name.to_string(),
            task: task.map(|it| it.id),
            task_name: task.map(|it| it.name.to_string()),
            tool: tool.id,
            tool_name: tool.name.to_string(),
            server_name: server.map(|it| it.name.to_string()).unwrap_or_default(),
            listed: told.listed,
            outcome: told.outcome,
            decides: told.decides,
            sentence: told.sentence,
            steps: told.steps,
            session: self.session,
            sessions: explain::sessions(&case)?,
        })
    }
}

/// Refuses arguments that the gateway would not take for any.
fn judge(arguments: &str) -> Result<(), ControlError> {
    let wrong = |why: String| ControlError::invalid("arguments", why);
    json::canonical(arguments, Limits::default()).map_err(|error| wrong(error.to_string()))?;
    if arguments.trim_start().starts_with('{') {
        return Ok(());
    }
    Err(wrong("arguments are a JSON object".to_owned()))
}
