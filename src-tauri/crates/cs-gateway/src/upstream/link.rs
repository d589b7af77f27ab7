//! A connection to a server, of either kind.

use std::sync::Arc;
use std::time::Duration;

use cs_model::upstream::{Setting, Transport};
use cs_model::{Secret, TenantId};
use http::HeaderMap;
use tokio::time::timeout;

use super::catalog::{self, Listing};
use super::child::{Program, Tail};
use super::flight::{Ending, Flight, Progress};
use super::http::{HttpLink, header};
use super::stdio::StdioLink;
use super::wire::{self, Answer, Ask};
use super::{UpstreamError, UpstreamLimits};
use crate::ports::SecretSource;

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
        let link = self.connect(transport, tail).await?;
        match self.introduce(&link).await {
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

    async fn introduce(&self, link: &Link) -> Result<Listing, UpstreamError> {
        let asked = within(self.limits.initialize, link.ask(Ask::Initialize, None)).await?;
        let answer = match asked {
            Answer::Result(result) => wire::introduced(&result),
            Answer::Error(fault) => return Err(UpstreamError::NotSent(fault.describe())),
        };
        let said = answer.map_err(|why| UpstreamError::Rejected(why.to_string()))?;
        link.initialized(said.version).await?;
        if said.tools {
            within(self.limits.list, catalog::list(link)).await
        } else {
            Ok(Listing::default())
        }
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
        progress: Option<Progress>,
    ) -> Result<Answer, UpstreamError> {
        match self {
            Self::Http(link) => link.ask(ask, progress).await,
            Self::Stdio(link) => link.ask(ask, progress).await,
        }
    }

    /// Says that the first exchange is over and that revision is spoken from now on.
    async fn initialized(&self, version: &'static str) -> Result<(), UpstreamError> {
        match self {
            Self::Http(link) => link.initialized(version).await,
            Self::Stdio(link) => link.initialized().await,
        }
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
