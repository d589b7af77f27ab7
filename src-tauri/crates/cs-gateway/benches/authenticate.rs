//! What gate one costs a request that comes with an access token.
//!
//! `known` is a token that was verified before: its digest, and everything that is asked of it on
//! every request (its provider and keys, audience, expiry, withdrawals, the state of its holder).
//! `first_seen` is one that was not; `token_alone` is what judging its text takes of that, the
//! signature above all. `unknown_issuer` is what a token costs that is nobody's.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot be made has to stop")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use cs_gateway::ports::{
    ApprovalDesk, AuditSink, Clock, FiledCall, GivenUp, Meanwhile, NewApproval, Nonce, NonceStore,
    PortError, Ports, Random, Redemption, Renewal, Renewals, RevocationList, Ruling, RunningSeries,
    SecretSource, SeriesBook, SeriesUse, SessionStore, Spend, StoredSession, TokenLedger,
};
use cs_gateway::world::{Credentials, Holder, Providers, Recognised, World};
use cs_gateway::{Config, Gateway};
use cs_model::document::{AgentDoc, Document, ProviderDoc, RoleDoc, TaskDoc, TenantDoc};
use cs_model::event::{Event, Outcome};
use cs_model::state::{CredentialState, SessionEnd, Standing};
use cs_model::{
    AgentId, ApprovalId, CredentialId, Name, OperationTokenId, ProviderId, RoleId, Secret,
    SeriesId, SessionId, TaskId, TenantId, Timestamp, ToolId,
};
use cs_policy::Snapshot;
use cs_trust::token::{Confirmation, IssuerKey, KeySet, NewToken, Unverified, mint};
use divan::{Bencher, black_box};
use http::request::Parts;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;

const NOW: Timestamp = Timestamp::from_secs(1_785_231_000);
const PATH: &str = "/t/acme/task/triage/mcp";
const FROM: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn main() {
    divan::main();
}

/// A world in which nothing is kept.
#[derive(Debug)]
struct Nothing;

impl Clock for Nothing {
    fn now(&self) -> Timestamp {
        NOW
    }
}

impl Random for Nothing {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), PortError> {
        bytes.fill(7);
        Ok(())
    }
}

#[async_trait]
impl AuditSink for Nothing {
    async fn record(&self, _: Vec<Event>) -> Result<(), PortError> {
        Ok(())
    }
}

#[async_trait]
impl NonceStore for Nothing {
    async fn remember(&self, _: CredentialId, _: &str, _: Timestamp) -> Result<Nonce, PortError> {
        Ok(Nonce::Fresh)
    }
}

#[async_trait]
impl SessionStore for Nothing {
    async fn opened(&self, _: &StoredSession, _: Vec<Event>) -> Result<(), PortError> {
        Ok(())
    }

    async fn rebound(&self, _: SessionId, _: Option<&str>) -> Result<(), PortError> {
        Ok(())
    }

    async fn ended(
        &self,
        _: SessionId,
        _: SessionEnd,
        _: Timestamp,
        _: Vec<Event>,
    ) -> Result<(), PortError> {
        Ok(())
    }

    async fn live(&self, _: Timestamp) -> Result<Vec<StoredSession>, PortError> {
        Ok(Vec::new())
    }
}

fn nothing<T>() -> Result<T, PortError> {
    Err(PortError { doing: "do what no measurement needs", source: None })
}

#[async_trait]
impl ApprovalDesk for Nothing {
    async fn file(&self, _: NewApproval, _: Vec<Event>) -> Result<Option<ApprovalId>, PortError> {
        nothing()
    }

    async fn filed(&self, _: TenantId, _: ApprovalId) -> Result<Option<FiledCall>, PortError> {
        nothing()
    }

    async fn ruling(&self, _: TenantId, _: ApprovalId) -> Result<Ruling, PortError> {
        nothing()
    }

    async fn decided(&self, _: TenantId, _: ApprovalId, _: Meanwhile) -> Result<Ruling, PortError> {
        nothing()
    }

    async fn withdraw(&self, _: TenantId, _: ApprovalId, _: Vec<Event>) -> Result<(), PortError> {
        nothing()
    }
}

#[async_trait]
impl SeriesBook for Nothing {
    async fn running(
        &self,
        _: TenantId,
        _: SessionId,
        _: ToolId,
    ) -> Result<Vec<RunningSeries>, PortError> {
        Ok(Vec::new())
    }

