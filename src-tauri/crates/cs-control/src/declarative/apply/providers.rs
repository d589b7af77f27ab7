//! Makes a tenant's identity providers what a file says.

use std::collections::BTreeMap;

use cs_model::{Name, ProviderId};
use cs_registry::provider::{self, Provider};

use super::One;
use crate::commands::provider::{change, remove};
use crate::declarative::DeclaredProvider;
use crate::failure::ControlError;
use crate::provider::judge;

impl One<'_, '_> {
    /// A secret that settings name need not be there yet, as with servers: until it is, whatever
    /// takes it is refused.
    pub(super) async fn providers(
        &mut self,
        wanted: BTreeMap<Name, DeclaredProvider>,
    ) -> Result<(), ControlError> {
        let tenant = self.doc.id;
        let before = provider::list(self.edit.db(), tenant).await?;
        // First, so that another one can take the issuer over.
        for old in before.iter().filter(|old| !wanted.contains_key(&old.name)) {
            let over = remove(self.edit, old).await?;
            self.after.over.extend(over);
        }
        for (name, DeclaredProvider { enabled, settings }) in wanted {
            judge(&settings).map_err(|flaw| {
                self.wrong(&format!("identity_providers.{name}.{}", flaw.field), &flaw.rule)
            })?;
            let Some(old) = before.iter().find(|old| old.name == name) else {
                let id = ProviderId::from_random(self.core.random()?);
                let created = self.edit.at();
                let new = Provider { id, tenant, name, enabled, settings, created };
                provider::create(self.edit.db(), &new).await?;
                continue;
            };
            let new = Provider { enabled, settings, ..old.clone() };
            if new != *old {
                let over = change(self.edit, old, &new).await?;
                self.after.over.extend(over);
            }
        }
        Ok(())
    }
}
