//! Servers whose connections break off, in the ways in which only bytes can say it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use cs_model::upstream::Transport;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use super::super::*;
use crate::upstream::tests::{call, server, target, tenant, text, upstreams};
use crate::upstream::{HealthState, UpstreamLimits, Upstreams};

const TOOLS: &[&str] =
    &["done", "hang", "trickle", "mid_json", "reset_before", "reset_after_head", "reset_in_body"];

/// How many calls it was sent, over how many connections.
#[derive(Default)]
struct Heard {
    calls: AtomicUsize,
    connections: AtomicUsize,
}

/// A server that does to a connection what the tool that is called is named after.
async fn open(closes: bool) -> (Arc<Heard>, Transport) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let heard = Arc::<Heard>::default();
    let this = Arc::clone(&heard);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            this.connections.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(serve(stream, Arc::clone(&this), closes));
        }
    });
    (heard, Transport::Http { url, headers: BTreeMap::new() })
}

/// The method and the body of the next request.
async fn request(stream: &mut TcpStream) -> Option<(String, Value)> {
    let mut seen = Vec::new();
    let head = loop {
        if let Some(at) = seen.windows(4).position(|it| it == b"\r\n\r\n") {
            break at.saturating_add(4);
        }
        if stream.read_buf(&mut seen).await.unwrap_or(0) == 0 {
            return None;
        }
    };
    let text = String::from_utf8_lossy(&seen[..head]).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length = length.map_or(0, |it| it.parse().unwrap());
    while seen.len() < head.saturating_add(length) {
        if stream.read_buf(&mut seen).await.unwrap_or(0) == 0 {
            return None;
        }
    }
    let body = serde_json::from_slice(&seen[head..]).unwrap_or_default();
    Some((text.split(' ').next().unwrap().to_owned(), body))
}

async fn answer(stream: &mut TcpStream, body: &str) {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length:";
    let whole = format!("{head} {}\r\n\r\n{body}", body.len());
    stream.write_all(whole.as_bytes()).await.ok();
}

/// Cuts the connection off: the other side hears of a reset, not of an end.
fn reset(stream: TcpStream) {
    stream.set_zero_linger().unwrap();
    drop(stream);
}

