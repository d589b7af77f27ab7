//! Spending one call of a series.

use cs_model::event::{Event, EventKind};
use cs_model::{ApprovalId, Digest, OperationTokenId, SeriesId, SessionId, TenantId, Timestamp};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{Ended, end, event_about, find};
use crate::error::Doing as _;
use crate::{RegistryError, Work, approval};

/// Whether a series paid for a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Spend {
    /// It has ended, all of its calls were made, its session is over, or somebody approved the very
    /// call, which that pays for. Nothing was spent.
    Refused,
    /// It did, with its call of this number.
    Spent(u8),
}

/// Spends one call of a series. Of any number of attempts as many succeed as it has calls; the
/// events are recorded only then. A request that waits for the same call is taken back with it.
#[derive(Clone, Debug)]
pub struct Use {
    /// The series.
    pub series: SeriesId,
    /// What the redemption is known by.
    pub token: OperationTokenId,
    /// The tenant.
    pub tenant: TenantId,
    /// The session whose call it pays for.
    pub session: SessionId,
    /// What makes two calls the same, digested.
    pub operation: Digest,
    /// How many calls were signed.
    pub calls: u8,
    /// When what was signed ends.
    pub expires: Timestamp,
    /// When it is spent.
    pub at: Timestamp,
    /// What tells of it.
    pub events: Vec<Event>,
}

impl Work for Use {
    type Done = Spend;

    async fn run(self, db: &mut SqliteConnection) -> Result<(Spend, Vec<Event>), RegistryError> {
        let Some(number) = next(&mut *db, &self).await? else {
            return Ok((Spend::Refused, Vec::new()));
        };
        let waiting = match standing(&mut *db, &self).await? {
            Some((_, true)) => return Ok((Spend::Refused, Vec::new())),
            Some((id, false)) => Some(id),
            None => None,
        };
        let (token, tenant, session) = (self.token.uuid(), self.tenant.uuid(), self.session.uuid());
        let (series, at, expires) = (self.series.uuid(), self.at.millis(), self.expires.millis());
        sqlx::query!(
            "INSERT INTO redemption (token_id, tenant_id, session_id, approval_id, expires,
                                     redeemed)
             VALUES (?1, ?2, ?3, NULL, ?4, ?5)",
            token,
            tenant,
            session,
            expires,
            at,
        )
        .execute(&mut *db)
        .await
        .creating("the redemption", "spend a call of the series")?;
        sqlx::query!(
            "INSERT INTO series_use (tenant_id, series_id, number, token_id, at)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            tenant,
            series,
            number,
            token,
            at,
        )
        .execute(&mut *db)
        .await
        .creating("this use of the series", "spend a call of the series")?;
        let mut events = self.events;
        for event in events.iter_mut().filter(|event| event.kind == EventKind::TokenRedeemed) {
            event.detail = Some(format!("Call {number} of {} of a series.", self.calls));
        }
        if let Some(id) = waiting {
            let withdraw = approval::Withdraw { tenant: self.tenant, id, events: Vec::new() };
            let found = approval::find(&mut *db, self.tenant, id).await?;
            withdraw.run(&mut *db).await?;
            let told = approval::event_about(EventKind::ApprovalWithdrawn, &found, self.at);
            events.push(Event {
                series: Some(self.series),
                reason: Some("paid_by_series".to_owned()),
                ..told
            });
        }
        if number >= self.calls {
            let found = find(&mut *db, self.tenant, self.series).await?;
            let ended = Ended { at: self.at, why: "used_up".to_owned(), by: None };
            end(&mut *db, self.tenant, self.series, &ended).await?;
            events.push(event_about(EventKind::SeriesEnded, &found, "used_up", self.at));
        }
        Ok((Spend::Spent(number), events))
    }
}

/// The number of the next call that the series pays for, if there is one: of those that were signed,
/// whatever its row says, and no more than its row says either.
async fn next(db: &mut SqliteConnection, what: &Use) -> Result<Option<u8>, RegistryError> {
    let (tenant, series, session) = (what.tenant.uuid(), what.series.uuid(), what.session.uuid());
    let at = what.at.millis();
    if what.at >= what.expires {
        return Ok(None);
    }
    let found = sqlx::query!(
        r#"SELECT series.calls,
                  (SELECT count(*)
                     FROM series_use
                    WHERE series_use.tenant_id = series.tenant_id
                      AND series_use.series_id = series.id) AS "used!: i64"
             FROM series
             JOIN session ON session.tenant_id = series.tenant_id
                         AND session.id = series.session_id
                         AND session.ended IS NULL
                         AND session.ends > ?4
            WHERE series.tenant_id = ?1
              AND series.id = ?2
              AND series.session_id = ?3
              AND series.ended IS NULL
              AND series.expires > ?4"#,
        tenant,
        series,
        session,
        at,
    )
    .fetch_optional(db)
    .await
    .doing("look up the series")?;
    let Some(found) = found else { return Ok(None) };
    let most = found.calls.min(i64::from(what.calls));
    let number = found.used.saturating_add(1);
    Ok(u8::try_from(number).ok().filter(|_| number <= most))
}

/// The request for the very call that can still lead to it, and whether it is approved.
async fn standing(
    db: &mut SqliteConnection,
    what: &Use,
) -> Result<Option<(ApprovalId, bool)>, RegistryError> {
    let (tenant, operation) = (what.tenant.uuid(), what.operation.as_bytes().as_slice());
    let found = sqlx::query!(
        r#"SELECT id AS "id: Uuid", state = 'approved' AS "approved!: bool"
             FROM approval
            WHERE tenant_id = ?1
              AND operation = ?2
              AND state IN ('approved', 'pending')"#,
        tenant,
        operation,
    )
    .fetch_optional(db)
    .await
    .doing("look up the approval request")?;
    Ok(found.map(|row| (ApprovalId::new(row.id), row.approved)))
}
