//! What the windows talk to: the services of this home, or those of a gateway elsewhere whose
//! console this is.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use cs_control::consoles::{self, Attached, ConsoleCard};
use cs_control::view::alert::AlertView;
use cs_control::view::approval::ApprovalRow;
use cs_control::{Actor, Change, Control, ErrorCode, Failure, Topic};
use cs_model::{CorrelationId, Secret};
use serde_json::{Value, json};
use tokio::sync::broadcast;

/// How many changes a slow listener may lag behind before it misses some.
const BACKLOG: usize = 256;

/// Whose services the windows talk to, for whoever is in front of the console.
#[derive(Debug)]
pub(crate) struct Desk {
    side: RwLock<Side>,
    changes: broadcast::Sender<Change>,
    /// Where the file is kept by which this home joins a gateway elsewhere.
    kept: Option<PathBuf>,
    /// Where the command line steers this console, while it can.
    #[cfg(unix)]
    socket: tokio::sync::Mutex<Option<cs_control::socket::Server>>,
}

/// Whose services.
#[derive(Clone, Debug)]
enum Side {
    /// A gateway's elsewhere.
    Elsewhere(Arc<Attached>),
    /// Nobody's yet: the file of a console is there, and its code is not.
    Joining { file: Arc<str>, card: Arc<ConsoleCard> },
    /// This home's.
    Own(Control),
}

/// How many calls wait, and which, where that can be told.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) count: usize,
    pub(crate) rows: Option<Vec<ApprovalRow>>,
}

impl Desk {
    /// The desk over these services. The command line can steer it from now on.
    pub(crate) async fn open(control: Control) -> Self {
        #[cfg(unix)]
        let socket = match cs_control::socket::Server::start(&control).await {
            Ok(server) => Some(server),
            Err(problem) => {
                tracing::error!(%problem, "the command line cannot steer this console");
                None
            }
        };
        let kept = Some(kept(control.home()));
        let changes = broadcast::Sender::new(BACKLOG);
        pass_on(control.changes(), changes.clone());
        Self {
            side: RwLock::new(Side::Own(control)),
            changes,
            kept,
            #[cfg(unix)]
            socket: tokio::sync::Mutex::new(socket),
        }
    }

    /// The desk of a console whose gateway is elsewhere. Until the code of its file is given, it
    /// can do nothing.
    ///
    /// # Errors
    ///
    /// When it is no such file.
    pub(crate) async fn elsewhere(file: String) -> Result<Self, consoles::ConsoleFileError> {
        let card = consoles::card(&file)?;
        let remembered = consoles::recall(&card).await;
        let opened = remembered.and_then(|code| consoles::open(&file, &code).ok());
        let changes = broadcast::Sender::new(BACKLOG);
        let side = match opened {
            Some(identity) => {
                let attached = Arc::new(Attached::begin(identity));
                pass_on(attached.changes(), changes.clone());
                Side::Elsewhere(attached)
            }
            None => Side::Joining { file: file.into(), card: Arc::new(card) },
        };
        Ok(Self {
            side: RwLock::new(side),
            changes,
            kept: None,
            #[cfg(unix)]
            socket: tokio::sync::Mutex::default(),
        })
    }

