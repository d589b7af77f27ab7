//! The gateway's own token issuer, tenant by tenant: its keys, and what becomes of them.
//!
//! There are keys only while it is enabled: one signs, one is published and signs next. One that
//! was retired stays published until the last token that it signed has ended. Public keys are in
//! the registry, private ones in the secret store. An issuer that is disabled loses all of them, so
//! that no token of before comes back with it.

use std::collections::BTreeMap;
use std::time::Duration;

use cs_gateway::world::{OwnIssuer, OwnIssuers};
use cs_model::document::{IssuerDoc, TenantDoc};
use cs_model::revocation::Revoked;
use cs_model::state::{CredentialKind, IssuerKeyState, SessionEnd};
use cs_model::{Document, Secret, TenantId};
use cs_registry::issuer::{self, Issuer, Key};
use cs_registry::{SqliteConnection, credential, session};
use cs_trust::token::IssuerKey;
use serde_json::{Value, json};

use crate::control::Control;
use crate::core::Core;
use crate::edit::Edit;
use crate::failure::ControlError;
use crate::lifecycle;
use crate::over::Over;

/// How long the tokens of an issuer live unless said otherwise, in seconds.
pub(crate) const USUAL_SECS: u32 = 600;

/// The shortest and the longest time, in seconds.
const LEAST_SECS: u32 = 300;
const MOST_SECS: u32 = 900;

/// How long after its last signature nothing that a key has signed can be alive any more: the
/// longest life of a token, and a minute for whoever was about to sign.
const RETIRING: Duration = Duration::from_secs(960);

/// Under which name the secret store has the seed of a key.
pub(crate) fn seed_name(tenant: TenantId, key_id: &str) -> String {
    format!("issuer/{tenant}/{key_id}")
}

/// The issuer of a tenant, as its tokens name it.
pub(crate) fn uri(control: &Control, doc: &TenantDoc) -> String {
    format!("{}/t/{}/as", lifecycle::expected_address(control), doc.name)
}

/// Says what is wrong with how long tokens are to live.
pub(crate) fn judge(token_secs: u64) -> Result<u32, ControlError> {
    let secs = u32::try_from(token_secs).ok();
    secs.filter(|secs| (LEAST_SECS..=MOST_SECS).contains(secs)).ok_or_else(|| {
        let rule = format!("a token lives between {LEAST_SECS} and {MOST_SECS} seconds");
        ControlError::invalid("token_secs", rule)
    })
}

/// Keys that a tenant's issuer is to have. The secret store keeps their seeds before the change
/// begins: a key that nobody can sign with must not come to be, and waiting for the store within a
/// change would keep every call from its record.
#[derive(Debug)]
pub(crate) struct Seeds(Vec<(IssuerKey, Secret)>);

impl Seeds {
    /// Makes this many keys.
    pub(crate) fn make(core: &Core, count: usize) -> Result<Self, ControlError> {
        if count > 0 {
            core.vault()?;
        }
        let one = |_| {
            let seed = Secret::new(core.random::<32>()?.to_vec());
            let key = IssuerKey::open(&seed)
                .map_err(|source| ControlError::internal("make a key of the issuer", source))?;
            Ok((key, seed))
        };
        (0..count).map(one).collect::<Result<_, _>>().map(Self)
    }

    /// How many an issuer needs to become what is wanted.
    pub(crate) fn needed(before: Option<IssuerDoc>, wanted: bool) -> usize {
        if wanted && !before.is_some_and(|it| it.enabled) { 2 } else { 0 }
    }

    /// Has the secret store keep them, for this tenant.
    pub(crate) async fn keep(&self, core: &Core, tenant: TenantId) -> Result<(), ControlError> {
        for (key, seed) in &self.0 {
            core.store.put(&seed_name(tenant, key.id()), seed).await?;
        }
        Ok(())
    }

