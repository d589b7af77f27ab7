//! Authorities, certificates and clients for tests of TLS.

use std::sync::Arc;
use std::time::Duration;

use cs_model::state::CredentialState;
use cs_model::{Digest, Name, Secret, Timestamp};
use cs_trust::ca::{Authority, IssuedLeaf, LeafKey, RevokedSerial};
use cs_trust::spiffe::{SpiffeId, SpiffePrefix, TrustDomain};
use cs_trust::tls::{Anchor, ClientTrust, OldestTls, OutsideAuthority, Owner};
use rcgen::{CertificateParams, DnType, Issuer, KeyPair, SerialNumber};
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::client::{Reply, parse};
use super::world::{ACME, GLOBEX, Journal, NOON, Stage, WORKER, agent, credential, tenant};
use crate::tls::{TlsServing, TlsSettings};
use crate::world::{Credentials, Holder, Recognised, World};

pub(super) const NOW: Timestamp = Timestamp::from_millis(NOON);
pub(super) const HOUR: Duration = Duration::from_secs(3600);
pub(super) const NEW: &[&SupportedProtocolVersion] = &[&version::TLS13];
pub(super) const OLD: &[&SupportedProtocolVersion] = &[&version::TLS12];

/// The credential that the agent's certificate is.
pub(super) const CERTIFICATE: u128 = 3000;

/// The authorities of two tenants and of the server.
pub(super) struct Pki {
    pub(super) acme: Authority,
    acme_key: Secret,
    pub(super) globex: Authority,
    servers: Authority,
    server: IssuedLeaf,
}

impl Default for Pki {
    fn default() -> Self {
        let (acme, acme_key) = Authority::create("acme", NOW, [1; 16]).unwrap();
        let (globex, _) = Authority::create("globex", NOW, [2; 16]).unwrap();
        let (servers, _) = Authority::create("servers", NOW, [3; 16]).unwrap();
        let names = ["localhost", "127.0.0.1"].map(str::to_owned);
        let server = servers.issue_server(&names, [4; 16], NOW, 24 * HOUR).unwrap();
        Self { acme, acme_key, globex, servers, server }
    }
}

pub(super) fn spiffe(tenant: &str, agent: &str) -> SpiffeId {
    let trust_domain = TrustDomain::parse("example.org").unwrap();
    let [tenant, agent] = [tenant, agent].map(|it| Name::parse(it).unwrap());
    SpiffeId { trust_domain, tenant, agent }
}

/// A certificate of an agent with its key.
pub(super) fn leaf(authority: &Authority, tenant: &str, agent: &str) -> IssuedLeaf {
    let id = spiffe(tenant, agent);
    authority.issue_agent(&id, LeafKey::Generate, [5; 16], NOW, 24 * HOUR).unwrap()
}

/// The list of an authority.
pub(super) fn crl(authority: &Authority, number: u64, revoked: &[&IssuedLeaf]) -> String {
    let revoked: Vec<_> =
        revoked.iter().map(|it| RevokedSerial { serial: it.serial.clone(), at: NOW }).collect();
    authority.crl(&revoked, number, NOW, NOW.after(HOUR)).unwrap()
}

impl Pki {
    /// What is believed with these lists of the two tenants.
    pub(super) fn trust(&self, acme: &str) -> ClientTrust {
        let prefix = |name| SpiffePrefix::parse(&format!("spiffe://example.org/tenant/{name}/"));
        let read = |authority: &Authority, list: &str, name| {
            let number = if name == "acme" { ACME } else { GLOBEX };
            let anchor = Anchor::read(authority.certificate_pem(), list, prefix(name).unwrap());
            anchor.unwrap().owned_by(Owner { tenant: tenant(number), authority: None })
        };
        let globex = read(&self.globex, &crl(&self.globex, 1, &[]), "globex");
        ClientTrust { anchors: vec![read(&self.acme, acme, "acme"), globex], ..Default::default() }
    }

    pub(super) fn serving(
        &self,
        trust: &ClientTrust,
        oldest: OldestTls,
        journal: &Arc<Journal>,
    ) -> Arc<TlsServing> {
        let key = self.server.key_pem.as_ref().unwrap();
        let clock = Arc::clone(journal) as _;
        let chain = &self.server.certificate_pem;
        Arc::new(TlsServing::new(chain, key, trust, oldest, clock).unwrap())
    }

