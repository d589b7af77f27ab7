//! The built-in authority of one tenant: it issues certificates and says which are revoked.
//!
//! A self-signed P-256 root signs leaves directly. Each tenant has its own, so that the
//! certificates of one tenant have no issuer at another. What stands in a certificate comes from
//! the registry; of a signing request only the public key is taken, and only from whoever holds
//! the private one (attacks M09).

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use cs_model::{Digest, Secret, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PublicKeyData, RevokedCertParams, SanType, SerialNumber,
    SignatureAlgorithm, SigningKey, SubjectPublicKeyInfo,
};
use rustls::pki_types::{CertificateDer, CertificateSigningRequestDer};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;
use zeroize::Zeroizing;

use crate::certificate::{self, MOST_BYTES, Purpose};
use crate::peer::PeerError;
use crate::spiffe::SpiffeId;

/// How long an authority lives: ten years.
pub const AUTHORITY_LIFETIME: Duration = Duration::from_secs(3652 * DAY);

/// How long an agent's or a server's certificate lives at most: 90 days.
pub const MOST_LIFETIME: Duration = Duration::from_secs(90 * DAY);

/// How long before it is issued a certificate is valid, for clocks that are late.
pub const BACKDATED: Duration = Duration::from_secs(300);

const DAY: u64 = 24 * 60 * 60;

/// The most characters in a common name (RFC 5280, `ub-common-name`).
const MOST_SUBJECT: usize = 64;

/// An authority with its key, unlocked.
pub struct Authority {
    issuer: Issuer<'static, Signer>,
    certificate_pem: String,
    not_before: Timestamp,
    not_after: Timestamp,
}

/// A private key that is erased when dropped, which the library's own is not.
struct Signer(Zeroizing<KeyPair>);

/// Where the key of a new certificate comes from.
#[derive(Clone, Copy, Debug)]
pub enum LeafKey<'a> {
    /// The agent's own key: a PKCS #10 request in PEM, signed with it.
    Csr(&'a str),
    /// A new P-256 key, which is handed back with the certificate.
    Generate,
}

/// A certificate, just issued.
#[derive(Debug)]
pub struct IssuedLeaf {
    /// The certificate.
    pub certificate_pem: String,
    /// Its private key (PKCS #8, PEM), when it was made here.
    pub key_pem: Option<Secret>,
    /// Its serial number, written as [`crate::PeerCertificate::serial`] is.
    pub serial: String,
    /// The SHA-256 digest of the certificate.
    pub fingerprint: Digest,
    /// The SHA-256 digest of its public key (`SubjectPublicKeyInfo`).
    pub spki: Digest,
    /// When it becomes valid.
    pub not_before: Timestamp,
    /// The last second in which it is valid.
    pub not_after: Timestamp,
}

/// A certificate that must not be believed any more.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RevokedSerial {
    /// Its serial number, as it was issued.
    pub serial: String,
    /// Since when.
    pub at: Timestamp,
}

/// Why an authority cannot be made or opened, or does not issue something.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CaError {
    /// The authority's certificate is not one of a built-in authority.
    #[error("this is not the certificate of an authority: {0}")]
    Certificate(PeerError),
    /// The cryptographic library refused.
    #[error("the certificate could not be signed")]
    Crypto,
    /// The times are in the wrong order, or too far away to be written down.
    #[error("these dates do not fit in a certificate")]
    Dates,
    /// The private key is unreadable or not the certificate's.
    #[error("the key is not the key of this authority")]
    Key,
    /// The certificate would live for no time, for too long, or beyond its authority.
    #[error("a certificate lives at most 90 days, and not longer than its authority")]
    Lifetime,
    /// The text is not one signing request.
    #[error("this is not one signing request in PEM")]
    Request,
    /// The request was not signed with the key in it.
    #[error("the signing request is not signed with its own key")]
    RequestSignature,
    /// The serial number is not one that was issued here.
    #[error("this is not a serial number")]
    Serial,
    /// The server's names are absent or not names or addresses of hosts.
    #[error("a server has at least one name, each a host's name or an IP address")]
    ServerName,
    /// The authority's name is empty, too long or has control characters.
    #[error("an authority has a name of 1 to 64 printable characters")]
    Subject,
    /// The request's key is weak or of an unknown kind.
    #[error("the key is weak or of a kind that is not known")]
    WeakKey,
}

