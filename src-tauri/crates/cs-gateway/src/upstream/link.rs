//! A connection to a server, of either kind.

use std::sync::Arc;
use std::time::Duration;

use cs_model::upstream::{Setting, Transport};
use cs_model::{Secret, TenantId};
use http::HeaderMap;
use tokio::sync::watch;
use tokio::time::timeout;

use super::catalog::{self, Listing};
use super::child::{Program, Tail};
use super::flight::{Acknowledged, Ending, Flight};
use super::http::{HttpLink, header};
use super::news::Teller;
use super::stdio::StdioLink;
use super::wire::{self, Answer, Ask, Has, Introduction};
use super::{Abilities, Ear, UpstreamError, UpstreamLimits};
use crate::ports::SecretSource;
use crate::wire::{Era, MODERN};

/// How long a server may take to say whether it speaks the newest revision.
const PROBE: Duration = Duration::from_secs(5);

/// A connection.
pub(super) enum Link {
    /// To an address.
    Http(HttpLink),
    /// To a child process.
    Stdio(StdioLink),
}

/// What connections are made with.
pub(super) struct Maker {
    /// The tenant whose secrets may be used, and no other's.
    pub(super) tenant: TenantId,
    /// Where its secrets are.
    pub(super) secrets: Arc<dyn SecretSource>,
    /// How long things may take.
    pub(super) limits: UpstreamLimits,
    /// What the server may ask, when the connection is one session's own.
    pub(super) own: Option<Abilities>,
    /// Where its changes are told, when it is everybody's.
    pub(super) teller: Option<Teller>,
}

impl Maker {
    /// Connects, introduces us and asks for the tools.
    ///
    /// # Errors
    ///
    /// Says what an operator can look at. What a child wrote to its standard error is in `tail`.
    pub(super) async fn open(
        &self,
        transport: &Transport,
        tail: &Arc<Tail>,
    ) -> Result<(Link, Listing), UpstreamError> {
        let mut link = self.connect(transport, tail).await?;
        if let Some(teller) = &self.teller {
            link.flight().tells_of_changes(teller.clone());
        }
        if let Some(abilities) = self.own {
            link.flight().is_own(abilities);
        }
        match self.introduce(&mut link, transport, tail).await {
            Ok(listing) => Ok((link, listing)),
            Err(why) => {
                link.stop().await;
                Err(blame(why, tail.last().as_deref()))
            }
        }
    }

    async fn connect(
        &self,
        transport: &Transport,
        tail: &Arc<Tail>,
    ) -> Result<Link, UpstreamError> {
        match transport {
            Transport::Stdio { command, args, env, cwd } => {
                let mut resolved = Vec::with_capacity(env.len());
                let mut hidden = Vec::new();
                for (name, setting) in env {
                    let value = self.resolve(setting).await?;
                    if matches!(setting, Setting::Secret { .. }) {
                        hidden.push(value.duplicate());
                    }
                    resolved.push((name.clone(), value));
                }
                let program = Program { command, args, env: &resolved, cwd: cwd.as_deref() };
                StdioLink::start(&program, Arc::clone(tail), hidden).map(Link::Stdio)
            }
            Transport::Http { url, headers } => {
                let mut resolved = HeaderMap::new();
                for (name, setting) in headers {
                    let (name, value) = header(name, &self.resolve(setting).await?)?;
                    resolved.insert(name, value);
                }
                HttpLink::new(url, resolved, self.limits.connect).map(Link::Http)
            }
        }
    }

    async fn resolve(&self, setting: &Setting) -> Result<Secret, UpstreamError> {
        match setting {
            Setting::Text(text) => Ok(Secret::from_text(text.clone())),
            Setting::Secret { secret } => {
                self.secrets.tenant_secret(self.tenant, secret).await.map_err(|_| {
                    UpstreamError::Misconfigured(format!("the secret `{secret}` is not to be had"))
                })
            }
        }
    }

    /// Finds out what the server speaks, and asks for the tools. Servers of the older revisions
    /// answer the first question in many ways, or fall silent, or end: any answer but the right
    /// one means that they are asked in the older way.
    async fn introduce(
        &self,
        link: &mut Link,
        transport: &Transport,
        tail: &Arc<Tail>,
    ) -> Result<Listing, UpstreamError> {
        let patience = PROBE.min(self.limits.initialize.checked_div(2).unwrap_or(PROBE));
        let said = match self.discovered(link, patience).await {
            Ok(Some(said)) => said,
            Err(UpstreamError::NotSent(why)) if !link.was_reached() && self.own.is_none() => {
                return Err(UpstreamError::NotSent(why));
            }
            Ok(None) | Err(_) => {
                if link.ending().is_some() {
                    link.stop().await;
                    *link = self.connect(transport, tail).await?;
                }
                self.initialize(link).await?
            }
        };
        link.begin(&said).await?;
        within(self.limits.list, catalog::list(link, said.has)).await
    }

    /// Asks which era it is, unless the connection is for the older one if there is that.
    async fn discovered(
        &self,
        link: &Link,
        patience: Duration,
    ) -> Result<Option<Introduction>, UpstreamError> {
        if self.own.is_some() { Ok(None) } else { discover(link, patience).await }
    }