    fn side(&self) -> Side {
        self.side.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Passes on what a window asks for, on behalf of the operator who unlocked the console.
    ///
    /// # Errors
    ///
    /// Why it was not done.
    pub(crate) async fn ask(&self, command: &str, arguments: Value) -> Result<Value, Failure> {
        match self.side() {
            Side::Elsewhere(attached) => attached.ask(command, arguments).await,
            Side::Joining { card, .. } if command == "status" => Ok(consoles::before(&card)),
            Side::Joining { .. } => Err(refusal("Give the code of this console's file first.")),
            Side::Own(control) => control.dispatch(&control.console(), command, arguments).await,
        }
    }

    /// Joins a gateway elsewhere: with the file that is there, or the one that is handed in, where
    /// this home has no installation of its own.
    ///
    /// # Errors
    ///
    /// Why not; nothing was changed then.
    pub(crate) async fn join(&self, file: Option<String>, code: String) -> Result<Value, Failure> {
        let (file, own) = match (self.side(), file) {
            (Side::Joining { file, .. }, None) => (file.to_string(), None),
            (Side::Own(control), Some(file)) => {
                let status = control.dispatch(&control.console(), "status", json!({})).await?;
                if status.get("phase") != Some(&json!("first_run")) {
                    return Err(refusal("This home has an installation of its own already."));
                }
                (file, Some(control))
            }
            (Side::Elsewhere(_) | Side::Joining { .. } | Side::Own(_), _) => {
                return Err(refusal("This console has joined a gateway already."));
            }
        };
        let code = Secret::from_text(code);
        let told = |error: &dyn std::fmt::Display| refusal(&error.to_string());
        let identity = consoles::open(&file, &code).map_err(|error| told(&error))?;
        consoles::try_out(&identity).await.map_err(|error| told(&error))?;
        if let (Some(control), Some(path)) = (&own, &self.kept) {
            keep(path, &file).map_err(|error| told(&error))?;
            #[cfg(unix)]
            if let Some(server) = self.socket.lock().await.take() {
                server.stop().await;
            }
            drop(control.shutdown().await);
        }
        if !consoles::remember(&identity.card, &code).await {
            tracing::warn!("the code of the console's file will be asked for at the next start");
        }
        let attached = Arc::new(Attached::begin(identity));
        pass_on(attached.changes(), self.changes.clone());
        *self.side.write().unwrap_or_else(PoisonError::into_inner) =
            Side::Elsewhere(Arc::clone(&attached));
        // Nobody listening is no failure.
        let _ = self.changes.send(Change { topic: Topic::Status });
        attached.ask("status", json!({})).await
    }

    /// Locks the console.
    pub(crate) async fn lock(&self) {
        if let Err(failure) = self.ask("lock", json!({})).await {
            tracing::warn!(message = failure.message, "the console could not be locked");
        }
    }

    /// What waits for a person. The tray and the notifications tell of it while the console is
    /// locked too, so it is asked for in the name of the user whose session this is. A gateway
    /// elsewhere tells a locked console no more than how many there are.
    ///
    /// # Errors
    ///
    /// Why it cannot be told; before the first run there is nothing to ask.
    pub(crate) async fn waiting(&self) -> Result<Waiting, Failure> {
        let args = json!({ "states": ["pending"] });
        let rows = match self.side() {
            Side::Own(control) => {
                control.dispatch(&Actor::Local { uid: None }, "approval_list", args).await?
            }
            Side::Elsewhere(attached) => match attached.ask("approval_list", args).await {
                Ok(rows) => rows,
                Err(_) => {
                    let status = attached.ask("status", json!({})).await?;
                    let count = status.get("waiting_approvals").and_then(Value::as_u64);
                    let count = count.and_then(|it| usize::try_from(it).ok()).unwrap_or_default();
                    return Ok(Waiting { count, rows: None });
                }
            },
            Side::Joining { .. } => return Err(refusal("There is no gateway yet.")),
        };
        let rows: Vec<ApprovalRow> = serde_json::from_value(rows).unwrap_or_default();
        Ok(Waiting { count: rows.len(), rows: Some(rows) })
    }

    /// Alerts that nobody has acknowledged, asked for like what waits.
    ///
    /// # Errors
    ///
    /// Why it cannot be told; before the first run there is nothing to ask.
    pub(crate) async fn alerts(&self) -> Result<Vec<AlertView>, Failure> {
        let args = json!({ "state": "open" });
        let open = match self.side() {
            Side::Own(control) => {
                control.dispatch(&Actor::Local { uid: None }, "alert_list", args).await?
            }
            Side::Elsewhere(attached) => attached.ask("alert_list", args).await?,
            Side::Joining { .. } => return Err(refusal("There is no gateway yet.")),
        };
        Ok(serde_json::from_value(open).unwrap_or_default())
    }

    /// What changes from now on.
    pub(crate) fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// Whether a gateway stops with this console.
    pub(crate) fn has_gateway(&self) -> bool {
        matches!(self.side(), Side::Own(_))
    }

    /// Ends everything in order: nobody can ask any more, then the gateway stops, then the
    /// registry is closed.
    pub(crate) async fn close(&self) {
        #[cfg(unix)]
        if let Some(server) = self.socket.lock().await.take() {
            server.stop().await;
        }
        match self.side() {
            Side::Own(control) => {
                if let Err(problem) = control.shutdown().await {
                    tracing::error!(%problem, "the registry could not be closed properly");
                }
            }
            // The gateway locks the seat of a console that leaves.
            Side::Elsewhere(_) | Side::Joining { .. } => {}
        }
    }
}

/// Where a home that joined a gateway elsewhere keeps the file of its console.
pub(crate) fn kept(home: &std::path::Path) -> PathBuf {
    home.join("console.json")
}

fn keep(path: &std::path::Path, file: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut options = std::fs::File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut open = options.open(path)?;
    open.write_all(file.as_bytes())?;
    open.sync_all()
}

/// Has the windows told what changes at whoever's services they talk to.
fn pass_on(mut from: broadcast::Receiver<Change>, to: broadcast::Sender<Change>) {
    let tell = move |topic| {
        // Nobody listening is no failure.
        let _ = to.send(Change { topic });
    };
    tokio::spawn(async move {
        loop {
            match from.recv().await {
                Ok(change) => tell(change.topic),
                // Whatever was missed, the screens ask for everything again.
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    [Topic::Approvals, Topic::Alerts, Topic::Registry, Topic::Status]
                        .into_iter()
                        .for_each(&tell);
                }
                Err(broadcast::error::RecvError::Closed) => return,
            }
        }
    });
}

fn refusal(message: &str) -> Failure {
    Failure {
        code: ErrorCode::Conflict,
        message: message.to_owned(),
        correlation: CorrelationId::from_random([0; 16]),
        field: None,
    }
}
