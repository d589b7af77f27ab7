//! Who may approve: `countersign tool signing` and `tool effects`, `operator group` and `agent responsible`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::operator::owner;
use super::tenant::Which;
use crate::answer::{list, text};
use crate::desk::{Desk, named};
use crate::failure::Done;
use crate::output::table;

/// What a tool asks of whoever approves its calls. What is not said stays as it is; without
/// anything, it is shown. Asking for less takes an owner's passphrase.
#[derive(Debug, clap::Args)]
pub(crate) struct Rule {
    /// `tool`, or `server/tool`
    tool: String,
    /// How many operators have to sign
    #[arg(long, value_name = "1-5", value_parser = clap::value_parser!(u8).range(1..=5))]
    approvers: Option<u8>,
    /// The operator group that they have to be in
    #[arg(long, value_name = "GROUP", conflicts_with = "any_group")]
    group: Option<String>,
    /// They need not be in any group
    #[arg(long)]
    any_group: bool,
    /// Whether each has to say why
    #[arg(long, value_name = "on|off", value_parser = on_or_off)]
    reason: Option<bool>,
    /// Whether each has to give the passphrase with every approval
    #[arg(long, value_name = "on|off", value_parser = on_or_off)]
    presence: Option<bool>,
    /// Whether the person who answers for the agent may not be one of them
    #[arg(long, value_name = "on|off", value_parser = on_or_off)]
    bar_responsible: Option<bool>,
    #[command(flatten)]
    which: Which,
}

/// Groups of operators, and who is in them.
#[derive(Debug, Subcommand)]
pub(crate) enum Group {
    /// Lists the groups
    List,
    /// Makes a group, with nobody in it; takes an owner's passphrase
    Create { name: String },
    /// Removes a group that no tool asks for; takes an owner's passphrase
    Remove { name: String },
    /// Puts an operator into a group; takes an owner's passphrase
    Add { group: String, operator: String },
    /// Takes an operator out of a group; takes an owner's passphrase
    Drop { group: String, operator: String },
}

/// Who answers for an agent. Naming another one takes an owner's passphrase.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false, args = ["operator", "nobody"])]
pub(crate) struct Responsible {
    agent: String,
    /// This operator
    #[arg(long, value_name = "NAME")]
    operator: Option<String>,
    /// Nobody
    #[arg(long)]
    nobody: bool,
    #[command(flatten)]
    which: Which,
}

/// What a tool can do that cannot be taken back. What is not said stays as it is; without anything,
/// it is shown.
#[derive(Debug, clap::Args)]
pub(crate) struct Marks {
    /// `tool`, or `server/tool`
    tool: String,
    /// Whether it can send data out
    #[arg(long, value_name = "on|off", value_parser = on_or_off)]
    sends_out: Option<bool>,
    /// Whether it can destroy something
    #[arg(long, value_name = "on|off", value_parser = on_or_off)]
    destroys: Option<bool>,
    #[command(flatten)]
    which: Which,
}

fn on_or_off(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("expected `on` or `off`".to_owned()),
    }
}

/// Says what a tool asks of its approvers, or shows it.
pub(crate) async fn rule(desk: &Desk, wanted: &Rule) -> Done {
    let tenant = desk.tenant(wanted.which.tenant.as_deref()).await?;
    let ids = desk.tools(&tenant, std::slice::from_ref(&wanted.tool)).await?;
    let id = ids.into_iter().next().unwrap_or_default();
    let mut signing = now(desk, &tenant.id, &id, "signing").await?;
    let mut changed = false;
    let mut set = |member: &str, value: Option<Value>| {
        if let (Some(value), Some(members)) = (value, signing.as_object_mut()) {
            changed = true;
            if value.is_null() {
                members.remove(member);
            } else {
                members.insert(member.to_owned(), value);
            }
        }
    };
    set("approvers", wanted.approvers.map(Value::from));
    set("group", wanted.group.as_deref().map(Value::from));
    set("group", wanted.any_group.then_some(Value::Null));
    set("reason", wanted.reason.map(Value::from));
    set("presence", wanted.presence.map(Value::from));
    set("bar_responsible", wanted.bar_responsible.map(Value::from));
    if !changed {
        desk.output.tell(&signing, in_words);
        return Ok(());
    }
    let args = json!({ "tenant": tenant.id, "tool": id, "signing": signing });
    desk.tell_as_owner("tool_set_signing", args, super::enforced).await
}

/// Says what a tool can do that cannot be taken back, or shows it.
pub(crate) async fn marks(desk: &Desk, wanted: &Marks) -> Done {
    let tenant = desk.tenant(wanted.which.tenant.as_deref()).await?;
    let ids = desk.tools(&tenant, std::slice::from_ref(&wanted.tool)).await?;
    let id = ids.into_iter().next().unwrap_or_default();
    let mut effects = now(desk, &tenant.id, &id, "effects").await?;
    if wanted.sends_out.is_none() && wanted.destroys.is_none() {
        desk.output.tell(&effects, able);
        return Ok(());
    }
    for (member, value) in [("sends_out", wanted.sends_out), ("destroys", wanted.destroys)] {
        if let (Some(value), Some(members)) = (value, effects.as_object_mut()) {
            members.insert(member.to_owned(), json!(value));
        }
    }
    let args = json!({ "tenant": tenant.id, "tool": id, "effects": effects });
    desk.tell_as_owner("tool_set_effects", args, super::enforced).await
}

