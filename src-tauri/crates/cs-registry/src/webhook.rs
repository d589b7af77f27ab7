//! The web server that is told when calls begin to wait. It belongs to the whole installation.

use cs_model::Timestamp;
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::RegistryError;
use crate::error::Doing as _;
use crate::row::time;

/// The web server that is told when calls begin to wait.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Webhook {
    /// Where notices are posted to.
    pub url: String,
    /// What names the key in the secret store that they are signed with; nothing when they are
    /// not.
    pub key: Option<Uuid>,
    /// When it was set.
    pub changed: Timestamp,
}

struct Row {
    url: String,
    key_id: Option<Uuid>,
    changed: i64,
}

/// The server, where there is one.
///
/// # Errors
///
/// When the database fails.
pub async fn load(db: &mut SqliteConnection) -> Result<Option<Webhook>, RegistryError> {
    let found =
        sqlx::query_as!(Row, r#"SELECT url, key_id AS "key_id: Uuid", changed FROM webhook"#)
            .fetch_optional(db)
            .await
            .doing("look up who is told of waiting calls")?;
    Ok(found.map(|row| Webhook { url: row.url, key: row.key_id, changed: time(row.changed) }))
}

/// Keeps the server, in place of what was there.
///
/// # Errors
///
/// When the database fails.
pub async fn save(db: &mut SqliteConnection, webhook: &Webhook) -> Result<(), RegistryError> {
    let (url, key, changed) = (&webhook.url, webhook.key, webhook.changed.millis());
    sqlx::query!(
        "INSERT INTO webhook (only_one, url, key_id, changed) VALUES (1, ?1, ?2, ?3)
         ON CONFLICT (only_one) DO UPDATE SET url = excluded.url, key_id = excluded.key_id,
                                              changed = excluded.changed",
        url,
        key,
        changed,
    )
    .execute(db)
    .await
    .doing("set who is told of waiting calls")?;
    Ok(())
}

/// Forgets the server. Forgetting one that is not there changes nothing.
///
/// # Errors
///
/// When the database fails.
pub async fn remove(db: &mut SqliteConnection) -> Result<(), RegistryError> {
    sqlx::query!("DELETE FROM webhook").execute(db).await.doing("forget who is told")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Fixture, later};

    #[tokio::test]
    async fn the_server_is_the_last_that_was_set_until_it_is_forgotten() {
        let fixture = Fixture::new().await;
        let mut db = fixture.registry.begin().await.unwrap();
        assert_eq!(load(&mut db).await.unwrap(), None);
        for key in [None, Some(Uuid::from_u128(7))] {
            let url = "https://hooks.example/a".to_owned();
            let webhook = Webhook { url, key, changed: later(1) };
            save(&mut db, &webhook).await.unwrap();
            assert_eq!(load(&mut db).await.unwrap(), Some(webhook));
        }
        for _ in 0..2 {
            remove(&mut db).await.unwrap();
            assert_eq!(load(&mut db).await.unwrap(), None);
        }
    }
}
