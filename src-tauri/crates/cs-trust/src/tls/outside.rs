//! Authorities of others: what an operator hands in of one, and what becomes of it.
//!
//! A text of certificates is taken apart into roots, which are trusted, and authorities below them,
//! which are only known. Without a root, those that were handed in are trusted themselves. Every
//! revocation list has to be signed by one of them; a trusted one without a list of its own opens
//! nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cs_model::Digest;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;

use super::anchor::facts;
use super::{Anchor, Owner, RevocationList, TlsError};
use crate::certificate;
use crate::claimed::CertificateFacts;
use crate::peer::PeerError;
use crate::spiffe::WorkloadPrefix;

/// The most certificates of one outside authority.
const MOST: usize = 8;

/// The most bytes of its certificates.
const MOST_PEM: usize = 64 * 1024;

/// An authority of others, as it is trusted.
#[derive(Clone, Debug)]
pub struct OutsideAuthority {
    anchors: Vec<Anchor>,
    unlisted: Vec<Unlisted>,
    certificates: Vec<CertificateFacts>,
    lists: Vec<Listed>,
}

/// An authority that would be trusted if there were a list of its own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unlisted(Vec<u8>);

/// A revocation list, and who signed it.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Listed {
    by: Digest,
    list: RevocationList,
}

impl Unlisted {
    /// Its name, as encoded.
    pub(super) fn subject(&self) -> &[u8] {
        &self.0
    }
}

impl OutsideAuthority {
    /// Reads the certificates of an authority and its lists, all in PEM, and whom it may speak
    /// for.
    ///
    /// # Errors
    ///
    /// When a certificate is not an authority's, or a list is unreadable, partial, or signed by
    /// none of them.
    pub fn read(
        certificates_pem: &str,
        lists_pem: &str,
        allowed: &WorkloadPrefix,
        owner: Owner,
    ) -> Result<Self, TlsError> {
        let malformed = TlsError::Anchor(PeerError::Malformed);
        if certificates_pem.len() > MOST_PEM {
            return Err(TlsError::Anchor(PeerError::ChainTooLong));
        }
        let all: Vec<CertificateDer<'static>> =
            certificate::every(certificates_pem).ok_or(malformed)?;
        if all.is_empty() {
            return Err(malformed);
        }
        if all.len() > MOST {
            return Err(TlsError::Anchor(PeerError::ChainTooLong));
        }
        let read = all.iter().map(|der| authority(der)).collect::<Result<Vec<_>, _>>();
        let read = read.map_err(TlsError::Anchor)?;
        let lists: Vec<CertificateRevocationListDer<'static>> =
            certificate::every(lists_pem).ok_or(TlsError::Crl)?;
        let listed = lists.iter().map(|der| signed(der, &read)).collect::<Result<Vec<_>, _>>()?;
        let facts: Option<Vec<_>> = all.iter().map(|der| CertificateFacts::of(der)).collect();
        let facts = facts.ok_or(malformed)?;
        let any_root = facts.iter().any(|it| it.is_root);
        let (mut anchors, mut unlisted) = (Vec::new(), Vec::new());
        let pairs = || all.iter().zip(&facts).zip(&read);
        for ((der, _), cert) in pairs().filter(|((_, it), _)| it.is_root || !any_root) {
            let spki = Digest::of(cert.public_key().raw);
            if !listed.iter().any(|it| it.by == spki) {
                unlisted.push(Unlisted(cert.subject().as_raw().to_vec()));
                continue;
            }
            let below = pairs().filter(|((other, it), _)| !it.is_root && *other != der);
            let below = below.map(|((other, _), _)| other.clone()).collect();
            let anchor = Anchor::of_der(der, lists_pem, allowed.clone())?;
            anchors.push(anchor.owned_by(owner).above(below));
        }
        Ok(Self { anchors, unlisted, certificates: facts, lists: listed })
    }

    /// Makes sure that this one, read again with other lists, does not go back behind the ones
    /// before: each of them is there with the same number or a larger one.
    ///
    /// # Errors
    ///
    /// [`TlsError::CrlOlder`].
    pub fn follows(&self, before: &Self) -> Result<(), TlsError> {
        let kept = |old: &Listed| {
            self.lists.iter().any(|new| new.by == old.by && new.list.number >= old.list.number)
        };
        if before.lists.iter().all(kept) { Ok(()) } else { Err(TlsError::CrlOlder) }
    }

    /// What is trusted.
    pub fn anchors(&self) -> &[Anchor] {
        &self.anchors
    }

    /// What would be trusted if there were lists.
    pub fn unlisted(&self) -> &[Unlisted] {
        &self.unlisted
    }

    /// Its certificates, as they were handed in.
    pub fn certificates(&self) -> &[CertificateFacts] {
        &self.certificates
    }

    /// Its revocation lists.
    pub fn lists(&self) -> impl Iterator<Item = &RevocationList> {
        self.lists.iter().map(|it| &it.list)
    }
}

/// Revocation lists in PEM: as they are, or one whose bytes (DER) stand there in base64. Nothing
/// when it is neither.
pub fn lists_in_pem(text: &str) -> Option<String> {
    if text.contains("-----BEGIN") {
        return Some(text.to_owned());
    }
    let bare: String = text.split_whitespace().collect();
    STANDARD.decode(&bare).ok().filter(|der| !der.is_empty())?;
    Some(format!("-----BEGIN X509 CRL-----\n{bare}\n-----END X509 CRL-----\n"))
}

/// The certificate of an authority that may also sign lists.
fn authority(der: &[u8]) -> Result<X509Certificate<'_>, PeerError> {
    let cert = certificate::read(der)?;
    certificate::check_authority(&cert)?;
    certificate::check_lister(&cert)?;
    Ok(cert)
}

/// What is known of a list that one of the authorities signed.
fn signed(der: &[u8], authorities: &[X509Certificate<'_>]) -> Result<Listed, TlsError> {
    let (rest, list) = CertificateRevocationList::from_der(der).map_err(|_| TlsError::Crl)?;
    let known = facts(&list).filter(|_| rest.is_empty()).ok_or(TlsError::Crl)?;
    let by = authorities.iter().find(|it| {
        it.subject().as_raw() == list.issuer().as_raw()
            && list.verify_signature(it.public_key()).is_ok()
    });
    let by = by.ok_or(TlsError::CrlForeign)?;
    Ok(Listed { by: Digest::of(by.public_key().raw), list: known })
}
