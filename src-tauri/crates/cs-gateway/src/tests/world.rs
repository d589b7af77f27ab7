//! A world to test in: two tenants, a few agents, and ports that keep a journal.

mod desk;
mod meanwhile;
mod outbound;
mod series;
mod stores;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use cs_model::document::{AgentDoc, Document, RoleDoc, ServerDoc, TaskDoc, TenantDoc, ToolDoc};
use cs_model::event::{Event, EventKind};
use cs_model::state::{CredentialState, OperatorRole, Standing};
use cs_model::upstream::Transport;
use cs_model::{
    AgentId, CredentialId, Digest, Effects, Grant, Kind, Name, OperationTokenId, OperatorId,
    Passes, RoleId, Secret, ServerId, SessionId, Signatory, Signing, TaskId, TenantId, Timestamp,
    ToolId, ToolName,
};
use cs_policy::Snapshot;
use cs_trust::OperatorKey;
use serde_json::value::RawValue;
use tokio::sync::{broadcast, watch};

use self::series::Kept;
use crate::authn::Warrant;
use crate::config::Config;
use crate::gate::Outbound;
use crate::gateway::{Gateway, Socket};
use crate::ports::*;
use crate::session::Live;
use crate::tests::client::Client;
use crate::tests::errands::Errands;
use crate::tests::issuer::Withdrawn;
use crate::upstream::{Change, Upstreams, Watches};
use crate::world::{Credentials, Holder, Providers, Recognised, Signer, World};

/// 2026-07-28T09:30:00Z.
pub(super) const NOON: i64 = 1_785_231_000_000;

/// What takes longer than this does not happen any more.
const LONGEST: Duration = Duration::from_secs(60);

pub(super) const INSTANCE: &str = "countersign:test";
pub(super) const OPERATOR: u128 = 900;

macro_rules! ids {
    ($($name:ident: $kind:ident;)*) => {$(
        pub(super) fn $name(number: u128) -> $kind {
            $kind::new(uuid::Uuid::from_u128(number))
        }
    )*};
}

ids! {
    agent: AgentId;
    credential: CredentialId;
    operator: OperatorId;
    role: RoleId;
    server: ServerId;
    task: TaskId;
    tenant: TenantId;
    token: OperationTokenId;
    tool: ToolId;
}

pub(super) const ACME: u128 = 1;
pub(super) const GLOBEX: u128 = 2;

/// The tools of each tenant: name, what the role grants, whether the task `workbench` lists it.
const TOOLS: &[(&str, Grant, bool)] = &[
    ("read_file", Grant::Allow, true),
    ("write_file", Grant::Token, true),
    ("access_secrets", Grant::Deny, true),
    ("web_fetch", Grant::Allow, false),
];

/// The definition of a tool, with what a careless round trip would lose.
pub(super) fn definition(name: &str) -> String {
    format!(
        "{{\"name\":\"{name}\",\"vendor\":{{\"z\":1.0,\"a\":12345678901234567890123}},\
         \"inputSchema\":{{\"type\":\"object\"}}}}"
    )
}

