use super::*;
use crate::fixture::*;

#[test]
fn a_snapshot_answers_what_the_document_says() {
    let snapshot = compiled(&document());
    assert_eq!(snapshot.version(), 12);
    let acme = snapshot.tenant(ACME).unwrap();
    assert_eq!(snapshot.tenant_named("acme").unwrap().id, ACME);
    assert!(snapshot.tenant_named("Acme").is_none() && snapshot.tenant_named("").is_none());
    assert_eq!(acme.task_named("tidy").unwrap().id, TIDY);
    assert!(acme.task_named("tidy ").is_none());
    assert_eq!(acme.tools().map(|tool| tool.id).collect::<Vec<_>>(), [READ, WRITE, ERASE, SEND]);
    let robin = acme.agent(ROBIN).unwrap();
    let grants = [READ, WRITE, ERASE, SEND].map(|tool| acme.grant(robin, tool));
    assert_eq!(grants, [Grant::Allow, Grant::Token, Grant::Deny, Grant::Token]);
    assert_eq!(acme.grant(robin, ToolId::from_random([9; 16])), Grant::Deny);
    assert_eq!(acme.cell(READER, READ), Grant::Allow);
    assert_eq!(acme.cell(RoleId::from_random([9; 16]), READ), Grant::Deny);
    let tidy = acme.task(TIDY).unwrap();
    let listed = [READ, WRITE, ERASE, SEND].map(|tool| acme.task_lists(tidy, tool));
    assert_eq!(listed, [true, true, true, false]);
    assert_eq!((tidy.expected_secs, tidy.longest_secs), (60, 3600));
}

#[test]
fn a_document_that_means_nothing_is_refused() {
    type Change = fn(&mut TenantDoc);
    let duplicate = |what| CompileError::Duplicate { what, tenant: name("acme") };
    let dangling = |from, of: &str, to| CompileError::Dangling {
        from,
        name: of.to_owned(),
        to,
        tenant: name("acme"),
    };
    let cases: Vec<(&str, Change, CompileError)> = vec![
        ("server id", |acme| acme.servers[1].id = FILES, duplicate("servers")),
        ("server name", |acme| acme.servers[1].name = name("files"), duplicate("servers")),
        ("tool id", |acme| acme.tools[1].id = READ, duplicate("tools")),
        ("tool name", |acme| acme.tools[1].name = acme.tools[0].name.clone(), duplicate("tools")),
        ("role id", |acme| acme.roles[1].id = READER, duplicate("roles")),
        ("role name", |acme| acme.roles[1].name = name("reader"), duplicate("roles")),
        ("task id", |acme| acme.tasks[1].id = TIDY, duplicate("tasks")),
        ("task name", |acme| acme.tasks[1].name = name("tidy"), duplicate("tasks")),
        ("agent id", |acme| acme.agents[1].id = ROBIN, duplicate("agents")),
        ("agent name", |acme| acme.agents[1].name = name("robin"), duplicate("agents")),
        (
            "tool of no server",
            |acme| acme.tools[0].server = ServerId::from_random([9; 16]),
            dangling("tool", "read", "a server"),
        ),
        (
            "grant for no tool",
            |acme| {
                acme.roles[0].grants.insert(ToolId::from_random([9; 16]), Grant::Deny);
            },
            dangling("role", "reader", "a tool"),
        ),
        (
            "task with no tool",
            |acme| {
                acme.tasks[0].tools.insert(ToolId::from_random([9; 16]));
            },
            dangling("task", "tidy", "a tool"),
        ),
        (
            "agent in no role",
            |acme| {
                acme.agents[1].roles.insert(RoleId::from_random([9; 16]));
            },
            dangling("agent", "eve", "a role"),
        ),
        (
            "agent for no task",
            |acme| {
                acme.agents[1].tasks.insert(TaskId::from_random([9; 16]));
            },
            dangling("agent", "eve", "a task"),
        ),
        ("tenant id", |acme| acme.id = GLOBEX, CompileError::DuplicateTenant),
        ("tenant name", |acme| acme.name = name("globex"), CompileError::DuplicateTenant),
    ];
    for (what, change, expected) in cases {
        assert_eq!(Snapshot::compile(&changed(change)).unwrap_err(), expected, "{what}");
    }
}

#[test]
fn tools_of_two_servers_and_things_of_two_kinds_may_share_a_name() {
    let fine = changed(|acme| {
        acme.tools[3].name = acme.tools[0].name.clone();
        acme.tasks[0].name = name("robin");
        acme.roles[0].name = name("robin");
    });
    assert!(Snapshot::compile(&fine).is_ok());
}
