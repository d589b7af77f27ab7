//! What is said between a server and a client while a call is under way.
//!
//! A server may ask something back before it answers. Whether that is put to the client, and how,
//! depends on what the client says that it can, on the switches of the server, and on the two eras:
//! a client of the older one is asked on the stream of its call, one of the newer one is sent away
//! with the question and comes back with the answer, while the call is parked.

use std::future::pending;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cs_model::event::EventKind;
use cs_policy::{Permit, Verdict};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Interval, MissedTickBehavior, timeout};

use super::{Body, Broken};
use crate::asking;
use crate::authn::holds;
use crate::authz;
use crate::gate::Gate;
use crate::line::Line;
use crate::parked::{Place, Return};
use crate::session::Open;
use crate::settle::execution;
use crate::state::{State, Wait, come_back};
use crate::trail::Trail;
use crate::upstream::{
    AskKind, Asked, Asks, Inputs, Level, NotAsked, Question, Reply, Told, UpstreamError,
};
use crate::wire::{Era, Members, Reaction};

/// The most rounds in which a server of the newer era may ask.
pub(super) const MOST_ROUNDS: usize = 10;

/// One call, its server and its client, as long as they talk.
pub(super) struct Conversation<'c> {
    gate: &'c Gate,
    permit: &'c Permit,
    body: Body<'c>,
    trail: &'c mut Trail,
    line: &'c mut Line,
    cancelled: &'c mut watch::Receiver<bool>,
    world: watch::Receiver<std::sync::Arc<crate::world::World>>,
    world_is_silent: bool,
    pulse: Interval,
    hears: Option<Level>,
    /// What is before a client of the older era. It is taken back when the call is over.
    open: Vec<Open>,
    /// What a client of the newer era brought with its first request: answers to what it knows
    /// that the server asks.
    ahead: Option<String>,
}

/// Something that happens while a server serves a call.
enum Happens {
    Replied(Result<Reply, UpstreamError>),
    Returned(Option<Box<Return>>),
    Told(Told),
}

impl<'c> Conversation<'c> {
    pub(super) fn new(
        gate: &'c Gate,
        permit: &'c Permit,
        body: Body<'c>,
        trail: &'c mut Trail,
        line: &'c mut Line,
        cancelled: &'c mut watch::Receiver<bool>,
    ) -> Self {
        let mut pulse = tokio::time::interval(line.keep_alive);
        pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let world = gate.world.clone();
        let hears = body.asked.hears();
        let (world_is_silent, open) = (false, Vec::new());
        let call = &body.asked.call;
        let ahead = call.responses.as_deref().filter(|_| call.state.is_none());
        let ahead = ahead.map(|it| it.get().to_owned());
        Self {
            gate,
            permit,
            body,
            trail,
            line,
            cancelled,
            world,
            world_is_silent,
            pulse,
            hears,
            open,
            ahead,
        }
    }

    /// Waits for what a server replies to one request, and hands to and fro what is said
    /// meanwhile.
    pub(super) async fn leg(
        &mut self,
        mut reply: impl Future<Output = Result<Reply, UpstreamError>> + Unpin,
        mut told: mpsc::Receiver<Told>,
    ) -> Result<Reply, Broken> {
        let mut parked: Option<(Place, Asked)> = None;
        let mut done = None;
        loop {
            let waits = parked.is_some();
            let happens = async {
                // What the server told before it answered comes first.
                tokio::select! {
                    biased;
                    Some(told) = told.recv(), if !waits => Happens::Told(told),
                    reply = &mut reply, if done.is_none() => Happens::Replied(reply),
                    client = returned(&mut parked, self.gate.config.limits.input) => {
                        Happens::Returned(client)
                    }
                }
            };
            let happens = self.watched(happens).await?;
            match happens {
                Happens::Told(told) => parked = self.told(told).await?,
                Happens::Replied(reply) if waits => done = Some(reply),
                Happens::Replied(reply) => return reply.map_err(Broken::Upstream),
                Happens::Returned(client) => {
                    let client = client.ok_or(Broken::Abandoned("input_late"))?;
                    if let Some((_, asked)) = parked.take() {
                        let brought = self.welcome(*client);
                        let answer = response(&asked.question, brought.as_deref(), ONLY);
                        self.reply_to(asked, answer).await;
                    }
                    if let Some(reply) = done.take() {
                        return reply.map_err(Broken::Upstream);
                    }
                }
            }
        }
    }

