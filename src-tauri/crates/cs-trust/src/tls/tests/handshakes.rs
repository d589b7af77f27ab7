use rustls::pki_types::ServerName;
use rustls::{AlertDescription, ClientConfig, ClientConnection, Error};
use rustls::{HandshakeKind, ProtocolVersion, ServerConnection};

use super::*;
use crate::ca::{Authority, IssuedLeaf, LeafKey, RevokedSerial};
use crate::certificate::sample::{agent, authority};

/// A gateway's two authorities, and what an agent needs.
struct Scene {
    tenants: Authority,
    servers: Authority,
    server: IssuedLeaf,
}

/// How a handshake ended, on each side.
struct Ended {
    server: ServerConnection,
    client: ClientConnection,
    refused: Option<Error>,
    told: Option<Error>,
}

impl Scene {
    fn new() -> Self {
        let servers = authority("servers");
        let server = servers.issue_server(&["localhost".to_owned()], [4; 16], NOW, DAY).unwrap();
        Self { tenants: authority("acme"), servers, server }
    }

    fn leaf(&self, authority: &Authority) -> IssuedLeaf {
        let reader = agent("acme", "reader");
        authority.issue_agent(&reader, LeafKey::Generate, [5; 16], NOW, DAY).unwrap()
    }

    fn trust(&self, revoked: &[&IssuedLeaf]) -> ClientTrust {
        let revoked: Vec<_> =
            revoked.iter().map(|it| RevokedSerial { serial: it.serial.clone(), at: NOW }).collect();
        let crl = self.tenants.crl(&revoked, 1, NOW, NOW.after(DAY)).unwrap();
        let anchor = Anchor::read(self.tenants.certificate_pem(), &crl, prefix("acme")).unwrap();
        trusting(vec![anchor])
    }

    fn serve(&self, trust: &ClientTrust, oldest: OldestTls) -> Arc<ServerConfig> {
        self.serve_at(trust, oldest, NOW)
    }

    fn serve_at(
        &self,
        trust: &ClientTrust,
        oldest: OldestTls,
        now: cs_model::Timestamp,
    ) -> Arc<ServerConfig> {
        let key = self.server.key_pem.as_ref().unwrap();
        ServerTls::build(&self.server.certificate_pem, key, trust, oldest, Arc::new(At(now)))
            .unwrap()
    }

