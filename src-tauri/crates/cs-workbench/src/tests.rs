use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::{SecretError, Secrets, ServeError, serve_on};

struct OneSecret;

impl Secrets for OneSecret {
    fn secret(&self, name: &str) -> Result<String, SecretError> {
        match name {
            "api" => Ok("s3cret".to_owned()),
            "locked" => Err(SecretError::Absent),
            _ => Err(SecretError::Missing),
        }
    }
}

struct Client {
    root: TempDir,
    to: DuplexStream,
    from: BufReader<DuplexStream>,
    server: JoinHandle<Result<(), ServeError>>,
    last: u64,
}

fn serve(
    root: PathBuf,
) -> (DuplexStream, BufReader<DuplexStream>, JoinHandle<Result<(), ServeError>>) {
    let (to, input) = tokio::io::duplex(1 << 16);
    let (output, from) = tokio::io::duplex(1 << 16);
    let now = || 1_785_231_000;
    let server = tokio::spawn(async move {
        serve_on(root, Arc::new(OneSecret), now, BufReader::new(input), output).await
    });
    (to, BufReader::new(from), server)
}

impl Client {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let (to, from, server) = serve(root.path().join("workbench"));
        Self { root, to, from, server, last: 0 }
    }

    fn folder(&self) -> PathBuf {
        self.root.path().join("workbench")
    }

    async fn say(&mut self, message: &str) {
        self.to.write_all(message.as_bytes()).await.unwrap();
        self.to.write_all(b"\n").await.unwrap();
    }

    async fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.from.read_line(&mut line).await.unwrap();
        serde_json::from_str(&line).unwrap()
    }

    async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.last = self.last.saturating_add(1);
        let asked = json!({"jsonrpc": "2.0", "id": self.last, "method": method, "params": params});
        self.say(&asked.to_string()).await;
        let answer = self.hear().await;
        assert_eq!(answer["id"], self.last);
        answer
    }

    async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let params = json!({"name": tool, "arguments": arguments});
        self.ask("tools/call", params).await["result"].take()
    }

    async fn done(&mut self, tool: &str, arguments: Value) -> Value {
        let mut result = self.call(tool, arguments).await;
        assert!(result.get("isError").is_none(), "{result}");
        result["structuredContent"].take()
    }

    async fn failed(&mut self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments).await;
        assert_eq!(result["isError"], true, "{result}");
        result["content"][0]["text"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_client_of_any_known_revision_is_answered_in_its_own() {
    let mut client = Client::new();
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let answer = client.ask("initialize", json!({"protocolVersion": version})).await;
        assert_eq!(answer["result"]["protocolVersion"], version);
    }
    let newer = client.ask("initialize", json!({"protocolVersion": "2026-07-28"})).await;
    assert_eq!(newer["result"]["protocolVersion"], "2025-11-25");
    assert_eq!(client.ask("server/discover", json!({})).await["error"]["code"], -32601);
    assert_eq!(client.ask("ping", json!({})).await["result"], json!({}));
    client.say("").await;
    client.say("not JSON").await;
    assert_eq!(client.hear().await["error"]["code"], -32700);
    drop(client.to);
    client.server.await.unwrap().unwrap();
}

#[tokio::test]
async fn there_are_eight_tools_and_each_says_what_it_takes_and_gives() {
    let mut client = Client::new();
    let listed = client.ask("tools/list", json!({})).await;
    let tools = listed["result"]["tools"].as_array().unwrap();
    let mut names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "access_secrets",
            "execute_code",
            "modify_mcp_config",
            "read_file",
            "search_database",
            "send_email",
            "web_fetch",
            "write_file",
        ]
    );
    for tool in tools {
        for part in ["title", "description"] {
            assert!(tool[part].as_str().unwrap().len() > 3, "{tool}");
        }
        for schema in ["inputSchema", "outputSchema"] {
            assert_eq!(tool[schema]["type"], "object", "{tool}");
            assert_eq!(tool[schema]["additionalProperties"], false, "{tool}");
        }
        assert!(tool["annotations"]["readOnlyHint"].is_boolean());
    }
    let unknown = client.ask("tools/call", json!({"name": "format_disk"})).await;
    assert_eq!(unknown["error"]["code"], -32602);
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_told_apart_from_a_crash() {
    let mut client = Client::new();
    for arguments in
        [json!({}), json!([]), json!(["a"]), json!({"path": 3}), json!({"path": "a", "x": 1})]
    {
        let why = client.failed("read_file", arguments.clone()).await;
        assert!(why.starts_with("the arguments"), "{arguments}: {why}");
    }
}

