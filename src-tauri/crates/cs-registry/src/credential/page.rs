//! A tenant's credentials in pages: where in its life each is, and what comes next.

use std::collections::{BTreeMap, BTreeSet};

use cs_model::state::{CredentialKind, CredentialOrder, CredentialStage};
use cs_model::{AgentId, CredentialId, Lifecycle, TaskId, TenantId, Timestamp};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::{Credential, Row};
use crate::RegistryError;
use crate::error::Doing as _;
use crate::row::{time, to_json, unsigned, word};

/// Which credentials. What is absent does not narrow.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Filter {
    /// This one alone.
    pub credential: Option<CredentialId>,
    /// Those of this agent.
    pub agent: Option<AgentId>,
    /// Those of this kind.
    pub kind: Option<CredentialKind>,
    /// Those in this stage.
    pub stage: Option<CredentialStage>,
    /// Those with these words in what they are recognised by, or in the name of their agent, in
    /// whatever case.
    pub text: Option<String>,
}

/// Which part of the list, and in which order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Page {
    /// What it is sorted by.
    pub order: CredentialOrder,
    /// Whether the last comes first.
    pub is_reversed: bool,
    /// How many are left out in front of it.
    pub offset: u32,
    /// How many there are in it at most.
    pub limit: u32,
}

/// A credential in a list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Found {
    /// The credential.
    pub credential: Credential,
    /// Where in its life it is.
    pub stage: CredentialStage,
    /// The one that takes its place.
    pub successor: Option<CredentialId>,
    /// When the one ends that it takes the place of, unless that was revoked.
    pub old_ends: Option<Timestamp>,
    /// How many sessions that it opened are not over.
    pub sessions: u64,
}

/// Its id, its stage, its successor, the end of the one before it, and its live sessions.
type Staged = (Uuid, String, Option<Uuid>, Option<i64>, i64);

/// A part of the list of a tenant's credentials.
///
/// # Errors
///
/// When the database fails.
pub async fn page(
    db: &mut SqliteConnection,
    tenant: TenantId,
    filter: &Filter,
    page: Page,
    (terms, now): (Lifecycle, Timestamp),
) -> Result<Vec<Found>, RegistryError> {
    let mut query = QueryBuilder::new("");
    staged(&mut query, tenant, filter, (terms, now));
    query.push(
        "SELECT id, stage, successor, old_ends,
                (SELECT count(*) FROM session
                  WHERE session.tenant_id = staged.tenant_id
                    AND session.agent_id = staged.agent_id
                    AND session.credential_id = staged.id
                    AND session.ended IS NULL
                    AND session.ends > ",
    );
    query.push_bind(now.millis()).push(") FROM staged");
    of_stage(&mut query, filter);
    query.push(" ORDER BY ").push(order(page.order, page.is_reversed)).push(" LIMIT ");
    query.push_bind(i64::from(page.limit)).push(" OFFSET ").push_bind(i64::from(page.offset));
    let rows: Vec<Staged> =
        query.build_query_as().fetch_all(&mut *db).await.doing("read a page of the credentials")?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.0).collect();
    let mut all = by_id(db, tenant, &ids).await?;
    let found = rows.into_iter().filter_map(|(id, stage, successor, old_ends, sessions)| {
        all.remove(&id).map(|credential| {
            Ok(Found {
                credential,
                stage: word(&stage, "the stage of a credential")?,
                successor: successor.map(CredentialId::new),
                old_ends: old_ends.map(time),
                sessions: unsigned(sessions),
            })
        })
    });
    found.collect()
}

/// How many credentials of a tenant are in each stage. The stage that is asked for does not narrow
/// here.
///
/// # Errors
///
/// When the database fails.
pub async fn stages(
    db: &mut SqliteConnection,
    tenant: TenantId,
    filter: &Filter,
    terms: (Lifecycle, Timestamp),
) -> Result<BTreeMap<CredentialStage, u64>, RegistryError> {
    let mut query = QueryBuilder::new("");
    staged(&mut query, tenant, filter, terms);
    query.push("SELECT stage, count(*) FROM staged GROUP BY stage");
    let rows: Vec<(String, i64)> =
        query.build_query_as().fetch_all(db).await.doing("count the credentials in each stage")?;
    rows.into_iter()
        .map(|(stage, count)| Ok((word(&stage, "the stage of a credential")?, unsigned(count))))
        .collect()
}

