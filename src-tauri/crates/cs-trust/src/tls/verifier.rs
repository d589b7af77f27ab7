//! Checks the certificate that a client shows: its chain, then itself.
//!
//! Each authority has its own path builder, root and lists. With all of them in one store,
//! an authority could answer for another that bears its name.

use std::sync::Arc;
use std::time::Duration;

use cs_model::{Digest, Timestamp};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, aws_lc_rs};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme,
};
use x509_parser::certificate::X509Certificate;

use super::{Anchor, ClientTrust, MOST_ANCHORS, Owner, Scope, TlsError};
use crate::certificate::{self, MOST_BYTES};
use crate::claimed::Claimed;
use crate::peer::{self, PeerCertificate, PeerError};

/// The most certificates that a client shows: a leaf, two authorities and a root.
const MOST_CERTIFICATES: usize = 4;

/// Believes a client certificate when one of the trusted authorities issued it, it is on no
/// revocation list, and it is the certificate of an agent that the authority may speak for.
#[derive(Debug)]
pub struct AgentVerifier {
    anchors: Vec<Anchor>,
    unlisted: Vec<Vec<u8>>,
    required: bool,
    algorithms: WebPkiSupportedAlgorithms,
}

/// An agent's certificate, and the authority that it leads to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ChainedPeer {
    /// The certificate.
    pub certificate: PeerCertificate,
    /// The SHA-256 digest of the trusted authority's public key.
    pub anchor_spki: Digest,
    /// Whose authority that is.
    pub owner: Option<Owner>,
    /// Until when this holds, unless the trust changes: a list or the authority ends then.
    pub holds_until: Timestamp,
}

/// A client certificate that was refused at the handshake: why, and what it says of itself.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{error}")]
pub struct RefusedPeer {
    /// Why.
    pub error: PeerError,
    /// What the certificate says. None of it was found to be true.
    pub claimed: Claimed,
}

impl RefusedPeer {
    /// What was refused, when a handshake failed over the client's certificate. The client is told
    /// no more than that its certificate was not accepted.
    pub fn of(error: &Error) -> Option<&Self> {
        let Error::InvalidCertificate(CertificateError::Other(OtherError(inner))) = error else {
            return None;
        };
        inner.downcast_ref()
    }
}

impl AgentVerifier {
    /// Takes the trusted authorities.
    ///
    /// # Errors
    ///
    /// When certificates are required and none could be believed, or there are too many
    /// authorities.
    pub fn new(trust: &ClientTrust) -> Result<Self, TlsError> {
        if trust.required && trust.anchors.is_empty() {
            return Err(TlsError::NoAnchor);
        }
        if trust.anchors.len() > MOST_ANCHORS {
            return Err(TlsError::TooManyAnchors);
        }
        Ok(Self {
            anchors: trust.anchors.clone(),
            unlisted: trust.unlisted.iter().map(|it| it.subject().to_vec()).collect(),
            required: trust.required,
            algorithms: aws_lc_rs::default_provider().signature_verification_algorithms,
        })
    }

    /// Checks a chain, leaf first, as it is checked at the handshake. Whoever holds a connection
    /// asks again when time has passed or trust has changed.
    ///
    /// # Errors
    ///
    /// Why the client is not believed.
    pub fn identify(
        &self,
        chain: &[CertificateDer<'_>],
        now: Timestamp,
    ) -> Result<ChainedPeer, PeerError> {
        let (leaf, above) = chain.split_first().ok_or(PeerError::Malformed)?;
        let bytes = chain.iter().map(|it| it.len()).fold(0, usize::saturating_add);
        if chain.len() > MOST_CERTIFICATES || bytes > MOST_BYTES {
            return Err(PeerError::ChainTooLong);
        }
        let certificate = PeerCertificate::read_workload(leaf, now)?;
        let chained = certificate::read(leaf)?;
        let authorities =
            above.iter().map(|der| certificate::read(der)).collect::<Result<Vec<_>, _>>()?;
        for authority in &authorities {
            certificate::check_authority(authority)?;
        }
        let shown = Shown { leaf, above, chained: &chained, authorities: &authorities };
        let anchor = self.anchor(&shown, &certificate, now)?;
        Ok(ChainedPeer {
            certificate,
            anchor_spki: anchor.spki(),
            owner: anchor.owner(),
            holds_until: anchor.holds_until(),
        })
    }

    /// The authority that the chain leads to, and that may speak for whom the leaf names. One
    /// whose name issued nothing of the chain is not asked to build a path.
    fn anchor(
        &self,
        shown: &Shown<'_>,
        certificate: &PeerCertificate,
        now: Timestamp,
    ) -> Result<&Anchor, PeerError> {
        let mut refused = PeerError::Issuer;
        for anchor in &self.anchors {
            let Some(path) = shown.path_to(anchor) else { continue };
            match path.check(shown, anchor, certificate, now) {
                Ok(()) => return Ok(anchor),
                // Of several authorities of one name, the one that issued it knows better.
                Err(PeerError::Issuer | PeerError::Chain) if refused != PeerError::Issuer => {}
                // And of several tenants that believe it, the one that it may speak for.
                Err(PeerError::Scope) if refused != PeerError::Issuer => {}
                Err(reason) => refused = reason,
            }
        }
        let listless = || self.unlisted.iter().any(|subject| shown.names(subject));
        if refused == PeerError::Issuer && listless() {
            refused = PeerError::RevocationUnknown;
        }
        Err(refused)
    }
}

/// What a client showed.
struct Shown<'s> {
    leaf: &'s CertificateDer<'s>,
    above: &'s [CertificateDer<'s>],
    chained: &'s X509Certificate<'s>,
    authorities: &'s [X509Certificate<'s>],
}

