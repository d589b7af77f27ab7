//! Policy versions: the numbered states of everything that is enforced.

use cs_model::event::Actor;
use cs_model::{Document, Timestamp};
use sqlx::SqliteConnection;

use crate::RegistryError;
use crate::error::Doing as _;
use crate::row::{json, signed, time, to_json, unsigned};

/// A policy version, but for its document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Version {
    /// Its number.
    pub number: u64,
    /// What it changed, in one sentence.
    pub summary: String,
    /// Who changed it.
    pub actor: Actor,
    /// When.
    pub created: Timestamp,
}

/// The number of the version in force: zero in a new registry.
///
/// # Errors
///
/// When the database fails.
pub async fn latest(db: &mut SqliteConnection) -> Result<u64, RegistryError> {
    sqlx::query_scalar!(r#"SELECT coalesce(max(number), 0) AS "number!: i64" FROM policy_version"#)
        .fetch_one(db)
        .await
        .doing("look up the policy version")
        .map(unsigned)
}

/// Adds a version. The document must carry the version's number.
///
/// # Errors
///
/// [`RegistryError::State`] when the number is not the next one.
pub async fn append(
    db: &mut SqliteConnection,
    version: &Version,
    document: &Document,
) -> Result<(), RegistryError> {
    let next = latest(&mut *db).await?.saturating_add(1);
    if version.number != next || document.version != next {
        return Err(RegistryError::State { what: "the policy version" });
    }
    let (number, created) = (signed(version.number), version.created.millis());
    let actor = to_json(&version.actor, "an actor")?;
    let document = to_json(document, "a policy document")?;
    sqlx::query!(
        "INSERT INTO policy_version (number, document, summary, actor, created)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        number,
        document,
        version.summary,
        actor,
        created,
    )
    .execute(db)
    .await
    .creating("this policy version", "add the policy version")?;
    Ok(())
}

/// The document of a version.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when there is no such version.
pub async fn document(db: &mut SqliteConnection, number: u64) -> Result<Document, RegistryError> {
    let number = signed(number);
    let text = sqlx::query_scalar!("SELECT document FROM policy_version WHERE number = ?1", number)
        .fetch_optional(db)
        .await
        .doing("look up the policy version")?
        .ok_or(RegistryError::NotFound { what: "policy version" })?;
    json(&text, "a policy document")
}

/// The last versions, newest first.
///
/// # Errors
///
/// When the database fails.
pub async fn list(
    db: &mut SqliteConnection,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<Version>, RegistryError> {
    let before = before.map_or(i64::MAX, signed);
    sqlx::query!(
        "SELECT number, summary, actor, created
           FROM policy_version
          WHERE number < ?1
          ORDER BY number DESC
          LIMIT ?2",
        before,
        limit,
    )
    .fetch_all(db)
    .await
    .doing("list the policy versions")?
    .into_iter()
    .map(|row| {
        Ok(Version {
            number: unsigned(row.number),
            summary: row.summary,
            actor: json(&row.actor, "an actor")?,
            created: time(row.created),
        })
    })
    .collect()
}
