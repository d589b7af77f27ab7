//! TLS at the listener, and agents that are known by their certificates.

use std::net::SocketAddr;
use std::time::Duration;

use cs_model::event::EventKind;
use cs_model::state::CredentialState;
use cs_trust::ca::{Authority, LeafKey};
use cs_trust::tls::OldestTls;
use rcgen::{ExtendedKeyUsagePurpose as Purpose, IsCa, KeyUsagePurpose, SanType};
use rustls::HandshakeKind;
use rustls::client::Resumption;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::client::{Client, INITIALIZE, call_body};
use super::pki::{CERTIFICATE, HOUR, NEW, NOW, OLD, Scene, Talk, crl, leaf, spiffe, uri};
use super::world::{OTHER, STRANGER, Stage, WORKER, credential};
use crate::config::Config;
use crate::gateway::StartError;

impl Client {
    /// Opens a session with the key over a connection that is there.
    async fn initialize_over(&self, talk: &mut Talk) -> Self {
        let text = INITIALIZE.as_bytes();
        let reply = talk.ask(&self.bytes("POST", &self.signature("POST", text), text)).await;
        let session = reply.header("mcp-session-id").unwrap().to_owned();
        self.clone().header("mcp-session-id", &session).header("mcp-protocol-version", "2025-11-25")
    }
}

impl Scene {
    /// A request with nothing in it that says who sends it.
    fn request(&self) -> Vec<u8> {
        self.stage.client(WORKER).bytes("POST", &[], INITIALIZE.as_bytes())
    }

    fn reasons(&self) -> Vec<String> {
        self.stage.journal.reasons(EventKind::AuthnFailed)
    }
}

#[tokio::test]
async fn an_agent_is_known_by_its_certificate_alone() {
    let scene = Scene::with(OldestTls::Tls12, |_| ()).await;
    let own = scene.worker();
    for versions in [NEW, OLD] {
        let config = scene.client(Some(&own), versions, Resumption::default());
        let mut talk = scene.connect_with(&config).await;
        scene.stage.journal.forget();
        assert_eq!(talk.ask(&scene.request()).await.status, 200);
        let events = scene.stage.journal.events();
        assert_eq!(events[0].proof.as_deref(), Some("certificate"));
        assert_eq!(events[0].credential, Some(credential(CERTIFICATE)));
        assert_eq!(events[0].agent, Some(super::world::agent(WORKER)));
        let call = scene.stage.client(WORKER).modern("tools/call").header("mcp-name", "read_file");
        let text = call_body("read_file", json!({}));
        assert_eq!(talk.ask(&call.bytes("POST", &[], text.as_bytes())).await.text(), "done");
    }
}

#[tokio::test]
async fn without_a_certificate_a_credential_is_needed_and_taken() {
    let scene = Scene::new().await;
    let mut talk = scene.connect(None).await;
    let reply = talk.ask(&scene.request()).await;
    assert_eq!((reply.status, scene.reasons()), (401, vec!["no_credential".to_owned()]));
    let challenge = reply.header("www-authenticate").unwrap();
    assert!(challenge.contains("resource_metadata=\"https://127.0.0.1:"), "{challenge}");
    let client = scene.stage.client(WORKER);
    let signed = client.signature("POST", INITIALIZE.as_bytes());
    let bytes = client.bytes("POST", &signed, INITIALIZE.as_bytes());
    assert_eq!(talk.ask(&bytes).await.status, 200);
}

#[tokio::test]
async fn a_server_is_reached_by_the_names_in_its_certificate_and_by_no_other() {
    let scene = Scene::new().await;
    let port = scene.stage.gateway.address().port();
    let own = scene.worker();
    for (host, status) in [("gateway.example", 200), ("other.example", 421)] {
        let text = String::from_utf8(scene.request()).unwrap();
        let text = text.replace(&format!("127.0.0.1:{port}"), &format!("{host}:{port}"));
        let mut talk = scene.connect(Some(&own)).await;
        assert_eq!(talk.ask(text.as_bytes()).await.status, status, "{host}");
    }
}