impl Authority {
    /// Makes a new authority, and its key (PKCS #8, PEM). `serial` is 16 random bytes.
    ///
    /// # Errors
    ///
    /// When the name cannot stand in a certificate, or the cryptographic library refuses.
    pub fn create(
        subject: &str,
        now: Timestamp,
        serial: [u8; 16],
    ) -> Result<(Self, Secret), CaError> {
        let length = subject.chars().count();
        if !(1..=MOST_SUBJECT).contains(&length) || subject.chars().any(char::is_control) {
            return Err(CaError::Subject);
        }
        let mut params = leaf_params(now, now.after(AUTHORITY_LIFETIME), serial)?;
        params.use_authority_key_identifier_extension = false;
        params.distinguished_name.push(DnType::CommonName, subject);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let (key, secret) = Signer::generate()?;
        let certificate = params.self_signed(&key).map_err(|_| CaError::Crypto)?;
        Ok((Self::open(&certificate.pem(), &secret)?, secret))
    }

    /// Opens an authority with its certificate and key, both in PEM.
    ///
    /// # Errors
    ///
    /// When either is not an authority's, or they do not belong together.
    pub fn open(certificate_pem: &str, key: &Secret) -> Result<Self, CaError> {
        let malformed = CaError::Certificate(PeerError::Malformed);
        let der: CertificateDer<'_> = certificate::only(certificate_pem).ok_or(malformed)?;
        let cert = certificate::read(&der).map_err(CaError::Certificate)?;
        certificate::check_authority(&cert).map_err(CaError::Certificate)?;
        certificate::check_lister(&cert).map_err(CaError::Certificate)?;
        let key = Signer::read(key).ok_or(CaError::Key)?;
        if key.subject_public_key_info() != cert.public_key().raw {
            return Err(CaError::Key);
        }
        let issuer = Issuer::from_ca_cert_der(&der, key);
        Ok(Self {
            issuer: issuer.map_err(|_| malformed)?,
            certificate_pem: certificate_pem.to_owned(),
            not_before: certificate::moment(cert.validity().not_before),
            not_after: certificate::moment(cert.validity().not_after),
        })
    }

    /// Its certificate, which whoever checks its signatures has to know.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The last second in which what it signs is valid.
    pub const fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Issues a certificate with which an agent proves that it is this one. `serial` is 16 random
    /// bytes; two of their bits are replaced.
    ///
    /// # Errors
    ///
    /// When the request or the lifetime is not acceptable.
    pub fn issue_agent(
        &self,
        agent: &SpiffeId,
        public_key: LeafKey<'_>,
        serial: [u8; 16],
        now: Timestamp,
        lifetime: Duration,
    ) -> Result<IssuedLeaf, CaError> {
        let uri = agent.to_string().try_into().map_err(|_| CaError::Crypto)?;
        let mut params = self.leaf(serial, now, lifetime)?;
        params.subject_alt_names = vec![SanType::URI(uri)];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        match public_key {
            LeafKey::Csr(pem) => self.sign(&params, &requested_key(pem)?, None, Purpose::Agent),
            LeafKey::Generate => self.sign_new(&params, Purpose::Agent),
        }
    }

    /// Issues a certificate, with a new key, by which a console on another machine is known.
    ///
    /// # Errors
    ///
    /// When the lifetime is not acceptable.
    pub fn issue_console(
        &self,
        console: &str,
        serial: [u8; 16],
        now: Timestamp,
        lifetime: Duration,
    ) -> Result<IssuedLeaf, CaError> {
        let uri = format!("urn:countersign:console:{console}");
        let uri = uri.try_into().map_err(|_| CaError::Crypto)?;
        let mut params = self.leaf(serial, now, lifetime)?;
        params.subject_alt_names = vec![SanType::URI(uri)];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign_new(&params, Purpose::Agent)
    }

