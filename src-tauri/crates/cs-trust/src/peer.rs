//! Who a client certificate says is calling.
//!
//! [`PeerCertificate::read`] is our own check of a leaf, after its chain was checked: it must be an
//! agent's certificate and nothing besides. The common name means nothing; the agent is the one
//! URI among the alternative names.

use cs_model::{Digest, Timestamp};
use rustls::pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;

use crate::certificate::{self, Purpose};
use crate::spiffe::{SpiffeError, WorkloadId};

/// What is known of a client certificate that is an agent's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PeerCertificate {
    /// Who it names: an agent, or whoever an outside authority speaks for.
    pub spiffe: WorkloadId,
    /// Its serial number, in lower-case hexadecimal without a leading zero byte. Unique for one
    /// issuer only.
    pub serial: String,
    /// The SHA-256 digest of the whole certificate (`x5t#S256` in RFC 8705).
    pub fingerprint: Digest,
    /// The SHA-256 digest of its public key (`SubjectPublicKeyInfo`).
    pub spki: Digest,
    /// The SHA-256 digest of its issuer's name, as encoded. Two authorities may share a name; the
    /// key of the one that was trusted is in [`crate::tls::ChainedPeer`].
    pub issuer: Digest,
    /// When it becomes valid.
    pub not_before: Timestamp,
    /// The last second in which it is valid.
    pub not_after: Timestamp,
}

/// Why a client certificate is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PeerError {
    /// It may sign certificates or revocation lists.
    #[error("the certificate is an authority's, not an agent's")]
    Authority,
    /// The authority that it was issued by is not valid any more, or not yet.
    #[error("the authority's own certificate is not valid at this time")]
    AuthorityDates,
    /// No chain of valid signatures leads to an authority, for a reason not listed here.
    #[error("the certificate's chain is not valid")]
    Chain,
    /// More certificates, or larger ones, than a peer needs to show.
    #[error("the certificate's chain is too long")]
    ChainTooLong,
    /// It is not valid any more.
    #[error("the certificate has expired")]
    Expired,
    /// It has a critical extension that nothing here acts on.
    #[error("the certificate has a critical extension that is not understood")]
    Extension,
    /// Its authority is not one of those trusted here.
    #[error("the certificate was issued by nobody known")]
    Issuer,
    /// Its key is of an unknown kind, weak or oversized.
    #[error("the certificate's key is too weak or of an unknown kind")]
    Key,
    /// Its key usage is absent, or does not allow handshakes to be signed.
    #[error("the certificate's key is not for signing handshakes")]
    KeyUsage,
    /// It is not a well-formed certificate of version 3.
    #[error("this is not a well-formed certificate")]
    Malformed,
    /// It has other names than exactly one URI.
    #[error("the certificate does not have exactly one URI as its alternative name")]
    Names,
    /// An intermediate, or an anchor, may not issue certificates and revocation lists.
    #[error("a certificate of the chain may not issue others")]
    NoAuthority,
    /// It is not valid yet.
    #[error("the certificate is not valid yet")]
    NotYetValid,
    /// Its purposes are not exactly the one that is needed.
    #[error("the certificate is not for authenticating clients alone")]
    Purpose,
    /// No usable revocation list covers it.
    #[error("nobody can tell whether the certificate is revoked")]
    RevocationUnknown,
    /// Its authority's revocation list is out of date.
    #[error("the authority's revocation list has expired")]
    RevocationExpired,
    /// It was revoked.
    #[error("the certificate is revoked")]
    Revoked,
    /// It names an agent that its authority may not speak for.
    #[error("the certificate's authority may not speak for this agent")]
    Scope,
    /// Its serial number is not 1 to 20 bytes, positive and not zero.
    #[error("the certificate's serial number is not a positive number of at most 20 bytes")]
    Serial,
    /// Its URI is not a SPIFFE ID of an agent.
    #[error("the certificate does not name an agent: {0}")]
    Spiffe(SpiffeError),
}

