//! Tasks of the extension: the gateway's own, and those of servers.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::client::{Client, body};
use super::world::Stage;
use crate::upstream::{
    Detail, Errand, ErrandAct, ErrandCall, ErrandReply, Question, ReplyBody, Status, ToolCall,
};

mod own;
mod theirs;

/// The errands of the servers: each does what the test says.
#[derive(Debug, Default)]
pub(super) struct Errands {
    stands: Mutex<HashMap<String, Stands>>,
    /// What they were told: answers, by errand.
    pub(super) told: Mutex<Vec<String>>,
}

/// Where an errand of a server stands.
#[derive(Clone, Debug)]
pub(super) enum Stands {
    Asks(&'static str, &'static str),
    Cancelled,
    Done(&'static str),
    Failed,
    Working,
}

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

pub(super) fn said(what: &str) -> Box<RawValue> {
    raw(&json!({ "content": [{ "type": "text", "text": what }] }).to_string())
}

impl Errands {
    pub(super) fn set(&self, id: &str, stands: Stands) {
        let mut all = self.stands.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(id.to_owned(), stands);
    }

    fn errand(id: &str, stands: &Stands) -> Errand {
        let (status, detail) = match stands {
            Stands::Asks(method, params) => {
                let question = Question::read(method, Some(&raw(params))).unwrap();
                (Status::Asks, Detail::Asks(vec![("who".to_owned(), question)]))
            }
            Stands::Cancelled => (Status::Cancelled, Detail::None),
            Stands::Done(what) => (Status::Completed, Detail::Result(said(what))),
            Stands::Failed => {
                let message = "broken".to_owned();
                (Status::Failed, Detail::Error { code: -32603, message, data: None })
            }
            Stands::Working => (Status::Working, Detail::None),
        };
        let now = cs_model::Timestamp::from_millis(super::world::NOON);
        Errand {
            id: id.to_owned(),
            status,
            message: None,
            created: now,
            updated: now,
            ttl: Some(60_000),
            poll: Some(60),
            detail,
        }
    }

    /// Answers a call.
    pub(super) fn begin(&self, call: &ToolCall<'_>) -> ReplyBody {
        if !call.talk.errands {
            return ReplyBody::Result(said("at once"));
        }
        let mut all = self.stands.lock().unwrap();
        let id = format!("theirs-{}", all.len());
        all.insert(id.clone(), Stands::Working);
        ReplyBody::Errand(Box::new(Self::errand(&id, &Stands::Working)))
    }

    /// Answers what is asked about an errand.
    pub(super) fn attend(&self, call: ErrandCall<'_>) -> ErrandReply {
        let mut all = self.stands.lock().unwrap();
        let Some(stands) = all.get_mut(call.id) else { return ErrandReply::Refused };
        match call.act {
            ErrandAct::Get => ErrandReply::Stands(Box::new(Self::errand(call.id, stands))),
            ErrandAct::Cancel => {
                *stands = Stands::Cancelled;
                ErrandReply::Done
            }
            ErrandAct::Update(responses) => {
                self.told.lock().unwrap().push(responses.to_owned());
                *stands = Stands::Done("answered");
                ErrandReply::Done
            }
        }
    }

