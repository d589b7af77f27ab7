//! What a client of the older era said once for all its session, and what it is asked meanwhile.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::upstream::{Abilities, Level};
use crate::wire::Reaction;

/// The most questions that a client may have before it at a time.
const MOST: usize = 32;

/// The conversation with one client.
#[derive(Debug, Default)]
pub(crate) struct Talk(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    abilities: Abilities,
    level: Option<Level>,
    asked: HashMap<String, oneshot::Sender<Reaction>>,
}

impl Talk {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        locked(&self.0)
    }

    /// A client has introduced itself. What an earlier one was asked is not asked any more.
    pub(crate) fn begin(&self, abilities: Abilities) {
        *self.inner() = Inner { abilities, ..Inner::default() };
    }

    /// What the client can be asked for. After a restart of the gateway, nothing: what it said is
    /// not kept.
    pub(crate) fn abilities(&self) -> Abilities {
        self.inner().abilities
    }

    /// How loud a note has to be for the client to hear it.
    pub(crate) fn level(&self) -> Option<Level> {
        self.inner().level
    }

    /// The client says how loud.
    pub(crate) fn set_level(&self, level: Level) {
        self.inner().level = Some(level);
    }

    /// Takes note of a question under an id that nobody can guess. Nothing when there are too
    /// many already.
    pub(crate) fn ask(&self, id: String) -> Option<(Open, oneshot::Receiver<Reaction>)> {
        let mut inner = self.inner();
        if inner.asked.len() >= MOST || inner.asked.contains_key(&id) {
            return None;
        }
        let (sender, answer) = oneshot::channel();
        inner.asked.insert(id.clone(), sender);
        Some((Open { talk: Arc::clone(&self.0), id }, answer))
    }

    /// Takes the client's answer, once. Says whether anybody asked.
    pub(crate) fn answered(&self, id: &str, reaction: Reaction) -> bool {
        let waiting = self.inner().asked.remove(id);
        waiting.is_some_and(|waiting| waiting.send(reaction).is_ok())
    }
}

/// A question that is before a client. It is not any more when this is dropped.
#[derive(Debug)]
pub(crate) struct Open {
    talk: Arc<Mutex<Inner>>,
    id: String,
}

impl Drop for Open {
    fn drop(&mut self) {
        locked(&self.talk).asked.remove(&self.id);
    }
}

fn locked(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}
