//! What is open on the network for consoles, and who comes to it without being one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cs_model::CorrelationId;
use cs_trust::console::ConsoleIdentity;
use cs_trust::tls::ConsoleTls;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use super::consoles::*;
use super::place::Place;
use crate::authority;
use crate::consoles::{self, AttachError, attach};

/// Attacks N2: of all that the right authority issued, only what was enrolled opens the door.
#[tokio::test]
async fn n02_certificates_of_other_authorities_and_such_as_were_never_enrolled_open_nothing() {
    let place = Place::with_starter().await;
    open(&place).await;
    let (_, mut identity) = enrol(&place, "Grace").await;
    let core = place.control.core().unwrap();
    let correlation = CorrelationId::from_random([1; 16]);
    let day = Duration::from_secs(24 * 60 * 60);
    let alone = core.hold().await.unwrap();
    let own = authority::of_consoles(&core).await.unwrap();
    let servers = authority::of_servers(&core).await.unwrap();
    let system = cs_model::event::Actor::System;
    let mut edit = core.edit_alone_as(alone, system, correlation).await.unwrap();
    let own = own.enter(&mut edit).await.unwrap();
    let servers = servers.enter(&mut edit).await.unwrap();
    edit.keep().await.unwrap();
    let now = place.control.now();

    let unknown = own.issue_console("con_x", [7; 16], now, day).unwrap();
    (identity.certificate, identity.key) = (unknown.certificate_pem, unknown.key_pem.unwrap());
    let why = refused(&place, &identity).await;
    assert!(why.contains("does not know this console"), "{why}");
    assert_eq!(reasons(&place).await, ["console_unknown"]);
    place.clock.advance(Duration::from_secs(61));

    let foreign = servers.issue_console("con_x", [8; 16], now, day).unwrap();
    (identity.certificate, identity.key) = (foreign.certificate_pem, foreign.key_pem.unwrap());
    let attached = attach(&identity, clock(&place)).await;
    assert!(matches!(attached, Err(AttachError::Unreachable { .. })), "{attached:?}");
    let on_record = async {
        while reasons(&place).await[0] != "console_handshake" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, on_record).await.expect("it is on record");

    // A server's certificate is for servers, also when the right authority issued it.
    let name = cs_trust::console::server_name("x");
    let server = own.issue_server(&[name], [9; 16], now, day).unwrap();
    (identity.certificate, identity.key) = (server.certificate_pem, server.key_pem.unwrap());
    let attached = attach(&identity, clock(&place)).await;
    assert!(matches!(attached, Err(AttachError::Unreachable { .. })), "{attached:?}");

    // And the console believes the gateway of its own installation alone.
    let (_, mut identity) = enrol(&place, "Grace").await;
    servers.certificate_pem().clone_into(&mut identity.authority);
    let attached = attach(&identity, clock(&place)).await;
    assert!(matches!(attached, Err(AttachError::Foreign { .. })), "{attached:?}");
    let (_, mut identity) = enrol(&place, "Grace").await;
    "another".clone_into(&mut identity.card.installation);
    let attached = attach(&identity, clock(&place)).await;
    assert!(matches!(attached, Err(AttachError::Foreign { .. })), "{attached:?}");
}

pub(super) async fn raw(
    place: &Place,
    address: SocketAddr,
    config: Arc<ClientConfig>,
) -> TlsStream<TcpStream> {
    let id = place.control.core().unwrap().registry.instance().id.to_string();
    let name = ServerName::try_from(cs_trust::console::server_name(&id)).unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    TlsConnector::from(config).connect(name, stream).await.unwrap()
}

pub(super) fn config(place: &Place, identity: &ConsoleIdentity) -> Arc<ClientConfig> {
    let ConsoleIdentity { authority, certificate, key, .. } = identity;
    let time = Arc::new(consoles::Time(clock(place)));
    ConsoleTls::client(certificate, key, authority, time).unwrap()
}

async fn all(stream: &mut TlsStream<TcpStream>) -> String {
    let mut told = Vec::new();
    // However it ends, what was told is what counts.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut told)).await.expect("it ends");
    String::from_utf8(told).unwrap()
}