    /// Whether its client waits for the answer, or asks how its errand fares.
    pub(super) fn hands_errands_on(&self) -> bool {
        let asked = self.body.asked;
        asked.era == Era::Modern && asked.meta.errands && !self.line.is_errand()
    }

    /// Has people visit the addresses that a server of an older revision names. Says whether they
    /// were willing to.
    pub(super) async fn visits(
        &mut self,
        questions: Vec<(String, Question)>,
    ) -> Result<bool, Broken> {
        let keys: Vec<String> = questions.iter().map(|(key, _)| key.clone()).collect();
        let inputs = self.inputs(Asks { questions, state: None }).await?;
        let responses = inputs.responses.unwrap_or_default();
        Ok(asking::all_accepted(keys.iter().map(String::as_str), &responses))
    }

    /// Has answered what a server of the newer era asks for.
    pub(super) async fn inputs(&mut self, asks: Asks) -> Result<Inputs, Broken> {
        let Asks { questions, state } = asks;
        if questions.is_empty() {
            // It wants no more than to be asked again, and not at once.
            self.watched(tokio::time::sleep(self.gate.config.limits.again)).await?;
            return Ok(Inputs { responses: None, state });
        }
        for (_, question) in &questions {
            if asking::acceptable(question).is_err() {
                self.note("refused", question.kind).await?;
                return Err(Broken::Upstream(UpstreamError::Rejected(
                    "the server asks something that nobody is asked".to_owned(),
                )));
            }
        }
        let ahead = self.ahead.take().and_then(|ahead| answers(&questions, Some(&ahead), true));
        for (_, question) in &questions {
            self.note(if ahead.is_some() { "brought" } else { "put" }, question.kind).await?;
        }
        if let Some(responses) = ahead {
            return Ok(Inputs { responses: Some(responses), state });
        }
        let responses = match self.body.asked.era {
            Era::Legacy => self.ask_all(&questions).await?,
            Era::Modern => {
                let all: Vec<_> = questions.iter().map(|(key, it)| (key.as_str(), it)).collect();
                let mut parked = self.park(&all).await?;
                let limit = self.gate.config.limits.input;
                let client = self.watched(timed(&mut parked, limit)).await?;
                let client = client.ok_or(Broken::Abandoned("input_late"))?;
                drop(parked);
                let brought = self.welcome(*client);
                answers(&questions, brought.as_deref(), false).unwrap_or_else(|| "{}".to_owned())
            }
        };
        Ok(Inputs { responses: Some(responses), state })
    }

    async fn told(&mut self, told: Told) -> Result<Option<(Place, Asked)>, Broken> {
        match told {
            Told::Progress(progress) => self.line.forward(&progress),
            Told::Note(note) => {
                if self.hears.is_some_and(|least| note.level >= least) {
                    if self.body.asked.era == Era::Legacy {
                        self.line.open();
                    }
                    self.line.note(&note.params);
                }
            }
            Told::Turned(what) => self.turned(what).await?,
            Told::Asked(asked) => return self.asked(asked).await,
        }
        Ok(None)
    }

    /// Puts a question of a server of the older era, or says why not.
    async fn asked(&mut self, asked: Asked) -> Result<Option<(Place, Asked)>, Broken> {
        if let Err(why) = asking::acceptable(&asked.question) {
            self.note("refused", asked.question.kind).await?;
            // A server that does not wait any more need not hear it.
            let _ = asked.answer.send(Err(why));
            return Ok(None);
        }
        self.note("put", asked.question.kind).await?;
        match self.body.asked.era {
            Era::Legacy => {
                let kind = asked.question.kind;
                let limit = self.gate.config.limits.input;
                match self.put(&asked.question).await? {
                    Some(reaction) => drop(tokio::spawn(async move {
                        let reaction = timeout(limit, reaction).await;
                        let answer = match reaction {
                            Ok(Ok(reaction)) => asking::answer(kind, reaction),
                            Ok(Err(_)) | Err(_) => Err(NotAsked::ANSWERED),
                        };
                        let _ = asked.answer.send(answer);
                    })),
                    None => drop(asked.answer.send(Err(NotAsked::ANSWERED))),
                }
                Ok(None)
            }
            Era::Modern => {
                let place = self.park(&[(ONLY, &asked.question)]).await?;
                Ok(Some((place, asked)))
            }
        }
    }

