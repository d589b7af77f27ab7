//! Streams on which a client hears when its tools change, or whatever else it can see.

use std::sync::Arc;

use cs_model::{Digest, Grant, Kind};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{mpsc, watch};

use crate::answer::{self, Answer, Events};
use crate::authn::{Warrant, holds};
use crate::authz;
use crate::gate::Gate;
use crate::refusal::Refusal;
use crate::session::Live;
use crate::upstream::Change;
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
    Listen {
        id: Id,
        /// Of which kinds changes were asked for.
        wanted: Vec<Kind>,
        cancelled: watch::Receiver<bool>,
    },
}

impl Follower {
    pub(crate) const fn get(live: Arc<Live>, warrant: Warrant, alive: mpsc::Sender<()>) -> Self {
        Self { live, warrant, alive, form: Form::Get }
    }

    pub(crate) fn listen(
        live: Arc<Live>,
        warrant: Warrant,
        id: Id,
        wanted: Vec<Kind>,
        alive: mpsc::Sender<()>,
    ) -> Result<Self, Refusal> {
        let cancelled = live.begin(&id).ok_or(Refusal::IdInUse)?;
        Ok(Self { live, warrant, alive, form: Form::Listen { id, wanted, cancelled } })
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
        let cancelled = async {
            match &mut follower.form {
                Form::Listen { cancelled, .. } => {
                    let _ = cancelled.wait_for(|it| *it).await.is_ok();
                }
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
            () = cancelled => break,
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
            }
            change = news.recv(), if !silent => match change {
                Ok(change) if concerns(gate, &live, &change) => {
                    if let Some(kind) = change.what.kind() {
                        follower.form.changed(events, kind);
                    }
                }
                Ok(_) | Err(RecvError::Lagged(_)) => {}
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
        let Self::Listen { id, wanted, .. } = self else { return Ok(()) };
        let honoured: Vec<_> =
            wanted.iter().map(|it| format!("\"{}ListChanged\":true", noun(*it))).collect();
        let honoured = format!("{{{}}}", honoured.join(","));
        let message = format!(
            "{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/acknowledged\",\
             \"params\":{{\"_meta\":{{\"{SUBSCRIPTION}\":{id}}},\"notifications\":{honoured}}}}}"
        );
        events.message(&message).await
    }

    fn changed(&self, events: &Events, kind: Kind) {
        let params = match self {
            Self::Get => String::new(),
            Self::Listen { wanted, .. } if !wanted.contains(&kind) => return,
            Self::Listen { id, .. } => {
                format!(",\"params\":{{\"_meta\":{{\"{SUBSCRIPTION}\":{id}}}}}")
            }
        };
        events.inform(&format!(
            "{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/{}/list_changed\"{params}}}",
            noun(kind)
        ));
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
