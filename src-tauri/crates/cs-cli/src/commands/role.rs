//! `countersign role`.

use clap::Subcommand;
use serde_json::json;

use super::tenant::Which;
use crate::answer::{list, text};
use crate::desk::{Desk, named};
use crate::failure::Done;
use crate::output::table;

#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    /// Lists the roles of a tenant
    List {
        #[command(flatten)]
        which: Which,
    },
    /// Makes a role; it is granted nothing
    Create {
        name: String,
        #[command(flatten)]
        which: Which,
    },
    /// Removes a role, with its grants
    Remove {
        name: String,
        #[command(flatten)]
        which: Which,
    },
}

pub(crate) async fn run(desk: &Desk, command: Role) -> Done {
    match command {
        Role::List { which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let matrix = desk.matrix(&tenant).await?;
            let roles = matrix.get("roles").cloned().unwrap_or_default();
            desk.output.tell(&roles, |roles| {
                let row = |role| vec![text(role, "/name"), text(role, "/agents")];
                let rows: Vec<Vec<String>> = list(roles, "").iter().map(row).collect();
                let empty = "no roles yet; make one with `countersign role create NAME`";
                table(&["name", "agents"], &rows, empty)
            });
            Ok(())
        }
        Role::Create { name, which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let args = json!({ "tenant": tenant.id, "name": name });
            desk.tell("role_create", args, super::enforced).await
        }
        Role::Remove { name, which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let matrix = desk.matrix(&tenant).await?;
            let role = named(list(&matrix, "/roles"), &name, "role", "countersign role list")?;
            let args = json!({ "tenant": tenant.id, "role": role.id });
            desk.tell("role_remove", args, super::enforced).await
        }
    }
}
