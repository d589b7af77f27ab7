//! `countersign operator`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::signing::{self, Group};
use crate::answer::{list, moment, text};
use crate::desk::{Desk, named};
use crate::failure::Done;
use crate::output::table;
use crate::passphrase;

#[derive(Debug, Subcommand)]
pub(crate) enum Operator {
    /// Lists the operators
    List,
    /// Makes an operator, with a signing key sealed by their own passphrase; takes an owner's
    Create {
        name: String,
        #[arg(long)]
        role: Role,
        /// Read their passphrase from a file; `--passphrase-file` is the owner's
        #[arg(long, value_name = "FILE")]
        new_passphrase_file: Option<PathBuf>,
    },
    /// Keeps the groups that operators are in
    #[command(subcommand)]
    Group(Group),
    /// Changes your own passphrase
    Passphrase {
        /// Read the next passphrase from a file; `--passphrase-file` is the one that it was
        #[arg(long, value_name = "FILE")]
        new_passphrase_file: Option<PathBuf>,
    },
    /// Lets an operator in again who lost their passphrase; takes the passphrase of another owner
    Recover {
        name: String,
        /// Read their next passphrase from a file; `--passphrase-file` is the owner's
        #[arg(long, value_name = "FILE")]
        new_passphrase_file: Option<PathBuf>,
    },
    /// Removes an operator, who can neither unlock the console nor sign from then on; takes an
    /// owner's passphrase
    Remove { name: String },
    /// Gives an operator another role; takes an owner's passphrase
    Role { name: String, role: Role },
    /// Makes yourself another signing key; the public key that was is kept
    RotateKey,
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

impl Role {
    const fn word(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::PolicyEditor => "policy_editor",
            Self::Approver => "approver",
            Self::Auditor => "auditor",
        }
    }
}

pub(crate) async fn run(desk: &Desk, command: Operator) -> Done {
    match command {
        Operator::List => desk.tell("operator_list", json!({}), listed).await,
        Operator::Create { name, role, new_passphrase_file } => {
            let owner = owner(desk)?;
            let passphrase = next(new_passphrase_file, "Their passphrase: ")?;
            let args = json!({
                "name": name, "role": role.word(), "passphrase": passphrase, "owner": owner,
            });
            desk.tell("operator_create", args, is).await
        }
        Operator::Passphrase { new_passphrase_file } => {
            let passphrase = passphrase::ask(&desk.everywhere, "Your passphrase as it is: ")?;
            let next = next(new_passphrase_file, "Your next passphrase: ")?;
            let args = json!({ "passphrase": passphrase, "next": next });
            let words =
                |it: &Value| format!("operator {} has another passphrase", text(it, "/name"));
            desk.tell("operator_passphrase_set", args, words).await
        }
        Operator::Recover { name, new_passphrase_file } => {
            let operator = found(desk, &name).await?;
            let owner = owner(desk)?;
            let passphrase = next(new_passphrase_file, "Their next passphrase: ")?;
            let args = json!({ "operator": operator, "passphrase": passphrase, "owner": owner });
            desk.tell("operator_recover", args, has_key).await
        }
        Operator::Group(command) => signing::group(desk, command).await,
        Operator::Remove { name } => {
            let args = json!({ "operator": found(desk, &name).await?, "owner": owner(desk)? });
            desk.tell("operator_remove", args, |_| format!("operator {name} is removed")).await
        }
        Operator::Role { name, role } => {
            let operator = found(desk, &name).await?;
            let args = json!({ "operator": operator, "role": role.word(), "owner": owner(desk)? });
            desk.tell("operator_role_set", args, is).await
        }
        Operator::RotateKey => {
            let passphrase = passphrase::ask(&desk.everywhere, "Your passphrase: ")?;
            let args = json!({ "passphrase": passphrase });
            desk.tell("operator_key_rotate", args, has_key).await
        }
    }
}

/// The passphrase of the owner who changes who may use the console.
pub(super) fn owner(desk: &Desk) -> anyhow::Result<String> {
    passphrase::ask(&desk.everywhere, "An owner's passphrase: ")
}

/// A passphrase that is to be: `--passphrase-file` is somebody's who is there already.
fn next(file: Option<PathBuf>, prompt: &str) -> anyhow::Result<String> {
    match file {
        Some(file) => passphrase::from_file(&file),
        None => passphrase::typed_new(prompt),
    }
}

async fn found(desk: &Desk, name: &str) -> Done<Value> {
    let all = desk.ask("operator_list", json!({})).await?;
    let see = "countersign operator list";
    Ok(json!(named(list(&all, ""), name, "operator", see)?.id))
}

fn is(operator: &Value) -> String {
    format!("operator {} is {}", text(operator, "/name"), text(operator, "/role"))
}

fn has_key(operator: &Value) -> String {
    format!("operator {} has the key {}", text(operator, "/name"), text(operator, "/key"))
}

fn listed(operators: &Value) -> String {
    let row = |operator: &Value| {
        vec![
            text(operator, "/name"),
            text(operator, "/role"),
            moment(operator, "/created"),
            text(operator, "/key"),
            moment(operator, "/key_since"),
        ]
    };
    let rows: Vec<Vec<String>> = list(operators, "").iter().map(row).collect();
    table(&["name", "role", "since", "key", "key since"], &rows, "no operators yet")
}