    /// A certificate that `rcgen` makes as it is told, in the name of the authority of acme.
    pub(super) fn forge(&self, change: impl FnOnce(&mut CertificateParams)) -> IssuedLeaf {
        let mut authority = CertificateParams::default();
        authority.distinguished_name = rcgen::DistinguishedName::new();
        authority.distinguished_name.push(DnType::CommonName, "acme");
        let key = KeyPair::from_pem(self.acme_key.expose_text().unwrap()).unwrap();
        let issuer = Issuer::new(authority, key);
        let good = leaf(&self.acme, "acme", "worker-1");
        let mut params = CertificateParams::default();
        let at = |secs| rcgen::date_time_ymd(2026, 7, 27) + Duration::from_secs(secs);
        (params.not_before, params.not_after) = (at(0), at(2 * 86_400));
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.serial_number = Some(SerialNumber::from_slice(&[6; 16]));
        params.is_ca = rcgen::IsCa::ExplicitNoCa;
        params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
        params.subject_alt_names = vec![uri("spiffe://example.org/tenant/acme/agent/worker-1")];
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let made = params.signed_by(&key, &issuer).unwrap();
        let key_pem = Some(Secret::from_text(key.serialize_pem()));
        let fingerprint = Digest::of(made.der());
        IssuedLeaf { certificate_pem: made.pem(), key_pem, fingerprint, ..good }
    }
}

pub(super) fn uri(text: &str) -> rcgen::SanType {
    rcgen::SanType::URI(text.try_into().unwrap())
}

/// A gateway that serves TLS, and what its clients need.
pub(super) struct Scene {
    pub(super) pki: Pki,
    pub(super) stage: Stage,
    pub(super) serving: watch::Sender<Arc<TlsServing>>,
    oldest: OldestTls,
}

impl Scene {
    pub(super) async fn new() -> Self {
        Self::with(OldestTls::Tls13, |_| ()).await
    }

    pub(super) async fn with(
        oldest: OldestTls,
        change: impl FnOnce(&mut crate::config::Config),
    ) -> Self {
        let (pki, journal) = (Pki::default(), Arc::<Journal>::default());
        let trust = pki.trust(&crl(&pki.acme, 1, &[]));
        let (serving, hears) = watch::channel(pki.serving(&trust, oldest, &journal));
        let stage = Stage::after(journal, |config| {
            let names = vec!["gateway.example".to_owned()];
            config.tls = Some(TlsSettings { serving: hears, names });
            change(config);
        })
        .await;
        Self { pki, stage, serving, oldest }
    }

    /// Swaps what is believed.
    pub(super) fn believe(&self, list: &str) {
        let trust = self.pki.trust(list);
        self.serving.send_replace(self.pki.serving(&trust, self.oldest, &self.stage.journal));
    }

    /// Swaps what is believed, with authorities of others besides.
    pub(super) fn believe_outside(&self, outside: &[OutsideAuthority]) {
        let mut trust = self.pki.trust(&crl(&self.pki.acme, 1, &[]));
        trust.anchors.extend(outside.iter().flat_map(|it| it.anchors().to_vec()));
        trust.unlisted.extend(outside.iter().flat_map(|it| it.unlisted().to_vec()));
        self.serving.send_replace(self.pki.serving(&trust, self.oldest, &self.stage.journal));
    }

    /// Registers a certificate for an agent of acme.
    pub(super) fn register(&self, leaf: &IssuedLeaf, number: u128) {
        self.register_by(Recognised::Certificate { fingerprint: leaf.fingerprint }, number);
    }

    /// Registers whatever is recognised like this for an agent of acme.
    pub(super) fn register_by(&self, by: Recognised, number: u128) {
        let mut world = World::clone(&self.stage.world.borrow());
        let mut credentials = Credentials::clone(&world.credentials);
        let holder = Holder {
            credential: credential(CERTIFICATE),
            tenant: tenant(ACME),
            agent: agent(number),
            tasks: None,
            networks: Vec::new(),
            state: CredentialState::Active,
            expires: NOW.after(24 * HOUR),
        };
        credentials.insert(holder, by);
        world.credentials = Arc::new(credentials);
        self.stage.world.send_replace(Arc::new(world));
    }

