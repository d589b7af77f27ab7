//! How the gateway serves, and how it is to.

use cs_model::serving::{ServingSettings, TlsVersion};
use cs_model::{Digest, Timestamp};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::status::GatewayState;

/// How the gateway serves, and how it is to.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct ServingView {
    /// Where it listens; where it would, while it does not.
    pub listen: String,
    /// The origin that agents are given, while it serves.
    pub origin: Option<String>,
    /// Whether it serves.
    pub state: GatewayState,
    /// Why it does not serve, or not as it was asked to.
    pub problem: Option<String>,
    /// How it serves TLS, while it does.
    pub tls: Option<TlsView>,
    /// What an operator has set; the usual, before anybody did.
    pub wanted: ServingSettings,
    /// Whether it serves otherwise than it is set to, until it is started anew.
    pub pending: bool,
    /// Whether flags of its process win over what is set.
    pub locked_by_flags: bool,
    /// Where consoles on other machines are let in.
    pub consoles: DoorView,
}

/// Where consoles on other machines are let in.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct DoorView {
    /// Where, while they are.
    pub listen: Option<String>,
    /// Why they are not, although they should be.
    pub problem: Option<String>,
    /// Whether a flag of its process wins over what is set.
    pub locked_by_flags: bool,
}

/// How the gateway serves TLS.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct TlsView {
    /// The names and addresses by which it is reached. Agents are given the first.
    pub names: Vec<String>,
    /// The oldest version that is spoken.
    pub oldest: TlsVersion,
    /// The gateway's own certificate.
    pub certificate: CertificateFacts,
}

/// What is known of a certificate.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct CertificateFacts {
    /// Its subject; empty where it has none.
    pub subject: String,
    /// Its serial number, in hexadecimal digits.
    pub serial: String,
    /// The SHA-256 of the certificate (DER).
    pub fingerprint: Digest,
    /// The names that it is for.
    pub names: Vec<String>,
    /// When it becomes valid.
    pub from: Timestamp,
    /// The last second in which it is valid.
    pub until: Timestamp,
    /// Who issued it, by name.
    pub authority: String,
}
