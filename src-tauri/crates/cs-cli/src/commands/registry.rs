//! `countersign registry`.

use clap::Subcommand;
use serde_json::json;

use crate::desk::Desk;
use crate::failure::Done;

#[derive(Debug, Subcommand)]
pub(crate) enum Registry {
    /// Takes the registry as it is after a backup was restored; every session in it is over then
    Accept,
}

pub(crate) async fn run(desk: &Desk, command: Registry) -> Done {
    match command {
        Registry::Accept => {
            let words = "the registry is accepted as it is; every session in it is over";
            desk.tell("registry_accept", json!({}), |_| words.to_owned()).await
        }
    }
}
