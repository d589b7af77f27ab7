//! What a decision costs under a large policy, and what it costs to compile one.
//!
//! One tenant has 10,000 tools, 200 roles that each have a cell for every one of them, and 1,000
//! tasks of 100 tools; 499 further tenants have 20 tools, 4 roles and 2 tasks each. `allowed` is a
//! call that is granted, `token` one that needs a signature, `stray` one of a tool that the
//! session does not have, and `unheard_of` one of a tool that nobody has.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot be made has to stop")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use cs_model::document::{AgentDoc, Document, RoleDoc, ServerDoc, TaskDoc, TenantDoc, ToolDoc};
use cs_model::state::Standing;
use cs_model::{
    AgentId, Digest, Effects, Grant, Name, RoleId, ServerId, SessionId, Signing, TaskId, TenantId,
    Timestamp, ToolId, ToolName,
};
use cs_policy::{Call, Met, Session, Snapshot, Verdict, decide, open};
use divan::{Bencher, black_box};

const NOW: Timestamp = Timestamp::from_secs(1_785_231_000);
const LATER: Timestamp = Timestamp::from_secs(1_785_234_600);

fn main() {
    divan::main();
}

fn bytes(number: u32) -> [u8; 16] {
    u128::from(number).to_be_bytes()
}

fn name(text: &str, number: u32) -> Name {
    Name::parse(&format!("{text}-{number}")).unwrap()
}

fn tool(number: u32) -> ToolDoc {
    let definition = format!(
        "{{\"name\":\"tool-{number}\",\"inputSchema\":{{\"type\":\"object\",\
         \"properties\":{{\"text\":{{\"type\":\"string\"}}}}}}}}"
    );
    ToolDoc {
        kind: cs_model::Kind::Tool,
        id: ToolId::from_random(bytes(number)),
        server: ServerId::from_random(bytes(number % 50)),
        name: ToolName::parse(&format!("tool-{number}")).unwrap(),
        fingerprint: Digest::of(definition.as_bytes()),
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

fn tenant(number: u32, tools: &[ToolDoc], roles: u32, tasks: u32) -> TenantDoc {
    let all: Vec<ToolId> = tools.iter().map(|it| it.id).collect();
    let cell = |at: usize| if at.is_multiple_of(4) { Grant::Token } else { Grant::Allow };
    let grants: BTreeMap<_, _> = all.iter().enumerate().map(|(at, it)| (*it, cell(at))).collect();
    let server = |number| ServerDoc {
        id: ServerId::from_random(bytes(number)),
        name: name("server", number),
        enabled: true,
        passes: cs_model::Passes::default(),
    };
    let role = |number| RoleDoc {
        id: RoleId::from_random(bytes(number)),
        name: name("role", number),
        grants: grants.clone(),
        conditions: BTreeMap::new(),
    };
    let task = |number: u32| TaskDoc {
        id: TaskId::from_random(bytes(number)),
        name: name("task", number),
        tools: all.iter().skip(usize::try_from(number).unwrap()).take(100).copied().collect(),
        expected_secs: 60,
        longest_secs: 3600,
    };
    TenantDoc {
        id: TenantId::from_random(bytes(number)),
        name: name("tenant", number),
        standing: Standing::Active,
        servers: (0..50).map(server).collect(),
        tools: tools.to_vec(),
        roles: (0..roles).map(role).collect(),
        tasks: (0..tasks).map(task).collect(),
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
        providers: Vec::new(),
        issuer: None,
        lifecycle: cs_model::Lifecycle::default(),
    }
}

fn document() -> &'static Document {
    static DOCUMENT: OnceLock<Document> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        let tools: Vec<_> = (0..10_000).map(tool).collect();
        let few: Vec<_> = tools.iter().take(20).cloned().collect();
        let first = tenant(0, &tools, 200, 1000);
        let rest = (1..500).map(|number| tenant(number, &few, 4, 2));
        Document { version: 1, tenants: std::iter::once(first).chain(rest).collect() }
    })
}

fn snapshot() -> &'static Snapshot {
    static SNAPSHOT: OnceLock<Snapshot> = OnceLock::new();
    SNAPSHOT.get_or_init(|| Snapshot::compile(document()).unwrap())
}

fn session(snapshot: &Snapshot) -> Session {
    let (tenant, agent) = (TenantId::from_random(bytes(0)), AgentId::from_random(bytes(0)));
    let task = Some(TaskId::from_random(bytes(0)));
    Session {
        id: SessionId::from_random([7; 16]),
        tenant,
        agent,
        task,
        ends: LATER,
        ended: false,
        allowlist: open(snapshot, tenant, agent, task).unwrap(),
    }
}

fn call(listed: &str) -> Call {
    Call {
        kind: cs_model::Kind::Tool,
        act: cs_policy::Act::Use,
        listed: listed.to_owned(),
        arguments: Digest::of(b"{}"),
        met: Met::default(),
    }
}

fn judged(bencher: Bencher<'_, '_>, listed: &str, expected: fn(&Verdict) -> bool) {
    let (snapshot, call) = (snapshot(), call(listed));
    let session = session(snapshot);
    assert!(expected(&decide(snapshot, &session, &call, NOW)));
    bencher.bench_local(|| decide(black_box(snapshot), &session, black_box(&call), NOW));
}

#[divan::bench(sample_size = 1000)]
fn allowed(bencher: Bencher<'_, '_>) {
    judged(bencher, "server-1__tool-51", |it| matches!(it, Verdict::Allow(_)));
}

#[divan::bench(sample_size = 1000)]
fn token(bencher: Bencher<'_, '_>) {
    judged(bencher, "server-2__tool-52", |it| matches!(it, Verdict::Hold(_)));
}

#[divan::bench]
fn stray(bencher: Bencher<'_, '_>) {
    judged(bencher, "server-0__tool-9950", |it| matches!(it, Verdict::Deny(_)));
}

#[divan::bench]
fn unheard_of(bencher: Bencher<'_, '_>) {
    judged(bencher, "nothing", |it| matches!(it, Verdict::Deny(_)));
}

#[divan::bench]
fn opened(bencher: Bencher<'_, '_>) {
    let snapshot = snapshot();
    bencher.bench_local(|| session(black_box(snapshot)));
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn compiled(bencher: Bencher<'_, '_>) {
    let document = document();
    bencher.bench_local(|| Snapshot::compile(black_box(document)).unwrap());
}
