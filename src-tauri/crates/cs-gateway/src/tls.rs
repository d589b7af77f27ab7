//! TLS at the listener: handshakes that end in time, and whom a client certificate shows.
//!
//! What handshakes are made with is swapped as a whole, without a restart. A connection that was
//! opened under an older one is looked at again before its next request, so that an authority or a
//! certificate that is not believed any more opens nothing on it either.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use cs_model::event::EventKind;
use cs_model::{Digest, Secret, Timestamp};
use cs_trust::claimed::{CertificateFacts, Claimed};
use cs_trust::peer::{PeerCertificate, PeerError};
use cs_trust::tls::{
    AgentVerifier, ClientTrust, OldestTls, Owner, RefusedPeer, ServerTls, TlsError,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::time_provider::TimeProvider;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::authn;
use crate::gate::Gate;
use crate::ports::Clock;
use crate::trail::{Trail, neutral};
use crate::world::{Holder, World};

/// The method that a certificate proves itself by, as the log calls it.
const METHOD: &str = "certificate";

/// How the listener serves TLS.
#[derive(Clone, Debug)]
pub struct TlsSettings {
    /// What handshakes are made with: always the latest.
    pub serving: watch::Receiver<Arc<TlsServing>>,
    /// The names and addresses in the server's certificate, without a port: by these it is reached.
    /// Agents are given the first.
    pub names: Vec<String>,
}

/// What handshakes are made with.
pub struct TlsServing {
    server: Arc<ServerConfig>,
    verifier: AgentVerifier,
    certificates: Vec<CertificateFacts>,
    oldest: OldestTls,
}

impl TlsServing {
    /// Takes the server's certificates (leaf first, PEM), its key (PEM), and whose certificates
    /// are believed. Versions before TLS 1.3 are not spoken unless `oldest` says so.
    ///
    /// # Errors
    ///
    /// When the certificates or the key cannot be used, or nobody could ever connect.
    pub fn new(
        chain_pem: &str,
        key: &Secret,
        trust: &ClientTrust,
        oldest: OldestTls,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, TlsError> {
        let server = ServerTls::build(chain_pem, key, trust, oldest, Arc::new(Time(clock)))?;
        let certificates = CertificateFacts::every(chain_pem).ok_or(TlsError::Certificate)?;
        Ok(Self { server, verifier: AgentVerifier::new(trust)?, certificates, oldest })
    }

    /// The server's own certificate.
    pub fn certificate(&self) -> Option<&CertificateFacts> {
        self.certificates.first()
    }

    /// The oldest version that is spoken.
    pub const fn oldest(&self) -> OldestTls {
        self.oldest
    }
}

impl fmt::Debug for TlsServing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsServing").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}

/// The gateway's clock, as handshakes ask it.
#[derive(Debug)]
struct Time(Arc<dyn Clock>);

impl TimeProvider for Time {
    fn current_time(&self) -> Option<UnixTime> {
        let secs = u64::try_from(self.0.now().secs()).ok()?;
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(secs)))
    }
}

/// The client certificate of a connection.
pub(crate) struct Peer {
    chain: Vec<CertificateDer<'static>>,
    certificate: PeerCertificate,
    owner: Option<Owner>,
    serving: watch::Receiver<Arc<TlsServing>>,
    checked: Mutex<Checked>,
}

/// Under what a chain was checked last, what spoke against it, and until when that holds.
struct Checked {
    serving: Arc<TlsServing>,
    error: Option<PeerError>,
    until: Timestamp,
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

impl Peer {
    /// What is known of the certificate.
    pub(crate) const fn certificate(&self) -> &PeerCertificate {
        &self.certificate
    }

    /// Its SHA-256.
    pub(crate) const fn fingerprint(&self) -> Digest {
        self.certificate.fingerprint
    }

    /// Whether an outside authority issued it.
    pub(crate) const fn is_outside(&self) -> bool {
        matches!(self.owner, Some(Owner { authority: Some(_), .. }))
    }

    /// The credential that it is: of the tenant whose authority issued it, and of no other.
    pub(crate) fn holder<'w>(&self, world: &'w World) -> Option<&'w Holder> {
        let Owner { tenant, authority } = self.owner?;
        let PeerCertificate { fingerprint, spiffe, .. } = &self.certificate;
        let found = match authority {
            None => world.credentials.certificate(*fingerprint),
            Some(id) => world.credentials.outside(id, *fingerprint, spiffe.as_str()),
        };
        found.filter(|holder| holder.tenant == tenant)
    }

    /// Why nobody may be let in on a connection with this certificate any more, whatever else
    /// they present: a short code for the log.
    pub(crate) fn objection(&self, world: &World, now: Timestamp) -> Option<&'static str> {
        if now < self.certificate.not_before {
            return Some(PeerError::NotYetValid.code());
        }
        if now.secs() > self.certificate.not_after.secs() {
            return Some(PeerError::Expired.code());
        }
        if let Some(error) = self.check_again(now) {
            return Some(error.code());
        }
        if self.is_withdrawn(world) {
            return Some(PeerError::Revoked.code());
        }
        authn::used_up(self.holder(world)?, now)
    }

    /// Whether an operator revoked it by its serial number, ahead of its authority.
    fn is_withdrawn(&self, world: &World) -> bool {
        let Some(Owner { tenant, authority: Some(authority) }) = self.owner else { return false };
        world.revocations.has_certificate(tenant, authority, &self.certificate.serial)
    }

    /// Checks the chain again if the trust is another one than it was checked with, or time has
    /// passed by which a list or an authority ends.
    fn check_again(&self, now: Timestamp) -> Option<PeerError> {
        let serving = Arc::clone(&self.serving.borrow());
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&checked.serving, &serving) || now >= checked.until {
            let found = serving.verifier.identify(&self.chain, now);
            let until = found.as_ref().map_or(checked.until, |it| it.holds_until);
            let error = match found {
                Ok(found) if found.owner == self.owner => None,
                Ok(_) => Some(PeerError::Issuer),
                Err(error) => Some(error),
            };
            *checked = Checked { serving, error, until };
        }
        checked.error
    }
}

