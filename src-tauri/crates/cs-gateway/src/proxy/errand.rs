//! What is said to servers about the errands that they answered calls with.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::conversation::Conversation;
use super::{Broken, fault, target};
use crate::authz::Way;
use crate::gate::Gate;
use crate::refusal::Refusal;
use crate::upstream::{
    Asks, Detail, Errand, ErrandAct, ErrandCall, ErrandReply, Question, Reply, ReplyBody, Status,
    Talk, Target, UpstreamError,
};

/// How long to wait before asking again: at first, at least, at most, and where the server does
/// not say.
const FIRST: Duration = Duration::from_millis(200);
const LEAST: Duration = Duration::from_millis(50);
const MOST: Duration = Duration::from_secs(5);
const USUAL: Duration = Duration::from_secs(1);

/// How long giving an errand up may take.
const GIVING_UP: Duration = Duration::from_secs(5);

/// Says something to the server of an errand. The way is the proof that its call was judged just
/// now.
pub(crate) async fn ask_errand(
    gate: &Gate,
    way: &Way,
    call: ErrandCall<'_>,
) -> Result<ErrandReply, Refusal> {
    let (tenant, server) = match way {
        Way::Clear(permit) => (permit.tenant(), permit.server()),
        Way::Held(held) => (held.tenant(), held.server()),
    };
    let world = gate.world();
    let told = match target(&world, tenant, server) {
        Ok(target) => gate.outbound.errand(target, call).await,
        Err(why) => Err(why),
    };
    told.map_err(|error| {
        tracing::warn!(%error, "a server did not answer about a task");
        Refusal::Upstream(fault(&error).1)
    })
}

/// Waits for what comes of an errand, for a client that cannot ask itself or asks about an errand
/// of the gateway's own. It takes no longer than a call may take. What nobody waits for any more
/// is given up.
pub(super) async fn awaited(
    conversation: &mut Conversation<'_>,
    gate: &Gate,
    target: Target<'_>,
    talk: Talk,
    errand: Errand,
) -> Result<Reply, Broken> {
    let at = At { gate, target, talk, id: &errand.id };
    let pause = if errand.status == Status::Working { FIRST } else { Duration::ZERO };
    let reply = at.ended(conversation, pause).await;
    if reply.is_err() {
        // It is the client that does not wait; a server that does not hear it finds out.
        let _ = timeout(GIVING_UP, at.ask(ErrandAct::Cancel)).await;
    }
    reply
}

/// Where an errand is.
struct At<'a> {
    gate: &'a Gate,
    target: Target<'a>,
    talk: Talk,
    id: &'a str,
}

impl At<'_> {
    async fn ask(&self, act: ErrandAct<'_>) -> Result<ErrandReply, Broken> {
        let call = ErrandCall { id: self.id, act, talk: self.talk };
        self.gate.outbound.errand(self.target, call).await.map_err(Broken::Upstream)
    }

    async fn ended(
        &self,
        conversation: &mut Conversation<'_>,
        mut pause: Duration,
    ) -> Result<Reply, Broken> {
        let mut left = self.gate.config.limits.upstream.call;
        let mut answered = BTreeSet::new();
        loop {
            let since = Instant::now();
            conversation.watched(sleep(pause.min(left))).await?;
            let asked = conversation.watched(self.ask(ErrandAct::Get)).await??;
            left = left.saturating_sub(since.elapsed());
            let ErrandReply::Stands(errand) = asked else {
                let why = "the server does not know its task any more".to_owned();
                return Err(Broken::Upstream(UpstreamError::Lost(why)));
            };
            pause = errand.poll.map_or(USUAL, Duration::from_millis).clamp(LEAST, MOST);
            let body = match errand.detail {
                Detail::Result(result) => ReplyBody::Result(result),
                Detail::Error { code, message, data } => ReplyBody::Error { code, message, data },
                Detail::None if errand.status == Status::Cancelled => cancelled(),
                Detail::Asks(mut questions) => {
                    // What was answered may still be told of for a while.
                    questions.retain(|(key, _)| !answered.contains(key));
                    answered.extend(questions.iter().map(|(key, _)| key.clone()));
                    if !questions.is_empty() {
                        self.answer(conversation, questions).await?;
                        pause = LEAST;
                    }
                    continue;
                }
                Detail::None if left.is_zero() => {
                    return Err(Broken::Upstream(UpstreamError::TimedOut));
                }
                Detail::None => continue,
            };
            return Ok(Reply { body });
        }
    }

    /// Puts questions of the server to the client, and brings the answers.
    async fn answer(
        &self,
        conversation: &mut Conversation<'_>,
        questions: Vec<(String, Question)>,
    ) -> Result<(), Broken> {
        for (_, question) in &questions {
            if !self.talk.abilities.cover(question) {
                conversation.note("refused", question.kind).await?;
                let why = "the server asks for what it may not ask for".to_owned();
                return Err(Broken::Upstream(UpstreamError::Rejected(why)));
            }
        }
        let inputs = conversation.inputs(Asks { questions, state: None }).await?;
        let responses = inputs.responses.unwrap_or_else(|| "{}".to_owned());
        conversation.watched(self.ask(ErrandAct::Update(&responses))).await?.map(drop)
    }
}

/// What is said of an errand that its server gave up.
fn cancelled() -> ReplyBody {
    let message = "The server gave the call up".to_owned();
    ReplyBody::Error { code: -32603, message, data: None }
}
