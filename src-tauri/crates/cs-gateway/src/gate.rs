//! What all requests of a gateway share.

use std::collections::HashSet;
use std::fmt::Debug;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use cs_model::{CorrelationId, Secret, SessionId, Timestamp};
use cs_trust::SealingKey;
use tokio::sync::{broadcast, watch};

use crate::addresses::{Addresses, Failures};
use crate::authn::Known;
use crate::config::Config;
use crate::errand;
use crate::issuer::{Quota, Signers};
use crate::issuers::Issuers;
use crate::meter::Meter;
use crate::parked::Lot;
use crate::ports::{PortError, Ports};
use crate::rates::Rates;
use crate::schema::Schemas;
use crate::session::Book;
use crate::strangers::Strangers;
use crate::upstream::{
    Change, Ear, ErrandCall, ErrandReply, Pinned, Reply, Target, ToolCall, UpstreamError,
    Upstreams, Watched,
};
use crate::world::World;

/// The way out: what makes a tool call. Only `proxy` asks it to.
#[async_trait]
pub(crate) trait Outbound: Debug + Send + Sync {
    /// Makes one tool call, once.
    async fn call(
        &self,
        target: Target<'_>,
        call: ToolCall<'_>,
        ear: Ear,
    ) -> Result<Reply, UpstreamError>;

    /// Has a server tell of changes of a resource for as long as the answer is there. Nothing where
    /// it does not.
    async fn watch(
        &self,
        target: Target<'_>,
        pinned: Pinned<'_>,
        uri: &str,
    ) -> Result<Option<Watched>, UpstreamError>;

    /// Asks the server of an errand about it.
    async fn errand(
        &self,
        target: Target<'_>,
        call: ErrandCall<'_>,
    ) -> Result<ErrandReply, UpstreamError>;

    /// A session is over: what was only for it is given up.
    async fn release(&self, _: SessionId) {}

    /// What servers say of changes, from now on.
    fn hear(&self) -> broadcast::Receiver<Change>;
}

#[async_trait]
impl Outbound for Upstreams {
    async fn call(
        &self,
        target: Target<'_>,
        call: ToolCall<'_>,
        ear: Ear,
    ) -> Result<Reply, UpstreamError> {
        Self::call(self, target, call, ear).await
    }

    async fn watch(
        &self,
        target: Target<'_>,
        pinned: Pinned<'_>,
        uri: &str,
    ) -> Result<Option<Watched>, UpstreamError> {
        Self::watch(self, target, pinned, uri).await
    }

    async fn errand(
        &self,
        target: Target<'_>,
        call: ErrandCall<'_>,
    ) -> Result<ErrandReply, UpstreamError> {
        Self::errand(self, target, call).await
    }

    fn hear(&self) -> broadcast::Receiver<Change> {
        Self::hear(self)
    }

    async fn release(&self, session: SessionId) {
        Self::release(self, session).await;
    }
}

/// What all requests of a gateway share.
pub(crate) struct Gate {
    pub(crate) config: Config,
    pub(crate) ports: Ports,
    pub(crate) world: watch::Receiver<Arc<World>>,
    pub(crate) outbound: Arc<dyn Outbound>,
    pub(crate) sessions: Book,
    pub(crate) meter: Meter,
    pub(crate) schemas: Schemas,
    /// How many connections each address has.
    pub(crate) addresses: Addresses,
    /// The handshakes that failed lately.
    pub(crate) handshakes: Failures,
    /// The identity providers, and their keys.
    pub(crate) issuers: Issuers,
    /// The access tokens that were verified lately.
    pub(crate) tokens: Known,
    /// Who failed lately to prove who they are.
    pub(crate) strangers: Strangers,
    /// How often its own token issuers were asked lately.
    pub(crate) quota: Quota,
    /// How often agents called lately, where that is limited.
    pub(crate) rates: Rates,
    /// What they sign with.
    pub(crate) signers: Signers,
    /// Seals what clients carry from one round of a call to the next. It lives as long as the
    /// process; a client that comes back later asks anew and finds its request.
    pub(crate) rounds: SealingKey,
    /// Seals what clients know errands by. It outlives the process where the world has a key that
    /// does.
    pub(crate) handles: SealingKey,
    /// The errands of its own: calls that wait, or waited, for a person while their clients ask
    /// how they fare.
    pub(crate) errands: errand::Book,
    /// The calls that wait for what their client brings back.
    pub(crate) parked: Lot,
    /// The value of `Host` that is its own address.
    pub(crate) host: String,
    /// The values of `Host` that are this gateway's.
    pub(crate) hosts: HashSet<String>,
    /// The values of `Origin` that are let in.
    pub(crate) origins: HashSet<String>,
    /// True once the gateway stops.
    pub(crate) stopping: watch::Receiver<bool>,
    latest: AtomicI64,
    /// A world, and how it looks from here.
    seen: Mutex<Option<(Arc<World>, Arc<World>)>>,
}

impl Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").field("hosts", &self.hosts).finish_non_exhaustive()
    }
}

