//! The end of series whose time is up.

use cs_model::event::{Event, EventKind};
use cs_model::{SeriesId, TenantId, Timestamp};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{Ended, end, event_about, find};
use crate::error::Doing as _;
use crate::row::SLACK;
use crate::{RegistryError, Work};

/// Ends the series whose time is up, and those that were signed later than it is, each with its
/// event: where the clock was set back, nobody knows how much of their time is left. Answers with
/// how many these were.
#[derive(Clone, Copy, Debug)]
pub struct Expire {
    /// The time now.
    pub now: Timestamp,
}

impl Work for Expire {
    type Done = usize;

    async fn run(self, db: &mut SqliteConnection) -> Result<(usize, Vec<Event>), RegistryError> {
        let (now, soon) = (self.now.millis(), self.now.after(SLACK).millis());
        let rows = sqlx::query!(
            r#"SELECT tenant_id AS "tenant: Uuid", id AS "id: Uuid"
                 FROM series
                WHERE ended IS NULL
                  AND (expires <= ?1 OR signed > ?2)
                ORDER BY expires, rowid"#,
            now,
            soon,
        )
        .fetch_all(&mut *db)
        .await
        .doing("list the series whose time is up")?;
        let mut events = Vec::with_capacity(rows.len());
        for row in rows {
            let (tenant, id) = (TenantId::new(row.tenant), SeriesId::new(row.id));
            let found = find(&mut *db, tenant, id).await?;
            let (at, why) = match found.new.expires {
                expires if expires <= self.now => (expires, "expired"),
                _ => (found.new.signed, "clock_set_back"),
            };
            let ended = Ended { at, why: why.to_owned(), by: None };
            if end(&mut *db, tenant, id, &ended).await? {
                events.push(event_about(EventKind::SeriesEnded, &found, why, self.now));
            }
        }
        Ok((events.len(), events))
    }
}
