//! Errands of servers: handed on to the client whose call they were given for, and to no other.

use cs_model::event::EventKind;
use cs_model::{ServerId, ToolId};

use super::handle::Theirs;
use super::told::{self, Telling};
use super::{Handle, Inquiry, Matter, judged};
use crate::asking;
use crate::authz::Way;
use crate::gate::Gate;
use crate::item::{Shape, complete};
use crate::proxy;
use crate::refusal::{Refusal, UpstreamFault};
use crate::tool::{Asked, talk};
use crate::trail::Trail;
use crate::upstream::{Detail, Errand, ErrandAct, ErrandCall, ErrandReply, Question, Talk};
use crate::wire::{Era, Members, What};

/// Tells a client of the errand that the server of its call answered with.
pub(crate) fn handed_on(
    gate: &Gate,
    asked: &Asked,
    (server, tool): (ServerId, ToolId),
    arguments: cs_model::Digest,
    errand: &Errand,
    trail: &Trail,
) -> Result<String, Refusal> {
    let handle = Handle::Theirs(Box::new(Theirs {
        server,
        tool,
        name: asked.call.name.clone(),
        digest: arguments,
        met: asked.met.digests().collect(),
        id: errand.id.clone(),
    }));
    let id = handle.seal(gate, &asked.live)?;
    Ok(telling(errand, &id, None).created(trail.correlation))
}

fn telling<'t>(
    errand: &'t Errand,
    id: &'t str,
    detail: Option<(&'static str, &'t str)>,
) -> Telling<'t> {
    Telling {
        id,
        status: errand.status,
        message: errand.message.as_deref(),
        created: errand.created,
        updated: errand.updated,
        ttl: errand.ttl,
        poll: errand.poll,
        detail,
    }
}

/// Answers what a client asks about one: by asking its server, once the call was judged anew.
pub(super) async fn attend(
    gate: &Gate,
    errand: &Theirs,
    inquiry: &Inquiry,
    trail: &mut Trail,
) -> Result<String, Refusal> {
    let Inquiry { live, warrant, wish, meta, .. } = inquiry;
    let met = errand.met.iter().copied().collect();
    let matter = Matter { name: errand.name.clone(), digest: errand.digest, met };
    let way = judged(gate, live, warrant, &matter, trail).await?;
    // The name may mean another tool by now.
    if place(&way) != (errand.server, errand.tool) {
        return Err(Refusal::ErrandUnknown);
    }
    let world = gate.world();
    let server = world.policy.tenant(live.tenant()).and_then(|it| it.server(errand.server));
    let talk = talk(live, Era::Modern, meta, server);
    let server = At { gate, way: &way, id: &errand.id, talk };
    match &wish.what {
        What::Cancel => {
            server.known(ErrandAct::Cancel).await?;
            Ok(told::noted(trail.correlation))
        }
        What::Get => {
            let errand = server.stands(trail).await?;
            tell(&errand, &wish.id, trail)
        }
        What::Update(responses) => {
            if let Detail::Asks(questions) = server.stands(trail).await?.detail {
                let fitting = fitting(&questions, responses.get());
                if let Some(fitting) = fitting {
                    server.known(ErrandAct::Update(&fitting)).await?;
                }
            }
            Ok(told::noted(trail.correlation))
        }
    }
}

fn place(way: &Way) -> (ServerId, ToolId) {
    match way {
        Way::Clear(permit) => (permit.server(), permit.tool()),
        Way::Held(held) => (held.server(), held.tool()),
    }
}

/// Where an errand is, and the proof that its call was judged.
struct At<'a> {
    gate: &'a Gate,
    way: &'a Way,
    id: &'a str,
    talk: Talk,
}

impl At<'_> {
    async fn ask(&self, act: ErrandAct<'_>) -> Result<ErrandReply, Refusal> {
        let call = ErrandCall { id: self.id, act, talk: self.talk };
        proxy::ask_errand(self.gate, self.way, call).await
    }

    /// Asks, of an errand that the server knows.
    async fn known(&self, act: ErrandAct<'_>) -> Result<(), Refusal> {
        match self.ask(act).await? {
            ErrandReply::Refused => Err(Refusal::ErrandUnknown),
            ErrandReply::Done | ErrandReply::Stands(_) => Ok(()),
        }
    }

    /// Where it stands. One whose server asks what may not be asked is given up.
    async fn stands(&self, trail: &mut Trail) -> Result<Errand, Refusal> {
        let errand = match self.ask(ErrandAct::Get).await? {
            ErrandReply::Stands(errand) => *errand,
            ErrandReply::Done | ErrandReply::Refused => return Err(Refusal::ErrandUnknown),
        };
        let Detail::Asks(questions) = &errand.detail else { return Ok(errand) };
        let passes =
            |it: &Question| self.talk.abilities.cover(it) && asking::acceptable(it).is_ok();
        let refused = questions.iter().any(|(_, it)| !passes(it));
        let what = if refused { "refused" } else { "put" };
        for (_, question) in questions {
            let mut event = trail.event(EventKind::ServerAsked, self.gate.now());
            (event.server, event.tool) = {
                let (server, tool) = place(self.way);
                (Some(server), Some(tool))
            };
            event.reason = Some(format!("{}_{what}", question.kind.code()));
            trail.note(event);
        }
        trail.settle(&self.gate.ports).await?;
        if refused {
            self.known(ErrandAct::Cancel).await?;
            return Err(Refusal::Upstream(UpstreamFault::Rejected));
        }
        Ok(errand)
    }
}

/// The answers that fit a question of the server, as an object. Nothing when none does.
fn fitting(questions: &[(String, Question)], brought: &str) -> Option<String> {
    let brought = Members::read(brought)?;
    let mut parts = Vec::new();
    for (key, question) in questions {
        let answer = brought.get(key).and_then(|raw| asking::fitting(question.kind, raw));
        if let Some(answer) = answer {
            parts.push(format!("{}:{answer}", serde_json::Value::from(&**key)));
        }
    }
    (!parts.is_empty()).then(|| format!("{{{}}}", parts.join(",")))
}

fn tell(errand: &Errand, id: &str, trail: &Trail) -> Result<String, Refusal> {
    let detail = match &errand.detail {
        Detail::Asks(questions) => {
            let all = questions.iter().map(|(key, it)| (key.as_str(), it));
            Some(("inputRequests", asking::requests(all)))
        }
        Detail::Error { code, message, data } => {
            let code = proxy::spoken(Era::Modern, *code);
            let message = serde_json::Value::from(message.as_str());
            let data = data.as_ref().map(|it| format!(",\"data\":{it}")).unwrap_or_default();
            Some(("error", format!("{{\"code\":{code},\"message\":{message}{data}}}")))
        }
        Detail::None => None,
        Detail::Result(result) => Some(("result", complete(Era::Modern, Shape::Content, result)?)),
    };
    let detail = detail.as_ref().map(|(key, text)| (*key, text.as_str()));
    Ok(telling(errand, id, detail).stands(trail.correlation))
}