fn tenant_doc(number: u128, name: &str) -> TenantDoc {
    let base = number * 1000;
    let name_of = |text: &str| Name::parse(text).unwrap();
    let tools: Vec<ToolDoc> = (0..)
        .zip(TOOLS)
        .map(|(at, (name, _, _))| ToolDoc {
            id: tool(base + at),
            server: server(base),
            kind: Kind::Tool,
            name: ToolName::parse(name).unwrap(),
            fingerprint: Digest::of(definition(name).as_bytes()),
            definition: definition(name),
            enabled: true,
            scopes: [].into(),
            data_system: None,
            introspect: false,
            rate: None,
            signing: Signing::default(),
            effects: Effects::default(),
        })
        .collect();
    let grants: BTreeMap<_, _> =
        tools.iter().zip(TOOLS).map(|(tool, (_, grant, _))| (tool.id, *grant)).collect();
    let listed: BTreeSet<_> =
        tools.iter().zip(TOOLS).filter(|(_, (_, _, it))| *it).map(|(tool, _)| tool.id).collect();
    let task_doc = |number, text, tools: &BTreeSet<_>| TaskDoc {
        id: task(number),
        name: name_of(text),
        tools: tools.clone(),
        expected_secs: 60,
        longest_secs: 1800,
    };
    let agent_doc = |number, text, tasks: &[u128]| AgentDoc {
        id: agent(number),
        name: name_of(text),
        standing: Standing::Active,
        roles: [role(base)].into(),
        tasks: tasks.iter().map(|it| task(*it)).collect(),
        rate: None,
        most_waiting: None,
        responsible: None,
    };
    TenantDoc {
        id: tenant(number),
        name: name_of(name),
        standing: Standing::Active,
        servers: vec![ServerDoc {
            id: server(base),
            name: name_of("files"),
            enabled: true,
            passes: Passes::default(),
        }],
        tools,
        roles: vec![RoleDoc {
            id: role(base),
            name: name_of("worker"),
            grants,
            conditions: BTreeMap::new(),
        }],
        tasks: vec![
            task_doc(base, "workbench", &listed),
            task_doc(base + 1, "reading", &[tool(base)].into()),
            task_doc(base + 2, "forbidden", &listed),
        ],
        agents: vec![
            agent_doc(base, "worker-1", &[base, base + 1]),
            agent_doc(base + 1, "worker-2", &[base, base + 1]),
        ],
        providers: Vec::new(),
        issuer: None,
        lifecycle: cs_model::Lifecycle::default(),
    }
}

/// The policy: both tenants have the same names in them.
pub(super) fn document() -> Document {
    Document { version: 7, tenants: vec![tenant_doc(ACME, "acme"), tenant_doc(GLOBEX, "globex")] }
}

fn key(number: u128, of: u128) -> Holder {
    Holder {
        credential: credential(number),
        tenant: tenant(of),
        agent: agent(number),
        tasks: None,
        networks: Vec::new(),
        state: CredentialState::Active,
        expires: Timestamp::from_millis(NOON + 86_400_000),
    }
}

/// The key id of an agent's only key.
pub(super) fn key_id(number: u128) -> String {
    format!("csk_{number:022}")
}

/// The secret of that key.
pub(super) fn secret(number: u128) -> Secret {
    Secret::from_text(format!("css_{number:043}"))
}

/// The agents: two of acme, one of globex.
pub(super) const WORKER: u128 = 1000;
pub(super) const OTHER: u128 = 1001;
pub(super) const STRANGER: u128 = 2000;

pub(super) fn operator_key() -> OperatorKey {
    OperatorKey::from_seed([42; 32]).unwrap()
}

/// An approver in these groups, by the key.
pub(super) fn signer(key: &OperatorKey, groups: &[&str]) -> Signer {
    let groups = groups.iter().map(|it| Name::parse(it).unwrap()).collect();
    let signatory = Signatory { role: OperatorRole::Approver, groups };
    Signer { public_key: key.public_key(), signatory }
}

/// What requests of a session come with.
pub(super) fn key_of(live: &Live) -> Warrant {
    Warrant { credential: live.credential, token: None, peer: None }
}

/// What the gateway judges by, from a document.
pub(super) fn world_of(document: &Document) -> World {
    let keys = [(WORKER, ACME), (OTHER, ACME), (STRANGER, GLOBEX)];
    let transport = Transport::Http { url: "http://127.0.0.1:9/".into(), headers: BTreeMap::new() };
    let upstreams = [ACME, GLOBEX].map(|it| ((tenant(it), server(it * 1000)), transport.clone()));
    let mut credentials = Credentials::default();
    for (number, of) in keys {
        credentials.insert(key(number, of), Recognised::ApiKey { key_id: key_id(number) });
    }
    World {
        policy: Arc::new(Snapshot::compile(document).unwrap()),
        credentials: Arc::new(credentials),
        providers: Arc::new(Providers::of(document)),
        issuers: Arc::default(),
        revocations: Arc::default(),
        upstreams: Arc::new(upstreams.into()),
        operators: Arc::new([(operator(OPERATOR), signer(&operator_key(), &[]))].into()),
    }
}

