//! An authority that is trusted: its certificate, its revocation list and its tenant.
//!
//! An anchor cannot exist without a revocation list of its own. Without one, `rustls` would check
//! no revocation at all (attacks N2).

use std::fmt;
use std::sync::Arc;

use cs_model::{AuthorityId, Digest, TenantId, Timestamp};
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::X509Extension;
use x509_parser::oid_registry::{
    OID_X509_EXT_DELTA_CRL_INDICATOR, OID_X509_EXT_ISSUER_DISTRIBUTION_POINT,
};
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;

use super::TlsError;
use crate::certificate;
use crate::peer::PeerError;
use crate::spiffe::{SpiffePrefix, WorkloadId, WorkloadPrefix};

/// The most bytes of all revocation lists of one authority.
const MOST_CRL_BYTES: usize = 16 * 1024 * 1024;

/// One authority whose certificates are believed.
#[derive(Clone)]
pub struct Anchor {
    allowed: Scope,
    below: Vec<CertificateDer<'static>>,
    crl: RevocationList,
    listed_until: Timestamp,
    not_after: Timestamp,
    not_before: Timestamp,
    owner: Option<Owner>,
    path_length: Option<u32>,
    spki: Digest,
    subject: Vec<u8>,
    verifier: Arc<dyn ClientCertVerifier>,
}

/// Who an authority may speak for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Scope {
    /// The agents of one tenant: a built-in authority.
    Agents(SpiffePrefix),
    /// The workloads whose IDs begin with this: an outside authority. Whatever its certificates
    /// say of name constraints, this is what is held to (attacks M07).
    Workloads(WorkloadPrefix),
}

/// Whose an authority is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Owner {
    /// The tenant that believes it. It opens nothing of another.
    pub tenant: TenantId,
    /// Which of the tenant's outside authorities it is; nothing for a built-in one.
    pub authority: Option<AuthorityId>,
}

impl Scope {
    /// Whether the authority may speak for whom a certificate names.
    ///
    /// # Errors
    ///
    /// [`PeerError::Scope`], or what keeps the name from being one that it could speak for.
    pub fn check(&self, named: &WorkloadId) -> Result<(), PeerError> {
        let covered = match self {
            Self::Agents(prefix) => prefix.covers(&named.agent().map_err(PeerError::Spiffe)?),
            Self::Workloads(prefix) => prefix.covers(named),
        };
        if covered { Ok(()) } else { Err(PeerError::Scope) }
    }
}

impl From<SpiffePrefix> for Scope {
    fn from(prefix: SpiffePrefix) -> Self {
        Self::Agents(prefix)
    }
}

impl From<WorkloadPrefix> for Scope {
    fn from(prefix: WorkloadPrefix) -> Self {
        Self::Workloads(prefix)
    }
}

/// What is known of an authority's revocation list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RevocationList {
    /// Its number: it grows from list to list.
    pub number: CrlNumber,
    /// When it was signed.
    pub this_update: Timestamp,
    /// From when on nobody may rely on it.
    pub next_update: Timestamp,
    /// How many certificates it says are revoked.
    pub revoked: usize,
}

/// The number of a revocation list: at most 20 bytes (RFC 5280, 5.2.3).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct CrlNumber([u8; 20]);

impl Anchor {
    /// Reads an authority: one certificate, at least one revocation list (its own, and for
    /// authorities below it theirs), and the agents that it may speak for.
    ///
    /// A list that has expired is accepted here and refused at every handshake, so that the other
    /// authorities of a listener stay usable.
    ///
    /// # Errors
    ///
    /// When the certificate is not an authority's, or it has no usable list of its own.
    pub fn read(
        certificate_pem: &str,
        crl_pem: &str,
        allowed: impl Into<Scope>,
    ) -> Result<Self, TlsError> {
        let malformed = TlsError::Anchor(PeerError::Malformed);
        let der: CertificateDer<'static> = certificate::only(certificate_pem).ok_or(malformed)?;
        Self::of_der(&der, crl_pem, allowed)
    }

    /// The same for a certificate as its bytes are.
    pub(super) fn of_der(
        der: &CertificateDer<'static>,
        crl_pem: &str,
        allowed: impl Into<Scope>,
    ) -> Result<Self, TlsError> {
        let malformed = TlsError::Anchor(PeerError::Malformed);
        let cert = certificate::read(der).map_err(TlsError::Anchor)?;
        let path_length = certificate::check_authority(&cert).map_err(TlsError::Anchor)?;
        certificate::check_lister(&cert).map_err(TlsError::Anchor)?;
        if crl_pem.len() > MOST_CRL_BYTES {
            return Err(TlsError::Crl);
        }
        let lists: Vec<CertificateRevocationListDer<'static>> =
            certificate::every(crl_pem).ok_or(TlsError::Crl)?;
        let crl = own_list(&cert, &lists)?;
        let ends = lists.iter().map(|it| list_end(it)).collect::<Option<Vec<_>>>();
        let listed_until = ends.and_then(|it| it.into_iter().min()).ok_or(TlsError::Crl)?;
        let mut roots = RootCertStore::empty();
        roots.add(der.clone()).map_err(|_| malformed)?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .with_crls(lists)
            .enforce_revocation_expiration()
            .build()
            .map_err(|_| TlsError::Crl)?;
        Ok(Self {
            allowed: allowed.into(),
            below: Vec::new(),
            crl,
            listed_until,
            not_after: certificate::moment(cert.validity().not_after),
            not_before: certificate::moment(cert.validity().not_before),
            owner: None,
            path_length,
            spki: Digest::of(cert.public_key().raw),
            subject: cert.subject().as_raw().to_vec(),
            verifier,
        })
    }

