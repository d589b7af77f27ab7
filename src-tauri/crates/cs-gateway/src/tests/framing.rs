//! Bytes that could be read in two ways, and clients that take their time.

use std::time::Duration;

use cs_model::event::EventKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::client::{INITIALIZE, PATIENCE, Reply, body, meta, raw};
use super::world::{Stage, WORKER};

/// Sends bytes in which `HOST` stands for the gateway's own.
async fn send(stage: &Stage, text: &str) -> Reply {
    let host = stage.gateway.address().to_string();
    raw(stage.gateway.address(), text.replace("HOST", &host).as_bytes()).await
}

async fn refused(stage: &Stage, text: &str, status: u16, reason: &str) {
    stage.journal.forget();
    let reply = send(stage, text).await;
    assert_eq!(reply.status, status, "{text:?}");
    assert_eq!(stage.journal.reasons(EventKind::RequestRefused), [reason], "{text:?}");
    assert_eq!(stage.journal.steps().len(), 1, "nothing else was made of it: {text:?}");
    assert!(reply.header("countersign-correlation").is_some(), "{text:?}");
    assert_eq!(reply.error_code(), -32600, "{text:?}");
}

const PATH: &str = "/t/acme/mcp";

#[tokio::test]
async fn t01_t02_t03_a_body_whose_end_is_in_doubt_is_refused() {
    let stage = Stage::new().await;
    let hidden = "GET /hidden HTTP/1.1\r\nHost: HOST\r\n\r\n";
    let cases = [
        ("Content-Length: 4\r\nTransfer-Encoding: chunked", "cl_te"),
        ("Transfer-Encoding: chunked\r\nContent-Length: 4", "cl_te"),
        ("Transfer-Encoding: chunked, chunked", "transfer_encoding"),
        ("Transfer-Encoding: identity, chunked", "transfer_encoding"),
        ("Transfer-Encoding: xchunked", "transfer_encoding"),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "transfer_encoding"),
        ("Transfer-Encoding: chunked\u{b}", "control_character"),
        ("Transfer-Encoding : chunked", "header_name"),
        ("X: y\r\n\tTransfer-Encoding: chunked", "folded_header"),
        ("Content-Length: 4\r\nContent-Length: 5", "content_length"),
        ("Content-Length: 4\r\nContent-Length: 4", "content_length"),
        ("Content-Length: +5", "content_length"),
        ("Content-Length: 5, 5", "content_length"),
        ("Content-Length: 0x5", "content_length"),
        ("Content-Length: 5 5", "content_length"),
        ("Content-Length: -5", "content_length"),
        ("Content-Length: ", "content_length"),
        ("Content-Length: 18446744073709551616", "content_length"),
    ];
    for (headers, reason) in cases {
        let text =
            format!("POST {PATH} HTTP/1.1\r\nHost: HOST\r\n{headers}\r\n\r\n0\r\n\r\n{hidden}");
        refused(&stage, &text, 400, reason).await;
    }
    let old = format!("POST {PATH} HTTP/1.0\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n");
    refused(&stage, &old, 400, "request_line").await;
}

