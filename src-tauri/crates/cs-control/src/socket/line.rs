//! One connection of whoever steers, from the side that answers.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use cs_model::CorrelationId;
use serde_json::Value;
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
    ReadHalf, WriteHalf,
};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::timeout;

use super::{FOLLOW, MOST_BYTES, PING, Reply, Request, SocketError};
use crate::actor::Actor;
use crate::change::Topic;
use crate::control::Control;
use crate::failure::{ErrorCode, Failure};

/// How many requests of one connection are worked on at a time.
const MOST_AT_ONCE: usize = 16;

/// How long the other side may take to take a line.
const TO_TAKE: Duration = Duration::from_secs(30);

/// In whose name commands are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asks {
    /// Always somebody's.
    As(Actor),
    /// Whoever has unlocked the seat that the connection is.
    Seated,
}

/// How long the other side may be silent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rules {
    /// Between two lines, while nothing is being done for it.
    pub(crate) idle: Option<Duration>,
    /// From the first byte of a line to its end.
    pub(crate) line: Option<Duration>,
}

/// Answers on a connection until either side ends it. What was begun is done to its end, also when
/// the other side does not stay to hear of it.
pub(crate) async fn serve<S>(
    stream: S,
    control: &Control,
    asks: Asks,
    rules: Rules,
    mut ends: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let (read, write) = tokio::io::split(stream);
    let (replies, outgoing) = mpsc::channel(MOST_AT_ONCE);
    let (follows, following) = watch::channel(false);
    let connection = Connection { control: control.clone(), asks, rules, replies, follows };
    let mut reading = pin!(connection.read(read));
    let mut writing = pin!(write_all(write, outgoing, control.clone(), following));
    tokio::select! {
        () = &mut writing => return,
        () = &mut reading => {}
        _ = ends.wait_for(|ends| *ends) => return,
    }
    tokio::select! {
        () = writing => {}
        _ = ends.wait_for(|ends| *ends) => {}
    }
}

/// Tells a connection that is not served why.
pub(crate) async fn tell(mut stream: impl AsyncWrite + Unpin, failure: Failure) {
    let told = async {
        write_line(&mut stream, &Reply::to(None, Err(failure))).await?;
        stream.shutdown().await.map_err(SocketError::from)
    };
    // Nobody to hear it is no failure.
    let _ = timeout(TO_TAKE, told).await;
}

struct Connection {
    control: Control,
    asks: Asks,
    rules: Rules,
    replies: mpsc::Sender<Reply>,
    follows: watch::Sender<bool>,
}

impl Connection {
    /// Takes requests until there are no more.
    async fn read<S: AsyncRead>(self, read: ReadHalf<S>) {
        let mut read = BufReader::new(read);
        let places = Arc::new(Semaphore::new(MOST_AT_ONCE));
        loop {
            let line = match self.next(&mut read, &places).await {
                Ok(Some(line)) => line,
                Err(SocketError::TooLong) => {
                    let failure = refusal("a request on the control interface has at most 8 MiB");
                    let _ = self.replies.send(Reply::to(None, Err(failure))).await;
                    return;
                }
                Ok(None)
                | Err(SocketError::Ended(_) | SocketError::Garbled | SocketError::Io(_)) => return,
            };
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            let Ok(request) = serde_json::from_slice::<Request>(&line) else {
                let failure = refusal("a request is a JSON object with `command` and `args`");
                if self.replies.send(Reply::to(None, Err(failure))).await.is_err() {
                    return;
                }
                continue;
            };
            drop(line);
            if request.command == FOLLOW {
                self.follows.send_replace(true);
            }
            let (control, asks, replies) = (self.control.clone(), self.asks, self.replies.clone());
            tokio::spawn(async move {
                let id = request.id;
                let answered = answer(&control, asks, request).await;
                // Whoever left does not hear of it; it was done all the same.
                let _ = replies.send(Reply::to(id, answered)).await;
                drop(place);
            });
        }
    }

