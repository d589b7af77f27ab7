//! The installation's authorities: one for the agents of each tenant, one for the gateway
//! itself, one for consoles on other machines.
//!
//! Their certificates are in the registry, their keys in the secret store. Each is made when it is
//! needed for the first time.

use std::time::Duration;

use cs_model::document::TenantDoc;
use cs_model::{Name, Secret, TenantId};
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

/// An authority with its key, got ready before the change that may have to enter it: waiting for
/// the secret store within one would keep every call from its record.
#[derive(Debug)]
#[must_use = "one that was made is not entered yet"]
pub(crate) struct Ready {
    authority: Authority,
    made: Option<Made>,
}

/// What an authority was made for, whose key is kept already.
#[derive(Debug)]
enum Made {
    Consoles,
    Servers,
    Tenant { id: TenantId, name: Name, generation: u64 },
}

impl Ready {
    /// Enters it in the registry, if it was made just now.
    pub(crate) async fn enter(self, edit: &mut Edit<'_>) -> Result<Authority, ControlError> {
        let (certificate, at) = (self.authority.certificate_pem(), edit.at());
        match self.made {
            None => {}
            Some(Made::Consoles) => {
                console::create_authority(edit.db(), certificate, at).await?;
                edit.say(None, "made the certificate authority of consoles on other machines");
            }
            Some(Made::Servers) => {
                authority::create_servers(edit.db(), certificate, at).await?;
                edit.say(None, "made the certificate authority of the gateway");
            }
            Some(Made::Tenant { id, name, generation }) => {
                let entered = authority::create(edit.db(), id, certificate, at).await?;
                if entered != generation {
                    return Err(ControlError::conflict(
                        "the authority changed meanwhile; try again",
                    ));
                }
                edit.say(Some(id), format!("made the certificate authority of `{name}`"));
            }
        }
        Ok(self.authority)
    }
}

/// The authority of a tenant. Like all that follow, to be asked for by whoever
/// [holds](Core::hold) changes off.
pub(crate) async fn of_tenant(core: &Core, doc: &TenantDoc) -> Result<Ready, ControlError> {
    match issuing(core, doc.id).await? {
        Some(found) => Ok(Ready { authority: open(core, &found).await?, made: None }),
        None => next(core, doc, 1).await,
    }
}

async fn issuing(
    core: &Core,
    tenant: TenantId,
) -> Result<Option<authority::Authority>, ControlError> {
    Ok(authority::find(&mut *core.registry.read().await?, tenant).await?)
}

async fn next(core: &Core, doc: &TenantDoc, generation: u64) -> Result<Ready, ControlError> {
    let name = key_name(doc.id, generation);
    let made = Made::Tenant { id: doc.id, name: doc.name.clone(), generation };
    make(core, doc.name.as_str(), &name, made).await
}

/// The authority that is to issue for a tenant in the place of the one that does.
pub(crate) async fn successor(core: &Core, doc: &TenantDoc) -> Result<Ready, ControlError> {
    let found = issuing(core, doc.id).await?.ok_or(ControlError::NotFound { what: "authority" })?;
    next(core, doc, found.generation.saturating_add(1)).await
}

/// Has another authority issue for a tenant. What the one before issued is believed until it ends,
/// and it goes on saying which of that is revoked.
pub(crate) async fn rotate(
    edit: &mut Edit<'_>,
    doc: &TenantDoc,
    (successor, longest): (Ready, Duration),
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
    successor.enter(edit).await.map(drop)
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
pub(crate) async fn of_servers(core: &Core) -> Result<Ready, ControlError> {
    let found = authority::servers(&mut *core.registry.read().await?).await?;
    match found {
        Some(found) => of_key(core, &found, SERVERS).await,
        None => make(core, "Countersign gateway", SERVERS, Made::Servers).await,
    }
}

/// The authority that issues for consoles on other machines, and for the gateway towards them. It
/// is there for nothing else, so that no other certificate opens that door.
pub(crate) async fn of_consoles(core: &Core) -> Result<Ready, ControlError> {
    let found = console::authority(&mut *core.registry.read().await?).await?;
    match found {
        Some(found) => of_key(core, &found, CONSOLES).await,
        None => make(core, "Countersign consoles", CONSOLES, Made::Consoles).await,
    }
}

async fn of_key(core: &Core, certificate: &str, name: &str) -> Result<Ready, ControlError> {
    let authority = opened(certificate, &core.store.get(name).await?)?;
    Ok(Ready { authority, made: None })
}

/// Makes an authority, and has the secret store keep its key: one without a key must not come to be.
async fn make(core: &Core, subject: &str, name: &str, made: Made) -> Result<Ready, ControlError> {
    let (authority, key) = Authority::create(subject, core.now(), core.random()?)
        .map_err(|source| ControlError::internal("make a certificate authority", source))?;
    core.store.put(name, &key).await?;
    Ok(Ready { authority, made: Some(made) })
}

fn opened(certificate: &str, key: &Secret) -> Result<Authority, ControlError> {
    Authority::open(certificate, key)
        .map_err(|source| ControlError::internal("open a certificate authority", source))
}