#[tokio::test]
async fn files_are_read_and_written_in_the_folder() {
    let mut client = Client::new();
    let listed = client.done("read_file", json!({"path": "."})).await;
    let entries = listed["entries"].as_array().unwrap();
    assert!(entries.contains(&json!("notes/")) && entries.contains(&json!("README.txt")));
    let welcome = client.done("read_file", json!({"path": "notes/welcome.md"})).await;
    assert!(welcome["text"].as_str().unwrap().starts_with("# Welcome"));

    let new = json!({"path": "drafts/new.md", "content": "one\n"});
    assert_eq!(client.done("write_file", new).await["bytes"], 4);
    let more = json!({"path": "./drafts/new.md", "content": "two\n", "append": true});
    client.done("write_file", more).await;
    let there = std::fs::read_to_string(client.folder().join("drafts/new.md")).unwrap();
    assert_eq!(there, "one\ntwo\n");
}

#[tokio::test]
async fn no_path_leads_out_of_the_folder() {
    let mut client = Client::new();
    client.ask("ping", json!({})).await;
    let outside = client.root.path().join("outside.txt");
    std::fs::write(&outside, "outside").unwrap();
    #[cfg(unix)]
    {
        let link = |to: &Path, name: &str| {
            std::os::unix::fs::symlink(to, client.folder().join(name)).unwrap();
        };
        link(&outside, "link.txt");
        link(Path::new("../outside.txt"), "relative.txt");
        link(client.root.path(), "up");
    }
    let absolute = outside.to_str().unwrap().to_owned();
    let paths = [
        "../outside.txt",
        "notes/../../outside.txt",
        &absolute,
        "/etc/hostname",
        "link.txt",
        "relative.txt",
        "up/outside.txt",
        "a\0b",
    ];
    for path in paths {
        client.failed("read_file", json!({"path": path})).await;
        client.failed("write_file", json!({"path": path, "content": "changed"})).await;
    }
    assert_eq!(std::fs::read_to_string(&outside).unwrap(), "outside");
}

#[tokio::test]
async fn writing_a_file_does_not_do_another_tools_work() {
    let mut client = Client::new();
    for path in
        ["settings.json", "Settings.JSON", "./outbox/0001.eml", "company.db", "company.db-journal"]
    {
        let why = client.failed("write_file", json!({"path": path, "content": "{}"})).await;
        assert!(why.contains("their own tools"), "{path}: {why}");
    }
    let large = "x".repeat(1024 * 1024 + 1);
    client.failed("write_file", json!({"path": "a", "content": large})).await;
}

#[tokio::test]
async fn the_database_is_searched_and_never_run() {
    let mut client = Client::new();
    let found = client.done("search_database", json!({"query": "ESPRESSO"})).await;
    assert_eq!(found["total"], 3);
    assert_eq!(found["matches"][0]["order"], 1012);
    assert_eq!(found["matches"][0]["customer"], "Mei Tanaka");
    let limited = client.done("search_database", json!({"query": "a", "limit": 2})).await;
    assert_eq!(limited["matches"].as_array().unwrap().len(), 2);
    assert_eq!(limited["total"], 12);
    for query in ["' OR 1=1 --", "%", "_", "'; DROP TABLE orders; --"] {
        let none = client.done("search_database", json!({"query": query})).await;
        assert_eq!(none["total"], 0, "{query}");
    }
    client.failed("search_database", json!({"query": " "})).await;
    client.failed("search_database", json!({"query": "a", "limit": 1000})).await;
}

