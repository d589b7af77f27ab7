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

use super::{Anchor, ClientTrust, MOST_ANCHORS, TlsError};
use crate::certificate::{self, MOST_BYTES};
use crate::peer::{PeerCertificate, PeerError};

/// The most certificates that a client shows: a leaf, two authorities and a root.
const MOST_CERTIFICATES: usize = 4;

/// Believes a client certificate when one of the trusted authorities issued it, it is on no
/// revocation list, and it is the certificate of an agent that the authority may speak for.
#[derive(Debug)]
pub struct AgentVerifier {
    anchors: Vec<Anchor>,
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
        let certificate = PeerCertificate::read(leaf, now)?;
        let chained = certificate::read(leaf)?;
        let authorities =
            above.iter().map(|der| certificate::read(der)).collect::<Result<Vec<_>, _>>()?;
        for authority in &authorities {
            certificate::check_authority(authority)?;
        }
        let anchor = self.anchor(leaf, above, now, |name| {
            [&chained].into_iter().chain(&authorities).any(|it| it.issuer().as_raw() == name)
        })?;
        let is_below = |it: &&X509Certificate<'_>| it.subject().as_raw() != anchor.subject();
        if !anchor.is_valid(now) {
            Err(PeerError::AuthorityDates)
        } else if !anchor.allows_depth(authorities.iter().filter(is_below).count()) {
            Err(PeerError::NoAuthority)
        } else if !anchor.allowed().covers(&certificate.spiffe) {
            Err(PeerError::Scope)
        } else {
            Ok(ChainedPeer { certificate, anchor_spki: anchor.spki() })
        }
    }

    /// The authority that the chain leads to. One whose name issued nothing of the chain is not
    /// asked to build a path.
    fn anchor(
        &self,
        leaf: &CertificateDer<'_>,
        above: &[CertificateDer<'_>],
        now: Timestamp,
        issued: impl Fn(&[u8]) -> bool,
    ) -> Result<&Anchor, PeerError> {
        let secs = u64::try_from(now.secs()).map_err(|_| PeerError::NotYetValid)?;
        let time = UnixTime::since_unix_epoch(Duration::from_secs(secs));
        let mut refused = PeerError::Issuer;
        for anchor in self.anchors.iter().filter(|it| issued(it.subject())) {
            match anchor.chain().verify_client_cert(leaf, above, time).map_err(|it| reason(&it)) {
                Ok(_) => return Ok(anchor),
                // Of several authorities of one name, the one that issued it knows better.
                Err(PeerError::Issuer | PeerError::Chain) if refused != PeerError::Issuer => {}
                Err(reason) => refused = reason,
            }
        }
        Err(refused)
    }
}

impl PeerError {
    /// Why a handshake failed, when it was over the client's certificate. The client is told no
    /// more than that its certificate was not accepted.
    pub fn of(error: &Error) -> Option<Self> {
        let Error::InvalidCertificate(CertificateError::Other(OtherError(inner))) = error else {
            return None;
        };
        inner.downcast_ref::<Self>().copied()
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
            Err(error) => Err(CertificateError::Other(OtherError(Arc::new(error))).into()),
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