    fn signed(&self) -> watch::Receiver<u64> {
        watch::channel(0).1
    }

    async fn redeem(&self, _: SeriesUse, _: Vec<Event>) -> Result<Spend, PortError> {
        nothing()
    }

    async fn end(
        &self,
        _: TenantId,
        _: SeriesId,
        _: &str,
        _: Timestamp,
        _: Vec<Event>,
    ) -> Result<(), PortError> {
        nothing()
    }
}

#[async_trait]
impl TokenLedger for Nothing {
    async fn redeem(&self, _: Redemption, _: Vec<Event>) -> Result<Spend, PortError> {
        nothing()
    }

    async fn settled(
        &self,
        _: OperationTokenId,
        _: Outcome,
        _: Vec<Event>,
    ) -> Result<(), PortError> {
        nothing()
    }
}

#[async_trait]
impl SecretSource for Nothing {
    async fn api_key(&self, _: CredentialId) -> Result<Secret, PortError> {
        nothing()
    }

    async fn tenant_secret(&self, _: TenantId, _: &str) -> Result<Secret, PortError> {
        nothing()
    }

    async fn lasting_key(&self) -> Result<Secret, PortError> {
        nothing()
    }

    async fn issuer_key(&self, _: TenantId, _: &str) -> Result<Secret, PortError> {
        nothing()
    }
}

#[async_trait]
impl Renewals for Nothing {
    async fn renew(&self, _: TenantId, _: CredentialId, _: Event) -> Result<Renewal, PortError> {
        Ok(Renewal::NotYet)
    }
}

#[async_trait]
impl RevocationList for Nothing {
    async fn give_up(&self, _: GivenUp, _: Vec<Event>) -> Result<(), PortError> {
        nothing()
    }
}

/// A gateway, and the issuer of its tokens.
struct Stage {
    runtime: Runtime,
    gateway: Gateway,
    // Whoever holds it could change what is enforced; without it the gateway is on its own.
    _world: watch::Sender<Arc<World>>,
    key: IssuerKey,
    issuer: String,
    host: String,
    minted: AtomicU64,
}

impl Stage {
    fn new() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.unwrap();
        let key = IssuerKey::from_seed(&[3; 32]).unwrap();
        let keys = json!({"keys": [key.public_jwk()]}).to_string();
        let provider = runtime.block_on(serve(keys));
        let issuer = format!("http://{provider}");
        let (sender, world) = watch::channel(Arc::new(world(&issuer)));
        let nothing = Arc::new(Nothing);
        let ports = Ports {
            clock: nothing.clone(),
            random: nothing.clone(),
            audit: nothing.clone(),
            nonces: nothing.clone(),
            sessions: nothing.clone(),
            desk: nothing.clone(),
            series: nothing.clone(),
            ledger: nothing.clone(),
            secrets: nothing.clone(),
            renewals: nothing.clone(),
            revocations: nothing,
        };
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let config = Config::new(listen, "countersign:bench".to_owned());
        let gateway = runtime.block_on(Gateway::start(config, ports, world)).unwrap();
        let host = gateway.address().to_string();
        Self { runtime, gateway, _world: sender, key, issuer, host, minted: AtomicU64::new(0) }
    }

    fn token(&self, issuer: &str) -> String {
        let number = self.minted.fetch_add(1, Ordering::Relaxed);
        let scopes: BTreeSet<_> = ["mcp:connect", "files:read"].map(str::to_owned).into();
        mint(
            &self.key,
            &NewToken {
                issuer,
                subject: "robin",
                client_id: "robin",
                audience: &format!("http://{}{PATH}", self.host),
                issued: NOW,
                expires: NOW.after(Duration::from_secs(600)),
                id: &format!("5d0cbf5e-7b2c-4a43-9f29-{number:012}"),
                scopes: &scopes,
                tenant: "acme",
                tasks: &["triage".to_owned()],
                confirmation: Confirmation::default(),
            },
        )
    }

    fn request(&self, token: &str) -> Parts {
        let request = http::Request::post(PATH)
            .header("host", &self.host)
            .header("authorization", format!("Bearer {token}"));
        request.body(()).unwrap().into_parts().0
    }

    fn lets_in(&self, request: &Parts) -> bool {
        self.runtime.block_on(self.gateway.lets_in(request, b"{}", FROM))
    }
}

