//! What a certificate says of itself, for people to read: of one that is believed, and of one that
//! was refused, whatever it is.

use std::fmt::Write as _;
use std::net::IpAddr;

use cs_model::{Digest, Timestamp};
use rustls::pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Name;

use crate::certificate::{self, MOST_BYTES};

/// The most names of a certificate that are told.
const MOST_NAMES: usize = 16;

/// The most bytes of a serial number that are told.
const MOST_SERIAL: usize = 20;

/// What a certificate that was refused says of itself. Nothing of it was found to be true, and
/// none of the text is safe to show before it is made neutral.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Claimed {
    /// Its alternative names, or else its subject; nothing where it has neither, or is unreadable.
    pub name: Option<String>,
    /// Its serial number, in hexadecimal digits.
    pub serial: Option<String>,
    /// The SHA-256 digest of its bytes.
    pub fingerprint: Digest,
}

/// What is known of a certificate that is believed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CertificateFacts {
    /// Its serial number, in lower-case hexadecimal without a leading zero byte.
    pub serial: String,
    /// The SHA-256 digest of the whole certificate.
    pub fingerprint: Digest,
    /// The SHA-256 digest of its public key.
    pub spki: Digest,
    /// Its alternative names.
    pub names: Vec<String>,
    /// Its subject.
    pub subject: String,
    /// Who issued it, by name.
    pub issuer: String,
    /// Whether it issued itself.
    pub is_root: bool,
    /// When it becomes valid.
    pub not_before: Timestamp,
    /// The last second in which it is valid.
    pub not_after: Timestamp,
}

impl Claimed {
    /// Reads what there is to read.
    pub fn of(der: &[u8]) -> Self {
        let fingerprint = Digest::of(der);
        let short = Some(der).filter(|it| it.len() <= MOST_BYTES);
        let Some((_, cert)) = short.and_then(|it| X509Certificate::from_der(it).ok()) else {
            return Self { name: None, serial: None, fingerprint };
        };
        let names = names(&cert).join(", ");
        let subject = cert.subject().to_string();
        let name = [names, subject].into_iter().find(|it| !it.is_empty());
        let serial = hex(cert.raw_serial().get(..MOST_SERIAL).unwrap_or(cert.raw_serial()));
        Self { name, serial: Some(serial), fingerprint }
    }
}

impl CertificateFacts {
    /// Reads the certificates of a PEM text, in order; nothing when any of them is unreadable.
    pub fn every(pem: &str) -> Option<Vec<Self>> {
        let all: Vec<CertificateDer<'static>> = certificate::every(pem)?;
        all.iter().map(|der| Self::of(der)).collect()
    }

    /// Reads one certificate.
    pub fn of(der: &[u8]) -> Option<Self> {
        let cert = certificate::read(der).ok()?;
        Some(Self {
            serial: certificate::serial(&cert).ok()?,
            fingerprint: Digest::of(der),
            spki: Digest::of(cert.public_key().raw),
            names: names(&cert),
            subject: shown(cert.subject()),
            issuer: shown(cert.issuer()),
            is_root: cert.subject().as_raw() == cert.issuer().as_raw(),
            not_before: certificate::moment(cert.validity().not_before),
            not_after: certificate::moment(cert.validity().not_after),
        })
    }
}

/// The common name, where there is nothing else in a name; or else all of it.
fn shown(name: &X509Name<'_>) -> String {
    let mut parts = name.iter_common_name();
    match (parts.next().and_then(|it| it.as_str().ok()), name.iter_attributes().count()) {
        (Some(only), 1) => only.to_owned(),
        _ => name.to_string(),
    }
}

fn names(cert: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(names)) = cert.subject_alternative_name() else { return Vec::new() };
    names.value.general_names.iter().take(MOST_NAMES).map(name).collect()
}

fn name(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::DNSName(text) | GeneralName::RFC822Name(text) | GeneralName::URI(text) => {
            (*text).to_owned()
        }
        GeneralName::IPAddress(bytes) => address(bytes).unwrap_or_else(|| hex(bytes)),
        GeneralName::DirectoryName(name) => name.to_string(),
        GeneralName::EDIPartyName(_)
        | GeneralName::Invalid(..)
        | GeneralName::OtherName(..)
        | GeneralName::RegisteredID(_)
        | GeneralName::X400Address(_) => "a name of another kind".to_owned(),
    }
}

fn address(bytes: &[u8]) -> Option<String> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    let address = four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from));
    address.ok().map(|it| it.to_string())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use rcgen::{DnType, SanType};

    use super::*;
    use crate::certificate::sample::{NOW, Root, authority, uri};

    #[test]
    fn what_was_refused_says_who_it_claims_to_be() {
        let root = Root::new(|_| ());
        let (leaf, _) = root.leaf(|_| ());
        let claimed = Claimed::of(&leaf);
        let name = "spiffe://example.org/tenant/acme/agent/reader";
        assert_eq!(claimed.name.as_deref(), Some(name));
        assert_eq!(claimed.serial.as_deref(), Some("4d"));
        assert_eq!(claimed.fingerprint, Digest::of(&leaf));
        let (several, _) = root.leaf(|it| {
            it.subject_alt_names = vec![
                SanType::DnsName("admin".try_into().unwrap()),
                SanType::IpAddress([192, 0, 2, 7].into()),
                uri("https://example.org"),
            ];
        });
        let several = Claimed::of(&several).name.unwrap();
        assert_eq!(several, "admin, 192.0.2.7, https://example.org");
        let (subject, _) = root.leaf(|it| {
            it.subject_alt_names.clear();
            it.distinguished_name.push(DnType::CommonName, "admin");
        });
        assert_eq!(Claimed::of(&subject).name.as_deref(), Some("CN=admin"));
    }

    #[test]
    fn m11_what_is_unreadable_or_huge_is_known_by_its_digest_alone() {
        for der in [b"junk".to_vec(), Vec::new(), vec![0x30; MOST_BYTES + 1]] {
            let claimed = Claimed::of(&der);
            assert_eq!((claimed.name, claimed.serial), (None, None));
            assert_eq!(claimed.fingerprint, Digest::of(&der));
        }
    }

    #[test]
    fn a_certificate_that_is_believed_is_described() {
        let servers = authority("servers");
        let names = ["gateway.example", "192.0.2.7"].map(str::to_owned);
        let day = std::time::Duration::from_secs(86_400);
        let leaf = servers.issue_server(&names, [4; 16], NOW, day).unwrap();
        let chain = format!("{}{}", leaf.certificate_pem, servers.certificate_pem());
        let facts = CertificateFacts::every(&chain).unwrap();
        let [own, root] = facts.as_slice() else { panic!("{facts:?}") };
        assert_eq!((&own.serial, own.fingerprint), (&leaf.serial, leaf.fingerprint));
        assert_eq!((own.names.as_slice(), own.is_root), (names.as_slice(), false));
        assert_eq!((own.issuer.as_str(), root.subject.as_str()), ("servers", "servers"));
        assert!(root.is_root);
        assert_eq!(CertificateFacts::every("-----BEGIN CERTIFICATE-----\n"), None);
    }
}
