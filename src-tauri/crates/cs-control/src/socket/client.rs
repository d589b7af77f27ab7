//! One connection to whatever is steered, from the side that asks.

use std::collections::HashMap;
use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader, ReadHalf, WriteHalf};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::timeout;

use super::line::read_line;
use super::{FOLLOW, MOST_BYTES, PING, Reply, SocketError};
use crate::change::Change;
use crate::failure::Failure;

/// How often a connection over the network shows that it is there.
const PACE: Duration = Duration::from_secs(15);

/// How long the other side may take to show it.
const PATIENCE: Duration = Duration::from_secs(15);

/// How many changes a slow listener may lag behind before it misses some.
const BACKLOG: usize = 256;

/// Whoever waits for an answer, by the id of the request.
type Asked = HashMap<u64, oneshot::Sender<Result<Value, Failure>>>;

/// A connection to whatever runs on a home, here or elsewhere.
#[derive(Debug)]
pub struct Client {
    shared: Arc<Shared>,
    lines: mpsc::Sender<Vec<u8>>,
    gone: watch::Receiver<bool>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    next: AtomicU64,
    waiting: Mutex<Asked>,
    /// Why the other side ended it, where it said so.
    why: Mutex<Option<Failure>>,
    changes: broadcast::Sender<Change>,
}

impl Client {
    /// A client over a connection that was made.
    pub(crate) fn over<S>(stream: S) -> Self
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let (read, write) = tokio::io::split(stream);
        let (lines, outgoing) = mpsc::channel(16);
        let (is_gone, gone) = watch::channel(false);
        let shared = Arc::new(Shared {
            next: AtomicU64::new(1),
            waiting: Mutex::default(),
            why: Mutex::default(),
            changes: broadcast::Sender::new(BACKLOG),
        });
        let own = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            let mut reading = pin!(own.read(read));
            let mut writing = pin!(write_all(write, outgoing));
            tokio::select! {
                () = &mut reading => {}
                () = &mut writing => {
                    // Why it cannot be written to may stand to be read.
                    let _ = timeout(Duration::from_secs(1), reading).await;
                }
            }
            // In this order: who asks from now on sees it, who asked before is told.
            is_gone.send_replace(true);
            own.lock().clear();
        });
        Self { shared, lines, gone, task }
    }

    /// Connects to whatever runs on a home; nothing, when nothing does.
    ///
    /// # Errors
    ///
    /// When there is a socket that cannot be used.
    #[cfg(unix)]
    pub async fn connect(home: &std::path::Path) -> Result<Option<Self>, SocketError> {
        match tokio::net::UnixStream::connect(crate::home::socket(home)).await {
            Ok(stream) => Ok(Some(Self::over(stream))),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound
                        | io::ErrorKind::ConnectionRefused
                        | io::ErrorKind::NotADirectory
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Runs a command over there.
    ///
    /// # Errors
    ///
    /// When there is no answer; what the command fails with is inside.
    pub async fn ask(
        &self,
        command: &str,
        args: Value,
    ) -> Result<Result<Value, Failure>, SocketError> {
        let id = self.shared.next.fetch_add(1, Ordering::Relaxed);
        let request = json!({ "id": id, "command": command, "args": args });
        let mut line = serde_json::to_vec(&request).map_err(|_| SocketError::Garbled)?;
        if line.len() >= MOST_BYTES {
            return Err(SocketError::TooLong);
        }
        line.push(b'\n');
        let (tells, told) = oneshot::channel();
        self.shared.lock().insert(id, tells);
        if *self.gone.borrow() || self.lines.send(line).await.is_err() {
            return Err(self.why());
        }
        told.await.map_err(|_| self.why())
    }

    /// Has what changes over there be told from now on.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub(crate) async fn follow(&self) -> Result<broadcast::Receiver<Change>, SocketError> {
        let changes = self.shared.changes.subscribe();
        self.ask(FOLLOW, Value::Null).await?.map_err(SocketError::Ended)?;
        Ok(changes)
    }

    /// Shows that it is there, until the other side does not.
    pub(crate) async fn stay(&self) -> SocketError {
        let mut gone = self.gone.clone();
        loop {
            tokio::select! {
                _ = gone.wait_for(|gone| *gone) => return self.why(),
                () = tokio::time::sleep(PACE) => {}
            }
            match timeout(PATIENCE, self.ask(PING, Value::Null)).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return error,
                Err(_) => return SocketError::Io(io::ErrorKind::TimedOut.into()),
            }
        }
    }

    fn why(&self) -> SocketError {
        let why = self.shared.why.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match why {
            Some(failure) => SocketError::Ended(failure),
            None => SocketError::Io(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Asked> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read<S: AsyncRead>(&self, read: ReadHalf<S>) {
        let mut read = BufReader::new(read);
        while let Ok(Some(line)) = read_line(&mut read).await {
            let Ok(reply) = serde_json::from_slice::<Reply>(&line) else { return };
            let Reply { id, answer, failure, changed } = reply;
            if let Some(topic) = changed {
                // Nobody listening is no failure.
                let _ = self.changes.send(Change { topic });
                continue;
            }
            match (id, failure) {
                (Some(id), failure) => {
                    let answered = failure.map_or(Ok(answer.unwrap_or_default()), Err);
                    if let Some(tells) = self.lock().remove(&id) {
                        // Whoever asked may have given up.
                        let _ = tells.send(answered);
                    }
                }
                (None, Some(failure)) => {
                    *self.why.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
                }
                (None, None) => return,
            }
        }
    }
}

async fn write_all<S: AsyncWrite>(mut write: WriteHalf<S>, mut lines: mpsc::Receiver<Vec<u8>>) {
    while let Some(line) = lines.recv().await {
        if write.write_all(&line).await.is_err() || write.flush().await.is_err() {
            return;
        }
    }
}
