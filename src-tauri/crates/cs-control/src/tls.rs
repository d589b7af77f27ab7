//! What the gateway's handshakes are made with, kept up to date for as long as it serves: its own
//! certificate, the tenants' authorities, and what each of them has revoked.
//!
//! Whether a certificate is revoked, the gateway also asks on every request; the lists keep it
//! from being shown at all. A list that cannot be signed anew stays in use until it expires, and
//! then its authority opens nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use cs_gateway::{TlsServing, TlsSettings};
use cs_model::event::Actor;
use cs_model::{CorrelationId, Secret, TenantId, Timestamp};
use cs_registry::credential::Proof;
use cs_registry::{authority as table, credential};
use cs_trust::ca::{CaError, RevokedSerial};
use cs_trust::tls::{Anchor, ClientTrust, OldestTls};
use tokio::sync::watch;

use crate::authority;
use crate::core::Core;
use crate::failure::ControlError;
use crate::options::TlsOptions;

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
pub(crate) fn names(asked: &TlsOptions, listen: SocketAddr) -> Vec<String> {
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
    asked: &TlsOptions,
    listen: SocketAddr,
) -> Result<TlsSettings, ControlError> {
    let names = names(asked, listen);
    let mut keeper = Keeper::new(core, names.clone()).await?;
    keeper.look(core).await?;
    let (hands_out, serving) = watch::channel(Arc::new(keeper.serving(core)?));
    let (weak, world) = (Arc::downgrade(core), core.world.subscribe());
    tokio::spawn(keep(weak, world, keeper, hands_out));
    Ok(TlsSettings { serving, names })
}

async fn keep(
    core: Weak<Core>,
    mut world: watch::Receiver<Arc<cs_gateway::world::World>>,
    mut keeper: Keeper,
    hands_out: watch::Sender<Arc<TlsServing>>,
) {
    loop {
        tokio::select! {
            () = hands_out.closed() => return,
            changed = world.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(LOOK) => {}
        }
        let Some(core) = core.upgrade() else { return };
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
    }
}

/// What is in use.
struct Keeper {
    names: Vec<String>,
    server: Server,
    lists: BTreeMap<TenantId, List>,
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
    async fn new(core: &Core, names: Vec<String>) -> Result<Self, ControlError> {
        let server = Server::issue(core, &names).await?;
        Ok(Self { names, server, lists: BTreeMap::new() })
    }

    /// Does what is due. Says whether anything changed.
    async fn look(&mut self, core: &Core) -> Result<bool, ControlError> {
        let now = core.now();
        let mut changed = false;
        if now >= self.server.renew {
            self.server = Server::issue(core, &self.names).await?;
            changed = true;
        }
        let (authorities, all) = {
            let mut db = core.registry.read().await?;
            (table::all(&mut db).await?, credential::all(&mut db).await?)
        };
        let before = self.lists.len();
        self.lists.retain(|tenant, _| authorities.iter().any(|it| it.tenant == *tenant));
        changed |= self.lists.len() != before;
        for found in &authorities {
            let revoked: BTreeMap<String, Timestamp> = all
                .iter()
                .filter(|it| it.tenant == found.tenant && it.expires > now)
                .filter_map(|it| match (&it.proof, it.revoked_at) {
                    (Proof::Certificate { serial, .. }, Some(at)) => Some((serial.clone(), at)),
                    _ => None,
                })
                .collect();
            let fits = self.lists.get(&found.tenant).is_some_and(|list| {
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
                    changed |= self.lists.insert(found.tenant, list).is_none_or(|_| true);
                }
                Err(error) => {
                    let tenant = found.tenant;
                    tracing::error!(%error, %tenant, "a revocation list was not signed");
                }
            }
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
        let number = table::next_list(&mut change, found.tenant).await?;
        change.commit(&[]).await?;
        let signed = core.now();
        let entries: Vec<RevokedSerial> = revoked
            .iter()
            .map(|(serial, at)| RevokedSerial { serial: serial.clone(), at: *at })
            .collect();
        let list = signer.crl(&entries, number, signed, signed.after(LIST_LIFETIME));
        let list = list.map_err(failed)?;
        let trusted = |source| ControlError::internal("trust an authority", source);
        let prefix = authority::prefix(core, doc)?;
        let mut anchor = Anchor::read(&found.certificate, &list, prefix).map_err(trusted)?;
        let before = self.lists.get(&found.tenant);
        if let Some(before) = before.filter(|it| it.certificate == found.certificate) {
            anchor = before.anchor.replaced_by(anchor).map_err(trusted)?;
        }
        let revoked = revoked.keys().cloned().collect();
        Ok(List { certificate: found.certificate.clone(), revoked, signed, anchor })
    }

    /// What handshakes are made with now.
    fn serving(&self, core: &Core) -> Result<TlsServing, ControlError> {
        let anchors = self.lists.values().map(|list| list.anchor.clone()).collect();
        let trust = ClientTrust { anchors, required: false };
        let Server { chain_pem, key, .. } = &self.server;
        let clock = Arc::clone(&core.clock);
        TlsServing::new(chain_pem, key, &trust, OldestTls::Tls13, clock)
            .map_err(|source| ControlError::internal("set TLS up", source))
    }
}

impl Server {
    async fn issue(core: &Core, names: &[String]) -> Result<Self, ControlError> {
        let correlation = CorrelationId::from_random(core.random()?);
        let mut edit = core.edit_as(Actor::System, correlation).await?;
        let signer = authority::of_servers(core, &mut edit).await?;
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
