//! A world with a large policy, and a gateway in this process that is judged by it: what `swap`
//! changes under load. Nothing that happens there is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cs_gateway::ports::{
    ApprovalDesk, AuditSink, Clock, FiledCall, GivenUp, Meanwhile, NewApproval, Nonce, NonceStore,
    PortError, Ports, Random, Redemption, Renewal, Renewals, RevocationList, Ruling, RunningSeries,
    SecretSource, SeriesBook, SeriesUse, SessionStore, Spend, StoredSession, TokenLedger,
};
use cs_gateway::world::{Credentials, Holder, Providers, Recognised, World};
use cs_model::document::{
    AgentDoc, Document, ProviderDoc, RoleDoc, ServerDoc, TaskDoc, TenantDoc, ToolDoc,
};
use cs_model::event::{Event, Outcome};
use cs_model::state::{CredentialState, SessionEnd, Standing};
use cs_model::upstream::Transport;
use cs_model::{
    AgentId, ApprovalId, CredentialId, Digest, Effects, Grant, Name, OperationTokenId, ProviderId,
    RoleId, Secret, SeriesId, ServerId, SessionId, Signing, TaskId, TenantId, Timestamp, ToolId,
    ToolName,
};
use cs_policy::Snapshot;

use crate::issuer::now;

/// The size of the policy: one tenant has all of these tools, roles and tasks, and there are so
/// many tenants.
pub(crate) const TOOLS: u32 = 10_000;
pub(crate) const ROLES: u32 = 200;
pub(crate) const TASKS: u32 = 1_000;
pub(crate) const TENANTS: u32 = 500;

/// A world in which nothing is kept.
#[derive(Debug)]
struct Nothing(std::sync::atomic::AtomicU64);

pub(crate) fn ports() -> Ports {
    let nothing = Arc::new(Nothing(0.into()));
    Ports {
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
    }
}

impl Clock for Nothing {
    fn now(&self) -> Timestamp {
        now()
    }
}

impl Random for Nothing {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), PortError> {
        // Nobody has to be unable to guess these; they only have to differ.
        let count = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        bytes.fill(7);
        for (to, from) in bytes.iter_mut().zip(count.to_be_bytes()) {
            *to = from;
        }
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