#[tokio::test]
async fn t04_a_chunk_that_is_not_plain_is_refused() {
    let stage = Stage::new().await;
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\n\
         Accept: */*\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    let cases = [
        ("0x2\r\nab\r\n0\r\n\r\n", "chunk"),
        ("ffffffffffffffff1\r\nab", "chunk"),
        ("2;a\nxx\r\nab\r\n0\r\n\r\n", "chunk"),
        ("2;ext=1\r\nab\r\n0\r\n\r\n", "chunk"),
        ("2\r\nabX\r\n0\r\n\r\n", "chunk"),
        ("2\nab\r\n0\r\n\r\n", "chunk"),
        ("\r\nab\r\n0\r\n\r\n", "chunk"),
        ("2\r\nab\r\n0\r\nAuthorization: Bearer x\r\n\r\n", "trailer"),
        ("2\r\nab\r\n0\r\nMcp-Name: x\r\n\r\n", "trailer"),
    ];
    for (chunks, reason) in cases {
        refused(&stage, &format!("{head}{chunks}"), 400, reason).await;
    }
    let whole = send(&stage, &format!("{head}2\r\nab\r\n1\r\nc\r\n0\r\n\r\nGARBAGE\n")).await;
    assert_eq!(whole.status, 401, "a plain one gets through to gate one");
}

#[tokio::test]
async fn t05_t08_the_host_stands_there_once_and_is_this_gateway() {
    let stage = Stage::new().await;
    let get = |headers: &str| format!("GET {PATH} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n");
    refused(&stage, &get(""), 400, "host_count").await;
    refused(&stage, &get("Host: \r\n"), 400, "host_count").await;
    refused(&stage, &get("Host: HOST\r\nHost: evil\r\n"), 400, "host_count").await;
    let port = stage.gateway.address().port();
    let hosts = [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        format!("127.0.0.1@evil:{port}"),
        format!("127.1:{port}"),
        format!("127.0.0.1.evil.example:{port}"),
        format!("127.0.0.1.:{port}"),
        format!("[::ffff:127.0.0.1]:{port}"),
        format!("LOCALHOST:{port}"),
        "127.0.0.1:0".to_owned(),
        "127.0.0.1".to_owned(),
    ];
    for host in hosts {
        refused(&stage, &get(&format!("Host: {host}\r\n")), 421, "host").await;
    }
    let absolute =
        format!("GET http://evil{PATH} HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n");
    refused(&stage, &absolute, 400, "authority_mismatch").await;
    let own = format!(
        "GET http://HOST{PATH} HTTP/1.1\r\nHost: HOST\r\nAccept: */*\r\n\
        Connection: close\r\n\r\n"
    );
    assert_eq!(send(&stage, &own).await.status, 401);
    for name in ["localhost", "[::1]", "127.0.0.1"] {
        let text = get(&format!("Host: {name}:{port}\r\nAccept: */*\r\n"));
        assert_eq!(send(&stage, &text).await.status, 401, "{name}");
    }
}

#[tokio::test]
async fn t07_t10_a_page_of_another_origin_gets_nothing() {
    let stage = Stage::new().await;
    let port = stage.gateway.address().port();
    let with = |origins: &str| {
        format!(
            "GET {PATH} HTTP/1.1\r\nHost: HOST\r\n{origins}Accept: */*\r\nConnection: close\r\n\r\n"
        )
    };
    let own = format!("Origin: http://localhost:{port}\r\n");
    let cases = [
        "Origin: https://evil.example\r\n".to_owned(),
        "Origin: null\r\n".to_owned(),
        format!("Origin: http://localhost.evil:{port}\r\n"),
        "Origin: http://localhost\r\n".to_owned(),
        format!("Origin: https://localhost:{port}\r\n"),
        format!("Origin: http://localhost:{port} https://evil\r\n"),
        format!("{own}{own}"),
    ];
    for origin in cases {
        refused(&stage, &with(&origin), 403, "origin").await;
        assert_eq!(send(&stage, &with(&origin)).await.header("access-control-allow-origin"), None);
    }
    assert_eq!(send(&stage, &with(&own)).await.status, 401);
    let preflight = format!(
        "OPTIONS {PATH} HTTP/1.1\r\nHost: HOST\r\nAccess-Control-Request-Private-Network: true\r\n\
         Connection: close\r\n\r\n"
    );
    let reply = send(&stage, &preflight).await;
    assert_eq!(reply.status, 405);
    assert!(reply.headers.iter().all(|(name, _)| !name.starts_with("access-control")));
}

#[tokio::test]
async fn t12_t15_t22_lines_that_could_be_read_in_two_ways_are_refused() {
    let stage = Stage::new().await;
    let cases = [
        (format!("GET {PATH} HTTP/1.1\nHost: HOST\n\n"), 400, "bare_line_end"),
        (format!("GET {PATH} HTTP/1.1\r\nHost: HOST\nX: y\r\n\r\n"), 400, "bare_line_end"),
        (format!("GET {PATH} HTTP/1.1\r\nHost: HOST\r\nX: a\rb\r\n\r\n"), 400, "bare_line_end"),
        (format!("GET {PATH} HTTP/1.1\r\nHost: HOST\r\nX: a\0b\r\n\r\n"), 400, "control_character"),
        (format!("GET {PATH} HTTP/1.1\r\nHost: HOST\r\nX: a\r\n b\r\n\r\n"), 400, "folded_header"),
        (format!("GET {PATH} HTTP/1.1\r\nHost : HOST\r\n\r\n"), 400, "header_name"),
        (format!("GET {PATH} HTTP/1.1\r\nHost: HOST\r\n: x\r\n\r\n"), 400, "header_name"),
        (format!("GET {PATH} HTTP/1.1\r\nHost: HOST\r\nX\r\n\r\n"), 400, "header_name"),
        (format!("\r\nGET {PATH} HTTP/1.1\r\nHost: HOST\r\n\r\n"), 400, "request_line"),
        (format!("GET  {PATH} HTTP/1.1\r\nHost: HOST\r\n\r\n"), 400, "request_line"),
        (format!("GET {PATH} HTTP/2.0\r\nHost: HOST\r\n\r\n"), 400, "request_line"),
        (format!("GET {PATH}\r\nHost: HOST\r\n\r\n"), 400, "request_line"),
        ("CONNECT evil:443 HTTP/1.1\r\nHost: HOST\r\n\r\n".to_owned(), 400, "request_line"),
        (
            format!("GET {PATH} HTTP/1.1\r\nHost: HOST\r\nX: {}\r\n\r\n", "x".repeat(64 * 1024)),
            431,
            "head_too_large",
        ),
        (
            format!("GET {PATH} HTTP/1.1\r\nHost: HOST\r\n{}\r\n", "X: y\r\n".repeat(101)),
            431,
            "head_too_large",
        ),
    ];
    for (text, status, reason) in cases {
        refused(&stage, &text, status, reason).await;
    }
    let marker = "POST /.refused HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\
        Content-Length: 0\r\n\r\n";
    refused(&stage, marker, 404, "path").await;
}

