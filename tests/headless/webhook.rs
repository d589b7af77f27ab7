//! A web server that is told when calls begin to wait, as the command line sets it.

use std::process::Stdio;
use std::time::Duration;

use countersign_tests::Agent;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::place::{Place, command};

const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n";

/// Takes one notice.
async fn notice(listener: &TcpListener) -> String {
    let taking = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut post = Vec::new();
        while !post.ends_with(b"}") {
            let mut some = [0; 1024];
            let read = stream.read(&mut some).await.expect("it sends");
            post.extend_from_slice(&some[..read]);
        }
        let taken = b"HTTP/1.1 204 No Content\r\n\r\n";
        stream.write_all(taken).await.expect("it reads");
        String::from_utf8(post).expect("a text")
    };
    timeout(Duration::from_secs(60), taking).await.expect("in time")
}

/// Sets who is told, with the key on standard input.
async fn set(place: &Place, url: &str) -> Value {
    let mut set = command(place.path());
    set.args(["approval", "webhook", "set", url, "--sign"]).stdin(Stdio::piped());
    let mut set = set.stdout(Stdio::piped()).spawn().expect("it runs");
    let mut input = set.stdin.take().expect("its input");
    input.write_all(KEY.as_bytes()).await.expect("it reads");
    drop(input);
    let done = set.wait_with_output().await.expect("it ends");
    assert!(done.status.success());
    serde_json::from_slice(&done.stdout).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn u10_a_web_server_hears_that_a_call_waits_and_not_which_one() {
    let place = Place::starter().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    let shown = set(&place, &format!("{origin}/sesame")).await;
    assert_eq!((&shown["origin"], &shown["signed"]), (&json!(origin), &json!(true)), "{shown}");
    let (_, tested) = tokio::join!(notice(&listener), place.ask(&["approval", "webhook", "test"]));
    assert_eq!(tested["last"]["problem"], Value::Null, "{tested}");

    let key = place.ask(&["credential", "issue", "executor-1", "--tenant", "acme"]).await;
    let (id, secret) = (key["key_id"].as_str(), key["secret"].as_str());
    let agent = Agent::new(&place.endpoint(), id.expect("an id"), secret.expect("a secret"));
    let arguments = json!({"path": "a.txt", "content": "the content"});
    let call = tokio::spawn(async move { agent.call("write_file", arguments).await });
    let post = notice(&listener).await;
    let (head, body) = post.split_once("\r\n\r\n").expect("a body");
    assert_eq!(body, r#"{"waiting":1,"tenant":"acme"}"#);
    for name in ["webhook-id: msg_", "webhook-timestamp: ", "webhook-signature: v1,"] {
        assert!(head.contains(name), "{name}: {head}");
    }
    assert!(!head.contains("write_file") && !head.contains("executor"), "{head}");

    let id = place.waiting("write_file").await;
    place.ask(&["approval", "deny", &id, "--reason", "Not now."]).await;
    call.await.expect("an answer");
    drop(listener);
    let told = place.ask_in_vain(&["approval", "webhook", "test"]).await;
    assert!(told.contains("did not take the notice"), "{told}");
    let status = place.ask(&["status"]).await;
    assert!(status["webhook_problem"].as_str().is_some_and(|it| it.contains("nobody was told")));
    let removed = place.ask(&["approval", "webhook", "remove"]).await;
    assert_eq!(removed["origin"], Value::Null);
    assert_eq!(place.ask(&["approval", "webhook", "show"]).await["origin"], Value::Null);
    assert_eq!(place.ask(&["status"]).await["webhook_problem"], Value::Null);
}
