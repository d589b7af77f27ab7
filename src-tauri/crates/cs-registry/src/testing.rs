//! A registry on disk with two tenants that look alike.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use cs_audit::{Entry, Verifier};
use cs_model::event::{Event, EventKind};
use cs_model::state::{OperatorRole, Standing};
use cs_model::upstream::Transport;
use cs_model::{
    AgentId, ApprovalId, CredentialId, Digest, Effects, Grant, Kind, Name, OperationTokenId,
    OperatorId, Passes, RoleId, ServerId, SessionId, Signing, TaskId, TenantId, Timestamp, ToolId,
    ToolName,
};
use tempfile::TempDir;
use uuid::Uuid;

use crate::approval::{File, NewApproval, Signed};
use crate::redemption::Redeem;
use crate::secret_place::SecretPlace;
use crate::session::{NewSession, Open};
use crate::{
    Instance, Registry, Work as _, agent, approval, audit, credential, grant, operator, role,
    server, task, tenant, tool,
};

/// The moment at which everything was made.
pub(crate) const T0: Timestamp = Timestamp::from_secs(1_785_231_000);

pub(crate) fn later(secs: u64) -> Timestamp {
    T0.after(Duration::from_secs(secs))
}

pub(crate) fn operator_id() -> OperatorId {
    OperatorId::new(Uuid::from_u128(9))
}

/// The ids of one tenant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ids {
    pub(crate) tenant: TenantId,
    pub(crate) server: ServerId,
    pub(crate) tool: ToolId,
    pub(crate) role: RoleId,
    pub(crate) task: TaskId,
    pub(crate) agent: AgentId,
    pub(crate) credential: CredentialId,
    pub(crate) session: SessionId,
}

impl Ids {
    const fn new(tenant: u128) -> Self {
        const fn uuid(tenant: u128, kind: u128) -> Uuid {
            Uuid::from_u128((tenant << 8) | kind)
        }
        Self {
            tenant: TenantId::new(uuid(tenant, 1)),
            server: ServerId::new(uuid(tenant, 2)),
            tool: ToolId::new(uuid(tenant, 3)),
            role: RoleId::new(uuid(tenant, 4)),
            task: TaskId::new(uuid(tenant, 5)),
            agent: AgentId::new(uuid(tenant, 6)),
            credential: CredentialId::new(uuid(tenant, 7)),
            session: SessionId::new(uuid(tenant, 8)),
        }
    }
}

pub(crate) const A: Ids = Ids::new(0xA);
pub(crate) const B: Ids = Ids::new(0xB);

/// A registry on disk.
#[derive(Debug)]
pub(crate) struct Fixture {
    pub(crate) folder: TempDir,
    pub(crate) registry: Registry,
}

pub(crate) fn instance() -> Instance {
    let id = Uuid::from_u128(1);
    let secrets = SecretPlace { store: "memory".to_owned(), place: None };
    Instance { id, secrets, created: T0 }
}

pub(crate) fn named(text: &str) -> Name {
    Name::parse(text).unwrap()
}

impl Fixture {
    /// An empty registry.
    pub(crate) async fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let registry =
            Registry::create(&folder.path().join("registry.db"), &instance()).await.unwrap();
        Self { folder, registry }
    }

    /// A registry with an operator and the tenants [`A`] and [`B`], which are the same but for
    /// their ids and names, each with an open session.
    pub(crate) async fn new() -> Self {
        let fixture = Self::empty().await;
        let mut change = fixture.registry.begin().await.unwrap();
        let operator = operator::Operator {
            id: operator_id(),
            name: "Ada".to_owned(),
            role: OperatorRole::Owner,
            public_key: [7; 32],
            created: T0,
            removed: None,
        };
        operator::create(&mut change, &operator).await.unwrap();
        for (ids, name) in [(A, "acme"), (B, "globex")] {
            seed(&mut change, ids, name).await;
        }
        change.commit(&[]).await.unwrap();
        for ids in [A, B] {
            fixture.open_session(ids, ids.session).await;
        }
        fixture
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("registry.db")
    }

    pub(crate) async fn open_session(&self, ids: Ids, session: SessionId) {
        let session = NewSession { id: session, ..new_session(ids) };
        self.registry.submit(Open { session, events: Vec::new() }).await.unwrap();
    }

    /// An approval request that a person approved, and the token to redeem.
    pub(crate) async fn approved(&self, ids: Ids, number: u128) -> Redeem {
        let request = new_approval(ids, number);
        let id = request.id;
        self.registry
            .submit(File { request, most_waiting: 500, events: Vec::new() })
            .await
            .unwrap();
        let redeem = redeem(ids, number, Some(id));
        let mut change = self.registry.begin().await.unwrap();
        approval::approve(&mut change, ids.tenant, id, &signed(&redeem)).await.unwrap();
        change.commit(&[]).await.unwrap();
        redeem
    }

    /// The usual registry with so many requests of [`A`] that were approved, by the numbers from 1
    /// on.
    pub(crate) async fn with_approved(count: u128) -> Self {
        let fixture = Self::new().await;
        let mut change = fixture.registry.begin().await.unwrap();
        for number in 1..=count {
            let request = new_approval(A, number);
            let id = request.id;
            let redeem = redeem(A, number, Some(id));
            File { request, most_waiting: 500, events: Vec::new() }.run(&mut change).await.unwrap();
            approval::approve(&mut change, A.tenant, id, &signed(&redeem)).await.unwrap();
        }
        change.commit(&[]).await.unwrap();
        fixture
    }

    /// The whole log, once it was found to be one chain.
    pub(crate) async fn verified_log(&self) -> Vec<Entry> {
        let mut reader = self.registry.read().await.unwrap();
        let entries = audit::entries_after(&mut reader, 0, u32::MAX).await.unwrap();
        let mut verifier = Verifier::new();
        for entry in &entries {
            verifier.push(entry).unwrap();
        }
        assert_eq!(verifier.head(), audit::head(&mut reader).await.unwrap());
        entries
    }

    /// The details of the whole log.
    pub(crate) async fn details(&self) -> Vec<String> {
        let log = self.verified_log().await;
        log.iter().filter_map(|entry| entry.event().unwrap().detail).collect()
    }
}

