//! `countersign server`.

use clap::{ArgGroup, Subcommand};
use serde_json::{Map, Value, json};

use super::tenant::Which;
use crate::answer::{list, moment, text};
use crate::desk::{Desk, Named, marked};
use crate::failure::{Done, Problem};
use crate::output::{clean, fields, table};

#[derive(Debug, Subcommand)]
pub(crate) enum Server {
    /// Lists the servers of a tenant
    List {
        #[command(flatten)]
        which: Which,
    },
    /// Shows a server with its tools and the last lines it wrote to its standard error
    Show {
        name: String,
        #[command(flatten)]
        which: Which,
    },
    /// Starts a server and shows what it has; changes nothing
    Probe {
        #[command(flatten)]
        way: Way,
        #[command(flatten)]
        which: Which,
    },
    /// Adds a server with the tools it has; they are enabled, and no role is granted any of them
    Add {
        name: String,
        /// Enable only these of its tools
        #[arg(long = "only", value_name = "TOOL")]
        only: Vec<String>,
        #[command(flatten)]
        way: Way,
        #[command(flatten)]
        which: Which,
    },
    /// Asks a server what it has now, compared with what is pinned
    Discover {
        name: String,
        #[command(flatten)]
        which: Which,
    },
    /// Takes in new and changed tool definitions as the server has them now
    Accept {
        name: String,
        /// Take in only these
        #[arg(long = "only", value_name = "TOOL")]
        only: Vec<String>,
        #[command(flatten)]
        which: Which,
    },
    /// Changes what a tenant put into the places of the template that its server comes from
    Set {
        name: String,
        /// What stands in a place from now on; places that are not named are left empty
        #[arg(required = true, value_name = "PLACE=VALUE", value_parser = pair)]
        settings: Vec<(String, String)>,
        #[command(flatten)]
        which: Which,
    },
    /// Lets calls through to a server again
    Enable {
        name: String,
        #[command(flatten)]
        which: Which,
    },
    /// Refuses calls of all tools of a server
    Disable {
        name: String,
        #[command(flatten)]
        which: Which,
    },
    /// Prints the last lines that a server wrote to its standard error
    Log {
        name: String,
        #[command(flatten)]
        which: Which,
    },
    /// Says what may pass between a server and the people and models behind an agent
    Pass {
        name: String,
        #[command(flatten)]
        switches: Switches,
        #[command(flatten)]
        which: Which,
    },
    /// Stops a server and starts it again
    Restart {
        name: String,
        #[command(flatten)]
        which: Which,
    },
    /// Removes a server, with its tools and their grants
    Remove {
        name: String,
        #[command(flatten)]
        which: Which,
    },
}

/// What passes. What is not named stays as it is.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Switches {
    /// Whether the server may ask the agent's user for something
    #[arg(long, value_name = "on|off")]
    elicitation: Option<Switch>,
    /// Whether the server may ask for the agent's workspace folders
    #[arg(long, value_name = "on|off")]
    roots: Option<Switch>,
    /// Whether the server may have the agent's model write something
    #[arg(long, value_name = "on|off")]
    sampling: Option<Switch>,
    /// Whether the server may bring pages along that a host shows (ui://)
    #[arg(long, value_name = "on|off")]
    ui: Option<Switch>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

impl Switches {
    /// What passes once these are set, when this does before.
    fn after(&self, before: &[Value]) -> Vec<&'static str> {
        let all = [
            ("elicitation", self.elicitation),
            ("roots", self.roots),
            ("sampling", self.sampling),
            ("ui", self.ui),
        ];
        let was = |name: &str| before.iter().any(|it| it.as_str() == Some(name));
        let on = |(name, set): &(&'static str, Option<Switch>)| match set {
            Some(switch) => *switch == Switch::On,
            None => was(name),
        };
        all.into_iter().filter(on).map(|(name, _)| name).collect()
    }
}

/// How a server is reached.
#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("way").required(true).args(["command", "url", "template"])))]
pub(crate) struct Way {
    #[command(flatten)]
    own: Own,
    /// The template that it comes from (see `countersign template`)
    #[arg(long, value_name = "TEMPLATE")]
    template: Option<String>,
    /// What the tenant puts into a place of the template; repeat it for more
    #[arg(long = "set", value_name = "PLACE=VALUE", requires = "template", value_parser = pair)]
    settings: Vec<(String, String)>,
}

