//! The servers behind the gateway, and the connections to them.
//!
//! One connection per tenant and server, never shared across tenants: what a server remembers
//! of one tenant cannot reach another. A tool call is sent at most once, whatever happens to the
//! connection; every answer is read strictly before it is believed.
//!
//! Read it in this order: `slot` (one server's life), `live` (a connection that stands), `catalog`
//! (what its server publishes), `link` (a connection), `stdio` and `http` (the two kinds), `wire`
//! (what a server may say).

mod catalog;
mod child;
pub(crate) mod egress;
mod errand;
mod flight;
mod heed;
mod http;
mod lines;
mod link;
mod live;
mod news;
mod slot;
mod sse;
mod stdio;
mod talk;
mod watches;
mod wire;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::http::{HeaderName, HeaderValue};
use cs_model::upstream::Transport;
use cs_model::{Digest, Kind, ServerId, SessionId, TenantId, ToolName};
use cs_policy::Act;
use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;

pub(crate) use self::errand::{
    Detail, EXTENSION, Errand, ErrandAct, ErrandCall, ErrandReply, Status,
};
use self::link::Maker;
use self::live::Live;
pub(crate) use self::news::{Change, What};
use self::news::{News, Teller};
use self::slot::Slot;
pub(crate) use self::talk::{
    Abilities, AskKind, Asked, Asks, Ear, Inputs, Level, NotAsked, Question, Told,
};
pub(crate) use self::watches::Watched;
#[cfg(test)]
pub(crate) use self::watches::Watches;
use crate::ports::{Ports, SecretSource};
use crate::wire::Era;

/// How long, how often and how much.
#[derive(Clone, Debug)]
pub struct UpstreamLimits {
    /// How long one tool call may take.
    pub call: Duration,
    /// How long connecting to an address may take.
    pub connect: Duration,
    /// How long the first exchange with a server may take.
    pub initialize: Duration,
    /// How long it may take a server to list what it publishes.
    pub list: Duration,
}

impl Default for UpstreamLimits {
    fn default() -> Self {
        Self {
            call: Duration::from_secs(300),
            connect: Duration::from_secs(10),
            initialize: Duration::from_secs(20),
            list: Duration::from_secs(30),
        }
    }
}

/// One server of one tenant, and how it is reached now.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The tenant.
    pub tenant: TenantId,
    /// The server.
    pub server: ServerId,
    /// Its name, for the log.
    pub server_name: &'a str,
    /// How it is reached. When this differs from last time, the old connection is given up.
    pub transport: &'a Transport,
}

/// One thing that a server publishes.
#[derive(Clone, Debug)]
pub struct Published {
    /// Its kind.
    pub kind: Kind,
    /// Its definition, as the server wrote it.
    pub definition: Box<RawValue>,
}

/// One call, as it is to be sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ToolCall<'a> {
    /// What it is a call of.
    pub(crate) kind: Kind,
    /// What is done with it.
    pub(crate) act: Act,
    /// The tool, by the name that its server gives it.
    pub(crate) tool: &'a ToolName,
    /// The fingerprint of the pinned definition. The live one must have the same.
    pub(crate) fingerprint: Digest,
    /// The exact bytes of the arguments, where there are any. Of a read the URI, of a completion
    /// what it is about.
    pub(crate) arguments: Option<&'a str>,
    /// Whether the server is asked to tell of its progress.
    pub(crate) wants_progress: bool,
    /// The W3C `traceparent` to hand on.
    pub(crate) trace: Option<&'a str>,
    /// The headers that repeat arguments, where the definition wants them to (`x-mcp-header`).
    pub(crate) repeated: &'a [(HeaderName, HeaderValue)],
    /// What its server may say and ask meanwhile.
    pub(crate) talk: Talk,
    /// What the server asked for, once it did.
    pub(crate) inputs: Option<&'a Inputs>,
}

