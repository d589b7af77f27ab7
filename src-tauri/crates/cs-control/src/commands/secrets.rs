//! Where secrets are kept.

use std::path::PathBuf;

use cs_registry::credential::{self, Proof};
use cs_registry::secret_place::{self, Moving};
use cs_registry::tenant_secret;
use cs_secrets::{SecretError, VaultPlace};
use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::command::Command;
use crate::control::Control;
use crate::core::Core;
use crate::failure::ControlError;
use crate::keeping::Keeping;
use crate::scan::{Sought, Where};
use crate::secret_text::SecretText;
use crate::view::secrets::{MovingView, SecretsAuditView, SecretsView, VaultAt};
use crate::view::status::SecretKeeping;
use crate::{anchor, moving, operators, scan};

/// Where secrets are kept, whether a move of them is not done, and what a role of Vault has to be
/// allowed.
#[derive(Debug, Default, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct SecretsShow {
    /// The mount that the policy is to be for; that of the place in use, or of the one that a move
    /// goes to, when absent.
    #[serde(default)]
    #[ts(optional)]
    pub mount: Option<String>,
    /// The path below it, in the same way.
    #[serde(default)]
    #[ts(optional)]
    pub path: Option<String>,
}

impl Command for SecretsShow {
    const NAME: &'static str = "secrets_show";
    const NEEDS: Permission = Permission::Look;
    type Answer = SecretsView;

    async fn run(self, control: &Control, _: &Caller) -> Result<SecretsView, ControlError> {
        view(&*control.core()?, self).await
    }
}

/// Moves all secrets to another store: each is copied and read back before any is erased. A move
/// that was begun is gone on with.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct SecretsMove {
    /// What is to keep them.
    pub to: SecretKeeping,
    /// Where Vault is, for that; known already where a move to it is gone on with.
    #[serde(default)]
    #[ts(optional)]
    pub vault: Option<VaultAt>,
    /// An owner's passphrase. It seals the file, where that is to keep them.
    pub owner: SecretText,
}

impl Command for SecretsMove {
    const NAME: &'static str = "secrets_move";
    const NEEDS: Permission = Permission::Own;
    type Answer = SecretsView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<SecretsView, ControlError> {
        let core = control.core()?;
        // Where a move goes, or what was moved is, does not have to be said again.
        let begun =
            moving(&core).await?.map(|(it, other)| if it.copied { core.keeping() } else { other });
        let to = match begun.filter(|it| it.store == self.to && self.vault.is_none()) {
            Some(begun) => begun,
            None => Keeping::chosen(self.to, self.vault.map(VaultAt::place))?,
        };
        let caller = operators::owner(control, caller, Some(&self.owner)).await?;
        moving::run(control, &caller, &to, self.owner.secret()).await?;
        view(&*control.core()?, SecretsShow::default()).await
    }
}

/// Erases the secrets that a move left in the store that they were in before.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct SecretsErase {
    /// Whether they are only to be left where they are from now on, as in a store that nobody
    /// reaches any more. Erasing them there is up to whoever keeps it.
    #[serde(default)]
    #[ts(optional)]
    pub leave: Option<bool>,
    /// An owner's passphrase.
    pub owner: SecretText,
}

impl Command for SecretsErase {
    const NAME: &'static str = "secrets_erase";
    const NEEDS: Permission = Permission::Own;
    type Answer = SecretsView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<SecretsView, ControlError> {
        let caller = operators::owner(control, caller, Some(&self.owner)).await?;
        moving::clear(control, &caller, self.leave.unwrap_or_default()).await?;
        view(&*control.core()?, SecretsShow::default()).await
    }
}

/// Gives a move up whose copies do not count yet, and erases them.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct SecretsStay {
    /// Whether the copies are only to be left where they are, as in a store that nobody reaches
    /// any more. Erasing them there is up to whoever keeps it.
    #[serde(default)]
    #[ts(optional)]
    pub leave: Option<bool>,
    /// An owner's passphrase.
    pub owner: SecretText,
}

impl Command for SecretsStay {
    const NAME: &'static str = "secrets_stay";
    const NEEDS: Permission = Permission::Own;
    type Answer = SecretsView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<SecretsView, ControlError> {
        let caller = operators::owner(control, caller, Some(&self.owner)).await?;
        let how = (self.owner.secret(), self.leave.unwrap_or_default());
        moving::give_up(control, &caller, how).await?;
        view(&*control.core()?, SecretsShow::default()).await
    }
}

/// Looks for every secret of the installation where none may stand: in the home, in files that are
/// named, in the environment and on the command lines of processes.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct SecretsAudit {
    /// More folders and files to look at, such as logs and exports, by their whole paths.
    #[serde(default)]
    #[ts(optional)]
    pub also: Option<Vec<PathBuf>>,
}