/// Attacks N1: a resumed session would not have its certificate looked at.
#[tokio::test]
async fn n01_no_connection_is_resumed_and_nothing_is_sent_early() {
    use tokio_rustls::rustls::HandshakeKind;
    use tokio_rustls::rustls::client::Resumption;
    let place = Place::with_starter().await;
    let address = open(&place).await;
    let (_, identity) = enrol(&place, "Grace").await;
    let mut willing = ClientConfig::clone(&config(&place, &identity));
    willing.resumption = Resumption::in_memory_sessions(8);
    willing.enable_early_data = true;
    let willing = Arc::new(willing);
    for _ in 0..3 {
        let mut stream = raw(&place, address, Arc::clone(&willing)).await;
        stream.write_all(b"{\"id\":1,\"command\":\"ping\"}\n").await.unwrap();
        let mut some = [0; 64];
        let count = timeout(PATIENCE, stream.read(&mut some)).await.unwrap().unwrap();
        assert!(count > 0);
        let connection = stream.get_ref().1;
        assert_eq!(connection.handshake_kind(), Some(HandshakeKind::Full));
        assert_eq!(connection.tls13_tickets_received(), 0);
    }
}

/// Attacks N11: a line that does not come to an end, or does so too late, ends the connection.
#[tokio::test]
async fn n11_lines_that_are_too_long_or_none_at_all_are_refused() {
    let place = Place::with_starter().await;
    let address = open(&place).await;
    let (_, identity) = enrol(&place, "Grace").await;
    let config = config(&place, &identity);
    let mut stream = raw(&place, address, Arc::clone(&config)).await;
    let long = vec![b'x'; 8 * 1024 * 1024 + 1];
    // It may be refused before all of it was sent.
    let _ = stream.write_all(&long).await;
    assert!(all(&mut stream).await.contains("at most 8 MiB"));

    let mut stream = raw(&place, address, config).await;
    stream.write_all(b"{\"command\":\"unlock\",\"args\":7}\nGET / HTTP/1.1\n[]\n").await.unwrap();
    stream.shutdown().await.unwrap();
    let told = all(&mut stream).await;
    assert_eq!(told.lines().count(), 3, "{told}");
    assert!(told.lines().all(|line| line.contains("\"invalid\"")), "{told}");

    // Whoever speaks no TLS at all is not answered.
    let mut plain = TcpStream::connect(address).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut told = Vec::new();
    let _ = timeout(PATIENCE, plain.read_to_end(&mut told)).await.expect("it ends");
    assert!(!String::from_utf8_lossy(&told).contains("HTTP"), "{told:?}");
}

/// Attacks N11: whoever holds the door open holds only so many places.
#[tokio::test]
async fn n11_handshakes_that_are_not_made_take_few_places_and_not_for_long() {
    let place = Place::with_starter().await;
    let address = open(&place).await;
    let (_, identity) = enrol(&place, "Grace").await;
    let mut held = Vec::new();
    for _ in 0..12 {
        held.push(TcpStream::connect(address).await.unwrap());
    }
    // Those that are one too many are closed at once.
    let mut closed = Vec::new();
    for stream in &mut held {
        let mut byte = [0];
        let read = timeout(Duration::from_millis(300), stream.read(&mut byte)).await;
        closed.push(matches!(read, Ok(Ok(0) | Err(_))));
    }
    assert!(closed.iter().filter(|it| **it).count() >= 4, "{closed:?}");
    drop(held);
    let again = async {
        while attach(&identity, clock(&place)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, again).await.expect("it is let in");
}

/// Attacks T16, N11: whoever opens many connections and makes no handshake on any of them, from one
/// address or from many, keeps no console out.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn t16_n11_many_connections_that_are_half_open_keep_no_console_out() {
    let place = Place::with_starter().await;
    let address = open(&place).await;
    let (_, identity) = enrol(&place, "Grace").await;
    let mut held = Vec::new();
    let mut half_open = async |from: u8, how_many: usize| {
        for _ in 0..how_many {
            let socket = tokio::net::TcpSocket::new_v4().unwrap();
            socket.bind(SocketAddr::from(([127, 0, 0, from], 0))).unwrap();
            let mut stream = socket.connect(address).await.unwrap();
            // The beginning of a handshake that never goes on.
            let _ = stream.write_all(&[22, 3, 1]).await;
            held.push(stream);
        }
    };
    for from in 2..14 {
        half_open(from, 8).await;
    }
    half_open(1, 12).await;
    // Sooner than those who hold the places would have to give them back.
    let client = timeout(Duration::from_secs(8), attach(&identity, clock(&place))).await;
    let client = client.expect("in time").expect("it is let in");
    assert_eq!(unlock(&client, GRACE).await.unwrap()["operator"]["name"], "Grace");
    drop(held);
}
