//! What the gateway's handshakes are made with, kept up to date for as long as it serves: its own
//! certificate, the tenants' authorities, and what each of them has revoked.
//!
//! Whether a certificate is revoked, the gateway also asks on every request; the lists keep it
//! from being shown at all. A list that cannot be signed anew stays in use until it expires, and
//! then its authority opens nothing.

mod handshakes;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};
use std::time::Duration;

use cs_gateway::{TlsServing, TlsSettings};
use cs_model::event::{Actor, Event, EventKind};
use cs_model::serving::{ServingSettings, TlsVersion};
use cs_model::{AuthorityId, CorrelationId, Secret, TenantId, Timestamp};
use cs_registry::credential::{Credential, Proof};
use cs_registry::{authority as table, credential, outside as others};
use cs_trust::ca::{CaError, RevokedSerial};
use cs_trust::tls::{Anchor, ClientTrust, OldestTls, OutsideAuthority, Owner};
use tokio::sync::watch;

use self::handshakes::Following;
pub(crate) use self::handshakes::Handshakes;
use crate::core::Core;
use crate::failure::ControlError;
use crate::view::certificate::AuthorityStanding;
use crate::{authority, outside};

/// How long the gateway's own certificate lives; it is renewed when two thirds of that are over.
const SERVER_LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How long it is used.
const SERVER_USE: Duration = Duration::from_secs(20 * 24 * 60 * 60);

/// From when on nobody may rely on a revocation list.
const LIST_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// How long a list is in use before there is a new one.
const LIST_USE: Duration = Duration::from_secs(15 * 60);

/// How often to look whether something is due when nothing changes.
const LOOK: Duration = Duration::from_secs(15);

/// The names by which agents reach the gateway.
pub(crate) fn names(asked: &ServingSettings) -> Vec<String> {
    let listen = asked.listen;
    let own = (!listen.ip().is_unspecified()).then(|| listen.ip().to_string());
    let usual = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut names: Vec<String> = Vec::new();
    for name in asked.names.iter().cloned().chain(own).chain(usual) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Prepares what handshakes are made with, and keeps it up to date until nobody asks any more.
pub(crate) async fn serve(
    core: &Arc<Core>,
    asked: &ServingSettings,
) -> Result<TlsSettings, ControlError> {
    let names = names(asked);
    let oldest = match asked.oldest {
        TlsVersion::Tls12 => OldestTls::Tls12,
        TlsVersion::Tls13 => OldestTls::Tls13,
    };
    let mut keeper = Keeper::new(core, names.clone(), oldest).await?;
    keeper.look(core).await?;
    let (hands_out, serving) = watch::channel(Arc::new(keeper.serving(core)?));
    let (weak, world) = (Arc::downgrade(core), core.world.subscribe());
    let following = core.handshakes.follow();
    tokio::spawn(keep(weak, world, keeper, hands_out, following));
    Ok(TlsSettings { serving, names })
}

async fn keep(
    core: Weak<Core>,
    mut world: watch::Receiver<Arc<cs_gateway::world::World>>,
    mut keeper: Keeper,
    hands_out: watch::Sender<Arc<TlsServing>>,
    _following: Following,
) {
    loop {
        tokio::select! {
            () = hands_out.closed() => return,
            changed = world.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(LOOK) => {}
        }
        let Some(core) = core.upgrade() else { return };
        let at = core.handshakes.now();
        let looked = keeper.look(&core).await;
        let renewed = looked.and_then(|changed| match changed {
            true => keeper.serving(&core).map(Some),
            false => Ok(None),
        });
        match renewed {
            Ok(Some(serving)) => {
                hands_out.send_replace(Arc::new(serving));
            }
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "the certificates are not up to date"),
        }
        core.handshakes.are_at(at);
    }
}

/// What is in use.
struct Keeper {
    names: Vec<String>,
    oldest: OldestTls,
    server: Server,
    /// Of each tenant's authorities, by their generation.
    lists: BTreeMap<(TenantId, u64), List>,
    outside: BTreeMap<AuthorityId, Outside>,
}

/// An authority of others.
struct Outside {
    kept: others::OutsideAuthority,
    read: OutsideAuthority,
    standing: AuthorityStanding,
}

