//! Where secrets are kept, as it is shown.

use std::path::PathBuf;

use cs_model::Timestamp;
use cs_secrets::{VaultLogin, VaultPlace};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::view::status::SecretKeeping;

/// Where secrets are kept.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct SecretsView {
    /// What keeps them.
    pub store: SecretKeeping,
    /// Where Vault is, where they are kept there.
    pub vault: Option<VaultAt>,
    /// A policy of Vault (HCL) that allows what this installation needs, and nothing else: where its
    /// secrets are, are to be moved, or were asked about.
    pub policy: String,
    /// A move to another store that is not done.
    pub moving: Option<MovingView>,
}

/// A move of all secrets that is not done.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct MovingView {
    /// Whether the copies are what counts, and those from before are still to be erased. Otherwise
    /// copies are still to be made.
    pub copied: bool,
    /// Where the copies are made; once they are what counts, where there are still those from
    /// before.
    pub other: SecretKeeping,
    /// Where that is in Vault, if it is there.
    pub vault: Option<VaultAt>,
    /// When it began.
    pub began: Timestamp,
}

/// Where a Vault is (HashiCorp Vault or OpenBao), and how it is logged in to: as an AppRole or with
/// a JWT.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(deny_unknown_fields)]
pub struct VaultAt {
    /// Its address: `https`, or `http` on this machine.
    pub address: String,
    /// The namespace, where it has any.
    #[serde(default)]
    #[ts(optional)]
    pub namespace: Option<String>,
    /// Where the key-value engine of version 2 is mounted; `secret` when absent.
    #[serde(default)]
    #[ts(optional)]
    pub mount: Option<String>,
    /// The path below it; `countersign` when absent.
    #[serde(default)]
    #[ts(optional)]
    pub path: Option<String>,
    /// The file with the certificates (PEM) to believe besides those that the system does.
    #[serde(default)]
    #[ts(optional)]
    pub ca_file: Option<PathBuf>,
    /// How to log in.
    pub login: VaultBy,
}

/// How a Vault is logged in to.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(deny_unknown_fields)]
pub struct VaultBy {
    /// The method.
    pub method: VaultMethod,
    /// Where the method is mounted; under its own name when absent.
    #[serde(default)]
    #[ts(optional)]
    pub mount: Option<String>,
    /// The role: its id for an AppRole, its name for a JWT.
    pub role: String,
    /// The file with what logs in: the secret id, or the JWT. Read at each login.
    pub file: PathBuf,
}

/// The methods by which a Vault is logged in to.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum VaultMethod {
    /// An AppRole with its secret id.
    Approle,
    /// A JWT, such as that of a service account.
    Jwt,
}

impl VaultAt {
    /// The mount and the path where none are said.
    pub(crate) fn usual() -> (String, String) {
        ("secret".to_owned(), "countersign".to_owned())
    }

    /// The place that is meant.
    pub fn place(self) -> VaultPlace {
        let VaultBy { method, mount, role, file } = self.login;
        let login = match method {
            VaultMethod::Approle => VaultLogin::AppRole {
                mount: mount.unwrap_or_else(|| "approle".to_owned()),
                role_id: role,
                secret_id_file: file,
            },
            VaultMethod::Jwt => VaultLogin::Jwt {
                mount: mount.unwrap_or_else(|| "jwt".to_owned()),
                role,
                jwt_file: file,
            },
        };
        let (usual_mount, usual_path) = Self::usual();
        VaultPlace {
            address: self.address,
            namespace: self.namespace,
            mount: self.mount.unwrap_or(usual_mount),
            path: self.path.unwrap_or(usual_path),
            shelf: None,
            ca_file: self.ca_file,
            login,
        }
    }

    /// A place, as it is shown.
    pub(crate) fn of(place: &VaultPlace) -> Self {
        let login = match place.login.clone() {
            VaultLogin::AppRole { mount, role_id, secret_id_file } => VaultBy {
                method: VaultMethod::Approle,
                mount: Some(mount),
                role: role_id,
                file: secret_id_file,
            },
            VaultLogin::Jwt { mount, role, jwt_file } => {
                VaultBy { method: VaultMethod::Jwt, mount: Some(mount), role, file: jwt_file }
            }
        };
        Self {
            address: place.address.clone(),
            namespace: place.namespace.clone(),
            mount: Some(place.mount.clone()),
            path: Some(place.path.clone()),
            ca_file: place.ca_file.clone(),
            login,
        }
    }
}

/// What came of looking for secrets where none may stand.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct SecretsAuditView {
    /// How many secrets were looked for.
    pub secrets: u64,
    /// How many of them are too short to be told from chance, and were not looked for.
    pub too_short: u64,
    /// How many files were read.
    pub files: u64,
    /// How many bytes were read.
    pub bytes: u64,
    /// Of how many processes the environment or the command line was read.
    pub processes: u64,
    /// Where a secret stands; the first 200.
    pub found: Vec<LeakView>,
    /// What could not be read, and why.
    pub unread: Vec<String>,
}

/// A secret where none may stand. What it is, is not told.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct LeakView {
    /// Which secret.
    pub what: String,
    /// Where.
    pub place: String,
    /// At which byte.
    pub at: u64,
}