/// Something that a server publishes, as it was pinned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pinned<'a> {
    pub(crate) kind: Kind,
    pub(crate) name: &'a ToolName,
    pub(crate) fingerprint: Digest,
}

impl<'a> ToolCall<'a> {
    /// What it is a call of.
    const fn pinned(&self) -> Pinned<'a> {
        Pinned { kind: self.kind, name: self.tool, fingerprint: self.fingerprint }
    }
}

/// What a server may say and ask while it serves a call, and whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Talk {
    /// The session whose call it is.
    pub(crate) session: SessionId,
    /// What its client speaks.
    pub(crate) era: Era,
    /// What may be asked.
    pub(crate) abilities: Abilities,
    /// How loud notes have to be, where the client has said so.
    pub(crate) level: Option<Level>,
    /// How loud notes have to be for the client to hear them.
    pub(crate) hears: Option<Level>,
    /// Whether it may answer with an errand.
    pub(crate) errands: bool,
}

/// Whose a connection is: everybody's of the tenant, or, where a server of the older era may ask
/// something back, one session's. Whatever it asks there, it asks that session.
type Place = (TenantId, ServerId, Option<(SessionId, Abilities)>);

/// The most connections to one server that are one session's each.
const OWN: usize = 128;

/// What a server answered to a tool call.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The answer.
    pub(crate) body: ReplyBody,
}

/// The shapes of an answer.
#[derive(Debug)]
pub(crate) enum ReplyBody {
    /// The server of the newer era wants to know something first.
    Asks(Asks),
    /// The server of the newer era does the work meanwhile.
    Errand(Box<Errand>),
    /// A JSON-RPC error. Its text is bounded and neutral.
    Error {
        /// The code.
        code: i64,
        /// The message.
        message: String,
        /// What the server added, when it is short.
        data: Option<Box<RawValue>>,
    },
    /// The client of the newer era cannot what the server needs: an object of capabilities.
    Lacks(Box<RawValue>),
    /// The result: an object with the shape of a result of the call.
    Result(Box<RawValue>),
    /// The server of an older revision wants people to visit addresses before it is asked again.
    Visits(Vec<(String, Question)>),
}

/// Why there is no answer. The texts are for operators; an agent hears none of them.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// The tool is gone or has another definition than the pinned one. Nothing was sent.
    #[error("the server publishes another definition of the tool than the pinned one")]
    Drift,
    /// The connection ended after the call was sent: it may have been executed.
    #[error("the connection was lost before the server answered: {0}")]
    Lost(String),
    /// The settings of the server cannot work. Nothing was sent.
    #[error("the server's settings do not work: {0}")]
    Misconfigured(String),
    /// The server could not be reached. Nothing was sent.
    #[error("the server could not be reached: {0}")]
    NotSent(String),
    /// The server broke the protocol; its answer is not believed. It may have executed the call.
    #[error("the server's answer was refused: {0}")]
    Rejected(String),
    /// The deadline passed. The call may have been executed.
    #[error("the server did not answer in time")]
    TimedOut,
}

/// Where a server stands.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum HealthState {
    /// It does not start, or keeps ending. It is not tried again until somebody asks.
    Failing,
    /// Nobody needed it yet.
    #[default]
    Idle,
    /// It answers.
    Ready,
    /// It is being started, or waits to be started again.
    Starting,
}

/// How a server fares.
#[derive(Clone, Debug, Default)]
pub struct Health {
    /// Where it stands.
    pub state: HealthState,
    /// For how long it has stood there; nothing where nobody needed it yet.
    pub since: Option<Duration>,
    /// What went wrong last, in one neutral line.
    pub problem: Option<String>,
    /// How often it was started again after it had ended.
    pub restarts: u32,
    /// The last lines that it wrote to its standard error, each neutral and bounded.
    pub stderr: Vec<String>,
    /// The fingerprints of what it publishes now, by kind and name. What has a definition without
    /// a canonical form has none.
    pub fingerprints: BTreeMap<(Kind, String), Digest>,
}

