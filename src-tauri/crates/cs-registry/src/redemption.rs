//! Redemptions: operation tokens that were spent. Spent is spent, whatever happens after.

use std::collections::BTreeSet;

use cs_model::event::{Actor, Event, EventKind, Outcome};
use cs_model::{AgentId, ApprovalId, OperationTokenId, SessionId, TenantId, Timestamp};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::error::Doing as _;
use crate::{RegistryError, Work, approval, series};

/// Whether a token was spent by this attempt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Spend {
    /// It had been spent before, it is past its time, its session is over, or its approval no
    /// longer stands.
    Refused,
    /// It was, by this attempt and no other.
    Spent,
}

/// Spends a token, with those of other operators where the call takes several: all of them or none.
/// Of any number of attempts at most one succeeds; the events are recorded only then.
#[derive(Clone, Debug)]
pub struct Redeem {
    /// The token.
    pub token: OperationTokenId,
    /// The tokens that are spent together with it.
    pub others: Vec<OperationTokenId>,
    /// Its tenant.
    pub tenant: TenantId,
    /// The session whose call it pays for.
    pub session: SessionId,
    /// The approval request that it answers; when it was handed over with the call, the one that
    /// it was signed for.
    pub approval: Option<ApprovalId>,
    /// When the first of them would have ended.
    pub expires: Timestamp,
    /// When it is redeemed.
    pub at: Timestamp,
    /// What tells of it.
    pub events: Vec<Event>,
}

impl Work for Redeem {
    type Done = Spend;

    async fn run(self, db: &mut SqliteConnection) -> Result<(Spend, Vec<Event>), RegistryError> {
        let taken = if self.at < self.expires { take(&mut *db, &self).await? } else { None };
        let Some(approval) = taken else { return Ok((Spend::Refused, Vec::new())) };
        let mut events = self.events;
        about(&mut events, approval);
        let (token, tenant, session) = (self.token.uuid(), self.tenant.uuid(), self.session.uuid());
        let approval = approval.uuid();
        let (expires, at) = (self.expires.millis(), self.at.millis());
        sqlx::query!(
            "INSERT INTO redemption (token_id, tenant_id, session_id, approval_id, expires,
                                     redeemed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            token,
            tenant,
            session,
            approval,
            expires,
            at,
        )
        .execute(&mut *db)
        .await
        .creating("the redemption", "spend the operation token")?;
        for other in &self.others {
            let other = other.uuid();
            sqlx::query!(
                "INSERT INTO redemption_with (token_id, leader) VALUES (?1, ?2)",
                other,
                token,
            )
            .execute(&mut *db)
            .await
            .creating("the redemption", "spend the operation tokens")?;
        }
        Ok((Spend::Spent, events))
    }
}

/// Says in each event which request was answered: whoever was handed a token does not know.
fn about(events: &mut [Event], approval: ApprovalId) {
    for event in events {
        event.approval.get_or_insert(approval);
    }
}

/// Moves the approval that the tokens answer on to executed, and says which it is. Nothing when
/// one of them was spent, the session is over, or the approval does not stand or was answered by
/// other signatures. A signature alone pays for nothing: whoever has an operator's key, and not the
/// registry with the request that was decided on, has no more than that.
async fn take(
    db: &mut SqliteConnection,
    redeem: &Redeem,
) -> Result<Option<ApprovalId>, RegistryError> {
    let (token, tenant, session) =
        (redeem.token.uuid(), redeem.tenant.uuid(), redeem.session.uuid());
    let at = redeem.at.millis();
    let known = sqlx::query!(
        r#"SELECT (SELECT approval_id FROM approval_signature
                    WHERE tenant_id = ?2 AND token_id = ?1)
                  AS "answers?: Uuid",
                  EXISTS (SELECT 1 FROM session
                           WHERE tenant_id = ?2 AND id = ?3 AND ended IS NULL AND ends > ?4)
                  AS "live!: bool""#,
        token,
        tenant,
        session,
        at,
    )
    .fetch_one(&mut *db)
    .await
    .doing("look up the operation token")?;
    let answers = known.answers.map(ApprovalId::new);
    let Some(id) = redeem.approval.or(answers).filter(|_| known.live) else { return Ok(None) };
    let approval = id.uuid();
    let tokens: BTreeSet<_> = redeem.others.iter().chain([&redeem.token]).copied().collect();
    if tokens.len() <= redeem.others.len() {
        return Ok(None);
    }
    for token in &tokens {
        if !is_unspent(&mut *db, redeem, id, *token).await? {
            return Ok(None);
        }
    }
    let done = sqlx::query!(
        "UPDATE approval
            SET state = 'executed', sealed_token = NULL
          WHERE id = ?1
            AND tenant_id = ?2
            AND session_id = ?3
            AND token_expires > ?4
            AND state = 'approved'",
        approval,
        tenant,
        session,
        at,
    )
    .execute(db)
    .await
    .doing("spend the operation token")?;
    Ok((done.rows_affected() == 1).then_some(id))
}