/// What a tool can do, in words.
fn able(effects: &Value) -> String {
    let is = |member: &str| effects.pointer(member).and_then(Value::as_bool).unwrap_or_default();
    let able = match (is("/sends_out"), is("/destroys")) {
        (false, false) => "not marked as able to send data out or to destroy",
        (false, true) => "can destroy",
        (true, false) => "can send data out",
        (true, true) => "can send data out, and can destroy",
    };
    able.to_owned()
}

/// A setting of a tool, as it is now.
async fn now(desk: &Desk, tenant: &str, tool: &str, setting: &str) -> Done<Value> {
    let servers = desk.ask("server_list", json!({ "tenant": tenant })).await?;
    for server in list(&servers, "") {
        let args = json!({ "tenant": tenant, "server": server.get("id") });
        let detail = desk.ask("server_detail", args).await?;
        if let Some(found) = list(&detail, "/tools").iter().find(|it| text(it, "/id") == tool) {
            return Ok(found.get(setting).cloned().unwrap_or_default());
        }
    }
    Ok(json!({}))
}

/// A signing rule, in words.
pub(crate) fn in_words(signing: &Value) -> String {
    let count = text(signing, "/approvers");
    let mut said = match count.as_str() {
        "" | "1" => "signed by 1 operator".to_owned(),
        count => format!("signed by {count} operators"),
    };
    let group = text(signing, "/group");
    if !group.is_empty() {
        said.push_str(&format!(" of group {group}"));
    }
    for (member, words) in [
        ("/reason", "; each says why"),
        ("/presence", "; each gives the passphrase"),
        ("/bar_responsible", "; not by whoever answers for the agent"),
    ] {
        if signing.pointer(member) == Some(&Value::Bool(true)) {
            said.push_str(words);
        }
    }
    said
}

/// Keeps the groups.
pub(crate) async fn group(desk: &Desk, command: Group) -> Done {
    match command {
        Group::List => desk.tell("operator_group_list", json!({}), listed).await,
        Group::Create { name } => {
            let args = json!({ "name": name, "owner": owner(desk)? });
            desk.tell("operator_group_create", args, one).await
        }
        Group::Remove { name } => {
            let args = json!({ "group": name, "owner": owner(desk)? });
            let words = |_: &Value| format!("group {name} is removed");
            desk.tell("operator_group_remove", args, words).await
        }
        Group::Add { group, operator } => {
            let operator = id_of(desk, &operator).await?;
            let args = json!({ "group": group, "operator": operator, "owner": owner(desk)? });
            desk.tell("operator_group_add", args, one).await
        }
        Group::Drop { group, operator } => {
            let operator = id_of(desk, &operator).await?;
            let args = json!({ "group": group, "operator": operator, "owner": owner(desk)? });
            desk.tell("operator_group_drop", args, one).await
        }
    }
}

async fn id_of(desk: &Desk, operator: &str) -> Done<String> {
    let all = desk.ask("operator_list", json!({})).await?;
    Ok(named(list(&all, ""), operator, "operator", "countersign operator list")?.id)
}

fn members(group: &Value) -> String {
    let names: Vec<String> =
        list(group, "/members").iter().map(|member| text(member, "/name")).collect();
    if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
}

fn one(group: &Value) -> String {
    format!("group {}: {}", text(group, "/name"), members(group))
}

fn listed(groups: &Value) -> String {
    let tools = |group: &Value| {
        let tools: Vec<&str> = list(group, "/tools").iter().filter_map(Value::as_str).collect();
        tools.join(", ")
    };
    let row = |group: &Value| vec![text(group, "/name"), members(group), tools(group)];
    let rows: Vec<Vec<String>> = list(groups, "").iter().map(row).collect();
    let empty = "no groups yet; make one with `countersign operator group create NAME`";
    table(&["name", "members", "asked for by"], &rows, empty)
}

/// Says who answers for an agent.
pub(crate) async fn responsible(desk: &Desk, wanted: &Responsible) -> Done {
    let tenant = desk.tenant(wanted.which.tenant.as_deref()).await?;
    let agent = desk.agent(&tenant, &wanted.agent).await?;
    let mut args = json!({ "tenant": tenant.id, "agent": agent.id });
    if let (Some(name), Some(members)) = (&wanted.operator, args.as_object_mut()) {
        members.insert("operator".to_owned(), json!(id_of(desk, name).await?));
    }
    let words = |agent: &Value| match text(agent, "/responsible/name").as_str() {
        "" => format!("nobody answers for agent {}", text(agent, "/name")),
        who => format!("{who} answers for agent {}", text(agent, "/name")),
    };
    desk.tell_as_owner("agent_set_responsible", args, words).await
}

/// How far a waiting call is signed, for whoever reads it on a terminal.
pub(crate) fn progress(view: &Value) -> String {
    let rule = in_words(view.pointer("/signing/rule").unwrap_or(&Value::Null));
    let mut said = format!("to be {rule}");
    for signature in list(view, "/signing/signatures") {
        let fault = text(signature, "/fault");
        let glass = signature.pointer("/breaks_glass") == Some(&Value::Bool(true));
        let how = match (glass, fault.as_str()) {
            (true, _) => " alone: the glass was broken".to_owned(),
            (false, "") => String::new(),
            (false, fault) => format!(", which does not count: {fault}"),
        };
        said.push_str(&format!("; {} signed{how}", text(signature, "/operator_name")));
    }
    said
}
