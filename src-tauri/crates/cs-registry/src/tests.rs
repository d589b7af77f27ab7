//! What holds for the whole registry: tenants apart, the past unchanged.

use std::collections::BTreeSet;

use cs_model::state::{CredentialState, Standing};
use cs_model::{AgentId, Digest, Grant, Pass, Passes, TaskId};
use sqlx::AssertSqlSafe;

use crate::redemption::Spend;
use crate::testing::{
    A, B, Fixture, later, new_agent, new_credential, new_task, operator_id, saying,
};
use crate::{
    RegistryError, agent, credential, document, grant, operator, role, server, session, task,
    tenant, tenant_secret, tool,
};

fn unknown<T: std::fmt::Debug>(result: &Result<T, RegistryError>) -> bool {
    matches!(result, Err(RegistryError::NotFound { .. }))
}

#[tokio::test]
async fn s07_what_belongs_to_another_tenant_is_as_unknown_as_what_does_not_exist() {
    let fixture = Fixture::new().await;
    let mut db = fixture.registry.begin().await.unwrap();
    let before = document::load(&mut db).await.unwrap();
    let (ours, at) = (A.tenant, later(5));
    let cell = |role, tool| grant::Cell { role, tool, grant: Grant::Allow, condition: None };
    let deny = |role, tool| grant::Cell { role, tool, grant: Grant::Deny, condition: None };
    let foreign_task = task::Task { tenant: ours, ..new_task(B, B.task, "workbench") };
    let (roles, tasks) = (BTreeSet::new(), BTreeSet::new());
    let answers = [
        ("find a server", unknown(&server::find(&mut db, ours, B.server).await)),
        ("find a tool", unknown(&tool::find(&mut db, ours, B.tool).await)),
        ("find a task", unknown(&task::find(&mut db, ours, B.task).await)),
        ("find an agent", unknown(&agent::find(&mut db, ours, B.agent).await)),
        ("find a credential", unknown(&credential::find(&mut db, ours, B.credential).await)),
        ("find a session", unknown(&session::find(&mut db, ours, B.session).await)),
        ("grant to a role", unknown(&grant::set(&mut db, ours, cell(B.role, A.tool)).await)),
        ("grant a tool", unknown(&grant::set(&mut db, ours, cell(A.role, B.tool)).await)),
        ("deny a tool", unknown(&grant::set(&mut db, ours, deny(A.role, B.tool)).await)),
        ("update a task", unknown(&task::update(&mut db, &foreign_task).await)),
        ("assign", unknown(&agent::assign(&mut db, ours, B.agent, &roles, &tasks).await)),
        (
            "suspend an agent",
            unknown(&agent::set_standing(&mut db, ours, B.agent, Standing::Suspended).await),
        ),
        ("disable a server", unknown(&server::set_enabled(&mut db, ours, B.server, false).await)),
        (
            "let something pass",
            unknown(&server::set_passes(&mut db, ours, B.server, &Passes::of([Pass::Ui])).await),
        ),
        ("disable a tool", unknown(&tool::set_enabled(&mut db, ours, B.tool, false).await)),
        ("pin", unknown(&tool::pin(&mut db, ours, B.tool, "{}", Digest::of(b"")).await)),
        ("revoke", unknown(&credential::revoke(&mut db, ours, B.credential, at).await)),
        ("suspend", unknown(&credential::suspend(&mut db, ours, B.credential, at).await)),
        ("release", unknown(&credential::release(&mut db, ours, B.credential).await)),
        ("remove a server", unknown(&server::remove(&mut db, ours, B.server).await)),
        ("remove a tool", unknown(&tool::remove(&mut db, ours, B.tool).await)),
        ("remove a role", unknown(&role::remove(&mut db, ours, B.role).await)),
        ("remove a task", unknown(&task::remove(&mut db, ours, B.task).await)),
        ("remove an agent", unknown(&agent::remove(&mut db, ours, B.agent).await)),
    ];
    for (what, is_unknown) in answers {
        assert!(is_unknown, "{what}");
    }
    assert_eq!(document::load(&mut db).await.unwrap(), before);
}

