//! A console that works on a gateway elsewhere: connected for as long as it can be, and connected
//! anew when it was cut off.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cs_gateway::ports::Clock;
use cs_model::{CorrelationId, Timestamp};
use cs_trust::console::{ConsoleCard, ConsoleIdentity};
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};

use super::attach;
use crate::adapters::clock::SystemClock;
use crate::change::{Change, Topic};
use crate::failure::{ErrorCode, Failure};
use crate::socket::{Client, SocketError};
use crate::view::status::AttachedView;

/// How long to wait before the next attempt: twice as long each time, up to the last.
const WAITS: [u64; 4] = [1, 2, 4, 8];

/// How many changes a slow listener may lag behind before it misses some.
const BACKLOG: usize = 256;

/// What may have changed while nobody was told.
const EVERYTHING: [Topic; 8] = [
    Topic::Alerts,
    Topic::Approvals,
    Topic::Audit,
    Topic::Policy,
    Topic::Registry,
    Topic::Servers,
    Topic::Sessions,
    Topic::Status,
];

/// A console that works on a gateway elsewhere.
#[derive(Debug)]
pub struct Attached {
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
}

#[derive(Debug)]
struct Shared {
    card: ConsoleCard,
    clock: Arc<dyn Clock>,
    changes: broadcast::Sender<Change>,
    link: Mutex<LinkState>,
}

#[derive(Debug)]
enum LinkState {
    Up(Arc<Client>),
    Down(String),
}

impl Attached {
    /// Begins to connect, and stays at it.
    pub fn begin(identity: ConsoleIdentity) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let shared = Arc::new(Shared {
            card: identity.card.clone(),
            clock,
            changes: broadcast::Sender::new(BACKLOG),
            link: Mutex::new(LinkState::Down("connecting".to_owned())),
        });
        let (stop, stopping) = watch::channel(false);
        tokio::spawn(keep(Arc::clone(&shared), identity, stopping));
        Self { shared, stop }
    }

    /// Runs a command over there. The status says too how the connection is.
    ///
    /// # Errors
    ///
    /// Why it was not done; that the gateway cannot be reached among it.
    pub async fn ask(&self, command: &str, args: Value) -> Result<Value, Failure> {
        let is_status = matches!(command, "lock" | "status" | "touch" | "unlock");
        let client = match &*self.shared.link() {
            LinkState::Up(client) => Ok(Arc::clone(client)),
            LinkState::Down(why) => Err(why.clone()),
        };
        let asked = match client {
            Ok(client) => client.ask(command, args).await.map_err(|error| error.to_string()),
            Err(why) => Err(why),
        };
        match asked {
            Ok(answered) => Ok(if is_status { self.told(answered?, None) } else { answered? }),
            // A locked console is all there is to see of a gateway that cannot be reached.
            Err(why) if command == "status" => {
                Ok(self.told(nothing(self.shared.clock.now()), Some(why)))
            }
            Err(why) => Err(self.unreachable(&why)),
        }
    }

    /// What changes over there, and whether it can be reached.
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.shared.changes.subscribe()
    }

    /// Whose console it is, and of which gateway.
    pub fn card(&self) -> &ConsoleCard {
        &self.shared.card
    }

    fn told(&self, mut status: Value, problem: Option<String>) -> Value {
        let view =
            AttachedView { connected: problem.is_none(), ..view(&self.shared.card, problem) };
        if let (Some(members), Ok(view)) = (status.as_object_mut(), serde_json::to_value(view)) {
            members.insert("attached".to_owned(), view);
        }
        status
    }

    fn unreachable(&self, why: &str) -> Failure {
        let address = &self.shared.card.address;
        Failure {
            code: ErrorCode::Unavailable,
            message: format!(
                "There is no connection to the gateway at {address}, so nothing was done: {why}. \
                 It is tried again all the time."
            ),
            correlation: CorrelationId::from_random([0; 16]),
            field: None,
        }
    }
}

/// Whose console it is, while there is no connection.
pub(super) fn view(card: &ConsoleCard, problem: Option<String>) -> AttachedView {
    AttachedView {
        address: card.address.clone(),
        operator_name: card.operator.clone(),
        console_name: card.name.clone(),
        connected: false,
        problem,
    }
}

/// A status of which nothing is known.
pub(super) fn nothing(now: Timestamp) -> Value {
    json!({
        "phase": "ready", "secret_store": "keychain", "home": "",
        "gateway": { "state": "stopped", "url": null, "problem": null, "embedded": false },
        "policy_version": 0, "doubt": null, "halted": null, "calls_per_minute": 0, "waiting_approvals": 0,
        "webhook_problem": null, "open_alerts": 0, "open_incidents": 0, "operator": null, "locks_at": null, "now": now,
    })
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

impl Shared {
    fn link(&self) -> std::sync::MutexGuard<'_, LinkState> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, link: LinkState, topics: &[Topic]) {
        *self.link() = link;
        for topic in topics {
            // Nobody listening is no failure.
            let _ = self.changes.send(Change { topic: *topic });
        }
    }
}

async fn keep(shared: Arc<Shared>, identity: ConsoleIdentity, mut stopping: watch::Receiver<bool>) {
    let mut failed: usize = 0;
    loop {
        let once = async {
            let (why, was_up) = connect(&shared, &identity).await;
            failed = if was_up { 0 } else { failed.saturating_add(1) };
            tracing::info!(why, "there is no connection to the gateway");
            shared.set(LinkState::Down(why), &EVERYTHING);
            let secs = WAITS.get(failed).or(WAITS.last()).copied().unwrap_or(1);
            tokio::time::sleep(Duration::from_secs(secs)).await;
        };
        tokio::select! {
            () = once => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
    }
}

/// Connects, and stays until it is cut off. Answers with why, and whether it was connected.
async fn connect(shared: &Shared, identity: &ConsoleIdentity) -> (String, bool) {
    let client = match attach(identity, Arc::clone(&shared.clock)).await {
        Ok(client) => Arc::new(client),
        Err(error) => return (error.to_string(), false),
    };
    let mut changes = match client.follow().await {
        Ok(changes) => changes,
        Err(error) => return (error.to_string(), false),
    };
    shared.set(LinkState::Up(Arc::clone(&client)), &EVERYTHING);
    let tell = |topic| {
        // Nobody listening is no failure.
        let _ = shared.changes.send(Change { topic });
    };
    let telling = async {
        loop {
            match changes.recv().await {
                Ok(change) => tell(change.topic),
                Err(RecvError::Lagged(_)) => EVERYTHING.into_iter().for_each(tell),
                Err(RecvError::Closed) => return SocketError::Garbled,
            }
        }
    };
    let error = tokio::select! {
        error = client.stay() => error,
        error = telling => error,
    };
    (error.to_string(), true)
}
