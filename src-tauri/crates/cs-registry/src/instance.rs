//! The installation itself.

use cs_model::Timestamp;
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::RegistryError;
use crate::error::Doing as _;
use crate::row::time;
use crate::secret_place::SecretPlace;

/// What tells this installation from any other.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Instance {
    /// Its id. Operation tokens name it as their audience.
    pub id: Uuid,
    /// Where its secrets are kept, as it is opened.
    pub secrets: SecretPlace,
    /// When it was made.
    pub created: Timestamp,
}

pub(crate) async fn insert(
    db: &mut SqliteConnection,
    instance: &Instance,
) -> Result<(), RegistryError> {
    let (id, created) = (instance.id, instance.created.millis());
    sqlx::query!(
        "INSERT INTO instance (only_row, id, secret_store, secret_place, created)
         VALUES (1, ?1, ?2, ?3, ?4)",
        id,
        instance.secrets.store,
        instance.secrets.place,
        created,
    )
    .execute(db)
    .await
    .creating("the instance", "write the instance")?;
    Ok(())
}

pub(crate) async fn load(db: &mut SqliteConnection) -> Result<Option<Instance>, RegistryError> {
    let row = sqlx::query!(
        r#"SELECT id AS "id: Uuid", secret_store, secret_place, created FROM instance"#
    )
    .fetch_optional(db)
    .await
    .doing("read the instance")?;
    Ok(row.map(|row| Instance {
        id: row.id,
        secrets: SecretPlace { store: row.secret_store, place: row.secret_place },
        created: time(row.created),
    }))
}
