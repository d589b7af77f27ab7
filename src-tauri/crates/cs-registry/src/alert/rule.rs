//! Rules that are not as they come.

use cs_model::alert::{AlertRule, AlertSettings};
use cs_model::{TenantId, Timestamp};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::RegistryError;
use crate::error::{Doing as _, one};
use crate::row::{time, word};

/// How a rule was set for a tenant, or for the whole installation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredRule {
    /// The tenant; none for the whole installation.
    pub tenant: Option<TenantId>,
    /// The rule.
    pub rule: AlertRule,
    /// How it is set.
    pub settings: AlertSettings,
    /// Why it is muted, where it is.
    pub mute_reason: Option<String>,
}

/// A number as it is used: what is absent, or was kept for another range, is as it comes.
fn number(kept: Option<i64>, limit: Option<cs_model::alert::Limit>) -> u32 {
    let Some(limit) = limit else { return 0 };
    let kept = kept.and_then(|number| u32::try_from(number).ok());
    kept.filter(|number| limit.takes(*number)).unwrap_or(limit.default)
}

/// Every rule that is not as it comes, of every tenant.
///
/// # Errors
///
/// When the database fails.
pub async fn rules(db: &mut SqliteConnection) -> Result<Vec<StoredRule>, RegistryError> {
    let rows = sqlx::query!(
        r#"SELECT tenant_id AS "tenant: Uuid", rule, threshold, window_secs, repeat_secs,
                  contain, muted_until, mute_reason
             FROM alert_rule
            ORDER BY id"#,
    )
    .fetch_all(db)
    .await
    .doing("list the rules of alerts")?;
    let rules = rows.into_iter().map(|row| {
        let rule: AlertRule = word(&row.rule, "the name of a rule")?;
        let settings = AlertSettings {
            threshold: number(row.threshold, rule.threshold()),
            window_secs: number(row.window_secs, rule.window()),
            repeat_secs: number(row.repeat_secs, Some(rule.repeat())),
            contain: row.contain != 0 && rule.can_contain(),
            muted_until: row.muted_until.map(time),
        };
        let tenant = row.tenant.map(TenantId::new);
        Ok(StoredRule { tenant, rule, settings, mute_reason: row.mute_reason })
    });
    rules.collect()
}

/// Sets a rule, but for whether it is muted.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when there is no such tenant.
pub async fn set(
    db: &mut SqliteConnection,
    tenant: Option<TenantId>,
    rule: AlertRule,
    settings: &AlertSettings,
) -> Result<(), RegistryError> {
    let (tenant, name) = (tenant.map(TenantId::uuid), rule.as_str());
    let threshold = rule.threshold().map(|_| i64::from(settings.threshold));
    let window = rule.window().map(|_| i64::from(settings.window_secs));
    let repeat = i64::from(settings.repeat_secs);
    sqlx::query!(
        "INSERT INTO alert_rule (tenant_id, rule, threshold, window_secs, repeat_secs, contain)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (coalesce(tenant_id, x''), rule) DO UPDATE
            SET threshold = excluded.threshold,
                window_secs = excluded.window_secs,
                repeat_secs = excluded.repeat_secs,
                contain = excluded.contain",
        tenant,
        name,
        threshold,
        window,
        repeat,
        settings.contain,
    )
    .execute(db)
    .await
    .creating("this rule", "set the rule")?;
    Ok(())
}

/// Mutes a rule that was [`set`] until a moment, or no longer.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when it was not set.
pub async fn mute(
    db: &mut SqliteConnection,
    tenant: Option<TenantId>,
    rule: AlertRule,
    muted: Option<(Timestamp, &str)>,
) -> Result<(), RegistryError> {
    let (tenant, name) = (tenant.map(TenantId::uuid), rule.as_str());
    let (until, reason) = (muted.map(|it| it.0.millis()), muted.map(|it| it.1));
    let done = sqlx::query!(
        "UPDATE alert_rule
            SET muted_until = ?1, mute_reason = ?2
          WHERE tenant_id IS ?3
            AND rule = ?4",
        until,
        reason,
        tenant,
        name,
    )
    .execute(db)
    .await
    .doing("mute the rule")?;
    one(done.rows_affected(), "rule that was set")
}
