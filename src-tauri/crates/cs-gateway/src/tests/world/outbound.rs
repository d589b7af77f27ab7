//! The servers behind the gateway: each does what the journal says that they do.

use async_trait::async_trait;
use serde_json::value::RawValue;
use tokio::sync::broadcast;

use super::super::asked;
use super::{Behaviour, Journal, Sent};
use crate::gate::Outbound;
use crate::upstream::{
    Change, Ear, ErrandAct, ErrandCall, ErrandReply, Pinned, Reply, ReplyBody, Target, Told,
    ToolCall, UpstreamError, Watched,
};

#[async_trait]
impl Outbound for Journal {
    async fn errand(
        &self,
        _: Target<'_>,
        call: ErrandCall<'_>,
    ) -> Result<ErrandReply, UpstreamError> {
        self.step(match call.act {
            ErrandAct::Cancel => "gave it up",
            ErrandAct::Get => "looked at it",
            ErrandAct::Update(_) => "answered",
        });
        Ok(self.errands.attend(call))
    }

    fn hear(&self) -> broadcast::Receiver<Change> {
        self.news.subscribe()
    }

    async fn watch(
        &self,
        _: Target<'_>,
        _: Pinned<'_>,
        uri: &str,
    ) -> Result<Option<Watched>, UpstreamError> {
        self.step("watched upstream");
        Ok(self.watches.take(uri).map(|(watched, _)| watched))
    }

    async fn call(
        &self,
        target: Target<'_>,
        call: ToolCall<'_>,
        progress: Ear,
    ) -> Result<Reply, UpstreamError> {
        self.step("called upstream");
        let sent = Sent {
            tenant: target.tenant,
            tool: call.tool.as_str().to_owned(),
            arguments: call.arguments.map(str::to_owned),
        };
        self.calls.send_modify(|calls| calls.push(sent));
        let behaviour = self.behaviour.lock().unwrap().clone();
        let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        let body = match behaviour {
            Behaviour::Answer(text) => ReplyBody::Result(raw(&text)),
            Behaviour::Asks(method, params) => asked::ask(&call, &progress, method, &params).await,
            Behaviour::Errand => self.errands.begin(&call),
            Behaviour::Drift => return Err(UpstreamError::Drift),
            Behaviour::Error(code, message) => {
                ReplyBody::Error { code, message, data: Some(raw("{\"n\":1.0}")) }
            }
            Behaviour::Flood => {
                for step in 1..=20_000 {
                    let told = raw(&format!("{{\"progress\":{step}}}"));
                    progress.send(Told::Progress(told)).await.unwrap();
                }
                ReplyBody::Result(raw("{\"content\":[]}"))
            }
            Behaviour::Hang => std::future::pending().await,
            Behaviour::Large => {
                let large = call.arguments.is_some_and(|it| it.contains("large"));
                let usual = || raw(r#"{"content":[{"type":"text","text":"done"}]}"#);
                ReplyBody::Result(if large { Behaviour::large() } else { usual() })
            }
            Behaviour::Lost => return Err(UpstreamError::Lost("css_canary".into())),
            Behaviour::Progress => {
                for told in ["{\"progress\":1,\"total\":2,\"x\":1}", "{\"progress\":1}"] {
                    progress.send(Told::Progress(raw(told))).await.unwrap();
                }
                tokio::task::yield_now().await;
                ReplyBody::Result(raw("{\"content\":[]}"))
            }
            Behaviour::Rounds => asked::round(&call),
        };
        Ok(Reply { body })
    }
}