    /// Forgets those that nothing came of.
    pub(crate) async fn forget(self, core: &Core, tenant: TenantId) {
        forget(core, self.0.iter().map(|(key, _)| seed_name(tenant, key.id())).collect()).await;
    }
}

/// What has to be done with the secret store and the gateway after a change.
#[derive(Debug, Default)]
#[must_use = "the seeds of keys that are gone are kept, and sessions that are over go on"]
pub(crate) struct Aside {
    gone: Vec<String>,
    over: Vec<Over>,
}

impl Aside {
    /// Forgets the seeds of keys that are gone, and cuts off whose sessions are over. To be done
    /// after the change was made.
    pub(crate) async fn take_effect(self, core: &Core) {
        forget(core, self.gone).await;
        for over in self.over {
            over.take_effect(core).await;
        }
    }
}

async fn forget(core: &Core, seeds: Vec<String>) {
    for name in seeds {
        if let Err(error) = core.store.delete(&name).await {
            tracing::warn!(%error, name, "the seed of a key that is gone was not forgotten");
        }
    }
}

/// Sets a tenant's issuer up, or forgets it, in an edit that is still to be enforced. One that no
/// longer issues loses its keys, and the sessions of its clients end.
pub(crate) async fn settle(
    edit: &mut Edit<'_>,
    tenant: TenantId,
    (wanted, seeds): (Option<Issuer>, &mut Seeds),
) -> Result<Aside, ControlError> {
    let mut aside = Aside::default();
    let before = issuer::find(edit.db(), tenant).await?;
    let issues = |it: Option<Issuer>| it.is_some_and(|it| it.enabled);
    match wanted {
        Some(wanted) => issuer::set(edit.db(), tenant, wanted).await?,
        None => issuer::remove(edit.db(), tenant).await?,
    }
    match (issues(before), issues(wanted)) {
        (false, true) => {
            aside.gone.extend(drop_keys(edit, tenant).await?);
            for state in [IssuerKeyState::Signing, IssuerKeyState::Next] {
                add(edit, tenant, state, seeds).await?;
            }
        }
        (true, false) => {
            aside.gone.extend(drop_keys(edit, tenant).await?);
            end_sessions(edit, tenant, &mut aside.over).await?;
        }
        (false, false) | (true, true) => {}
    }
    Ok(aside)
}

async fn drop_keys(edit: &mut Edit<'_>, tenant: TenantId) -> Result<Vec<String>, ControlError> {
    let ids = issuer::remove_keys(edit.db(), tenant).await?;
    Ok(ids.iter().map(|id| seed_name(tenant, id)).collect())
}

/// Enters one of the keys whose seeds are kept.
async fn add(
    edit: &mut Edit<'_>,
    tenant: TenantId,
    state: IssuerKeyState,
    seeds: &mut Seeds,
) -> Result<(), ControlError> {
    let changed = || ControlError::conflict("the issuer changed meanwhile; try again");
    let (made, _) = seeds.0.pop().ok_or_else(changed)?;
    let key = Key {
        tenant,
        key_id: made.id().to_owned(),
        public_jwk: made.public_jwk().to_string(),
        state,
        created: edit.at(),
        retires: None,
    };
    Ok(issuer::add_key(edit.db(), &key).await?)
}

/// Ends the sessions of all clients of a tenant's issuer.
async fn end_sessions(
    edit: &mut Edit<'_>,
    tenant: TenantId,
    over: &mut Vec<Over>,
) -> Result<(), ControlError> {
    let (at, why) = (edit.at(), SessionEnd::Credential);
    let all = credential::list(edit.db(), tenant).await?;
    for client in all.iter().filter(|it| it.proof.kind() == CredentialKind::Client) {
        let ended = session::end_of_credential(edit.db(), tenant, client.id, why, at).await?;
        if !ended.is_empty() {
            over.push(Over::of(edit, tenant, ended, why).await?);
        }
    }
    Ok(())
}

