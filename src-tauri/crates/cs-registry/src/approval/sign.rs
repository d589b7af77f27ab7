//! Signatures over a waiting call, one of each operator.

use std::collections::{BTreeMap, BTreeSet};

use cs_model::event::{Actor, Event, EventKind};
use cs_model::state::ApprovalState;
use cs_model::{ApprovalId, OperationTokenId, OperatorId, TenantId, Timestamp};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{NO_LONGER, event_about, find};
use crate::RegistryError;
use crate::error::{Doing as _, one};
use crate::row::time;

/// A signature to keep with the request that it answers.
#[derive(Clone, Debug)]
pub struct Signed {
    /// Who signed.
    pub by: OperatorId,
    /// When.
    pub at: Timestamp,
    /// The token's id.
    pub token: OperationTokenId,
    /// When it ends.
    pub expires: Timestamp,
    /// The token, sealed.
    pub sealed: Vec<u8>,
    /// Why, in the operator's words.
    pub reason: Option<String>,
    /// Whether the operator gave the passphrase for this very signature.
    pub presence: bool,
    /// Whether it counts alone, whatever the tool asks for.
    pub breaks_glass: bool,
}

/// A signature as it is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signature {
    /// Who signed.
    pub by: OperatorId,
    /// When.
    pub at: Timestamp,
    /// The token's id.
    pub token: OperationTokenId,
    /// When it ends.
    pub expires: Timestamp,
    /// The token, sealed, while the signature stands.
    pub sealed: Option<Vec<u8>>,
    /// Why, in the operator's words.
    pub reason: Option<String>,
    /// Whether the operator gave the passphrase for this very signature.
    pub presence: bool,
    /// Whether it counts alone, whatever the tool asks for.
    pub breaks_glass: bool,
}

impl Signature {
    /// Whether it can still lead to the call.
    pub fn stands(&self, now: Timestamp) -> bool {
        self.sealed.is_some() && now < self.expires
    }
}

/// Keeps a signature with a pending request, which goes on waiting. One of the same operator that
/// does not stand any more gives way to it.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such request, [`RegistryError::Conflict`]
/// when the operator's signature stands already, [`RegistryError::State`] when the request is no
/// longer pending, its time is up, its session is over or the operator was removed.
pub async fn sign(
    db: &mut SqliteConnection,
    tenant: TenantId,
    id: ApprovalId,
    signed: &Signed,
) -> Result<(), RegistryError> {
    if find(&mut *db, tenant, id).await?.state != ApprovalState::Pending {
        return Err(NO_LONGER);
    }
    let all = signatures(&mut *db, tenant, id).await?;
    if all.iter().any(|it| it.by == signed.by && it.stands(signed.at)) {
        return Err(RegistryError::Conflict { what: "a signature of this operator" });
    }
    let (tenant, id, by) = (tenant.uuid(), id.uuid(), signed.by.uuid());
    let (at, token, expires) = (signed.at.millis(), signed.token.uuid(), signed.expires.millis());
    let done = sqlx::query!(
        "INSERT INTO approval_signature (tenant_id, approval_id, operator_id, token_id, at,
                                         expires, sealed_token, reason, presence, breaks_glass)
         SELECT approval.tenant_id, approval.id, operator.id, ?4, ?5, ?6, ?7, ?8, ?9, ?10
           FROM approval
           JOIN session ON session.tenant_id = approval.tenant_id
                       AND session.id = approval.session_id
                       AND session.ended IS NULL
                       AND session.ends > ?5
           JOIN operator ON operator.id = ?3 AND operator.removed IS NULL
          WHERE approval.tenant_id = ?1
            AND approval.id = ?2
            AND approval.state = 'pending'
            AND approval.decide_by > ?5
             ON CONFLICT (tenant_id, approval_id, operator_id) DO UPDATE
                SET token_id = excluded.token_id, at = excluded.at, expires = excluded.expires,
                    sealed_token = excluded.sealed_token, reason = excluded.reason,
                    presence = excluded.presence, breaks_glass = excluded.breaks_glass",
        tenant,
        id,
        by,
        token,
        at,
        expires,
        signed.sealed,
        signed.reason,
        signed.presence,
        signed.breaks_glass,
    )
    .execute(db)
    .await
    .creating("a signature with this token", "sign the call")?;
    one(done.rows_affected(), "").map_err(|_| NO_LONGER)
}

