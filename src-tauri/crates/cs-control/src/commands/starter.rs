//! The starter.

use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::command::Command;
use crate::control::Control;
use crate::failure::ControlError;
use crate::starter;
use crate::view::tenant::TenantView;

/// Loads the starter: tenant `acme` with four roles, an agent of each, and the sample server.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct StarterLoad {}

impl Command for StarterLoad {
    const NAME: &'static str = "starter_load";
    const NEEDS: Permission = Permission::Edit;
    type Answer = TenantView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<TenantView, ControlError> {
        starter::load(control, caller).await
    }
}

/// Removes the starter, and whatever was added to its tenant since.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct StarterRemove {}

impl Command for StarterRemove {
    const NAME: &'static str = "starter_remove";
    const NEEDS: Permission = Permission::Edit;
    type Answer = ();

    async fn run(self, control: &Control, caller: &Caller) -> Result<(), ControlError> {
        starter::remove(control, caller).await
    }
}
