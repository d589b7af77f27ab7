use cs_model::ToolId;
use cs_model::state::Standing;
use expect_test::expect_file;

use super::*;
use crate::fixture::*;

fn denied(snapshot: &Snapshot, session: &Session, listed: &str) -> Option<Deny> {
    match try_call(snapshot, session, listed) {
        Verdict::Deny(deny) => Some(deny),
        Verdict::Allow(_) | Verdict::Hold(_) => None,
    }
}

fn names(allowlist: &Allowlist) -> Vec<(&str, Grant)> {
    allowlist.iter().map(|(listed, entry)| (listed, entry.grant)).collect()
}

#[test]
fn the_default_snapshot_denies_everything() {
    let full = compiled(&document());
    let session = session(&full, ROBIN, Some(TIDY));
    assert!(!session.allowlist.is_empty());
    let empty = Snapshot::default();
    assert_eq!(open(&empty, ACME, ROBIN, Some(TIDY)), Err(Deny::TenantUnknown));
    assert_eq!(denied(&empty, &session, "read"), Some(Deny::TenantUnknown));
    assert!(visible(&empty, &session, NOON).is_empty());
}

#[test]
fn an_allowlist_is_what_the_role_grants_and_the_task_lists() {
    let snapshot = compiled(&document());
    let tidy = open(&snapshot, ACME, ROBIN, Some(TIDY)).unwrap();
    assert_eq!(names(&tidy), [("read", Grant::Allow), ("write", Grant::Token)]);
    assert_eq!(open(&snapshot, ACME, ROBIN, None), Ok(Allowlist::default()));
    for (name, tenant, agent, task, deny) in [
        ("tenant", TenantId::from_random([9; 16]), ROBIN, TIDY, Deny::TenantUnknown),
        ("agent", ACME, AgentId::from_random([9; 16]), TIDY, Deny::AgentUnknown),
        ("task", ACME, ROBIN, TaskId::from_random([9; 16]), Deny::TaskUnknown),
        ("assignment", ACME, EVE, TIDY, Deny::TaskNotAssigned),
    ] {
        assert_eq!(open(&snapshot, tenant, agent, Some(task)), Err(deny), "{name}");
    }
    for (name, document, deny) in [
        ("tenant", changed(|acme| acme.standing = Standing::Suspended), Deny::TenantSuspended),
        (
            "agent",
            changed(|acme| acme.agents[0].standing = Standing::Suspended),
            Deny::AgentSuspended,
        ),
    ] {
        let refused = open(&compiled(&document), ACME, ROBIN, Some(TIDY));
        assert_eq!(refused, Err(deny), "{name}");
    }
}

#[test]
fn a_verdict_carries_the_call_that_was_judged() {
    let snapshot = compiled(&document());
    let session = session(&snapshot, ROBIN, Some(TIDY));
    let Verdict::Allow(permit) = try_call(&snapshot, &session, "read") else { panic!() };
    assert_eq!((permit.tenant(), permit.agent(), permit.session()), (ACME, ROBIN, session.id));
    assert_eq!((permit.task(), permit.server(), permit.tool()), (TIDY, FILES, READ));
    assert_eq!(permit.tool_name().as_str(), "read");
    assert_eq!(
        permit.fingerprint(),
        snapshot.tenant(ACME).unwrap().tool(READ).unwrap().fingerprint
    );
    assert_eq!((permit.arguments(), permit.policy_version()), (call("read").arguments, 12));
    let Verdict::Hold(held) = try_call(&snapshot, &session, "write") else { panic!() };
    assert_eq!((held.tool(), held.policy_version()), (WRITE, 12));
}

