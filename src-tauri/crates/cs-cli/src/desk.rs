//! Where commands are asked for: the core, through whichever door is open, and the names that
//! people use for things that have ids.

use serde_json::{Value, json};

use crate::answer::{list, text};
use crate::args::Everywhere;
use crate::door::Door;
use crate::failure::{Done, Problem};
use crate::home;
use crate::output::Output;
use crate::passphrase;

/// One command's access to the core.
#[derive(Debug)]
pub(crate) struct Desk {
    door: Door,
    /// How to tell what comes of it.
    pub(crate) output: Output,
    /// What was given on the command line besides the command.
    pub(crate) everywhere: Everywhere,
}

/// A thing that was found by its name.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) id: String,
}

impl Desk {
    /// Opens the core of a home: through whatever runs on it, or by itself.
    pub(crate) async fn open(everywhere: &Everywhere, output: Output) -> Done<Self> {
        let door = match &everywhere.console {
            Some(file) => Door::elsewhere(file, everywhere).await?,
            None => Door::open(&home::folder(everywhere)?, everywhere).await?,
        };
        Ok(Self { door, output, everywhere: everywhere.clone() })
    }

    /// Opens it only if something runs on the home.
    pub(crate) async fn of_running(everywhere: &Everywhere, output: Output) -> Done<Self> {
        let door = match &everywhere.console {
            Some(file) => Door::elsewhere(file, everywhere).await?,
            None => Door::of_running(&home::folder(everywhere)?).await?,
        };
        Ok(Self { door, output, everywhere: everywhere.clone() })
    }

    /// Asks for a command.
    pub(crate) async fn ask(&self, command: &str, args: Value) -> Done<Value> {
        self.door.ask(command, args).await
    }

    /// Asks for a command and tells its answer.
    pub(crate) async fn tell(
        &self,
        command: &str,
        args: Value,
        words: impl FnOnce(&Value) -> String,
    ) -> Done {
        let answer = self.ask(command, args).await?;
        self.output.tell(&answer, words);
        Ok(())
    }

    /// Asks for a command that only some arguments make an owner's: the passphrase is asked for
    /// when the core says so.
    pub(crate) async fn tell_as_owner(
        &self,
        command: &str,
        mut args: Value,
        words: impl FnOnce(&Value) -> String,
    ) -> Done {
        let answer = match self.ask(command, args.clone()).await {
            Err(Problem::Refused(failure)) if failure.field.as_deref() == Some("owner") => {
                let prompt = format!("{}.\nAn owner's passphrase: ", failure.message);
                if let Some(members) = args.as_object_mut() {
                    let passphrase = passphrase::ask(&self.everywhere, &prompt)?;
                    members.insert("owner".to_owned(), json!(passphrase));
                }
                self.ask(command, args).await?
            }
            other => other?,
        };
        self.output.tell(&answer, words);
        Ok(())
    }

    /// Leaves nothing half done behind.
    pub(crate) async fn close(self) {
        self.door.close().await;
    }

    /// The tenant of this name; the only one there is when none was named.
    pub(crate) async fn tenant(&self, name: Option<&str>) -> Done<Named> {
        let tenants = self.ask("tenant_list", json!({})).await?;
        match (name, list(&tenants, "")) {
            (Some(name), all) => named(all, name, "tenant", "countersign tenant list"),
            (None, [only]) => Ok(of(only)),
            (None, []) => Err(Problem::not_found(
                "there is no tenant yet; make one with `countersign tenant create NAME`",
            )),
            (None, _) => Err(Problem::invalid(
                "there are several tenants; say which with `--tenant NAME` (see `countersign tenant list`)",
            )),
        }
    }

    /// The agent of this name.
    pub(crate) async fn agent(&self, tenant: &Named, name: &str) -> Done<Named> {
        let agents = self.ask("agent_list", json!({ "tenant": tenant.id })).await?;
        named(list(&agents, ""), name, "agent", "countersign agent list")
    }

    /// The server of this name.
    pub(crate) async fn server(&self, tenant: &Named, name: &str) -> Done<Named> {
        let servers = self.ask("server_list", json!({ "tenant": tenant.id })).await?;
        named(list(&servers, ""), name, "server", "countersign server list")
    }

    /// The ids of the tasks of these names.
    pub(crate) async fn tasks(&self, tenant: &Named, wanted: &[String]) -> Done<Vec<String>> {
        let tasks = self.ask("task_list", json!({ "tenant": tenant.id })).await?;
        ids(list(&tasks, ""), wanted, "task", "countersign task list")
    }

