//! What must be true of a certificate besides its chain.
//!
//! `rustls-webpki` builds the path and checks signatures, dates below the root and revocation. It
//! lets through leaves without a purpose, leaves that may sign certificates, serial numbers of any
//! kind and roots of any shape (attacks N3); here is what it leaves open.

use cs_model::Timestamp;
use rustls::pki_types::pem::PemObject;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{ExtendedKeyUsage, KeyUsage, ParsedExtension};
use x509_parser::oid_registry::{
    OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_NIST_EC_P521,
    OID_PKCS1_RSAENCRYPTION, OID_SIG_ED25519,
};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::time::ASN1Time;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Version};

use crate::peer::PeerError;

/// The most bytes of one certificate, and of all that one peer shows.
pub(crate) const MOST_BYTES: usize = 16 * 1024;

/// The most bytes in a serial number (RFC 5280, 4.1.2.2).
const MOST_SERIAL: usize = 20;

/// The bits of an RSA key: fewer are weak, more are work for whoever has to check.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// What a leaf is for. It is for that and nothing else.
///
/// Outside authorities commonly issue workloads one certificate for both directions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Purpose {
    /// To prove who calls: `clientAuth`.
    Agent,
    /// To prove who is called: `serverAuth`.
    Server,
    /// To prove who calls, and perhaps who is called.
    Workload,
}

/// Reads a certificate of version 3 whose parts are well-formed, whoever it belongs to.
pub(crate) fn read(der: &[u8]) -> Result<X509Certificate<'_>, PeerError> {
    if der.len() > MOST_BYTES {
        return Err(PeerError::ChainTooLong);
    }
    let (rest, cert) = X509Certificate::from_der(der).map_err(|_| PeerError::Malformed)?;
    let same_algorithm = cert.signature_algorithm == cert.tbs_certificate.signature;
    let unique = cert.tbs_certificate.extensions_map().is_ok();
    if !rest.is_empty() || cert.version() != X509Version::V3 || !same_algorithm || !unique {
        return Err(PeerError::Malformed);
    }
    for extension in cert.extensions() {
        let parsed = extension.parsed_extension();
        if matches!(parsed, ParsedExtension::ParseError { .. }) {
            return Err(PeerError::Malformed);
        }
        if extension.critical && !is_understood(parsed) {
            return Err(PeerError::Extension);
        }
    }
    serial(&cert)?;
    if is_strong(cert.public_key()) { Ok(cert) } else { Err(PeerError::Key) }
}

/// Checks that a certificate is valid now.
pub(crate) fn check_dates(cert: &X509Certificate<'_>, now: Timestamp) -> Result<(), PeerError> {
    if now < moment(cert.validity().not_before) {
        Err(PeerError::NotYetValid)
    } else if now.secs() > cert.validity().not_after.timestamp() {
        Err(PeerError::Expired)
    } else {
        Ok(())
    }
}

/// Checks that a leaf can sign nothing but handshakes, and serves one purpose.
pub(crate) fn check_leaf(cert: &X509Certificate<'_>, purpose: Purpose) -> Result<(), PeerError> {
    let constraints = cert.basic_constraints().map_err(|_| PeerError::Malformed)?;
    if constraints.is_some_and(|it| it.value.ca || it.value.path_len_constraint.is_some()) {
        return Err(PeerError::Authority);
    }
    if cert.name_constraints().map_err(|_| PeerError::Malformed)?.is_some() {
        return Err(PeerError::Authority);
    }
    let usage = key_usage(cert)?.ok_or(PeerError::KeyUsage)?;
    if usage.key_cert_sign() || usage.crl_sign() {
        return Err(PeerError::Authority);
    }
    if !usage.digital_signature() {
        return Err(PeerError::KeyUsage);
    }
    let purposes = cert.extended_key_usage().map_err(|_| PeerError::Malformed)?;
    let purposes = purposes.ok_or(PeerError::Purpose)?;
    if is_exactly(purposes.value, purpose) { Ok(()) } else { Err(PeerError::Purpose) }
}

/// Checks that a certificate may sign others, and says how many authorities may stand below it.
pub(crate) fn check_authority(cert: &X509Certificate<'_>) -> Result<Option<u32>, PeerError> {
    let constraints = cert.basic_constraints().map_err(|_| PeerError::Malformed)?;
    let constraints = constraints.filter(|it| it.critical && it.value.ca);
    let constraints = constraints.ok_or(PeerError::NoAuthority)?;
    let usage = key_usage(cert)?.ok_or(PeerError::NoAuthority)?;
    if cert.subject().iter().next().is_none() || !usage.key_cert_sign() {
        return Err(PeerError::NoAuthority);
    }
    Ok(constraints.value.path_len_constraint)
}