#[test]
fn each_refusal_tells_the_log_why() {
    let before = compiled(&document());
    let session = session(&before, ROBIN, Some(TIDY));
    type Change = fn(&mut cs_model::document::TenantDoc);
    let cases: [(&str, Change, Deny); 11] = [
        ("tenant suspended", |acme| acme.standing = Standing::Suspended, Deny::TenantSuspended),
        (
            "agent suspended",
            |acme| acme.agents[0].standing = Standing::Suspended,
            Deny::AgentSuspended,
        ),
        (
            "agent gone",
            |acme| {
                acme.agents.remove(0);
            },
            Deny::AgentUnknown,
        ),
        (
            "task gone",
            |acme| {
                acme.agents[0].tasks.remove(&TIDY);
                acme.tasks.remove(0);
            },
            Deny::TaskUnknown,
        ),
        ("task taken away", |acme| acme.agents[0].tasks.clear(), Deny::TaskNotAssigned),
        (
            "tool gone",
            |acme| {
                acme.tools.remove(0);
                acme.roles.iter_mut().for_each(|role| {
                    role.grants.remove(&READ);
                });
                acme.tasks.iter_mut().for_each(|task| {
                    task.tools.remove(&READ);
                });
            },
            Deny::ToolUnknown,
        ),
        ("tool disabled", |acme| acme.tools[0].enabled = false, Deny::ToolDisabled),
        ("server disabled", |acme| acme.servers[0].enabled = false, Deny::ServerDisabled),
        (
            "not in the task",
            |acme| {
                acme.tasks[0].tools.remove(&READ);
            },
            Deny::NotInTask,
        ),
        (
            "grant withdrawn",
            |acme| {
                acme.roles[1].grants.remove(&READ);
            },
            Deny::NotGranted,
        ),
        (
            "another definition",
            |acme| acme.tools[0].fingerprint = Digest::of(b"other"),
            Deny::DefinitionChanged,
        ),
    ];
    for (name, change, deny) in cases {
        let after = compiled(&changed(change));
        assert_eq!(denied(&after, &session, "read"), Some(deny), "{name}");
        let seen = visible(&after, &session, NOON);
        assert!(seen.iter().all(|tool| tool.listed != "read"), "{name}: still listed");
    }
    let ended = Session { ended: true, ..session.clone() };
    assert_eq!(denied(&before, &ended, "read"), Some(Deny::SessionEnded));
    let taskless = Session { task: None, ..session.clone() };
    assert_eq!(denied(&before, &taskless, "read"), Some(Deny::TaskMissing));
    for listed in ["reed", "READ", "read ", "files__read", "send", "", "\0"] {
        let deny = denied(&before, &session, listed);
        assert!(matches!(deny, Some(Deny::ToolUnknown | Deny::NotInTask)), "{listed}: {deny:?}");
    }
}

#[test]
fn a_session_ends_at_its_last_moment_and_not_after() {
    let snapshot = compiled(&document());
    let session = session(&snapshot, ROBIN, Some(TIDY));
    for (millis, level_then) in [(-1, Grant::Allow), (0, Grant::Deny), (1, Grant::Deny)] {
        let now = Timestamp::from_millis(LATER.millis().saturating_add(millis));
        let verdict = decide(&snapshot, &session, &call("read"), now);
        assert_eq!(level(&verdict), level_then, "{millis}");
        assert_eq!(visible(&snapshot, &session, now).is_empty(), level_then == Grant::Deny);
    }
}

#[test]
fn narrowing_takes_effect_at_once_and_widening_waits_for_the_next_session() {
    let before = compiled(&document());
    let live = session(&before, ROBIN, Some(TIDY));
    let narrowed = compiled(&changed(|acme| {
        acme.roles[1].grants.insert(READ, Grant::Token);
    }));
    assert_eq!(level(&try_call(&narrowed, &live, "read")), Grant::Token);

    let widened = compiled(&changed(|acme| {
        acme.roles[1].grants =
            [(READ, Grant::Allow), (WRITE, Grant::Allow), (ERASE, Grant::Allow)].into();
    }));
    assert_eq!(level(&try_call(&widened, &live, "write")), Grant::Token, "as it was opened");
    assert_eq!(denied(&widened, &live, "erase"), Some(Deny::OpenedBefore));
    let next = session(&widened, ROBIN, Some(TIDY));
    assert_eq!(level(&try_call(&widened, &next, "write")), Grant::Allow);
    assert_eq!(level(&try_call(&widened, &next, "erase")), Grant::Allow);
}

#[test]
fn names_carry_their_server_when_the_tools_of_a_task_come_from_two() {
    let snapshot = compiled(&document());
    let report = session(&snapshot, ROBIN, Some(REPORT));
    let expected = [("files__read", Grant::Allow), ("mail__send", Grant::Token)];
    assert_eq!(names(&report.allowlist), expected);
    assert_eq!(level(&try_call(&snapshot, &report, "files__read")), Grant::Allow);
    assert_eq!(denied(&snapshot, &report, "read"), Some(Deny::ToolUnknown));

    // What the task lists decides, not what the agent happens to be granted: a name does not
    // change its meaning with a grant.
    let reader = session(&snapshot, EVE, Some(REPORT));
    assert_eq!(names(&reader.allowlist), [("files__read", Grant::Allow)]);

    // Once only one server is left, names are plain again, for the next session.
    let one = compiled(&changed(|acme| {
        acme.tasks[1].tools.remove(&SEND);
    }));
    let next = session(&one, ROBIN, Some(REPORT));
    assert_eq!(names(&next.allowlist), [("read", Grant::Allow)]);
    assert_eq!(
        level(&try_call(&one, &report, "files__read")),
        Grant::Allow,
        "the live one goes on"
    );
    assert_eq!(denied(&one, &report, "read"), Some(Deny::OpenedBefore));
}