#[tokio::test]
async fn t01_a_request_that_follows_a_good_one_is_judged_like_the_first() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER);
    let text = INITIALIZE.as_bytes();
    let good = client.bytes("POST", &client.signature("POST", text), text);
    let good = String::from_utf8(good).unwrap().replace("connection: close\r\n", "");
    let bad = "POST /x HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\n\
        Transfer-Encoding: chunked\r\n\r\n";
    let host = stage.gateway.address().to_string();
    let mut stream = TcpStream::connect(stage.gateway.address()).await.unwrap();
    stream.write_all(format!("{good}{bad}").replace("HOST", &host).as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let statuses: Vec<_> = answer.split("HTTP/1.1 ").skip(1).map(|it| &it[..3]).collect();
    assert_eq!(statuses, ["200", "400"]);
}

#[tokio::test]
async fn t16_a_head_that_does_not_come_is_not_waited_for() {
    let stage = Stage::with(|it| it.limits.head_time = Duration::from_millis(50)).await;
    let silent = raw(stage.gateway.address(), b"").await;
    assert_eq!(silent.status, 0, "who says nothing hears nothing");
    refused(&stage, "GET /t/acme/mcp HTTP/1.1\r\nHost: HO", 408, "head_too_slow").await;
}

#[tokio::test]
async fn t17_a_body_that_does_not_come_is_not_waited_for() {
    let stage = Stage::with(|it| it.limits.body_rate_time = Duration::from_millis(50)).await;
    let slow = format!(
        "POST {PATH} HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\n\
         Accept: */*\r\nContent-Length: 8000\r\n\r\n{{"
    );
    refused(&stage, &slow, 408, "body_too_slow").await;
    let stage = Stage::with(|it| it.limits.body_time = Duration::from_millis(50)).await;
    refused(&stage, &slow, 408, "body_too_slow").await;
}

#[tokio::test]
async fn t20_t21_a_body_over_the_limit_is_refused_and_one_at_it_is_read_whole() {
    let stage = Stage::with(|it| it.limits.body_bytes = 1000).await;
    let client = stage.client(WORKER).initialize().await;
    let padded = |length: usize| {
        let text = r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{}}"#;
        format!("{text}{}", " ".repeat(length - text.len()))
    };
    assert_eq!(client.post(&padded(1000)).await.status, 200);
    assert_eq!(client.post(&padded(1001)).await.status, 413);
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\n\
         Accept: */*\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    let endless = format!("{head}{}", format!("1f4\r\n{}\r\n", "x".repeat(500)).repeat(3));
    refused(&stage, &endless, 413, "body_too_large").await;
}

#[tokio::test]
async fn t20_a_large_body_is_refused_in_a_way_that_its_sender_sees() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER);
    let body = "x".repeat(10 * 1024 * 1024);
    let bytes = client.bytes("POST", &[], body.as_bytes());
    assert_eq!(raw(stage.gateway.address(), &bytes).await.status, 413);
}

#[tokio::test]
async fn t09_t20_t25_t27_what_a_body_is_and_what_an_answer_may_be_is_said() {
    let stage = Stage::new().await;
    let post = |headers: &str| {
        format!(
            "POST {PATH} HTTP/1.1\r\nHost: HOST\r\n{headers}Content-Length: 2\r\n\
            Connection: close\r\n\r\n{{}}"
        )
    };
    let json = "Content-Type: application/json\r\n";
    let both = "Accept: application/json, text/event-stream\r\n";
    let cases = [
        (format!("{both}Content-Type: text/plain\r\n"), 415, "content_type"),
        (both.to_owned(), 415, "content_type"),
        (format!("{both}Content-Type: application/json; charset=utf-16\r\n"), 415, "content_type"),
        (format!("{both}Content-Type: application/jsonp\r\n"), 415, "content_type"),
        (format!("{both}Content-Type: multipart/form-data; boundary=x\r\n"), 415, "content_type"),
        (format!("{both}{json}{json}"), 415, "content_type"),
        (format!("{both}{json}Content-Encoding: gzip\r\n"), 415, "content_encoding"),
        (format!("{both}{json}Expect: 200-ok\r\n"), 417, "expect"),
        (format!("Accept: application/json\r\n{json}"), 406, "accept"),
        (format!("Accept: */*;q=0\r\n{json}"), 406, "accept"),
        (json.to_owned(), 406, "accept"),
    ];
    for (headers, status, reason) in cases {
        refused(&stage, &post(&headers), status, reason).await;
    }
    for headers in [
        format!("{both}Content-Type: application/json; charset=UTF-8\r\n"),
        format!("Accept: */*\r\n{json}"),
        format!("Accept: text/event-stream\r\nAccept: application/*;q=0.5\r\n{json}"),
    ] {
        assert_eq!(send(&stage, &post(&headers)).await.status, 401, "{headers}");
    }
    let queried = format!("GET {PATH}?token=x HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n");
    refused(&stage, &queried, 400, "query").await;
}

