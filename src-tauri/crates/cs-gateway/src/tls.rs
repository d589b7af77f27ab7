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
use cs_trust::peer::{PeerCertificate, PeerError};
use cs_trust::tls::{AgentVerifier, ClientTrust, OldestTls, ServerTls, TlsError};
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
use crate::trail::Trail;
use crate::world::World;

/// The method that a certificate proves itself by, as the log calls it.
const METHOD: &str = "certificate";

/// How many handshakes that failed are put on record in one minute; of more there is a count.
const RECORDED: u32 = 30;

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
        Ok(Self { server, verifier: AgentVerifier::new(trust)? })
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
    serving: watch::Receiver<Arc<TlsServing>>,
    /// Under what it was checked last, and what spoke against it.
    checked: Mutex<(Arc<TlsServing>, Option<PeerError>)>,
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
        let holder = world.credentials.certificate(self.fingerprint())?;
        authn::used_up(holder, now)
    }

    /// Checks the chain again if the trust is another one than it was checked with.
    fn check_again(&self, now: Timestamp) -> Option<PeerError> {
        let serving = Arc::clone(&self.serving.borrow());
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&checked.0, &serving) {
            let error = serving.verifier.identify(&self.chain, now).err();
            *checked = (serving, error);
        }
        checked.1
    }
}

/// Why there was no connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Unshaken {
    /// The client's certificate was not accepted.
    Certificate(PeerError),
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
        Err(Unshaken::Certificate(error)) => {
            tell(gate, EventKind::AuthnFailed, error.code(), from).await;
        }
        Err(Unshaken::Handshake) => {
            tell(gate, EventKind::RequestRefused, "tls_handshake", from).await;
        }
        Err(Unshaken::Slow) => {
            tell(gate, EventKind::RequestRefused, "tls_handshake_slow", from).await;
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
    let found = serving.verifier.identify(&chain, gate.now()).map_err(Unshaken::Certificate)?;
    let peer = Peer {
        chain,
        certificate: found.certificate,
        serving: tls.serving.clone(),
        checked: Mutex::new((serving, None)),
    };
    Ok((stream, Some(Arc::new(peer))))
}

fn reason(error: &io::Error) -> Unshaken {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner.and_then(PeerError::of) {
        Some(error) => Unshaken::Certificate(error),
        None => Unshaken::Handshake,
    }
}

/// Puts a handshake that failed on record. There is nobody to be told if that does not work.
async fn tell(gate: &Gate, kind: EventKind, reason: &'static str, from: SocketAddr) {
    let now = gate.now();
    let Ok(correlation) = gate.correlation() else { return };
    let trail = Trail::new(correlation, from.to_string());
    let (told, missed) = gate.handshakes.count(now);
    let mut events = Vec::new();
    if missed > 0 {
        let mut event = trail.event(EventKind::RequestRefused, now);
        event.client = None;
        event.reason = Some("tls_handshakes_not_recorded".to_owned());
        event.detail = Some(format!("{missed} more failed"));
        events.push(event);
    }
    if told {
        let mut event = trail.event(kind, now);
        event.reason = Some(reason.to_owned());
        event.detail = (kind == EventKind::AuthnFailed).then(|| METHOD.to_owned());
        event.policy_version = Some(gate.world().policy.version());
        events.push(event);
    }
    if !events.is_empty()
        && let Err(error) = gate.ports.audit.record(events).await
    {
        tracing::error!(%error, reason, "a handshake that failed is not on record");
    }
}

/// Counts the handshakes that failed, by the minute.
#[derive(Debug, Default)]
pub(crate) struct Failures(Mutex<Minute>);

#[derive(Debug, Default)]
struct Minute {
    number: i64,
    recorded: u32,
    missed: u64,
}

impl Failures {
    /// Counts one more. Says whether it is to be recorded, and how many were not in a minute that
    /// is over.
    fn count(&self, now: Timestamp) -> (bool, u64) {
        let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = now.secs().div_euclid(60);
        let mut missed = 0;
        if minute.number != number {
            missed = minute.missed;
            *minute = Minute { number, ..Minute::default() };
        }
        let told = minute.recorded < RECORDED;
        if told {
            minute.recorded = minute.recorded.saturating_add(1);
        } else {
            minute.missed = minute.missed.saturating_add(1);
        }
        (told, missed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_failures_a_few_are_recorded_and_the_rest_counted() {
        let failures = Failures::default();
        let at = |secs: i64| Timestamp::from_secs(6_000_000 + secs);
        let told = (0..100).filter(|_| failures.count(at(1)).0).count();
        assert_eq!(told, 30);
        assert_eq!(failures.count(at(59)), (false, 0));
        assert_eq!(failures.count(at(60)), (true, 71));
        assert_eq!(failures.count(at(61)), (true, 0));
    }
}