/// The gateway's own certificate.
struct Server {
    chain_pem: String,
    key: Secret,
    renew: Timestamp,
}

/// A tenant's authority with its revocation list.
struct List {
    certificate: String,
    revoked: BTreeSet<String>,
    signed: Timestamp,
    anchor: Anchor,
}

impl Keeper {
    async fn new(core: &Core, names: Vec<String>, oldest: OldestTls) -> Result<Self, ControlError> {
        let server = Server::issue(core, &names).await?;
        let (lists, outside) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { names, oldest, server, lists, outside })
    }

    /// Does what is due. Says whether anything changed.
    async fn look(&mut self, core: &Core) -> Result<bool, ControlError> {
        let now = core.now();
        let mut changed = false;
        if now >= self.server.renew {
            self.server = Server::issue(core, &self.names).await?;
            changed = true;
        }
        let (authorities, all, others) = {
            let mut db = core.registry.read().await?;
            let authorities = table::all(&mut db, now).await?;
            (authorities, credential::all(&mut db).await?, others::all(&mut db).await?)
        };
        changed |= self.look_at_own(core, &authorities, &all).await;
        changed |= self.look_outside(core, others).await?;
        Ok(changed)
    }

    /// Signs the lists that are due.
    async fn look_at_own(
        &mut self,
        core: &Core,
        authorities: &[table::Authority],
        all: &[Credential],
    ) -> bool {
        let now = core.now();
        let id = |it: &table::Authority| (it.tenant, it.generation);
        let before = self.lists.len();
        self.lists.retain(|known, _| authorities.iter().any(|it| id(it) == *known));
        let mut changed = self.lists.len() != before;
        for found in authorities {
            let revoked: BTreeMap<String, Timestamp> = all
                .iter()
                .filter(|it| it.tenant == found.tenant && it.expires > now)
                .filter_map(|it| match (&it.proof, it.revoked_at) {
                    (Proof::Certificate { serial, .. }, Some(at)) => Some((serial.clone(), at)),
                    _ => None,
                })
                .collect();
            let fits = self.lists.get(&id(found)).is_some_and(|list| {
                list.certificate == found.certificate
                    && list.revoked.iter().eq(revoked.keys())
                    && now < list.signed.after(LIST_USE)
                    && now >= list.signed
            });
            if fits {
                continue;
            }
            // What is wrong with one tenant's authority is not to be another's problem.
            match self.sign(core, found, &revoked).await {
                Ok(list) => {
                    changed |= self.lists.insert(id(found), list).is_none_or(|_| true);
                }
                Err(error) => {
                    let tenant = found.tenant;
                    tracing::error!(%error, %tenant, "a revocation list was not signed");
                }
            }
        }
        changed
    }

    /// Reads what changed of the authorities of others, and puts on record which of them opens
    /// nothing any more, or again.
    async fn look_outside(
        &mut self,
        core: &Core,
        found: Vec<others::OutsideAuthority>,
    ) -> Result<bool, ControlError> {
        let now = core.now();
        let before = self.outside.len();
        self.outside.retain(|id, _| found.iter().any(|it| it.id == *id));
        let mut changed = self.outside.len() != before;
        let mut events = Vec::new();
        for kept in found {
            let (id, tenant) = (kept.id, kept.tenant);
            let known = self.outside.get(&id);
            let was = known.map_or(AuthorityStanding::Trusted, |it| it.standing);
            if known.is_none_or(|it| it.kept != kept) {
                changed = true;
                let Ok(read) = outside::read(&kept) else {
                    tracing::error!(%tenant, authority = %id, "an authority cannot be read");
                    self.outside.remove(&id);
                    continue;
                };
                self.outside.insert(id, Outside { kept, read, standing: was });
            }
            let Some(own) = self.outside.get_mut(&id) else { continue };
            own.standing = outside::standing(&own.read, now);
            if own.standing != was {
                events.push(turned(tenant, &own.kept.name, own.standing, now));
            }
        }
        if !events.is_empty() {
            core.registry.record(events).await?;
        }
        Ok(changed)
    }

    /// Signs the next list of an authority.
    async fn sign(
        &self,
        core: &Core,
        found: &table::Authority,
        revoked: &BTreeMap<String, Timestamp>,
    ) -> Result<List, ControlError> {
        let failed = |source| ControlError::internal("sign a revocation list", source);
        let document = core.document();
        let doc = crate::names::tenant(&document, found.tenant)?;
        let signer = authority::open(core, found).await?;
        let mut change = core.registry.begin().await?;
        let number = table::next_list(&mut change, found.tenant, found.generation).await?;
        let signed = core.now();
        let entries: Vec<RevokedSerial> = revoked
            .iter()
            .map(|(serial, at)| RevokedSerial { serial: serial.clone(), at: *at })
            .collect();
        let list = signer.crl(&entries, number, signed, signed.after(LIST_LIFETIME));
        let list = list.map_err(failed)?;
        table::keep_list(&mut change, found.tenant, found.generation, &list).await?;
        change.commit(&[]).await?;
        let trusted = |source| ControlError::internal("trust an authority", source);
        let prefix = authority::prefix(core, doc)?;
        let owner = Owner { tenant: found.tenant, authority: None };
        let anchor = Anchor::read(&found.certificate, &list, prefix).map_err(trusted)?;
        let mut anchor = anchor.owned_by(owner);
        let before = self.lists.get(&(found.tenant, found.generation));
        if let Some(before) = before.filter(|it| it.certificate == found.certificate) {
            anchor = before.anchor.replaced_by(anchor).map_err(trusted)?;
        }
        let revoked = revoked.keys().cloned().collect();
        Ok(List { certificate: found.certificate.clone(), revoked, signed, anchor })
    }

    /// What handshakes are made with now.
    fn serving(&self, core: &Core) -> Result<TlsServing, ControlError> {
        let own = self.lists.values().map(|list| list.anchor.clone());
        let outside = || self.outside.values().map(|it| &it.read);
        let anchors = own.chain(outside().flat_map(|it| it.anchors().to_vec())).collect();
        let unlisted = outside().flat_map(|it| it.unlisted().to_vec()).collect();
        let trust = ClientTrust { anchors, unlisted, required: false };
        let Server { chain_pem, key, .. } = &self.server;
        let clock = Arc::clone(&core.clock);
        TlsServing::new(chain_pem, key, &trust, self.oldest, clock)
            .map_err(|source| ControlError::internal("set TLS up", source))
    }
}

