//! Consoles on other machines. They belong to the whole installation, each to one operator.

use cs_model::{ConsoleId, Digest, OperatorId, Timestamp};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::RegistryError;
use crate::error::{Doing as _, one};
use crate::row::{digest, time};

/// A console on another machine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Console {
    /// Its id.
    pub id: ConsoleId,
    /// Whose it is: nobody else unlocks it.
    pub operator: OperatorId,
    /// What it is called.
    pub name: String,
    /// The SHA-256 of its certificate.
    pub fingerprint: Digest,
    /// When it was enrolled.
    pub created: Timestamp,
    /// The last second in which its certificate is valid.
    pub expires: Timestamp,
    /// When it was revoked, if that happened.
    pub revoked: Option<Timestamp>,
}

struct Row {
    id: Uuid,
    operator_id: Uuid,
    name: String,
    fingerprint: Vec<u8>,
    created: i64,
    expires: i64,
    revoked: Option<i64>,
}

impl Row {
    fn read(self) -> Result<Console, RegistryError> {
        Ok(Console {
            id: ConsoleId::new(self.id),
            operator: OperatorId::new(self.operator_id),
            name: self.name,
            fingerprint: digest(self.fingerprint)?,
            created: time(self.created),
            expires: time(self.expires),
            revoked: self.revoked.map(time),
        })
    }
}

/// Adds a console.
///
/// # Errors
///
/// [`RegistryError::Conflict`] when its certificate is somebody's, [`RegistryError::NotFound`]
/// when there is no such operator.
pub async fn create(db: &mut SqliteConnection, console: &Console) -> Result<(), RegistryError> {
    let (id, operator) = (console.id.uuid(), console.operator.uuid());
    let fingerprint = console.fingerprint.as_bytes().as_slice();
    let (created, expires) = (console.created.millis(), console.expires.millis());
    sqlx::query!(
        "INSERT INTO console (id, operator_id, name, fingerprint, created, expires)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        id,
        operator,
        console.name,
        fingerprint,
        created,
        expires,
    )
    .execute(db)
    .await
    .creating("a console with this certificate", "enrol the console")?;
    Ok(())
}

/// Every console, the latest first, also those that were revoked or have ended.
///
/// # Errors
///
/// When the database fails.
pub async fn list(db: &mut SqliteConnection) -> Result<Vec<Console>, RegistryError> {
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", operator_id AS "operator_id: Uuid", name, fingerprint, created,
                  expires, revoked
             FROM console
            ORDER BY created DESC, id"#,
    )
    .fetch_all(db)
    .await
    .doing("list the consoles")?
    .into_iter()
    .map(Row::read)
    .collect()
}

/// Revokes a console. Revoking one that is revoked already changes nothing.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when there is no such console.
pub async fn revoke(
    db: &mut SqliteConnection,
    console: ConsoleId,
    at: Timestamp,
) -> Result<(), RegistryError> {
    let (console, at) = (console.uuid(), at.millis());
    let done = sqlx::query!(
        "UPDATE console SET revoked = coalesce(revoked, ?1) WHERE id = ?2",
        at,
        console,
    )
    .execute(db)
    .await
    .doing("revoke the console")?;
    one(done.rows_affected(), "console")
}

/// Adds the authority that issues the certificates of consoles.
///
/// # Errors
///
/// [`RegistryError::Conflict`] when there is one.
pub async fn create_authority(
    db: &mut SqliteConnection,
    certificate: &str,
    created: Timestamp,
) -> Result<(), RegistryError> {
    let created = created.millis();
    sqlx::query!(
        "INSERT INTO console_authority (only_one, certificate, created) VALUES (1, ?1, ?2)",
        certificate,
        created,
    )
    .execute(db)
    .await
    .creating("an authority of consoles", "add the authority")?;
    Ok(())
}

/// The certificate (PEM) of that authority, once there is one.
///
/// # Errors
///
/// When the database fails.
pub async fn authority(db: &mut SqliteConnection) -> Result<Option<String>, RegistryError> {
    sqlx::query_scalar!("SELECT certificate FROM console_authority")
        .fetch_optional(db)
        .await
        .doing("look up the authority of consoles")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator;
    use crate::testing::{Fixture, later, operator_id};

    #[tokio::test]
    async fn a_console_is_somebodys_until_it_is_revoked_or_they_are_removed() {
        let fixture = Fixture::new().await;
        let mut db = fixture.registry.begin().await.unwrap();
        let console = |n: u8| Console {
            id: ConsoleId::from_random([n; 16]),
            operator: operator_id(),
            name: "laptop".to_owned(),
            fingerprint: Digest::of(&[n]),
            created: later(u64::from(n)),
            expires: later(90),
            revoked: None,
        };
        for n in [1, 2] {
            create(&mut db, &console(n)).await.unwrap();
        }
        let same = Console { id: ConsoleId::from_random([3; 16]), ..console(1) };
        assert!(matches!(create(&mut db, &same).await, Err(RegistryError::Conflict { .. })));
        let nobody = Console { operator: OperatorId::from_random([9; 16]), ..console(4) };
        assert!(matches!(create(&mut db, &nobody).await, Err(RegistryError::NotFound { .. })));
        assert_eq!(list(&mut db).await.unwrap(), [console(2), console(1)]);
        for at in [5, 6] {
            revoke(&mut db, console(1).id, later(at)).await.unwrap();
        }
        operator::remove(&mut db, operator_id(), later(7)).await.unwrap();
        let revoked: Vec<_> = list(&mut db).await.unwrap().iter().map(|it| it.revoked).collect();
        assert_eq!(revoked, [Some(later(7)), Some(later(5))]);
        let unknown = revoke(&mut db, ConsoleId::from_random([8; 16]), later(8)).await;
        assert!(matches!(unknown, Err(RegistryError::NotFound { .. })));
    }

    #[tokio::test]
    async fn consoles_have_one_authority() {
        let fixture = Fixture::new().await;
        let mut db = fixture.registry.begin().await.unwrap();
        assert_eq!(authority(&mut db).await.unwrap(), None);
        create_authority(&mut db, "PEM", later(1)).await.unwrap();
        assert!(create_authority(&mut db, "OTHER", later(1)).await.is_err());
        assert_eq!(authority(&mut db).await.unwrap().as_deref(), Some("PEM"));
    }
}