#[tokio::test]
async fn only_with_tls_can_the_gateway_be_reached_from_other_machines() {
    let anywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let scene = Scene::with(OldestTls::Tls13, |config| config.listen = anywhere).await;
    assert!(scene.stage.gateway.address().ip().is_unspecified());
    let plain = Stage::new().await;
    let ports = plain.gateway.gate.ports.clone();
    let config = Config::new(anywhere, "countersign:test".to_owned());
    let refused = crate::Gateway::start(config, ports, plain.world.subscribe()).await;
    assert!(matches!(refused, Err(StartError::NotLoopback { .. })));
}

#[tokio::test]
async fn m01_no_session_is_resumed_whatever_its_certificate_was() {
    for (versions, oldest) in [(NEW, OldestTls::Tls13), (OLD, OldestTls::Tls12)] {
        let scene = Scene::with(oldest, |_| ()).await;
        let own = scene.worker();
        let kept = Resumption::in_memory_sessions(16);
        let config = scene.client(Some(&own), versions, kept.clone());
        for _ in 0..3 {
            let mut talk = scene.connect_with(&config).await;
            assert_eq!(talk.ask(&scene.request()).await.status, 200);
            let kind = talk.stream.get_ref().1.handshake_kind();
            assert_eq!(kind, Some(HandshakeKind::Full));
        }
        let bare = scene.client(None, versions, kept);
        let mut talk = scene.connect_with(&bare).await;
        assert_eq!(talk.ask(&scene.request()).await.status, 401);
    }
}

#[tokio::test]
async fn m02_an_authority_whose_list_is_out_of_date_opens_nothing_until_there_is_a_newer_one() {
    let scene = Scene::new().await;
    let own = scene.worker();
    scene.stage.journal.pass(2 * HOUR);
    assert_eq!(scene.refused(&own).await, "certificate_crl_expired");
    let now = NOW.after(2 * HOUR);
    scene.believe(&scene.pki.acme.crl(&[], 2, now, now.after(HOUR)).unwrap());
    let mut talk = scene.connect(Some(&own)).await;
    assert_eq!(talk.ask(&scene.request()).await.status, 200);
}

#[tokio::test]
async fn m03_a_certificate_that_is_revoked_opens_nothing_on_the_very_next_request() {
    let scene = Scene::new().await;
    let own = scene.worker();
    let mut talk = scene.connect(Some(&own)).await;
    let reply = talk.ask(&scene.request()).await;
    assert_eq!(reply.status, 200);
    let session = reply.header("mcp-session-id").unwrap();
    let client = scene.stage.client(WORKER).header("mcp-session-id", session);
    let client = client.header("mcp-protocol-version", "2025-11-25");
    let mut stream = scene.connect(Some(&own)).await;
    stream.send(&client.bytes("GET", &[], b"")).await;
    stream.until("keep-alive").await;

    // A stream that was asked for with a key, on a connection with the certificate.
    let keyed = scene.stage.client(WORKER).initialize_over(&mut talk).await;
    let mut beside = scene.connect(Some(&own)).await;
    beside.send(&keyed.bytes("GET", &keyed.signature("GET", b""), b"")).await;
    beside.until("keep-alive").await;

    scene.stage.change_key(CERTIFICATE, |it| it.state = CredentialState::Revoked);
    assert_eq!(talk.ask(&scene.request()).await.status, 401);
    assert_eq!(scene.reasons(), ["credential_revoked"]);
    // The last chunk of a stream that is over.
    stream.until("\r\n0\r\n\r\n").await;
    beside.until("\r\n0\r\n\r\n").await;
}

#[tokio::test]
async fn m03_what_the_authority_revokes_opens_nothing_on_connections_that_are_open() {
    let scene = Scene::new().await;
    let own = scene.worker();
    let mut talk = scene.connect(Some(&own)).await;
    assert_eq!(talk.ask(&scene.request()).await.status, 200);
    scene.believe(&crl(&scene.pki.acme, 2, &[&own]));
    assert_eq!(talk.ask(&scene.request()).await.status, 401);
    assert_eq!(scene.reasons(), ["certificate_revoked"]);
    let client = scene.stage.client(WORKER);
    let signed = client.signature("POST", INITIALIZE.as_bytes());
    let bytes = client.bytes("POST", &signed, INITIALIZE.as_bytes());
    assert_eq!(talk.ask(&bytes).await.status, 401, "a key beside it helps nothing");
    assert_eq!(scene.refused(&own).await, "certificate_revoked");
}

