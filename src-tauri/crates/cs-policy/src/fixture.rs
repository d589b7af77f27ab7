//! A small policy that tests start from: tenant `acme` with two servers, and tenant `globex`,
//! which has the same ids throughout.

use std::collections::{BTreeMap, BTreeSet};

use cs_model::document::{AgentDoc, Document, RoleDoc, ServerDoc, TaskDoc, TenantDoc, ToolDoc};
use cs_model::state::Standing;
use cs_model::{
    AgentId, Condition, Digest, Effects, Grant, Kind, Name, Passes, RoleId, ServerId, SessionId,
    Signing, TaskId, TenantId, Timestamp, ToolId, ToolName,
};
use uuid::Uuid;

use crate::{Act, Call, Met, Session, Snapshot, Verdict, decide, open};

pub(crate) const NOON: Timestamp = Timestamp::from_secs(1_785_231_000);
pub(crate) const LATER: Timestamp = Timestamp::from_secs(1_785_234_600);

pub(crate) const ACME: TenantId = TenantId::new(Uuid::from_u128(1));
pub(crate) const GLOBEX: TenantId = TenantId::new(Uuid::from_u128(2));
pub(crate) const FILES: ServerId = ServerId::new(Uuid::from_u128(1));
pub(crate) const MAIL: ServerId = ServerId::new(Uuid::from_u128(2));
pub(crate) const READ: ToolId = ToolId::new(Uuid::from_u128(1));
pub(crate) const WRITE: ToolId = ToolId::new(Uuid::from_u128(2));
pub(crate) const ERASE: ToolId = ToolId::new(Uuid::from_u128(3));
pub(crate) const SEND: ToolId = ToolId::new(Uuid::from_u128(4));
pub(crate) const READER: RoleId = RoleId::new(Uuid::from_u128(1));
pub(crate) const EXECUTOR: RoleId = RoleId::new(Uuid::from_u128(2));
pub(crate) const TIDY: TaskId = TaskId::new(Uuid::from_u128(1));
pub(crate) const REPORT: TaskId = TaskId::new(Uuid::from_u128(2));
pub(crate) const ROBIN: AgentId = AgentId::new(Uuid::from_u128(1));
pub(crate) const EVE: AgentId = AgentId::new(Uuid::from_u128(2));

pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub(crate) fn tool(id: ToolId, server: ServerId, name: &str) -> ToolDoc {
    let definition = format!("{{\"name\":\"{name}\"}}");
    ToolDoc {
        id,
        server,
        kind: Kind::Tool,
        name: ToolName::parse(name).unwrap(),
        fingerprint: Digest::of(definition.as_bytes()),
        definition,
        enabled: true,
        scopes: [].into(),
        data_system: None,
        introspect: false,
        rate: None,
        signing: Signing::default(),
        effects: Effects::default(),
    }
}

/// Something that is no tool.
pub(crate) fn thing(id: ToolId, server: ServerId, kind: Kind, name: &str) -> ToolDoc {
    let name = ToolName::of(kind, name).unwrap();
    ToolDoc { kind, name, ..tool(id, server, "thing") }
}

pub(crate) fn role(id: RoleId, text: &str, grants: &[(ToolId, Grant)]) -> RoleDoc {
    let grants = grants.iter().copied().collect::<BTreeMap<_, _>>();
    RoleDoc { id, name: name(text), grants, conditions: BTreeMap::new() }
}

pub(crate) fn task(id: TaskId, text: &str, tools: &[ToolId]) -> TaskDoc {
    TaskDoc {
        id,
        name: name(text),
        tools: tools.iter().copied().collect::<BTreeSet<_>>(),
        expected_secs: 60,
        longest_secs: 3600,
    }
}

pub(crate) fn agent(id: AgentId, text: &str, roles: &[RoleId], tasks: &[TaskId]) -> AgentDoc {
    AgentDoc {
        id,
        name: name(text),
        standing: Standing::Active,
        roles: roles.iter().copied().collect(),
        tasks: tasks.iter().copied().collect(),
        rate: None,
        most_waiting: None,
        responsible: None,
    }
}

