//! `countersign starter`.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::answer::text;
use crate::desk::Desk;
use crate::failure::Done;

#[derive(Debug, Subcommand)]
pub(crate) enum Starter {
    /// Makes the sample tenant `acme`: four roles, an agent of each, and the server `workbench`
    Load,
    /// Removes it, with everything in it
    Remove,
}

pub(crate) async fn run(desk: &Desk, command: Starter) -> Done {
    match command {
        Starter::Load => {
            let words = |tenant: &Value| format!("tenant {} is there", text(tenant, "/name"));
            desk.tell("starter_load", json!({}), words).await
        }
        Starter::Remove => {
            desk.tell("starter_remove", json!({}), |_| "the starter is gone".to_owned()).await
        }
    }
}
