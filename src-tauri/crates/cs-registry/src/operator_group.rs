//! Operator groups: who may approve what only some may. They belong to the whole installation.

use std::collections::{BTreeMap, BTreeSet};

use cs_model::{Name, OperatorId, Timestamp};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::RegistryError;
use crate::error::{Doing as _, one};
use crate::row::{name, time};

/// A group of operators.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Group {
    /// Its name. Unique.
    pub name: Name,
    /// Who is in it.
    pub members: BTreeSet<OperatorId>,
    /// When it was made.
    pub created: Timestamp,
}

/// Makes a group with nobody in it.
///
/// # Errors
///
/// [`RegistryError::Conflict`] when the name is taken.
pub async fn create(
    db: &mut SqliteConnection,
    name: &Name,
    at: Timestamp,
) -> Result<(), RegistryError> {
    let (name, at) = (name.as_str(), at.millis());
    sqlx::query!("INSERT INTO operator_group (name, created) VALUES (?1, ?2)", name, at)
        .execute(db)
        .await
        .creating("an operator group of this name", "create the operator group")?;
    Ok(())
}

/// Removes a group. Whether a tool still asks for it is the caller's to see to.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when there is no such group.
pub async fn remove(db: &mut SqliteConnection, name: &Name) -> Result<(), RegistryError> {
    let name = name.as_str();
    let done = sqlx::query!("DELETE FROM operator_group WHERE name = ?1", name)
        .execute(db)
        .await
        .doing("remove the operator group")?;
    one(done.rows_affected(), "operator group")
}

/// Puts an operator into a group. One who is in it stays in it.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when there is no such group, or no such operator who was not
/// removed.
pub async fn add(
    db: &mut SqliteConnection,
    name: &Name,
    operator: OperatorId,
) -> Result<(), RegistryError> {
    let (name, operator) = (name.as_str(), operator.uuid());
    let done = sqlx::query!(
        "INSERT INTO operator_group_member (group_name, operator_id)
         SELECT operator_group.name, operator.id
           FROM operator_group, operator
          WHERE operator_group.name = ?1
            AND operator.id = ?2
            AND operator.removed IS NULL
             ON CONFLICT (group_name, operator_id) DO UPDATE SET group_name = excluded.group_name",
        name,
        operator,
    )
    .execute(db)
    .await
    .doing("put the operator into the group")?;
    one(done.rows_affected(), "operator group or operator")
}

/// Takes an operator out of a group.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the operator is not in it.
pub async fn take(
    db: &mut SqliteConnection,
    name: &Name,
    operator: OperatorId,
) -> Result<(), RegistryError> {
    let (name, operator) = (name.as_str(), operator.uuid());
    let done = sqlx::query!(
        "DELETE FROM operator_group_member WHERE group_name = ?1 AND operator_id = ?2",
        name,
        operator,
    )
    .execute(db)
    .await
    .doing("take the operator out of the group")?;
    one(done.rows_affected(), "operator in this group")
}

/// Every group, by name.
///
/// # Errors
///
/// When the database fails.
pub async fn list(db: &mut SqliteConnection) -> Result<Vec<Group>, RegistryError> {
    let mut members: BTreeMap<String, BTreeSet<OperatorId>> = BTreeMap::new();
    for row in sqlx::query!(
        r#"SELECT group_name, operator_id AS "operator: Uuid" FROM operator_group_member"#,
    )
    .fetch_all(&mut *db)
    .await
    .doing("list the members of operator groups")?
    {
        members.entry(row.group_name).or_default().insert(OperatorId::new(row.operator));
    }
    sqlx::query!("SELECT name, created FROM operator_group ORDER BY name")
        .fetch_all(db)
        .await
        .doing("list the operator groups")?
        .into_iter()
        .map(|row| {
            Ok(Group {
                name: name(&row.name)?,
                members: members.remove(&row.name).unwrap_or_default(),
                created: time(row.created),
            })
        })
        .collect()
}

/// The groups that each operator is in.
///
/// # Errors
///
/// When the database fails.
pub async fn memberships(
    db: &mut SqliteConnection,
) -> Result<BTreeMap<OperatorId, BTreeSet<Name>>, RegistryError> {
    let mut of: BTreeMap<OperatorId, BTreeSet<Name>> = BTreeMap::new();
    for group in list(db).await? {
        for member in group.members {
            of.entry(member).or_default().insert(group.name.clone());
        }
    }
    Ok(of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator;
    use crate::testing::{Fixture, later, named, operator_id};

    #[tokio::test]
    async fn a_group_has_members_until_they_leave_or_are_removed() {
        let fixture = Fixture::new().await;
        let mut db = fixture.registry.begin().await.unwrap();
        let (finance, night) = (named("finance"), named("night"));
        create(&mut db, &night, later(1)).await.unwrap();
        create(&mut db, &finance, later(1)).await.unwrap();
        let taken = create(&mut db, &finance, later(2)).await;
        assert!(matches!(taken, Err(RegistryError::Conflict { .. })));
        for _ in 0..2 {
            add(&mut db, &finance, operator_id()).await.unwrap();
        }
        let nobody = OperatorId::from_random([1; 16]);
        let missing = |done| matches!(done, Err(RegistryError::NotFound { .. }));
        assert!(missing(add(&mut db, &finance, nobody).await));
        assert!(missing(add(&mut db, &named("other"), operator_id()).await));
        assert!(missing(take(&mut db, &night, operator_id()).await));
        let of = memberships(&mut db).await.unwrap();
        assert_eq!(of, [(operator_id(), [finance.clone()].into())].into());
        take(&mut db, &finance, operator_id()).await.unwrap();
        add(&mut db, &night, operator_id()).await.unwrap();
        operator::remove(&mut db, operator_id(), later(9)).await.unwrap();
        assert!(list(&mut db).await.unwrap().iter().all(|it| it.members.is_empty()));
        assert!(missing(add(&mut db, &finance, operator_id()).await), "removed is removed");
        remove(&mut db, &night).await.unwrap();
        assert!(missing(remove(&mut db, &night).await));
        assert_eq!(list(&mut db).await.unwrap().len(), 1);
    }
}
