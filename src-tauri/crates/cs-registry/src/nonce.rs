//! Nonces of signed requests. One that was seen stays seen, across a restart too.

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
    /// It had been seen.
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
             VALUES (?1, ?2, ?3)
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
#[derive(Clone, Copy, Debug)]
pub struct Prune {
    /// The time now.
    pub now: Timestamp,
}

impl Work for Prune {
    type Done = u64;

    async fn run(self, db: &mut SqliteConnection) -> Result<(u64, Vec<Event>), RegistryError> {
        let now = self.now.millis();
        let done = sqlx::query!("DELETE FROM nonce WHERE until < ?1", now)
            .execute(db)
            .await
            .doing("forget old nonces")?;
        Ok((done.rows_affected(), Vec::new()))
    }
}

#[cfg(test)]
mod tests;
