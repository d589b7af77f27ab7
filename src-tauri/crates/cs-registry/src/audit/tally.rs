//! What events add up to: the counts and marks that are kept beside the log, in the transaction of
//! the events, so that a count is never without its event. Each is written once for all events
//! that are written together.

use std::collections::{BTreeMap, BTreeSet};

use cs_audit::Entry;
use cs_audit::alert::is_anomaly;
use cs_model::event::{Decision, Event, EventKind};
use cs_model::{AgentId, CredentialId, SessionId, TenantId, ToolId};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::HOUR_MS;
use crate::RegistryError;
use crate::error::Doing as _;
use crate::row::signed;

/// How many events a block has. The migration that made the marks and the query that follows them
/// say the same number.
pub(super) const BLOCK: u64 = 256;

/// How agents and clients of the issuer prove who they are.
const METHODS: &[&str] = &["api_key", "certificate", "client", "token"];

/// Decisions of an hour.
#[derive(Default)]
struct Decisions {
    allow: i64,
    hold: i64,
    deny: i64,
}

/// Proofs of identity that went the same way in an hour.
#[derive(Default)]
struct Proofs<'e> {
    count: i64,
    last: i64,
    claimed: Option<&'e str>,
    client: Option<&'e str>,
}

/// What some events add up to.
#[derive(Default)]
pub(super) struct Tally<'e> {
    marks: BTreeSet<(Uuid, u64)>,
    /// By tenant and hour.
    decisions: BTreeMap<(Uuid, i64), Decisions>,
    /// Calls and anomalies, by tenant and session.
    sessions: BTreeMap<(Uuid, Uuid), (i64, i64)>,
    /// When they were used, by tenant and tool.
    tools: BTreeMap<(Uuid, Uuid), i64>,
    /// When and from where they were used, by tenant and credential.
    credentials: BTreeMap<(Uuid, Uuid), (i64, Option<&'e str>)>,
    /// By tenant (empty where it is not known), hour, method and reason.
    proofs: BTreeMap<(Vec<u8>, i64, &'e str, &'e str), Proofs<'e>>,
}

impl<'e> Tally<'e> {
    pub(super) fn of(events: impl IntoIterator<Item = (&'e Entry, &'e Event)>) -> Self {
        let mut tally = Self::default();
        for (entry, event) in events {
            tally.take(entry, event);
        }
        tally
    }

    fn take(&mut self, entry: &Entry, event: &'e Event) {
        let tenant = event.tenant.map(TenantId::uuid);
        let whose = [
            tenant,
            event.agent.map(AgentId::uuid),
            event.session.map(SessionId::uuid),
            event.tool.map(ToolId::uuid),
        ];
        let block = entry.seq / BLOCK;
        self.marks.extend(whose.into_iter().flatten().map(|whose| (whose, block)));
        let proven = proven_by(event);
        if proven.is_some() || event.kind == EventKind::AuthnFailed {
            self.proof(event, proven);
        }
        let Some(tenant) = tenant else { return };
        let at = event.at.millis();
        if let (EventKind::Decision, Some(decision)) = (event.kind, event.decision) {
            let hour = self.decisions.entry((tenant, at / HOUR_MS)).or_default();
            let count = match decision {
                Decision::Allow => &mut hour.allow,
                Decision::Deny => &mut hour.deny,
                Decision::Hold => &mut hour.hold,
            };
            *count = count.saturating_add(1);
            if let Some(session) = event.session {
                let (calls, anomalies) = self.sessions.entry((tenant, session.uuid())).or_default();
                *calls = calls.saturating_add(1);
                *anomalies = anomalies.saturating_add(i64::from(is_anomaly(event)));
            }
        }
        // What is simply allowed leaves no event of its beginning.
        let is_sent =
            matches!(event.kind, EventKind::ExecutionFinished | EventKind::ExecutionStarted);
        if let (true, Some(tool)) = (is_sent, event.tool) {
            self.tools.insert((tenant, tool.uuid()), at);
        }
        if let (Some(_), Some(credential)) = (proven, event.credential) {
            let used = (at, event.client.as_deref());
            self.credentials.insert((tenant, CredentialId::uuid(credential)), used);
        }
    }

    fn proof(&mut self, event: &'e Event, proven: Option<&'e str>) {
        let tenant = event.tenant.map(|tenant| tenant.uuid().as_bytes().to_vec());
        let method = proven.or(event.detail.as_deref());
        let method = method.filter(|it| METHODS.contains(it)).unwrap_or("none");
        let reason = match proven {
            Some(_) => "",
            None => event.reason.as_deref().unwrap_or("unknown"),
        };
        let at = event.at.millis();
        let key = (tenant.unwrap_or_default(), at / HOUR_MS, method, reason);
        let proofs = self.proofs.entry(key).or_default();
        proofs.count = proofs.count.saturating_add(1);
        proofs.last = proofs.last.max(at);
        proofs.claimed = event.claimed.as_deref().or(proofs.claimed);
        proofs.client = event.client.as_deref().or(proofs.client);
    }

