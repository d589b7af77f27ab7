//! A gateway that follows another one on its socket, and what does not outlive the first.

use cs_trust::tls::OldestTls;
use rustls::HandshakeKind;
use rustls::client::Resumption;

use super::client::{INITIALIZE, raw};
use super::pki::{NEW, OLD, Scene};
use super::world::{Stage, WORKER};
use crate::gateway::Gateway;
use crate::tls::TlsSettings;

#[tokio::test]
async fn m01_nothing_is_resumed_after_the_gateway_was_started_anew() {
    for (versions, oldest) in [(NEW, OldestTls::Tls13), (OLD, OldestTls::Tls12)] {
        let mut scene = Scene::with(oldest, |_| ()).await;
        let own = scene.worker();
        let kept = Resumption::in_memory_sessions(16);
        let config = scene.client(Some(&own), versions, kept);
        let request =
            |scene: &Scene| scene.stage.client(WORKER).bytes("POST", &[], INITIALIZE.as_bytes());
        let mut talk = scene.connect_with(&config).await;
        assert_eq!(talk.ask(&request(&scene)).await.status, 200);
        scene.stage.gateway.stop().await;

        let (world, journal) = (scene.stage.world.borrow().clone(), scene.stage.journal.clone());
        let settings = TlsSettings { serving: scene.serving.subscribe(), names: Vec::new() };
        scene.stage = Stage::after(journal, |it| it.tls = Some(settings)).await;
        scene.stage.world.send_replace(world);
        let mut talk = scene.connect_with(&config).await;
        assert_eq!(talk.stream.get_ref().1.handshake_kind(), Some(HandshakeKind::Full));
        assert_eq!(talk.ask(&request(&scene)).await.status, 200);
    }
}

/// A request that opens a session, with a nonce of its own.
fn signed(stage: &Stage) -> Vec<u8> {
    let (client, text) = (stage.client(WORKER), INITIALIZE.as_bytes());
    client.bytes("POST", &client.signature("POST", text), text)
}

#[tokio::test]
async fn a_gateway_takes_over_the_socket_of_the_one_before_and_nobody_is_turned_away() {
    let stage = Stage::new().await;
    let address = stage.gateway.address();
    let request = signed(&stage);
    assert_eq!(raw(address, &request).await.status, 200);
    let socket = stage.gateway.socket().unwrap();
    stage.gateway.close();
    // Who comes in between waits for the next one.
    let waiting = tokio::spawn(async move { raw(address, &request).await.status });
    tokio::task::yield_now().await;
    let (config, ports) = (stage.gateway.config().clone(), stage.gateway.gate.ports.clone());
    let hears = stage.world.subscribe();
    let next = Gateway::start_on(socket, config, ports, hears).await.unwrap();
    assert_eq!(next.address(), address);
    // A nonce is good once, whichever gateway hears of it.
    assert_eq!(waiting.await.unwrap(), 401);
    let fresh = signed(&stage);
    assert_eq!(raw(address, &fresh).await.status, 200);
    stage.gateway.stop().await;
    let fresh = signed(&stage);
    assert_eq!(raw(address, &fresh).await.status, 200, "the end of the first is not the next's");
    assert!(stage.gateway.socket().is_none());
    next.stop().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
