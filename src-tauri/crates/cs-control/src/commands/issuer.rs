//! The gateway's own token issuer, and its clients.

use std::time::Duration;

use cs_model::document::{AgentDoc, TenantDoc};
use cs_model::identity::TokenAlgorithm;
use cs_model::provider::CONNECT_SCOPE;
use cs_model::state::CredentialKind;
use cs_model::{AgentId, CredentialId, Secret, TaskId, TenantId};
use cs_registry::credential::{self, ClientMethod, NewCredential, Proof};
use cs_registry::issuer::{self as table, Issuer};
use cs_trust::key::{ClientSecret, client_id};
use cs_trust::spiffe::SpiffeId;
use cs_trust::token::KeySet;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::command::Command;
use crate::control::Control;
use crate::core::Core;
use crate::failure::ControlError;
use crate::issuer::{self, Seeds};
use crate::secret_text::ShownOnce;
use crate::view::agent::ClientMethodView;
use crate::view::issuer::{IssuedClient, IssuerKeyView, IssuerView};
use crate::{authority, binding, lifecycle, names, ready, show};

/// Over how many hours is counted what it did.
const HOURS: u32 = 24;

/// How long a client lasts unless said otherwise: 30 days.
const USUAL_SECS: u64 = 30 * 24 * 60 * 60;

/// The longest key set of a client, in bytes.
const MOST_KEYS: usize = 32 * 1024;

/// The gateway's own token issuer, for one tenant.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct IssuerShow {
    /// The tenant.
    pub tenant: TenantId,
}

impl Command for IssuerShow {
    const NAME: &'static str = "issuer_show";
    const NEEDS: Permission = Permission::Look;
    type Answer = IssuerView;

    async fn run(self, control: &Control, _: &Caller) -> Result<IssuerView, ControlError> {
        view(control, &*control.core()?, self.tenant).await
    }
}

/// Has the gateway issue tokens for a tenant, or not any more. When it no longer does, its tokens
/// end at once, and with them the sessions of its clients.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct IssuerSet {
    /// The tenant.
    pub tenant: TenantId,
    /// Whether it issues tokens.
    pub enabled: bool,
    /// How long they live: between 300 and 900 seconds.
    pub token_secs: u64,
}

impl Command for IssuerSet {
    const NAME: &'static str = "issuer_set";
    const NEEDS: Permission = Permission::Edit;
    type Answer = IssuerView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<IssuerView, ControlError> {
        let token_secs = issuer::judge(self.token_secs)?;
        let core = control.core()?;
        let alone = core.hold().await?;
        let before = names::tenant(&core.document(), self.tenant)?.issuer;
        let mut seeds = Seeds::make(&core, Seeds::needed(before, self.enabled))?;
        seeds.keep(&core, self.tenant).await?;
        let mut edit = core.edit_alone(alone, caller).await?;
        let wanted = Issuer { enabled: self.enabled, token_secs };
        let wanted = (Some(wanted), &mut seeds);
        let aside = issuer::settle(&mut edit, self.tenant, wanted).await?;
        edit.enforce("changed the built-in issuer").await?;
        aside.take_effect(&core).await;
        view(control, &core, self.tenant).await
    }
}

/// Has the next key of the gateway's own issuer sign. The one that signed stays published until
/// its last token has ended: no request is refused for it.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct IssuerRotate {
    /// The tenant.
    pub tenant: TenantId,
}

impl Command for IssuerRotate {
    const NAME: &'static str = "issuer_rotate";
    const NEEDS: Permission = Permission::Edit;
    type Answer = IssuerView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<IssuerView, ControlError> {
        let core = control.core()?;
        let alone = core.hold().await?;
        enabled(names::tenant(&core.document(), self.tenant)?)?;
        let mut seeds = Seeds::make(&core, 1)?;
        seeds.keep(&core, self.tenant).await?;
        let mut edit = core.edit_alone(alone, caller).await?;
        issuer::rotate(&mut edit, self.tenant, &mut seeds).await?;
        edit.record().await?;
        view(control, &core, self.tenant).await
    }
}

/// How a new client proves itself.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum NewClientMethod {
    /// A secret that is made here.
    ClientSecret,
    /// An assertion that is signed with its private key.
    PrivateKeyJwt,
    /// A certificate.
    TlsClientAuth,
}

