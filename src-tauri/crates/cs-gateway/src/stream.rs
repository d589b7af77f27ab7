//! Streams on which a client hears when its tools change, or whatever else it can see.

use std::sync::Arc;

use cs_model::{Digest, Grant, Kind, ServerId};
use serde_json::Value;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{mpsc, watch};

use crate::answer::{self, Answer, Events};
use crate::authn::{Warrant, holds};
use crate::authz;
use crate::errand::Followed;
use crate::gate::Gate;
use crate::refusal::Refusal;
use crate::session::{Live, Watch};
use crate::upstream::{Change, What};
use crate::wire::Id;

const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// Somebody who wants to hear of changes.
#[derive(Debug)]
pub(crate) struct Follower {
    live: Arc<Live>,
    warrant: Warrant,
    alive: mpsc::Sender<()>,
    form: Form,
}

/// The two kinds of streams.
#[derive(Debug)]
enum Form {
    /// The GET stream of the older era. A newer one takes its place.
    Get,
    /// `subscriptions/listen` of the newer era.
    Listen { id: Id, wishes: Wishes, cancelled: watch::Receiver<bool> },
}

/// Of what a client of the newer era wants to hear.
#[derive(Debug)]
pub(crate) struct Wishes {
    /// The kinds of which a list may change.
    pub(crate) kinds: Vec<Kind>,
    /// The resources that may change. They are watched as long as this is there.
    pub(crate) watches: Vec<Watch>,
    /// The errands that may stand elsewhere.
    pub(crate) errands: Followed,
}

impl Follower {
    pub(crate) const fn get(live: Arc<Live>, warrant: Warrant, alive: mpsc::Sender<()>) -> Self {
        Self { live, warrant, alive, form: Form::Get }
    }

    pub(crate) fn listen(
        live: Arc<Live>,
        warrant: Warrant,
        id: Id,
        wishes: Wishes,
        alive: mpsc::Sender<()>,
    ) -> Result<Self, Refusal> {
        let cancelled = live.begin(&id).ok_or(Refusal::IdInUse)?;
        Ok(Self { live, warrant, alive, form: Form::Listen { id, wishes, cancelled } })
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        if let Form::Listen { id, .. } = &self.form {
            self.live.finish(id);
        }
    }
}

/// Opens the stream.
pub(crate) fn serve(gate: &Arc<Gate>, follower: Follower) -> Answer {
    let (answer, events) = answer::stream();
    let gate = Arc::clone(gate);
    tokio::spawn(async move { follow(&gate, follower, &events).await });
    answer
}

/// Tells of changes until the client leaves, the session ends, its credential does not stand any
/// more, or the gateway stops.
async fn follow(gate: &Gate, mut follower: Follower, events: &Events) {
    let live = Arc::clone(&follower.live);
    let (alive, warrant) = (follower.alive.clone(), follower.warrant.clone());
    let mut world = gate.world.clone();
    world.mark_unchanged();
    let mut ending = live.ending();
    let mut news = gate.outbound.hear();
    let mut silent = false;
    let mut seen = outlines(gate, &live);
    let mut newest = matches!(follower.form, Form::Get).then(|| live.stream());
    let mut pulse = tokio::time::interval(gate.config.limits.keep_alive);
    pulse.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    if follower.form.open(events).await.is_err() {
        return;
    }
    loop {
        // The client takes it back, or one of its errands stands elsewhere.
        let happens = async {
            match &mut follower.form {
                Form::Listen { cancelled, wishes, .. } => tokio::select! {
                    _ = cancelled.wait_for(|it| *it) => None,
                    news = wishes.errands.news() => Some(news),
                },
                Form::Get => std::future::pending().await,
            }
        };
        let replaced = async {
            match &mut newest {
                Some(number) => number.changed().await.is_ok(),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = events.gone() => return,
            () = gate.stops() => break,
            _ = ending.changed() => break,
            _ = replaced => break,
            errand = happens => match errand {
                Some(number) => follower.form.stands(gate, &live, &warrant, events, number),
                None => break,
            },
            _ = pulse.tick() => {
                if !holds(&gate.world(), &warrant, gate.now()) {
                    break;
                }
                events.keep_alive();
            }
            changed = world.changed() => {
                if changed.is_err() || !holds(&gate.world(), &warrant, gate.now()) {
                    break;
                }
                let now = outlines(gate, &live);
                for (kind, _) in now.iter().zip(&seen).filter(|(now, then)| now != then) {
                    follower.form.changed(events, kind.0);
                }
                seen = now;
                follower.form.retain(&live, |watch| authz::reads(gate, &live, &watch.uri));
            }
            change = news.recv(), if !silent => match change {
                Ok(change) if concerns(gate, &live, &change) => match &change.what {
                    What::Updated(uri) => {
                        let watched = follower.form.watched(&live, change.server, uri);
                        let reads = |uri: &str| authz::reads(gate, &live, uri);
                        if watched.is_some_and(|it| reads(&it) && (it == **uri || reads(uri))) {
                            follower.form.updated(events, uri);
                        }
                    }
                    what @ (What::Prompts | What::Resources | What::Tools) => {
                        what.kind().into_iter().for_each(|it| follower.form.changed(events, it));
                    }
                },
                Ok(_) => {}
                // What was missed may have been anything.
                Err(RecvError::Lagged(_)) => {
                    TOLD.into_iter().for_each(|kind| follower.form.changed(events, kind));
                    for uri in follower.form.all(&live) {
                        follower.form.updated(events, &uri);
                    }
                }
                Err(RecvError::Closed) => silent = true,
            },
        }
        if live.is_over() {
            break;
        }
    }
    follower.form.close(events).await;
    drop(alive);
}

/// The kinds of whose changes clients hear. Of templates they hear as of resources.
pub(crate) const TOLD: [Kind; 3] = [Kind::Tool, Kind::Prompt, Kind::Resource];

/// What a kind is called in the notification of a change.
pub(crate) const fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::Prompt => "prompts",
        Kind::Resource | Kind::Template => "resources",
        Kind::Tool => "tools",
    }
}