#[tokio::test]
async fn m04_who_is_calling_is_the_one_uri_of_the_certificate_and_nothing_else() {
    let scene = Scene::new().await;
    let id = |path: &str| uri(&format!("spiffe://example.org/tenant/{path}"));
    let dns = |name: &str| SanType::DnsName(name.try_into().unwrap());
    let cases: [(Vec<SanType>, &str); 8] = [
        (vec![id("acme/agent/worker-1"), id("acme/agent/worker-2")], "certificate_names"),
        (vec![id("acme/agent/worker-1"), dns("worker-1")], "certificate_names"),
        (vec![dns("worker-1")], "certificate_names"),
        (vec![], "certificate_names"),
        (vec![id("acme%2Fagent/worker-1")], "certificate_spiffe_id"),
        (vec![id("globex/../acme/agent/worker-1")], "certificate_spiffe_id"),
        (vec![id("acme/agent/worker-1/")], "certificate_spiffe_id"),
        (vec![id("acme/agent/Worker-1")], "certificate_spiffe_id"),
    ];
    for (names, reason) in cases {
        let shown = format!("{names:?}");
        let forged = scene.pki.forge(|it| it.subject_alt_names = names);
        scene.register(&forged, WORKER);
        assert_eq!(scene.refused(&forged).await, reason, "{shown}");
    }
    // A certificate that is well-formed, but of another agent or of nobody registered.
    let other = leaf(&scene.pki.acme, "acme", "worker-2");
    for (registered, reason) in
        [(false, "certificate_unknown"), (true, "certificate_names_another")]
    {
        scene.stage.journal.forget();
        if registered {
            scene.register(&other, WORKER);
        }
        let mut talk = scene.connect(Some(&other)).await;
        assert_eq!(talk.ask(&scene.request()).await.status, 401);
        assert_eq!(scene.reasons(), [reason]);
        let claimed = scene.stage.journal.events().pop().unwrap().claimed;
        assert_eq!(claimed.unwrap(), spiffe("acme", "worker-2").to_string());
    }
    let named = scene.pki.forge(|it| {
        it.distinguished_name.push(rcgen::DnType::CommonName, "worker-2");
    });
    scene.register(&named, WORKER);
    scene.stage.journal.forget();
    let mut talk = scene.connect(Some(&named)).await;
    assert_eq!(talk.ask(&scene.request()).await.status, 200);
    let agent = scene.stage.journal.events()[0].agent;
    assert_eq!(agent, Some(super::world::agent(WORKER)), "the common name means nothing");
}

#[tokio::test]
async fn m05_a_certificate_is_for_authenticating_clients_and_for_nothing_else() {
    let scene = Scene::new().await;
    let cases: [(Vec<Purpose>, &str); 5] = [
        (vec![], "certificate_purpose"),
        (vec![Purpose::Any], "certificate_purpose"),
        (vec![Purpose::ServerAuth], "certificate_purpose"),
        (vec![Purpose::CodeSigning], "certificate_purpose"),
        (vec![Purpose::ClientAuth, Purpose::ServerAuth], "certificate_purpose"),
    ];
    for (purposes, reason) in cases {
        let shown = format!("{purposes:?}");
        let forged = scene.pki.forge(|it| it.extended_key_usages = purposes);
        scene.register(&forged, WORKER);
        assert_eq!(scene.refused(&forged).await, reason, "{shown}");
    }
    let signs = scene.pki.forge(|it| it.key_usages.push(KeyUsagePurpose::KeyCertSign));
    assert_eq!(scene.refused(&signs).await, "certificate_is_authority");
    let authority =
        scene.pki.forge(|it| it.is_ca = IsCa::Ca(rcgen::BasicConstraints::Constrained(0)));
    assert_eq!(scene.refused(&authority).await, "certificate_is_authority");
}

#[tokio::test]
async fn m06_a_certificate_of_one_tenants_authority_opens_nothing_of_another() {
    let scene = Scene::new().await;
    let forged = leaf(&scene.pki.globex, "acme", "worker-1");
    scene.register(&forged, WORKER);
    assert_eq!(scene.refused(&forged).await, "certificate_outside_scope");
    // An authority with the same name, that nobody trusts.
    let (double, _) = Authority::create("acme", NOW, [9; 16]).unwrap();
    let forged = leaf(&double, "acme", "worker-1");
    scene.register(&forged, WORKER);
    assert_eq!(scene.refused(&forged).await, "certificate_chain_invalid");
    // One that is good, at the address of the other tenant.
    let own = scene.worker();
    let mut talk = scene.connect(Some(&own)).await;
    scene.stage.journal.forget();
    let elsewhere = scene.stage.client(STRANGER).bytes("POST", &[], INITIALIZE.as_bytes());
    assert_eq!(talk.ask(&elsewhere).await.status, 401);
    assert_eq!(scene.reasons(), ["wrong_tenant"]);
}

