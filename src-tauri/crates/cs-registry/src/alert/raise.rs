//! What was found, and how far was looked: written together, so that nothing is found twice and
//! nothing is missed, whenever the process dies.

use cs_audit::alert::{Firing, Over};
use cs_model::alert::AlertSettings;
use cs_model::event::Event;
use cs_model::{AgentId, AlertId, CorrelationId, CredentialId, SessionId, TenantId, Timestamp};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{Contain, raised};
use crate::error::Doing as _;
use crate::row::{signed, to_json};
use crate::{RegistryError, Work};

/// How many of an alert's events are named.
const NAMED: usize = 50;

/// What was found, with what it takes to keep it.
#[derive(Clone, Debug)]
pub struct New {
    /// The id that it gets, unless it is an alert already.
    pub id: AlertId,
    /// What was found.
    pub found: Firing,
    /// How its rule is set.
    pub settings: AlertSettings,
}

/// Keeps what was found in the log between two events.
#[derive(Clone, Debug)]
pub struct Raise {
    /// Up to which event the log had been looked at.
    pub from: u64,
    /// Up to which it has been now.
    pub to: u64,
    /// What was found.
    pub found: Vec<New>,
    /// What is over.
    pub over: Vec<Over>,
    /// The time now.
    pub now: Timestamp,
}

/// What became of what was found.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Raised {
    /// How many alerts are new.
    pub new: u64,
    /// How many were raised before and happened again.
    pub again: u64,
    /// Whether something is to be cut off.
    pub contain: bool,
}

impl Work for Raise {
    type Done = Raised;

    async fn run(self, db: &mut SqliteConnection) -> Result<(Raised, Vec<Event>), RegistryError> {
        let (from, to) = (signed(self.from), signed(self.to));
        let moved = sqlx::query!("UPDATE alert_cursor SET seq = ?1 WHERE seq = ?2", to, from)
            .execute(&mut *db)
            .await
            .doing("keep how far alerts have looked")?;
        if moved.rows_affected() == 0 {
            // Somebody else has looked since: what they found is kept already.
            return Err(RegistryError::State { what: "how far alerts have looked" });
        }
        let (mut done, mut events) = (Raised::default(), Vec::new());
        for new in &self.found {
            if !is_first(&mut *db, new).await? {
                continue;
            }
            if again(&mut *db, new).await? {
                done.again = done.again.saturating_add(1);
                continue;
            }
            insert(&mut *db, new).await?;
            done.new = done.new.saturating_add(1);
            done.contain |= contain(new) == Contain::Due;
            events.push(raised(new, self.now));
        }
        for over in &self.over {
            mark_over(&mut *db, over).await?;
        }
        Ok((done, events))
    }
}

fn contain(new: &New) -> Contain {
    let wanted = new.settings.contain && new.found.rule.can_contain();
    if wanted && new.found.session.is_some() { Contain::Due } else { Contain::No }
}

/// Whether it is found for the first time, where it can be found only once.
async fn is_first(db: &mut SqliteConnection, new: &New) -> Result<bool, RegistryError> {
    let found = &new.found;
    let (Some(once), Some(tenant)) = (&found.once, found.tenant) else { return Ok(true) };
    let (tenant, rule) = (tenant.uuid(), found.rule.as_str());
    let done = sqlx::query!(
        "INSERT INTO alert_once (tenant_id, rule, what)
         VALUES (?1, ?2, ?3)
         ON CONFLICT (tenant_id, rule, what) DO NOTHING",
        tenant,
        rule,
        once,
    )
    .execute(db)
    .await
    .creating("this finding", "keep what was found")?;
    Ok(done.rows_affected() > 0)
}

/// Counts it on the open alert about the same, if there is one that is recent enough.
async fn again(db: &mut SqliteConnection, new: &New) -> Result<bool, RegistryError> {
    let (found, settings) = (&new.found, &new.settings);
    let (tenant, rule, at) =
        (found.tenant.map(TenantId::uuid), found.rule.as_str(), found.at.millis());
    let reach = std::time::Duration::from_secs(u64::from(settings.repeat_secs));
    let since = found.at.before(reach).millis();
    let open = sqlx::query!(
        r#"SELECT id AS "id: Uuid", events
             FROM alert
            WHERE tenant_id IS ?1
              AND rule = ?2
              AND subject = ?3
              AND acknowledged_at IS NULL
              AND last >= ?4
            ORDER BY last DESC
            LIMIT 1"#,
        tenant,
        rule,
        found.subject,
        since,
    )
    .fetch_optional(&mut *db)
    .await
    .doing("look for an open alert")?;
    let Some(open) = open else { return Ok(false) };
    let mut events: Vec<u64> = crate::row::json(&open.events, "the events of an alert")?;
    events.extend(found.events.last().filter(|_| events.len() < NAMED));
    let events = to_json(&events, "the events of an alert")?;
    sqlx::query!(
        "UPDATE alert
            SET count = count + 1, last = max(last, ?1), over = NULL, events = ?2
          WHERE id = ?3
            AND tenant_id IS ?4",
        at,
        events,
        open.id,
        tenant,
    )
    .execute(db)
    .await
    .doing("count an alert again")?;
    Ok(true)
}

async fn insert(db: &mut SqliteConnection, new: &New) -> Result<(), RegistryError> {
    let found = &new.found;
    let (id, tenant) = (new.id.uuid(), found.tenant.map(TenantId::uuid));
    let (rule, contain) = (found.rule.as_str(), contain(new).as_str());
    let agent = found.agent.as_ref();
    let (agent, agent_name) = (agent.map(|it| AgentId::uuid(it.0)), agent.map(|it| &it.1));
    let session = found.session.map(SessionId::uuid);
    let credential = found.credential.map(CredentialId::uuid);
    let correlation = found.correlation.map(CorrelationId::uuid);
    let first: Vec<&u64> = found.events.iter().take(NAMED).collect();
    let events = to_json(&first, "the events of an alert")?;
    let (count, at) = (signed(found.count), found.at.millis());
    sqlx::query!(
        "INSERT INTO alert (id, tenant_id, rule, subject, sentence, agent_id, agent_name,
                            session_id, credential_id, correlation_id, events, count, first, last,
                            contain)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?13, ?14)",
        id,
        tenant,
        rule,
        found.subject,
        found.sentence,
        agent,
        agent_name,
        session,
        credential,
        correlation,
        events,
        count,
        at,
        contain,
    )
    .execute(db)
    .await
    .creating("this alert", "raise an alert")?;
    Ok(())
}

async fn mark_over(db: &mut SqliteConnection, over: &Over) -> Result<(), RegistryError> {
    let (tenant, rule) = (over.tenant.map(TenantId::uuid), over.rule.as_str());
    let at = over.at.millis();
    sqlx::query!(
        "UPDATE alert
            SET over = ?1
          WHERE tenant_id IS ?2
            AND rule = ?3
            AND subject = ?4
            AND acknowledged_at IS NULL
            AND over IS NULL",
        at,
        tenant,
        rule,
        over.subject,
    )
    .execute(db)
    .await
    .doing("mark an alert as over")?;
    Ok(())
}