#[tokio::test]
async fn t25_nobody_is_told_to_go_on_who_does_not_say_who_is_calling() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).header("expect", "100-continue");
    let text = body("tools/list", serde_json::json!({ "_meta": meta() }));
    let head_of = |signed: &[(String, String)]| {
        let client = client.modern("tools/list");
        let bytes = client.bytes("POST", signed, text.as_bytes());
        bytes[..bytes.len() - text.len()].to_vec()
    };
    // The body never comes, and is not waited for.
    let mut stream = TcpStream::connect(stage.gateway.address()).await.unwrap();
    stream.write_all(&head_of(&[])).await.unwrap();
    let mut seen = String::new();
    let reading = tokio::time::timeout(PATIENCE, stream.read_to_string(&mut seen));
    reading.await.expect("an answer and the end").unwrap();
    assert!(seen.starts_with("HTTP/1.1 401 "), "{seen}");
    assert_eq!(stage.journal.reasons(EventKind::AuthnFailed), ["no_credential"]);

    let mut stream = TcpStream::connect(stage.gateway.address()).await.unwrap();
    stream.write_all(&head_of(&client.signature("POST", text.as_bytes()))).await.unwrap();
    let mut seen = [0; 25];
    let reading = tokio::time::timeout(PATIENCE, stream.read_exact(&mut seen));
    reading.await.expect("leave").unwrap();
    assert_eq!(&seen, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("read_file"), "{answer}");
}

#[tokio::test]
async fn t11_m14_headers_that_speak_for_somebody_else_change_nothing() {
    let stage = Stage::new().await;
    let mut client = stage.client(WORKER);
    for (name, value) in [
        ("x-http-method-override", "DELETE"),
        ("x-forwarded-host", "evil"),
        ("forwarded", "for=1.2.3.4"),
        ("x-original-url", "/t/globex/mcp"),
        ("x-forwarded-client-cert", "By=spiffe://x"),
        ("x-tenant-id", "globex"),
        ("x-user", "root"),
        ("mcp_name", "web_fetch"),
    ] {
        client = client.header(name, value);
    }
    assert_eq!(client.call("read_file", serde_json::json!({})).await.text(), "done");
    let event = stage.journal.events().pop().unwrap();
    assert_eq!(event.tenant, Some(super::world::tenant(super::world::ACME)));
}

#[tokio::test]
async fn t14_nobody_speaks_http_2_here() {
    let stage = Stage::new().await;
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";
    let reply = raw(stage.gateway.address(), preface).await;
    assert!((400..=505).contains(&reply.status), "{}", reply.status);
    let upgrade = format!(
        "POST /t/acme/mcp HTTP/1.1\r\nhost: {}\r\nconnection: close, Upgrade, HTTP2-Settings\r\n\
         upgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\ncontent-length: 0\r\n\r\n",
        stage.gateway.address()
    );
    let reply = raw(stage.gateway.address(), upgrade.as_bytes()).await;
    assert_ne!(reply.status, 101);
    assert!(stage.journal.calls().is_empty());
}