    /// Issues a certificate, with a new key, for a server that is reached by these names and
    /// addresses.
    ///
    /// # Errors
    ///
    /// When the names or the lifetime are not acceptable.
    pub fn issue_server(
        &self,
        names: &[String],
        serial: [u8; 16],
        now: Timestamp,
        lifetime: Duration,
    ) -> Result<IssuedLeaf, CaError> {
        let mut params = self.leaf(serial, now, lifetime)?;
        params.subject_alt_names =
            names.iter().map(|name| server_name(name)).collect::<Result<_, _>>()?;
        if params.subject_alt_names.is_empty() {
            return Err(CaError::ServerName);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign_new(&params, Purpose::Server)
    }

    /// Signs the list of what is revoked, in PEM. `number` is larger than that of every list
    /// before; after `next_update` nobody may rely on the list.
    ///
    /// # Errors
    ///
    /// When a serial number or a date is not one.
    pub fn crl(
        &self,
        revoked: &[RevokedSerial],
        number: u64,
        now: Timestamp,
        next_update: Timestamp,
    ) -> Result<String, CaError> {
        if next_update.secs() <= now.secs() {
            return Err(CaError::Dates);
        }
        let entry = |it: &RevokedSerial| {
            Ok(RevokedCertParams {
                serial_number: unhex(&it.serial).ok_or(CaError::Serial)?.into(),
                revocation_time: date(it.at)?.to_datetime(),
                reason_code: None,
                invalidity_date: None,
            })
        };
        let list = CertificateRevocationListParams {
            this_update: date(now)?.to_datetime(),
            next_update: date(next_update)?.to_datetime(),
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(entry).collect::<Result<_, _>>()?,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = list.signed_by(&self.issuer).map_err(|_| CaError::Crypto)?;
        list.pem().map_err(|_| CaError::Crypto)
    }

    /// What all leaves have in common.
    fn leaf(
        &self,
        serial: [u8; 16],
        now: Timestamp,
        lifetime: Duration,
    ) -> Result<CertificateParams, CaError> {
        let until = now.after(lifetime);
        let fits = now >= self.not_before && until <= self.not_after;
        if lifetime < Duration::from_secs(1) || lifetime > MOST_LIFETIME || !fits {
            return Err(CaError::Lifetime);
        }
        leaf_params(now, until, serial)
    }

    fn sign_new(
        &self,
        params: &CertificateParams,
        purpose: Purpose,
    ) -> Result<IssuedLeaf, CaError> {
        let (key, secret) = Signer::generate()?;
        self.sign(params, &key, Some(secret), purpose)
    }

    /// Signs, and reads back what was signed: a certificate that would not be accepted is not
    /// handed out.
    fn sign(
        &self,
        params: &CertificateParams,
        key: &impl PublicKeyData,
        key_pem: Option<Secret>,
        purpose: Purpose,
    ) -> Result<IssuedLeaf, CaError> {
        let certificate = params.signed_by(key, &self.issuer).map_err(|_| CaError::Crypto)?;
        let der = certificate.der();
        let cert = certificate::read(der).map_err(|_| CaError::Crypto)?;
        certificate::check_leaf(&cert, purpose).map_err(|_| CaError::Crypto)?;
        Ok(IssuedLeaf {
            certificate_pem: certificate.pem(),
            key_pem,
            serial: certificate::serial(&cert).map_err(|_| CaError::Serial)?,
            fingerprint: Digest::of(der),
            spki: Digest::of(cert.public_key().raw),
            not_before: certificate::moment(cert.validity().not_before),
            not_after: certificate::moment(cert.validity().not_after),
        })
    }
}

impl Signer {
    /// A new key, and the same in PEM (PKCS #8).
    fn generate() -> Result<(Self, Secret), CaError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|_| CaError::Crypto)?;
        let secret = Secret::from_text(key.serialize_pem());
        Ok((Self(Zeroizing::new(key)), secret))
    }

