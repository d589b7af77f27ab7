//! The registry as a whole.

use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::anchor;
use crate::command::Command;
use crate::control::Control;
use crate::failure::ControlError;

/// Takes a registry as it is that is not the one that the secret store remembers: after a backup
/// was restored. Every session in it is over then.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct RegistryAccept {}

impl Command for RegistryAccept {
    const NAME: &'static str = "registry_accept";
    const NEEDS: Permission = Permission::Own;
    type Answer = ();

    async fn run(self, control: &Control, caller: &Caller) -> Result<(), ControlError> {
        anchor::accept(control, caller).await
    }
}