/// How a server is reached that comes from no template, or a template.
#[derive(Debug, clap::Args)]
pub(crate) struct Own {
    /// The program to start, for a server that speaks on its standard input and output
    #[arg(long)]
    command: Option<String>,
    /// An argument of that program; repeat it for more
    #[arg(long = "arg", value_name = "ARG", requires = "command", allow_hyphen_values = true)]
    args: Vec<String>,
    /// A variable of its environment
    #[arg(long = "env", value_name = "NAME=VALUE", requires = "command", value_parser = pair)]
    env: Vec<(String, String)>,
    /// A variable whose value is a secret of the tenant (see `countersign secret set`)
    #[arg(long = "env-secret", value_name = "NAME=SECRET", requires = "command", value_parser = pair)]
    env_secret: Vec<(String, String)>,
    /// The folder it is started in
    #[arg(long, value_name = "DIR", requires = "command")]
    cwd: Option<String>,
    /// The endpoint, for a server that speaks Streamable HTTP
    #[arg(long)]
    url: Option<String>,
    /// A header of every request to it
    #[arg(long = "header", value_name = "NAME=VALUE", requires = "url", value_parser = pair)]
    headers: Vec<(String, String)>,
    /// A header whose value is a secret of the tenant
    #[arg(long = "header-secret", value_name = "NAME=SECRET", requires = "url", value_parser = pair)]
    header_secret: Vec<(String, String)>,
}

impl Way {
    /// How it is reached: as was said, or as the template comes to.
    async fn transport(&self, desk: &Desk) -> Done<Value> {
        match &self.template {
            None => Ok(self.own.transport()),
            Some(template) => {
                let args = json!({ "template": template, "settings": texts(&self.settings) });
                desk.ask("template_fill", args).await
            }
        }
    }
}

impl Own {
    pub(crate) fn transport(&self) -> Value {
        if let Some(url) = &self.url {
            let headers = settings(&self.headers, &self.header_secret);
            return json!({ "kind": "http", "url": url, "headers": headers });
        }
        let env = settings(&self.env, &self.env_secret);
        let mut transport =
            json!({ "kind": "stdio", "command": self.command, "args": self.args, "env": env });
        if let (Some(cwd), Some(members)) = (&self.cwd, transport.as_object_mut()) {
            members.insert("cwd".to_owned(), json!(cwd));
        }
        transport
    }
}

fn settings(plain: &[(String, String)], secret: &[(String, String)]) -> Map<String, Value> {
    let plain = plain.iter().map(|(name, value)| (name.clone(), json!(value)));
    let secret = secret.iter().map(|(name, value)| (name.clone(), json!({ "secret": value })));
    plain.chain(secret).collect()
}

pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) =
        text.split_once('=').ok_or_else(|| format!("expected NAME=VALUE, got `{text}`"))?;
    Ok((name.to_owned(), value.to_owned()))
}

pub(crate) async fn run(desk: &Desk, command: Server) -> Done {
    match command {
        Server::List { which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            desk.tell("server_list", json!({ "tenant": tenant.id }), listed).await
        }
        Server::Show { name, which } => about(desk, "server_detail", &name, &which, detail).await,
        Server::Probe { way, which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let transport = way.transport(desk).await?;
            let args = json!({ "tenant": tenant.id, "transport": transport });
            desk.tell("server_probe", args, discovered).await
        }
        Server::Add { name, only, way, which } => add(desk, &name, &only, &way, &which).await,
        Server::Discover { name, which } => {
            about(desk, "server_discover", &name, &which, discovered).await
        }
        Server::Accept { name, only, which } => accept(desk, &name, &only, &which).await,
        Server::Set { name, settings, which } => {
            let (tenant, server) = the_server(desk, &name, &which).await?;
            let args = json!({ "tenant": tenant.id, "server": server.id,
                               "settings": texts(&settings) });
            desk.tell("server_settings_set", args, detail).await
        }
        Server::Enable { name, which } => set_enabled(desk, &name, &which, true).await,
        Server::Disable { name, which } => set_enabled(desk, &name, &which, false).await,
        Server::Log { name, which } => {
            let (tenant, server) = the_server(desk, &name, &which).await?;
            let args = json!({ "tenant": tenant.id, "server": server.id });
            let detail = desk.ask("server_detail", args).await?;
            let lines = detail.get("stderr").cloned().unwrap_or_default();
            desk.output.tell(&lines, log);
            Ok(())
        }
        Server::Pass { name, switches, which } => pass(desk, &name, &switches, &which).await,
        Server::Restart { name, which } => about(desk, "server_restart", &name, &which, one).await,
        Server::Remove { name, which } => {
            about(desk, "server_remove", &name, &which, super::enforced).await
        }
    }
}