#[tokio::test]
async fn m08_a_certificate_opens_nothing_before_or_after_its_time() {
    let scene = Scene::new().await;
    let id = spiffe("acme", "worker-1");
    let short = Duration::from_secs(60);
    let own = scene.pki.acme.issue_agent(&id, LeafKey::Generate, [8; 16], NOW, short).unwrap();
    scene.register(&own, WORKER);
    let mut talk = scene.connect(Some(&own)).await;
    assert_eq!(talk.ask(&scene.request()).await.status, 200);
    scene.stage.journal.pass(Duration::from_secs(61));
    assert_eq!(talk.ask(&scene.request()).await.status, 401);
    assert_eq!(scene.reasons(), ["certificate_expired"]);
    assert_eq!(scene.refused(&own).await, "certificate_expired");
    let later = NOW.after(HOUR / 2);
    let early = scene.pki.acme.issue_agent(&id, LeafKey::Generate, [9; 16], later, short).unwrap();
    assert_eq!(scene.refused(&early).await, "certificate_not_yet_valid");
}

#[tokio::test]
async fn m13_a_certificate_beside_another_credential_is_of_the_same_agent() {
    let scene = Scene::new().await;
    let own = scene.worker();
    let text = INITIALIZE.as_bytes();
    let signed_by = |number| {
        let client = scene.stage.client(number);
        client.bytes("POST", &client.signature("POST", text), text)
    };
    let mut talk = scene.connect(Some(&own)).await;
    assert_eq!(talk.ask(&signed_by(WORKER)).await.status, 200);
    assert_eq!(talk.ask(&signed_by(OTHER)).await.status, 401);
    assert_eq!(scene.reasons(), ["certificate_of_another"]);
    let unknown = leaf(&scene.pki.acme, "acme", "worker-1");
    let mut talk = scene.connect(Some(&unknown)).await;
    assert_eq!(talk.ask(&signed_by(WORKER)).await.status, 401);
    scene.stage.journal.forget();
    scene.stage.change_key(CERTIFICATE, |it| it.state = CredentialState::Revoked);
    let mut talk = scene.connect(Some(&own)).await;
    assert_eq!(talk.ask(&signed_by(WORKER)).await.status, 401);
    assert_eq!(scene.reasons(), ["credential_revoked"]);
}

/// Attacks T19: the usual time is five seconds.
#[tokio::test]
async fn t19_a_handshake_that_does_not_come_to_an_end_is_given_up() {
    assert_eq!(crate::Limits::default().handshake_time, Duration::from_secs(5));
    let brief = Duration::from_millis(50);
    let scene = Scene::with(OldestTls::Tls13, |it| it.limits.handshake_time = brief).await;
    let half_a_hello = [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03];
    for bytes in [&[][..], &half_a_hello] {
        scene.stage.journal.forget();
        let mut stream = TcpStream::connect(scene.stage.gateway.address()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut read = Vec::new();
        let ended = stream.read_to_end(&mut read);
        let ended = tokio::time::timeout(Duration::from_secs(30), ended).await;
        assert!(ended.is_ok() && read.is_empty());
        let event = scene.stage.journal.first_event().await;
        assert_eq!(event.reason.as_deref(), Some("tls_handshake_slow"));
    }
}

#[tokio::test]
async fn what_is_not_tls_gets_no_answer() {
    let scene = Scene::new().await;
    let mut stream = TcpStream::connect(scene.stage.gateway.address()).await.unwrap();
    stream.write_all(&scene.request()).await.unwrap();
    let mut read = Vec::new();
    let _ = stream.read_to_end(&mut read).await;
    assert!(!String::from_utf8_lossy(&read).contains("HTTP"));
    let event = scene.stage.journal.first_event().await;
    assert_eq!(event.kind, EventKind::RequestRefused);
    assert_eq!(event.reason.as_deref(), Some("tls_handshake"));
}