/// Why a server could never be reached at an address.
///
/// # Errors
///
/// What is wrong with it.
pub fn examine_address(url: &str) -> Result<(), &'static str> {
    http::address(url).map(|_| ())
}

/// The connections to all servers. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Upstreams {
    shared: Arc<Shared>,
}

struct Shared {
    secrets: Arc<dyn SecretSource>,
    limits: UpstreamLimits,
    slots: Mutex<HashMap<Place, Arc<Slot>>>,
    news: News,
    gone: CancellationToken,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.gone.cancel();
    }
}

impl fmt::Debug for Upstreams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstreams").finish_non_exhaustive()
    }
}

impl Upstreams {
    /// No connection yet: each is made when it is first needed.
    pub fn new(ports: &Ports, limits: UpstreamLimits) -> Self {
        let secrets = Arc::clone(&ports.secrets);
        let gone = CancellationToken::new();
        Self {
            shared: Arc::new(Shared {
                secrets,
                limits,
                slots: Mutex::default(),
                news: News::default(),
                gone,
            }),
        }
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<Place, Arc<Slot>>> {
        self.shared.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What servers say of changes, from now on.
    pub(crate) fn hear(&self) -> tokio::sync::broadcast::Receiver<Change> {
        self.shared.news.hear()
    }

    fn teller(&self, target: Target<'_>) -> Option<Teller> {
        Some(self.shared.news.of(target.tenant, target.server))
    }

    fn maker(&self, tenant: TenantId, own: Option<Abilities>, teller: Option<Teller>) -> Maker {
        let secrets = Arc::clone(&self.shared.secrets);
        Maker { tenant, secrets, limits: self.shared.limits.clone(), own, teller }
    }

    fn slot(&self, target: Target<'_>) -> Arc<Slot> {
        let mut slots = self.slots();
        let slot = slots.entry((target.tenant, target.server, None)).or_insert_with(|| {
            tracing::debug!(server = target.server_name, "the server is needed");
            let maker = self.maker(target.tenant, None, self.teller(target));
            Slot::new(maker, self.shared.gone.child_token())
        });
        Arc::clone(slot)
    }

    /// The connection of one session, to a server that may ask it something.
    fn own_slot(&self, target: Target<'_>, talk: Talk) -> Result<Arc<Slot>, UpstreamError> {
        let mut slots = self.slots();
        let place = (target.tenant, target.server, Some((talk.session, talk.abilities)));
        if let Some(slot) = slots.get(&place) {
            return Ok(Arc::clone(slot));
        }
        let own = |it: &&Place| (it.0, it.1) == (place.0, place.1) && it.2.is_some();
        if slots.keys().filter(own).count() >= OWN {
            let why = "too many sessions have a connection of their own to the server";
            return Err(UpstreamError::NotSent(why.to_owned()));
        }
        let maker = self.maker(target.tenant, Some(talk.abilities), None);
        let slot = Slot::new(maker, self.shared.gone.child_token());
        slots.insert(place, Arc::clone(&slot));
        Ok(slot)
    }

    /// The connection for a call. A server that may ask nothing back has one for everybody, and so
    /// has one of the newer era for clients of the newer era: there, a question is an answer.
    async fn place_for(&self, target: Target<'_>, talk: Talk) -> Result<Arc<Live>, UpstreamError> {
        let transport = target.transport;
        if talk.abilities.is_empty() {
            return self.slot(target).ready(transport).await;
        }
        if talk.era == Era::Modern {
            let live = self.slot(target).ready(transport).await?;
            if live.link().era() == Era::Modern {
                return Ok(live);
            }
        }
        self.own_slot(target, talk)?.ready(transport).await
    }

    /// Makes one tool call, once. Dropping the future tells the server that nobody waits any
    /// more. What the server says before it answers goes to `ear`; what does not fit into the
    /// channel is dropped.
    ///
    /// # Errors
    ///
    /// Each kind says whether the call may have been executed.
    pub(crate) async fn call(
        &self,
        target: Target<'_>,
        call: ToolCall<'_>,
        ear: Ear,
    ) -> Result<Reply, UpstreamError> {
        self.place_for(target, call.talk).await?.call(&call, ear).await
    }

    /// Has a server tell of changes of a resource for as long as the answer is there, over the
    /// connection that everybody has. Nothing where it does not.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or what it publishes is not what was pinned.
    pub(crate) async fn watch(
        &self,
        target: Target<'_>,
        pinned: Pinned<'_>,
        uri: &str,
    ) -> Result<Option<Watched>, UpstreamError> {
        let slot = self.slot(target);
        let live = slot.ready(target.transport).await?;
        live.check(pinned).await?;
        if !live.link().has().tells_of_resources() {
            return Ok(None);
        }
        let Some((watched, version)) = slot.watches().take(uri) else { return Ok(None) };
        Ok(live.is_told(uri, version).await?.then_some(watched))
    }

    /// Asks the server of an errand about it, over the connection that calls take.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached or its answer is refused.
    pub(crate) async fn errand(
        &self,
        target: Target<'_>,
        call: ErrandCall<'_>,
    ) -> Result<ErrandReply, UpstreamError> {
        self.place_for(target, call.talk).await?.errand(call).await
    }

    /// Gives up the connections of a session that is over.
    pub(crate) async fn release(&self, session: SessionId) {
        let own = |it: &Place| it.2.is_some_and(|(of, _)| of == session);
        for slot in self.take(own) {
            tokio::spawn(async move { slot.stop().await });
        }
    }

    fn take(&self, which: impl Fn(&Place) -> bool) -> Vec<Arc<Slot>> {
        self.slots().extract_if(|place, _| which(place)).map(|(_, slot)| slot).collect()
    }

    /// Asks a server for the definitions of all that it publishes, as it wrote them.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached or its answer is refused.
    pub async fn list_tools(&self, target: Target<'_>) -> Result<Vec<Published>, UpstreamError> {
        self.slot(target).list(target.transport).await
    }

    /// Starts a server that is not registered yet, asks what it publishes and stops it again.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached or its answer is refused; the text says what the
    /// operator can look at.
    pub async fn probe(
        &self,
        tenant: TenantId,
        transport: &Transport,
    ) -> Result<Vec<Published>, UpstreamError> {
        let (link, listing) =
            self.maker(tenant, None, None).open(transport, &Arc::default()).await?;
        link.stop().await;
        Ok(listing.published)
    }

    /// How a server fares.
    pub fn health(&self, tenant: TenantId, server: ServerId) -> Health {
        let slot = self.slots().get(&(tenant, server, None)).cloned();
        slot.map(|slot| slot.health()).unwrap_or_default()
    }

    /// Stops a server and starts it again, also after it was given up. One that nobody needed
    /// yet stays as it is.
    pub async fn restart(&self, tenant: TenantId, server: ServerId) {
        for slot in self.take(|it| (it.0, it.1) == (tenant, server) && it.2.is_some()) {
            slot.stop().await;
        }
        let slot = self.slots().get(&(tenant, server, None)).cloned();
        if let Some(slot) = slot {
            slot.restart().await;
        }
    }

    /// Stops a server and forgets it.
    pub async fn forget(&self, tenant: TenantId, server: ServerId) {
        for slot in self.take(|it| (it.0, it.1) == (tenant, server)) {
            slot.stop().await;
        }
    }

    /// Stops all servers.
    pub async fn stop_all(&self) {
        let slots: Vec<_> = self.slots().drain().map(|(_, slot)| slot).collect();
        let stops = slots.into_iter().map(|slot| tokio::spawn(async move { slot.stop().await }));
        for stop in stops.collect::<Vec<_>>() {
            // A stop that panicked has nothing left to wait for.
            let _ = stop.await;
        }
    }
}

#[cfg(test)]
mod tests;