#[tokio::test]
async fn s07_no_row_can_refer_to_another_tenants_row() {
    let fixture = Fixture::new().await;
    let mut db = fixture.registry.begin().await.unwrap();
    let mut wrong_agent = new_agent(A, AgentId::from_random([1; 16]), "wrong");
    wrong_agent.roles = BTreeSet::from([B.role]);
    assert!(unknown(&agent::create(&mut db, &wrong_agent).await), "a role");
    wrong_agent.id = AgentId::from_random([2; 16]);
    (wrong_agent.roles, wrong_agent.tasks) = (BTreeSet::new(), BTreeSet::from([B.task]));
    wrong_agent.name = crate::testing::named("wrong-2");
    assert!(unknown(&agent::create(&mut db, &wrong_agent).await), "a task");
    let mut wrong_task = new_task(A, TaskId::from_random([3; 16]), "wrong");
    wrong_task.tools = BTreeSet::from([B.tool]);
    assert!(unknown(&task::create(&mut db, &wrong_task).await), "a tool");
    let tool = tool::find(&mut db, B.tenant, B.tool).await.unwrap();
    let wrong_tool =
        tool::Tool { id: cs_model::ToolId::from_random([4; 16]), tenant: A.tenant, ..tool };
    assert!(unknown(&tool::create(&mut db, &wrong_tool).await), "a server");
    let mut wrong_credential = new_credential(A, "wrong");
    wrong_credential.id = cs_model::CredentialId::from_random([5; 16]);
    wrong_credential.agent = B.agent;
    assert!(unknown(&credential::issue(&mut db, &wrong_credential).await), "an agent");
    wrong_credential.agent = A.agent;
    wrong_credential.tasks = Some(BTreeSet::from([B.task]));
    assert!(unknown(&credential::issue(&mut db, &wrong_credential).await), "a credential's task");
}

#[tokio::test]
async fn s08_names_are_unique_in_a_tenant_and_free_in_another() {
    let fixture = Fixture::new().await;
    let mut db = fixture.registry.begin().await.unwrap();
    let twin = new_agent(A, AgentId::from_random([1; 16]), "executor-1");
    let taken = agent::create(&mut db, &twin).await;
    assert!(matches!(taken, Err(RegistryError::Conflict { what: "an agent of this name" })));
    let key = credential::NewCredential {
        id: cs_model::CredentialId::from_random([6; 16]),
        ..new_credential(B, "acme")
    };
    let taken = credential::issue(&mut db, &key).await;
    assert!(matches!(taken, Err(RegistryError::Conflict { .. })), "a key id names one credential");
}

/// What nobody may do to the past, in SQL, whoever writes it.
const FORBIDDEN: &[&str] = &[
    "UPDATE audit_event SET body = '{}'",
    "UPDATE audit_event SET tenant_id = NULL",
    "DELETE FROM audit_event",
    "INSERT INTO audit_event SELECT seq + 7, at, kind, tenant_id, agent_id, credential_id,
         session_id, tool_id, approval_id, correlation_id, decision, anomaly, client, words, body,
         previous, hash FROM audit_event",
    "INSERT OR REPLACE INTO audit_event SELECT * FROM audit_event WHERE seq = 1",
    "UPDATE redemption SET token_id = randomblob(16)",
    "UPDATE redemption SET outcome = NULL, settled = NULL",
    "UPDATE redemption SET outcome = 'failed'",
    "DELETE FROM redemption",
    "UPDATE policy_version SET document = '{}'",
    "DELETE FROM policy_version",
    "UPDATE approval SET arguments = '{}'",
    "UPDATE approval SET arguments_digest = randomblob(32)",
    "UPDATE approval SET session_id = randomblob(16)",
    "UPDATE approval SET state = 'approved', sealed_token = x'00'",
    "UPDATE approval SET state = 'pending'",
    "UPDATE approval SET decided_at = 5, decided_by = decided_by",
    "UPDATE credential SET revoked_at = NULL",
    "UPDATE session SET allowlist = '{\"more\": 1}'",
    "UPDATE session SET ends = ends + 1",
    "UPDATE session SET ended = NULL, end_reason = NULL",
];

