//! `countersign connect`: a bridge for MCP clients that can neither sign nor show a certificate.
//! Reads messages from standard input, sends each to the gateway, signed or over a connection of
//! its own certificate, and writes what comes back to standard output.
//!
//! It decides nothing and changes no message: what the client wrote is what the gateway judges.
//! Standard output carries messages and nothing else; what a person should know goes to standard
//! error.

mod answer;
mod bridge;
mod endpoint;
mod events;
mod key;
mod message;
mod renewal;
mod repeated;
mod session;
#[cfg(test)]
mod tests;
mod tls;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use bridge::Bridge;
use endpoint::Endpoint;
use renewal::Keys;
use tls::TlsFiles;

/// The most bytes of one message of the client. The gateway refuses those over 4 MiB and has it
/// on record; what is longer than this is not even held in memory.
const MOST: usize = 8 * 1024 * 1024;

/// Connects an MCP client on standard input and output to the gateway, and signs for it
#[derive(Debug, clap::Args)]
pub(crate) struct Connect {
    /// The endpoint, such as `http://127.0.0.1:7411/t/acme/task/workbench/mcp`
    #[arg(long)]
    url: String,
    /// The file with the key, as `credential issue --save` writes it
    #[arg(long, required_unless_present = "cert_file")]
    key_file: Option<PathBuf>,
    #[command(flatten)]
    tls: TlsFiles,
    /// The task to declare, where the URL does not name it
    #[arg(long)]
    task: Option<String>,
}

/// Runs the bridge until the client is done or the process is asked to end.
pub(crate) async fn run(args: Connect) -> Result<()> {
    let keys = args.key_file.as_deref().map(Keys::read).transpose()?;
    let endpoint = Endpoint::new(&args.url, keys, &args.tls)?;
    let mut asked_to_end = signal(SignalKind::terminate()).context("cannot listen for signals")?;
    let mut interrupted = signal(SignalKind::interrupt()).context("cannot listen for signals")?;
    let (out, messages) = mpsc::channel(64);
    let writer = tokio::spawn(write(tokio::io::stdout(), messages));
    let bridge = Arc::new(Bridge::new(endpoint, args.task, out));
    let to_the_end = async {
        read(BufReader::new(tokio::io::stdin()), &bridge).await?;
        bridge.finish().await;
        anyhow::Ok(())
    };
    tokio::select! {
        done = to_the_end => done?,
        _ = asked_to_end.recv() => bridge.abandon().await,
        _ = interrupted.recv() => bridge.abandon().await,
    }
    bridge.end_session().await;
    drop(bridge);
    // A client that does not read any more is no reason to stay.
    drop(tokio::time::timeout(std::time::Duration::from_secs(2), writer).await);
    Ok(())
}

/// Hands the client's messages to the bridge, line by line, to the end of its input.
async fn read(mut input: impl AsyncBufRead + Unpin, bridge: &Arc<Bridge>) -> Result<()> {
    while let Some(line) = next_line(&mut input).await.context("could not read from the client")? {
        match line {
            Line::TooLong => bridge.refuse("the message is longer than 8 MiB").await,
            Line::Whole(line) if line.is_empty() => {}
            Line::Whole(line) => bridge.take(line).await,
        }
    }
    Ok(())
}

enum Line {
    Whole(Bytes),
    TooLong,
}

/// The next line without its end; nothing at the end of the input.
async fn next_line(input: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<Option<Line>> {
    let (mut line, mut too_long, mut any) = (Vec::new(), false, false);
    loop {
        let buffer = input.fill_buf().await?;
        if buffer.is_empty() && !any {
            return Ok(None);
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let piece = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
        too_long = too_long || line.len().saturating_add(piece.len()) > MOST;
        if !too_long {
            line.extend_from_slice(piece);
        }
        let (used, over) = (piece.len(), buffer.is_empty() || end.is_some());
        input.consume(used.saturating_add(usize::from(end.is_some())));
        any = true;
        if over {
            let whole = Bytes::copy_from_slice(line.trim_ascii());
            return Ok(Some(if too_long { Line::TooLong } else { Line::Whole(whole) }));
        }
    }
}

/// Writes messages, one a line, as long as somebody reads them.
async fn write(mut output: impl AsyncWrite + Unpin, mut messages: mpsc::Receiver<Bytes>) {
    while let Some(message) = messages.recv().await {
        // A line break in JSON is white space between its parts; on stdio it would end the message.
        let mut line: Vec<u8> = message
            .iter()
            .map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte })
            .collect();
        line.push(b'\n');
        if output.write_all(&line).await.is_err() || output.flush().await.is_err() {
            return;
        }
    }
}