/// Registers a client of the gateway's own token issuer: from now on it gets tokens for its agent.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ClientRegister {
    /// The tenant.
    pub tenant: TenantId,
    /// The agent that its tokens identify.
    pub agent: AgentId,
    /// How it proves itself.
    pub method: NewClientMethod,
    /// Its public keys, a JWK Set as JSON text: for `private_key_jwt`, and for nothing else.
    #[serde(default)]
    #[ts(optional)]
    pub jwks: Option<String>,
    /// The SPIFFE id of its certificate, for `tls_client_auth`; the agent's own when absent.
    #[serde(default)]
    #[ts(optional)]
    pub spiffe: Option<String>,
    /// Seconds; 30 days when absent, 90 at most.
    #[serde(default)]
    #[ts(optional)]
    pub lifetime_secs: Option<u64>,
    /// The tasks that it may declare; all of its agent's when absent.
    #[serde(default)]
    #[ts(optional)]
    pub tasks: Option<Vec<TaskId>>,
    /// The networks that it may be used from (CIDR); all when absent.
    #[serde(default)]
    #[ts(optional)]
    pub networks: Option<Vec<String>>,
}

impl Command for ClientRegister {
    const NAME: &'static str = "client_register";
    const NEEDS: Permission = Permission::Edit;
    type Answer = IssuedClient;

    async fn run(self, control: &Control, caller: &Caller) -> Result<IssuedClient, ControlError> {
        let core = control.core()?;
        let (id, key_id) = (CredentialId::from_random(core.random()?), client_id(core.random()?));
        let mut edit = core.edit(caller).await?;
        let document = core.document();
        let doc = names::tenant(&document, self.tenant)?;
        enabled(doc)?;
        let lifetime = binding::lifetime(doc, self.lifetime_secs, USUAL_SECS)?;
        let agent = binding::agent(doc, self.agent)?;
        let (method, secret) = self.method(&core, doc, agent)?;
        let networks = binding::networks(self.networks)?;
        let tasks = binding::tasks(doc, agent, self.tasks)?;
        let expires = edit.at().after(Duration::from_secs(lifetime));
        let scopes = scopes(&core, doc, agent, tasks.as_ref());
        let new = NewCredential {
            id,
            tenant: self.tenant,
            agent: self.agent,
            proof: Proof::Client { method },
            key_id: key_id.clone(),
            sealed_secret: None,
            networks,
            tasks,
            created: edit.at(),
            expires,
        };
        credential::issue(edit.db(), &new).await?;
        let what = format!("registered client `{key_id}` for `{}`", agent.name);
        let mut event = edit.admin(self.tenant, what);
        (event.agent, event.credential) = (Some(agent.id), Some(id));
        edit.tell(event);
        edit.record().await?;

        let method = match self.method {
            NewClientMethod::ClientSecret => ClientMethodView::ClientSecretBasic,
            NewClientMethod::PrivateKeyJwt => ClientMethodView::PrivateKeyJwt,
            NewClientMethod::TlsClientAuth => ClientMethodView::TlsClientAuth,
        };
        let own = issuer::uri(control, doc);
        let endpoint = ready::endpoint(&lifecycle::expected_address(control), &doc.name, None);
        Ok(IssuedClient {
            id,
            configurations: ready::for_client(&own, &endpoint, &agent.name, &key_id, method),
            client_id: key_id,
            secret: secret.map(ShownOnce::new),
            method,
            expires,
            token_endpoint: format!("{own}/token"),
            issuer: own,
            endpoint,
            scopes,
        })
    }
}

impl ClientRegister {
    /// How the client proves itself, and its secret where it has one.
    fn method(
        &self,
        core: &Core,
        doc: &TenantDoc,
        agent: &AgentDoc,
    ) -> Result<(ClientMethod, Option<Secret>), ControlError> {
        let without = |given: bool, field| {
            let rule = "a client that proves itself like this has none";
            if given { Err(ControlError::invalid(field, rule)) } else { Ok(()) }
        };
        let (jwks, spiffe) = (self.jwks.as_deref(), self.spiffe.as_deref());
        match self.method {
            NewClientMethod::ClientSecret => {
                without(jwks.is_some(), "jwks")?;
                without(spiffe.is_some(), "spiffe")?;
                let made = ClientSecret::from_random(core.random()?);
                Ok((ClientMethod::Secret { digest: made.digest }, Some(made.secret)))
            }
            NewClientMethod::PrivateKeyJwt => {
                without(spiffe.is_some(), "spiffe")?;
                let jwks = keys(jwks.unwrap_or_default())?;
                Ok((ClientMethod::Assertion { jwks }, None))
            }
            NewClientMethod::TlsClientAuth => {
                without(jwks.is_some(), "jwks")?;
                let spiffe = certified(core, doc, agent, spiffe)?;
                Ok((ClientMethod::Certificate { spiffe }, None))
            }
        }
    }
}

