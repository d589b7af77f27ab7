//! The commands, one file for each kind of thing. Each asks the core and tells what it answered;
//! none decides anything.

pub(crate) mod agent;
pub(crate) mod alert;
pub(crate) mod approval;
pub(crate) mod audit;
pub(crate) mod authn;
pub(crate) mod authority;
pub(crate) mod certificate;
mod client;
pub(crate) mod console;
pub(crate) mod credential;
pub(crate) mod declared;
pub(crate) mod grant;
pub(crate) mod init;
pub(crate) mod inventory;
pub(crate) mod issued;
pub(crate) mod issuer;
pub(crate) mod lifecycle;
pub(crate) mod operator;
pub(crate) mod outlook;
pub(crate) mod policy;
pub(crate) mod provider;
mod provider_settings;
pub(crate) mod registry;
pub(crate) mod revocation;
pub(crate) mod role;
pub(crate) mod rotation;
pub(crate) mod secret;
pub(crate) mod secrets;
pub(crate) mod series;
pub(crate) mod serve;
pub(crate) mod server;
pub(crate) mod serving;
pub(crate) mod session;
pub(crate) mod signing;
pub(crate) mod starter;
pub(crate) mod status;
pub(crate) mod task;
pub(crate) mod template;
pub(crate) mod tenant;
pub(crate) mod tool;
pub(crate) mod webhook;
pub(crate) mod workbench;

use serde_json::Value;

use crate::answer::text;

/// What people are told when a change is in force.
pub(crate) fn enforced(answer: &Value) -> String {
    format!("version {} enforced", text(answer, "/policy_version"))
}