    /// The same authority, as a tenant's.
    #[must_use]
    pub fn owned_by(self, owner: Owner) -> Self {
        Self { owner: Some(owner), ..self }
    }

    /// The same authority with those below it, for clients that show none of them.
    #[must_use]
    pub(crate) fn above(self, below: Vec<CertificateDer<'static>>) -> Self {
        Self { below, ..self }
    }

    /// The same authority, read again with a newer list.
    ///
    /// # Errors
    ///
    /// [`TlsError::CrlOlder`] when the list's number is below the one in use, and
    /// [`TlsError::Anchor`] when it is another authority.
    pub fn replaced_by(&self, newer: Self) -> Result<Self, TlsError> {
        if newer.spki != self.spki || newer.subject != self.subject {
            Err(TlsError::Anchor(PeerError::Issuer))
        } else if newer.crl.number < self.crl.number {
            Err(TlsError::CrlOlder)
        } else {
            Ok(newer)
        }
    }

    /// The authority's own revocation list.
    pub const fn crl(&self) -> &RevocationList {
        &self.crl
    }

    /// The agents that it may speak for.
    pub const fn allowed(&self) -> &Scope {
        &self.allowed
    }

    /// Whose it is.
    pub const fn owner(&self) -> Option<Owner> {
        self.owner
    }

    /// Until when an answer that was given with its lists holds, unless one of them is replaced.
    pub(super) fn holds_until(&self) -> Timestamp {
        self.listed_until.min(self.not_after)
    }

    /// The authorities below it that are known here.
    pub(super) fn below(&self) -> &[CertificateDer<'static>] {
        &self.below
    }

    /// The SHA-256 digest of its public key: what tells it from another authority of its name.
    pub const fn spki(&self) -> Digest {
        self.spki
    }

    /// The last second in which it is believed.
    pub const fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Its name, as encoded.
    pub(super) fn subject(&self) -> &[u8] {
        &self.subject
    }

    /// Whether it may be believed now. `rustls` does not look at the dates of a root.
    pub(super) fn is_valid(&self, now: Timestamp) -> bool {
        self.not_before <= now && now.secs() <= self.not_after.secs()
    }

    /// Whether so many authorities may stand below it. `rustls` does not ask a root this.
    pub(super) fn allows_depth(&self, intermediates: usize) -> bool {
        self.path_length
            .is_none_or(|most| usize::try_from(most).is_ok_and(|it| intermediates <= it))
    }

    /// What checks the chain up to it.
    pub(super) fn chain(&self) -> &dyn ClientCertVerifier {
        self.verifier.as_ref()
    }
}

impl fmt::Debug for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Anchor")
            .field("allowed", &self.allowed)
            .field("spki", &self.spki)
            .field("crl", &self.crl)
            .finish_non_exhaustive()
    }
}

/// The newest list that the authority itself signed. Every list must be complete and have a number
/// and an end.
fn own_list(
    authority: &X509Certificate<'_>,
    lists: &[CertificateRevocationListDer<'_>],
) -> Result<RevocationList, TlsError> {
    let mut own: Option<RevocationList> = None;
    for der in lists {
        let (rest, list) = CertificateRevocationList::from_der(der).map_err(|_| TlsError::Crl)?;
        let facts = facts(&list).filter(|_| rest.is_empty()).ok_or(TlsError::Crl)?;
        if list.issuer().as_raw() != authority.subject().as_raw() {
            continue;
        }
        list.verify_signature(authority.public_key()).map_err(|_| TlsError::Crl)?;
        if own.as_ref().is_none_or(|it| it.number < facts.number) {
            own = Some(facts);
        }
    }
    own.ok_or(TlsError::Crl)
}

/// When a list ends.
fn list_end(der: &[u8]) -> Option<Timestamp> {
    let (_, list) = CertificateRevocationList::from_der(der).ok()?;
    list.next_update().map(certificate::moment)
}

pub(super) fn facts(list: &CertificateRevocationList<'_>) -> Option<RevocationList> {
    let extensions = list.tbs_cert_list.extensions_map().ok()?;
    // A list of some certificates, of some reasons or of what changed has a critical extension that
    // says so. `rustls-webpki` would still believe one about certificates that name no list.
    if extensions.values().any(|it| it.critical || is_partial(it)) {
        return None;
    }
    let number = list.crl_number()?.to_bytes_be();
    let mut padded = [0; 20];
    padded.get_mut(20_usize.checked_sub(number.len())?..)?.copy_from_slice(&number);
    let this_update = certificate::moment(list.last_update());
    let next_update = certificate::moment(list.next_update()?);
    if next_update <= this_update || list.signature_algorithm != list.tbs_cert_list.signature {
        return None;
    }
    let revoked = list.iter_revoked_certificates().count();
    Some(RevocationList { number: CrlNumber(padded), this_update, next_update, revoked })
}

fn is_partial(extension: &X509Extension<'_>) -> bool {
    [OID_X509_EXT_DELTA_CRL_INDICATOR, OID_X509_EXT_ISSUER_DISTRIBUTION_POINT]
        .contains(&extension.oid)
}
