//! `countersign template`.

use clap::{ArgGroup, Subcommand};
use serde_json::{Value, json};

use super::server::{Own, reached_by};
use crate::answer::{list, text};
use crate::desk::Desk;
use crate::failure::Done;
use crate::output::table;

#[derive(Debug, Subcommand)]
pub(crate) enum Template {
    /// Lists the templates, with the servers that come from each
    List,
    /// Makes a template, or changes how the servers that come from one are reached
    ///
    /// A place that each tenant fills in is written `${name}`: in an argument, a value of the
    /// environment, the folder, the URL or a header. Secrets are each tenant's own, by their name.
    #[command(group(ArgGroup::new("way").required(true).args(["command", "url"])))]
    Set {
        name: String,
        #[command(flatten)]
        own: Box<Own>,
    },
    /// Removes a template that no server comes from
    Remove { name: String },
}

pub(crate) async fn run(desk: &Desk, command: Template) -> Done {
    match command {
        Template::List => desk.tell("template_list", json!({}), listed).await,
        Template::Set { name, own } => {
            let args = json!({ "name": name, "transport": own.transport() });
            desk.tell("template_set", args, listed).await
        }
        Template::Remove { name } => {
            desk.tell("template_remove", json!({ "name": name }), listed).await
        }
    }
}

fn listed(templates: &Value) -> String {
    let words = |template: &Value, at: &str| {
        let all: Vec<String> = list(template, at).iter().map(|it| text(it, "")).collect();
        all.join(", ")
    };
    let row = |template: &Value| {
        let server =
            |it: &Value| format!("{}/{}", text(it, "/tenant_name"), text(it, "/server_name"));
        let servers: Vec<String> = list(template, "/servers").iter().map(server).collect();
        vec![
            text(template, "/name"),
            words(template, "/places"),
            words(template, "/secrets"),
            reached_by(template),
            servers.join(", "),
        ]
    };
    let rows: Vec<Vec<String>> = list(templates, "").iter().map(row).collect();
    let heading = ["name", "places", "secrets", "reached by", "servers"];
    table(&heading, &rows, "no templates yet; make one with `countersign template set NAME`")
}
