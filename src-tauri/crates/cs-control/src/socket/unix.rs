//! The control socket on Unix.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use cs_model::CorrelationId;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Mutex, Semaphore, watch};

use super::{Answer, MOST_BYTES, Request, SocketError};
use crate::actor::Actor;
use crate::control::Control;
use crate::failure::{ErrorCode, Failure};
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
        let control = control.clone();
        clients.spawn(async move {
            let _place = place;
            serve(stream, &control, Actor::Local { uid: Some(me) }).await;
        });
    }
    clients.shutdown().await;
}

async fn serve(stream: UnixStream, control: &Control, actor: Actor) {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    loop {
        let answer = match read_line(&mut read).await {
            Ok(Some(line)) => answer(control, actor, &line).await,
            Err(SocketError::TooLong) => {
                let answer = refusal("a request on the control socket has at most 4 MiB");
                let _ = write_line(&mut write, &answer).await;
                return;
            }
            Ok(None) | Err(SocketError::Garbled | SocketError::Io(_)) => return,
        };
        if write_line(&mut write, &answer).await.is_err() {
            return;
        }
    }
}

async fn answer(control: &Control, actor: Actor, line: &[u8]) -> Answer {
    let Ok(request) = serde_json::from_slice::<Request>(line) else {
        return refusal("a request is a JSON object with `command` and `args`");
    };
    let actor = match request.passphrase {
        Some(passphrase) => match control.authenticate(passphrase.secret()).await {
            Ok(operator) => operator,
            Err(failure) => return Answer::Failure(failure),
        },
        None => actor,
    };
    match control.dispatch(&actor, &request.command, request.args).await {
        Ok(value) => Answer::Answer(value),
        Err(failure) => Answer::Failure(failure),
    }
}

fn refusal(message: &str) -> Answer {
    Answer::Failure(Failure {
        code: ErrorCode::Invalid,
        message: message.to_owned(),
        correlation: CorrelationId::from_random([0; 16]),
        field: None,
    })
}

async fn read_line(read: &mut BufReader<OwnedReadHalf>) -> Result<Option<Vec<u8>>, SocketError> {
    let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX);
    let mut line = Vec::new();
    let count = read.take(most.saturating_add(1)).read_until(b'\n', &mut line).await?;
    match line.pop() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(line)),
        Some(_) if count > MOST_BYTES => Err(SocketError::TooLong),
        Some(_) => Err(SocketError::Garbled),
    }
}

async fn write_line(write: &mut OwnedWriteHalf, answer: &Answer) -> Result<(), SocketError> {
    let mut line = serde_json::to_vec(answer).map_err(|_| SocketError::Garbled)?;
    if line.len() >= MOST_BYTES {
        line = serde_json::to_vec(&refusal("the answer is too long; ask for less"))
            .map_err(|_| SocketError::Garbled)?;
    }
    line.push(b'\n');
    write.write_all(&line).await?;
    Ok(())
}

/// A connection to whatever runs on a home.
#[derive(Debug)]
pub struct Client {
    stream: Mutex<(BufReader<OwnedReadHalf>, OwnedWriteHalf)>,
}

impl Client {
    /// Connects to whatever runs on a home; nothing, when nothing does.
    ///
    /// # Errors
    ///
    /// When there is a socket that cannot be used.
    pub async fn connect(home: &Path) -> Result<Option<Self>, SocketError> {
        match UnixStream::connect(home::socket(home)).await {
            Ok(stream) => {
                let (read, write) = stream.into_split();
                Ok(Some(Self { stream: Mutex::new((BufReader::new(read), write)) }))
            }
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

    /// Runs a command over there, with the rights of the user who runs this home.
    ///
    /// # Errors
    ///
    /// When there is no answer; what the command fails with is inside.
    pub async fn ask(
        &self,
        command: &str,
        args: Value,
    ) -> Result<Result<Value, Failure>, SocketError> {
        let request = json!({ "command": command, "args": args });
        let mut line = serde_json::to_vec(&request).map_err(|_| SocketError::Garbled)?;
        if line.len() >= MOST_BYTES {
            return Err(SocketError::TooLong);
        }
        line.push(b'\n');
        let mut stream = self.stream.lock().await;
        let (read, write) = &mut *stream;
        write.write_all(&line).await?;
        let gone = || SocketError::Io(io::ErrorKind::UnexpectedEof.into());
        let line = read_line(read).await?.ok_or_else(gone)?;
        match serde_json::from_slice(&line).map_err(|_| SocketError::Garbled)? {
            Answer::Answer(value) => Ok(Ok(value)),
            Answer::Failure(failure) => Ok(Err(failure)),
        }
    }
}
