//! `countersign grant`.

use anyhow::Context as _;
use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::tenant::Which;
use crate::answer::{list, moment, text};
use crate::desk::{Desk, marked, named, server_name, tool_id};
use crate::failure::Done;
use crate::output::{Output, fields, line, table};

#[derive(Debug, Subcommand)]
pub(crate) enum Grant {
    /// Sets one cell of the matrix, enforced on the very next request
    Set {
        role: String,
        /// The tool: `tool`, or `server/tool`
        tool: String,
        grant: Cell,
        /// A JSON Schema that the arguments have to satisfy for that; `@FILE` reads it from a file
        #[arg(long)]
        when: Option<String>,
        /// What is granted to other arguments
        #[arg(long, requires = "when")]
        otherwise: Option<Cell>,
        #[command(flatten)]
        which: Which,
    },
    /// Shows the matrix, or one cell of it
    Show {
        /// The role of one cell
        #[arg(requires = "tool")]
        role: Option<String>,
        /// The tool of one cell
        tool: Option<String>,
        #[command(flatten)]
        which: Which,
    },
    /// Shows each role with each tool, the scopes that it takes and the data system behind it
    Reference {
        #[command(flatten)]
        which: Which,
    },
    /// Prints the reference matrix as a file
    Export {
        #[arg(long)]
        format: Format,
        /// Write it into the folder `exports` of the home instead, and print where it is
        #[arg(long)]
        save: bool,
        #[command(flatten)]
        which: Which,
    },
}

/// What the reference matrix is written as.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    /// A table for a spreadsheet
    Csv,
    /// The scopes, roles and clients that an identity provider needs, as JSON
    Idp,
}

/// What a role may do with a tool.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Cell {
    /// Nothing
    Deny,
    /// Call it once a person has countersigned the call
    Token,
    /// Call it
    Allow,
}

impl Cell {
    const fn word(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Token => "token",
            Self::Allow => "allow",
        }
    }
}

pub(crate) async fn run(desk: &Desk, command: Grant) -> Done {
    match command {
        Grant::Set { role, tool, grant, when, otherwise, which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let matrix = desk.matrix(&tenant).await?;
            let role = named(list(&matrix, "/roles"), &role, "role", "countersign role list")?;
            let tool = tool_id(&matrix, &tool)?;
            let mut change = json!({ "role": role.id, "tool": tool, "grant": grant.word() });
            if let (Some(when), Some(change)) = (when, change.as_object_mut()) {
                let schema = match when.strip_prefix('@') {
                    Some(file) => std::fs::read_to_string(file)
                        .with_context(|| format!("could not read {file}"))?,
                    None => when,
                };
                let otherwise = otherwise.unwrap_or(Cell::Deny).word();
                let condition = json!({ "schema": schema, "otherwise": otherwise });
                change.insert("condition".to_owned(), condition);
            }
            let base = matrix.get("policy_version");
            let args = json!({ "tenant": tenant.id, "changes": [change], "base_version": base });
            desk.tell("matrix_set", args, super::enforced).await
        }
        Grant::Show { role: Some(role), tool: Some(tool), which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let matrix = desk.matrix(&tenant).await?;
            let role = named(list(&matrix, "/roles"), &role, "role", "countersign role list")?;
            let args =
                json!({ "tenant": tenant.id, "role": role.id, "tool": tool_id(&matrix, &tool)? });
            desk.tell("matrix_cell", args, cell).await
        }
        Grant::Reference { which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            desk.tell("reference_matrix", json!({ "tenant": tenant.id }), reference).await
        }
        Grant::Export { format, save, which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let format = match format {
                Format::Csv => "csv",
                Format::Idp => "idp",
            };
            let args = json!({ "tenant": tenant.id, "format": format });
            if save {
                return desk.tell("matrix_save", args, |saved| text(saved, "/path")).await;
            }
            let exported = desk.ask("matrix_export", args).await?;
            match desk.output {
                Output::Json => line(&exported.to_string()),
                Output::Person => line(text(&exported, "/text").trim_end()),
            }
            Ok(())
        }
        Grant::Show { which, .. } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let matrix = desk.matrix(&tenant).await?;
            desk.output.tell(&matrix, whole);
            Ok(())
        }
    }
}

fn whole(matrix: &Value) -> String {
    let roles = list(matrix, "/roles").iter();
    let roles: Vec<(String, String)> =
        roles.map(|role| (text(role, "/id"), text(role, "/name"))).collect();
    let mut heading = vec!["server", "tool"];
    heading.extend(roles.iter().map(|(_, name)| name.as_str()));
    let cells = list(matrix, "/cells").iter().map(|row| list(row, ""));
    let rows: Vec<Vec<String>> = list(matrix, "/tools")
        .iter()
        .zip(cells)
        .map(|(tool, cells)| {
            let mut row = vec![server_name(matrix, &text(tool, "/server")), marked(tool)];
            row.extend(cells.iter().zip(&roles).map(|(grant, (role, _))| {
                let conditional = list(matrix, "/conditions")
                    .iter()
                    .any(|it| text(it, "/role") == *role && text(it, "/tool") == text(tool, "/id"));
                format!("{}{}", text(grant, ""), if conditional { " if" } else { "" })
            }));
            row
        })
        .collect();
    let empty = "no tools yet; add a server with `countersign server add`";
    let table = table(&heading, &rows, empty);
    format!("{table}\nversion {} enforced", text(matrix, "/policy_version"))
}

fn reference(matrix: &Value) -> String {
    let row = |row: &Value| {
        let scopes: Vec<String> = list(row, "/scopes").iter().map(|it| text(it, "")).collect();
        vec![
            text(row, "/server_name"),
            text(row, "/tool_name"),
            text(row, "/role_name"),
            text(row, "/grant"),
            text(row, "/condition/schema"),
            text(row, "/condition/otherwise"),
            scopes.join(" "),
            text(row, "/introspect"),
            text(row, "/data_system"),
        ]
    };
    let rows: Vec<Vec<String>> = list(matrix, "/rows").iter().map(row).collect();
    let heading = [
        "server",
        "tool",
        "role",
        "grant",
        "condition",
        "otherwise",
        "scopes",
        "introspect",
        "data system",
    ];
    let empty = "no tools yet; add a server with `countersign server add`";
    table(&heading, &rows, empty)
}

fn cell(cell: &Value) -> String {
    let callers: Vec<Vec<String>> = list(cell, "/callers")
        .iter()
        .map(|caller| ["/agent_name", "/task_name", "/grant"].map(|at| text(caller, at)).to_vec())
        .collect();
    let recent: Vec<Vec<String>> = list(cell, "/recent")
        .iter()
        .map(|event| vec![moment(event, "/at"), text(event, "/summary")])
        .collect();
    let about = fields(&[
        ("tool", cell.get("tool").map(marked).unwrap_or_default()),
        ("grant", text(cell, "/grant")),
        ("when", text(cell, "/condition/schema")),
        ("otherwise", text(cell, "/condition/otherwise")),
        ("live sessions", text(cell, "/live_sessions")),
        ("fingerprint", text(cell, "/tool/fingerprint")),
    ]);
    let callers =
        table(&["agent", "task", "grant"], &callers, "nobody can call it through this role\n");
    let recent = table(&["when", "what"], &recent, "never called\n");
    format!("{about}\n{callers}\n{recent}")
}