#[tokio::test]
async fn the_past_cannot_be_rewritten_even_in_sql() {
    let fixture = Fixture::new().await;
    let spent = fixture.approved(A, 50).await;
    assert_eq!(fixture.registry.submit(spent.clone()).await.unwrap(), Spend::Spent);
    let settle = crate::redemption::Settle {
        token: spent.token,
        outcome: cs_model::event::Outcome::Answered,
        at: later(30),
        events: vec![saying("answered")],
    };
    fixture.registry.submit(settle).await.unwrap();
    let mut db = fixture.registry.begin().await.unwrap();
    credential::revoke(&mut db, A.tenant, A.credential, later(40)).await.unwrap();
    let why = cs_model::state::SessionEnd::Operator;
    session::end(&mut db, A.tenant, A.session, why, later(40)).await.unwrap();
    let version = crate::policy::Version {
        number: 1,
        summary: "first".to_owned(),
        actor: cs_model::event::Actor::System,
        created: later(0),
    };
    let document = cs_model::Document { version: 1, tenants: Vec::new() };
    crate::policy::append(&mut db, &version, &document).await.unwrap();
    db.commit(&[]).await.unwrap();
    for statement in FORBIDDEN {
        let mut db = fixture.registry.begin().await.unwrap();
        let done = sqlx::query(*statement).execute(&mut *db).await;
        let refused = done.as_ref().is_err_and(|error| error.to_string().contains("1811"));
        assert!(refused, "{statement}: {done:?}");
    }
    assert_eq!(fixture.verified_log().await.len(), 2);
}

#[tokio::test]
async fn the_starter_is_removed_without_trace_but_for_the_log_and_what_was_spent() {
    let fixture = Fixture::new().await;
    let mut db = fixture.registry.begin().await.unwrap();
    let sealed = tenant_secret::Sealed { id: uuid::Uuid::from_u128(5), sealed: vec![1] };
    tenant_secret::put(&mut db, A.tenant, "token", &sealed, later(1)).await.unwrap();
    db.commit(&[]).await.unwrap();
    let spent = fixture.approved(A, 50).await;
    fixture.registry.submit(spent.clone()).await.unwrap();
    fixture.approved(A, 51).await;
    let log = fixture.verified_log().await;

    let mut db = fixture.registry.begin().await.unwrap();
    tenant::remove(&mut db, A.tenant).await.unwrap();
    db.commit(&[]).await.unwrap();
    let mut db = fixture.registry.read().await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT m.name FROM sqlite_schema AS m
           JOIN pragma_table_info(m.name) AS c ON c.name = 'tenant_id'
          WHERE m.type = 'table'",
    )
    .fetch_all(&mut *db)
    .await
    .unwrap();
    assert!(tables.len() > 15, "{tables:?}");
    for table in tables {
        let query = format!("SELECT count(*) FROM \"{table}\" WHERE tenant_id = ?1");
        let rows: i64 = sqlx::query_scalar(AssertSqlSafe(query))
            .bind(A.tenant.uuid())
            .fetch_one(&mut *db)
            .await
            .unwrap();
        let kept = i64::from(table == "redemption");
        assert_eq!(rows, kept, "{table}");
    }
    let left = document::load(&mut db).await.unwrap();
    assert_eq!(left.tenants.iter().map(|it| it.id).collect::<Vec<_>>(), [B.tenant]);
    drop(db);
    assert_eq!(fixture.verified_log().await, log);
    assert_eq!(fixture.registry.submit(spent).await.unwrap(), Spend::Refused);
    assert_eq!(fixture.registry.submit(fixture.approved(B, 60).await).await.unwrap(), Spend::Spent);
}

