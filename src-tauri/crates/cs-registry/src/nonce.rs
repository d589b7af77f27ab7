//! Nonces of signed requests. One that was seen stays seen, across a restart too, and whatever the
//! clock does: of the nonces that are forgotten it is remembered up to when they could have been
//! used, and nothing that old is taken for new.

use cs_model::event::Event;
use cs_model::{CredentialId, Timestamp};
use sqlx::SqliteConnection;

use crate::error::Doing as _;
use crate::{RegistryError, Work};

/// Whether a nonce was new.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Nonce {
    /// It was, and is remembered now.
    Fresh,
    /// It had been seen, or is so old that nobody knows.
    Seen,
}

/// Remembers a nonce.
#[derive(Clone, Debug)]
pub struct Remember {
    /// The credential whose request carried it.
    pub credential: CredentialId,
    /// The nonce.
    pub nonce: String,
    /// Until when it must be remembered at least.
    pub until: Timestamp,
}

impl Work for Remember {
    type Done = Nonce;

    async fn run(self, db: &mut SqliteConnection) -> Result<(Nonce, Vec<Event>), RegistryError> {
        let (credential, until) = (self.credential.uuid(), self.until.millis());
        let done = sqlx::query!(
            "INSERT INTO nonce (credential_id, nonce, until)
             SELECT ?1, ?2, ?3
              WHERE NOT EXISTS (SELECT 1 FROM nonce
                                 WHERE credential_id = ?1 AND nonce = '*' AND until >= ?3)
             ON CONFLICT (credential_id, nonce) DO NOTHING",
            credential,
            self.nonce,
            until,
        )
        .execute(db)
        .await
        .creating("the nonce", "remember the nonce")?;
        let nonce = if done.rows_affected() == 0 { Nonce::Seen } else { Nonce::Fresh };
        Ok((nonce, Vec::new()))
    }
}

/// Forgets the nonces that need not be remembered any longer. Answers with how many.
///
/// A clock that is set back would make them fresh again. So the end of the last one that was
/// forgotten is kept for each credential, under a name that no nonce has.
#[derive(Clone, Copy, Debug)]
pub struct Prune {
    /// The time now.
    pub now: Timestamp,
}

impl Work for Prune {
    type Done = u64;

    async fn run(self, db: &mut SqliteConnection) -> Result<(u64, Vec<Event>), RegistryError> {
        let now = self.now.millis();
        sqlx::query!(
            "INSERT INTO nonce (credential_id, nonce, until)
             SELECT credential_id, '*', max(until)
               FROM nonce
              WHERE until < ?1 AND nonce <> '*'
              GROUP BY credential_id
             ON CONFLICT (credential_id, nonce)
             DO UPDATE SET until = max(until, excluded.until)",
            now,
        )
        .execute(&mut *db)
        .await
        .doing("remember up to when nonces are forgotten")?;
        let done = sqlx::query!("DELETE FROM nonce WHERE until < ?1 AND nonce <> '*'", now)
            .execute(db)
            .await
            .doing("forget old nonces")?;
        Ok((done.rows_affected(), Vec::new()))
    }
}

#[cfg(test)]
mod tests;
