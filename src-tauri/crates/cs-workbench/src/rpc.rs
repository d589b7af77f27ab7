//! The protocol: JSON-RPC messages, one a line, and the few methods of a server with tools.

use std::collections::HashMap;
use std::io;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::task::{AbortHandle, JoinSet};

use crate::Bench;
use crate::tool::{self, Called};

/// The revisions that this server speaks, newest first.
const SPOKEN: &[&str] = &["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

/// The most bytes of one message.
const MOST: u64 = 4 * 1024 * 1024;

#[derive(Deserialize)]
struct Message {
    id: Option<Value>,
    method: Option<String>,
    params: Option<Box<RawValue>>,
}

/// Answers messages until there are no more.
pub(crate) async fn run(
    bench: &Bench,
    mut input: impl AsyncBufRead + Unpin,
    mut output: impl AsyncWrite + Unpin,
) -> io::Result<()> {
    let mut calls = JoinSet::new();
    let mut running: HashMap<String, AbortHandle> = HashMap::new();
    let mut line = Vec::new();
    loop {
        tokio::select! {
            read = read_line(&mut input, &mut line) => {
                if !read? {
                    break;
                }
                let text = std::mem::take(&mut line);
                let Some(answer) = take(bench, &text, &mut calls, &mut running) else { continue };
                say(&mut output, &answer).await?;
            }
            Some(done) = calls.join_next() => {
                // A call that was cancelled has no answer.
                if let Ok((id, answer)) = done {
                    running.remove(&id);
                    say(&mut output, &answer).await?;
                }
            }
        }
    }
    while let Some(done) = calls.join_next().await {
        if let Ok((_, answer)) = done {
            say(&mut output, &answer).await?;
        }
    }
    Ok(())
}

/// Reads on until a whole line is there. What was read stays in `line` when this is dropped.
async fn read_line(
    input: &mut (impl AsyncBufRead + Unpin),
    line: &mut Vec<u8>,
) -> io::Result<bool> {
    let have = u64::try_from(line.len()).unwrap_or(MOST);
    let mut rest = input.take(MOST.saturating_sub(have));
    rest.read_until(b'\n', line).await?;
    match line.last() {
        Some(b'\n') => Ok(true),
        Some(_) if line.len() as u64 >= MOST => {
            Err(io::Error::new(io::ErrorKind::InvalidData, "a message is too long"))
        }
        Some(_) => Ok(true),
        None => Ok(false),
    }
}

async fn say(output: &mut (impl AsyncWrite + Unpin), answer: &Value) -> io::Result<()> {
    let mut text = answer.to_string();
    text.push('\n');
    output.write_all(text.as_bytes()).await?;
    output.flush().await
}

fn take(
    bench: &Bench,
    text: &[u8],
    calls: &mut JoinSet<(String, Value)>,
    running: &mut HashMap<String, AbortHandle>,
) -> Option<Value> {
    if text.iter().all(u8::is_ascii_whitespace) {
        return None;
    }
    let Ok(message) = serde_json::from_slice::<Message>(text) else {
        return Some(error(Value::Null, -32700, "the message is not a JSON-RPC message"));
    };
    let method = message.method?;
    let params = message.params.as_ref().map_or("{}", |params| params.get());
    let Some(id) = message.id else {
        if method == "notifications/cancelled" {
            cancel(params, running);
        }
        return None;
    };
    match method.as_str() {
        "initialize" => Some(result(id, initialize(params))),
        "ping" => Some(result(id, json!({}))),
        "tools/list" => Some(result(id, json!({ "tools": tool::definitions() }))),
        "tools/call" => {
            let (bench, params, key) = (bench.clone(), params.to_owned(), id.to_string());
            let name = key.clone();
            let handle = calls.spawn(async move { (name, call(&bench, id, &params).await) });
            running.insert(key, handle);
            None
        }
        _ => Some(error(id, -32601, "this server has no such method")),
    }
}

fn initialize(params: &str) -> Value {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Params {
        protocol_version: String,
    }
    let wanted = serde_json::from_str::<Params>(params).map(|params| params.protocol_version);
    let wanted = wanted.unwrap_or_default();
    let version = SPOKEN.iter().find(|spoken| **spoken == wanted).or(SPOKEN.first());
    json!({
        "protocolVersion": version,
        "capabilities": { "tools": {} },
        "serverInfo": {
            "name": "countersign-workbench",
            "title": "Countersign workbench",
            "version": env!("CARGO_PKG_VERSION"),
        },
        "instructions": "A sample server. All its tools work within one folder on this machine.",
    })
}

fn cancel(params: &str, running: &mut HashMap<String, AbortHandle>) {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Params {
        request_id: Value,
    }
    if let Ok(Params { request_id }) = serde_json::from_str(params)
        && let Some(handle) = running.remove(&request_id.to_string())
    {
        handle.abort();
    }
}

async fn call(bench: &Bench, id: Value, params: &str) -> Value {
    #[derive(Deserialize)]
    struct Params<'a> {
        name: String,
        #[serde(borrow)]
        arguments: Option<&'a RawValue>,
    }
    let Ok(Params { name, arguments }) = serde_json::from_str(params) else {
        return error(id, -32602, "the parameters are not those of a tool call");
    };
    match tool::call(bench, &name, arguments.map_or("{}", RawValue::get)).await {
        Called::Done(value) => {
            let text = value.to_string();
            let content = json!([{ "type": "text", "text": text }]);
            result(id, json!({ "content": content, "structuredContent": value }))
        }
        Called::Failed(why) => {
            let content = json!([{ "type": "text", "text": why }]);
            result(id, json!({ "content": content, "isError": true }))
        }
        Called::Unknown => error(id, -32602, "this server has no such tool"),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the macro takes it by reference")]
fn result(id: Value, value: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": value })
}

#[expect(clippy::needless_pass_by_value, reason = "the macro takes it by reference")]
fn error(id: Value, code: i64, message: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
}