/// Why there was no connection.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Unshaken {
    /// The client's certificate was not accepted.
    Certificate(RefusedPeer),
    /// The client and the gateway have no way to speak, or the client left.
    Handshake,
    /// It took too long.
    Slow,
    /// The gateway stops.
    Stopping,
}

/// Makes the handshake. One that fails is put on record, as long as there are not too many.
pub(crate) async fn shake(
    gate: &Gate,
    tls: &TlsSettings,
    stream: TcpStream,
    from: SocketAddr,
) -> Option<(TlsStream<TcpStream>, Option<Arc<Peer>>)> {
    let made = tokio::select! {
        () = gate.stops() => Err(Unshaken::Stopping),
        made = tokio::time::timeout(gate.config.limits.handshake_time, accept(gate, tls, stream)) => {
            made.unwrap_or(Err(Unshaken::Slow))
        }
    };
    match made {
        Ok(made) => return Some(made),
        Err(Unshaken::Stopping) => {}
        Err(Unshaken::Certificate(refused)) => {
            let kind = EventKind::AuthnFailed;
            tell(gate, kind, refused.error.code(), Some(&refused.claimed), from).await;
        }
        Err(Unshaken::Handshake) => {
            tell(gate, EventKind::RequestRefused, "tls_handshake", None, from).await;
        }
        Err(Unshaken::Slow) => {
            tell(gate, EventKind::RequestRefused, "tls_handshake_slow", None, from).await;
        }
    }
    None
}

async fn accept(
    gate: &Gate,
    tls: &TlsSettings,
    stream: TcpStream,
) -> Result<(TlsStream<TcpStream>, Option<Arc<Peer>>), Unshaken> {
    let serving = Arc::clone(&tls.serving.borrow());
    let acceptor = TlsAcceptor::from(Arc::clone(&serving.server));
    let stream = acceptor.accept(stream).await.map_err(|error| reason(&error))?;
    let Some(chain) = stream.get_ref().1.peer_certificates().map(<[_]>::to_vec) else {
        return Ok((stream, None));
    };
    let found = serving.verifier.identify(&chain, gate.now()).map_err(|error| {
        let claimed = Claimed::of(chain.first().map_or(&[], |leaf| leaf));
        Unshaken::Certificate(RefusedPeer { error, claimed })
    })?;
    let peer = Peer {
        chain,
        certificate: found.certificate,
        owner: found.owner,
        serving: tls.serving.clone(),
        checked: Mutex::new(Checked { serving, error: None, until: found.holds_until }),
    };
    Ok((stream, Some(Arc::new(peer))))
}

fn reason(error: &io::Error) -> Unshaken {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner.and_then(RefusedPeer::of) {
        Some(refused) => Unshaken::Certificate(refused.clone()),
        None => Unshaken::Handshake,
    }
}

/// Puts a handshake that failed on record, with what the client's certificate said of itself. There
/// is nobody to be told if that does not work.
async fn tell(
    gate: &Gate,
    kind: EventKind,
    reason: &'static str,
    claimed: Option<&Claimed>,
    from: SocketAddr,
) {
    let now = gate.now();
    let Ok(correlation) = gate.correlation() else { return };
    let trail = Trail::new(correlation, from.to_string());
    let counted = gate.handshakes.count(from.ip(), now);
    let mut events = Vec::new();
    if counted.missed > 0 {
        let mut event = trail.event(EventKind::RequestRefused, now);
        event.client = None;
        event.reason = Some("tls_handshakes_not_recorded".to_owned());
        event.detail = Some(counted.sentence());
        events.push(event);
    }
    if counted.told {
        let mut event = trail.event(kind, now);
        event.reason = Some(reason.to_owned());
        event.detail = (kind == EventKind::AuthnFailed).then(|| METHOD.to_owned());
        event.claimed = claimed.map(claim);
        event.policy_version = Some(gate.world().policy.version());
        events.push(event);
    }
    if counted.nth == gate.config.limits.address_handshakes {
        let mut event = trail.event(EventKind::RequestRefused, now);
        event.reason = Some("tls_too_many_failures".to_owned());
        events.push(event);
    }
    if !events.is_empty()
        && let Err(error) = gate.ports.audit.record(events).await
    {
        tracing::error!(%error, reason, "a handshake that failed is not on record");
    }
}

/// What a certificate said of itself, in one neutral line.
fn claim(claimed: &Claimed) -> String {
    let Claimed { name, serial, fingerprint } = claimed;
    let name = name.as_deref().map_or_else(|| "no name".to_owned(), neutral);
    let serial = serial.as_deref().unwrap_or("unreadable");
    format!("{name}, serial {serial}, SHA-256 {fingerprint}")
}
