//! What is got ready before a file is applied.

use std::collections::BTreeMap;

use cs_model::{Name, TenantId};

use crate::core::Core;
use crate::declarative::Declared;
use crate::failure::ControlError;
use crate::issuer::Seeds;

/// What each tenant of a file is called inside, and the keys that its issuer is to have: got ready
/// before the change begins.
#[derive(Debug)]
pub(crate) struct Ready(BTreeMap<Name, (TenantId, Seeds)>);

impl Ready {
    /// To be asked for by whoever [holds](Core::hold) changes off.
    pub(crate) fn make(core: &Core, declared: &Declared) -> Result<Self, ControlError> {
        let before = core.document();
        let mut all = BTreeMap::new();
        for (name, wanted) in &declared.tenants {
            let found = before.tenants.iter().find(|doc| doc.name == *name);
            let id = match found {
                Some(doc) => doc.id,
                None => TenantId::from_random(core.random()?),
            };
            let enabled = wanted.issuer.as_ref().is_some_and(|it| it.enabled);
            let count = Seeds::needed(found.and_then(|doc| doc.issuer), enabled);
            all.insert(name.clone(), (id, Seeds::make(core, count)?));
        }
        Ok(Self(all))
    }

    /// Has the secret store keep the keys.
    pub(crate) async fn keep(&self, core: &Core) -> Result<(), ControlError> {
        for (id, seeds) in self.0.values() {
            seeds.keep(core, *id).await?;
        }
        Ok(())
    }

    /// Forgets the keys that nothing came of.
    pub(crate) async fn forget(self, core: &Core) {
        for (id, seeds) in self.0.into_values() {
            seeds.forget(core, id).await;
        }
    }

    pub(super) fn of(&mut self, name: &Name) -> Result<(TenantId, &mut Seeds), ControlError> {
        let found = self.0.get_mut(name).ok_or(ControlError::NotFound { what: "tenant" })?;
        Ok((found.0, &mut found.1))
    }
}