/// Has the next key sign, and makes another next one, in an edit that is still to be recorded.
pub(crate) async fn rotate(
    edit: &mut Edit<'_>,
    tenant: TenantId,
    seeds: &mut Seeds,
) -> Result<(), ControlError> {
    let retires = edit.at().after(RETIRING);
    issuer::advance(edit.db(), tenant, retires).await?;
    add(edit, tenant, IssuerKeyState::Next, seeds).await?;
    edit.say(Some(tenant), "rotated the keys of the built-in issuer");
    Ok(())
}

/// Puts another key in the place of one that is revoked, so that what is issued from now on is not
/// refused. It takes one seed at most.
pub(crate) async fn replace(
    edit: &mut Edit<'_>,
    tenant: TenantId,
    revoked: &Revoked,
    seeds: &mut Seeds,
) -> Result<Aside, ControlError> {
    let Revoked::Key { key_id, .. } = revoked else { return Ok(Aside::default()) };
    let keys = issuer::keys(edit.db(), tenant).await?;
    match keys.iter().find(|it| it.key_id == *key_id).map(|it| it.state) {
        Some(IssuerKeyState::Signing) => {
            rotate(edit, tenant, seeds).await?;
            Ok(Aside::default())
        }
        Some(IssuerKeyState::Next) => {
            issuer::remove_next(edit.db(), tenant).await?;
            add(edit, tenant, IssuerKeyState::Next, seeds).await?;
            Ok(Aside { gone: vec![seed_name(tenant, key_id)], over: Vec::new() })
        }
        Some(IssuerKeyState::Retiring) | None => Ok(Aside::default()),
    }
}

/// Forgets the keys of which no token can be alive any more.
pub(crate) async fn forget_retired(core: &Core) -> Result<(), ControlError> {
    let now = core.now();
    let due: Vec<Key> = {
        let mut db = core.registry.read().await?;
        let all = issuer::all_keys(&mut db).await?;
        all.into_iter().filter(|it| it.retires.is_some_and(|at| at <= now)).collect()
    };
    if due.is_empty() {
        return Ok(());
    }
    let correlation = cs_model::CorrelationId::from_random(core.random()?);
    let mut edit = core.edit_as(cs_model::event::Actor::System, correlation).await?;
    for key in &due {
        issuer::remove_retired(edit.db(), key.tenant, &key.key_id, now).await?;
        let what = format!("took key `{}` of the built-in issuer back", key.key_id);
        edit.say(Some(key.tenant), what);
    }
    edit.record().await?;
    forget(core, due.iter().map(|it| seed_name(it.tenant, &it.key_id)).collect()).await;
    Ok(())
}

/// The issuers that are enabled, as the gateway knows them.
pub(crate) async fn own(
    db: &mut SqliteConnection,
    document: &Document,
) -> Result<OwnIssuers, ControlError> {
    let mut keys: BTreeMap<TenantId, Vec<Key>> = BTreeMap::new();
    for key in issuer::all_keys(db).await? {
        keys.entry(key.tenant).or_default().push(key);
    }
    let mut issuers = OwnIssuers::default();
    for doc in &document.tenants {
        let Some(settings) = doc.issuer.filter(|it| it.enabled) else { continue };
        let keys = keys.remove(&doc.id).unwrap_or_default();
        let signing = keys.iter().find(|it| it.state == IssuerKeyState::Signing);
        // A policy that came without its keys: nothing could be signed.
        let Some(signing) = signing.map(|it| it.key_id.clone()) else { continue };
        let published: Result<Vec<Value>, _> =
            keys.iter().map(|it| serde_json::from_str(&it.public_jwk)).collect();
        let published =
            published.map_err(|source| ControlError::internal("read the issuer's keys", source))?;
        let jwks = json!({ "keys": published }).to_string();
        let place = (doc.id, doc.name.clone());
        let made = OwnIssuer::new(place, settings.token_secs, signing, jwks)
            .map_err(|source| ControlError::internal("read the issuer's keys", source))?;
        issuers.insert(made);
    }
    Ok(issuers)
}