    /// A certificate of the agent that all tests are about, which is known.
    pub(super) fn worker(&self) -> IssuedLeaf {
        let leaf = leaf(&self.pki.acme, "acme", "worker-1");
        self.register(&leaf, WORKER);
        leaf
    }

    /// How a client is set up that keeps every ticket it gets.
    pub(super) fn client(
        &self,
        leaf: Option<&IssuedLeaf>,
        versions: &[&'static SupportedProtocolVersion],
        resumption: Resumption,
    ) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        let root = self.pki.servers.certificate_pem().as_bytes();
        roots.add(CertificateDer::from_pem_slice(root).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_details(provider, Arc::new(Noon))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match leaf {
            Some(leaf) => {
                let pem = leaf.certificate_pem.as_bytes();
                let chain = CertificateDer::pem_slice_iter(pem).map(Result::unwrap).collect();
                let key = leaf.key_pem.as_ref().unwrap().expose();
                let key = PrivateKeyDer::from_pem_slice(key).unwrap();
                builder.with_client_auth_cert(chain, key).unwrap()
            }
            None => builder.with_no_client_auth(),
        };
        config.resumption = resumption;
        Arc::new(config)
    }

    /// Connects with a certificate or without.
    pub(super) async fn connect(&self, leaf: Option<&IssuedLeaf>) -> Talk {
        self.connect_with(&self.client(leaf, NEW, Resumption::disabled())).await
    }

    pub(super) async fn connect_with(&self, config: &Arc<ClientConfig>) -> Talk {
        let stream = TcpStream::connect(self.stage.gateway.address()).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(Arc::clone(config));
        Talk { stream: connector.connect(name, stream).await.unwrap(), seen: Vec::new() }
    }

    /// Why a client with this certificate is not let in: what is on record of its handshake.
    pub(super) async fn refused(&self, leaf: &IssuedLeaf) -> String {
        self.stage.journal.forget();
        let mut talk = self.connect(Some(leaf)).await;
        let bytes = self.stage.client(WORKER).bytes("POST", &[], b"");
        let _ = talk.stream.write_all(&bytes).await;
        let mut read = Vec::new();
        assert!(talk.stream.read_to_end(&mut read).await.is_err(), "it got an answer");
        assert!(read.is_empty());
        let event = self.stage.journal.first_event().await;
        assert_eq!(event.kind.as_str(), "authn.failed");
        assert_eq!(event.detail.as_deref(), Some("certificate"));
        event.reason.unwrap()
    }
}

#[derive(Debug)]
struct Noon;

impl TimeProvider for Noon {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(NOW.secs()).unwrap())))
    }
}

/// A connection on which requests follow one another.
pub(super) struct Talk {
    pub(super) stream: TlsStream<TcpStream>,
    seen: Vec<u8>,
}

impl Talk {
    /// Sends a request that leaves the connection open, and reads its answer.
    pub(super) async fn ask(&mut self, bytes: &[u8]) -> Reply {
        self.send(bytes).await;
        self.until("\r\n\r\n").await;
        let seen = String::from_utf8(self.seen.clone()).unwrap();
        let (head, _) = seen.split_once("\r\n\r\n").unwrap();
        let length = head.lines().find_map(|it| it.strip_prefix("content-length: "));
        let length: usize = length.unwrap_or("0").parse().unwrap();
        let whole = head.len() + 4 + length;
        while self.seen.len() < whole {
            assert!(self.stream.read_buf(&mut self.seen).await.unwrap() > 0, "it broke off");
        }
        parse(&self.seen.drain(..whole).collect::<Vec<_>>())
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) {
        let open = String::from_utf8(bytes.to_vec()).unwrap().replace("connection: close\r\n", "");
        self.stream.write_all(open.as_bytes()).await.unwrap();
    }

    /// Reads until a text is there.
    pub(super) async fn until(&mut self, text: &str) {
        let reading = async {
            while !String::from_utf8_lossy(&self.seen).contains(text) {
                assert!(self.stream.read_buf(&mut self.seen).await.unwrap() > 0, "it broke off");
            }
        };
        tokio::time::timeout(Duration::from_secs(10), reading).await.unwrap();
    }
}
