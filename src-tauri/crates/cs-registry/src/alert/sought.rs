//! What the passing of time may make an alert of.

use std::time::Duration;

use cs_audit::alert::time::{Lasted, Unused};
use cs_model::{AgentId, CredentialId, SessionId, TenantId, Timestamp};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::RegistryError;
use crate::error::Doing as _;
use crate::row::{time, unsigned};

/// The credentials of every tenant that were never used nor revoked, and were not found before.
///
/// # Errors
///
/// When the database fails.
pub async fn unused(db: &mut SqliteConnection) -> Result<Vec<Unused>, RegistryError> {
    let rows = sqlx::query!(
        r#"SELECT credential.id AS "id: Uuid", credential.tenant_id AS "tenant: Uuid",
                  credential.key_id,
                  coalesce(credential.delivered, credential.created) AS "issued!: i64",
                  agent.id AS "agent: Uuid",
                  agent.name AS agent_name
             FROM credential
             JOIN agent ON agent.tenant_id = credential.tenant_id
                       AND agent.id = credential.agent_id
            WHERE credential.last_used IS NULL
              AND credential.revoked_at IS NULL
              AND (credential.replaces IS NULL OR credential.delivered IS NOT NULL)
              AND NOT EXISTS (SELECT 1
                                FROM alert_once
                               WHERE alert_once.tenant_id = credential.tenant_id
                                 AND alert_once.rule = 'credential_unused'
                                 AND alert_once.what = 'crd_' || lower(hex(credential.id)))"#,
    )
    .fetch_all(db)
    .await
    .doing("look for credentials that nobody uses")?;
    let unused = rows.into_iter().map(|row| Unused {
        tenant: TenantId::new(row.tenant),
        credential: CredentialId::new(row.id),
        key_id: row.key_id,
        agent: (AgentId::new(row.agent), row.agent_name),
        issued: time(row.issued),
    });
    Ok(unused.collect())
}

/// The sessions of every tenant that go on and have lasted longer than their tasks are expected
/// to take, but for those that were found before.
///
/// # Errors
///
/// When the database fails.
pub async fn running(
    db: &mut SqliteConnection,
    now: Timestamp,
) -> Result<Vec<Lasted>, RegistryError> {
    let now = now.millis();
    let rows = sqlx::query!(
        r#"SELECT session.id AS "id: Uuid", session.tenant_id AS "tenant: Uuid",
                  session.agent_id AS "agent: Uuid", session.agent_name,
                  session.credential_id AS "credential: Uuid", task.name AS task_name,
                  task.expected_secs, min(?1, session.ends) - session.opened AS "lasted!: i64"
             FROM session
             JOIN task ON task.tenant_id = session.tenant_id AND task.id = session.task_id
            WHERE session.ended IS NULL
              AND session.opened + 1000 * task.expected_secs < min(?1, session.ends)
              AND NOT EXISTS (SELECT 1
                                FROM alert_once
                               WHERE alert_once.tenant_id = session.tenant_id
                                 AND alert_once.rule = 'session_overlong'
                                 AND alert_once.what = 'ses_' || lower(hex(session.id)))"#,
        now,
    )
    .fetch_all(db)
    .await
    .doing("look for sessions that go on for long")?;
    let running = rows.into_iter().map(|row| Lasted {
        tenant: TenantId::new(row.tenant),
        session: SessionId::new(row.id),
        agent: (AgentId::new(row.agent), row.agent_name),
        credential: CredentialId::new(row.credential),
        task_name: row.task_name,
        expected: Duration::from_secs(unsigned(row.expected_secs)),
        lasted: Duration::from_millis(unsigned(row.lasted)),
    });
    Ok(running.collect())
}

/// How long a session that is over lasted, if it had a task that is still there.
///
/// # Errors
///
/// When the database fails.
pub async fn ended(
    db: &mut SqliteConnection,
    tenant: TenantId,
    session: SessionId,
) -> Result<Option<Lasted>, RegistryError> {
    let (tenant_id, id) = (tenant.uuid(), session.uuid());
    let row = sqlx::query!(
        r#"SELECT session.agent_id AS "agent: Uuid", session.agent_name,
                  session.credential_id AS "credential: Uuid", task.name AS task_name,
                  task.expected_secs, session.ended - session.opened AS "lasted!: i64"
             FROM session
             JOIN task ON task.tenant_id = session.tenant_id AND task.id = session.task_id
            WHERE session.tenant_id = ?1
              AND session.id = ?2
              AND session.ended IS NOT NULL"#,
        tenant_id,
        id,
    )
    .fetch_optional(db)
    .await
    .doing("look how long the session lasted")?;
    Ok(row.map(|row| Lasted {
        tenant,
        session,
        agent: (AgentId::new(row.agent), row.agent_name),
        credential: CredentialId::new(row.credential),
        task_name: row.task_name,
        expected: Duration::from_secs(unsigned(row.expected_secs)),
        lasted: Duration::from_millis(unsigned(row.lasted)),
    }))
}