/// `robin` is an executor and may tidy and report; `eve` is a reader and may only report.
/// Tidying takes the tools of `files`, reporting takes `read` and `send`, of two servers.
pub(crate) fn tenant(id: TenantId, text: &str) -> TenantDoc {
    TenantDoc {
        id,
        name: name(text),
        standing: Standing::Active,
        servers: vec![
            ServerDoc { id: FILES, name: name("files"), enabled: true, passes: Passes::default() },
            ServerDoc { id: MAIL, name: name("mail"), enabled: true, passes: Passes::default() },
        ],
        tools: vec![
            tool(READ, FILES, "read"),
            tool(WRITE, FILES, "write"),
            tool(ERASE, FILES, "erase"),
            tool(SEND, MAIL, "send"),
        ],
        roles: vec![
            role(READER, "reader", &[(READ, Grant::Allow), (WRITE, Grant::Deny)]),
            role(
                EXECUTOR,
                "executor",
                &[(READ, Grant::Allow), (WRITE, Grant::Token), (SEND, Grant::Token)],
            ),
        ],
        tasks: vec![
            task(TIDY, "tidy", &[READ, WRITE, ERASE]),
            task(REPORT, "report", &[READ, SEND]),
        ],
        agents: vec![
            agent(ROBIN, "robin", &[EXECUTOR], &[TIDY, REPORT]),
            agent(EVE, "eve", &[READER], &[REPORT]),
        ],
        providers: Vec::new(),
        issuer: None,
        lifecycle: cs_model::Lifecycle::default(),
    }
}

pub(crate) fn document() -> Document {
    Document { version: 12, tenants: vec![tenant(ACME, "acme"), tenant(GLOBEX, "globex")] }
}

pub(crate) fn compiled(document: &Document) -> Snapshot {
    Snapshot::compile(document).unwrap()
}

/// The document with something changed in `acme`.
pub(crate) fn changed(change: impl FnOnce(&mut TenantDoc)) -> Document {
    let mut document = document();
    change(&mut document.tenants[0]);
    document
}

/// A session that `agent` opens under this policy.
pub(crate) fn session(snapshot: &Snapshot, agent: AgentId, task: Option<TaskId>) -> Session {
    Session {
        id: SessionId::from_random([7; 16]),
        tenant: ACME,
        agent,
        task,
        ends: LATER,
        ended: false,
        allowlist: open(snapshot, ACME, agent, task).unwrap_or_default(),
    }
}

/// A schema that the arguments of `call` satisfy, and one that they do not.
pub(crate) const MET: &str = "{}";
pub(crate) const UNMET: &str = r#"{"not":{}}"#;

pub(crate) fn condition(schema: &str, otherwise: Grant) -> Condition {
    Condition { schema: schema.to_owned(), otherwise }
}

/// A call with the best arguments that there are.
pub(crate) fn best_call(listed: &str) -> Call {
    let all = [MET, UNMET].map(|schema| condition(schema, Grant::Deny).digest());
    Call { met: all.into_iter().collect(), ..call(listed) }
}

/// A call by a marked name. Of a template, the read of a URI that it stands for.
pub(crate) fn call(marked: &str) -> Call {
    let (kind, listed) = match Kind::unmarked(marked) {
        (Kind::Template, template) => (Kind::Resource, template.replace("{x}", "1")),
        (kind, listed) => (kind, listed.to_owned()),
    };
    Call {
        kind,
        act: Act::Use,
        listed,
        arguments: Digest::of(b"{}"),
        met: Met::from_iter([condition(MET, Grant::Deny).digest()]),
    }
}

/// What a verdict lets through.
pub(crate) fn level(verdict: &Verdict) -> Grant {
    match verdict {
        Verdict::Allow(_) => Grant::Allow,
        Verdict::Deny(_) => Grant::Deny,
        Verdict::Hold(_) => Grant::Token,
    }
}

/// What becomes of a call of this tool at noon.
pub(crate) fn try_call(snapshot: &Snapshot, session: &Session, listed: &str) -> Verdict {
    decide(snapshot, session, &call(listed), NOON)
}