#[tokio::test]
async fn mail_goes_into_the_outbox_one_file_for_each_message() {
    let mut client = Client::new();
    let letter = json!({"to": "ada@example.com", "subject": "Grüße", "body": "Hello\nthere"});
    let sent = client.done("send_email", letter.clone()).await;
    assert_eq!(sent["file"], "outbox/0001.eml");
    assert_eq!(client.done("send_email", letter).await["file"], "outbox/0002.eml");
    let file = std::fs::read_to_string(client.folder().join("outbox/0001.eml")).unwrap();
    assert_eq!(
        file,
        "From: workbench@example.com\r\nTo: ada@example.com\r\n\
         Subject: =?utf-8?B?R3LDvMOfZQ==?=\r\nDate: Tue, 28 Jul 2026 09:30:00 +0000\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\nHello\r\nthere\r\n"
    );
}

#[tokio::test]
async fn mail_cannot_be_given_headers_of_its_own() {
    let mut client = Client::new();
    for to in ["", "ada", "ada@example.com\r\nBcc: eve@example.com", "a@b.c, d@e.f", "A <a@b.c>"] {
        client.failed("send_email", json!({"to": to, "subject": "s", "body": "t"})).await;
    }
    let subject = "s\r\nBcc: eve@example.com";
    client.failed("send_email", json!({"to": "a@b.c", "subject": subject, "body": "t"})).await;
    assert_eq!(std::fs::read_dir(client.folder().join("outbox")).unwrap().count(), 0);
}

