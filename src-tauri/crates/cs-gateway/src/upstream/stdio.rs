//! A connection to a child process over its standard input and output.

use std::sync::Arc;
use std::time::Duration;

use cs_model::Secret;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::child::{self, Process, Program, Tail};
use super::flight::{Ending, Flight};
use super::lines::{self, Overlong};
use super::talk::Back;
use super::wire::{self, Answer, Ask};
use super::{Ear, UpstreamError};

/// The most bytes of one message.
const MOST: usize = 4 * 1024 * 1024;

/// How many messages may wait to be written.
const OUTBOX: usize = 64;

/// How long what a process wrote before it ended may take to be read.
const DRAIN: Duration = Duration::from_secs(2);

/// The connection.
pub(super) struct StdioLink {
    flight: Arc<Flight>,
    outbox: mpsc::Sender<String>,
    stopping: CancellationToken,
    keeper: tokio::sync::Mutex<Option<JoinHandle<()>>>,
}

impl StdioLink {
    /// Starts the process. `tail` gets what it writes to its standard error, without `secrets`.
    pub(super) fn start(
        program: &Program<'_>,
        tail: Arc<Tail>,
        secrets: Vec<Secret>,
    ) -> Result<Self, UpstreamError> {
        let child::Started { process, stdin, stdout, stderr } = child::start(program)?;
        let flight = Arc::new(Flight::default());
        let (outbox, messages) = mpsc::channel(OUTBOX);
        let stopping = CancellationToken::new();
        let drained = CancellationToken::new();
        let gone = CancellationToken::new();
        tokio::spawn(write(stdin, messages, Arc::clone(&flight)));
        tokio::spawn(listen(stdout, Arc::clone(&flight), outbox.clone(), drained.clone()));
        let until = gone.clone();
        tokio::spawn(async move { tail.follow(stderr, &secrets, &until).await });
        let keep = keep(process, Arc::clone(&flight), stopping.clone(), drained, gone);
        let keeper = tokio::sync::Mutex::new(Some(tokio::spawn(keep)));
        Ok(Self { flight, outbox, stopping, keeper })
    }

    /// Asks, and waits for the answer. Dropping the future tells the server that nobody does.
    pub(super) async fn ask(
        &self,
        ask: Ask<'_>,
        ear: Option<Ear>,
    ) -> Result<Answer, UpstreamError> {
        let (id, awaited) = self.flight.expect(ear)?;
        let mut waiting = Waiting { link: self, id, sent: false, ask };
        let request = ask.request(id, ask.era(self.flight.era()));
        let request = request.map_err(|why| UpstreamError::NotSent(why.to_string()))?;
        if request.len() > MOST {
            return Err(UpstreamError::NotSent("the request is too long".to_owned()));
        }
        if self.outbox.send(request).await.is_err() {
            return Err(UpstreamError::NotSent("the server has ended".to_owned()));
        }
        waiting.sent = true;
        awaited.await.unwrap_or_else(|_| Err(UpstreamError::Lost("it was stopped".to_owned())))
    }

    /// Says that the first exchange is over.
    pub(super) async fn initialized(&self) -> Result<(), UpstreamError> {
        let sent = self.outbox.send(wire::INITIALIZED.to_owned()).await;
        sent.map_err(|_| UpstreamError::NotSent("the server has ended".to_owned()))
    }

    /// The requests that wait, and whether the connection stands.
    pub(super) fn flight(&self) -> &Flight {
        &self.flight
    }

    /// Ends the process and all that it has started.
    pub(super) async fn stop(&self) {
        self.flight.end(Ending::Lost("it was stopped".to_owned()));
        self.stopping.cancel();
        if let Some(keeper) = self.keeper.lock().await.take() {
            // It was ours to end; a panic in it has ended it, too.
            let _ = keeper.await;
        }
    }
}

impl Drop for StdioLink {
    fn drop(&mut self) {
        self.flight.end(Ending::Lost("it was stopped".to_owned()));
        self.stopping.cancel();
    }
}

/// A request that is given up when this is dropped before the answer came.
struct Waiting<'a> {
    link: &'a StdioLink,
    id: u64,
    sent: bool,
    ask: Ask<'a>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.link.flight.abandon(self.id) && self.sent && self.ask.can_be_cancelled() {
            // A server that does not even read has no use for it.
            let _ = self.link.outbox.try_send(wire::cancelled(self.id));
        }
    }
}

/// Writes what is to be said, until the connection is over. Then the server's input closes.
async fn write(mut to: ChildStdin, mut messages: mpsc::Receiver<String>, flight: Arc<Flight>) {
    loop {
        let next = tokio::select! {
            biased;
            () = flight.ended() => return,
            next = messages.recv() => next,
        };
        let Some(mut message) = next else { return };
        message.push('\n');
        let written = tokio::select! {
            biased;
            () = flight.ended() => return,
            written = to.write_all(message.as_bytes()) => written,
        };
        if written.is_err() {
            // Its end is noticed where its output is read.
            return;
        }
    }
}

/// Reads what the server says, until it says no more or something that it may not.
async fn listen(
    from: ChildStdout,
    flight: Arc<Flight>,
    outbox: mpsc::Sender<String>,
    drained: CancellationToken,
) {
    let _over = drained.drop_guard();
    let mut from = BufReader::with_capacity(64 * 1024, from);
    loop {
        let line = match lines::read(&mut from, MOST, Overlong::Refuse).await {
            Ok(Some(line)) if line.iter().all(u8::is_ascii_whitespace) => continue,
            Ok(Some(line)) => line,
            Ok(None) => return,
            Err(_) => return flight.end(Ending::Rejected("a message is too long".to_owned())),
        };
        match flight.take(&line, None) {
            // A server that asks faster than it reads goes without an answer.
            Ok(Some(Back::Now(text))) => drop(outbox.try_send(text)),
            Ok(Some(later @ Back::Later { .. })) => {
                let outbox = outbox.clone();
                tokio::spawn(async move { outbox.send(later.text().await).await });
            }
            Ok(None) => {}
            Err(violation) => return flight.end(Ending::Rejected(violation.to_string())),
        }
    }
}

/// Holds the process until it ends, or until it is to.
async fn keep(
    mut process: Process,
    flight: Arc<Flight>,
    stopping: CancellationToken,
    drained: CancellationToken,
    gone: CancellationToken,
) {
    let _gone = gone.drop_guard();
    let status = tokio::select! {
        status = process.ended() => {
            // INVARIANT: what it said before it ended is heard before anybody is told that
            // there is no answer.
            let _ = timeout(DRAIN, drained.cancelled()).await;
            status
        }
        () = drained.cancelled() => timeout(DRAIN, process.ended()).await.ok().flatten(),
        () = flight.ended() => None,
        () = stopping.cancelled() => None,
    };
    let how = status.map_or_else(String::new, |status| format!(" ({status})"));
    flight.end(Ending::Lost(format!("the server ended{how}")));
    process.stop().await;
}
