//! Calls that become tasks while a person decides: with the Rust SDK, whose client speaks the
//! extension, and across the end of the gateway.

use std::time::Duration;

use countersign_tests::agent::Agent;
use reqwest::Client;
use rmcp::RoleClient;
use rmcp::model::{
    CallToolResponse, CancelTaskParams, ClientCapabilities, ClientConfig, GetTaskParams,
    Implementation, ProtocolVersion, TASKS_EXTENSION_ID, TaskPayload, TaskStatus,
};
use rmcp::service::{ClientLifecycleMode, ClientServiceExt as _, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::{Value, json};

use crate::place::Place;
use crate::rmcp::called;

type Session = RunningService<RoleClient, ClientConfig>;

/// The Rust SDK as an agent that says that it can do with tasks.
async fn session(place: &Place) -> Session {
    let of = ["--tenant", "acme"];
    place.ask(&[&["issuer", "set", "--enable"][..], &of].concat()).await;
    let words = ["credential", "issue", "executor-1", "--kind", "client", "--method", "secret"];
    let client = place.ask(&[&words[..], &of].concat()).await;
    let token = crate::conformance::token(&client, &place.endpoint()).await;
    let config = StreamableHttpClientTransportConfig::with_uri(place.endpoint()).auth_header(token);
    let transport = StreamableHttpClientTransport::with_client(Client::new(), config);
    let able = json!({ "extensions": { TASKS_EXTENSION_ID: {} } });
    let able: ClientCapabilities = serde_json::from_value(able).expect("capabilities");
    let agent = ClientConfig::new(able, Implementation::new("agent", "1"));
    let newest =
        ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] };
    agent.serve_with_lifecycle(transport, newest).await.expect("a session")
}

fn note(line: &str) -> Value {
    json!({ "path": "log.txt", "content": format!("{line}\n"), "append": true })
}

/// Makes a call that has to be approved, and gives the task that it becomes.
async fn begun(session: &Session, line: &str) -> String {
    let answer = session.call_tool_once(called("write_file", &note(line))).await;
    let Ok(CallToolResponse::Task(created)) = answer else { panic!("no task: {answer:?}") };
    assert_eq!(created.task.status, TaskStatus::Working);
    created.task.task_id
}