/// Signs a pending request with the last signature that it needs: it is approved until the first
/// of the signatures that stand ends.
///
/// # Errors
///
/// As [`sign`].
pub async fn approve(
    db: &mut SqliteConnection,
    tenant: TenantId,
    id: ApprovalId,
    signed: &Signed,
) -> Result<(), RegistryError> {
    sign(&mut *db, tenant, id, signed).await?;
    let (tenant, id, by) = (tenant.uuid(), id.uuid(), signed.by.uuid());
    let (at, token) = (signed.at.millis(), signed.token.uuid());
    let done = sqlx::query!(
        "UPDATE approval
            SET state = 'approved', decided_by = ?1, decided_at = ?2, token_id = ?3,
                reason = ?4, sealed_token = ?5,
                token_expires = (SELECT min(expires)
                                   FROM approval_signature AS it
                                  WHERE it.tenant_id = ?6
                                    AND it.approval_id = ?7
                                    AND it.sealed_token IS NOT NULL
                                    AND it.expires > ?2)
          WHERE tenant_id = ?6
            AND id = ?7
            AND state = 'pending'",
        by,
        at,
        token,
        signed.reason,
        signed.sealed,
        tenant,
        id,
    )
    .execute(&mut *db)
    .await
    .creating("an approval with this token", "approve the call")?;
    one(done.rows_affected(), "").map_err(|_| NO_LONGER)?;
    sqlx::query!(
        "UPDATE approval_signature
            SET sealed_token = NULL
          WHERE tenant_id = ?1
            AND approval_id = ?2
            AND expires <= ?3",
        tenant,
        id,
        at,
    )
    .execute(db)
    .await
    .doing("put away the signatures that have ended")?;
    Ok(())
}

/// Takes away all signatures of an operator over requests that are pending: the key that made them
/// counts no longer. What is recorded of each is told here.
///
/// # Errors
///
/// When the database fails.
pub async fn withdraw_signatures_of(
    db: &mut SqliteConnection,
    by: OperatorId,
    at: Timestamp,
) -> Result<Vec<Event>, RegistryError> {
    let operator = by.uuid();
    let rows = sqlx::query!(
        r#"SELECT it.tenant_id AS "tenant: Uuid", it.approval_id AS "approval: Uuid",
                  it.token_id AS "token: Uuid"
             FROM approval_signature AS it
             JOIN approval ON approval.tenant_id = it.tenant_id
                          AND approval.id = it.approval_id
                          AND approval.state = 'pending'
            WHERE it.operator_id = ?1
              AND it.sealed_token IS NOT NULL
            ORDER BY it.rowid"#,
        operator,
    )
    .fetch_all(&mut *db)
    .await
    .doing("list the signatures of the operator")?;
    let mut events = Vec::with_capacity(rows.len());
    for row in rows {
        let (tenant, id) = (TenantId::new(row.tenant), ApprovalId::new(row.approval));
        let found = find(&mut *db, tenant, id).await?;
        withdraw_signature(&mut *db, tenant, id, by, at).await?;
        let mut event = event_about(EventKind::ApprovalSignatureVoid, &found, at);
        event.actor = Some(Actor::Operator { id: by });
        event.token = Some(OperationTokenId::new(row.token));
        event.reason = Some("key_replaced".to_owned());
        events.push(event);
    }
    Ok(events)
}

