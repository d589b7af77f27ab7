//! The identity providers: their keys, fetched and kept, and how each of them fares.
//!
//! Keys are refreshed in the background while they are used. A provider that cannot be reached is
//! put on record once; its last known keys are used for as long as its settings say, and then
//! nobody is let in by it. A token that names an unknown key has the keys fetched once, and no
//! flood of them more often than every thirty seconds.

mod asking;
mod discovery;
mod introspection;
mod source;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cs_model::event::{Actor, Event, EventKind};
use cs_model::{Digest, ProviderId, Timestamp};
use cs_trust::token::KeySet;

use self::asking::{Asking, Seats};
use self::source::{News, Source};
use crate::fetch::Fetcher;
use crate::ports::Ports;
use crate::recent::Recent;
use crate::trail::neutral;
use crate::upstream::egress::Reach;
use crate::world::{Provider, World};

pub use self::asking::IntrospectionStatus;
pub use self::discovery::{DiscoveryError, Metadata};
pub(crate) use self::introspection::{Asked, Introspected};

/// How many answers of introspection endpoints are kept, and how many are waited for at a time:
/// whoever may ask need not have proven anything yet.
const MOST_ANSWERS: usize = 10_000;
const MOST_ASKING: usize = 64;
const MOST_OF_ONE_ORIGIN: usize = 16;

/// How an identity provider fares.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ProviderStatus {
    /// Where it stands.
    pub standing: ProviderStanding,
    /// Its keys.
    pub keys: Vec<ProviderKey>,
    /// What it publishes besides that cannot be used.
    pub ignored: Vec<IgnoredKey>,
    /// When its keys were last fetched.
    pub fetched: Option<Timestamp>,
    /// Since when it cannot be reached, or publishes nothing that can be used.
    pub failing_since: Option<Timestamp>,
    /// What went wrong last, in one neutral line.
    pub last_error: Option<String>,
    /// How asking it about tokens goes. Nothing where its settings do not want that.
    pub introspection: Option<IntrospectionStatus>,
}

/// Where an identity provider stands.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum ProviderStanding {
    /// It cannot be reached; its last known keys are still used.
    Cached,
    /// Its keys were fetched when they were last due.
    Fresh,
    /// It cannot be reached, and nobody is let in by its tokens.
    Refusing,
    /// Nobody needed its keys yet.
    #[default]
    Unused,
}

/// A key of an identity provider.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProviderKey {
    /// Its id. The only key of a set may have none.
    pub key_id: Option<String>,
    /// The algorithms that it is for, in one line.
    pub algorithms: String,
}

/// A key that is published and cannot be used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IgnoredKey {
    /// Its id, where it has one that can be shown.
    pub key_id: Option<String>,
    /// Why.
    pub reason: String,
}

/// There are no keys of a provider that may be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Unavailable;

/// The keys that may be used now.
#[derive(Clone, Debug)]
pub(crate) struct Usable {
    pub(crate) keys: Arc<KeySet>,
    /// Whether they were fetched just now, for whoever asked.
    pub(crate) fetched_now: bool,
}

/// The identity providers of all tenants. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub(crate) struct Issuers(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    ports: Ports,
    fetcher: Fetcher,
    sources: Mutex<HashMap<ProviderId, Arc<Source>>>,
    answers: Recent<(ProviderId, Digest), Timestamp>,
    seats: Seats,
    asking: Asking,
}

impl Issuers {
    /// Nothing is known yet.
    pub(crate) fn new(ports: Ports) -> Self {
        Self(Arc::new(Shared {
            ports,
            fetcher: Fetcher::default(),
            sources: Mutex::default(),
            answers: Recent::new(MOST_ANSWERS),
            seats: Seats::new(MOST_ASKING, MOST_OF_ONE_ORIGIN),
            asking: Asking::default(),
        }))
    }

    fn sources(&self) -> MutexGuard<'_, HashMap<ProviderId, Arc<Source>>> {
        self.0.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of a provider. Nothing of it counts for other settings.
    fn source(&self, provider: &Provider) -> Arc<Source> {
        let mut sources = self.sources();
        match sources.get(&provider.id) {
            Some(source) if source.is_of(provider) => Arc::clone(source),
            Some(_) | None => {
                let source = Arc::new(Source::new(provider));
                sources.insert(provider.id, Arc::clone(&source));
                source
            }
        }
    }

    /// The keys of a provider, as long as they may be used. The first time, and after a long time
    /// without use, they are fetched; otherwise nobody waits.
    pub(crate) async fn keys(&self, provider: &Arc<Provider>) -> Result<Usable, Unavailable> {
        let source = self.source(provider);
        let now = self.0.ports.clock.now();
        source.used(now);
        if let Some(keys) = source.usable(now) {
            if let Some(seen) = source.due(now) {
                let (issuers, provider) = (self.clone(), Arc::clone(provider));
                tokio::spawn(async move { issuers.fetch(&provider, &source, seen).await });
            }
            return Ok(Usable { keys, fetched_now: false });
        }
        if !source.may_retry(now) {
            return Err(Unavailable);
        }
        self.fetch(provider, &source, source.attempts()).await;
        let keys = source.usable(self.0.ports.clock.now()).ok_or(Unavailable)?;
        Ok(Usable { keys, fetched_now: true })
    }