/// What becomes of a task.
async fn ended(session: &Session, id: &str) -> TaskPayload {
    for _ in 0..300 {
        let got = session.get_task(GetTaskParams::new(id)).await.expect("an answer").task;
        if got.status().is_terminal() {
            return got.payload;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("the task does not end");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rust_sdk_goes_on_while_a_person_decides_and_asks_for_the_result() {
    let place = Place::starter().await;
    let session = session(&place).await;
    let id = begun(&session, "first").await;
    let request = place.waiting("write_file").await;
    let shown = place.ask(&["approval", "show", &request]).await;
    assert_eq!((&shown["row"]["held"], &shown["row"]["goes_on"]), (&json!(true), &json!(true)));
    let welcome = called("read_file", &json!({ "path": "notes/welcome.md" }));
    let read = session.call_tool(welcome).await.expect("a result");
    assert!(format!("{read:?}").contains("Welcome"), "it goes on: {read:?}");
    assert_eq!(place.file("log.txt"), "", "nobody has signed");
    place.approve("write_file").await;
    let done = ended(&session, &id).await;
    let TaskPayload::Completed { result } = done else { panic!("not done: {done:?}") };
    assert_ne!(result.get("isError"), Some(&json!(true)), "{result:?}");
    assert_eq!(place.file("log.txt"), "first\n");

    let id = begun(&session, "second").await;
    let request = place.waiting("write_file").await;
    place.ask(&["approval", "deny", &request, "--reason", "not today"]).await;
    let done = ended(&session, &id).await;
    let TaskPayload::Completed { result } = done else { panic!("not denied: {done:?}") };
    assert_eq!(result.get("isError"), Some(&json!(true)));
    assert!(format!("{result:?}").contains("not today"), "{result:?}");

    let id = begun(&session, "third").await;
    let request = place.waiting("write_file").await;
    session.cancel_task(CancelTaskParams::new(&id)).await.expect("it is noted");
    let done = ended(&session, &id).await;
    assert_eq!(done, TaskPayload::Cancelled);
    let passphrase = place.path().join("passphrase");
    let passphrase = passphrase.to_str().expect("a path");
    let late = ["approval", "approve", &request, "--passphrase-file", passphrase];
    let refused = place.ask_in_vain(&late).await;
    assert!(refused.contains("conflict"), "{refused}");
    assert_eq!(place.file("log.txt"), "first\n", "one call was made");
    session.cancel().await.expect("it ends");
    let chain = place.ask(&["audit", "verify"]).await;
    assert_eq!(chain["whole"], true, "{chain}");
}

/// An agent with a key, wherever the gateway is.
struct Keyed(Value);

impl Keyed {
    async fn new(place: &Place, agent: &str) -> Self {
        let words = ["credential", "issue", agent, "--tenant", "acme", "--kind", "api-key"];
        Self(place.ask(&words).await)
    }

    /// Asks as a client that can do with tasks.
    async fn ask(&self, place: &Place, method: &str, params: Value) -> Value {
        let word = |name: &str| self.0[name].as_str().expect("a word");
        let agent = Agent::new(&place.endpoint(), word("key_id"), word("secret"));
        let able = json!({ "extensions": { "io.modelcontextprotocol/tasks": {} } });
        agent.request_able(method, params, able).await.1
    }

    async fn until(&self, place: &Place, id: &str, status: &str) -> Value {
        for _ in 0..300 {
            let answer = self.ask(place, "tasks/get", json!({ "taskId": id })).await;
            if answer["result"]["status"] == status {
                return answer["result"].clone();
            }
            assert!(answer["error"].is_null(), "{answer}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the task never stood at {status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn o02_s06_a_task_outlives_the_gateway_is_made_once_and_is_its_agents_alone() {
    let mut place = Place::starter().await;
    let agent = Keyed::new(&place, "executor-1").await;
    let other = Keyed::new(&place, "admin-1").await;
    let twin = Keyed::new(&place, "executor-1").await;
    let mut ids = Vec::new();
    for line in ["first", "second"] {
        let call = json!({ "name": "write_file", "arguments": note(line) });
        let created = agent.ask(&place, "tools/call", call).await;
        assert_eq!(created["result"]["resultType"], "task", "{created}");
        ids.push(created["result"]["taskId"].as_str().expect("an id").to_owned());
    }
    place.again().await;
    for id in &ids {
        for stranger in [&other, &twin] {
            let told = stranger.ask(&place, "tasks/get", json!({ "taskId": id })).await;
            assert_eq!(told["error"]["code"], -32602, "{told}");
        }
    }
    // Nobody asks about the first: it is signed for, and nothing is made of it.
    let listed = place.ask(&["approval", "list"]).await;
    let listed = listed.as_array().expect("a list");
    let of = |line: &str| {
        let is = |it: &&Value| it["arguments"]["content"] == format!("{line}\n");
        listed.iter().find(is).expect(line)["id"].as_str().expect("an id").to_owned()
    };
    let passphrase = place.path().join("passphrase");
    let passphrase = passphrase.to_str().expect("a path").to_owned();
    let approve = async |place: &Place, id: &str| {
        place.ask(&["approval", "approve", id, "--passphrase-file", &passphrase]).await
    };
    assert_eq!(agent.until(&place, &ids[1], "working").await["taskId"], ids[1]);
    approve(&place, &of("second")).await;
    agent.until(&place, &ids[1], "completed").await;
    approve(&place, &of("first")).await;
    assert_eq!(place.file("log.txt"), "second\n");
    agent.until(&place, &ids[0], "completed").await;
    assert_eq!(place.file("log.txt"), "second\nfirst\n");
    place.again().await;
    for id in &ids {
        let done = agent.until(&place, id, "completed").await;
        assert!(done["result"].to_string().contains("was executed"), "{done}");
    }
    assert_eq!(place.file("log.txt").lines().count(), 2, "never a second time");
    let chain = place.ask(&["audit", "verify"]).await;
    assert_eq!(chain["whole"], true, "{chain}");
}