/// What an operator signs with the token that is redeemed.
fn signed(redeem: &Redeem) -> Signed {
    Signed {
        by: operator_id(),
        at: later(10),
        token: redeem.token,
        expires: redeem.expires,
        sealed: b"sealed".to_vec(),
        reason: None,
        presence: false,
        breaks_glass: false,
    }
}

/// An event that says this.
pub(crate) fn saying(detail: &str) -> Event {
    Event { detail: Some(detail.to_owned()), ..Event::new(EventKind::AdminChanged, T0) }
}

pub(crate) fn redeem(ids: Ids, number: u128, approval: Option<ApprovalId>) -> Redeem {
    Redeem {
        token: OperationTokenId::new(Uuid::from_u128(number)),
        tenant: ids.tenant,
        session: ids.session,
        approval,
        others: Vec::new(),
        expires: later(130),
        at: later(20),
        events: vec![saying("redeemed")],
    }
}

pub(crate) fn new_approval(ids: Ids, number: u128) -> NewApproval {
    NewApproval {
        id: ApprovalId::new(Uuid::from_u128(number)),
        operation: Digest::of(&number.to_be_bytes()),
        tenant: ids.tenant,
        agent: ids.agent,
        credential: ids.credential,
        session: ids.session,
        task: ids.task,
        server: ids.server,
        tool: ids.tool,
        listed: "write_file".to_owned(),
        fingerprint: Digest::of(b"definition"),
        arguments: format!(r#"{{"path":"{number}"}}"#),
        arguments_digest: Digest::of(b"arguments"),
        policy_version: 1,
        requested: later(1),
        decide_by: later(900),
    }
}

pub(crate) fn new_session(ids: Ids) -> NewSession {
    NewSession {
        id: ids.session,
        tenant: ids.tenant,
        agent: ids.agent,
        credential: ids.credential,
        task: Some(ids.task),
        allowlist: "{}".to_owned(),
        policy_version: 1,
        opened: T0,
        ends: later(3600),
        wire_id: None,
    }
}

pub(crate) fn new_credential(ids: Ids, name: &str) -> credential::NewCredential {
    credential::NewCredential {
        id: ids.credential,
        tenant: ids.tenant,
        agent: ids.agent,
        proof: credential::Proof::ApiKey,
        key_id: format!("csk_{name}"),
        sealed_secret: Some(b"sealed".to_vec()),
        networks: Vec::new(),
        tasks: None,
        created: T0,
        expires: later(86_400),
    }
}

async fn seed(db: &mut sqlx::SqliteConnection, ids: Ids, name: &str) {
    let tenant = tenant::Tenant {
        id: ids.tenant,
        name: named(name),
        standing: Standing::Active,
        starter: name == "acme",
        created: T0,
    };
    tenant::create(db, &tenant).await.unwrap();
    let server = server::Server {
        id: ids.server,
        tenant: ids.tenant,
        name: named("files"),
        transport: Transport::Http {
            url: "http://127.0.0.1:1/mcp".to_owned(),
            headers: BTreeMap::new(),
        },
        enabled: true,
        passes: Passes::default(),
        created: T0,
    };
    server::create(db, &server).await.unwrap();
    let tool = tool::Tool {
        id: ids.tool,
        tenant: ids.tenant,
        server: ids.server,
        kind: Kind::Tool,
        name: ToolName::parse("write_file").unwrap(),
        definition: r#"{"name":"write_file"}"#.to_owned(),
        fingerprint: Digest::of(b"definition"),
        enabled: true,
        scopes: [].into(),
        data_system: None,
        introspect: false,
        rate: None,
        signing: Signing::default(),
        effects: Effects::default(),
        created: T0,
        last_used: None,
    };
    tool::create(db, &tool).await.unwrap();
    let role =
        role::Role { id: ids.role, tenant: ids.tenant, name: named("executor"), created: T0 };
    role::create(db, &role).await.unwrap();
    let cell = grant::Cell { role: ids.role, tool: ids.tool, grant: Grant::Token, condition: None };
    grant::set(db, ids.tenant, cell).await.unwrap();
    task::create(db, &new_task(ids, ids.task, "workbench")).await.unwrap();
    agent::create(db, &new_agent(ids, ids.agent, "executor-1")).await.unwrap();
    credential::issue(db, &new_credential(ids, name)).await.unwrap();
}

pub(crate) fn new_task(ids: Ids, id: TaskId, name: &str) -> task::Task {
    task::Task {
        id,
        tenant: ids.tenant,
        name: named(name),
        tools: BTreeSet::from([ids.tool]),
        expected_secs: 60,
        longest_secs: 3600,
        created: T0,
    }
}

pub(crate) fn new_agent(ids: Ids, id: AgentId, name: &str) -> agent::Agent {
    agent::Agent {
        id,
        tenant: ids.tenant,
        name: named(name),
        standing: Standing::Active,
        roles: BTreeSet::from([ids.role]),
        tasks: BTreeSet::from([ids.task]),
        rate: None,
        most_waiting: None,
        responsible: None,
        created: T0,
    }
}
