//! What the running gateway knows of identity providers and their tokens.

use std::sync::Arc;

use cs_gateway::world;
use cs_gateway::{DiscoveryError, Gateway};
use cs_model::provider::ProviderPreset;
use cs_model::text::neutralise;
use cs_model::{ProviderId, TaskId, TenantId};
use serde::Deserialize;
use ts_rs::TS;

use super::provider::{find, one};
use crate::actor::{Caller, Permission};
use crate::command::Command;
use crate::control::Control;
use crate::core::Core;
use crate::failure::ControlError;
use crate::names;
use crate::provider::{judge, judge_issuer, preset};
use crate::secret_text::SecretText;
use crate::view::provider::{DiscoveredProvider, ProviderView, TokenCheck, TokenReport};

/// The most bytes of a token that is tried: those that the gateway reads.
const MOST_TOKEN: usize = 8 * 1024;

/// Asks an identity provider what it says of itself, and suggests settings. Changes nothing.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ProviderDiscover {
    /// Its issuer, letter by letter.
    pub issuer: String,
    /// Which product it is.
    pub preset: ProviderPreset,
    /// Whether it may be at a private address, or on this machine.
    pub private_network: bool,
}

impl Command for ProviderDiscover {
    const NAME: &'static str = "provider_discover";
    const NEEDS: Permission = Permission::Edit;
    type Answer = DiscoveredProvider;

    async fn run(self, control: &Control, _: &Caller) -> Result<DiscoveredProvider, ControlError> {
        let Self { issuer, preset: product, private_network } = self;
        judge_issuer(&issuer, private_network)
            .map_err(|rule| ControlError::invalid("issuer", rule))?;
        let core = control.core()?;
        let found = gateway(&core)?.fetch_metadata(&issuer, private_network).await;
        let found = found.map_err(|error| explain(&error))?;
        let mut suggested = preset(product, &issuer, &found.jwks_uri);
        suggested.settings.private_network = private_network;
        let mut note = |text: String| suggested.notes.push(text);
        // What it says of itself is refused by the same rules as what somebody types.
        if let Err(flaw) = judge(&suggested.settings) {
            let said = neutralise(&found.jwks_uri, 200);
            let message = format!("its keys are at `{said}`: {}", flaw.rule);
            return Err(ControlError::Upstream { message });
        }
        note(format!("Found at {}.", neutralise(&found.url, 300)));
        if let Some(endpoint) = &found.introspection_endpoint {
            note(format!("It can be asked about tokens at {}.", neutralise(endpoint, 300)));
        }
        if found.dpop {
            note("It can bind tokens to a key of the client's (DPoP).".to_owned());
        }
        if found.certificates {
            note("It can bind tokens to the client's certificate.".to_owned());
        }
        Ok(DiscoveredProvider { settings: suggested.settings, notes: suggested.notes })
    }
}

/// Says what would become of a token, check by check. Nothing is let in by it, and it is not kept.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ProviderTest {
    /// The tenant.
    pub tenant: TenantId,
    /// The provider; it need not be enabled.
    pub provider: ProviderId,
    /// The token.
    pub token: SecretText,
    /// The task at whose endpoint it is presented; at the one without a task when absent.
    #[serde(default)]
    #[ts(optional)]
    pub task: Option<TaskId>,
}

impl Command for ProviderTest {
    const NAME: &'static str = "provider_test";
    const NEEDS: Permission = Permission::Edit;
    type Answer = TokenReport;

    async fn run(self, control: &Control, _: &Caller) -> Result<TokenReport, ControlError> {
        let core = control.core()?;
        let document = core.document();
        let doc = names::tenant(&document, self.tenant)?;
        let task = self.task.map(|id| {
            let found = doc.tasks.iter().find(|it| it.id == id);
            found.map(|it| it.name.as_str()).ok_or(ControlError::NotFound { what: "task" })
        });
        let task = task.transpose()?;
        let found = doc.providers.iter().find(|it| it.id == self.provider);
        let found = found.ok_or(ControlError::NotFound { what: "identity provider" })?;
        let provider = world::Provider {
            id: found.id,
            tenant: doc.id,
            name: found.name.clone(),
            settings: found.settings.clone(),
            keys: None,
        };
        let token = self.token.trimmed(MOST_TOKEN).ok_or_else(|| {
            ControlError::invalid("token", "a token has between 1 and 8192 characters")
        })?;
        let report = gateway(&core)?.examine_token(&provider, token, task).await;
        let agent = report.agent.and_then(|id| doc.agents.iter().find(|it| it.id == id));
        Ok(TokenReport {
            verdict: report.verdict,
            checks: report
                .checks
                .into_iter()
                .map(|it| TokenCheck { name: it.name, passed: it.passed, detail: it.detail })
                .collect(),
            agent: report.agent,
            agent_name: agent.map(|it| it.name.to_string()),
            roles: report.roles,
            tasks: report.tasks,
            scopes: report.scopes,
        })
    }
}

/// Fetches the keys of an identity provider now.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ProviderRefresh {
    /// The tenant.
    pub tenant: TenantId,
    /// The provider.
    pub provider: ProviderId,
}

impl Command for ProviderRefresh {
    const NAME: &'static str = "provider_refresh";
    const NEEDS: Permission = Permission::Edit;
    type Answer = ProviderView;

    async fn run(self, control: &Control, _: &Caller) -> Result<ProviderView, ControlError> {
        let core = control.core()?;
        let found = {
            let mut db = core.registry.read().await?;
            find(&mut db, self.tenant, self.provider).await?
        };
        if gateway(&core)?.provider_refresh(self.tenant, found.id).await.is_none() {
            return Err(ControlError::conflict(format!(
                "identity provider `{}` is disabled, so its keys are not fetched; enable it first",
                found.name
            )));
        }
        one(&core, self.tenant, found.id).await
    }
}

/// The gateway, which is the only one to reach identity providers.
fn gateway(core: &Core) -> Result<Arc<Gateway>, ControlError> {
    core.gateway().ok_or_else(|| ControlError::Unavailable {
        message: "only a gateway that serves reaches identity providers; start it, or run \
                  `countersign serve`"
            .to_owned(),
        source: None,
    })
}

fn explain(error: &DiscoveryError) -> ControlError {
    let said = neutralise(&error.to_string(), 600);
    ControlError::Upstream {
        message: format!("{said}; check the issuer, or enter the settings by hand"),
    }
}
