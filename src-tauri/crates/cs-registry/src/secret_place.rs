//! Where an installation's secrets are kept, and a move of them that is not done yet.

use cs_model::Timestamp;
use sqlx::SqliteConnection;

use crate::RegistryError;
use crate::error::Doing as _;
use crate::row::time;

/// Where secrets are kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SecretPlace {
    /// The word that the secret store goes by.
    pub store: String,
    /// What else it takes to find it, where the word does not say it all.
    pub place: Option<String>,
}

/// A move to another store that is not done yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Moving {
    /// Whether the copies are what counts.
    pub copied: bool,
    /// Where the copies are made; once they are what counts, where there are still those from
    /// before.
    pub other: SecretPlace,
    /// When it began.
    pub began: Timestamp,
}

/// Where secrets are kept from now on.
///
/// # Errors
///
/// When the database fails.
pub async fn set(db: &mut SqliteConnection, to: &SecretPlace) -> Result<(), RegistryError> {
    sqlx::query!("UPDATE instance SET secret_store = ?1, secret_place = ?2", to.store, to.place)
        .execute(db)
        .await
        .doing("say where secrets are kept")?;
    Ok(())
}

/// Where secrets are kept.
///
/// # Errors
///
/// When the database fails.
pub async fn load(db: &mut SqliteConnection) -> Result<SecretPlace, RegistryError> {
    sqlx::query_as!(
        SecretPlace,
        "SELECT secret_store AS store, secret_place AS place FROM instance"
    )
    .fetch_one(db)
    .await
    .doing("look up where secrets are kept")
}

/// The move that is not done yet, if there is one.
///
/// # Errors
///
/// When the database fails.
pub async fn moving(db: &mut SqliteConnection) -> Result<Option<Moving>, RegistryError> {
    let row =
        sqlx::query!(r#"SELECT copied AS "copied: bool", store, place, began FROM secret_move"#)
            .fetch_optional(db)
            .await
            .doing("look up the move of the secrets")?;
    Ok(row.map(|row| Moving {
        copied: row.copied,
        other: SecretPlace { store: row.store, place: row.place },
        began: time(row.began),
    }))
}

/// Keeps how far a move has come.
///
/// # Errors
///
/// When the database fails.
pub async fn keep_moving(db: &mut SqliteConnection, moving: &Moving) -> Result<(), RegistryError> {
    let (copied, began) = (moving.copied, moving.began.millis());
    let SecretPlace { store, place } = &moving.other;
    sqlx::query!(
        "INSERT INTO secret_move (only_row, copied, store, place, began) VALUES (1, ?1, ?2, ?3, ?4)
         ON CONFLICT (only_row) DO UPDATE SET copied = excluded.copied, store = excluded.store,
                                              place = excluded.place, began = excluded.began",
        copied,
        store,
        place,
        began,
    )
    .execute(db)
    .await
    .doing("keep how far the secrets were moved")?;
    Ok(())
}

/// Forgets a move that is done.
///
/// # Errors
///
/// When the database fails.
pub async fn moved(db: &mut SqliteConnection) -> Result<(), RegistryError> {
    sqlx::query!("DELETE FROM secret_move")
        .execute(db)
        .await
        .doing("forget the move of the secrets")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Fixture, T0};

    #[tokio::test]
    async fn where_secrets_are_and_how_far_a_move_has_come_is_kept() {
        let fixture = Fixture::new().await;
        let mut change = fixture.registry.begin().await.unwrap();
        let before = load(&mut change).await.unwrap();
        assert_eq!(before, SecretPlace { store: "memory".to_owned(), place: None });
        assert_eq!(moving(&mut change).await.unwrap(), None);

        let to = SecretPlace { store: "vault".to_owned(), place: Some("{}".to_owned()) };
        let mut step = Moving { copied: false, other: to.clone(), began: T0 };
        keep_moving(&mut change, &step).await.unwrap();
        assert_eq!(moving(&mut change).await.unwrap(), Some(step.clone()));

        set(&mut change, &to).await.unwrap();
        (step.copied, step.other) = (true, before);
        keep_moving(&mut change, &step).await.unwrap();
        assert_eq!(load(&mut change).await.unwrap(), to);
        assert_eq!(moving(&mut change).await.unwrap(), Some(step));

        moved(&mut change).await.unwrap();
        assert_eq!(moving(&mut change).await.unwrap(), None);
    }
}