/// What a gate is made of, besides its settings.
pub(crate) struct Parts {
    pub(crate) ports: Ports,
    pub(crate) world: watch::Receiver<Arc<World>>,
    pub(crate) outbound: Arc<dyn Outbound>,
    pub(crate) stopping: watch::Receiver<bool>,
    /// A key that outlives the process, where there is one.
    pub(crate) lasting: Option<Secret>,
}

impl Gate {
    /// A gate that listens on `port`, without sessions.
    pub(crate) fn new(config: Config, parts: Parts, port: u16) -> Result<Self, PortError> {
        let Parts { ports, world, outbound, stopping, lasting } = parts;
        let mut master = vec![0; 32];
        ports.random.fill(&mut master)?;
        let master = Secret::new(master);
        let key = |master, purpose| {
            SealingKey::derive(master, purpose)
                .map_err(|e| PortError { doing: "make a sealing key", source: Some(Box::new(e)) })
        };
        let rounds = key(&master, "gateway/rounds")?;
        let handles = key(lasting.as_ref().unwrap_or(&master), "gateway/errands")?;
        let mut names = Vec::from(["127.0.0.1", "localhost", "[::1]"].map(str::to_owned));
        names.extend(config.tls.iter().flat_map(|tls| tls.names.iter().map(|name| written(name))));
        let first = config.tls.as_ref().and_then(|tls| tls.names.first());
        let host = first.map_or_else(|| "127.0.0.1".to_owned(), |name| written(name));
        let host = format!("{host}:{port}");
        let mut hosts: HashSet<String> = config.hosts.iter().cloned().collect();
        hosts.extend(names.iter().map(|name| format!("{name}:{port}")));
        let (scheme, usual) = if config.tls.is_some() { ("https", 443) } else { ("http", 80) };
        if port == usual {
            hosts.extend(names.iter().cloned());
        }
        let mut origins: HashSet<String> = config.origins.iter().cloned().collect();
        origins.extend(names.iter().map(|name| format!("{scheme}://{name}:{port}")));
        Ok(Self {
            addresses: Addresses::default(),
            handshakes: Failures::of_handshakes(),
            issuers: Issuers::new(ports.clone()),
            tokens: Known::default(),
            strangers: Strangers::new(config.limits.failures, config.limits.failures_each_second),
            quota: Quota::new(config.limits.issuer),
            rates: Rates::default(),
            signers: Signers::default(),
            ports,
            world,
            outbound,
            sessions: Book::default(),
            meter: Meter::default(),
            schemas: Schemas::default(),
            rounds,
            handles,
            errands: errand::Book::default(),
            parked: Lot::default(),
            host,
            hosts,
            origins,
            stopping,
            latest: AtomicI64::new(i64::MIN),
            config,
            seen: Mutex::default(),
        })
    }

    /// What requests are judged by, now.
    pub(crate) fn world(&self) -> Arc<World> {
        let world = Arc::clone(&self.world.borrow());
        if world.issuers.is_empty() {
            return world;
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, whole)) = seen.as_ref().filter(|(of, _)| Arc::ptr_eq(of, &world)) {
            return Arc::clone(whole);
        }
        let whole = Arc::new(world.at(&self.origin(&self.host)));
        *seen = Some((world, Arc::clone(&whole)));
        whole
    }

    /// The canonical URI of what is at a path, for a client that reaches the gateway by `host`,
    /// which was checked to be one of its own.
    pub(crate) fn resource(&self, host: &str, path: &str) -> String {
        format!("{}{path}", self.origin(host))
    }

    /// The origin by which a client reaches the gateway.
    pub(crate) fn origin(&self, host: &str) -> String {
        let scheme = if self.config.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{host}")
    }

    /// The time now.
    pub(crate) fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// The latest time that was ever seen. A clock that is set back would make old signatures
    /// fresh again; for them it stands still instead.
    pub(crate) fn latest(&self) -> Timestamp {
        let now = self.now().millis();
        Timestamp::from_millis(self.latest.fetch_max(now, Ordering::AcqRel).max(now))
    }

    /// Waits until the gateway stops.
    pub(crate) async fn stops(&self) {
        let mut stopping = self.stopping.clone();
        let _ = stopping.wait_for(|stop| *stop).await.is_ok();
    }

    /// Random bytes.
    pub(crate) fn random<const N: usize>(&self) -> Result<[u8; N], PortError> {
        let mut bytes = [0; N];
        self.ports.random.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// What ties the next answer to its events. It begins with the time, so that the log keeps those
    /// of one time together; nobody has to be unable to guess it.
    pub(crate) fn correlation(&self) -> Result<CorrelationId, PortError> {
        let mut bytes: [u8; 16] = self.random()?;
        let now = self.now().millis().to_be_bytes();
        for (to, from) in bytes.iter_mut().zip(now.iter().skip(2)) {
            *to = *from;
        }
        Ok(CorrelationId::from_random(bytes))
    }
}

/// A name as it stands in an address.
fn written(name: &str) -> String {
    if name.contains(':') { format!("[{name}]") } else { name.to_ascii_lowercase() }
}