    /// Adds it to what is kept.
    pub(super) async fn write(self, db: &mut SqliteConnection) -> Result<(), RegistryError> {
        mark(&mut *db, self.marks).await?;
        for ((tenant, hour), decisions) in self.decisions {
            decided(&mut *db, tenant, hour, &decisions).await?;
        }
        for ((tenant, session), (calls, anomalies)) in self.sessions {
            called(&mut *db, tenant, session, calls, anomalies).await?;
        }
        for ((tenant, tool), at) in self.tools {
            tool_used(&mut *db, tenant, tool, at).await?;
        }
        for ((tenant, credential), (at, from)) in self.credentials {
            credential_used(&mut *db, tenant, credential, at, from).await?;
        }
        for ((tenant, hour, method, reason), proofs) in self.proofs {
            proven(&mut *db, (&tenant, hour, method, reason), &proofs).await?;
        }
        Ok(())
    }
}

/// What an event says that its caller proved itself by. An acceptance says it in `detail` where it
/// was put on record by an earlier version.
fn proven_by(event: &Event) -> Option<&str> {
    let accepted = event.kind == EventKind::AuthnSucceeded;
    let earlier = accepted.then(|| event.detail.as_deref().unwrap_or("none"));
    event.proof.as_deref().or(earlier)
}

async fn mark(
    db: &mut SqliteConnection,
    marks: BTreeSet<(Uuid, u64)>,
) -> Result<(), RegistryError> {
    if marks.is_empty() {
        return Ok(());
    }
    let mut query = QueryBuilder::<Sqlite>::new("INSERT OR IGNORE INTO audit_mark (whose, block) ");
    // Few: an event has four at most.
    query.push_values(marks, |mut row, (whose, block)| {
        row.push_bind(whose).push_bind(signed(block));
    });
    query.build().persistent(false).execute(db).await.doing("mark whose events these are")?;
    Ok(())
}

async fn decided(
    db: &mut SqliteConnection,
    tenant: Uuid,
    hour: i64,
    Decisions { allow, hold, deny }: &Decisions,
) -> Result<(), RegistryError> {
    sqlx::query!(
        "INSERT INTO decision_hour (tenant_id, hour, allow, hold, deny)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (tenant_id, hour) DO UPDATE
             SET allow = allow + excluded.allow,
                 hold = hold + excluded.hold,
                 deny = deny + excluded.deny",
        tenant,
        hour,
        allow,
        hold,
        deny,
    )
    .execute(db)
    .await
    .doing("count the decisions")?;
    Ok(())
}

async fn called(
    db: &mut SqliteConnection,
    tenant: Uuid,
    session: Uuid,
    calls: i64,
    anomalies: i64,
) -> Result<(), RegistryError> {
    sqlx::query!(
        "UPDATE session
            SET calls = calls + ?3,
                anomalies = anomalies + ?4
          WHERE id = ?2
            AND tenant_id = ?1",
        tenant,
        session,
        calls,
        anomalies,
    )
    .execute(db)
    .await
    .doing("count the calls of a session")?;
    Ok(())
}

async fn tool_used(
    db: &mut SqliteConnection,
    tenant: Uuid,
    tool: Uuid,
    at: i64,
) -> Result<(), RegistryError> {
    sqlx::query!(
        "UPDATE tool SET last_used = ?3 WHERE id = ?2 AND tenant_id = ?1",
        tenant,
        tool,
        at,
    )
    .execute(db)
    .await
    .doing("note that a tool was used")?;
    Ok(())
}

async fn credential_used(
    db: &mut SqliteConnection,
    tenant: Uuid,
    credential: Uuid,
    at: i64,
    from: Option<&str>,
) -> Result<(), RegistryError> {
    sqlx::query!(
        "UPDATE credential
            SET last_used = ?3,
                last_from = ?4,
                first_used = coalesce(first_used, ?3)
          WHERE id = ?2
            AND tenant_id = ?1",
        tenant,
        credential,
        at,
        from,
    )
    .execute(db)
    .await
    .doing("note that a credential was used")?;
    Ok(())
}

async fn proven(
    db: &mut SqliteConnection,
    (tenant, hour, method, reason): (&[u8], i64, &str, &str),
    Proofs { count, last, claimed, client }: &Proofs<'_>,
) -> Result<(), RegistryError> {
    sqlx::query!(
        "INSERT INTO authn_hour (tenant_id, hour, method, reason, count, last, claimed, client)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (tenant_id, hour, method, reason) DO UPDATE
             SET count = count + excluded.count,
                 last = max(last, excluded.last),
                 claimed = coalesce(excluded.claimed, claimed),
                 client = coalesce(excluded.client, client)",
        tenant,
        hour,
        method,
        reason,
        count,
        last,
        claimed,
        client,
    )
    .execute(db)
    .await
    .doing("count the proofs of identity")?;
    Ok(())
}