/// What a server does with a call.
#[derive(Clone, Debug)]
pub(super) enum Behaviour {
    Answer(String),
    /// It asks something before it answers, as the older era does.
    Asks(&'static str, String),
    Drift,
    /// It does the work meanwhile, where that is possible.
    Errand,
    Error(i64, String),
    /// Progress without end, or nearly.
    Flood,
    Hang,
    /// A large answer to whoever asks for one, else the usual one.
    Large,
    Lost,
    Progress,
    /// It asks for a form in a first round, as the newer era does.
    Rounds,
}

impl Behaviour {
    /// The bytes of a large answer: more than is kept for a client that takes little at a time.
    pub(super) const LARGE: usize = 512 * 1024;

    fn large() -> Box<RawValue> {
        static ANSWER: LazyLock<Box<RawValue>> = LazyLock::new(|| {
            let text = "x".repeat(Behaviour::LARGE);
            let result = format!(r#"{{"content":[{{"type":"text","text":"{text}"}}]}}"#);
            RawValue::from_string(result).unwrap()
        });
        ANSWER.clone()
    }
}

/// Everything that was asked of the world, in order, and what it is made to do.
#[derive(Debug)]
pub(super) struct Journal {
    pub(super) now: AtomicI64,
    randomness: AtomicU64,
    pub(super) audit_is_down: AtomicBool,
    pub(super) ledger_is_down: AtomicBool,
    /// What happens while something is spent.
    pub(super) meanwhile: meanwhile::Meanwhile,
    /// While true, writing the log takes its time.
    pub(super) audit_is_slow: watch::Sender<bool>,
    pub(super) behaviour: Mutex<Behaviour>,
    steps: Mutex<Vec<String>>,
    events: Mutex<Vec<Event>>,
    nonces: Mutex<HashSet<(CredentialId, String)>>,
    stored: Mutex<HashMap<SessionId, StoredSession>>,
    requests: watch::Sender<Vec<(NewApproval, Ruling)>>,
    pub(in crate::tests) spent: Mutex<HashSet<OperationTokenId>>,
    /// The series, and the tokens that were spent of each.
    pub(in crate::tests) series: Mutex<Vec<Kept>>,
    pub(in crate::tests) series_signed: watch::Sender<u64>,
    calls: watch::Sender<Vec<Sent>>,
    pub(super) news: broadcast::Sender<Change>,
    pub(super) watches: Arc<Watches>,
    /// What takes the place of a key.
    pub(in crate::tests) successor: Mutex<Renewal>,
    /// What servers tell of their errands, and what they were told.
    pub(super) errands: Errands,
}

/// A call that reached a server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Sent {
    pub(super) tenant: TenantId,
    pub(super) tool: String,
    pub(super) arguments: Option<String>,
}

impl Default for Journal {
    fn default() -> Self {
        let answer = r#"{"content":[{"type":"text","text":"done"}],"vendor":1.0}"#;
        Self {
            now: AtomicI64::new(NOON),
            randomness: AtomicU64::new(0),
            audit_is_down: AtomicBool::new(false),
            ledger_is_down: AtomicBool::new(false),
            meanwhile: meanwhile::Meanwhile::default(),
            audit_is_slow: watch::Sender::new(false),
            behaviour: Mutex::new(Behaviour::Answer(answer.to_owned())),
            steps: Mutex::default(),
            events: Mutex::default(),
            nonces: Mutex::default(),
            stored: Mutex::default(),
            requests: watch::Sender::new(Vec::new()),
            spent: Mutex::default(),
            series: Mutex::default(),
            series_signed: watch::Sender::new(0),
            successor: Mutex::default(),
            calls: watch::Sender::new(Vec::new()),
            news: broadcast::Sender::new(8),
            watches: Arc::default(),
            errands: Errands::default(),
        }
    }
}

impl Journal {
    fn step(&self, what: impl Into<String>) {
        self.steps.lock().unwrap().push(what.into());
    }

    pub(super) fn keep(&self, events: Vec<Event>) -> Result<(), PortError> {
        if self.audit_is_down.load(Ordering::SeqCst) {
            return Err(PortError { doing: "write the log", source: None });
        }
        for event in &events {
            self.step(event.kind.as_str());
        }
        self.events.lock().unwrap().extend(events);
        Ok(())
    }

    pub(super) fn steps(&self) -> Vec<String> {
        self.steps.lock().unwrap().clone()
    }

