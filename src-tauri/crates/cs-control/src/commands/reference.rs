//! The reference matrix: scopes and data systems beside roles and tools.

use std::collections::BTreeSet;

use cs_model::{Rate, TenantId, ToolId};
use cs_registry::{credential, tool};
use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::command::Command;
use crate::control::Control;
use crate::failure::ControlError;
use crate::provider::{SCOPE_RULE, is_plain, is_scope};
use crate::view::matrix::Enforced;
use crate::view::reference::{MatrixFormat, MatrixText, ReferenceView, SavedFile};
use crate::{exports, lifecycle, names, reference};

/// The most scopes of one tool.
const MOST_SCOPES: usize = 32;

/// The longest name of a data system.
const LONGEST_SYSTEM: usize = 200;

/// Says which scopes an access token needs to call a tool, which data system is behind it, and
/// whether its provider is asked about it on each call.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ToolDescribe {
    /// The tenant.
    pub tenant: TenantId,
    /// The tool.
    pub tool: ToolId,
    /// The scopes. All of them are needed.
    pub scopes: Vec<String>,
    /// The data system behind it, in the tenant's own words; none when absent.
    #[serde(default)]
    #[ts(optional)]
    pub data_system: Option<String>,
    /// Whether the provider of an access token is asked about it on each call; as before when
    /// absent.
    #[serde(default)]
    #[ts(optional)]
    pub introspect: Option<bool>,
}

impl Command for ToolDescribe {
    const NAME: &'static str = "tool_describe";
    const NEEDS: Permission = Permission::Edit;
    type Answer = Enforced;

    async fn run(self, control: &Control, caller: &Caller) -> Result<Enforced, ControlError> {
        let scopes: BTreeSet<String> = self.scopes.into_iter().collect();
        let system = self.data_system;
        judge(&scopes, system.as_deref())
            .map_err(|(field, rule)| ControlError::invalid(field, rule))?;
        let core = control.core()?;
        let mut edit = core.edit(caller).await?;
        let found = tool::find(edit.db(), self.tenant, self.tool).await?;
        let system = system.as_deref();
        let asks = self.introspect.unwrap_or(found.introspect);
        tool::describe(edit.db(), self.tenant, self.tool, &scopes, system, asks).await?;
        edit.enforce(&format!("described tool `{}`", found.name)).await
    }
}

/// Says how often each agent may call a tool.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ToolSetRate {
    /// The tenant.
    pub tenant: TenantId,
    /// The tool.
    pub tool: ToolId,
    /// How often; as often as it likes when absent.
    #[serde(default)]
    #[ts(optional)]
    pub rate: Option<Rate>,
}

impl Command for ToolSetRate {
    const NAME: &'static str = "tool_set_rate";
    const NEEDS: Permission = Permission::Edit;
    type Answer = Enforced;

    async fn run(self, control: &Control, caller: &Caller) -> Result<Enforced, ControlError> {
        let core = control.core()?;
        let mut edit = core.edit(caller).await?;
        let found = tool::find(edit.db(), self.tenant, self.tool).await?;
        tool::set_rate(edit.db(), self.tenant, self.tool, self.rate).await?;
        edit.enforce(&format!("set how often tool `{}` may be called", found.name)).await
    }
}

/// Says what is wrong with the scopes and the data system of a tool: the field, and the rule.
pub(crate) fn judge(
    scopes: &BTreeSet<String>,
    data_system: Option<&str>,
) -> Result<(), (&'static str, String)> {
    if scopes.len() > MOST_SCOPES {
        return Err(("scopes", format!("a tool needs at most {MOST_SCOPES} scopes")));
    }
    if !scopes.iter().all(|it| is_scope(it)) {
        return Err(("scopes", SCOPE_RULE.to_owned()));
    }
    let spaced = |it: &str| it.trim() != it;
    if data_system.is_some_and(|it| spaced(it) || !is_plain(it, LONGEST_SYSTEM)) {
        let rule = format!(
            "a data system is named by between 1 and {LONGEST_SYSTEM} characters, none of them \
             invisible"
        );
        return Err(("data_system", rule));
    }
    Ok(())
}

/// The reference matrix of a tenant.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ReferenceMatrix {
    /// The tenant.
    pub tenant: TenantId,
}

impl Command for ReferenceMatrix {
    const NAME: &'static str = "reference_matrix";
    const NEEDS: Permission = Permission::Look;
    type Answer = ReferenceView;

    async fn run(self, control: &Control, _: &Caller) -> Result<ReferenceView, ControlError> {
        let document = control.core()?.document();
        let doc = names::tenant(&document, self.tenant)?;
        Ok(ReferenceView { policy_version: document.version, rows: reference::rows(doc) })
    }
}

/// The reference matrix as a file: a table, or what an identity provider has to know.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct MatrixExport {
    /// The tenant.
    pub tenant: TenantId,
    /// What it is written as.
    pub format: MatrixFormat,
}

impl Command for MatrixExport {
    const NAME: &'static str = "matrix_export";
    const NEEDS: Permission = Permission::Look;
    type Answer = MatrixText;

    async fn run(self, control: &Control, _: &Caller) -> Result<MatrixText, ControlError> {
        written(control, self.tenant, self.format).await
    }
}

/// Writes the reference matrix into a file, in the folder `exports` of the home. An older file of
/// the same name is replaced.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct MatrixSave {
    /// The tenant.
    pub tenant: TenantId,
    /// What it is written as.
    pub format: MatrixFormat,
}

impl Command for MatrixSave {
    const NAME: &'static str = "matrix_save";
    const NEEDS: Permission = Permission::Look;
    type Answer = SavedFile;

    async fn run(self, control: &Control, _: &Caller) -> Result<SavedFile, ControlError> {
        let file = written(control, self.tenant, self.format).await?;
        let path = exports::save(control.inner().home.exports(), file.file_name, file.text).await?;
        Ok(SavedFile { path: path.display().to_string() })
    }
}

/// The reference matrix as text.
async fn written(
    control: &Control,
    tenant: TenantId,
    format: MatrixFormat,
) -> Result<MatrixText, ControlError> {
    let core = control.core()?;
    let document = core.document();
    let doc = names::tenant(&document, tenant)?;
    let (text, ending) = match format {
        MatrixFormat::Csv => {
            (reference::csv(doc.name.as_str(), &reference::rows(doc)), "matrix.csv")
        }
        MatrixFormat::Idp => {
            let mut db = core.registry.read().await?;
            let credentials = credential::list(&mut db, tenant).await?;
            let place = reference::Place {
                origin: lifecycle::expected_address(control),
                policy_version: document.version,
                now: core.now(),
            };
            (reference::idp(doc, &credentials, &place)?, "identity-provider.json")
        }
    };
    Ok(MatrixText { format, file_name: format!("{}-{ending}", doc.name), text })
}