/// An identity provider that has keys and nothing else.
async fn serve(keys: String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 4096];
            let _ = stream.read(&mut head).await;
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{keys}", keys.len());
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    address
}

fn world(issuer: &str) -> World {
    let name = |text: &str| Name::parse(text).unwrap();
    let (tenant, agent) = (TenantId::from_random([1; 16]), AgentId::from_random([1; 16]));
    let (role, task) = (RoleId::from_random([1; 16]), TaskId::from_random([1; 16]));
    let provider = ProviderId::from_random([1; 16]);
    let settings = json!({
        "issuer": issuer, "jwks_uri": format!("{issuer}/jwks"), "private_network": true,
    });
    let document = Document {
        version: 1,
        tenants: vec![TenantDoc {
            id: tenant,
            name: name("acme"),
            standing: Standing::Active,
            servers: Vec::new(),
            tools: Vec::new(),
            roles: vec![RoleDoc {
                id: role,
                name: name("worker"),
                grants: BTreeMap::new(),
                conditions: BTreeMap::new(),
            }],
            tasks: vec![TaskDoc {
                id: task,
                name: name("triage"),
                tools: BTreeSet::new(),
                expected_secs: 60,
                longest_secs: 600,
            }],
            agents: vec![AgentDoc {
                id: agent,
                name: name("robin"),
                standing: Standing::Active,
                roles: [role].into(),
                tasks: [task].into(),
                rate: None,
                most_waiting: None,
                responsible: None,
            }],
            providers: vec![ProviderDoc {
                id: provider,
                name: name("idp"),
                enabled: true,
                settings: serde_json::from_value(settings).unwrap(),
            }],
            issuer: None,
            lifecycle: cs_model::Lifecycle::default(),
        }],
    };
    let mut credentials = Credentials::default();
    let holder = Holder {
        credential: CredentialId::from_random([1; 16]),
        tenant,
        agent,
        tasks: None,
        networks: Vec::new(),
        state: CredentialState::Active,
        expires: NOW.after(Duration::from_secs(86_400)),
    };
    credentials.insert(holder, Recognised::Subject { provider, subject: "robin".to_owned() });
    World {
        policy: Arc::new(Snapshot::compile(&document).unwrap()),
        credentials: Arc::new(credentials),
        providers: Arc::new(Providers::of(&document)),
        ..World::default()
    }
}

#[divan::bench]
fn known(bencher: Bencher<'_, '_>) {
    let stage = Stage::new();
    let request = stage.request(&stage.token(&stage.issuer));
    assert!(stage.lets_in(&request));
    bencher.bench_local(|| assert!(stage.lets_in(black_box(&request))));
}

#[divan::bench]
fn first_seen(bencher: Bencher<'_, '_>) {
    let stage = Stage::new();
    assert!(stage.lets_in(&stage.request(&stage.token(&stage.issuer))));
    bencher
        .with_inputs(|| stage.request(&stage.token(&stage.issuer)))
        .bench_local_refs(|request| assert!(stage.lets_in(black_box(request))));
}

/// Everything that is judged of the text of a token, without the gateway around it.
#[divan::bench]
fn token_alone(bencher: Bencher<'_, '_>) {
    let stage = Stage::new();
    let keys = json!({"keys": [stage.key.public_jwk()]}).to_string();
    let keys = KeySet::parse(keys.as_bytes()).unwrap();
    let rules = cs_trust::token::Rules {
        issuer: stage.issuer.clone(),
        audience: format!("http://{}{PATH}", stage.host),
        algorithms: [cs_model::identity::TokenAlgorithm::EdDSA].into(),
        types: cs_trust::token::TokenTypes::AtJwt,
        longest: Duration::from_secs(3600),
        skew: Duration::from_secs(30),
        several_audiences: false,
    };
    let token = stage.token(&stage.issuer);
    bencher.bench_local(|| {
        Unverified::parse(black_box(&token)).unwrap().verify(&keys, &rules, NOW).unwrap()
    });
}

#[divan::bench]
fn unknown_issuer(bencher: Bencher<'_, '_>) {
    let stage = Stage::new();
    let request = stage.request(&stage.token("https://nobody.example"));
    bencher.bench_local(|| assert!(!stage.lets_in(black_box(&request))));
}
