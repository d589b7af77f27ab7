//! Makes the agents of a tenant what a file says.

use std::collections::BTreeMap;

use cs_model::{AgentId, Name, OperatorId, RoleId, TaskId};
use cs_registry::agent::{self, Agent};
use cs_registry::operator;

use super::{One, end_sessions};
use crate::declarative::DeclaredAgent;
use crate::failure::ControlError;

impl One<'_, '_> {
    pub(super) async fn agents(
        &mut self,
        roles: &BTreeMap<Name, RoleId>,
        tasks: &BTreeMap<Name, TaskId>,
        wanted: BTreeMap<Name, DeclaredAgent>,
    ) -> Result<(), ControlError> {
        let tenant = self.doc.id;
        for old in self.doc.agents.iter().filter(|old| !wanted.contains_key(&old.name)) {
            end_sessions(self.edit, tenant, old.id, self.after).await?;
            agent::remove(self.edit.db(), tenant, old.id).await?;
        }
        for (name, wanted) in wanted {
            let roles =
                self.named(&format!("agents.{name}.roles"), "role", &wanted.roles, roles)?;
            let tasks =
                self.named(&format!("agents.{name}.tasks"), "task", &wanted.tasks, tasks)?;
            let (standing, rate) = (wanted.standing, wanted.rate);
            let most_waiting = wanted.most_waiting;
            let responsible = self.operator(&name, wanted.responsible.as_deref()).await?;
            match self.doc.agents.iter().find(|old| old.name == name) {
                Some(old) => {
                    agent::assign(self.edit.db(), tenant, old.id, &roles, &tasks).await?;
                    agent::set_standing(self.edit.db(), tenant, old.id, standing).await?;
                    agent::set_rate(self.edit.db(), tenant, old.id, rate).await?;
                    agent::set_most_waiting(self.edit.db(), tenant, old.id, most_waiting).await?;
                    agent::set_responsible(self.edit.db(), tenant, old.id, responsible).await?;
                }
                None => {
                    let id = AgentId::from_random(self.core.random()?);
                    let created = self.edit.at();
                    let new = Agent {
                        id,
                        tenant,
                        name,
                        standing,
                        roles,
                        tasks,
                        rate,
                        most_waiting,
                        responsible,
                        created,
                    };
                    agent::create(self.edit.db(), &new).await?;
                }
            }
        }
        Ok(())
    }

    /// The operator who answers for an agent, by name.
    async fn operator(
        &mut self,
        agent: &Name,
        wanted: Option<&str>,
    ) -> Result<Option<OperatorId>, ControlError> {
        let Some(wanted) = wanted else { return Ok(None) };
        let all = operator::list(self.edit.db()).await?;
        let here = || all.iter().filter(|it| it.removed.is_none());
        if let Some(found) = here().find(|it| it.name == wanted) {
            return Ok(Some(found.id));
        }
        let at = format!("agents.{agent}.responsible");
        Err(self.unknown(&at, "operator", wanted, here().map(|it| it.name.as_str())))
    }
}