#[tokio::test]
async fn a_credential_is_revoked_for_good_and_suspended_until_it_is_released() {
    let fixture = Fixture::new().await;
    let mut db = fixture.registry.begin().await.unwrap();
    let (tenant, id) = (A.tenant, A.credential);
    macro_rules! state {
        ($at:expr) => {
            credential::find(&mut db, tenant, id).await.unwrap().state(later($at))
        };
    }
    assert_eq!(state!(86_399), CredentialState::Active);
    assert_eq!(state!(86_400), CredentialState::Expired);
    credential::suspend(&mut db, tenant, id, later(5)).await.unwrap();
    assert_eq!(state!(6), CredentialState::Suspended);
    credential::release(&mut db, tenant, id).await.unwrap();
    assert_eq!(state!(7), CredentialState::Active);
    credential::suspend(&mut db, tenant, id, later(8)).await.unwrap();
    credential::revoke(&mut db, tenant, id, later(9)).await.unwrap();
    credential::revoke(&mut db, tenant, id, later(10)).await.unwrap();
    credential::release(&mut db, tenant, id).await.unwrap();
    assert_eq!(state!(11), CredentialState::Revoked);
    let found = credential::find(&mut db, tenant, id).await.unwrap();
    assert_eq!(found.revoked_at, Some(later(9)));
    assert_eq!(credential::list(&mut db, tenant).await.unwrap(), std::slice::from_ref(&found));
    assert!(credential::all(&mut db).await.unwrap().contains(&found));
    let sealed = credential::sealed_secret(&mut db, id).await.unwrap();
    assert_eq!((sealed.tenant, sealed.sealed), (tenant, b"sealed".to_vec()));
}

