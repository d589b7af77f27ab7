//! How the gateway is to serve, as an operator has set it.

use cs_model::Timestamp;
use cs_model::serving::ServingSettings;
use sqlx::SqliteConnection;

use crate::RegistryError;
use crate::error::Doing as _;
use crate::row::{json, to_json};

/// The settings, once there are any.
///
/// # Errors
///
/// When the database fails.
pub async fn load(db: &mut SqliteConnection) -> Result<Option<ServingSettings>, RegistryError> {
    let settings = sqlx::query_scalar!("SELECT settings FROM serving")
        .fetch_optional(db)
        .await
        .doing("look up how the gateway is to serve")?;
    settings.map(|text| json(&text, "how the gateway is to serve")).transpose()
}

/// Keeps the settings.
///
/// # Errors
///
/// When the database fails.
pub async fn save(
    db: &mut SqliteConnection,
    settings: &ServingSettings,
    at: Timestamp,
) -> Result<(), RegistryError> {
    let (settings, at) = (to_json(settings, "how the gateway is to serve")?, at.millis());
    sqlx::query!(
        "INSERT INTO serving (only_one, settings, changed) VALUES (1, ?1, ?2)
         ON CONFLICT (only_one) DO UPDATE SET settings = excluded.settings,
                                              changed = excluded.changed",
        settings,
        at,
    )
    .execute(db)
    .await
    .doing("set how the gateway is to serve")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Fixture, later};

    #[tokio::test]
    async fn the_settings_are_the_last_that_were_made() {
        let fixture = Fixture::new().await;
        let mut db = fixture.registry.begin().await.unwrap();
        assert_eq!(load(&mut db).await.unwrap(), None);
        let mut settings = ServingSettings {
            listen: ([127, 0, 0, 1], 7411).into(),
            tls: true,
            names: vec!["gateway.example".to_owned()],
            oldest: cs_model::serving::TlsVersion::Tls12,
            durability: cs_model::serving::Durability::Process,
            consoles: Some(([127, 0, 0, 1], 7412).into()),
        };
        for port in [1, 2] {
            settings.listen.set_port(port);
            save(&mut db, &settings, later(1)).await.unwrap();
            assert_eq!(load(&mut db).await.unwrap().as_ref(), Some(&settings));
        }
    }
}