impl Command for SecretsAudit {
    const NAME: &'static str = "secrets_audit";
    const NEEDS: Permission = Permission::Own;
    type Answer = SecretsAuditView;

    async fn run(
        self,
        control: &Control,
        caller: &Caller,
    ) -> Result<SecretsAuditView, ControlError> {
        let also = self.also.unwrap_or_default();
        if !also.iter().all(|path| path.is_absolute()) {
            return Err(ControlError::invalid("also", "a place to look at is a whole path"));
        }
        let core = control.core()?;
        let _alone = core.looking.try_lock().map_err(|_| {
            ControlError::conflict("somebody is looking already; wait until that is done")
        })?;
        let places = match also.as_slice() {
            [] => String::new(),
            also => format!(
                ", also in {}",
                also.iter().map(|it| it.display().to_string()).collect::<Vec<_>>().join(", ")
            ),
        };
        let sought = sought(&core).await?;
        let home = &control.inner().home;
        let paths = [vec![home.path().to_owned()], also].concat();
        let place = Where { paths, but: home.sealed_secrets() };
        let doing = "look for secrets";
        let view = tokio::task::spawn_blocking(move || scan::run(&sought, &place))
            .await
            .map_err(|source| ControlError::internal(doing, source))?
            .map_err(|source| ControlError::internal(doing, source))?;
        let mut edit = core.edit(caller).await?;
        let found = match view.found.len() {
            0 => "in no place".to_owned(),
            1 => "in 1 place".to_owned(),
            more => format!("in {more} places"),
        };
        edit.say(None, format!("looked for secrets where none may stand{places}: found {found}"));
        edit.keep().await?;
        Ok(view)
    }
}

/// Every secret that the installation can open.
async fn sought(core: &Core) -> Result<Vec<Sought>, ControlError> {
    let vault = core.vault()?;
    let mut db = core.registry.read().await?;
    let mut all = Vec::new();
    let names = moving::names(&mut db).await?;
    let damaged = |source| ControlError::internal("open a secret", source);
    for doc in &core.document().tenants {
        for found in credential::list(&mut db, doc.id).await? {
            if !matches!(found.proof, Proof::ApiKey) {
                continue;
            }
            let sealed = credential::sealed_secret(&mut db, found.id).await?.sealed;
            let secret = vault.open_api_key(doc.id, found.id, &sealed).map_err(damaged)?;
            all.push(Sought { what: format!("API key {}", found.key_id), secret });
        }
        for name in tenant_secret::names(&mut db, doc.id).await? {
            let found = tenant_secret::find(&mut db, doc.id, &name).await?;
            let secret = vault.open_tenant_secret(doc.id, found.id, &found.sealed);
            let what = format!("secret `{name}` of `{}`", doc.name);
            all.push(Sought { what, secret: secret.map_err(damaged)? });
        }
    }
    // A store may keep whoever asks waiting, and those who read the registry are few.
    drop(db);
    for moving::Name { name, .. } in names {
        match core.store.get(&name).await {
            // What it has are digests.
            Ok(_) if name == anchor::NAME => {}
            Ok(secret) => all.push(Sought { what: name, secret }),
            Err(SecretError::Missing { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(all)
}

/// The move that is not done, and what it goes to or left behind.
async fn moving(core: &Core) -> Result<Option<(Moving, Keeping)>, ControlError> {
    let found = secret_place::moving(&mut *core.registry.read().await?).await?;
    found.map(|it| Keeping::of(&it.other).map(|other| (it, other))).transpose()
}

async fn view(core: &Core, wanted: SecretsShow) -> Result<SecretsView, ControlError> {
    let keeping = core.keeping();
    let moving = moving(core).await?;
    let goes = moving.as_ref().filter(|(it, _)| !it.copied).map(|(_, other)| other);
    let vault = goes.and_then(|it| it.vault.as_ref()).or(keeping.vault.as_ref());
    let known = vault.map(|it| (it.mount.clone(), it.path.clone()));
    let (mount, path) = known.unwrap_or_else(VaultAt::usual);
    let (mount, path) = (wanted.mount.unwrap_or(mount), wanted.path.unwrap_or(path));
    let instance = core.registry.instance().id.to_string();
    let policy = VaultPlace::policy(&mount, &path, &instance)
        .map_err(|rule| ControlError::invalid("path", rule))?;
    let moving = moving.as_ref().map(|(it, other)| MovingView {
        copied: it.copied,
        other: other.store,
        vault: other.vault.as_ref().map(VaultAt::of),
        began: it.began,
    });
    let vault = keeping.vault.as_ref().map(VaultAt::of);
    Ok(SecretsView { store: keeping.store, policy, vault, moving })
}