    /// The keys of a provider, if this one is among them now: they are fetched again for it,
    /// unless that was done a moment ago.
    pub(crate) async fn keys_with(
        &self,
        provider: &Arc<Provider>,
        key_id: &str,
    ) -> Option<Arc<KeySet>> {
        let source = self.source(provider);
        if let Some(seen) = source.seek(key_id, self.0.ports.clock.now()) {
            self.fetch(provider, &source, seen).await;
            return source.found(key_id, self.0.ports.clock.now());
        }
        source.usable(self.0.ports.clock.now()).filter(|keys| keys.has(key_id))
    }

    /// The keys of a provider that may not be in use: what is known of it, or what it publishes
    /// now, which is not kept.
    pub(crate) async fn keys_for(&self, provider: &Arc<Provider>) -> Result<Arc<KeySet>, String> {
        if let Some(own) = &provider.keys {
            return Ok(Arc::clone(own));
        }
        let known = self.sources().get(&provider.id).cloned();
        if let Some(source) = known.filter(|source| source.is_of(provider))
            && let Some(keys) = source.usable(self.0.ports.clock.now())
        {
            return Ok(keys);
        }
        let reach = reach(provider.settings.private_network);
        let text = self.0.fetcher.get(&provider.settings.jwks_uri, reach).await;
        let text = text.map_err(|error| error.to_string())?;
        KeySet::parse(&text).map(Arc::new).map_err(|error| error.to_string())
    }

    /// Looks for the metadata of an issuer.
    pub(crate) async fn discover(
        &self,
        issuer: &str,
        private_network: bool,
    ) -> Result<Metadata, DiscoveryError> {
        discovery::discover(&self.0.fetcher, issuer, private_network).await
    }

    /// Whether a provider cannot be reached now.
    pub(crate) fn is_failing(&self, provider: &Provider) -> bool {
        provider.keys.is_none() && self.source(provider).is_failing()
    }

    /// How a provider fares.
    pub(crate) fn status(&self, provider: &Provider) -> ProviderStatus {
        let status = self.source(provider).status(self.0.ports.clock.now());
        let asked = provider.settings.introspection.as_ref();
        let introspection = asked.map(|how| self.0.asking.status(provider.id, &how.endpoint));
        ProviderStatus { introspection, ..status }
    }

    /// Fetches the keys of a provider now.
    pub(crate) async fn refresh(&self, provider: &Arc<Provider>) -> ProviderStatus {
        let source = self.source(provider);
        self.fetch(provider, &source, source.attempts()).await;
        self.status(provider)
    }

    /// Keeps the keys fresh that are in use, and forgets providers that are gone.
    pub(crate) fn look_after(&self, world: &World) {
        let now = self.0.ports.clock.now();
        let known: HashMap<_, _> = world.providers.iter().map(|it| (it.id, it)).collect();
        let due: Vec<_> = {
            let mut sources = self.sources();
            sources.retain(|id, _| known.contains_key(id));
            self.0.asking.keep(|id| known.contains_key(id));
            let due = sources.iter().filter(|(_, source)| source.is_in_use(now));
            due.filter_map(|(id, source)| Some((*known.get(id)?, source)))
                .filter(|(provider, source)| source.is_of(provider))
                .filter_map(|(provider, source)| {
                    Some((Arc::clone(provider), Arc::clone(source), source.due(now)?))
                })
                .collect()
        };
        for (provider, source, seen) in due {
            let issuers = self.clone();
            tokio::spawn(async move { issuers.fetch(&provider, &source, seen).await });
        }
    }

    /// Fetches the keys, unless somebody else has since `seen` was read. Of any number of those
    /// who want them one fetches, and the others wait for it; too many do not wait.
    async fn fetch(&self, provider: &Provider, source: &Source, seen: u64) {
        let Some(_seat) = source.seat() else { return };
        let _flight = source.flight().await;
        if source.attempts() != seen {
            return;
        }
        let url = &provider.settings.jwks_uri;
        let fetched = self.0.fetcher.get(url, reach(provider.settings.private_network)).await;
        let news = source.learn(fetched, self.0.ports.clock.now());
        self.tell(provider, news).await;
    }

    /// Puts on record what became of a provider.
    async fn tell(&self, provider: &Provider, news: Vec<News>) {
        let events: Vec<_> = news
            .into_iter()
            .map(|news| {
                let (kind, detail) = match news {
                    News::Unreachable(why) => (EventKind::ProviderUnreachable, why),
                    News::Recovered => (EventKind::ProviderRecovered, String::new()),
                    News::KeysChanged(what) => (EventKind::ProviderKeysChanged, what),
                    News::NotAnswering(why) => {
                        (EventKind::ProviderUnreachable, format!("introspection: {why}"))
                    }
                    News::Answering => (EventKind::ProviderRecovered, "introspection".to_owned()),
                };
                let mut event = Event::new(kind, self.0.ports.clock.now());
                event.actor = Some(Actor::System);
                event.tenant = Some(provider.tenant);
                let name = provider.name.as_str();
                let said = if detail.is_empty() { String::new() } else { format!(": {detail}") };
                event.detail = Some(neutral(&format!("{name}{said}")));
                event
            })
            .collect();
        if events.is_empty() {
            return;
        }
        if let Err(error) = self.0.ports.audit.record(events).await {
            tracing::error!(%error, "what became of an identity provider is not on record");
        }
    }
}

/// Which addresses a provider may be at.
const fn reach(private_network: bool) -> Reach {
    if private_network { Reach::Private } else { Reach::Public }
}