/// Whether a token was never spent, and is one of the signatures that stand over this request.
async fn is_unspent(
    db: &mut SqliteConnection,
    redeem: &Redeem,
    approval: ApprovalId,
    token: OperationTokenId,
) -> Result<bool, RegistryError> {
    let (tenant, approval, token) = (redeem.tenant.uuid(), approval.uuid(), token.uuid());
    let at = redeem.at.millis();
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1
                            FROM approval_signature
                           WHERE tenant_id = ?1
                             AND approval_id = ?2
                             AND token_id = ?3
                             AND sealed_token IS NOT NULL
                             AND expires > ?4)
              AND NOT EXISTS (SELECT 1 FROM redemption WHERE token_id = ?3)
              AND NOT EXISTS (SELECT 1 FROM redemption_with WHERE token_id = ?3)
                  AS "unspent!: bool""#,
        tenant,
        approval,
        token,
        at,
    )
    .fetch_one(db)
    .await
    .doing("look up the operation token")
}

const fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Answered => "answered",
        Outcome::Failed => "failed",
        Outcome::Unknown => "unknown",
    }
}

/// Records how the call that a token paid for ended. A second word changes nothing, and nothing
/// is recorded then. Answers with whether it was the first.
#[derive(Clone, Debug)]
pub struct Settle {
    /// The token.
    pub token: OperationTokenId,
    /// How the call ended.
    pub outcome: Outcome,
    /// When that was known.
    pub at: Timestamp,
    /// What tells of it.
    pub events: Vec<Event>,
}

impl Work for Settle {
    type Done = bool;

    async fn run(self, db: &mut SqliteConnection) -> Result<(bool, Vec<Event>), RegistryError> {
        if !settle(&mut *db, self.token, self.outcome, self.at).await? {
            return Ok((false, Vec::new()));
        }
        let token = self.token.uuid();
        let approval = sqlx::query_scalar!(
            r#"SELECT approval_id AS "approval?: Uuid" FROM redemption WHERE token_id = ?1"#,
            token,
        )
        .fetch_one(db)
        .await
        .doing("look up what the operation token answered")?;
        let mut events = self.events;
        approval.into_iter().for_each(|id| about(&mut events, ApprovalId::new(id)));
        Ok((true, events))
    }
}

async fn settle(
    db: &mut SqliteConnection,
    token: OperationTokenId,
    outcome: Outcome,
    at: Timestamp,
) -> Result<bool, RegistryError> {
    let (token, at, word) = (token.uuid(), at.millis(), outcome_word(outcome));
    let done = sqlx::query!(
        "UPDATE redemption SET outcome = ?1, settled = ?2 WHERE token_id = ?3 AND outcome IS NULL",
        word,
        at,
        token,
    )
    .execute(&mut *db)
    .await
    .doing("settle the call")?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query!(
        "UPDATE approval
            SET outcome = ?1,
                state = CASE ?1 WHEN 'unknown' THEN 'unknown' ELSE state END
          WHERE (tenant_id, id) = (SELECT tenant_id, approval_id
                                     FROM redemption WHERE token_id = ?2)
            AND state = 'executed'",
        word,
        token,
    )
    .execute(db)
    .await
    .doing("settle the approval request")?;
    Ok(true)
}