    async fn initialize(&self, link: &Link) -> Result<Introduction, UpstreamError> {
        match within(
            self.limits.initialize,
            link.ask(Ask::Initialize(self.own.unwrap_or_default()), None),
        )
        .await?
        {
            Answer::Result(result) => {
                wire::introduced(&result).map_err(|why| UpstreamError::Rejected(why.to_string()))
            }
            // One that speaks the newest revision only, and was too slow the first time.
            Answer::Error(fault) => match discover(link, self.limits.initialize).await {
                Ok(Some(said)) => Ok(said),
                Ok(None) | Err(_) => Err(UpstreamError::NotSent(fault.describe())),
            },
        }
    }
}

/// Asks a server whether it speaks the newest revision.
async fn discover(link: &Link, patience: Duration) -> Result<Option<Introduction>, UpstreamError> {
    match within(patience, link.ask(Ask::Discover, None)).await? {
        Answer::Result(result) => Ok(wire::discovered(&result)),
        Answer::Error(_) => Ok(None),
    }
}

/// Waits for an answer, but not for ever.
pub(super) async fn within<T>(
    most: Duration,
    work: impl Future<Output = Result<T, UpstreamError>>,
) -> Result<T, UpstreamError> {
    timeout(most, work).await.unwrap_or(Err(UpstreamError::TimedOut))
}

/// A failure to start, with what the server wrote last.
fn blame(why: UpstreamError, last: Option<&str>) -> UpstreamError {
    let with = |why: String| match last {
        Some(last) => format!("{why}; it last wrote: {last}"),
        None => why,
    };
    match why {
        UpstreamError::Lost(why) | UpstreamError::NotSent(why) => UpstreamError::NotSent(with(why)),
        UpstreamError::Misconfigured(why) => UpstreamError::Misconfigured(with(why)),
        UpstreamError::Rejected(why) => UpstreamError::Rejected(with(why)),
        UpstreamError::TimedOut => {
            UpstreamError::NotSent(with("the server did not answer in time".to_owned()))
        }
        UpstreamError::Drift => UpstreamError::Drift,
    }
}

impl Link {
    fn flight(&self) -> &Flight {
        match self {
            Self::Http(link) => link.flight(),
            Self::Stdio(link) => link.flight(),
        }
    }

    /// Asks, and waits for the answer. Dropping the future tells the server that nobody does.
    pub(super) async fn ask(
        &self,
        ask: Ask<'_>,
        ear: Option<Ear>,
    ) -> Result<Answer, UpstreamError> {
        match self {
            Self::Http(link) => link.ask(ask, ear).await,
            Self::Stdio(link) => link.ask(ask, ear).await,
        }
    }

    /// Speaks from now on what the server does.
    async fn begin(&self, said: &Introduction) -> Result<(), UpstreamError> {
        self.flight().publishes(said.has);
        self.flight().notes(said.notes);
        if said.version == MODERN {
            self.flight().is_modern(said.tells, said.errands);
            return Ok(());
        }
        match self {
            Self::Http(link) => link.initialized(said.version).await,
            Self::Stdio(link) => link.initialized().await,
        }
    }

    /// What is spoken over it.
    pub(super) fn era(&self) -> Era {
        self.flight().era()
    }

    /// Whether its server may answer a call with an errand.
    pub(super) fn has_errands(&self) -> bool {
        self.flight().has_errands()
    }

    /// What its server publishes.
    pub(super) fn has(&self) -> Has {
        self.flight().has()
    }

    /// Whether the server has to be told how loud its notes are to be.
    pub(super) fn notes(&self) -> bool {
        self.flight().takes_level()
    }

    /// Whether anything ever answered.
    fn was_reached(&self) -> bool {
        match self {
            Self::Http(link) => link.was_reached(),
            Self::Stdio(_) => true,
        }
    }

    /// Whether the server tells of changes, and only when it is asked to.
    pub(super) fn tells_when_asked(&self) -> bool {
        self.flight().tells_when_asked()
    }

    /// Hears from now on what the server says that it will tell of.
    pub(super) fn acknowledged(&self) -> watch::Receiver<Acknowledged> {
        self.flight().acknowledged()
    }

    /// What the server publishes may have changed.
    pub(super) fn change_listing(&self) {
        self.flight().change_listing();
    }

    /// How the connection ended, when it has.
    pub(super) fn ending(&self) -> Option<Ending> {
        self.flight().ending()
    }

    /// Waits for the end of the connection.
    pub(super) async fn ended(&self) {
        self.flight().ended().await;
    }

    /// Ends the connection because the server broke the protocol.
    pub(super) fn reject(&self, why: &str) {
        self.flight().end(Ending::Rejected(why.to_owned()));
    }

    /// Waits until the server says that its tools have changed.
    pub(super) async fn listing_changed(&self) {
        self.flight().listing_changed().await;
    }

    /// Ends the connection and, with it, what was started for it.
    pub(super) async fn stop(&self) {
        match self {
            Self::Http(link) => link.stop().await,
            Self::Stdio(link) => link.stop().await,
        }
    }
}