/// The public keys of a client, if every one of them can be used.
fn keys(jwks: &str) -> Result<String, ControlError> {
    let wrong = |rule: String| ControlError::invalid("jwks", rule);
    if jwks.is_empty() {
        return Err(wrong("a client that signs assertions has public keys (a JWK Set)".to_owned()));
    }
    if jwks.len() > MOST_KEYS {
        return Err(wrong(format!("the keys of a client have at most {MOST_KEYS} bytes")));
    }
    let read = KeySet::parse(jwks.as_bytes()).map_err(|error| wrong(error.to_string()))?;
    match read.ignored().first() {
        // A private key that was pasted is not kept, and not repeated.
        Some(ignored) => Err(wrong(format!("a key cannot be used: {}", ignored.reason))),
        None => Ok(jwks.to_owned()),
    }
}

/// The SPIFFE id of a client's certificate: one of the agent itself.
fn certified(
    core: &Core,
    doc: &TenantDoc,
    agent: &AgentDoc,
    asked: Option<&str>,
) -> Result<String, ControlError> {
    let named = match asked {
        Some(text) => SpiffeId::parse(text)
            .map_err(|error| ControlError::invalid("spiffe", error.to_string()))?,
        None => SpiffeId {
            trust_domain: authority::trust_domain(core)?,
            tenant: doc.name.clone(),
            agent: agent.name.clone(),
        },
    };
    if named.tenant == doc.name && named.agent == agent.name {
        return Ok(named.to_string());
    }
    let rule = format!("the certificate has to name agent `{}` of this tenant", agent.name);
    Err(ControlError::invalid("spiffe", rule))
}

/// The scopes that a client may ask for.
fn scopes(
    core: &Core,
    doc: &TenantDoc,
    agent: &AgentDoc,
    tasks: Option<&std::collections::BTreeSet<TaskId>>,
) -> Vec<String> {
    let world = std::sync::Arc::clone(&core.world.borrow());
    let mut scopes = vec![CONNECT_SCOPE.to_owned()];
    let tenant = world.policy.tenant(doc.id);
    let found = tenant.and_then(|tenant| Some((tenant, tenant.agent(agent.id)?)));
    if let Some((tenant, agent)) = found {
        let all = tenant.scopes(agent, tasks.unwrap_or(&agent.tasks));
        scopes.extend(all.into_iter().filter(|it| *it != CONNECT_SCOPE).map(str::to_owned));
    }
    scopes
}

/// What needs the issuer to be there.
fn enabled(doc: &TenantDoc) -> Result<(), ControlError> {
    if doc.issuer.is_some_and(|it| it.enabled) {
        return Ok(());
    }
    Err(ControlError::conflict(format!(
        "the built-in issuer of tenant `{}` is disabled; enable it first",
        doc.name
    )))
}

async fn view(
    control: &Control,
    core: &Core,
    tenant: TenantId,
) -> Result<IssuerView, ControlError> {
    let document = core.document();
    let doc = names::tenant(&document, tenant)?;
    let now = core.now();
    let mut db = core.registry.read().await?;
    let keys = table::keys(&mut db, tenant).await?;
    let clients = credential::list(&mut db, tenant).await?;
    let clients = clients.iter().filter(|it| it.proof.kind() == CredentialKind::Client);
    let tally = table::tally(&mut db, tenant, now, HOURS).await?;
    let own = issuer::uri(control, doc);
    let origin = lifecycle::expected_address(control);
    let settings = doc.issuer;
    Ok(IssuerView {
        enabled: settings.is_some_and(|it| it.enabled),
        metadata: format!("{origin}/.well-known/oauth-authorization-server/t/{}/as", doc.name),
        token_endpoint: format!("{own}/token"),
        jwks_uri: format!("{own}/jwks"),
        introspection_endpoint: format!("{own}/introspect"),
        revocation_endpoint: format!("{own}/revoke"),
        issuer: own,
        token_secs: settings.map_or(issuer::USUAL_SECS, |it| it.token_secs).into(),
        keys: keys
            .into_iter()
            .map(|it| IssuerKeyView {
                key_id: it.key_id,
                algorithm: TokenAlgorithm::EdDSA.as_str().to_owned(),
                state: it.state,
                created: it.created,
                retires: it.retires,
            })
            .collect(),
        clients: clients.map(|it| show::credential(doc, it, now)).collect(),
        issued_day: tally.issued,
        refused_day: tally.refused,
    })
}
