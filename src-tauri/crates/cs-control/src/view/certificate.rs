//! Certificates of agents, and who issues them.

use cs_model::{CredentialId, Digest, Timestamp};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::agent::ReadyConfiguration;
use crate::secret_text::ShownOnce;

/// A new certificate. Its key is shown once.
#[derive(Debug, Serialize, TS)]
pub struct IssuedCertificate {
    /// Its credential.
    pub credential: CredentialId,
    /// The SPIFFE id in it.
    pub spiffe: String,
    /// Its serial number, in hexadecimal digits.
    pub serial: String,
    /// The SHA-256 of the certificate (DER).
    pub fingerprint: Digest,
    /// The certificate, as PEM.
    pub certificate: String,
    /// Its private key (PKCS #8, PEM), where it was made here.
    pub key: Option<ShownOnce>,
    /// The authority that issued it, as PEM.
    pub authority: String,
    /// The authority of the gateway's own certificate, as PEM: what the agent has to trust.
    pub server_authority: String,
    /// When it ends.
    pub expires: Timestamp,
    /// The endpoint that the agent calls.
    pub endpoint: String,
    /// Ready configurations: a title, what to do with it, and its text.
    pub configurations: Vec<ReadyConfiguration>,
}

/// Who issues the certificates of a tenant.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct AuthorityView {
    /// Its certificate, as PEM; nothing before the first certificate was issued.
    pub certificate: Option<String>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// The beginning of the SPIFFE id of each agent that it may speak for.
    pub speaks_for: String,
    /// The number of the last revocation list that it signed.
    pub list_number: u64,
    /// How many of its certificates are revoked that have not expired.
    pub revoked: u64,
    /// The authority of the gateway's own certificate, as PEM; nothing before it served TLS.
    pub server_authority: Option<String>,
}
