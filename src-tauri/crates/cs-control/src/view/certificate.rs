//! Certificates of agents, and who issues them.

use cs_model::{AuthorityId, CredentialId, Digest, Timestamp};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::agent::ReadyConfiguration;
use super::serving::CertificateFacts;
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

/// Whose certificates a tenant believes.
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
    /// The last revocation list that it signed, as PEM; nothing before the gateway served TLS.
    pub list: Option<String>,
    /// The authorities before it, until all that they issued has ended.
    pub former: Vec<FormerAuthority>,
    /// The authorities of others that the tenant believes.
    pub outside: Vec<OutsideAuthorityView>,
    /// The authority of the gateway's own certificate, as PEM; nothing before it served TLS.
    pub server_authority: Option<String>,
}

/// An authority in whose place another one issues.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct FormerAuthority {
    /// Its certificate, as PEM.
    pub certificate: String,
    /// Since when it issues nothing.
    pub retired: Timestamp,
    /// When the last that it issued ends.
    pub ends: Timestamp,
    /// The number of the last revocation list that it signed.
    pub list_number: u64,
    /// That list, as PEM.
    pub list: Option<String>,
}

/// An authority of others.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct OutsideAuthorityView {
    /// Its id.
    pub id: AuthorityId,
    /// Its name.
    pub name: String,
    /// The beginning of each SPIFFE id that it may speak for.
    pub prefix: String,
    /// Whether its certificates open anything now.
    pub standing: AuthorityStanding,
    /// Why they do not, or what is about to keep them from it: a sentence.
    pub problem: Option<String>,
    /// Its certificates: roots, and authorities below them.
    pub certificates: Vec<CertificateFacts>,
    /// Its revocation lists.
    pub lists: Vec<RevocationListView>,
    /// When the lists were handed in.
    pub listed: Option<Timestamp>,
    /// When it was added.
    pub created: Timestamp,
    /// How many credentials are certificates of it and may be used.
    pub credentials: u64,
}

/// Whether the certificates of an outside authority open anything.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AuthorityStanding {
    /// The authority's own certificate has ended.
    Ended,
    /// A revocation list is out of date.
    ListExpired,
    /// There is no revocation list.
    NoList,
    /// They open what they were registered for.
    Trusted,
}

/// A revocation list.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct RevocationListView {
    /// When it was signed.
    pub signed: Timestamp,
    /// From when on nobody may rely on it.
    pub until: Timestamp,
    /// How many certificates it says are revoked.
    pub revoked: u64,
}
