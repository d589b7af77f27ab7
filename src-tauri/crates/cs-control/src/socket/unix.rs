//! The control socket on Unix.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use tokio::net::UnixListener;
use tokio::sync::{Semaphore, watch};

use super::{Asks, Rules, SocketError, serve};
use crate::actor::Actor;
use crate::control::Control;
use crate::home;

/// How many programs may be connected at a time.
const MOST_CLIENTS: usize = 32;

/// What answers on the control socket.
#[derive(Debug)]
pub struct Server {
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Begins to answer on the socket of the control's home.
    ///
    /// # Errors
    ///
    /// When the socket cannot be made.
    pub async fn start(control: &Control) -> Result<Self, SocketError> {
        let path = home::socket(control.home());
        // The home is this process's alone, so what is there was left behind.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        let (stop, stopping) = watch::channel(false);
        let control = control.clone();
        let task = tokio::spawn(async move {
            accept(&listener, &control, stopping).await;
            drop(listener);
            let _ = fs::remove_file(&path);
        });
        Ok(Self { stop, task })
    }

    /// Answers no more.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let _ = self.task.await;
    }
}

async fn accept(listener: &UnixListener, control: &Control, mut stopping: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(MOST_CLIENTS));
    let me = rustix::process::getuid().as_raw();
    let mut clients = tokio::task::JoinSet::new();
    let ends = stopping.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        while clients.try_join_next().is_some() {}
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let peer = stream.peer_cred().map(|peer| peer.uid());
        if !matches!(peer, Ok(uid) if uid == me) {
            tracing::warn!("another user tried the control socket");
            continue;
        }
        let (control, ends) = (control.clone(), ends.clone());
        clients.spawn(async move {
            let _place = place;
            let asks = Asks::As(Actor::Local { uid: Some(me) });
            serve(stream, &control, asks, Rules::default(), ends).await;
        });
    }
    clients.shutdown().await;
}