/// Takes the signature of an operator away from a pending request: it counts no longer, ends at
/// this time in whatever is shown of it later, and the operator may sign anew.
///
/// # Errors
///
/// When the database fails.
pub async fn withdraw_signature(
    db: &mut SqliteConnection,
    tenant: TenantId,
    id: ApprovalId,
    by: OperatorId,
    at: Timestamp,
) -> Result<(), RegistryError> {
    let (tenant, id, by, at) = (tenant.uuid(), id.uuid(), by.uuid(), at.millis());
    let doing = "take the signature away";
    sqlx::query!(
        "UPDATE approval_signature
            SET sealed_token = NULL
          WHERE tenant_id = ?1
            AND approval_id = ?2
            AND operator_id = ?3",
        tenant,
        id,
        by,
    )
    .execute(&mut *db)
    .await
    .doing(doing)?;
    sqlx::query!(
        "UPDATE approval_signature
            SET expires = max(at + 1, min(expires, ?4))
          WHERE tenant_id = ?1
            AND approval_id = ?2
            AND operator_id = ?3",
        tenant,
        id,
        by,
        at,
    )
    .execute(db)
    .await
    .doing(doing)?;
    Ok(())
}

/// Every signature that was ever kept with a request, oldest first.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such request.
pub async fn signatures(
    db: &mut SqliteConnection,
    tenant: TenantId,
    id: ApprovalId,
) -> Result<Vec<Signature>, RegistryError> {
    find(&mut *db, tenant, id).await?;
    let (tenant, id) = (tenant.uuid(), id.uuid());
    let rows = sqlx::query!(
        r#"SELECT operator_id AS "operator: Uuid", token_id AS "token: Uuid", at, expires,
                  sealed_token, reason, presence AS "presence: bool",
                  breaks_glass AS "breaks_glass: bool"
             FROM approval_signature
            WHERE tenant_id = ?1
              AND approval_id = ?2
            ORDER BY at, rowid"#,
        tenant,
        id,
    )
    .fetch_all(db)
    .await
    .doing("list the signatures")?;
    let kept = rows.into_iter().map(|row| Signature {
        by: OperatorId::new(row.operator),
        at: time(row.at),
        token: OperationTokenId::new(row.token),
        expires: time(row.expires),
        sealed: row.sealed_token,
        reason: row.reason,
        presence: row.presence,
        breaks_glass: row.breaks_glass,
    });
    Ok(kept.collect())
}

/// How many signatures stand over requests, and which requests an owner signed alone.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Standing {
    /// How many signatures stand, by request; none for those that are not here.
    pub signed: BTreeMap<ApprovalId, u32>,
    /// The requests for which the glass was broken, whatever became of them.
    pub glass: BTreeSet<ApprovalId>,
}

/// How many signatures stand over the requests of all tenants, for lists.
///
/// # Errors
///
/// When the database fails.
pub async fn standing(
    db: &mut SqliteConnection,
    now: Timestamp,
) -> Result<Standing, RegistryError> {
    let now = now.millis();
    let signed = sqlx::query!(
        r#"SELECT approval_id AS "approval: Uuid", count(*) AS "count!: u32"
             FROM approval_signature
            WHERE sealed_token IS NOT NULL
              AND expires > ?1
            GROUP BY approval_id"#,
        now,
    )
    .fetch_all(&mut *db)
    .await
    .doing("count the signatures")?;
    let glass = sqlx::query_scalar!(
        r#"SELECT approval_id AS "approval: Uuid"
             FROM approval_signature
            WHERE breaks_glass = 1"#,
    )
    .fetch_all(db)
    .await
    .doing("list the requests for which the glass was broken")?;
    Ok(Standing {
        signed: signed.into_iter().map(|row| (ApprovalId::new(row.approval), row.count)).collect(),
        glass: glass.into_iter().map(ApprovalId::new).collect(),
    })
}

#[cfg(test)]
mod tests;
