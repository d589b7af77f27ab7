//! Accepts connections, and watches over what lasts longer than a request.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};

use crate::edge::{Edge, EdgeLimits, Wire};
use crate::gate::Gate;
use crate::tls::{self, Peer};
use crate::{authn, router, session};

/// How long to wait when the system has no more connections to give.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// How many bytes may wait for one client. The system takes it for half of what it keeps.
#[cfg(unix)]
const SEND_BUFFER: usize = 128 * 1024;

/// Takes connections until the gateway stops. `alive` tells that a task has not ended yet.
pub(crate) async fn listen(listener: TcpListener, gate: Arc<Gate>, alive: mpsc::Sender<()>) {
    let seats = Arc::new(Semaphore::new(gate.config.limits.connections));
    loop {
        let accepted = tokio::select! {
            // Who comes later is the next gateway's, where there is one on this socket.
            biased;
            () = gate.stops() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            // Whoever comes when all seats are taken is sent away at once, not kept waiting.
            Ok((stream, peer)) => {
                let most = gate.config.limits.address_connections;
                let held = (!is_barred(&gate, peer)).then(|| gate.addresses.hold(peer.ip(), most));
                let seat = Arc::clone(&seats).try_acquire_owned();
                if let (Some(Some(held)), Ok(seat)) = (held, seat) {
                    let (gate, alive) = (Arc::clone(&gate), alive.clone());
                    tokio::spawn(async move {
                        connection(stream, peer, gate, alive).await;
                        drop((seat, held));
                    });
                }
            }
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(EXHAUSTED).await;
            }
        }
    }
}

/// Whether so many handshakes of an address failed that it has to wait for the next minute.
fn is_barred(gate: &Gate, peer: SocketAddr) -> bool {
    let limits = &gate.config.limits;
    let spared = limits.spare_loopback && peer.ip().to_canonical().is_loopback();
    !spared && gate.handshakes.of(peer.ip(), gate.now()) >= limits.address_handshakes
}

async fn connection(stream: TcpStream, peer: SocketAddr, gate: Arc<Gate>, alive: mpsc::Sender<()>) {
    let _ = stream.set_nodelay(true);
    bound(&stream);
    let Some(tls) = &gate.config.tls else {
        return converse(stream, (peer, None), &gate, alive).await;
    };
    if let Some((stream, certificate)) = tls::shake(&gate, tls, stream, peer).await {
        converse(stream, (peer, certificate), &gate, alive).await;
    }
}

/// Serves the requests of a connection.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    (peer, certificate): (SocketAddr, Option<Arc<Peer>>),
    gate: &Arc<Gate>,
    alive: mpsc::Sender<()>,
) {
    let limits = &gate.config.limits;
    let edge_limits = EdgeLimits {
        head_bytes: limits.head_bytes,
        head_time: limits.head_time,
        idle_time: limits.idle_time,
        stall_time: limits.stall_time,
    };
    let buffer = limits.head_bytes.saturating_mul(2).max(32 * 1024);
    let wire = Arc::new(Wire::default());
    let io = TokioIo::new(Edge::new(stream, Arc::clone(&wire), edge_limits));
    let service = service_fn(move |request| {
        let (wire, certificate) = (Arc::clone(&wire), certificate.clone());
        let caller = router::Caller { wire, peer, certificate, alive: alive.clone() };
        let gate = Arc::clone(gate);
        async move { Ok::<_, Infallible>(router::serve(&gate, request, caller).await) }
    });
    let mut server = http1::Builder::new();
    // The edge has its own clock for heads; it also knows of heads that are held back.
    server.header_read_timeout(None).max_buf_size(buffer);
    let mut served = std::pin::pin!(server.serve_connection(io, service));
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = gate.stops() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

/// Bounds what the system keeps for a client that does not read: else each could make it keep
/// megabytes before anybody notices.
#[cfg(unix)]
fn bound(stream: &TcpStream) {
    if let Err(error) = rustix::net::sockopt::set_socket_send_buffer_size(stream, SEND_BUFFER) {
        tracing::debug!(%error, "a connection keeps the system's own buffer");
    }
}

/// Elsewhere the system's own bound holds.
#[cfg(not(unix))]
fn bound(_: &TcpStream) {}

/// Ends sessions whose time is up or whose credential does not stand any more.
pub(crate) async fn watch_over(gate: Arc<Gate>, alive: mpsc::Sender<()>) {
    let mut world = Some(gate.world.clone());
    loop {
        let changed = async {
            match &mut world {
                Some(world) => world.changed().await.is_ok(),
                None => std::future::pending().await,
            }
        };
        let goes_on = tokio::select! {
            () = gate.stops() => break,
            () = tokio::time::sleep(gate.config.limits.sweep) => true,
            goes_on = changed => goes_on,
        };
        if !goes_on {
            // Nobody can change the world any more; time still passes.
            world = None;
        }
        gate.signers.look_after(&gate.world());
        gate.issuers.look_after(&gate.world());
        authn::tell_of_strangers(&gate).await;
        if let Err(error) = session::sweep(&gate).await {
            tracing::error!(%error, "an end of a session is not on record");
        }
    }
    drop(alive);
}
