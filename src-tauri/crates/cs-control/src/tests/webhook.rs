//! A web server that is told when calls begin to wait, over real sockets.

use std::sync::Arc;
use std::time::Duration;

use cs_model::{ApprovalId, Digest, Secret, Timestamp};
use cs_trust::WebhookKey;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::approvals::Waiting;
use super::place::Place;

const PATIENCE: Duration = Duration::from_secs(60);
const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// A web server that answers each request with the next of these statuses, the last one for ever.
struct Server {
    url: String,
    posts: mpsc::UnboundedReceiver<String>,
}

impl Server {
    async fn new(statuses: &'static [u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks/sesame?k=1", listener.local_addr().unwrap());
        let (tell, posts) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut statuses = statuses.iter().copied().peekable();
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut asked = Vec::new();
                while !asked.ends_with(b"}") {
                    let mut some = [0; 1024];
                    let read = stream.read(&mut some).await.unwrap();
                    asked.extend_from_slice(&some[..read]);
                }
                let status = statuses.peek().copied().unwrap_or(200);
                if statuses.len() > 1 {
                    statuses.next();
                }
                let answer = format!("HTTP/1.1 {status} So\r\ncontent-length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
                tell.send(String::from_utf8(asked).unwrap()).unwrap();
            }
        });
        Self { url, posts }
    }

    async fn next(&mut self) -> String {
        timeout(PATIENCE, self.posts.recv()).await.expect("in time").unwrap()
    }
}

fn header<'p>(post: &'p str, name: &str) -> &'p str {
    let line = post.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    line.unwrap_or_else(|| panic!("no {name}: {post}"))
}

fn body(post: &str) -> &str {
    post.split_once("\r\n\r\n").unwrap().1
}

impl Waiting {
    /// A call that began to wait before anybody was to be told, long enough ago that nothing is
    /// told of it any more.
    async fn untold() -> Self {
        let it = Self::new().await;
        tokio::time::sleep(Duration::from_secs(12)).await;
        it
    }

    /// Another call of the same agent begins to wait.
    async fn another(&self, n: u8) {
        let mut request = self.request.clone();
        request.id = ApprovalId::from_random([n; 16]);
        request.operation = Digest::of(&[n]);
        assert!(self.ports.desk.file(request, Vec::new()).await.unwrap().is_some());
    }

    async fn shown(&self) -> Value {
        self.place.ask("webhook_show", json!({})).await
    }

