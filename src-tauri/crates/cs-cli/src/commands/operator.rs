//! `countersign operator`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::answer::{list, moment, text};
use crate::desk::{Desk, named};
use crate::failure::Done;
use crate::output::table;
use crate::passphrase;

#[derive(Debug, Subcommand)]
pub(crate) enum Operator {
    /// Lists the operators
    List,
    /// Makes an operator, with a signing key sealed by their own passphrase
    Create {
        name: String,
        #[arg(long)]
        role: Role,
        /// Read their passphrase from a file, where `--passphrase-file` opens the secrets
        #[arg(long, value_name = "FILE")]
        new_passphrase_file: Option<PathBuf>,
    },
    /// Removes an operator, who can neither unlock the console nor sign from then on
    Remove { name: String },
}

/// What an operator may do.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Role {
    /// Everything
    Owner,
    /// Change what is enforced
    PolicyEditor,
    /// Sign and deny waiting calls
    Approver,
    /// Look
    Auditor,
}

pub(crate) async fn run(desk: &Desk, command: Operator) -> Done {
    match command {
        Operator::List => desk.tell("operator_list", json!({}), listed).await,
        Operator::Create { name, role, new_passphrase_file } => {
            let passphrase = match new_passphrase_file {
                Some(file) => passphrase::from_file(&file)?,
                None => passphrase::ask_new(&desk.everywhere, "Their passphrase: ")?,
            };
            let role = match role {
                Role::Owner => "owner",
                Role::PolicyEditor => "policy_editor",
                Role::Approver => "approver",
                Role::Auditor => "auditor",
            };
            let args = json!({ "name": name, "role": role, "passphrase": passphrase });
            let words = |operator: &Value| {
                format!("operator {} is {}", text(operator, "/name"), text(operator, "/role"))
            };
            desk.tell("operator_create", args, words).await
        }
        Operator::Remove { name } => {
            let all = desk.ask("operator_list", json!({})).await?;
            let see = "countersign operator list";
            let found = named(list(&all, ""), &name, "operator", see)?;
            let args = json!({ "operator": found.id });
            desk.tell("operator_remove", args, |_| format!("operator {name} is removed")).await
        }
    }
}

fn listed(operators: &Value) -> String {
    let row = |operator: &Value| {
        vec![text(operator, "/name"), text(operator, "/role"), moment(operator, "/created")]
    };
    let rows: Vec<Vec<String>> = list(operators, "").iter().map(row).collect();
    table(&["name", "role", "since"], &rows, "no operators yet")
}
