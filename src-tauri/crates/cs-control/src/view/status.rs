//! The whole installation.

use cs_model::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::alert::AlertView;
use super::approval::ApprovalRow;
use super::audit::AuditRow;
use super::operator::OperatorView;
use super::server::ServerView;

/// What the window must do first.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Make a registry and its first owner.
    FirstRun,
    /// Give the code that opens the file by which this console joins a gateway elsewhere.
    Join,
    /// Nothing: it can go on.
    Ready,
}

/// Where the master key and the operators' keys are kept.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SecretKeeping {
    /// In one file, sealed by a passphrase.
    File,
    /// In the keychain of the operating system.
    Keychain,
    /// In memory: gone with the process. For tests.
    Memory,
    /// In HashiCorp Vault or OpenBao.
    Vault,
}

/// How the installation is doing.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
pub struct StatusView {
    /// What the window must do first.
    pub phase: Phase,
    /// What secrets are kept in.
    pub secret_store: SecretKeeping,
    /// The folder that has the registry.
    pub home: String,
    /// The gateway.
    pub gateway: GatewayView,
    /// The policy version in force.
    pub policy_version: u64,
    /// Why the registry is not the one that the secret store remembers. Nothing is served from it
    /// and nothing changes in it until an owner accepts it.
    pub doubt: Option<String>,
    /// Why nothing is done about credentials by itself, while it is not.
    pub halted: Option<HaltedView>,
    /// Calls that the gateway judged in the last minute.
    pub calls_per_minute: u64,
    /// Calls that wait for a person.
    pub waiting_approvals: u64,
    /// Why the web server that is told of waiting calls was not, the last time.
    pub webhook_problem: Option<String>,
    /// Alerts that nobody has acknowledged.
    pub open_alerts: u64,
    /// Those of them that need somebody now.
    pub open_incidents: u64,
    /// Who unlocked the console, if it is unlocked.
    pub operator: Option<OperatorView>,
    /// When the console locks by itself unless something happens.
    pub locks_at: Option<Timestamp>,
    /// Where the gateway is, for a console that works on one elsewhere.
    pub attached: Option<AttachedView>,
    /// The time.
    pub now: Timestamp,
}

/// Housekeeping that stands still until a person has looked.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct HaltedView {
    /// Since when.
    pub since: Timestamp,
    /// Why: what follows "the clock was set".
    pub why: String,
}

/// A console that works on a gateway elsewhere.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct AttachedView {
    /// The gateway's host and port.
    pub address: String,
    /// Whose console it is: nobody else unlocks it.
    pub operator_name: String,
    /// What it is called.
    pub console_name: String,
    /// Whether there is a connection.
    pub connected: bool,
    /// Why there is none.
    pub problem: Option<String>,
}

/// Whether the gateway serves.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum GatewayState {
    /// It could not be started.
    Failed,
    /// It is there, and refuses every call.
    Refusing,
    /// It serves.
    Serving,
    /// It was not started, or was stopped.
    Stopped,
}

/// The gateway.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct GatewayView {
    /// Whether it serves.
    pub state: GatewayState,
    /// `http://127.0.0.1:PORT`, or `https://` and a name with TLS, while it serves.
    pub url: Option<String>,
    /// Why it does not serve, or not as it was asked to.
    pub problem: Option<String>,
    /// Whether it runs in this process or in `countersign serve`.
    pub embedded: bool,
}

/// The first page.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
pub struct OverviewView {
    /// How the installation is doing.
    pub status: StatusView,
    /// The last refusals that were attempts outside an allowlist, newest first, at most 8.
    pub anomalies: Vec<AuditRow>,
    /// Alerts that nobody has acknowledged, the latest first, at most 8.
    pub alerts: Vec<AlertView>,
    /// Waiting calls, soonest to expire first, at most 8.
    pub waiting: Vec<ApprovalRow>,
    /// The tenant's servers.
    pub servers: Vec<ServerView>,
    /// Decisions of the last 24 hours, one entry per hour, oldest first.
    pub hours: Vec<HourView>,
    /// How much there is.
    pub counts: CountsView,
}

/// The decisions of one hour.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct HourView {
    /// When it began.
    pub from: Timestamp,
    /// How many calls went ahead.
    pub allow: u64,
    /// How many waited for a person.
    pub hold: u64,
    /// How many were refused.
    pub deny: u64,
}

/// How much a tenant has.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct CountsView {
    /// Agents.
    pub agents: u64,
    /// Tools.
    pub tools: u64,
    /// Tasks.
    pub tasks: u64,
    /// Sessions that are not over.
    pub live_sessions: u64,
}