    fn read(pem: &Secret) -> Option<Self> {
        let key = KeyPair::from_pem(pem.expose_text()?).ok()?;
        Some(Self(Zeroizing::new(key)))
    }
}

impl PublicKeyData for Signer {
    fn der_bytes(&self) -> &[u8] {
        self.0.der_bytes()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        PublicKeyData::algorithm(&*self.0)
    }
}

impl SigningKey for Signer {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.0.sign(message)
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("not_after", &self.not_after).finish_non_exhaustive()
    }
}

/// A certificate that signs handshakes, has no name yet and is for nothing yet.
fn leaf_params(
    now: Timestamp,
    until: Timestamp,
    mut serial: [u8; 16],
) -> Result<CertificateParams, CaError> {
    // Positive, not zero and always 16 bytes long.
    let [first, ..] = &mut serial;
    *first = *first & 0x3f | 0x40;
    let mut params = CertificateParams::default();
    params.not_before = date(now.before(BACKDATED))?.to_datetime();
    params.not_after = date(until)?.to_datetime();
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.distinguished_name = DistinguishedName::new();
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// The key of a signing request that was signed with it. Nothing else in the request is looked at.
fn requested_key(pem: &str) -> Result<SubjectPublicKeyInfo, CaError> {
    if pem.len() > MOST_BYTES {
        return Err(CaError::Request);
    }
    let der: CertificateSigningRequestDer<'_> = certificate::only(pem).ok_or(CaError::Request)?;
    let (rest, request) = X509CertificationRequest::from_der(&der).map_err(|_| CaError::Request)?;
    if !rest.is_empty() {
        return Err(CaError::Request);
    }
    let key = &request.certification_request_info.subject_pki;
    if !certificate::is_strong(key) {
        return Err(CaError::WeakKey);
    }
    request.verify_signature().map_err(|_| CaError::RequestSignature)?;
    SubjectPublicKeyInfo::from_der(key.raw).map_err(|_| CaError::WeakKey)
}

/// Whether a server can be reached by this name or address.
pub fn is_server_name(text: &str) -> bool {
    server_name(text).is_ok()
}

/// A host's name as clients look it up, or its address.
fn server_name(text: &str) -> Result<SanType, CaError> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let is_label = |label: &str| {
        let ends = [label.bytes().next(), label.bytes().next_back()];
        label.len() <= 63
            && label.bytes().all(|b| plain(b) || b == b'-')
            && ends.into_iter().all(|end| end.is_some_and(plain))
    };
    // The last label of a name is not a number, or the name could be taken for an address.
    let last = text.rsplit('.').next().unwrap_or_default();
    let numeric = last.bytes().all(|b| b.is_ascii_digit());
    if text.len() > 253 || numeric || !text.split('.').all(is_label) {
        return Err(CaError::ServerName);
    }
    text.to_owned().try_into().map(SanType::DnsName).map_err(|_| CaError::ServerName)
}

/// A date as a certificate can hold it: in whole seconds, in the years 1950 to 9999.
fn date(at: Timestamp) -> Result<ASN1Time, CaError> {
    let date = ASN1Time::from_timestamp(at.secs()).map_err(|_| CaError::Dates)?;
    if (1950..=9999).contains(&date.to_datetime().year()) { Ok(date) } else { Err(CaError::Dates) }
}

/// The bytes of a serial number as [`certificate::serial`] writes it.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() || !(1..=20).contains(&pairs.len()) {
        return None;
    }
    let lower = |b: &u8| b.is_ascii_digit() || (b'a'..=b'f').contains(b);
    let byte = |pair: &[u8; 2]| {
        let digits = std::str::from_utf8(pair).ok().filter(|_| pair.iter().all(lower))?;
        u8::from_str_radix(digits, 16).ok()
    };
    pairs.iter().map(byte).collect()
}

#[cfg(test)]
mod tests;