#[tokio::test]
async fn scripts_compute_and_print() {
    let mut client = Client::new();
    let code = "let l = []; for i in 0..4 { l.push(i * i); } print(l.len()); \
                fn twice(x) { x * 2 } #{ sum: twice(l.reduce(|s, x| s + x, 0)), name: \"a\".to_upper() }";
    let run = client.done("execute_code", json!({"code": code})).await;
    assert_eq!(run["printed"], "4\n");
    assert!(run["value"].as_str().unwrap().contains(r#""sum": 28"#), "{run}");
}

#[tokio::test]
async fn scripts_have_bounds_and_no_way_out() {
    let mut client = Client::new();
    let cases = [
        "loop { }",
        "let s = \"x\"; loop { s += s; }",
        "let a = [0]; loop { a += a; }",
        "let m = #{}; let i = 0; loop { m[`k${i}`] = \"x\".pad(1000, 'y'); i += 1; }",
        "fn f(n) { f(n + 1) } f(0)",
        "import \"std\" as s;",
        "eval(\"1\")",
        "open_file(\"/etc/passwd\")",
        "sleep(100)",
        "timestamp()",
        "exit()",
        "let x = ",
    ];
    for code in cases {
        let why = client.failed("execute_code", json!({"code": code})).await;
        assert!(why.starts_with("the script failed"), "{code}: {why}");
    }
    let deep = format!("{}1{}", "(".repeat(5000), ")".repeat(5000));
    client.failed("execute_code", json!({"code": deep})).await;
    let noisy = client
        .done("execute_code", json!({"code": "for i in 0..9999 { print(\"0123456789\"); }"}))
        .await;
    assert!(noisy["printed"].as_str().unwrap().len() < 70_000);
}

#[tokio::test]
async fn pages_come_from_this_machine_only() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let site = tokio::spawn(async move {
        for answer in [
            "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhello",
            "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n",
        ] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = vec![0; 4096];
            let read = stream.read(&mut asked).await.unwrap();
            assert!(asked[..read].starts_with(b"GET /a?b=1 HTTP/1.1\r\n"));
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let mut client = Client::new();
    let url = format!("http://localhost:{port}/a?b=1");
    let page = client.done("web_fetch", json!({"url": url})).await;
    assert_eq!(page, json!({"status": 200, "content_type": "text/plain", "text": "hello"}));
    let url = format!("http://127.0.0.1:{port}/a?b=1");
    assert_eq!(client.done("web_fetch", json!({"url": url})).await["status"], 302);
    site.await.unwrap();
    for url in [
        "http://169.254.169.254/",
        "http://example.com/",
        "http://10.0.0.1/",
        "file:///etc/passwd",
        "http://127.0.0.1@example.com/",
        "http://0.0.0.0/",
        "http://2130706433.example/",
        "https://127.0.0.1/",
    ] {
        let why = client.failed("web_fetch", json!({"url": url})).await;
        assert!(!why.contains("nothing answers"), "{url}: {why}");
    }
}

#[tokio::test]
async fn only_this_servers_secrets_are_read_and_their_absence_is_said() {
    let mut client = Client::new();
    let found = client.done("access_secrets", json!({"name": "api"})).await;
    assert_eq!(found, json!({"name": "api", "value": "s3cret"}));
    let why = client.failed("access_secrets", json!({"name": "other"})).await;
    assert!(why.contains("has no secret of that name"), "{why}");
    let why = client.failed("access_secrets", json!({"name": "locked"})).await;
    assert!(why.contains("no keychain"), "{why}");
}

#[tokio::test]
async fn settings_are_a_closed_set_and_take_effect() {
    let mut client = Client::new();
    let read = client.done("modify_mcp_config", json!({})).await;
    assert_eq!(read["changed"], false);
    let set = json!({"set": {"search_limit": 1, "mail_from": "desk@example.com"}});
    let changed = client.done("modify_mcp_config", set).await;
    assert_eq!(
        (&changed["changed"], &changed["settings"]["search_limit"]),
        (&json!(true), &json!(1))
    );
    let found = client.done("search_database", json!({"query": "a"})).await;
    assert_eq!(found["matches"].as_array().unwrap().len(), 1);
    let letter = json!({"to": "a@b.c", "subject": "s", "body": "t"});
    assert_eq!(client.done("send_email", letter).await["from"], "desk@example.com");
    for wrong in [
        json!({"command": "sh"}),
        json!({"search_limit": 0}),
        json!({"fetch_seconds": 99}),
        json!({"mail_from": "x"}),
    ] {
        client.failed("modify_mcp_config", json!({"set": wrong})).await;
    }
    assert_eq!(client.done("modify_mcp_config", json!({})).await["settings"]["search_limit"], 1);
}

#[tokio::test]
async fn a_second_start_leaves_everything_as_it_is() {
    let mut client = Client::new();
    client.done("write_file", json!({"path": "notes/welcome.md", "content": "mine"})).await;
    std::fs::remove_file(client.folder().join("notes/meeting.md")).unwrap();
    let (mut to, mut from, _second) = serve(client.folder());
    to.write_all(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n").await.unwrap();
    from.read_line(&mut String::new()).await.unwrap();
    let welcome = client.done("read_file", json!({"path": "notes/welcome.md"})).await;
    assert_eq!(welcome["text"], "mine");
    assert!(!client.folder().join("notes/meeting.md").exists());
    assert_eq!(client.done("search_database", json!({"query": "espresso"})).await["total"], 3);
}

#[tokio::test]
async fn a_cancelled_call_is_not_answered() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = Client::new();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let params = json!({"name": "web_fetch", "arguments": {"url": url}});
    client
        .say(
            &json!({"jsonrpc": "2.0", "id": "c", "method": "tools/call", "params": params})
                .to_string(),
        )
        .await;
    let (mut asked, _) = listener.accept().await.unwrap();
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "c"}});
    client.say(&cancel.to_string()).await;
    let mut rest = Vec::new();
    asked.read_to_end(&mut rest).await.unwrap();
    assert_eq!(client.ask("ping", json!({})).await["result"], json!({}));
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_an_error_that_names_it() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("file");
    std::fs::write(&file, "").unwrap();
    let (_to, _from, server) = serve(file.join("workbench"));
    let error = server.await.unwrap().unwrap_err();
    assert!(error.to_string().contains("workbench"), "{error}");
}
