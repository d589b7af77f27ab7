//! What one address may take of what is there for all.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use cs_model::event::EventKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::client::INITIALIZE;
use super::pki::Scene;
use super::world::{Stage, WORKER};
use cs_trust::tls::OldestTls;

/// A connection from one of the addresses of this machine.
async fn from(last: u8, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0))).unwrap();
    socket.connect(to).await.unwrap()
}

/// Whether the other side closes the connection without a word.
async fn is_closed(stream: &mut TcpStream) -> bool {
    let read = tokio::time::timeout(Duration::from_millis(500), stream.read(&mut [0; 16])).await;
    matches!(read, Ok(Ok(0) | Err(_)))
}

#[tokio::test]
async fn t16_one_address_cannot_take_all_connections() {
    let stage = Stage::with(|it| it.limits.address_connections = 3).await;
    let to = stage.gateway.address();
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(from(7, to).await);
    }
    assert!(is_closed(&mut from(7, to).await).await, "a fourth");
    let mut other = from(8, to).await;
    assert!(!is_closed(&mut other).await, "another address");
    drop(held);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!is_closed(&mut from(7, to).await).await, "once they are gone");
}

#[tokio::test]
async fn m09_what_a_refused_certificate_claims_is_on_record_but_no_flood_is() {
    let scene = Scene::new().await;
    let forged = scene.pki.forge(|it| {
        it.subject_alt_names = vec![super::pki::uri("https://evil.example/x")];
    });
    assert_eq!(scene.refused(&forged).await, "certificate_spiffe_id");
    let event = scene.stage.journal.first_event().await;
    let claimed = event.claimed.unwrap();
    assert!(claimed.starts_with("https://evil.example/x, serial 0606"), "{claimed}");
    assert!(claimed.ends_with(&format!("SHA-256 {}", forged.fingerprint)), "{claimed}");
    assert!(event.client.unwrap().starts_with("127.0.0.1:"));

    let nameless = scene.pki.forge(|it| {
        it.subject_alt_names.clear();
        it.distinguished_name.push(rcgen::DnType::CommonName, "a\u{202e}b".repeat(200));
    });
    scene.refused(&nameless).await;
    let claimed = scene.stage.journal.first_event().await.claimed.unwrap();
    assert!(!claimed.contains('\u{202e}'), "{claimed}");
    assert!(claimed.len() < 1200, "{}", claimed.len());

    scene.stage.journal.forget();
    for _ in 0..30 {
        let mut talk = scene.connect(Some(&forged)).await;
        let _ = talk.stream.read(&mut [0; 16]).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let told = scene.stage.journal.reasons(EventKind::AuthnFailed).len();
    assert!((1..=8).contains(&told), "two were told before: {told}");
    scene.stage.journal.pass(Duration::from_secs(60));
    scene.stage.journal.forget();
    let mut talk = scene.connect(Some(&forged)).await;
    let _ = talk.stream.read(&mut [0; 16]).await;
    let count = scene.stage.journal.first_event().await;
    assert_eq!(count.reason.as_deref(), Some("tls_handshakes_not_recorded"));
    assert_eq!(count.detail.as_deref(), Some("22 more failed"));
}

#[tokio::test]
async fn t19_an_address_whose_handshakes_fail_again_and_again_waits_and_no_other_does() {
    let scene = Scene::with(OldestTls::Tls13, |it| {
        it.limits.address_handshakes = 5;
        it.limits.spare_loopback = false;
    })
    .await;
    let to = scene.stage.gateway.address();
    for _ in 0..5 {
        let mut stream = from(1, to).await;
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
    let told = async {
        while !scene
            .stage
            .journal
            .events()
            .iter()
            .any(|it| it.reason.as_deref() == Some("tls_too_many_failures"))
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), told).await.unwrap();
    assert!(is_closed(&mut from(1, to).await).await);
    assert!(!is_closed(&mut from(2, to).await).await, "another address");
    scene.stage.journal.pass(Duration::from_secs(60));
    let own = scene.worker();
    let mut talk = scene.connect(Some(&own)).await;
    let request = scene.stage.client(WORKER).bytes("POST", &[], INITIALIZE.as_bytes());
    assert_eq!(talk.ask(&request).await.status, 200, "in the next minute");
}