async fn about(
    desk: &Desk,
    command: &str,
    name: &str,
    which: &Which,
    words: fn(&Value) -> String,
) -> Done {
    let (tenant, server) = the_server(desk, name, which).await?;
    let args = json!({ "tenant": tenant.id, "server": server.id });
    desk.tell(command, args, words).await
}

async fn the_server(desk: &Desk, name: &str, which: &Which) -> Done<(Named, Named)> {
    let tenant = desk.tenant(which.tenant.as_deref()).await?;
    let server = desk.server(&tenant, name).await?;
    Ok((tenant, server))
}

async fn set_enabled(desk: &Desk, name: &str, which: &Which, enabled: bool) -> Done {
    let (tenant, server) = the_server(desk, name, which).await?;
    let args = json!({ "tenant": tenant.id, "server": server.id, "enabled": enabled });
    desk.tell("server_set_enabled", args, one).await
}

async fn pass(desk: &Desk, name: &str, switches: &Switches, which: &Which) -> Done {
    let (tenant, server) = the_server(desk, name, which).await?;
    let place = json!({ "tenant": tenant.id, "server": server.id });
    let now = desk.ask("server_detail", place).await?;
    let passes = switches.after(list(&now, "/server/passes"));
    let args = json!({ "tenant": tenant.id, "server": server.id, "passes": passes });
    desk.tell("server_set_passes", args, one).await
}

async fn add(desk: &Desk, name: &str, only: &[String], way: &Way, which: &Which) -> Done {
    let tenant = desk.tenant(which.tenant.as_deref()).await?;
    let transport = way.transport(desk).await?;
    let probe = json!({ "tenant": tenant.id, "transport": transport });
    let found = desk.ask("server_probe", probe).await?;
    known(&found, only)?;
    let tools: Vec<Value> =
        list(&found, "").iter().map(|tool| as_seen(tool, wanted(tool, only))).collect();
    if let Some(template) = &way.template {
        let args = json!({ "tenant": tenant.id, "name": name, "template": template,
                           "settings": texts(&way.settings), "tools": tools });
        return desk.tell("server_create_from", args, detail).await;
    }
    let args = json!({ "tenant": tenant.id, "name": name, "transport": transport, "tools": tools });
    desk.tell("server_create", args, detail).await
}

fn texts(settings: &[(String, String)]) -> Map<String, Value> {
    settings.iter().map(|(name, value)| (name.clone(), json!(value))).collect()
}

async fn accept(desk: &Desk, name: &str, only: &[String], which: &Which) -> Done {
    let (tenant, server) = the_server(desk, name, which).await?;
    let args = json!({ "tenant": tenant.id, "server": server.id });
    let found = desk.ask("server_discover", args).await?;
    known(&found, only)?;
    let is_news = |tool: &&Value| text(tool, "/known") != "same" && wanted(tool, only);
    let tools: Vec<Value> =
        list(&found, "").iter().filter(is_news).map(|tool| as_seen(tool, true)).collect();
    let args = json!({ "tenant": tenant.id, "server": server.id, "tools": tools });
    desk.tell("server_accept", args, detail).await
}

fn known(found: &Value, only: &[String]) -> Done {
    let has = |name: &&String| list(found, "").iter().any(|tool| marked(tool) == **name);
    match only.iter().find(|name| !has(name)) {
        Some(name) => Err(Problem::not_found(format!("the server has no tool `{name}`"))),
        None => Ok(()),
    }
}

fn wanted(tool: &Value, only: &[String]) -> bool {
    only.is_empty() || only.contains(&marked(tool))
}

fn as_seen(tool: &Value, enabled: bool) -> Value {
    json!({ "kind": tool.get("kind"), "name": tool.get("name"),
            "fingerprint": tool.get("fingerprint"), "enabled": enabled })
}

fn listed(servers: &Value) -> String {
    let rows: Vec<Vec<String>> = list(servers, "").iter().map(row).collect();
    let heading = ["name", "enabled", "health", "tools", "restarts", "reached by", "problem"];
    table(
        &heading,
        &rows,
        "no servers yet; add one with `countersign server add NAME --command PROGRAM`",
    )
}

fn row(server: &Value) -> Vec<String> {
    let tools = format!("{}/{}", text(server, "/enabled_tools"), text(server, "/tools"));
    vec![
        text(server, "/name"),
        text(server, "/enabled"),
        text(server, "/health"),
        tools,
        text(server, "/restarts"),
        reached_by(server),
        text(server, "/problem"),
    ]
}

