//! The installation itself.

use cs_model::Timestamp;
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::RegistryError;
use crate::error::Doing as _;
use crate::row::time;

/// What tells this installation from any other. Made once, never changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Instance {
    /// Its id. Operation tokens name it as their audience.
    pub id: Uuid,
    /// Where its secrets are kept: the word that the secret store goes by.
    pub secret_store: String,
    /// When it was made.
    pub created: Timestamp,
}

pub(crate) async fn insert(
    db: &mut SqliteConnection,
    instance: &Instance,
) -> Result<(), RegistryError> {
    let (id, created) = (instance.id, instance.created.millis());
    sqlx::query!(
        "INSERT INTO instance (only_row, id, secret_store, created) VALUES (1, ?1, ?2, ?3)",
        id,
        instance.secret_store,
        created,
    )
    .execute(db)
    .await
    .creating("the instance", "write the instance")?;
    Ok(())
}

pub(crate) async fn load(db: &mut SqliteConnection) -> Result<Option<Instance>, RegistryError> {
    let row = sqlx::query!(r#"SELECT id AS "id: Uuid", secret_store, created FROM instance"#)
        .fetch_optional(db)
        .await
        .doing("read the instance")?;
    Ok(row.map(|row| Instance {
        id: row.id,
        secret_store: row.secret_store,
        created: time(row.created),
    }))
}