type Outline = Vec<(String, Digest, Grant)>;

/// What a client can see, by the kinds of which it hears.
fn outlines(gate: &Gate, live: &Live) -> [(Kind, Outline); 3] {
    TOLD.map(|kind| {
        let mut all = authz::outline(gate, live, kind);
        if kind == Kind::Resource {
            all.extend(authz::outline(gate, live, Kind::Template));
        }
        (kind, all)
    })
}

/// Whether a change at a server is one that the session has to do with.
fn concerns(gate: &Gate, live: &Live, change: &Change) -> bool {
    change.tenant == live.tenant() && authz::reaches(gate, live, change.server)
}

impl Form {
    async fn open(&self, events: &Events) -> Result<(), answer::Gone> {
        let Self::Listen { id, wishes, .. } = self else { return Ok(()) };
        let kinds = wishes.kinds.iter();
        let mut honoured: Vec<_> =
            kinds.map(|it| format!("\"{}ListChanged\":true", noun(*it))).collect();
        let uris: Value = wishes.watches.iter().map(|it| it.uri.as_str()).collect();
        if uris.as_array().is_some_and(|it| !it.is_empty()) {
            honoured.push(format!("\"resourceSubscriptions\":{uris}"));
        }
        honoured.extend(wishes.errands.honoured());
        let honoured = format!("{{{}}}", honoured.join(","));
        let message = format!(
            "{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/acknowledged\",\
             \"params\":{{\"_meta\":{{\"{SUBSCRIPTION}\":{id}}},\"notifications\":{honoured}}}}}"
        );
        events.message(&message).await
    }

    /// Tells where an errand stands, if its call would be allowed if it came now.
    fn stands(&self, gate: &Gate, live: &Live, warrant: &Warrant, events: &Events, number: usize) {
        let Self::Listen { id, wishes, .. } = self else { return };
        let meta = format!("{{\"{SUBSCRIPTION}\":{id}}}");
        if let Some(params) = wishes.errands.told(gate, live, warrant, number, &meta) {
            events.inform(&format!(
                "{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tasks\",\"params\":{params}}}"
            ));
        }
    }

    fn changed(&self, events: &Events, kind: Kind) {
        let params = match self {
            Self::Get => String::new(),
            Self::Listen { wishes, .. } if !wishes.kinds.contains(&kind) => return,
            Self::Listen { id, .. } => {
                format!(",\"params\":{{\"_meta\":{{\"{SUBSCRIPTION}\":{id}}}}}")
            }
        };
        events.inform(&format!(
            "{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/{}/list_changed\"{params}}}",
            noun(kind)
        ));
    }

    /// Tells that what is at a URI has changed.
    fn updated(&self, events: &Events, uri: &str) {
        let uri = Value::from(uri);
        let meta = match self {
            Self::Get => String::new(),
            Self::Listen { id, .. } => format!(",\"_meta\":{{\"{SUBSCRIPTION}\":{id}}}"),
        };
        events.inform(&format!(
            "{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/resources/updated\",\
             \"params\":{{\"uri\":{uri}{meta}}}}}"
        ));
    }

    /// The URI under which what has changed is watched, if it is.
    fn watched(&self, live: &Live, server: ServerId, changed: &str) -> Option<String> {
        match self {
            Self::Get => live.watching().about(server, changed),
            Self::Listen { wishes, .. } => {
                let found = wishes.watches.iter().find(|watch| watch.is_about(server, changed));
                found.map(|watch| watch.uri.clone())
            }
        }
    }

    /// The URIs of all that is watched.
    fn all(&self, live: &Live) -> Vec<String> {
        match self {
            Self::Get => live.watching().uris(),
            Self::Listen { wishes, .. } => {
                wishes.watches.iter().map(|watch| watch.uri.clone()).collect()
            }
        }
    }

    /// Goes on watching only these.
    fn retain(&mut self, live: &Live, keeps: impl FnMut(&Watch) -> bool) {
        match self {
            Self::Get => live.watching().retain(keeps),
            Self::Listen { wishes, .. } => wishes.watches.retain(keeps),
        }
    }

    async fn close(&self, events: &Events) {
        if let Self::Listen { id, .. } = self {
            let result =
                format!("{{\"resultType\":\"complete\",\"_meta\":{{\"{SUBSCRIPTION}\":{id}}}}}");
            // The client may have left meanwhile, and then nobody misses it.
            let _ = events.message(&answer::result(id, &result)).await;
        }
    }
}
