//! Messages: one JSON-RPC object, read strictly.

use cs_model::event::EventKind;
use serde_json::json;

use super::client::{Client, body, meta};
use super::world::{Stage, WORKER};

async fn refused(stage: &Stage, client: &Client, text: &str, code: i64, reason: &str) {
    stage.journal.forget();
    let reply = client.post(text).await;
    let shown: String = text.chars().take(120).collect();
    assert_eq!((reply.status, reply.error_code()), (400, code), "{shown}: {}", reply.body);
    assert_eq!(stage.journal.reasons(EventKind::RequestRefused), [reason], "{shown}");
    assert_eq!(stage.journal.calls(), [], "{shown}");
}

fn call(params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{params}}}"#)
}

#[tokio::test]
async fn p01_p02_a_key_that_stands_twice_is_refused_at_any_depth() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).initialize().await;
    let cases = [
        call(r#"{"name":"read_file","arguments":{"amount":1,"to":"bob","amount":999}}"#),
        call(r#"{"name":"read_file","arguments":{"amount":1,"am\u006funt":999}}"#),
        call(r#"{"name":"read_file","arguments":{"a":[{"b":{"c":1,"c":2}}]}}"#),
        call(r#"{"name":"read_file","name":"web_fetch"}"#),
        call(r#"{"name":"read_file","arguments":{},"arguments":{}}"#),
        call(r#"{"name":"read_file","_meta":{},"_meta":{}}"#),
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{},"params":{}}"#.to_owned(),
    ];
    for text in cases {
        refused(&stage, &client, &text, -32700, "dup_key").await;
    }
}

#[tokio::test]
async fn p03_p14_a_member_that_is_not_known_is_refused() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).initialize().await;
    for key in ["Name", "NAME", "nam\u{212a}", "name\\u0000", "task", "requestState"] {
        let text = call(&format!(r#"{{"name":"read_file","{key}":"web_fetch"}}"#));
        refused(&stage, &client, &text, -32602, "params").await;
        let list =
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{{"{key}":"x"}}}}"#);
        refused(&stage, &client, &list, -32602, "params").await;
    }
    for key in ["Method", "param\u{17f}", "x", "result", "error", "ID"] {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","{key}":{{}}}}"#);
        refused(&stage, &client, &text, -32600, "unknown_member").await;
    }
}

#[tokio::test]
async fn p05_p14_a_body_is_one_json_rpc_request() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).initialize().await;
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let cases = [
        (format!("[{ping},{ping}]"), -32600, "batch"),
        ("[]".to_owned(), -32600, "batch"),
        ("\"x\"".to_owned(), -32600, "batch"),
        ("{}".to_owned(), -32600, "jsonrpc_version"),
        (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#.to_owned(), -32600, "jsonrpc_version"),
        (r#"{"jsonrpc":"2.0","id":1}"#.to_owned(), -32600, "method_name"),
        (r#"{"jsonrpc":"2.0","id":1,"method":1}"#.to_owned(), -32600, "method_name"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"pi\u0000ng"}"#.to_owned(), -32600, "method_name"),
        (r#"{"jsonrpc":"2.0","id":1,"method":" ping"}"#.to_owned(), -32600, "method_name"),
        (
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{}"}}"#, "m".repeat(129)),
            -32600,
            "method_name",
        ),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}"#.to_owned(), -32602, "params"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":null}"#.to_owned(), -32602, "params"),
        (format!("{ping}{ping}"), -32700, "json_syntax"),
        (format!("\u{feff}{ping}"), -32700, "json_syntax"),
        (String::new(), -32700, "json_syntax"),
        (ping.replace("ping", "\\ud800"), -32700, "json_syntax"),
    ];
    for (text, code, reason) in cases {
        refused(&stage, &client, &text, code, reason).await;
    }
    let bytes = ping.replace("ping", "p\u{e9}").into_bytes();
    let latin: Vec<u8> = bytes.into_iter().filter(|byte| *byte != 0xc3).collect();
    let signed = client.signature("POST", &latin);
    let reply =
        super::client::raw(stage.gateway.address(), &client.bytes("POST", &signed, &latin)).await;
    assert_eq!((reply.status, reply.error_code()), (400, -32700));
}

#[tokio::test]
async fn p06_an_id_is_a_short_string_or_an_integer_that_everybody_holds() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).initialize().await;
    let long = format!("\"{}\"", "x".repeat(129));
    let bad = [
        "null",
        "1.5",
        "true",
        "{}",
        "\"\"",
        "100000000000000000000",
        "-0",
        "1.0",
        "1e3",
        "9007199254740992",
        long.as_str(),
    ];
    for id in bad {
        let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        refused(&stage, &client, &text, -32600, "id").await;
    }
    let longest = format!("\"{}\"", "x".repeat(128));
    for id in ["0", "-7", "9007199254740991", "\"a\\u0000\u{e9}\"", longest.as_str()] {
        let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        let reply = client.post(&text).await;
        let sent: serde_json::Value = serde_json::from_str(id).unwrap();
        assert_eq!(reply.json(), json!({ "jsonrpc": "2.0", "id": sent, "result": {} }));
    }
}

#[tokio::test]
async fn p09_an_answer_to_what_was_never_asked_is_refused() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).initialize().await;
    for text in [
        r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}"#,
    ] {
        refused(&stage, &client, text, -32600, "unasked_response").await;
    }
}

#[tokio::test]
async fn p10_a_call_that_is_almost_one_is_not_one() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).initialize().await;
    let cases = [
        r#"{"name":"read_file","arguments":[1]}"#,
        r#"{"name":"read_file","arguments":null}"#,
        r#"{"name":"read_file","arguments":"x"}"#,
        r#"{"name":["read_file"]}"#,
        r#"{"name":null}"#,
        "{}",
    ];
    for params in cases {
        refused(&stage, &client, &call(params), -32602, "params").await;
    }
    refused(&stage, &client, &call(r#"{"name":"read_file","_meta":[]}"#), -32602, "meta").await;
    let modern = stage.client(WORKER).modern("tools/call").header("mcp-name", "read_file");
    let params = json!({ "name": "read_file", "inputResponses": 5, "_meta": meta() });
    refused(&stage, &modern, &body("tools/call", params), -32602, "params").await;
}

#[tokio::test]
async fn p12_what_is_too_deep_or_too_many_is_refused() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).initialize().await;
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let of = |value: &str| call(&format!(r#"{{"name":"read_file","arguments":{{"a":{value}}}}}"#));
    refused(&stage, &client, &of(&nested(126)), -32700, "json_limits").await;
    refused(&stage, &client, &of(&nested(100_000)), -32700, "json_limits").await;
    let many = format!("[{}1]", "1,".repeat(100_001));
    refused(&stage, &client, &of(&many), -32700, "json_limits").await;
    let key = format!("{{\"{}\":1}}", "k".repeat(4097));
    refused(&stage, &client, &of(&key), -32700, "json_limits").await;
    assert_eq!(client.post(&of(&nested(100))).await.text(), "done");
}

#[tokio::test]
async fn a_list_has_one_page() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).initialize().await;
    let text = body("tools/list", json!({ "cursor": "x" }));
    refused(&stage, &client, &text, -32602, "params").await;
}