    pub(super) fn told(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }
}

/// `_meta` of a client that can do with tasks, and what else it can.
pub(super) fn able(more: &Value) -> Value {
    let mut capabilities = json!({ "extensions": { "io.modelcontextprotocol/tasks": {} } });
    for (key, value) in more.as_object().unwrap() {
        capabilities[key] = value.clone();
    }
    json!({
        "io.modelcontextprotocol/protocolVersion": super::client::MODERN,
        "io.modelcontextprotocol/clientCapabilities": capabilities,
    })
}

/// A call of a client that can do with tasks.
pub(super) async fn call(client: &Client, tool: &str, arguments: &Value, more: &Value) -> Value {
    let params = json!({ "name": tool, "arguments": arguments, "_meta": able(more) });
    let client = client.modern("tools/call").header("mcp-name", tool);
    client.post(&body("tools/call", params)).await.json()
}

/// What a client asks about a task.
pub(super) async fn ask(client: &Client, method: &str, id: &str) -> Value {
    about(client, method, json!({ "taskId": id, "_meta": able(&json!({})) })).await
}

pub(super) async fn about(client: &Client, method: &str, params: Value) -> Value {
    let id = params["taskId"].as_str().unwrap_or_default().to_owned();
    let client = client.modern(method).header("mcp-name", &id);
    client.post(&body(method, params)).await.json()
}

/// The same answer for whoever asks about a task that is not theirs: without what differs anyway.
pub(super) fn plain(mut answer: Value) -> Value {
    answer["error"]["data"] = Value::Null;
    answer
}

/// Asks until the task stands like that.
pub(super) async fn until(client: &Client, id: &str, status: &str) -> Value {
    let patience = async {
        loop {
            let answer = ask(client, "tasks/get", id).await;
            if answer["result"]["status"] == status {
                return answer["result"].clone();
            }
            assert_eq!(answer["error"], Value::Null, "{answer}");
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(super::client::PATIENCE, patience).await.expect(status)
}

fn id_of(answer: &Value) -> String {
    assert_eq!(answer["result"]["resultType"], "task", "{answer}");
    answer["result"]["taskId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_client_that_did_not_say_so_has_no_tasks() {
    let stage = Stage::new().await;
    let client = stage.client(super::world::WORKER);
    for method in ["tasks/get", "tasks/cancel", "tasks/update"] {
        let mut params = json!({ "taskId": "x", "_meta": super::client::meta() });
        if method == "tasks/update" {
            params["inputResponses"] = json!({});
        }
        let answer = about(&client, method, params).await;
        assert_eq!(answer["error"]["code"], -32021, "{answer}");
        let required = &answer["error"]["data"]["requiredCapabilities"]["extensions"];
        assert_eq!(required["io.modelcontextprotocol/tasks"], json!({}));
    }
    for method in ["tasks/list", "tasks/result"] {
        let answer = ask(&client, method, "x").await;
        assert_eq!(answer["error"]["code"], -32601, "{answer}");
    }
    let older = client.initialize().await;
    let answer = older.post(&body("tasks/get", json!({ "taskId": "x" }))).await;
    assert_eq!(answer.error_code(), -32601);
}

#[tokio::test]
async fn p10_h05_what_is_asked_about_a_task_has_its_shape_and_its_header() {
    let stage = Stage::new().await;
    let client = stage.client(super::world::WORKER);
    let send = |method: &'static str, name: &'static str, mut params: Value| {
        params["_meta"] = able(&json!({}));
        let client = client.modern(method).header("mcp-name", name);
        async move { client.post(&body(method, params)).await.error_code() }
    };
    for (method, params) in [
        ("tasks/get", json!({})),
        ("tasks/get", json!({ "taskId": 5 })),
        ("tasks/get", json!({ "taskId": ["x"] })),
        ("tasks/get", json!({ "taskId": "x", "inputResponses": {} })),
        ("tasks/cancel", json!({ "taskId": null })),
        ("tasks/cancel", json!({ "taskId": "x", "id": "x" })),
        ("tasks/update", json!({ "taskId": "x" })),
        ("tasks/update", json!({ "taskId": "x", "inputResponses": 5 })),
        ("tasks/update", json!({ "taskId": "x", "inputResponses": [{}] })),
    ] {
        assert_eq!(send(method, "x", params.clone()).await, -32602, "{method} {params}");
    }
    let reasons = stage.journal.reasons(cs_model::event::EventKind::RequestRefused);
    assert_eq!(reasons, ["params"; 9]);
    for method in ["tasks/get", "tasks/cancel"] {
        assert_eq!(send(method, "y", json!({ "taskId": "x" })).await, -32020, "{method}");
    }
    let listen = |ids: Value| {
        let params = json!({ "notifications": { "taskIds": ids } });
        send("subscriptions/listen", "", params)
    };
    for ids in [json!("x"), json!([5]), json!({}), json!(vec!["x"; 65])] {
        assert_eq!(listen(ids.clone()).await, -32602, "{ids}");
    }
}

#[tokio::test]
async fn the_extension_is_announced_where_there_are_tools_and_in_no_older_era() {
    let stage = Stage::new().await;
    let client = stage.client(super::world::WORKER);
    let discover = |client: Client| async move {
        let params = json!({ "_meta": able(&json!({})) });
        client.modern("server/discover").post(&body("server/discover", params)).await.json()
    };
    let told = discover(client.clone()).await;
    let extensions = &told["result"]["capabilities"]["extensions"];
    assert_eq!(*extensions, json!({ "io.modelcontextprotocol/tasks": {} }), "{told}");
    assert_eq!(told["result"]["capabilities"]["tasks"], Value::Null);
    let older = client.post(super::client::INITIALIZE).await.json();
    let capabilities = &older["result"]["capabilities"];
    assert_eq!(capabilities["extensions"], Value::Null);
    assert_eq!(capabilities["tasks"], Value::Null);
    stage.enforce(|it| it.tenants[0].tools.iter_mut().for_each(|tool| tool.enabled = false));
    let told = discover(client).await;
    assert_eq!(told["result"]["capabilities"]["extensions"], Value::Null, "{told}");
}
