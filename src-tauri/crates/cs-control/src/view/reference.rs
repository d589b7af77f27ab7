//! The reference matrix: roles, tools, scopes and the data systems behind them.

use cs_model::{Grant, RoleId, ToolId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::matrix::ConditionView;

/// The reference matrix of a tenant.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct ReferenceView {
    /// The policy version that it shows.
    pub policy_version: u64,
    /// Every tool with every role, by server, tool and role.
    pub rows: Vec<ReferenceRow>,
}

/// One tool with one role.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct ReferenceRow {
    /// The role.
    pub role: RoleId,
    /// Its name.
    pub role_name: String,
    /// The tool.
    pub tool: ToolId,
    /// Its name at its server.
    pub tool_name: String,
    /// Its server's name.
    pub server_name: String,
    /// Whether it may be called at all.
    pub enabled: bool,
    /// What the role grants.
    pub grant: Grant,
    /// What the arguments have to satisfy for that, where it asks for something.
    pub condition: Option<ConditionView>,
    /// The scopes that an access token needs to call it.
    pub scopes: Vec<String>,
    /// Whether the provider of an access token is asked about it on each call.
    pub introspect: bool,
    /// The data system behind it.
    pub data_system: Option<String>,
}

/// What the reference matrix is written as.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum MatrixFormat {
    /// A table for a spreadsheet (RFC 4180).
    Csv,
    /// What an identity provider has to know: scopes, roles and clients, as JSON.
    Idp,
}

/// The reference matrix as a file.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct MatrixText {
    /// What it is written as.
    pub format: MatrixFormat,
    /// A name for the file.
    pub file_name: String,
    /// The file.
    pub text: String,
}

/// A file that was written for the operator.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct SavedFile {
    /// Where it is.
    pub path: String,
}