    /// Waits until it is known how a notice fared.
    async fn fared(&self) -> Value {
        let fared = async {
            loop {
                let shown = self.shown().await;
                if !shown["last"].is_null() {
                    return shown["last"].clone();
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, fared).await.expect("in time")
    }
}

/// Attacks U10: whoever reads along learns nothing of what agents ask for.
#[tokio::test]
async fn u10_what_waits_is_told_by_number_and_tenant_and_nothing_else_and_not_too_often() {
    let it = Waiting::untold().await;
    let mut server = Server::new(&[204]).await;
    let args = json!({ "url": server.url, "key": KEY });
    let view = it.place.ask("webhook_set", args).await;
    let origin = server.url.strip_suffix("/hooks/sesame?k=1").unwrap();
    assert_eq!((&view["origin"], &view["signed"]), (&json!(origin), &json!(true)));

    it.another(5).await;
    let first = server.next().await;
    let began = Instant::now();
    assert!(first.starts_with("POST /hooks/sesame?k=1 HTTP/1.1\r\n"), "{first}");
    assert_eq!(body(&first), r#"{"waiting":2,"tenant":"acme"}"#);
    for word in ["executor", "send_email", "ada", "workbench", &it.request.tenant.to_string()] {
        assert!(!first.contains(word), "{word}: {first}");
    }
    let (id, at) = (header(&first, "webhook-id"), header(&first, "webhook-timestamp"));
    assert_eq!(at, it.place.control.now().secs().to_string());
    let at = Timestamp::from_millis(at.parse::<i64>().unwrap() * 1000);
    let key = WebhookKey::read(&Secret::from_text(KEY.to_owned())).unwrap();
    assert_eq!(header(&first, "webhook-signature"), key.sign(id, at, body(&first)));

    // What comes in within the next moment is told together.
    for n in 6..9 {
        it.another(n).await;
    }
    let second = server.next().await;
    assert!(began.elapsed() > Duration::from_secs(9), "{:?}", began.elapsed());
    assert_eq!(body(&second), r#"{"waiting":5,"tenant":"acme"}"#);
    assert_ne!(header(&second, "webhook-id"), id);
    assert_eq!(it.fared().await["problem"], Value::Null);
    assert_eq!(it.place.ask("status", json!({})).await["webhook_problem"], Value::Null);
    assert!(server.posts.try_recv().is_err(), "two for five calls");
    for said in [it.shown().await, json!(it.place.log(&["admin.changed"]).await)] {
        assert!(!said.to_string().contains("sesame"), "the path is not shown: {said}");
        assert!(!said.to_string().contains("whsec_"), "{said}");
    }
}

#[tokio::test]
async fn a_notice_that_is_not_taken_is_sent_three_times_under_one_id_and_no_call_waits_for_it() {
    let it = Waiting::untold().await;
    let mut server = Server::new(&[500, 302, 404, 200]).await;
    it.place.ask("webhook_set", json!({ "url": server.url })).await;
    it.another(5).await;
    let posts = [server.next().await, server.next().await, server.next().await];
    assert!(posts.iter().all(|post| header(post, "webhook-id") == header(&posts[0], "webhook-id")));
    assert!(!posts[0].contains("webhook-signature"), "nothing to sign with");
    assert_eq!(it.fared().await["problem"], "it answered 404");
    let status = it.place.ask("status", json!({})).await;
    assert_eq!(status["webhook_problem"], "nobody was told of waiting calls: it answered 404");

    let view = it.place.ask("webhook_test", json!({})).await;
    assert_eq!(view["last"]["problem"], Value::Null);
    assert_eq!(body(&server.next().await), r#"{"waiting":0,"tenant":"test"}"#);
    assert_eq!(it.place.ask("status", json!({})).await["webhook_problem"], Value::Null);

    // One that takes connections and says nothing delays no call, and a test says so in time.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    it.place.ask("webhook_set", json!({ "url": url })).await;
    let began = Instant::now();
    it.another(6).await;
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    let refused = it.place.refused(it.place.control.console(), "webhook_test", json!({})).await;
    assert_eq!(refused["code"], "upstream");
    assert!(refused["message"].as_str().unwrap().contains("did not answer in time"), "{refused}");
}

#[tokio::test]
async fn what_is_to_be_signed_is_not_sent_without_its_key() {
    let it = Waiting::untold().await;
    let mut server = Server::new(&[200]).await;
    it.place.ask("webhook_set", json!({ "url": server.url, "key": KEY })).await;
    let keys = keys(&it.place).await;
    assert_eq!(keys.len(), 1);
    it.place.control.core().unwrap().store.delete(&keys[0]).await.unwrap();
    it.another(5).await;
    let problem = it.fared().await["problem"].clone();
    assert!(problem.as_str().unwrap().contains("key"), "{problem}");
    assert!(server.posts.try_recv().is_err(), "nothing was sent");
}

#[tokio::test]
async fn a_key_is_kept_until_there_is_another_or_none_is_needed() {
    let place = Place::new().await;
    let url = "https://hooks.example/a";
    let set = async |args: Value| place.ask("webhook_set", args).await["signed"].clone();
    assert_eq!(place.ask("webhook_show", json!({})).await["origin"], Value::Null);
    assert_eq!(set(json!({ "url": url, "key": KEY })).await, true);
    let first = keys(&place).await;
    assert_eq!(set(json!({ "url": "https://hooks.example/b" })).await, true, "it stays");
    assert_eq!(keys(&place).await, first);
    assert_eq!(set(json!({ "url": url, "key": OTHER })).await, true);
    let second = keys(&place).await;
    assert_ne!(second, first);
    assert!(place.control.core().unwrap().store.get(&first[0]).await.is_err(), "it is forgotten");
    assert_eq!(set(json!({ "url": url, "unsigned": true })).await, false);
    assert!(place.control.core().unwrap().store.get(&second[0]).await.is_err());
    assert_eq!(set(json!({ "url": url, "key": KEY })).await, true);
    let third = keys(&place).await;
    let gone = place.ask("webhook_remove", json!({})).await;
    assert_eq!((&gone["origin"], &gone["signed"]), (&Value::Null, &json!(false)));
    assert!(place.control.core().unwrap().store.get(&third[0]).await.is_err());
    let refused = place.refused(place.control.console(), "webhook_test", json!({})).await;
    assert_eq!(refused["code"], "conflict");
}

#[tokio::test]
async fn y06_without_tls_only_this_machine_is_told_and_a_key_is_no_passphrase() {
    let place = Place::new().await;
    let good = [
        "https://hooks.example/a?b=c",
        "http://127.0.0.1:9/",
        "http://[::1]:9",
        "http://localhost/x",
    ];
    for url in good {
        place.ask("webhook_set", json!({ "url": url })).await;
    }
    let cases = [
        ("url", json!({ "url": "http://hooks.example/" })),
        ("url", json!({ "url": "http://10.0.0.7/" })),
        ("url", json!({ "url": "https://169.254.169.254/" })),
        ("url", json!({ "url": "https://ada@hooks.example/" })),
        ("url", json!({ "url": "ftp://hooks.example/" })),
        ("url", json!({ "url": "" })),
        ("key", json!({ "url": good[0], "key": "hunter2" })),
        ("key", json!({ "url": good[0], "key": "whsec_c2hvcnQ=" })),
        ("key", json!({ "url": good[0], "key": KEY, "unsigned": true })),
    ];
    for (field, args) in cases {
        let refused = place.refused(place.control.console(), "webhook_set", args.clone()).await;
        assert_eq!(
            (&refused["code"], &refused["field"]),
            (&json!("invalid"), &json!(field)),
            "{args}"
        );
    }
    assert_eq!(place.ask("webhook_show", json!({})).await["origin"], "http://localhost");
}

/// Under which names the secret store has keys of notices.
async fn keys(place: &Place) -> Vec<String> {
    let core: Arc<crate::core::Core> = place.control.core().unwrap();
    let mut db = core.registry.read().await.unwrap();
    let kept = cs_registry::webhook::load(&mut db).await.unwrap().and_then(|it| it.key);
    kept.map(crate::herald::key_name).into_iter().collect()
}