#[test]
fn two_servers_may_publish_tools_of_one_name() {
    let snapshot = compiled(&changed(|acme| {
        acme.tools[3] = tool(SEND, MAIL, "read");
        acme.roles[1].grants = [(READ, Grant::Token), (SEND, Grant::Allow)].into();
    }));
    let session = session(&snapshot, ROBIN, Some(REPORT));
    let expected = [("files__read", Grant::Token), ("mail__read", Grant::Allow)];
    assert_eq!(names(&session.allowlist), expected);
    assert_eq!(level(&try_call(&snapshot, &session, "files__read")), Grant::Token);
    assert_eq!(level(&try_call(&snapshot, &session, "mail__read")), Grant::Allow);
}

#[test]
fn o08_another_server_with_a_tool_of_the_same_name_does_not_inherit_a_live_session() {
    let before = compiled(&document());
    let session = session(&before, ROBIN, Some(TIDY));
    let after = compiled(&changed(|acme| {
        // The tool is gone, and another server publishes one that is called the same.
        let impostor = ToolId::from_random([9; 16]);
        acme.tools[0] = tool(impostor, MAIL, "read");
        for role in &mut acme.roles {
            role.grants = [(impostor, Grant::Allow)].into();
        }
        for task in &mut acme.tasks {
            task.tools = [impostor].into();
        }
    }));
    assert_eq!(denied(&after, &session, "read"), Some(Deny::ToolUnknown));
}

#[test]
fn several_roles_grant_by_the_widest_cell() {
    let snapshot = compiled(&changed(|acme| {
        acme.agents[0].roles.insert(READER);
        acme.roles[0].grants.insert(WRITE, Grant::Allow);
        acme.roles[1].grants.insert(READ, Grant::Deny);
    }));
    let session = session(&snapshot, ROBIN, Some(TIDY));
    assert_eq!(level(&try_call(&snapshot, &session, "read")), Grant::Allow);
    assert_eq!(level(&try_call(&snapshot, &session, "write")), Grant::Allow);
}

/// The matrix of the starter registry as the gateway enforces it, for a person to compare.
#[test]
fn the_starter_matrix_is_enforced_as_it_is_drawn() {
    use Grant::{Allow, Deny, Token};
    const ROLES: [&str; 4] = ["reader", "analyst", "executor", "admin"];
    const MATRIX: [(&str, [Grant; 4]); 8] = [
        ("read_file", [Allow, Allow, Allow, Allow]),
        ("search_database", [Allow, Allow, Allow, Allow]),
        ("web_fetch", [Deny, Allow, Allow, Allow]),
        ("write_file", [Deny, Deny, Token, Allow]),
        ("send_email", [Deny, Deny, Token, Allow]),
        ("execute_code", [Deny, Deny, Token, Allow]),
        ("access_secrets", [Deny, Deny, Deny, Token]),
        ("modify_mcp_config", [Deny, Deny, Deny, Token]),
    ];
    let number = |at: usize| [u8::try_from(at).unwrap(); 16];
    let tool_id = |at: usize| ToolId::from_random(number(at));
    let snapshot = compiled(&changed(|acme| {
        acme.tools = MATRIX
            .iter()
            .enumerate()
            .map(|(at, (name, _))| tool(tool_id(at), FILES, name))
            .collect();
        let all: Vec<ToolId> = (0..MATRIX.len()).map(tool_id).collect();
        acme.tasks = vec![task(TIDY, "workbench", &all)];
        acme.roles.clear();
        acme.agents.clear();
        for (at, text) in ROLES.iter().enumerate() {
            let id = cs_model::RoleId::from_random(number(at));
            let cells =
                MATRIX.iter().enumerate().map(|(row, (_, cells))| (tool_id(row), cells[at]));
            acme.roles.push(role(id, text, &cells.collect::<Vec<_>>()));
            acme.agents.push(agent(AgentId::from_random(number(at)), text, &[id], &[TIDY]));
        }
    }));
    let mut table = format!("{:18}{}\n", "", ROLES.map(|role| format!("{role:10}")).concat());
    for (listed, _) in MATRIX {
        let cells = [0, 1, 2, 3].map(|at| {
            let session = session(&snapshot, AgentId::from_random(number(at)), Some(TIDY));
            format!("{:10}", level(&try_call(&snapshot, &session, listed)).as_str())
        });
        table += &format!("{listed:18}{}\n", cells.concat());
    }
    let table: String = table.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    expect_file!["../../golden/starter.txt"].assert_eq(&table);
}

mod kinds;