    pub(super) fn forget(&self) {
        self.steps.lock().unwrap().clear();
        self.events.lock().unwrap().clear();
    }

    /// How many nonces are remembered.
    pub(super) fn nonces(&self) -> usize {
        self.nonces.lock().unwrap().len()
    }

    pub(super) fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap().clone()
    }

    /// The first event, once there is one.
    pub(super) async fn first_event(&self) -> Event {
        let happens = async {
            loop {
                if let Some(event) = self.events().first() {
                    return event.clone();
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), happens).await.expect("an event")
    }

    pub(super) fn reasons(&self, kind: EventKind) -> Vec<String> {
        let events = self.events();
        let of_kind = events.iter().filter(|event| event.kind == kind);
        of_kind.map(|event| event.reason.clone().unwrap_or_default()).collect()
    }

    pub(super) fn behave(&self, behaviour: Behaviour) {
        *self.behaviour.lock().unwrap() = behaviour;
    }

    pub(super) fn calls(&self) -> Vec<Sent> {
        self.calls.borrow().clone()
    }

    /// Waits until so many calls reached a server.
    pub(super) async fn reached(&self, count: usize) {
        let mut hears = self.calls.subscribe();
        let reached = hears.wait_for(|calls| calls.len() >= count);
        drop(tokio::time::timeout(LONGEST, reached).await.expect("a call").unwrap());
    }

    pub(super) fn pass(&self, span: Duration) {
        self.now.fetch_add(i64::try_from(span.as_millis()).unwrap(), Ordering::SeqCst);
    }

    pub(super) fn time(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::SeqCst))
    }

    pub(super) fn is_stored(&self, id: SessionId) -> bool {
        self.stored.lock().unwrap().contains_key(&id)
    }
}

/// A gateway that serves, and all around it.
pub(super) struct Stage {
    pub(super) gateway: Gateway,
    pub(super) journal: Arc<Journal>,
    pub(super) world: watch::Sender<Arc<World>>,
}

impl Stage {
    /// The usual one, with short waits.
    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::after(Arc::default(), change).await
    }

    /// One that starts on what another one left behind.
    pub(super) async fn after(journal: Arc<Journal>, change: impl FnOnce(&mut Config)) -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut config = Config::new(listen, INSTANCE.to_owned());
        config.limits.drain = Duration::from_millis(200);
        change(&mut config);
        let (world, hears) = watch::channel(Arc::new(world_of(&document())));
        let withdrawn = Withdrawn { journal: journal.clone(), world: world.clone() };
        let ports = Ports {
            clock: journal.clone(),
            random: journal.clone(),
            audit: journal.clone(),
            nonces: journal.clone(),
            sessions: journal.clone(),
            desk: journal.clone(),
            series: journal.clone(),
            ledger: journal.clone(),
            secrets: journal.clone(),
            renewals: journal.clone(),
            revocations: Arc::new(withdrawn),
        };
        let upstreams = Upstreams::new(&ports, config.limits.upstream.clone());
        let outbound: Arc<dyn Outbound> = journal.clone();
        let socket = Socket::bind(config.listen).await.unwrap();
        let gateway =
            Gateway::start_with(socket, config, ports, hears, upstreams, outbound).await.unwrap();
        journal.forget();
        Self { gateway, journal, world }
    }

    /// A client that signs with the key of an agent.
    pub(super) fn client(&self, number: u128) -> Client {
        Client::new(self.gateway.address(), number, Arc::clone(&self.journal))
    }

    /// Enforces another policy.
    pub(super) fn enforce(&self, change: impl FnOnce(&mut Document)) {
        let mut document = document();
        change(&mut document);
        let credentials = Arc::clone(&self.world.borrow().credentials);
        self.world.send_replace(Arc::new(World { credentials, ..world_of(&document) }));
    }

    /// Changes a key.
    pub(super) fn change_key(&self, number: u128, change: impl FnOnce(&mut Holder)) {
        let mut world = World::clone(&self.world.borrow());
        let mut credentials = Credentials::clone(&world.credentials);
        change(credentials.holder_mut(credential(number)).unwrap());
        world.credentials = Arc::new(credentials);
        self.world.send_replace(Arc::new(world));
    }
}
