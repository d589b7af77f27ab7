//! The registry as a file.

use cs_registry::{operator, server, template};
use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::command::Command;
use crate::commands::template::begin_anew;
use crate::control::Control;
use crate::declarative::{self, DeclaredOrigin, Reached};
use crate::failure::ControlError;
use crate::operators;
use crate::secret_text::SecretText;
use crate::view::declared::{AppliedView, DeclaredView};

/// Writes the registry down as a file that `apply` takes. There is no secret in it.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Export {}

impl Command for Export {
    const NAME: &'static str = "export";
    const NEEDS: Permission = Permission::Look;
    type Answer = DeclaredView;

    async fn run(self, control: &Control, _: &Caller) -> Result<DeclaredView, ControlError> {
        let core = control.core()?;
        let mut db = core.registry.read().await?;
        let document = cs_registry::document::load(&mut db).await?;
        let servers = server::all(&mut db).await?.into_iter();
        let origins = template::origins(&mut db).await?.into_iter();
        let templates = template::list(&mut db).await?.into_iter();
        let operators =
            operator::list(&mut db).await?.into_iter().filter(|it| it.removed.is_none());
        let origin = |it: template::Origin| {
            (it.server, DeclaredOrigin { template: it.template, settings: it.settings })
        };
        let reached = Reached {
            templates: templates.map(|it| (it.name, it.transport)).collect(),
            servers: servers.map(|it| (it.id, it.transport)).collect(),
            origins: origins.map(origin).collect(),
            operators: operators.map(|it| (it.id, it.name)).collect(),
        };
        let declared = declarative::declare(&document, reached)?;
        Ok(DeclaredView { text: declarative::write(&declared)? })
    }
}

/// Makes the registry what a file says, all or nothing. What the file does not have is removed.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Apply {
    /// The file, in YAML.
    pub text: String,
    /// Whether only to say what would change.
    pub dry_run: bool,
    /// An owner's passphrase. A file that asks less of those who sign takes it, where no operator
    /// is at the console.
    #[serde(default)]
    #[ts(optional)]
    pub owner: Option<SecretText>,
}

impl Command for Apply {
    const NAME: &'static str = "apply";
    const NEEDS: Permission = Permission::Edit;
    type Answer = AppliedView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<AppliedView, ControlError> {
        let declared = declarative::read(&self.text)?;
        let caller = operators::owner_if_said(control, caller, self.owner.as_ref()).await?;
        let core = control.core()?;
        let alone = core.hold().await?;
        let mut ready = declarative::Ready::make(&core, &declared)?;
        if !self.dry_run {
            ready.keep(&core).await?;
        }
        let mut edit = core.edit_alone(alone, &caller).await?;
        let after = match declarative::apply(&core, &mut edit, declared, &mut ready).await {
            Ok(after) => after,
            Err(error) => {
                drop(edit);
                if !self.dry_run {
                    ready.forget(&core).await;
                }
                return Err(error);
            }
        };
        let changes = edit.changes().await?;
        if self.dry_run || changes.is_empty() {
            let policy_version = core.document().version;
            return Ok(AppliedView { changes, applied: !self.dry_run, policy_version });
        }
        let enforced = edit.enforce("applied a registry file").await?;
        for aside in after.issuers {
            aside.take_effect(&core).await;
        }
        for over in after.over {
            over.take_effect(&core).await;
        }
        if let Some(gateway) = core.gateway() {
            for (tenant, server) in after.gone {
                gateway.forget_server(tenant, server).await;
            }
        }
        begin_anew(&core, after.anew).await;
        let policy_version = enforced.policy_version;
        Ok(AppliedView { changes, applied: true, policy_version })
    }
}
