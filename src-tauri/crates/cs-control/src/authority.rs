//! The installation's authorities: one for the agents of each tenant, one for the gateway
//! itself, one for consoles on other machines.
//!
//! Their certificates are in the registry, their keys in the secret store. Each is made when it is
//! needed for the first time.

use std::time::Duration;

use cs_model::document::TenantDoc;
use cs_model::{Secret, TenantId};
use cs_registry::{authority, console};
use cs_trust::Authority;
use cs_trust::spiffe::{SpiffeError, SpiffePrefix, TrustDomain};

use crate::core::Core;
use crate::edit::Edit;
use crate::failure::ControlError;

/// The most authorities of one tenant that are believed at a time.
const MOST_STANDING: usize = 4;

/// Under which name the secret store has the key of the gateway's own authority.
pub(crate) const SERVERS: &str = "ca/server";

/// Under which name the secret store has the key of the authority of consoles.
pub(crate) const CONSOLES: &str = "ca/console";

/// Under which name the secret store has the key of a tenant's authority.
pub(crate) fn key_name(tenant: TenantId, generation: u64) -> String {
    match generation {
        0 | 1 => format!("ca/{tenant}"),
        _ => format!("ca/{tenant}/{generation}"),
    }
}

/// Whose names stand in certificates: this installation's.
pub(crate) fn trust_domain(core: &Core) -> Result<TrustDomain, ControlError> {
    let text = format!("{}.countersign", core.registry.instance().id);
    TrustDomain::parse(&text).map_err(internal_name)
}

/// The agents that a tenant's authority may speak for.
pub(crate) fn prefix(core: &Core, doc: &TenantDoc) -> Result<SpiffePrefix, ControlError> {
    Ok(SpiffePrefix { trust_domain: trust_domain(core)?, tenant: doc.name.clone() })
}

fn internal_name(source: SpiffeError) -> ControlError {
    ControlError::internal("name the trust domain", source)
}

/// The authority of a tenant.
pub(crate) async fn of_tenant(
    core: &Core,
    edit: &mut Edit<'_>,
    doc: &TenantDoc,
) -> Result<Authority, ControlError> {
    if let Some(found) = authority::find(edit.db(), doc.id).await? {
        return open(core, &found).await;
    }
    create(core, edit, doc).await
}

/// Makes the authority that issues for a tenant from now on.
async fn create(
    core: &Core,
    edit: &mut Edit<'_>,
    doc: &TenantDoc,
) -> Result<Authority, ControlError> {
    let (made, key) = make(core, edit, doc.name.as_str())?;
    let at = edit.at();
    let generation = authority::create(edit.db(), doc.id, made.certificate_pem(), at).await?;
    core.store.put(&key_name(doc.id, generation), &key).await?;
    edit.say(Some(doc.id), format!("made the certificate authority of `{}`", doc.name));
    Ok(made)
}

/// Has another authority issue for a tenant. What the one before issued is believed until it ends,
/// and it goes on saying which of that is revoked.
pub(crate) async fn rotate(
    core: &Core,
    edit: &mut Edit<'_>,
    doc: &TenantDoc,
    longest: Duration,
) -> Result<(), ControlError> {
    let at = edit.at();
    let standing = authority::all(edit.db(), at).await?;
    if standing.iter().filter(|it| it.tenant == doc.id).count() >= MOST_STANDING {
        return Err(ControlError::conflict(
            "certificates of several authorities are still valid; wait until those of the oldest \
             have ended",
        ));
    }
    authority::retire(edit.db(), doc.id, at, at.after(longest)).await?;
    create(core, edit, doc).await.map(drop)
}

/// An authority that is there, with its key.
pub(crate) async fn open(
    core: &Core,
    found: &authority::Authority,
) -> Result<Authority, ControlError> {
    let key = core.store.get(&key_name(found.tenant, found.generation)).await?;
    opened(&found.certificate, &key)
}

/// The authority that issues the gateway's own certificate.
pub(crate) async fn of_servers(
    core: &Core,
    edit: &mut Edit<'_>,
) -> Result<Authority, ControlError> {
    if let Some(found) = authority::servers(edit.db()).await? {
        return opened(&found, &core.store.get(SERVERS).await?);
    }
    let (made, key) = make(core, edit, "Countersign gateway")?;
    core.store.put(SERVERS, &key).await?;
    let at = edit.at();
    authority::create_servers(edit.db(), made.certificate_pem(), at).await?;
    edit.say(None, "made the certificate authority of the gateway");
    Ok(made)
}

/// The authority that issues for consoles on other machines, and for the gateway towards them. It
/// is there for nothing else, so that no other certificate opens that door.
pub(crate) async fn of_consoles(
    core: &Core,
    edit: &mut Edit<'_>,
) -> Result<Authority, ControlError> {
    if let Some(found) = console::authority(edit.db()).await? {
        return opened(&found, &core.store.get(CONSOLES).await?);
    }
    let (made, key) = make(core, edit, "Countersign consoles")?;
    core.store.put(CONSOLES, &key).await?;
    let at = edit.at();
    console::create_authority(edit.db(), made.certificate_pem(), at).await?;
    edit.say(None, "made the certificate authority of consoles on other machines");
    Ok(made)
}

fn make(core: &Core, edit: &Edit<'_>, subject: &str) -> Result<(Authority, Secret), ControlError> {
    Authority::create(subject, edit.at(), core.random()?)
        .map_err(|source| ControlError::internal("make a certificate authority", source))
}

fn opened(certificate: &str, key: &Secret) -> Result<Authority, ControlError> {
    Authority::open(certificate, key)
        .map_err(|source| ControlError::internal("open a certificate authority", source))
}
