//! What the windows talk to: the services of this home.

use cs_control::view::alert::AlertView;
use cs_control::view::approval::ApprovalRow;
use cs_control::{Actor, Change, Control, Failure};
use serde_json::{Value, json};
use tokio::sync::broadcast;

/// The services of this home, for whoever is in front of the console.
#[derive(Debug)]
pub(crate) struct Desk {
    control: Control,
    /// Where the command line steers this console, while it can.
    #[cfg(unix)]
    socket: tokio::sync::Mutex<Option<cs_control::socket::Server>>,
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
        Self {
            control,
            #[cfg(unix)]
            socket: tokio::sync::Mutex::new(socket),
        }
    }

    /// Passes on what a window asks for, on behalf of the operator who unlocked the console.
    ///
    /// # Errors
    ///
    /// Why it was not done.
    pub(crate) async fn ask(&self, command: &str, arguments: Value) -> Result<Value, Failure> {
        self.control.dispatch(&self.control.console(), command, arguments).await
    }

    /// Locks the console.
    pub(crate) async fn lock(&self) {
        if let Err(failure) = self.ask("lock", json!({})).await {
            tracing::warn!(message = failure.message, "the console could not be locked");
        }
    }

    /// What waits for a person. The tray and the notifications tell of it while the console is
    /// locked too, so it is asked for in the name of the user whose session this is.
    ///
    /// # Errors
    ///
    /// Why it cannot be told; before the first run there is nothing to ask.
    pub(crate) async fn waiting(&self) -> Result<Vec<ApprovalRow>, Failure> {
        let user = Actor::Local { uid: None };
        let rows =
            self.control.dispatch(&user, "approval_list", json!({"states": ["pending"]})).await?;
        Ok(serde_json::from_value(rows).unwrap_or_default())
    }

    /// Alerts that nobody has acknowledged, asked for like what waits.
    ///
    /// # Errors
    ///
    /// Why it cannot be told; before the first run there is nothing to ask.
    pub(crate) async fn alerts(&self) -> Result<Vec<AlertView>, Failure> {
        let user = Actor::Local { uid: None };
        let open = self.control.dispatch(&user, "alert_list", json!({"state": "open"})).await?;
        Ok(serde_json::from_value(open).unwrap_or_default())
    }

    /// What changes from now on.
    pub(crate) fn changes(&self) -> broadcast::Receiver<Change> {
        self.control.changes()
    }

    /// Ends everything in order: nobody can ask any more, then the gateway stops, then the
    /// registry is closed.
    pub(crate) async fn close(&self) {
        #[cfg(unix)]
        if let Some(server) = self.socket.lock().await.take() {
            server.stop().await;
        }
        if let Err(problem) = self.control.shutdown().await {
            tracing::error!(%problem, "the registry could not be closed properly");
        }
    }
}