/// The certificates between a leaf and an authority: what was shown, and what is known here.
struct Path<'s> {
    between: Vec<CertificateDer<'s>>,
    /// How many authorities there are below the trusted one.
    depth: usize,
}

impl Shown<'_> {
    /// Whether an authority of this name issued anything that was shown.
    fn names(&self, subject: &[u8]) -> bool {
        [self.chained].into_iter().chain(self.authorities).any(|it| it.issuer().as_raw() == subject)
    }

    /// What there is between the leaf and an authority; nothing when that issued none of it.
    fn path_to<'p>(&'p self, anchor: &'p Anchor) -> Option<Path<'p>> {
        let mut between: Vec<CertificateDer<'_>> = self.above.to_vec();
        let is_below = |it: &&X509Certificate<'_>| it.subject().as_raw() != anchor.subject();
        let mut depth = self.authorities.iter().filter(is_below).count();
        let mut found = self.names(anchor.subject());
        let mut issuers: Vec<Vec<u8>> = [self.chained]
            .into_iter()
            .chain(self.authorities)
            .map(|it| it.issuer().as_raw().to_vec())
            .collect();
        let mut rest: Vec<(&CertificateDer<'_>, X509Certificate<'_>)> = anchor
            .below()
            .iter()
            .filter(|der| !self.above.contains(der))
            .filter_map(|der| Some((der, certificate::read(der).ok()?)))
            .collect();
        while let Some(next) =
            rest.iter().position(|(_, it)| issuers.iter().any(|name| name == it.subject().as_raw()))
        {
            let (der, known) = rest.swap_remove(next);
            between.push(der.clone());
            depth = depth.saturating_add(1);
            found |= known.issuer().as_raw() == anchor.subject();
            issuers.push(known.issuer().as_raw().to_vec());
        }
        found.then_some(Path { between, depth })
    }
}

impl Path<'_> {
    fn check(
        &self,
        shown: &Shown<'_>,
        anchor: &Anchor,
        certificate: &PeerCertificate,
        now: Timestamp,
    ) -> Result<(), PeerError> {
        let secs = u64::try_from(now.secs()).map_err(|_| PeerError::NotYetValid)?;
        let time = UnixTime::since_unix_epoch(Duration::from_secs(secs));
        let chain = anchor.chain().verify_client_cert(shown.leaf, &self.between, time);
        chain.map_err(|error| reason(&error))?;
        if !anchor.is_valid(now) {
            return Err(PeerError::AuthorityDates);
        }
        if !anchor.allows_depth(self.depth) {
            return Err(PeerError::NoAuthority);
        }
        match anchor.allowed() {
            Scope::Agents(_) => peer::check_agent(shown.leaf, certificate)?,
            Scope::Workloads(_) => {}
        }
        anchor.allowed().check(&certificate.spiffe)
    }
}

impl ClientCertVerifier for AgentVerifier {
    fn client_auth_mandatory(&self) -> bool {
        self.required
    }

    /// None: a list of trusted authorities would tell everybody who the tenants are.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let now = Timestamp::from_secs(i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
        let mut chain = vec![end_entity.clone()];
        chain.extend_from_slice(intermediates);
        match self.identify(&chain, now) {
            Ok(_) => Ok(ClientCertVerified::assertion()),
            Err(error) => {
                let refused = RefusedPeer { error, claimed: Claimed::of(end_entity) };
                Err(CertificateError::Other(OtherError(Arc::new(refused))).into())
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// What the path builder says, in our words.
fn reason(error: &Error) -> PeerError {
    use CertificateError as E;
    if matches!(error, Error::InvalidCertRevocationList(_)) {
        return PeerError::RevocationUnknown;
    }
    let Error::InvalidCertificate(error) = error else { return PeerError::Chain };
    if matches!(error, E::BadEncoding) {
        PeerError::Malformed
    } else if matches!(error, E::Expired | E::ExpiredContext { .. }) {
        PeerError::Expired
    } else if matches!(error, E::ExpiredRevocationList | E::ExpiredRevocationListContext { .. }) {
        PeerError::RevocationExpired
    } else if matches!(error, E::NotValidYet | E::NotValidYetContext { .. }) {
        PeerError::NotYetValid
    } else if matches!(error, E::Revoked) {
        PeerError::Revoked
    } else if matches!(error, E::UnknownIssuer) {
        PeerError::Issuer
    } else if matches!(error, E::UnknownRevocationStatus) {
        PeerError::RevocationUnknown
    } else {
        PeerError::Chain
    }
}
