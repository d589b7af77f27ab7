use cs_model::{Kind, ToolId, ToolName};
use sqlx::{Connection as _, Executor as _, Row as _, SqliteConnection};

use crate::testing::{A, Fixture};
use crate::{RegistryError, tool};

#[tokio::test]
async fn things_of_one_name_differ_by_their_kind_and_are_read_back_as_they_were_written() {
    let fixture = Fixture::new().await;
    let mut db = fixture.registry.begin().await.unwrap();
    let like = tool::find(&mut db, A.tenant, A.tool).await.unwrap();
    let named = [
        (Kind::Prompt, "write_file".to_owned()),
        (Kind::Resource, format!("file:///{}", "x".repeat(2040))),
        (Kind::Template, "file:///{x}".to_owned()),
    ];
    for (n, (kind, text)) in (20..).zip(named) {
        let name = ToolName::of(kind, &text).unwrap();
        let new = tool::Tool { id: ToolId::from_random([n; 16]), kind, name, ..like.clone() };
        tool::create(&mut db, &new).await.unwrap();
        assert_eq!(tool::find(&mut db, A.tenant, new.id).await.unwrap(), new);
        let twin = tool::Tool { id: ToolId::from_random([99; 16]), ..new };
        let taken = tool::create(&mut db, &twin).await;
        assert!(matches!(taken, Err(RegistryError::Conflict { .. })), "{kind}");
    }
    let listed = tool::list(&mut db, A.tenant).await.unwrap();
    let kinds: Vec<_> = listed.iter().map(|it| it.kind).collect();
    assert_eq!(kinds, [Kind::Tool, Kind::Prompt, Kind::Resource, Kind::Template]);
}

#[tokio::test]
async fn tools_and_all_that_refers_to_them_survive_the_arrival_of_kinds() {
    const BEFORE: [&str; 9] = [
        include_str!("../../migrations/0001_registry.sql"),
        include_str!("../../migrations/0002_identity.sql"),
        include_str!("../../migrations/0003_certificates.sql"),
        include_str!("../../migrations/0004_tool_introspect.sql"),
        include_str!("../../migrations/0005_conditions.sql"),
        include_str!("../../migrations/0006_serving.sql"),
        include_str!("../../migrations/0007_issuer.sql"),
        include_str!("../../migrations/0008_alerts.sql"),
        include_str!("../../migrations/0009_templates.sql"),
    ];
    const ROWS: &str = "
        INSERT INTO tenant (id, name, standing, starter, created)
        VALUES (randomblob(16), 'acme', 'active', 0, 1);
        INSERT INTO server (id, tenant_id, name, transport, enabled, created)
        SELECT randomblob(16), id, 'files', '{}', 1, 1 FROM tenant;
        INSERT INTO tool (id, tenant_id, server_id, name, definition, fingerprint, enabled, created,
                          introspect, data_system)
        SELECT randomblob(16), tenant_id, id, 'read', '{}', randomblob(32), 1, 7, 1, 'files'
          FROM server;
        INSERT INTO role (id, tenant_id, name, created)
        SELECT randomblob(16), id, 'reader', 1 FROM tenant;
        INSERT INTO task (id, tenant_id, name, expected_secs, longest_secs, created)
        SELECT randomblob(16), id, 'tidy', 60, 60, 1 FROM tenant;
        INSERT INTO \"grant\" (tenant_id, role_id, tool_id, permission, condition, otherwise)
        SELECT tool.tenant_id, role.id, tool.id, 'allow', '{}', 'token' FROM tool, role;
        INSERT INTO task_tool (tenant_id, task_id, tool_id)
        SELECT tool.tenant_id, task.id, tool.id FROM tool, task;";
    let mut db = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    for step in BEFORE.into_iter().chain([ROWS]) {
        db.execute(sqlx::raw_sql(step)).await.unwrap();
    }
    let mut whole = db.begin().await.unwrap();
    let kinds = sqlx::raw_sql(include_str!("../../migrations/0010_kinds.sql"));
    whole.execute(kinds).await.unwrap();
    whole.commit().await.unwrap();
    let found = sqlx::query(
        "SELECT tool.kind || tool.name || tool.created || tool.introspect || tool.data_system
                || g.permission || g.condition || g.otherwise
           FROM task_tool
           JOIN tool ON tool.id = task_tool.tool_id
           JOIN \"grant\" AS g ON g.tool_id = tool.id",
    );
    let found = found.fetch_all(&mut db).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].get::<String, _>(0), "toolread71filesallow{}token");
    db.execute("DELETE FROM tool").await.unwrap();
    let left = sqlx::query("SELECT count(*) FROM \"grant\", task_tool").fetch_one(&mut db).await;
    assert_eq!(left.unwrap().get::<i64, _>(0), 0, "what refers to a tool goes with it");
    let dangling = db.fetch_all("PRAGMA foreign_key_check").await.unwrap();
    assert!(dangling.is_empty());
}