    /// A client that keeps every ticket it gets, with or without a certificate.
    fn client(
        &self,
        leaf: Option<&IssuedLeaf>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(certificate::only(self.servers.certificate_pem()).unwrap()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_details(provider, Arc::new(At(NOW)))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        Arc::new(match leaf {
            Some(leaf) => {
                let chain = certificate::every(&leaf.certificate_pem).unwrap();
                let key = leaf.key_pem.as_ref().unwrap().expose();
                let key = PrivateKeyDer::from_pem_slice(key).unwrap();
                builder.with_client_auth_cert(chain, key).unwrap()
            }
            None => builder.with_no_client_auth(),
        })
    }
}

const NEW: &[&SupportedProtocolVersion] = &[&version::TLS13];
const OLD: &[&SupportedProtocolVersion] = &[&version::TLS12];

/// Carries bytes to and fro until neither side has more to say.
fn shake(server: &Arc<ServerConfig>, client: &Arc<ClientConfig>) -> Ended {
    let name = ServerName::try_from("localhost").unwrap();
    let client = ClientConnection::new(Arc::clone(client), name).unwrap();
    let server = ServerConnection::new(Arc::clone(server)).unwrap();
    let mut ended = Ended { server, client, refused: None, told: None };
    for _ in 0..10 {
        let mut bytes = Vec::new();
        while ended.client.wants_write() {
            ended.client.write_tls(&mut bytes).unwrap();
        }
        let mut read = bytes.as_slice();
        while !read.is_empty() && ended.refused.is_none() {
            ended.server.read_tls(&mut read).unwrap();
            ended.refused = ended.server.process_new_packets().err();
        }
        let mut bytes = Vec::new();
        while ended.server.wants_write() {
            ended.server.write_tls(&mut bytes).unwrap();
        }
        let mut read = bytes.as_slice();
        while !read.is_empty() && ended.told.is_none() {
            ended.client.read_tls(&mut read).unwrap();
            ended.told = ended.client.process_new_packets().err();
        }
    }
    ended
}

fn reason(ended: &Ended) -> Option<PeerError> {
    let refused = ended.refused.as_ref().and_then(RefusedPeer::of);
    refused.map(|it| it.error)
}

#[test]
fn an_agent_with_its_certificate_gets_in_and_is_known() {
    let scene = Scene::new();
    let leaf = scene.leaf(&scene.tenants);
    let trust = scene.trust(&[]);
    for (versions, oldest, spoken) in [
        (NEW, OldestTls::Tls13, ProtocolVersion::TLSv1_3),
        (OLD, OldestTls::Tls12, ProtocolVersion::TLSv1_2),
    ] {
        let server = scene.serve(&trust, oldest);
        let ended = shake(&server, &scene.client(Some(&leaf), versions));
        assert_eq!((&ended.refused, &ended.told), (&None, &None));
        assert!(!ended.server.is_handshaking() && !ended.client.is_handshaking());
        assert_eq!(ended.server.protocol_version(), Some(spoken));
        let chain = ended.server.peer_certificates().unwrap();
        let peer = AgentVerifier::new(&trust).unwrap().identify(chain, NOW).unwrap();
        assert_eq!(peer.certificate.spiffe.agent(), Ok(agent("acme", "reader")));
        assert_eq!(peer.certificate.fingerprint, leaf.fingerprint);
    }
}

#[test]
fn m01_no_session_is_resumed() {
    let scene = Scene::new();
    let leaf = scene.leaf(&scene.tenants);
    let trust = scene.trust(&[]);
    for (versions, oldest) in [(NEW, OldestTls::Tls13), (OLD, OldestTls::Tls12)] {
        let server = scene.serve(&trust, oldest);
        let client = scene.client(Some(&leaf), versions);
        for _ in 0..3 {
            let ended = shake(&server, &client);
            assert_eq!((&ended.refused, &ended.told), (&None, &None));
            assert_eq!(ended.server.handshake_kind(), Some(HandshakeKind::Full));
            assert_eq!(ended.client.tls13_tickets_received(), 0);
        }
    }
}

#[test]
fn m01_a_certificate_that_was_revoked_since_does_not_come_back() {
    let scene = Scene::new();
    let leaf = scene.leaf(&scene.tenants);
    let client = scene.client(Some(&leaf), NEW);
    let before = shake(&scene.serve(&scene.trust(&[]), OldestTls::Tls13), &client);
    assert_eq!(before.refused, None);
    let after = shake(&scene.serve(&scene.trust(&[&leaf]), OldestTls::Tls13), &client);
    assert_eq!(reason(&after), Some(PeerError::Revoked));
}

#[test]
fn m02_nobody_gets_in_on_an_expired_list() {
    let scene = Scene::new();
    let leaf = scene.leaf(&scene.tenants);
    let crl =
        scene.tenants.crl(&[], 1, NOW.before(DAY), NOW.before(std::time::Duration::from_secs(9)));
    let anchor = Anchor::read(scene.tenants.certificate_pem(), &crl.unwrap(), prefix("acme"));
    let server = scene.serve(&trusting(vec![anchor.unwrap()]), OldestTls::Tls13);
    let ended = shake(&server, &scene.client(Some(&leaf), NEW));
    assert_eq!(reason(&ended), Some(PeerError::RevocationExpired));
}

#[test]
fn m05_a_server_is_no_client() {
    let scene = Scene::new();
    let crl = scene.servers.crl(&[], 1, NOW, NOW.after(DAY)).unwrap();
    let anchor = Anchor::read(scene.servers.certificate_pem(), &crl, prefix("acme")).unwrap();
    let server = scene.serve(&trusting(vec![anchor]), OldestTls::Tls13);
    let ended = shake(&server, &scene.client(Some(&scene.server), NEW));
    assert_eq!(reason(&ended), Some(PeerError::Purpose));
}

#[test]
fn m06_an_unknown_authority_is_refused_and_the_client_is_not_told_why() {
    let scene = Scene::new();
    let server = scene.serve(&scene.trust(&[]), OldestTls::Tls13);
    let stranger = scene.leaf(&authority("rival"));
    let namesake = scene.leaf(&authority("acme"));
    let revoked = scene.leaf(&scene.tenants);
    let revoking = scene.serve(&scene.trust(&[&revoked]), OldestTls::Tls13);
    for (server, leaf, why) in [
        (&server, &stranger, PeerError::Issuer),
        (&server, &namesake, PeerError::Chain),
        (&revoking, &revoked, PeerError::Revoked),
    ] {
        let ended = shake(server, &scene.client(Some(leaf), NEW));
        assert_eq!(reason(&ended), Some(why));
        let told = Error::AlertReceived(AlertDescription::CertificateUnknown);
        assert_eq!(ended.told, Some(told), "{why}");
    }
}

#[test]
fn m06_the_clients_are_not_told_which_tenants_there_are() {
    let scene = Scene::new();
    let verifier = AgentVerifier::new(&scene.trust(&[])).unwrap();
    assert!(rustls::server::danger::ClientCertVerifier::root_hint_subjects(&verifier).is_empty());
}

#[test]
fn m08_a_leaf_expires_by_the_gateways_clock() {
    let scene = Scene::new();
    let leaf = scene.leaf(&scene.tenants);
    let crl = scene.tenants.crl(&[], 1, NOW, NOW.after(DAY * 9)).unwrap();
    let anchor = Anchor::read(scene.tenants.certificate_pem(), &crl, prefix("acme")).unwrap();
    let trust = trusting(vec![anchor]);
    let client = scene.client(Some(&leaf), NEW);
    let ended = shake(&scene.serve_at(&trust, OldestTls::Tls13, NOW.after(DAY * 2)), &client);
    assert_eq!(reason(&ended), Some(PeerError::Expired));
}

#[test]
fn m16_an_authority_is_replaced_with_an_overlap() {
    let scene = Scene::new();
    let next = authority("acme");
    let [old, new] = [scene.leaf(&scene.tenants), scene.leaf(&next)];
    let trusted = |authority: &Authority, revoked: &[&IssuedLeaf]| {
        let revoked = revoked.iter().map(|it| it.serial.clone());
        let revoked: Vec<_> = revoked.map(|serial| RevokedSerial { serial, at: NOW }).collect();
        let crl = authority.crl(&revoked, 1, NOW, NOW.after(DAY)).unwrap();
        Anchor::read(authority.certificate_pem(), &crl, prefix("acme")).unwrap()
    };
    let fresh = || trusted(&next, &[]);
    let timeline = [
        ("before", vec![trusted(&scene.tenants, &[])], [None, Some(PeerError::Chain)]),
        ("overlap", vec![trusted(&scene.tenants, &[]), fresh()], [None, None]),
        (
            "one of the old revoked",
            vec![trusted(&scene.tenants, &[&old]), fresh()],
            [Some(PeerError::Revoked), None],
        ),
        ("after", vec![fresh()], [Some(PeerError::Chain), None]),
    ];
    for (when, anchors, refused) in timeline {
        let server = scene.serve(&trusting(anchors), OldestTls::Tls13);
        let ended = [&old, &new].map(|leaf| shake(&server, &scene.client(Some(leaf), NEW)));
        assert_eq!(ended.each_ref().map(reason), refused, "{when}");
        assert_eq!(ended.map(|it| it.refused.is_none()), refused.map(|it| it.is_none()), "{when}");
    }
}

#[test]
fn a_client_without_a_certificate_is_refused_only_where_one_is_required() {
    let scene = Scene::new();
    let client = scene.client(None, NEW);
    let mut trust = scene.trust(&[]);
    let ended = shake(&scene.serve(&trust, OldestTls::Tls13), &client);
    assert_eq!(ended.refused, Some(Error::NoCertificatesPresented));
    trust.required = false;
    let ended = shake(&scene.serve(&trust, OldestTls::Tls13), &client);
    assert_eq!((ended.refused, ended.told), (None, None));
    assert!(ended.server.peer_certificates().is_none());
    // What is shown is checked, even where nothing has to be shown.
    let stranger = scene.client(Some(&scene.leaf(&authority("rival"))), NEW);
    let ended = shake(&scene.serve(&trust, OldestTls::Tls13), &stranger);
    assert_eq!(reason(&ended), Some(PeerError::Issuer));
    let plain = scene.serve(&ClientTrust::default(), OldestTls::Tls13);
    assert_eq!(shake(&plain, &client).refused, None);
}

#[test]
fn m12_tls_1_2_is_refused_unless_it_was_asked_for() {
    let scene = Scene::new();
    let leaf = scene.leaf(&scene.tenants);
    let server = scene.serve(&scene.trust(&[]), OldestTls::default());
    let ended = shake(&server, &scene.client(Some(&leaf), OLD));
    assert!(matches!(ended.refused, Some(Error::PeerIncompatible(_))), "{:?}", ended.refused);
}

#[test]
fn m12_there_is_no_early_data_no_ticket_and_no_protocol_but_one() {
    let scene = Scene::new();
    let server = scene.serve(&scene.trust(&[]), OldestTls::Tls12);
    assert_eq!((server.max_early_data_size, server.send_tls13_tickets), (0, 0));
    assert!(!server.ticketer.enabled() && !server.send_half_rtt_data && server.require_ems);
    assert!(!server.session_storage.can_cache() && !server.enable_secret_extraction);
    let mut client = scene.client(Some(&scene.leaf(&scene.tenants)), NEW).as_ref().clone();
    client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let ended = shake(&server, &Arc::new(client.clone()));
    assert_eq!(ended.server.alpn_protocol(), Some(ALPN));
    client.alpn_protocols = vec![b"h2".to_vec()];
    assert!(shake(&server, &Arc::new(client)).refused.is_some());
}

#[test]
fn a_listener_needs_certificates_and_their_own_key() {
    let scene = Scene::new();
    let build = |chain: &str, key: &Secret| {
        let trust = ClientTrust::default();
        ServerTls::build(chain, key, &trust, OldestTls::Tls13, Arc::new(At(NOW))).err()
    };
    let key = scene.server.key_pem.as_ref().unwrap();
    let other = scene.leaf(&scene.tenants).key_pem.unwrap();
    assert_eq!(build("", key), Some(TlsError::Certificate));
    assert_eq!(build(&scene.server.certificate_pem, &other), Some(TlsError::Key));
    let junk = Secret::from_text("junk".to_owned());
    assert_eq!(build(&scene.server.certificate_pem, &junk), Some(TlsError::Key));
    let trust = trusting(Vec::new());
    let refused = ServerTls::build(
        &scene.server.certificate_pem,
        key,
        &trust,
        OldestTls::Tls13,
        Arc::new(At(NOW)),
    );
    assert_eq!(refused.err(), Some(TlsError::NoAnchor));
}