    fn signed(&self) -> tokio::sync::watch::Receiver<u64> {
        tokio::sync::watch::channel(0).1
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

/// What makes the id of a number.
fn bytes(number: u32) -> [u8; 16] {
    u128::from(number).to_be_bytes()
}

fn name(text: &str, number: u32) -> Name {
    Name::parse(&format!("{text}-{number}")).expect("a name")
}

/// The tool of a number. The first is the one that is called, as the server defines it.
fn tool(number: u32, definitions: &[String]) -> ToolDoc {
    let made = || {
        format!(
            "{{\"name\":\"tool-{number}\",\"inputSchema\":{{\"type\":\"object\",\
             \"properties\":{{\"text\":{{\"type\":\"string\"}}}}}}}}"
        )
    };
    let index = usize::try_from(number).expect("a number");
    let given = definitions.get(index).cloned();
    let text = given.as_ref().map_or_else(|| format!("tool-{number}"), |_| "small".to_owned());
    let definition = given.unwrap_or_else(made);
    let canonical = cs_model::json::canonical(&definition, cs_model::json::Limits::default());
    ToolDoc {
        kind: cs_model::Kind::Tool,
        id: ToolId::from_random(bytes(number)),
        server: ServerId::from_random(bytes(0)),
        name: ToolName::parse(&text).expect("a name"),
        fingerprint: Digest::of(canonical.expect("JSON").as_bytes()),
        definition,
        enabled: true,
        scopes: BTreeSet::new(),
        data_system: None,
        introspect: false,
        rate: None,
        signing: Signing::default(),
        effects: Effects::default(),
    }
}

fn tenant(number: u32, tools: &[ToolDoc], roles: u32, tasks: u32, issuer: &str) -> TenantDoc {
    let all: Vec<ToolId> = tools.iter().map(|it| it.id).collect();
    let grants: BTreeMap<ToolId, Grant> = all.iter().map(|it| (*it, Grant::Allow)).collect();
    let settings = serde_json::json!({
        "issuer": issuer, "jwks_uri": issuer, "private_network": true,
    });
    let provider = ProviderDoc {
        id: ProviderId::from_random(bytes(number)),
        name: name("idp", number),
        enabled: true,
        settings: serde_json::from_value(settings).expect("settings"),
    };
    let of = |task: u32| all.iter().skip(usize::try_from(task).unwrap_or(0)).take(100);
    TenantDoc {
        id: TenantId::from_random(bytes(number)),
        name: if number == 0 { Name::parse("acme").expect("a name") } else { name("t", number) },
        standing: Standing::Active,
        servers: vec![ServerDoc {
            id: ServerId::from_random(bytes(0)),
            name: name("server", 0),
            enabled: true,
            passes: cs_model::Passes::default(),
        }],
        tools: tools.to_vec(),
        roles: (0..roles)
            .map(|role| RoleDoc {
                id: RoleId::from_random(bytes(role)),
                name: name("role", role),
                grants: grants.clone(),
                conditions: BTreeMap::new(),
            })
            .collect(),
        tasks: (0..tasks)
            .map(|task| TaskDoc {
                id: TaskId::from_random(bytes(task)),
                name: if task == 0 {
                    Name::parse("modern").expect("a name")
                } else {
                    name("task", task)
                },
                tools: of(task).copied().collect(),
                expected_secs: 60,
                longest_secs: 3600,
            })
            .collect(),
        agents: vec![AgentDoc {
            id: AgentId::from_random(bytes(0)),
            name: name("agent", 0),
            standing: Standing::Active,
            roles: [RoleId::from_random(bytes(0)), RoleId::from_random(bytes(1))].into(),
            tasks: [TaskId::from_random(bytes(0))].into(),
            rate: None,
            most_waiting: None,
            responsible: None,
        }],
        providers: vec![provider],
        issuer: None,
        lifecycle: cs_model::Lifecycle::default(),
    }
}

/// The policy. Its first tool is defined by the server.
pub(crate) fn document(definition: &str, issuer: &str) -> Document {
    let definitions = [definition.to_owned()];
    let tools: Vec<_> = (0..TOOLS).map(|number| tool(number, &definitions)).collect();
    let few: Vec<_> = tools.iter().take(20).cloned().collect();
    let first = tenant(0, &tools, ROLES, TASKS, issuer);
    let rest = (1..TENANTS).map(|number| tenant(number, &few, 4, 2, issuer));
    Document { version: 1, tenants: std::iter::once(first).chain(rest).collect() }
}

/// What requests are judged by, under this policy.
pub(crate) fn world(document: &Document, policy: Arc<Snapshot>, server: &str) -> World {
    let mut credentials = Credentials::default();
    let holder = Holder {
        credential: CredentialId::from_random(bytes(0)),
        tenant: TenantId::from_random(bytes(0)),
        agent: AgentId::from_random(bytes(0)),
        tasks: None,
        networks: Vec::new(),
        state: CredentialState::Active,
        expires: now().after(Duration::from_secs(86_400)),
    };
    let provider = ProviderId::from_random(bytes(0));
    let by = Recognised::Subject { provider, subject: "modern".to_owned() };
    credentials.insert(holder, by);
    let url = format!("http://{server}/mcp");
    let transport = Transport::Http { url, headers: BTreeMap::new() };
    let at = (TenantId::from_random(bytes(0)), ServerId::from_random(bytes(0)));
    World {
        policy,
        credentials: Arc::new(credentials),
        providers: Arc::new(Providers::of(document)),
        upstreams: Arc::new([(at, transport)].into()),
        ..World::default()
    }
}
