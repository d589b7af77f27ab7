//! Calls that wait for what their client brings back.
//!
//! A call whose server asked something goes on when its client comes again with the answer. Until
//! then it is here: on record and paid for, so that it is neither paid for nor made twice. Its
//! place is taken once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cs_model::SessionId;
use serde_json::value::RawValue;
use tokio::sync::{oneshot, watch};

use crate::line::Line;

/// The most calls that wait in one session, and in all.
const OF_SESSION: usize = 8;
const OF_ALL: usize = 4096;

/// What a call is known by while it waits. Nobody can guess it.
pub(crate) type Number = [u8; 16];

/// A client that came back.
#[derive(Debug)]
pub(crate) struct Return {
    /// The way to it.
    pub(crate) line: Line,
    /// Whether it has taken the call back.
    pub(crate) cancelled: watch::Receiver<bool>,
    /// What it brought.
    pub(crate) responses: Option<Box<RawValue>>,
}

/// The calls that wait.
#[derive(Debug, Default)]
pub(crate) struct Lot(Arc<Mutex<Places>>);

type Places = HashMap<Number, (SessionId, oneshot::Sender<Return>)>;

/// A place of one call. It is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Mutex<Places>>,
    number: Number,
    returns: oneshot::Receiver<Return>,
}

impl Lot {
    /// Has a call wait. Nothing when too many do.
    pub(crate) fn park(&self, session: SessionId, number: Number) -> Option<Place> {
        let mut places = locked(&self.0);
        let own = places.values().filter(|(of, _)| *of == session).count();
        if own >= OF_SESSION || places.len() >= OF_ALL || places.contains_key(&number) {
            return None;
        }
        let (sender, returns) = oneshot::channel();
        places.insert(number, (session, sender));
        drop(places);
        Some(Place { places: Arc::clone(&self.0), number, returns })
    }

    /// Sends a client to the call that waits for it. When none does, gives it back.
    pub(crate) fn send(
        &self,
        session: SessionId,
        number: Number,
        client: Return,
    ) -> Result<(), Box<Return>> {
        let mut places = locked(&self.0);
        let place = match places.remove(&number) {
            Some((of, place)) if of == session => place,
            Some(other) => {
                places.insert(number, other);
                return Err(Box::new(client));
            }
            None => return Err(Box::new(client)),
        };
        drop(places);
        place.send(client).map_err(Box::new)
    }
}

impl Place {
    /// Waits for the client.
    pub(crate) async fn returned(&mut self) -> Option<Return> {
        (&mut self.returns).await.ok()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        locked(&self.places).remove(&self.number);
    }
}

fn locked(places: &Mutex<Places>) -> MutexGuard<'_, Places> {
    places.lock().unwrap_or_else(PoisonError::into_inner)
}