    /// The next line, in time. A connection for which something is being done may be silent.
    async fn next<S: AsyncRead>(
        &self,
        read: &mut BufReader<ReadHalf<S>>,
        places: &Semaphore,
    ) -> Result<Option<Vec<u8>>, SocketError> {
        let late = || SocketError::Io(std::io::ErrorKind::TimedOut.into());
        if let Some(idle) = self.rules.idle {
            loop {
                match timeout(idle, read.fill_buf()).await {
                    Ok(filled) => {
                        filled?;
                        break;
                    }
                    Err(_) if places.available_permits() < MOST_AT_ONCE => {}
                    Err(_) => return Err(late()),
                }
            }
        }
        match self.rules.line {
            Some(line) => timeout(line, read_line(read)).await.unwrap_or_else(|_| Err(late())),
            None => read_line(read).await,
        }
    }
}

/// Writes what there is to be told, until nobody is left who could have something.
async fn write_all<S: AsyncWrite>(
    mut write: WriteHalf<S>,
    mut outgoing: mpsc::Receiver<Reply>,
    control: Control,
    mut following: watch::Receiver<bool>,
) {
    let mut changes = None;
    loop {
        let reply = tokio::select! {
            biased;
            reply = outgoing.recv() => match reply {
                Some(reply) => reply,
                None => break,
            },
            Ok(_) = following.wait_for(|it| *it), if changes.is_none() => {
                changes = Some(control.changes());
                continue;
            }
            topic = news(&mut changes) => match topic {
                Some(topic) => Reply::news(topic),
                None => break,
            },
        };
        match timeout(TO_TAKE, write_line(&mut write, &reply)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
    // The other side hears that there is no more.
    let _ = timeout(TO_TAKE, write.shutdown()).await;
}

/// What changes next. Whoever lagged behind is told that the installation changed, which has every
/// screen ask again.
async fn news(
    changes: &mut Option<tokio::sync::broadcast::Receiver<crate::change::Change>>,
) -> Option<Topic> {
    match changes {
        Some(changes) => match changes.recv().await {
            Ok(change) => Some(change.topic),
            Err(RecvError::Lagged(_)) => Some(Topic::Registry),
            Err(RecvError::Closed) => None,
        },
        None => std::future::pending().await,
    }
}

async fn answer(control: &Control, asks: Asks, request: Request) -> Result<Value, Failure> {
    if request.command == FOLLOW || request.command == PING {
        return Ok(Value::Null);
    }
    let actor = match (request.passphrase, asks) {
        (Some(passphrase), _) => control.authenticate(passphrase.secret()).await?,
        (None, Asks::As(actor)) => actor,
        (None, Asks::Seated) => control.console(),
    };
    control.dispatch(&actor, &request.command, request.args).await
}

/// That something is not as it has to be.
pub(crate) fn refusal(message: &str) -> Failure {
    Failure {
        code: ErrorCode::Invalid,
        message: message.to_owned(),
        correlation: CorrelationId::from_random([0; 16]),
        field: None,
    }
}

/// Reads one line, without its end; nothing where there are no more.
pub(super) async fn read_line<S: AsyncRead>(
    read: &mut BufReader<ReadHalf<S>>,
) -> Result<Option<Vec<u8>>, SocketError> {
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

async fn write_line(
    write: &mut (impl AsyncWrite + Unpin),
    reply: &Reply,
) -> Result<(), SocketError> {
    let mut line = serde_json::to_vec(reply).map_err(|_| SocketError::Garbled)?;
    if line.len() >= MOST_BYTES {
        let failure = refusal("the answer is too long; ask for less");
        line = serde_json::to_vec(&Reply::to(reply.id, Err(failure)))
            .map_err(|_| SocketError::Garbled)?;
    }
    line.push(b'\n');
    write.write_all(&line).await?;
    write.flush().await?;
    Ok(())
}
