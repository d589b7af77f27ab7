//! Operators: the people who use the console. They belong to the whole installation.

use cs_model::state::{KeyEnd, OperatorRole};
use cs_model::{OperatorId, Timestamp};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::RegistryError;
use crate::error::{Doing as _, one};
use crate::row::{bytes32, time, word};

/// An operator.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Operator {
    /// The operator's id.
    pub id: OperatorId,
    /// The operator's name. Unique among those who were not removed.
    pub name: String,
    /// What the operator may do.
    pub role: OperatorRole,
    /// The public Ed25519 key that the operator's signatures are verified with.
    pub public_key: [u8; 32],
    /// When the operator was added.
    pub created: Timestamp,
    /// When the operator was removed, if that happened. What was signed stays attributable.
    pub removed: Option<Timestamp>,
}

/// Adds an operator.
///
/// # Errors
///
/// [`RegistryError::Conflict`] when the name or the key is taken.
pub async fn create(db: &mut SqliteConnection, operator: &Operator) -> Result<(), RegistryError> {
    let (id, role) = (operator.id.uuid(), operator.role.as_str());
    let (key, created) = (operator.public_key.as_slice(), operator.created.millis());
    let removed = operator.removed.map(Timestamp::millis);
    sqlx::query!(
        "INSERT INTO operator (id, name, role, public_key, created, removed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        id,
        operator.name,
        role,
        key,
        created,
        removed,
    )
    .execute(db)
    .await
    .creating("an operator of this name", "create the operator")?;
    Ok(())
}

struct Row {
    id: Uuid,
    name: String,
    role: String,
    public_key: Vec<u8>,
    created: i64,
    removed: Option<i64>,
}

impl Row {
    fn read(self) -> Result<Operator, RegistryError> {
        Ok(Operator {
            id: OperatorId::new(self.id),
            name: self.name,
            role: word(&self.role, "an operator's role")?,
            public_key: bytes32(self.public_key, "an operator's key")?,
            created: time(self.created),
            removed: self.removed.map(time),
        })
    }
}

/// Every operator, by name, also those who were removed.
///
/// # Errors
///
/// When the database fails.
pub async fn list(db: &mut SqliteConnection) -> Result<Vec<Operator>, RegistryError> {
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", name, role, public_key, created, removed
             FROM operator
            ORDER BY name, created"#,
    )
    .fetch_all(db)
    .await
    .doing("list the operators")?
    .into_iter()
    .map(Row::read)
    .collect()
}

/// One operator, also one who was removed.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when there never was such an operator.
pub async fn find(
    db: &mut SqliteConnection,
    operator: OperatorId,
) -> Result<Operator, RegistryError> {
    let operator = operator.uuid();
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", name, role, public_key, created, removed
             FROM operator
            WHERE id = ?1"#,
        operator,
    )
    .fetch_optional(db)
    .await
    .doing("look up the operator")?
    .ok_or(RegistryError::NotFound { what: "operator" })?
    .read()
}

/// Removes an operator, who cannot sign from then on. The row stays, so that what the operator
/// signed stays attributable. Removing one who was removed changes nothing.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when there never was such an operator.
pub async fn remove(
    db: &mut SqliteConnection,
    operator: OperatorId,
    at: Timestamp,
) -> Result<(), RegistryError> {
    let (operator, at) = (operator.uuid(), at.millis());
    let done = sqlx::query!(
        "UPDATE operator SET removed = coalesce(removed, ?1) WHERE id = ?2",
        at,
        operator,
    )
    .execute(db)
    .await
    .doing("remove the operator")?;
    one(done.rows_affected(), "operator")
}

/// Gives an operator another role.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when there is no such operator, or the operator was removed.
pub async fn set_role(
    db: &mut SqliteConnection,
    operator: OperatorId,
    role: OperatorRole,
) -> Result<(), RegistryError> {
    let (operator, role) = (operator.uuid(), role.as_str());
    let done = sqlx::query!(
        "UPDATE operator SET role = ?1 WHERE id = ?2 AND removed IS NULL",
        role,
        operator,
    )
    .execute(db)
    .await
    .doing("change the operator's role")?;
    one(done.rows_affected(), "operator")
}

/// A key that an operator once signed with. What it signed stays attributable.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PastKey {
    /// Whose it was.
    pub operator: OperatorId,
    /// The public Ed25519 key.
    pub public_key: [u8; 32],
    /// Since when they had it.
    pub since: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Why they have another one since.
    pub why: KeyEnd,
}

/// Gives an operator another key. The one that they had is kept among the [past ones](past_keys).
///
/// # Errors
///
/// [`RegistryError::NotFound`] when there is no such operator, or the operator was removed;
/// [`RegistryError::Conflict`] when the key is or was somebody's.
pub async fn set_key(
    db: &mut SqliteConnection,
    operator: OperatorId,
    public_key: [u8; 32],
    at: Timestamp,
    why: KeyEnd,
) -> Result<(), RegistryError> {
    let (operator, key) = (operator.uuid(), public_key.as_slice());
    let (at, why) = (at.millis(), why.as_str());
    let kept = sqlx::query!(
        "INSERT INTO operator_key (public_key, operator_id, since, until, why)
         SELECT public_key, id,
                coalesce((SELECT max(until) FROM operator_key WHERE operator_id = ?1), created),
                ?2, ?3
           FROM operator
          WHERE id = ?1 AND removed IS NULL",
        operator,
        at,
        why,
    )
    .execute(&mut *db)
    .await
    .doing("keep the operator's last key")?;
    one(kept.rows_affected(), "operator")?;
    let done = sqlx::query!("UPDATE operator SET public_key = ?1 WHERE id = ?2", key, operator)
        .execute(db)
        .await
        .creating("this key", "give the operator another key")?;
    one(done.rows_affected(), "operator")
}

struct KeyRow {
    operator: Uuid,
    public_key: Vec<u8>,
    since: i64,
    until: i64,
    why: String,
}

impl KeyRow {
    fn read(self) -> Result<PastKey, RegistryError> {
        Ok(PastKey {
            operator: OperatorId::new(self.operator),
            public_key: bytes32(self.public_key, "an operator's key")?,
            since: time(self.since),
            until: time(self.until),
            why: word(&self.why, "why an operator has another key")?,
        })
    }
}

/// The keys that operators once signed with, the latest first.
///
/// # Errors
///
/// When the database fails.
pub async fn past_keys(db: &mut SqliteConnection) -> Result<Vec<PastKey>, RegistryError> {
    sqlx::query_as!(
        KeyRow,
        r#"SELECT operator_id AS "operator: Uuid", public_key, since, until, why
             FROM operator_key
            ORDER BY until DESC, public_key"#,
    )
    .fetch_all(db)
    .await
    .doing("list the operators' past keys")?
    .into_iter()
    .map(KeyRow::read)
    .collect()
}

#[cfg(test)]
mod tests;