pub(crate) fn reached_by(server: &Value) -> String {
    if text(server, "/transport/kind") == "http" {
        return text(server, "/transport/url");
    }
    let args = list(server, "/transport/args").iter().map(|arg| text(arg, ""));
    let words: Vec<String> = [text(server, "/transport/command")].into_iter().chain(args).collect();
    words.join(" ")
}

fn one(server: &Value) -> String {
    let enabled = if text(server, "/enabled") == "yes" { "enabled" } else { "disabled" };
    let (name, health) = (clean(&text(server, "/name")), text(server, "/health"));
    format!("server {name} is {enabled} and {health}; passing: {}", passing(server))
}

fn passing(server: &Value) -> String {
    let words: Vec<String> = list(server, "/passes").iter().map(|it| text(it, "")).collect();
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}

fn log(lines: &Value) -> String {
    let lines: Vec<String> = list(lines, "").iter().map(|line| clean(&text(line, ""))).collect();
    match lines.as_slice() {
        [] => "it wrote nothing to its standard error since it was started".to_owned(),
        lines => lines.join("\n"),
    }
}

fn detail(detail: &Value) -> String {
    let server = detail.get("server").cloned().unwrap_or_default();
    let about = fields(&[
        ("server", text(&server, "/name")),
        ("enabled", text(&server, "/enabled")),
        ("health", text(&server, "/health")),
        ("since", moment(&server, "/since")),
        ("restarts", text(&server, "/restarts")),
        ("problem", text(&server, "/problem")),
        ("reached by", reached_by(&server)),
        ("passing", passing(&server)),
        ("from template", origin(detail)),
    ]);
    let rows: Vec<Vec<String>> = list(detail, "/tools").iter().map(super::tool::row).collect();
    let tools = table(super::tool::HEADING, &rows, "it has nothing that an agent could use\n");
    let stderr: String = list(detail, "/stderr")
        .iter()
        .map(|line| format!("  {}\n", clean(&text(line, ""))))
        .collect();
    let heading = if stderr.is_empty() { "" } else { "standard error\n" };
    format!("{about}\n{tools}\n{heading}{stderr}")
}

/// The template that a server comes from, with what stands in its places.
fn origin(detail: &Value) -> String {
    let settings = detail.pointer("/origin/settings").and_then(Value::as_object);
    let settings = settings.into_iter().flatten();
    let settings = settings.map(|(name, value)| format!("{name}={}", text(value, "")));
    let words = [text(detail, "/origin/template")].into_iter().chain(settings);
    words.collect::<Vec<_>>().join(" ")
}

fn discovered(tools: &Value) -> String {
    let row = |tool: &Value| {
        let rest = ["/known", "/suggested", "/fingerprint", "/description"];
        [marked(tool)].into_iter().chain(rest.map(|at| text(tool, at))).collect()
    };
    let rows: Vec<Vec<String>> = list(tools, "").iter().map(row).collect();
    table(
        &["tool", "known", "suggested", "fingerprint", "says"],
        &rows,
        "it has nothing that an agent could use",
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::{Arguments, AtDesk, Command};

    fn way(words: &[&str]) -> Value {
        let all = [&["countersign", "server", "probe"], words].concat();
        let command = Arguments::try_parse_from(all).unwrap().command;
        let Command::AtDesk(AtDesk::Server(Server::Probe { way, .. })) = command else {
            panic!("{command:?}");
        };
        way.own.transport()
    }

    #[test]
    fn a_switch_that_is_not_named_stays_as_it_is() {
        let words = ["countersign", "server", "pass", "mail", "--roots", "off", "--ui", "on"];
        let command = Arguments::try_parse_from(words).unwrap().command;
        let Command::AtDesk(AtDesk::Server(Server::Pass { switches, .. })) = command else {
            panic!("{command:?}");
        };
        assert_eq!(switches.after(&[json!("roots"), json!("sampling")]), ["sampling", "ui"]);
        assert!(Arguments::try_parse_from(words.into_iter().take(4)).is_err());
    }

    #[test]
    fn a_server_is_described_as_the_core_expects_it() {
        assert_eq!(
            way(&["--command", "npx", "--arg", "-y", "--env", "A=b=c", "--env-secret", "T=token"]),
            json!({ "kind": "stdio", "command": "npx", "args": ["-y"],
                    "env": { "A": "b=c", "T": { "secret": "token" } } })
        );
        assert_eq!(
            way(&["--url", "http://127.0.0.1:1/mcp", "--header", "x-a=1"]),
            json!({ "kind": "http", "url": "http://127.0.0.1:1/mcp", "headers": { "x-a": "1" } })
        );
    }
}