/// Checks that an authority may also sign revocation lists.
pub(crate) fn check_lister(cert: &X509Certificate<'_>) -> Result<(), PeerError> {
    if key_usage(cert)?.is_some_and(KeyUsage::crl_sign) {
        Ok(())
    } else {
        Err(PeerError::NoAuthority)
    }
}

/// The serial number in lower-case hexadecimal, without a leading zero byte.
pub(crate) fn serial(cert: &X509Certificate<'_>) -> Result<String, PeerError> {
    let bytes = cert.raw_serial();
    if bytes.len() > MOST_SERIAL {
        return Err(PeerError::Serial);
    }
    let magnitude = match bytes {
        // A zero byte stands only where the number would be negative without it.
        [0, second, ..] if second & 0x80 != 0 => bytes.strip_prefix(&[0]).unwrap_or_default(),
        [first, ..] if (1..0x80).contains(first) => bytes,
        [..] => return Err(PeerError::Serial),
    };
    Ok(magnitude.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Whether nobody can be expected to find the private key, or to be kept busy by the public one.
pub(crate) fn is_strong(key: &SubjectPublicKeyInfo<'_>) -> bool {
    let algorithm = &key.algorithm.algorithm;
    if *algorithm == OID_SIG_ED25519 {
        return true;
    }
    if *algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY {
        let curve = key.algorithm.parameters.as_ref().and_then(|it| it.as_oid().ok());
        return curve
            .is_some_and(|it| [OID_EC_P256, OID_NIST_EC_P384, OID_NIST_EC_P521].contains(&it));
    }
    if *algorithm != OID_PKCS1_RSAENCRYPTION {
        return false;
    }
    let Ok(PublicKey::RSA(rsa)) = key.parsed() else { return false };
    let exponent = rsa.try_exponent().unwrap_or(0);
    // A zero byte for the sign, and then whole bytes: its size is what it looks like.
    let whole = matches!(rsa.modulus, [0, first, ..] if first & 0x80 != 0);
    whole && RSA_BITS.contains(&rsa.key_size()) && exponent >= 65_537 && exponent & 1 == 1
}

/// The only thing of its kind in a PEM text.
pub(crate) fn only<T: PemObject>(pem: &str) -> Option<T> {
    let mut all = T::pem_slice_iter(pem.as_bytes());
    match (all.next(), all.next()) {
        (Some(Ok(one)), None) => Some(one),
        _ => None,
    }
}

/// Everything of its kind in a PEM text, or nothing when any of it cannot be read.
pub(crate) fn every<T: PemObject>(pem: &str) -> Option<Vec<T>> {
    T::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().ok()
}

/// A date in a certificate as ours.
pub(crate) fn moment(date: ASN1Time) -> Timestamp {
    Timestamp::from_secs(date.timestamp())
}

fn key_usage<'c>(cert: &'c X509Certificate<'_>) -> Result<Option<&'c KeyUsage>, PeerError> {
    let usage = cert.key_usage().map_err(|_| PeerError::Malformed)?;
    Ok(usage.map(|it| it.value))
}

fn is_exactly(usage: &ExtendedKeyUsage<'_>, purpose: Purpose) -> bool {
    let ExtendedKeyUsage {
        any,
        server_auth,
        client_auth,
        code_signing,
        email_protection,
        time_stamping,
        ocsp_signing,
        other,
    } = usage;
    let more = *any || *code_signing || *email_protection || *time_stamping || *ocsp_signing;
    let wanted = match purpose {
        Purpose::Agent => *client_auth && !server_auth,
        Purpose::Server => *server_auth && !client_auth,
        Purpose::Workload => *client_auth,
    };
    wanted && !more && other.is_empty()
}

/// The extensions that this module or webpki acts on. One that nobody acts on must not be critical.
fn is_understood(extension: &ParsedExtension<'_>) -> bool {
    matches!(
        extension,
        ParsedExtension::BasicConstraints(_)
            | ParsedExtension::ExtendedKeyUsage(_)
            | ParsedExtension::KeyUsage(_)
            | ParsedExtension::NameConstraints(_)
            | ParsedExtension::SubjectAlternativeName(_)
    )
}

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