/// A call of which nobody knows whether it was made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unsettled {
    /// The token that paid for it.
    pub token: OperationTokenId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Its session.
    pub session: SessionId,
    /// The approval request that was answered.
    pub approval: Option<ApprovalId>,
}

/// For the start of the process: whatever was spent and never settled may have been called or
/// not. It becomes unknown, with an event each. Answers with which these were.
#[derive(Clone, Copy, Debug)]
pub struct Reconcile {
    /// The time now.
    pub now: Timestamp,
}

impl Work for Reconcile {
    type Done = Vec<Unsettled>;

    async fn run(
        self,
        db: &mut SqliteConnection,
    ) -> Result<(Self::Done, Vec<Event>), RegistryError> {
        let rows = sqlx::query!(
            r#"SELECT redemption.token_id AS "token: Uuid",
                      redemption.tenant_id AS "tenant: Uuid",
                      redemption.session_id AS "session: Uuid",
                      redemption.approval_id AS "approval: Uuid",
                      session.agent_id AS "agent?: Uuid"
                 FROM redemption
                 LEFT JOIN session ON session.tenant_id = redemption.tenant_id
                                  AND session.id = redemption.session_id
                WHERE redemption.outcome IS NULL
                ORDER BY redemption.redeemed, redemption.rowid"#,
        )
        .fetch_all(&mut *db)
        .await
        .doing("list the calls without an outcome")?;
        let mut done = Vec::with_capacity(rows.len());
        let mut events = Vec::with_capacity(rows.len());
        for row in rows {
            let unsettled = Unsettled {
                token: OperationTokenId::new(row.token),
                tenant: TenantId::new(row.tenant),
                session: SessionId::new(row.session),
                approval: row.approval.map(ApprovalId::new),
            };
            let agent = row.agent.map(AgentId::new);
            events.push(lost(&mut *db, &unsettled, agent, self.now).await?);
            settle(&mut *db, unsettled.token, Outcome::Unknown, self.now).await?;
            done.push(unsettled);
        }
        Ok((done, events))
    }
}

/// What is to be said of a call of which nobody knows whether it was made.
async fn lost(
    db: &mut SqliteConnection,
    unsettled: &Unsettled,
    agent: Option<AgentId>,
    now: Timestamp,
) -> Result<Event, RegistryError> {
    let known = match unsettled.approval {
        Some(id) => match approval::find(&mut *db, unsettled.tenant, id).await {
            Ok(found) => Some(found),
            Err(RegistryError::NotFound { .. }) => None,
            Err(error) => return Err(error),
        },
        None => None,
    };
    let event = match known {
        Some(found) => approval::event_about(EventKind::ExecutionFinished, &found, now),
        None => in_series(db, unsettled, agent, now).await?,
    };
    Ok(Event {
        token: Some(unsettled.token),
        outcome: Some(Outcome::Unknown),
        detail: Some("Countersign stopped before the outcome was known.".to_owned()),
        ..event
    })
}

/// What is known of a call that answered no request: it was one of a series, or handed over.
async fn in_series(
    db: &mut SqliteConnection,
    unsettled: &Unsettled,
    agent: Option<AgentId>,
    now: Timestamp,
) -> Result<Event, RegistryError> {
    let kind = EventKind::ExecutionFinished;
    let found = series::of_use(db, unsettled.tenant, unsettled.token).await?;
    Ok(match found {
        Some(found) => {
            Event { reason: None, ..series::event_about(kind, &found, "in_series", now) }
        }
        None => Event {
            actor: Some(Actor::System),
            tenant: Some(unsettled.tenant),
            agent,
            session: Some(unsettled.session),
            approval: unsettled.approval,
            ..Event::new(kind, now)
        },
    })
}

#[cfg(test)]
mod tests;
