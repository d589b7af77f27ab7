//! Grants: the cells of the matrix.

use cs_model::{Condition, Grant, RoleId, TenantId, ToolId};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::RegistryError;
use crate::error::Doing as _;
use crate::row::word;

/// A cell that does not deny.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cell {
    /// Its column.
    pub role: RoleId,
    /// Its row.
    pub tool: ToolId,
    /// What it says.
    pub grant: Grant,
    /// What the arguments have to satisfy for that, where it asks for something.
    pub condition: Option<Condition>,
}

/// Sets a cell. Setting it to what it is changes nothing.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such role or no such tool.
pub async fn set(
    db: &mut SqliteConnection,
    tenant: TenantId,
    cell: Cell,
) -> Result<(), RegistryError> {
    let (tenant, role, tool) = (tenant.uuid(), cell.role.uuid(), cell.tool.uuid());
    let known = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM role WHERE tenant_id = ?1 AND id = ?2)
              AND EXISTS (SELECT 1 FROM tool WHERE tenant_id = ?1 AND id = ?3) AS "known!: bool""#,
        tenant,
        role,
        tool,
    )
    .fetch_one(&mut *db)
    .await
    .doing("look up the cell")?;
    if !known {
        return Err(RegistryError::NotFound { what: "role or tool" });
    }
    match cell.grant {
        Grant::Deny => sqlx::query!(
            r#"DELETE FROM "grant" WHERE tenant_id = ?1 AND role_id = ?2 AND tool_id = ?3"#,
            tenant,
            role,
            tool,
        )
        .execute(db)
        .await
        .doing("set the cell")?,
        Grant::Allow | Grant::Token => {
            let permission = cell.grant.as_str();
            let condition = cell.condition.as_ref().map(|it| it.schema.as_str());
            let otherwise = cell.condition.as_ref().map(|it| it.otherwise.as_str());
            sqlx::query!(
                r#"INSERT INTO "grant"
                       (tenant_id, role_id, tool_id, permission, condition, otherwise)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                   ON CONFLICT (tenant_id, role_id, tool_id)
                   DO UPDATE SET permission = excluded.permission,
                                 condition = excluded.condition,
                                 otherwise = excluded.otherwise"#,
                tenant,
                role,
                tool,
                permission,
                condition,
                otherwise,
            )
            .execute(db)
            .await
            .doing("set the cell")?
        }
    };
    Ok(())
}

/// The cells of a tenant that do not deny, by role and tool.
///
/// # Errors
///
/// When the database fails.
pub async fn list(db: &mut SqliteConnection, tenant: TenantId) -> Result<Vec<Cell>, RegistryError> {
    let tenant = tenant.uuid();
    sqlx::query!(
        r#"SELECT role_id AS "role: Uuid", tool_id AS "tool: Uuid", permission, condition,
                  otherwise
             FROM "grant"
            WHERE tenant_id = ?1
            ORDER BY role_id, tool_id"#,
        tenant,
    )
    .fetch_all(db)
    .await
    .doing("list the grants")?
    .into_iter()
    .map(|row| {
        let condition = match (row.condition, row.otherwise) {
            (Some(schema), Some(otherwise)) => {
                Some(Condition { schema, otherwise: word(&otherwise, "a grant")? })
            }
            (_, None) | (None, _) => None,
        };
        Ok(Cell {
            role: RoleId::new(row.role),
            tool: ToolId::new(row.tool),
            grant: word(&row.permission, "a grant")?,
            condition,
        })
    })
    .collect()
}