impl PeerCertificate {
    /// Reads a leaf of a built-in authority whose chain was checked, and checks what a chain does
    /// not show.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong with it.
    pub fn read(leaf_der: &[u8], now: Timestamp) -> Result<Self, PeerError> {
        let peer = Self::read_workload(leaf_der, now)?;
        check_agent(leaf_der, &peer)?;
        Ok(peer)
    }

    /// The same for a leaf of whatever authority: what is asked of each of them.
    pub(crate) fn read_workload(leaf_der: &[u8], now: Timestamp) -> Result<Self, PeerError> {
        let cert = certificate::read(leaf_der)?;
        certificate::check_dates(&cert, now)?;
        certificate::check_leaf(&cert, Purpose::Workload)?;
        Ok(Self {
            spiffe: WorkloadId::parse(only_uri(&cert)?).map_err(PeerError::Spiffe)?,
            serial: certificate::serial(&cert)?,
            fingerprint: Digest::of(leaf_der),
            spki: Digest::of(cert.public_key().raw),
            issuer: Digest::of(cert.issuer().as_raw()),
            not_before: certificate::moment(cert.validity().not_before),
            not_after: certificate::moment(cert.validity().not_after),
        })
    }
}

/// What is asked besides of a leaf of a built-in authority: it is for nothing but proving who
/// calls, and names one agent of one tenant.
pub(crate) fn check_agent(leaf_der: &[u8], peer: &PeerCertificate) -> Result<(), PeerError> {
    certificate::check_leaf(&certificate::read(leaf_der)?, Purpose::Agent)?;
    peer.spiffe.agent().map(drop).map_err(PeerError::Spiffe)
}

/// The SHA-256 digest of the public key of a certificate in PEM, as [`PeerCertificate::spki`] is.
pub fn public_key_of(certificate_pem: &str) -> Option<Digest> {
    let der: CertificateDer<'_> = certificate::only(certificate_pem)?;
    let cert = certificate::read(&der).ok()?;
    Some(Digest::of(cert.public_key().raw))
}

/// The one URI that is the one alternative name.
fn only_uri<'c>(cert: &'c X509Certificate<'_>) -> Result<&'c str, PeerError> {
    let names = cert.subject_alternative_name().map_err(|_| PeerError::Malformed)?;
    let names = names.ok_or(PeerError::Names)?;
    match names.value.general_names.as_slice() {
        [GeneralName::URI(uri)] => Ok(uri),
        [..] => Err(PeerError::Names),
    }
}

impl PeerError {
    /// One of each, for whoever has to have words for all of them.
    pub const ALL: &[Self] = &[
        Self::Authority,
        Self::AuthorityDates,
        Self::Chain,
        Self::ChainTooLong,
        Self::Expired,
        Self::Extension,
        Self::Issuer,
        Self::Key,
        Self::KeyUsage,
        Self::Malformed,
        Self::Names,
        Self::NoAuthority,
        Self::NotYetValid,
        Self::Purpose,
        Self::RevocationUnknown,
        Self::RevocationExpired,
        Self::Revoked,
        Self::Scope,
        Self::Serial,
        Self::Spiffe(SpiffeError::Path),
    ];

    /// A short code for the log.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Authority => "certificate_is_authority",
            Self::AuthorityDates => "certificate_authority_expired",
            Self::Chain => "certificate_chain_invalid",
            Self::ChainTooLong => "certificate_chain_too_long",
            Self::Expired => "certificate_expired",
            Self::Extension => "certificate_extension_unknown",
            Self::Issuer => "certificate_issuer_unknown",
            Self::Key => "certificate_key_weak",
            Self::KeyUsage => "certificate_key_usage",
            Self::Malformed => "certificate_malformed",
            Self::Names => "certificate_names",
            Self::NoAuthority => "certificate_issuer_no_authority",
            Self::NotYetValid => "certificate_not_yet_valid",
            Self::Purpose => "certificate_purpose",
            Self::RevocationUnknown => "certificate_revocation_unknown",
            Self::RevocationExpired => "certificate_crl_expired",
            Self::Revoked => "certificate_revoked",
            Self::Scope => "certificate_outside_scope",
            Self::Serial => "certificate_serial",
            Self::Spiffe(_) => "certificate_spiffe_id",
        }
    }
}

#[cfg(test)]
mod tests;
