//! The web server that is told when calls begin to wait.

use cs_model::Secret;
use cs_registry::webhook::{self, Webhook};
use cs_trust::WebhookKey;
use serde::Deserialize;
use ts_rs::TS;
use uuid::Uuid;

use crate::actor::{Caller, Permission};
use crate::change::Topic;
use crate::command::Command;
use crate::control::Control;
use crate::core::Core;
use crate::failure::ControlError;
use crate::herald;
use crate::provider::address::{Query, check, is_here};
use crate::secret_text::SecretText;
use crate::view::webhook::{NoticeView, WebhookView};

/// The web server that is told when calls begin to wait, and how the last notice fared.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct WebhookShow {}

impl Command for WebhookShow {
    const NAME: &'static str = "webhook_show";
    const NEEDS: Permission = Permission::Look;
    type Answer = WebhookView;

    async fn run(self, control: &Control, _: &Caller) -> Result<WebhookView, ControlError> {
        view(&*control.core()?).await
    }
}

/// Has a web server told when calls begin to wait: how many, and of which tenant.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct WebhookSet {
    /// Its URL: `https`, or `http` on this machine.
    pub url: String,
    /// What notices are signed with from now on: `whsec_` and 24 to 64 bytes in Base64. What they
    /// are signed with already, when absent.
    #[serde(default)]
    #[ts(optional)]
    pub key: Option<SecretText>,
    /// Whether they are not signed any more.
    #[serde(default)]
    #[ts(optional)]
    pub unsigned: Option<bool>,
}

impl Command for WebhookSet {
    const NAME: &'static str = "webhook_set";
    const NEEDS: Permission = Permission::Own;
    type Answer = WebhookView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<WebhookView, ControlError> {
        let Self { url, key, unsigned } = self;
        let unsigned = unsigned.unwrap_or_default();
        judge(&url)?;
        let key = key.map(SecretText::into_secret);
        judge_key(key.as_ref(), unsigned)?;
        let core = control.core()?;
        let alone = core.hold().await?;
        // A key that is not kept must not come to be named.
        let kept = match &key {
            Some(key) => Some(keep(&core, key).await?),
            None => None,
        };
        let mut edit = core.edit_alone(alone, caller).await?;
        let before = webhook::load(edit.db()).await?.and_then(|it| it.key);
        let kept = kept.or(before.filter(|_| !unsigned));
        let signed = if kept.is_some() { "signed" } else { "unsigned" };
        let told = format!("has {} told of waiting calls, {signed}", origin(&url));
        let webhook = Webhook { url, key: kept, changed: edit.at() };
        webhook::save(edit.db(), &webhook).await?;
        edit.say(None, told);
        edit.keep().await?;
        take_effect(&core, before.filter(|it| Some(*it) != kept)).await;
        view(&core).await
    }
}

/// Tells the server once, as a test, that no call waits.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct WebhookTest {}

impl Command for WebhookTest {
    const NAME: &'static str = "webhook_test";
    const NEEDS: Permission = Permission::Own;
    type Answer = WebhookView;

    async fn run(self, control: &Control, _: &Caller) -> Result<WebhookView, ControlError> {
        let core = control.core()?;
        let webhook = webhook::load(&mut *core.registry.read().await?).await?;
        let webhook = webhook.ok_or_else(|| {
            ControlError::conflict("nobody is told of waiting calls; set a web server first")
        })?;
        let origin = origin(&webhook.url).to_owned();
        herald::test(&core, webhook).await.map_err(|problem| ControlError::Upstream {
            message: format!("{origin} did not take the notice: {problem}"),
        })?;
        view(&core).await
    }
}

/// Tells nobody any more.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct WebhookRemove {}

impl Command for WebhookRemove {
    const NAME: &'static str = "webhook_remove";
    const NEEDS: Permission = Permission::Own;
    type Answer = WebhookView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<WebhookView, ControlError> {
        let core = control.core()?;
        let mut edit = core.edit(caller).await?;
        if let Some(before) = webhook::load(edit.db()).await? {
            webhook::remove(edit.db()).await?;
            edit.say(None, "has nobody told of waiting calls");
            edit.keep().await?;
            take_effect(&core, before.key).await;
        }
        view(&core).await
    }
}

/// Says what is wrong with a URL. Which addresses it leads to is seen when it is connected to.
fn judge(url: &str) -> Result<(), ControlError> {
    let rule = match check(url, Query::Allowed, true) {
        Err(rule) => rule,
        Ok(()) if url.starts_with("http://") && !is_here(url) => {
            "an address begins with `https://`; without TLS only this machine is told"
        }
        Ok(()) => return Ok(()),
    };
    Err(ControlError::invalid("url", rule))
}

fn judge_key(key: Option<&Secret>, unsigned: bool) -> Result<(), ControlError> {
    let rule = match key {
        Some(_) if unsigned => "what is signed with a key is not unsigned",
        Some(key) if WebhookKey::read(key).is_none() => {
            "a key is `whsec_` and 24 to 64 bytes in Base64, such as \
             `echo whsec_$(openssl rand -base64 32)` makes"
        }
        Some(_) | None => return Ok(()),
    };
    Err(ControlError::invalid("key", rule))
}

async fn keep(core: &Core, key: &Secret) -> Result<Uuid, ControlError> {
    let id = uuid::Builder::from_random_bytes(core.random()?).into_uuid();
    core.store.put(&herald::key_name(id), key).await?;
    Ok(id)
}

/// Forgets what belonged to the server before.
async fn take_effect(core: &Core, key: Option<Uuid>) {
    if let Some(id) = key
        && let Err(error) = core.store.delete(&herald::key_name(id)).await
    {
        tracing::warn!(%error, "a key that signs no notices any more was not forgotten");
    }
    core.herald.forget();
    core.bell.ring(Topic::Status);
}

/// What of a URL is shown: the path of one may be as good as a password.
fn origin(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at.saturating_add(3));
    let end = url.get(start..).and_then(|rest| rest.find(['/', '?']));
    end.and_then(|end| url.get(..start.saturating_add(end))).unwrap_or(url)
}

async fn view(core: &Core) -> Result<WebhookView, ControlError> {
    let found = webhook::load(&mut *core.registry.read().await?).await?;
    Ok(WebhookView {
        origin: found.as_ref().map(|it| origin(&it.url).to_owned()),
        signed: found.as_ref().is_some_and(|it| it.key.is_some()),
        changed: found.map(|it| it.changed),
        last: core.herald.last().map(|it| NoticeView { at: it.at, problem: it.problem }),
    })
}