/// That an authority of others opens nothing any more, or does again.
fn turned(tenant: TenantId, name: &str, standing: AuthorityStanding, at: Timestamp) -> Event {
    let (reason, problem) = match (standing, outside::problem(standing)) {
        (AuthorityStanding::Ended, Some(problem)) => ("authority_ended", problem),
        (AuthorityStanding::ListExpired, Some(problem)) => ("authority_list_expired", problem),
        (AuthorityStanding::NoList, Some(problem)) => ("authority_list_missing", problem),
        _ => ("authority_trusted", "its certificates open what they were registered for"),
    };
    Event {
        tenant: Some(tenant),
        actor: Some(Actor::System),
        reason: Some(reason.to_owned()),
        detail: Some(format!("authority `{name}`: {problem}")),
        ..Event::new(EventKind::AdminChanged, at)
    }
}

impl Server {
    async fn issue(core: &Core, names: &[String]) -> Result<Self, ControlError> {
        let correlation = CorrelationId::from_random(core.random()?);
        let alone = core.hold().await?;
        let signer = authority::of_servers(core).await?;
        let mut edit = core.edit_alone_as(alone, Actor::System, correlation).await?;
        let signer = signer.enter(&mut edit).await?;
        let at = edit.at();
        let leaf = signer.issue_server(names, core.random()?, at, SERVER_LIFETIME);
        let leaf = leaf.map_err(|source| {
            if source == CaError::ServerName {
                ControlError::invalid("name", source.to_string())
            } else {
                ControlError::internal("issue the gateway's certificate", source)
            }
        })?;
        let key = leaf.key_pem.ok_or(ControlError::NotFound { what: "key" })?;
        edit.say(None, format!("issued the gateway a certificate for {}", names.join(", ")));
        edit.keep().await?;
        Ok(Self { chain_pem: leaf.certificate_pem, key, renew: at.after(SERVER_USE) })
    }
}