    /// Asks a client of the older era everything, one thing after the other.
    async fn ask_all(&mut self, questions: &[(String, Question)]) -> Result<String, Broken> {
        let mut parts = Vec::new();
        for (key, question) in questions {
            let Some(reaction) = self.put(question).await? else {
                return Err(Broken::Abandoned("asked_too_much"));
            };
            let limit = self.gate.config.limits.input;
            let reaction = self.watched(timeout(limit, reaction)).await?;
            let answer = match reaction {
                Ok(Ok(reaction)) => asking::answer(question.kind, reaction),
                Ok(Err(_)) | Err(_) => Err(NotAsked::ANSWERED),
            };
            // In the newer era there is no error to answer with: what was not answered is left
            // out, and the server decides.
            match (answer, question.kind) {
                (Ok(answer), _) => {
                    parts.push(format!("{}:{answer}", serde_json::Value::from(&**key)));
                }
                (Err(_), AskKind::Form | AskKind::Url) => {
                    let key = serde_json::Value::from(&**key);
                    parts.push(format!("{key}:{{\"action\":\"cancel\"}}"));
                }
                (Err(_), AskKind::Roots | AskKind::Sampling) => {
                    return Err(Broken::Upstream(UpstreamError::Rejected(
                        "the client did not answer what the server asked".to_owned(),
                    )));
                }
            }
        }
        Ok(format!("{{{}}}", parts.join(",")))
    }

    /// Puts a question on the stream of the call. Nothing when too many are open.
    async fn put(
        &mut self,
        question: &Question,
    ) -> Result<Option<oneshot::Receiver<Reaction>>, Broken> {
        let number = self.gate.random::<16>().map_err(Broken::Port)?;
        let id = format!("ask-{}", URL_SAFE_NO_PAD.encode(number));
        let Some((open, reaction)) = self.body.asked.live.talk().ask(id.clone()) else {
            return Ok(None);
        };
        self.open.push(open);
        self.line.open();
        self.line.ask(&id, question.kind.method(), &question.params).await;
        Ok(Some(reaction))
    }

    /// Sends a client of the newer era away with questions, and parks the call. A client that asks
    /// how its errand fares finds them there.
    async fn park(&mut self, questions: &[(&str, &Question)]) -> Result<Place, Broken> {
        let number = self.gate.random::<16>().map_err(Broken::Port)?;
        let live = &self.body.asked.live;
        let Some(place) = self.gate.parked.park(live.id(), number) else {
            return Err(Broken::Abandoned("too_many_parked"));
        };
        let until = self.gate.now().after(self.gate.config.limits.input);
        let state = State { wait: Wait::Input(number), until };
        let state = state.seal(self.gate, self.body.asked).map_err(Broken::Port)?;
        // What led here is on record before the client hears of it.
        self.trail.settle(&self.gate.ports).await.map_err(Broken::Port)?;
        if let Some(errand) = self.line.of_errand() {
            errand.ask(number, questions, self.gate.now());
            return Ok(place);
        }
        let questions = asking::requests(questions.iter().copied());
        let line = std::mem::replace(self.line, Line::parked(self.line.keep_alive));
        let correlation = self.trail.correlation;
        line.finish(&come_back(Some(&questions), &state, correlation)).await;
        Ok(place)
    }

    /// Goes on with the client that came back.
    fn welcome(&mut self, client: Return) -> Option<String> {
        let Return { line, cancelled, responses } = client;
        *self.line = line;
        *self.cancelled = cancelled;
        responses.map(|it| it.get().to_owned())
    }

    async fn reply_to(&mut self, asked: Asked, answer: Option<String>) {
        let answer = answer.ok_or(NotAsked::ANSWERED);
        // A server that does not wait any more misses it.
        let _ = asked.answer.send(answer);
        self.pulse.reset();
    }