    /// The ids of the roles of these names.
    pub(crate) async fn roles(&self, tenant: &Named, wanted: &[String]) -> Done<Vec<String>> {
        let matrix = self.matrix(tenant).await?;
        ids(list(&matrix, "/roles"), wanted, "role", "countersign role list")
    }

    /// The ids of the tools of these names: `tool`, or `server/tool` where several servers have
    /// one of that name; what is no tool by its name with the mark of its kind, as
    /// `resource:URI`.
    pub(crate) async fn tools(&self, tenant: &Named, wanted: &[String]) -> Done<Vec<String>> {
        let matrix = self.matrix(tenant).await?;
        wanted.iter().map(|name| tool_id(&matrix, name)).collect()
    }

    /// The matrix of a tenant: roles, tools, servers and grants.
    pub(crate) async fn matrix(&self, tenant: &Named) -> Done<Value> {
        self.ask("matrix", json!({ "tenant": tenant.id })).await
    }
}

/// Finds a thing by its name or id.
pub(crate) fn named(all: &[Value], name: &str, what: &str, see: &str) -> Done<Named> {
    find(all, name, what, see).map(of)
}

/// Finds a thing by its name or id, as it was answered.
pub(crate) fn find<'v>(all: &'v [Value], name: &str, what: &str, see: &str) -> Done<&'v Value> {
    all.iter()
        .find(|one| text(one, "/name") == name || text(one, "/id") == name)
        .ok_or_else(|| Problem::not_found(format!("there is no {what} `{name}`; see `{see}`")))
}

fn ids(all: &[Value], wanted: &[String], what: &str, see: &str) -> Done<Vec<String>> {
    wanted.iter().map(|name| named(all, name, what, see).map(|found| found.id)).collect()
}

fn of(value: &Value) -> Named {
    Named { id: text(value, "/id") }
}

/// The name of a tool; of everything else with the mark of its kind.
pub(crate) fn marked(tool: &Value) -> String {
    let name = text(tool, "/name");
    match text(tool, "/kind").as_str() {
        "" | "tool" => name,
        kind => format!("{kind}:{name}"),
    }
}

/// The id of a tool in a matrix.
pub(crate) fn tool_id(matrix: &Value, wanted: &str) -> Done<String> {
    let found: Vec<&Value> = list(matrix, "/tools")
        .iter()
        .filter(|tool| {
            let (name, server) = (marked(tool), server_name(matrix, &text(tool, "/server")));
            text(tool, "/id") == wanted
                || name == wanted
                || format!("{server}/{name}") == wanted
                || format!("{server}__{name}") == wanted
        })
        .collect();
    match found.as_slice() {
        [tool] => Ok(text(tool, "/id")),
        [] => Err(Problem::not_found(format!(
            "there is no tool `{wanted}`; see `countersign tool list`"
        ))),
        _ => Err(Problem::invalid(format!(
            "several servers have a tool `{wanted}`; say `server/{wanted}`"
        ))),
    }
}

/// The name of a server in a matrix.
pub(crate) fn server_name(matrix: &Value, id: &str) -> String {
    let server = list(matrix, "/servers").iter().find(|server| text(server, "/id") == id);
    server.map(|server| text(server, "/name")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix() -> Value {
        json!({
            "servers": [{ "id": "srv_1", "name": "files" }, { "id": "srv_2", "name": "mail" }],
            "tools": [
                { "id": "tol_1", "server": "srv_1", "name": "read" },
                { "id": "tol_2", "server": "srv_1", "name": "list" },
                { "id": "tol_3", "server": "srv_2", "name": "list" },
                { "id": "tol_4", "server": "srv_1", "kind": "prompt", "name": "read" },
                { "id": "tol_5", "server": "srv_1", "kind": "resource", "name": "file:///a" },
            ],
        })
    }

    #[test]
    fn a_tool_is_found_by_its_name_where_that_is_enough() {
        assert_eq!(tool_id(&matrix(), "read").unwrap(), "tol_1");
        for name in ["mail/list", "mail__list", "tol_3"] {
            assert_eq!(tool_id(&matrix(), name).unwrap(), "tol_3");
        }
        for name in ["prompt:read", "files/prompt:read", "tol_4"] {
            assert_eq!(tool_id(&matrix(), name).unwrap(), "tol_4");
        }
        for name in ["resource:file:///a", "files/resource:file:///a"] {
            assert_eq!(tool_id(&matrix(), name).unwrap(), "tol_5");
        }
        assert!(tool_id(&matrix(), "file:///a").is_err(), "it is no tool");
        assert!(tool_id(&matrix(), "list").is_err(), "two servers have one");
        assert!(tool_id(&matrix(), "write").is_err(), "none has one");
    }
}