/// The credentials that are meant, each with its stage and with when something happens to it. Only
/// fixed texts are pushed; everything that was asked for is bound.
fn staged(
    query: &mut QueryBuilder<Sqlite>,
    tenant: TenantId,
    filter: &Filter,
    (terms, now): (Lifecycle, Timestamp),
) {
    let millis = |secs: u32| i64::from(secs).saturating_mul(1000);
    let (now, tenant) = (now.millis(), tenant.uuid());
    let rotate = i64::from(terms.rotate_secs.unwrap_or(Lifecycle::MOST_ROTATE));
    query.push(
        "WITH it AS (
           SELECT c.rowid AS nr, c.id, c.tenant_id, c.agent_id, agent.name AS agent_name, c.kind,
                  c.created, c.expires, c.suspended_at, c.revoked_at, c.last_used, c.overlap_ends,
                  min(c.expires, coalesce(c.overlap_ends, c.expires)) AS ends,
                  (c.replaces IS NOT NULL AND c.delivered IS NULL AND c.first_used IS NULL)
                    AS waits,
                  coalesce(c.last_used, c.delivered, c.created) AS heard, next.id AS successor,
                  min(old.expires, coalesce(old.overlap_ends, old.expires)) AS old_ends
             FROM credential AS c
             JOIN agent ON agent.tenant_id = c.tenant_id AND agent.id = c.agent_id
             LEFT JOIN credential AS next ON next.tenant_id = c.tenant_id
                                         AND next.replaces = c.id
                                         AND next.revoked_at IS NULL
             LEFT JOIN credential AS old ON old.tenant_id = c.tenant_id
                                        AND old.id = c.replaces
                                        AND old.revoked_at IS NULL
            WHERE c.tenant_id = ",
    );
    query.push_bind(tenant);
    if let Some(credential) = filter.credential {
        query.push(" AND c.id = ").push_bind(credential.uuid());
    }
    if let Some(agent) = filter.agent {
        query.push(" AND c.agent_id = ").push_bind(agent.uuid());
    }
    if let Some(kind) = filter.kind {
        query.push(" AND c.kind = ").push_bind(kind.as_str());
    }
    if let Some(text) = &filter.text {
        let text = text.to_lowercase();
        query.push(" AND (instr(lower(c.key_id), ").push_bind(text.clone());
        query.push(") > 0 OR instr(lower(agent.name), ").push_bind(text).push(") > 0)");
    }
    query.push(
        "), staged AS (
           SELECT *,
                  CASE WHEN kind = 'api_key' AND successor IS NULL AND overlap_ends IS NULL
                            AND suspended_at IS NULL AND NOT waits
                       THEN created + 1000 * min((expires - created) / 1000 * 2 / 3, ",
    );
    query.push_bind(rotate).push(") END AS rotates, CASE WHEN waits THEN old_ends ELSE heard + ");
    query.push_bind(millis(terms.revoke_unused())).push(
        " END AS ends_unused,
                  CASE WHEN revoked_at IS NOT NULL THEN 'revoked'
                       WHEN suspended_at IS NOT NULL THEN 'suspended'
                       WHEN ends <= ",
    );
    query.push_bind(now).push(
        " THEN 'expired'
                       WHEN waits THEN 'waiting'
                       WHEN overlap_ends IS NOT NULL THEN 'overlapping'
                       WHEN heard + ",
    );
    query.push_bind(millis(terms.alert_unused())).push(" <= ").push_bind(now).push(
        " THEN 'unused'
                       WHEN ends - ",
    );
    // The last quarter of its life, or, of a long one, its last three days.
    query.push_bind(now).push(
        " < min((expires - created) / 4, 259200000) THEN 'expiring'
                       ELSE 'active' END AS stage
             FROM it
         ) ",
    );
}

fn of_stage(query: &mut QueryBuilder<Sqlite>, filter: &Filter) {
    if let Some(stage) = filter.stage {
        query.push(" WHERE stage = ").push_bind(stage.as_str());
    }
}

/// What nothing happens to, and what was never used, comes last whichever way it is sorted.
const fn order(order: CredentialOrder, is_reversed: bool) -> &'static str {
    match (order, is_reversed) {
        (CredentialOrder::Agent, false) => "agent_name, created DESC, nr DESC",
        (CredentialOrder::Agent, true) => "agent_name DESC, created DESC, nr DESC",
        (CredentialOrder::Created, false) => "created, nr",
        (CredentialOrder::Created, true) => "created DESC, nr DESC",
        (CredentialOrder::Ends, false) => "ends, nr",
        (CredentialOrder::Ends, true) => "ends DESC, nr DESC",
        (CredentialOrder::Next, false) => {
            "CASE WHEN stage IN ('expired', 'revoked') THEN 1 ELSE 0 END,
             min(ends, coalesce(rotates, ends), coalesce(ends_unused, ends)), nr"
        }
        (CredentialOrder::Next, true) => {
            "CASE WHEN stage IN ('expired', 'revoked') THEN 1 ELSE 0 END,
             min(ends, coalesce(rotates, ends), coalesce(ends_unused, ends)) DESC, nr DESC"
        }
        (CredentialOrder::Used, false) => "last_used IS NULL, last_used, nr",
        (CredentialOrder::Used, true) => "last_used IS NULL, last_used DESC, nr DESC",
    }
}

/// Some of a tenant's credentials.
async fn by_id(
    db: &mut SqliteConnection,
    tenant: TenantId,
    ids: &[Uuid],
) -> Result<BTreeMap<Uuid, Credential>, RegistryError> {
    let ids: Vec<String> = ids.iter().map(|id| id.simple().to_string()).collect();
    let ids = to_json(&ids, "a list of credentials")?;
    let tenant = tenant.uuid();
    let mut tasks: BTreeMap<Uuid, BTreeSet<TaskId>> = BTreeMap::new();
    for row in sqlx::query!(
        r#"SELECT credential_id AS "credential: Uuid", task_id AS "task: Uuid"
             FROM credential_task
            WHERE tenant_id = ?1
              AND credential_id IN (SELECT unhex(value) FROM json_each(?2))"#,
        tenant,
        ids,
    )
    .fetch_all(&mut *db)
    .await
    .doing("list the tasks of some credentials")?
    {
        tasks.entry(row.credential).or_default().insert(TaskId::new(row.task));
    }
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", tenant_id AS "tenant_id: Uuid", agent_id AS "agent_id: Uuid",
                  proof, key_id, networks, task_bound AS "task_bound: bool", created, expires, suspended_at,
                  revoked_at, last_used, last_from, first_used,
                  replaces AS "replaces: Uuid", delivered, overlap_ends
             FROM credential
            WHERE tenant_id = ?1
              AND id IN (SELECT unhex(value) FROM json_each(?2))"#,
        tenant,
        ids,
    )
    .fetch_all(db)
    .await
    .doing("look some credentials up")?
    .into_iter()
    .map(|row| Ok((row.id, row.read(&mut tasks)?)))
    .collect()
}