#[tokio::test]
async fn a_tenants_secret_is_replaced_forgotten_and_nobody_elses() {
    let fixture = Fixture::new().await;
    let mut db = fixture.registry.begin().await.unwrap();
    let value = |number| tenant_secret::Sealed {
        id: uuid::Uuid::from_u128(number),
        sealed: number.to_be_bytes().to_vec(),
    };
    for number in [1, 2] {
        tenant_secret::put(&mut db, A.tenant, "api", &value(number), later(1)).await.unwrap();
    }
    assert_eq!(tenant_secret::find(&mut db, A.tenant, "api").await.unwrap(), value(2));
    assert!(unknown(&tenant_secret::find(&mut db, B.tenant, "api").await));
    assert!(unknown(&tenant_secret::remove(&mut db, B.tenant, "api").await));
    assert_eq!(tenant_secret::names(&mut db, A.tenant).await.unwrap(), ["api"]);
    tenant_secret::remove(&mut db, A.tenant, "api").await.unwrap();
    assert!(tenant_secret::names(&mut db, A.tenant).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_operator_who_was_removed_stays_known_and_frees_the_name() {
    let fixture = Fixture::new().await;
    let mut db = fixture.registry.begin().await.unwrap();
    let ada = operator::find(&mut db, operator_id()).await.unwrap();
    let namesake = operator::Operator {
        id: cs_model::OperatorId::from_random([8; 16]),
        public_key: [8; 32],
        ..ada.clone()
    };
    let taken = operator::create(&mut db, &namesake).await;
    assert!(matches!(taken, Err(RegistryError::Conflict { .. })));
    operator::remove(&mut db, ada.id, later(5)).await.unwrap();
    operator::remove(&mut db, ada.id, later(6)).await.unwrap();
    assert_eq!(operator::find(&mut db, ada.id).await.unwrap().removed, Some(later(5)));
    operator::create(&mut db, &namesake).await.unwrap();
    assert_eq!(operator::list(&mut db).await.unwrap().len(), 2);
}

#[tokio::test]
async fn tenants_roles_and_tallies_read_back() {
    let fixture = Fixture::new().await;
    let mut db = fixture.registry.begin().await.unwrap();
    let acme = tenant::by_name(&mut db, &crate::testing::named("acme")).await.unwrap();
    assert_eq!(tenant::find(&mut db, A.tenant).await.unwrap(), acme);
    assert!(acme.starter);
    let tally = tenant::tally(&mut db, A.tenant, later(5)).await.unwrap();
    let one = tenant::Tally { agents: 1, servers: 1, tools: 1, tasks: 1, live_sessions: 1 };
    assert_eq!(tally, one);
    assert_eq!(tenant::tally(&mut db, A.tenant, later(3600)).await.unwrap().live_sessions, 0);
    assert_eq!(role::agents(&mut db, A.tenant).await.unwrap()[&A.role], 1);
    assert_eq!(role::list(&mut db, A.tenant).await.unwrap().len(), 1);
    assert_eq!(server::all(&mut db).await.unwrap().len(), 2);
    let other = cs_model::upstream::Transport::Http {
        url: "http://127.0.0.1:2/mcp".to_owned(),
        headers: std::collections::BTreeMap::new(),
    };
    server::set_transport(&mut db, A.tenant, A.server, &other).await.unwrap();
    assert_eq!(server::find(&mut db, A.tenant, A.server).await.unwrap().transport, other);
}

/// Queries on a tenant's tables that are not bound to one tenant, by how they begin, each for its
/// reason.
const WITHOUT_TENANT: &[(&str, &str)] = &[
    ("INSERT INTO nonce", "a credential's id is the whole installation's"),
    ("DELETE FROM nonce", "of every credential, by time"),
    ("SELECT seq, hash FROM audit_event ORDER BY seq", "the chain is one"),
    ("SELECT seq, previous, hash, body FROM audit_event WHERE seq", "the chain is one"),
    ("SELECT seq, previous, hash, body FROM audit_event INDEXED BY audit_failed", "by identity"),
    ("SELECT at FROM audit_event ORDER BY seq", "the chain is one"),
    ("SELECT hash FROM audit_event WHERE seq", "the chain is one"),
    ("SELECT count(*) AS \"calls!: i64\" FROM audit_event", "of all tenants"),
    ("UPDATE session SET wire_id", "the gateway's own session, proven when it opened"),
    (
        "UPDATE session SET ended = ?1, end_reason = ?2, wire_id = NULL WHERE id = ?3 AND ended",
        "the gateway's own session, proven when it opened",
    ),
    ("SELECT approval_id AS \"approval?: Uuid\" FROM redemption", "a token's id is as well"),
    ("UPDATE redemption SET outcome", "a token's id is the whole installation's"),
];

/// The same, for those that end like this.
const OF_ALL_TENANTS: &[(&str, &str)] = &[
    (
        "FROM authority WHERE ends IS NULL OR ends > ?1 ORDER BY tenant_id, generation",
        "whose certificates the listener trusts",
    ),
    ("FROM outside_authority ORDER BY created, rowid", "whose certificates the listener trusts"),
    ("FROM alert WHERE id = ?1", "an operator looks at the alerts of every tenant"),
    ("FROM alert WHERE contain = 'due' ORDER BY first, id", "what is to be cut off, wherever"),
    ("FROM alert WHERE acknowledged_at IS NULL GROUP BY rule", "what nobody has looked at"),
    ("FROM alert_rule ORDER BY id", "what the one log is looked at by"),
    ("alert_once.what = 'crd_' || lower(hex(credential.id)))", "what nobody uses, wherever"),
    ("alert_once.what = 'ses_' || lower(hex(session.id)))", "what goes on, wherever"),
    ("FROM credential_task", "what the gateway recognises callers by"),
    ("FROM credential ORDER BY created, rowid", "what the gateway recognises callers by"),
    ("WHERE revoked_at IS NULL ORDER BY created, rowid", "what the one housekeeper looks at"),
    ("sealed_secret FROM credential WHERE id = ?1", "before the caller's tenant is known"),
    (
        "FROM approval_signature WHERE sealed_token IS NOT NULL AND expires > ?1 GROUP BY approval_id",
        "how far requests are signed, in lists of all tenants",
    ),
    ("FROM approval_signature WHERE breaks_glass = 1", "what was signed alone, in the same lists"),
    (
        "UPDATE agent SET responsible_id = NULL WHERE responsible_id = ?1",
        "what a removed operator answered for, wherever",
    ),
    ("FROM issuer_key ORDER BY created, rowid", "what the gateway signs with and believes"),
    ("FROM revocation WHERE ends > ?1 ORDER BY created, rowid", "what tokens are held against"),
    ("FROM server_origin ORDER BY tenant_id, server_id", "what comes from a template, wherever"),
    ("FROM server ORDER BY tenant_id, name", "what the gateway must be able to reach"),
    (
        "FROM session WHERE ended IS NULL AND ends > ?1 ORDER BY opened, rowid",
        "what the gateway goes on with after a restart",
    ),
    (
        "AND ends <= ?2 RETURNING id AS \"id: Uuid\", tenant_id AS \"tenant: Uuid\", agent_id AS \
         \"agent: Uuid\", credential_id AS \"credential: Uuid\", task_id AS \"task: Uuid\"",
        "what is over, wherever",
    ),
    (
        "FROM series WHERE ended IS NULL AND (expires <= ?1 OR signed > ?2) ORDER BY expires, rowid",
        "what is over",
    ),
    (
        "WHERE it.operator_id = ?1 AND it.sealed_token IS NOT NULL ORDER BY it.rowid",
        "what an operator signed, wherever",
    ),
    ("WHERE redemption.outcome IS NULL ORDER BY redemption.redeemed, redemption.rowid", "at start"),
    (
        "WHERE (state = 'pending' AND (decide_by <= ?1 OR requested > ?2)) OR (state = 'approved' \
         AND (token_expires <= ?1 OR requested > ?2 OR decided_at > ?2)) ORDER BY rowid",
        "what is overdue, wherever",
    ),
];

/// Whether a query is bound to one tenant, or asks for all of them in so many words.
fn is_bound(query: &str) -> bool {
    let bound = ["tenant_id = ?", "tenant_id IS ?", "(tenant_id, id) = (SELECT tenant_id"];
    bound.iter().any(|text| query.contains(text))
        || query.starts_with("INSERT") && query.contains("tenant_id")
}

#[test]
fn s07_every_query_on_a_tenants_table_names_the_tenant() {
    let schema = concat!(
        include_str!("../migrations/0001_registry.sql"),
        include_str!("../migrations/0002_identity.sql"),
        include_str!("../migrations/0003_certificates.sql"),
        include_str!("../migrations/0004_tool_introspect.sql"),
        include_str!("../migrations/0005_conditions.sql"),
        include_str!("../migrations/0006_serving.sql"),
        include_str!("../migrations/0007_issuer.sql"),
        include_str!("../migrations/0008_alerts.sql"),
        include_str!("../migrations/0009_templates.sql"),
        include_str!("../migrations/0010_kinds.sql"),
        include_str!("../migrations/0011_rates.sql"),
        include_str!("../migrations/0012_audit_kinds.sql"),
        include_str!("../migrations/0013_passes.sql"),
        include_str!("../migrations/0014_log.sql"),
        include_str!("../migrations/0015_operator_keys.sql"),
        include_str!("../migrations/0016_signing.sql"),
        include_str!("../migrations/0017_waiting.sql"),
        include_str!("../migrations/0018_effects.sql"),
        include_str!("../migrations/0019_series.sql"),
        include_str!("../migrations/0020_consoles.sql"),
        include_str!("../migrations/0021_lifecycle.sql"),
        include_str!("../migrations/0022_webhook.sql"),
        include_str!("../migrations/0023_rotation.sql"),
        include_str!("../migrations/0025_secret_place.sql"),
    );
    let tables: Vec<&str> = schema
        .split("CREATE TABLE ")
        .skip(1)
        .filter(|table| table.split(") STRICT").next().unwrap().contains("tenant_id"))
        .map(|table| table.split_whitespace().next().unwrap())
        .chain(["nonce"])
        .collect();
    assert!(tables.len() > 15, "{tables:?}");
    let exceptions = || WITHOUT_TENANT.iter().chain(OF_ALL_TENANTS).map(|(query, _)| *query);
    let mut unused: BTreeSet<&str> = exceptions().collect();
    let mut seen = 0;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/.sqlx");
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let data: serde_json::Value = serde_json::from_str(&text).unwrap();
        let query = data["query"].as_str().unwrap();
        let query = query.split_whitespace().collect::<Vec<_>>().join(" ");
        let touches = tables.iter().any(|table| {
            ["FROM", "INTO", "UPDATE", "JOIN"]
                .iter()
                .any(|verb| format!("{query} ").contains(&format!("{verb} {table} ")))
        });
        if !touches || is_bound(&query) {
            continue;
        }
        let begins = WITHOUT_TENANT.iter().find(|(start, _)| query.starts_with(start));
        let known = begins.or_else(|| OF_ALL_TENANTS.iter().find(|(end, _)| query.ends_with(end)));
        let (exception, _) = known.unwrap_or_else(|| panic!("names no tenant: {query}"));
        unused.remove(exception);
        seen += 1;
    }
    assert!(unused.is_empty(), "exceptions that nothing needs: {unused:?}");
    assert!(seen > 0);
}
