//! What a request leaves on record.

use cs_model::event::{Event, EventKind};
use cs_model::{
    AgentId, CorrelationId, CredentialId, SessionId, TaskId, TenantId, Timestamp, text,
};

use crate::ports::{PortError, Ports};

/// The most characters of foreign text in one field of an event.
const MOST_TEXT: usize = 160;

/// What is known of a request so far, and the events of it that are not on record yet.
///
/// Events that change nothing wait for the next ones, so that one durable append takes them all;
/// whoever answers makes sure that none is left. That a credential was accepted is part of the
/// first of them, and an event of its own only where there is no other.
#[derive(Debug)]
pub(crate) struct Trail {
    /// What ties the answer to the events.
    pub(crate) correlation: CorrelationId,
    client: String,
    method: Option<String>,
    caller: Option<(TenantId, AgentId, CredentialId)>,
    session: Option<(SessionId, Option<TaskId>)>,
    /// By what the caller was recognised and when, until an event says so.
    accepted: Option<(&'static str, Timestamp)>,
    waiting: Vec<Event>,
}

impl Trail {
    pub(crate) const fn new(correlation: CorrelationId, client: String) -> Self {
        Self {
            correlation,
            client,
            method: None,
            caller: None,
            session: None,
            accepted: None,
            waiting: Vec::new(),
        }
    }

    /// The trail of what goes on when the request is answered.
    pub(crate) fn again(&self) -> Self {
        let (client, method) = (self.client.clone(), self.method.clone());
        let (caller, session) = (self.caller, self.session);
        let (correlation, waiting) = (self.correlation, Vec::new());
        Self { correlation, client, method, caller, session, accepted: None, waiting }
    }

    /// From here on the caller is known.
    pub(crate) const fn caller(
        &mut self,
        tenant: TenantId,
        agent: AgentId,
        credential: CredentialId,
    ) {
        self.caller = Some((tenant, agent, credential));
    }

    /// The caller proved itself by this.
    pub(crate) const fn accepted(&mut self, proof: &'static str, at: Timestamp) {
        self.accepted = Some((proof, at));
    }

    /// From here on the session is known.
    pub(crate) const fn session(&mut self, id: SessionId, task: Option<TaskId>) {
        self.session = Some((id, task));
    }

    /// From here on the method is known.
    pub(crate) fn method(&mut self, method: &str) {
        self.method = Some(neutral(method));
    }

    /// An event with all that is known of the request.
    pub(crate) fn event(&self, kind: EventKind, at: Timestamp) -> Event {
        let mut event = Event::new(kind, at);
        event.correlation = Some(self.correlation);
        event.client = Some(self.client.clone());
        event.method.clone_from(&self.method);
        if let Some((tenant, agent, credential)) = self.caller {
            event.tenant = Some(tenant);
            event.agent = Some(agent);
            event.credential = Some(credential);
        }
        if let Some((session, task)) = self.session {
            event.session = Some(session);
            event.task = task;
        }
        event
    }

    /// Keeps an event for the next append.
    pub(crate) fn note(&mut self, mut event: Event) {
        if event.credential.is_some()
            && let Some((proof, _)) = self.accepted.take()
        {
            event.proof = Some(proof.to_owned());
        }
        self.waiting.push(event);
    }

    /// The events so far, for an append by somebody else, with one more at the end.
    pub(crate) fn take_with(&mut self, event: Event) -> Vec<Event> {
        self.note(event);
        std::mem::take(&mut self.waiting)
    }

    /// Puts what waits on record.
    pub(crate) async fn settle(&mut self, ports: &Ports) -> Result<(), PortError> {
        if let Some((proof, at)) = self.accepted.take() {
            let mut event = self.event(EventKind::AuthnSucceeded, at);
            event.proof = Some(proof.to_owned());
            self.waiting.push(event);
        }
        if self.waiting.is_empty() {
            return Ok(());
        }
        ports.audit.record(std::mem::take(&mut self.waiting)).await
    }
}

/// Foreign text as it may stand in an event.
pub(crate) fn neutral(foreign: &str) -> String {
    text::neutralise(foreign, MOST_TEXT)
}