async fn serve(mut stream: TcpStream, heard: Arc<Heard>, closes: bool) {
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 400\r\n\r\n";
    while let Some((method, body)) = request(&mut stream).await {
        if method != "post" {
            stream.write_all(b"HTTP/1.1 405 No\r\ncontent-length: 0\r\n\r\n").await.ok();
            continue;
        }
        let result = |result: Value| {
            json!({ "jsonrpc": "2.0", "id": body["id"], "result": result }).to_string()
        };
        match body["method"].as_str().unwrap_or_default() {
            "initialize" => {
                let said = json!({ "protocolVersion": "2025-06-18", "capabilities": { "tools": {} },
                    "serverInfo": { "name": "broken", "version": "1" } });
                answer(&mut stream, &result(said)).await;
            }
            "tools/list" => {
                let tools = TOOLS.iter().map(|it| json!({ "name": it, "inputSchema": {} }));
                let tools = json!({ "tools": tools.collect::<Vec<_>>() });
                answer(&mut stream, &result(tools)).await;
            }
            "tools/call" => {
                heard.calls.fetch_add(1, Ordering::SeqCst);
                match body["params"]["name"].as_str().unwrap() {
                    "hang" => std::future::pending().await,
                    "trickle" => {
                        stream.write_all(head).await.ok();
                        while stream.write_all(b" ").await.is_ok() {
                            tokio::time::sleep(Duration::from_millis(20)).await;
                        }
                        return;
                    }
                    "mid_json" => {
                        stream.write_all(head).await.ok();
                        stream.write_all(br#"{"jsonrpc":"2.0","id":"#).await.ok();
                        return;
                    }
                    "reset_before" => return reset(stream),
                    "reset_after_head" => {
                        stream.write_all(head).await.ok();
                        return reset(stream);
                    }
                    "reset_in_body" => {
                        stream.write_all(head).await.ok();
                        stream.write_all(b"{").await.ok();
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        return reset(stream);
                    }
                    _ => {
                        let done = json!({ "content": [{ "type": "text", "text": "done" }] });
                        answer(&mut stream, &result(done)).await;
                    }
                }
            }
            _ if body["id"].is_null() => {
                stream.write_all(b"HTTP/1.1 202 OK\r\ncontent-length: 0\r\n\r\n").await.ok();
            }
            _ => {
                let error = json!({ "code": -32601, "message": "no such method" });
                let error = json!({ "jsonrpc": "2.0", "id": body["id"], "error": error });
                answer(&mut stream, &error.to_string()).await;
            }
        }
        // It had said that the connection goes on.
        if closes {
            return;
        }
    }
}

fn patient(call: u64) -> Upstreams {
    let call = Duration::from_millis(call);
    upstreams(UpstreamLimits { call, ..UpstreamLimits::default() })
}

#[tokio::test]
async fn f03_a_server_that_does_not_come_to_an_end_is_not_waited_for_and_others_are_not_held_up() {
    let upstreams = patient(400);
    let (_, broken) = open(false).await;
    for tool in ["hang", "trickle"] {
        let began = Instant::now();
        let asking = call(&upstreams, &broken, tool, None);
        let late = tokio::time::timeout(Duration::from_secs(10), asking).await;
        let late = late.expect("it is waited for");
        assert!(matches!(late, Err(UpstreamError::TimedOut)), "{tool}: {late:?}");
        assert!(began.elapsed() < Duration::from_secs(5), "{tool}");
        assert_eq!(text(call(&upstreams, &broken, "done", None).await), "done", "{tool}");
    }
}

#[tokio::test]
async fn f03_f04_a_call_whose_connection_breaks_off_is_lost_and_never_sent_again() {
    for tool in ["mid_json", "reset_before", "reset_after_head", "reset_in_body"] {
        let upstreams = patient(5000);
        let (heard, broken) = open(false).await;
        let lost = call(&upstreams, &broken, tool, None).await;
        assert!(matches!(lost, Err(UpstreamError::Lost(_))), "{tool}: {lost:?}");
        assert_eq!(text(call(&upstreams, &broken, "done", None).await), "done", "{tool}");
        assert_eq!(heard.calls.load(Ordering::SeqCst), 2, "{tool}: it was sent twice");
    }
}

/// A connection that a server has closed without a word is found out when it is used next.
#[tokio::test]
async fn f04_a_call_over_a_connection_that_was_closed_is_made_once_or_not_at_all() {
    let upstreams = patient(5000);
    let (heard, broken) = open(true).await;
    let mut done = 0;
    for _ in 0..20 {
        match call(&upstreams, &broken, "done", None).await {
            Ok(_) => done += 1,
            Err(UpstreamError::NotSent(_)) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(heard.calls.load(Ordering::SeqCst), done);
}

#[tokio::test]
async fn f03_a_server_that_cannot_be_reached_is_left_alone_after_a_while() {
    let upstreams = patient(5000);
    let nobody = {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        taken.local_addr().unwrap()
    };
    let http = |url: String| Transport::Http { url, headers: BTreeMap::new() };
    let gone = http(format!("http://{nobody}/mcp"));
    let mut failures = 0;
    loop {
        let began = Instant::now();
        let refused = upstreams.list_tools(target(&gone)).await;
        assert!(matches!(refused, Err(UpstreamError::NotSent(_))), "{refused:?}");
        failures += 1;
        if failures > 5 && began.elapsed() < Duration::from_millis(200) {
            break;
        }
        assert!(failures < 10, "it is asked again and again");
    }
    assert_eq!(upstreams.health(tenant(1), server()).state, HealthState::Failing);
    // Somebody is there now, and is left in peace all the same, until the pause is over.
    let listener = TcpListener::bind(nobody).await.unwrap();
    assert!(upstreams.list_tools(target(&gone)).await.is_err());
    let visit = tokio::time::timeout(Duration::from_millis(100), listener.accept()).await;
    assert!(visit.is_err(), "it was called on");
}

#[tokio::test]
async fn f03_names_that_nobody_has_and_servers_that_speak_no_tls_are_not_reached() {
    let (heard, plain) = open(false).await;
    let Transport::Http { url, .. } = plain else { panic!("not by HTTP") };
    let secure = url.replace("http://", "https://");
    for url in [secure.as_str(), "https://no-such-host.invalid/mcp"] {
        let initialize = Duration::from_secs(1);
        let upstreams = upstreams(UpstreamLimits { initialize, ..UpstreamLimits::default() });
        let transport = Transport::Http { url: url.to_owned(), headers: BTreeMap::new() };
        let began = Instant::now();
        let refused = upstreams.list_tools(target(&transport)).await;
        assert!(matches!(refused, Err(UpstreamError::NotSent(_))), "{url}: {refused:?}");
        assert!(began.elapsed() < Duration::from_secs(15), "{url}");
    }
    assert_eq!(heard.calls.load(Ordering::SeqCst), 0);
}
