use std::collections::{BTreeMap, BTreeSet};

use cs_model::event::Actor;
use cs_model::state::Standing;
use cs_model::{Condition, Digest, Effects, Passes, Rate, TaskId};

use super::*;
use crate::policy::Version;
use crate::testing::{A, B, Fixture, T0, named};

#[tokio::test]
async fn the_document_says_what_the_rows_say() {
    let fixture = Fixture::new().await;
    let mut db = fixture.registry.read().await.unwrap();
    let document = load(&mut db).await.unwrap();
    assert_eq!(document, load(&mut db).await.unwrap(), "the same rows, the same document");
    assert_eq!(document.version, 0);
    assert_eq!(document.tenants.iter().map(|it| it.id).collect::<Vec<_>>(), [A.tenant, B.tenant]);
    let acme = &document.tenants[0];
    assert_eq!((acme.name.as_str(), acme.standing), ("acme", Standing::Active));
    assert_eq!(
        acme.servers,
        [ServerDoc {
            id: A.server,
            name: named("files"),
            enabled: true,
            passes: Passes::default()
        }]
    );
    assert_eq!(acme.roles[0].grants, BTreeMap::from([(A.tool, Grant::Token)]));
    assert_eq!(acme.tasks[0].tools, BTreeSet::from([A.tool]));
    assert_eq!((acme.tasks[0].expected_secs, acme.tasks[0].longest_secs), (60, 3600));
    let agent = &acme.agents[0];
    assert_eq!((agent.roles.len(), agent.tasks.len()), (1, 1));
    let tool = &acme.tools[0];
    assert_eq!((tool.server, tool.enabled), (A.server, true));
    assert_eq!(tool.fingerprint, Digest::of(b"definition"));
    assert_eq!(tool.definition, r#"{"name":"write_file"}"#, "to the byte");
}

#[tokio::test]
async fn every_change_of_a_row_is_in_the_document() {
    let fixture = Fixture::new().await;
    let mut db = fixture.registry.begin().await.unwrap();
    let before = load(&mut db).await.unwrap();
    let condition =
        Condition { schema: r#"{"type":"object"}"#.to_owned(), otherwise: Grant::Token };
    let cell = grant::Cell {
        role: A.role,
        tool: A.tool,
        grant: Grant::Allow,
        condition: Some(condition.clone()),
    };
    grant::set(&mut db, A.tenant, cell.clone()).await.unwrap();
    tool::set_enabled(&mut db, A.tenant, A.tool, false).await.unwrap();
    tool::pin(&mut db, A.tenant, A.tool, r#"{"name":"x"}"#, Digest::of(b"x")).await.unwrap();
    server::set_enabled(&mut db, A.tenant, A.server, false).await.unwrap();
    agent::set_standing(&mut db, A.tenant, A.agent, Standing::Suspended).await.unwrap();
    agent::assign(&mut db, A.tenant, A.agent, &BTreeSet::new(), &BTreeSet::new()).await.unwrap();
    let (seldom, often) = (Rate::new(1, 86_400).ok(), Rate::new(100_000, 1).ok());
    agent::set_rate(&mut db, A.tenant, A.agent, seldom).await.unwrap();
    tool::set_rate(&mut db, A.tenant, A.tool, often).await.unwrap();
    let effects = Effects { sends_out: false, destroys: true };
    tool::set_effects(&mut db, A.tenant, A.tool, effects).await.unwrap();
    tenant::set_standing(&mut db, A.tenant, Standing::Suspended).await.unwrap();
    let mut task = task::find(&mut db, A.tenant, A.task).await.unwrap();
    task.tools.clear();
    task.longest_secs = 7;
    task::update(&mut db, &task).await.unwrap();
    let after = load(&mut db).await.unwrap();
    assert_eq!(after.tenants[1], before.tenants[1], "the other tenant is as it was");
    let acme = &after.tenants[0];
    assert_eq!(acme.standing, Standing::Suspended);
    assert_eq!((acme.agents[0].rate, acme.tools[0].rate), (seldom, often));
    assert_eq!(acme.tools[0].effects, effects);
    assert_eq!(acme.roles[0].grants, BTreeMap::from([(A.tool, Grant::Allow)]));
    assert_eq!(acme.roles[0].conditions, BTreeMap::from([(A.tool, condition)]));
    assert!(!acme.tools[0].enabled && !acme.servers[0].enabled);
    assert_eq!(acme.tools[0].fingerprint, Digest::of(b"x"));
    assert_eq!(acme.agents[0].standing, Standing::Suspended);
    assert!(acme.agents[0].roles.is_empty() && acme.agents[0].tasks.is_empty());
    assert!(acme.tasks[0].tools.is_empty());
    assert_eq!(acme.tasks[0].longest_secs, 7);

    let free = grant::Cell { condition: None, ..cell };
    grant::set(&mut db, A.tenant, free.clone()).await.unwrap();
    assert!(load(&mut db).await.unwrap().tenants[0].roles[0].conditions.is_empty());
    let deny = grant::Cell { grant: Grant::Deny, ..free };
    grant::set(&mut db, A.tenant, deny).await.unwrap();
    server::remove(&mut db, A.tenant, A.server).await.unwrap();
    agent::remove(&mut db, A.tenant, A.agent).await.unwrap();
    role::remove(&mut db, A.tenant, A.role).await.unwrap();
    task::remove(&mut db, A.tenant, A.task).await.unwrap();
    let acme = &load(&mut db).await.unwrap().tenants[0];
    assert!(acme.tools.is_empty() && acme.servers.is_empty() && acme.roles.is_empty());
    assert!(acme.agents.is_empty() && acme.tasks.is_empty());
}

#[tokio::test]
async fn versions_are_numbered_without_gaps_and_read_back() {
    let fixture = Fixture::new().await;
    let mut db = fixture.registry.begin().await.unwrap();
    let version = |number| Version {
        number,
        summary: format!("version {number}"),
        actor: Actor::Local { uid: Some(1000) },
        created: T0,
    };
    for number in 1..=3 {
        let document = Document { version: number, ..load(&mut db).await.unwrap() };
        policy::append(&mut db, &version(number), &document).await.unwrap();
        assert_eq!(policy::document(&mut db, number).await.unwrap(), document);
        assert_eq!(load(&mut db).await.unwrap(), document);
    }
    let document = load(&mut db).await.unwrap();
    for (number, inside) in [(3, 3), (5, 5), (4, 5), (5, 4)] {
        let document = Document { version: inside, ..document.clone() };
        let refused = policy::append(&mut db, &version(number), &document).await;
        assert!(matches!(refused, Err(RegistryError::State { .. })), "{number} {inside}");
    }
    assert_eq!(policy::list(&mut db, None, 2).await.unwrap(), [version(3), version(2)]);
    assert_eq!(policy::list(&mut db, Some(2), 9).await.unwrap(), [version(1)]);
    let missing = policy::document(&mut db, 4).await;
    assert!(matches!(missing, Err(RegistryError::NotFound { .. })));
}

#[tokio::test]
async fn a_credential_that_was_bound_to_a_task_that_is_gone_may_declare_none() {
    let fixture = Fixture::new().await;
    let mut db = fixture.registry.begin().await.unwrap();
    let bound = crate::credential::NewCredential {
        id: cs_model::CredentialId::from_random([5; 16]),
        tasks: Some(BTreeSet::from([A.task])),
        ..crate::testing::new_credential(A, "bound")
    };
    crate::credential::issue(&mut db, &bound).await.unwrap();
    let tasks = |found: crate::credential::Credential| found.tasks;
    let found = crate::credential::find(&mut db, A.tenant, bound.id).await.unwrap();
    assert_eq!(tasks(found), bound.tasks);
    task::remove(&mut db, A.tenant, A.task).await.unwrap();
    let found = crate::credential::find(&mut db, A.tenant, bound.id).await.unwrap();
    assert_eq!(tasks(found), Some(BTreeSet::<TaskId>::new()));
    let free = crate::credential::find(&mut db, A.tenant, A.credential).await.unwrap();
    assert_eq!(tasks(free), None);
}