    /// Puts on record that a server asked, and what came of it.
    pub(super) async fn note(&mut self, what: &str, kind: AskKind) -> Result<(), Broken> {
        self.record(&format!("{}_{what}", kind.code())).await
    }

    /// Puts on record that a server asked for what it may not ask for.
    async fn turned(&mut self, what: &str) -> Result<(), Broken> {
        self.record(&format!("{what}_refused")).await
    }

    async fn record(&mut self, reason: &str) -> Result<(), Broken> {
        let now = self.gate.now();
        let mut event = execution(self.trail, EventKind::ServerAsked, self.permit, now);
        event.reason = Some(reason.to_owned());
        self.trail.note(event);
        self.trail.settle(&self.gate.ports).await.map_err(Broken::Port)
    }

    /// Waits for something, but not beyond what ends the call: its client leaves or takes it back,
    /// its session ends, its credential falls, or, while it is parked, it is not allowed any more.
    pub(super) async fn watched<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Broken> {
        tokio::pin!(work);
        let live = &self.body.asked.live;
        let mut ending = live.ending();
        // In the older era a connection that breaks off is no wish to stop.
        let leaving_stops = self.body.asked.era == Era::Modern;
        loop {
            let stands = holds(&self.gate.world(), &self.body.asked.warrant, self.gate.now());
            if live.is_over() || !stands {
                return Err(Broken::Abandoned("session_over"));
            }
            let errand = self.line.of_errand().map(|it| it.is_asking());
            let waits = self.line.is_parked();
            if (waits || errand.is_some()) && !self.is_allowed() {
                return Err(Broken::Abandoned("not_allowed_any_more"));
            }
            tokio::select! {
                biased;
                () = self.line.gone(), if leaving_stops && !waits => {
                    return Err(Broken::Abandoned("client_left"));
                }
                taken_back = self.cancelled.changed(), if !waits => {
                    if taken_back.is_err() || *self.cancelled.borrow() {
                        return Err(Broken::Abandoned("cancelled"));
                    }
                }
                _ = ending.changed() => {}
                changed = self.world.changed(), if !self.world_is_silent => {
                    self.world_is_silent = changed.is_err();
                }
                () = self.gate.stops(), if waits || errand == Some(true) => return Err(Broken::Abandoned("stopping")),
                done = &mut work => return Ok(done),
                _ = self.pulse.tick() => self.line.pulse(),
            }
        }
    }

    /// Whether the call could be made if it came now.
    fn is_allowed(&self) -> bool {
        let asked = self.body.asked;
        let given = asked.given(self.permit.arguments());
        match authz::judge(self.gate, &asked.live, &asked.warrant, asked.wanted(), given) {
            Verdict::Allow(_) | Verdict::Hold(_) => true,
            Verdict::Deny(_) => false,
        }
    }
}

/// The key of a question that a server of the older era asks.
const ONLY: &str = "input";

/// What a client brought for a question, where it fits.
fn response(question: &Question, brought: Option<&str>, key: &str) -> Option<String> {
    let members = Members::read(brought?)?;
    asking::fitting(question.kind, members.get(key)?)
}

/// What a client brought for the questions of a round, as the server gets it. What was not asked
/// is left out, and so is what does not fit; where all is needed, nothing remains then.
fn answers(questions: &[(String, Question)], brought: Option<&str>, all: bool) -> Option<String> {
    let mut parts = Vec::new();
    for (key, question) in questions {
        match response(question, brought, key) {
            Some(answer) => parts.push(format!("{}:{answer}", serde_json::Value::from(&**key))),
            None if all => return None,
            None => {}
        }
    }
    Some(format!("{{{}}}", parts.join(",")))
}

async fn returned(
    parked: &mut Option<(Place, Asked)>,
    limit: std::time::Duration,
) -> Option<Box<Return>> {
    match parked {
        Some((place, _)) => timed(place, limit).await,
        None => pending().await,
    }
}

async fn timed(place: &mut Place, limit: std::time::Duration) -> Option<Box<Return>> {
    timeout(limit, place.returned()).await.ok().flatten().map(Box::new)
}
