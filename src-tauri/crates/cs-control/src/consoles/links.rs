//! Which consoles on other machines are connected now.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cs_model::{ConsoleId, OperatorId, Timestamp};
use tokio::sync::{Mutex as AsyncMutex, watch};

use super::listener::Running;
use crate::unlock::{Seat, Tries};

/// How many connections there may be at a time.
const MOST: usize = 64;

/// How many of them one console may have.
const MOST_OF_ONE: usize = 8;

/// How many handshakes may be under way at a time.
const MOST_HANDSHAKES: usize = 64;

/// How many of them from one address.
const MOST_OF_ADDRESS: usize = 8;

/// How often a refusal of one address is put on record.
const TELLING: Duration = Duration::from_secs(60);

/// How many addresses are remembered for that.
const MOST_TOLD: usize = 1024;

/// A console that is connected.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) console: ConsoleId,
    pub(crate) operator: OperatorId,
    pub(crate) expires: Timestamp,
    pub(crate) from: SocketAddr,
    pub(crate) seat: Arc<Seat>,
    ends: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    links: HashMap<u64, Link>,
    /// By their numbers, the oldest first.
    handshakes: BTreeMap<u64, UnderWay>,
    tries: HashMap<ConsoleId, Arc<Tries>>,
    told: HashMap<IpAddr, Timestamp>,
    problem: Option<String>,
}

/// Somebody who may turn out to be a console.
#[derive(Debug)]
struct UnderWay {
    address: IpAddr,
    ends: watch::Sender<bool>,
}

/// The consoles of an installation.
#[derive(Debug, Default)]
pub(crate) struct Consoles {
    state: Arc<Mutex<State>>,
    pub(super) running: AsyncMutex<Option<Running>>,
    /// Where they are let in, while they are.
    address: Mutex<Option<SocketAddr>>,
}

/// A place among the connected, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    state: Arc<Mutex<State>>,
    number: u64,
    pub(crate) ends: watch::Receiver<bool>,
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.state).links.remove(&self.number);
    }
}

/// A handshake that is under way, until it is dropped.
#[derive(Debug)]
pub(crate) struct Handshake {
    state: Arc<Mutex<State>>,
    number: u64,
    /// Says when somebody else has taken its place.
    pub(super) ends: watch::Receiver<bool>,
}

impl Drop for Handshake {
    fn drop(&mut self) {
        lock(&self.state).handshakes.remove(&self.number);
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Consoles {
    /// Begins a handshake. Where there are too many already, the oldest of its own address gives
    /// way, or of the address that has the most: whoever holds many open and makes none keeps
    /// nobody out who does.
    pub(super) fn handshake(&self, from: IpAddr) -> Handshake {
        let mut state = lock(&self.state);
        let mut counts: HashMap<IpAddr, usize> = HashMap::new();
        for one in state.handshakes.values() {
            let count = counts.entry(one.address).or_default();
            *count = count.saturating_add(1);
        }
        let gives_way = if counts.get(&from).is_some_and(|own| *own >= MOST_OF_ADDRESS) {
            Some(from)
        } else if state.handshakes.len() >= MOST_HANDSHAKES {
            counts.into_iter().max_by_key(|(_, count)| *count).map(|(address, _)| address)
        } else {
            None
        };
        let oldest = state.handshakes.iter().find(|(_, it)| Some(it.address) == gives_way);
        if let Some(number) = oldest.map(|(number, _)| *number)
            && let Some(ended) = state.handshakes.remove(&number)
        {
            ended.ends.send_replace(true);
        }
        let (ends, ending) = watch::channel(false);
        let number = state.next;
        state.next = state.next.wrapping_add(1);
        state.handshakes.insert(number, UnderWay { address: from, ends });
        drop(state);
        Handshake { state: Arc::clone(&self.state), number, ends: ending }
    }

    /// What has been tried with a console's passphrase, over all its connections.
    pub(super) fn tries(&self, console: ConsoleId) -> Arc<Tries> {
        Arc::clone(lock(&self.state).tries.entry(console).or_default())
    }

    /// Takes a place; nothing where all are taken.
    pub(super) fn connect(
        &self,
        (console, operator): (ConsoleId, OperatorId),
        expires: Timestamp,
        from: SocketAddr,
        seat: Arc<Seat>,
    ) -> Option<Place> {
        let mut state = lock(&self.state);
        let of_one = state.links.values().filter(|it| it.console == console).count();
        if state.links.len() >= MOST || of_one >= MOST_OF_ONE {
            return None;
        }
        let (ends, ending) = watch::channel(false);
        let number = state.next;
        state.next = state.next.wrapping_add(1);
        let link = Link { console, operator, expires, from, seat, ends };
        state.links.insert(number, link);
        drop(state);
        Some(Place { state: Arc::clone(&self.state), number, ends: ending })
    }

    /// Who is connected, without those that were cut off and are about to leave.
    pub(crate) fn all(&self) -> Vec<Link> {
        lock(&self.state).links.values().filter(|it| !*it.ends.borrow()).cloned().collect()
    }

    /// Cuts the connections off for which that holds: nothing more is answered or told on them.
    pub(crate) fn cut(&self, which: impl Fn(&Link) -> bool) {
        for link in self.all().iter().filter(|it| which(it)) {
            link.ends.send_replace(true);
        }
    }

    /// Whether a refusal of this address is to be put on record: not all of many are.
    pub(super) fn is_news(&self, from: IpAddr, now: Timestamp) -> bool {
        let mut state = lock(&self.state);
        if state.told.len() >= MOST_TOLD {
            state.told.retain(|_, at| now < at.after(TELLING));
        }
        let known = state.told.get(&from).is_some_and(|at| now < at.after(TELLING));
        if known || state.told.len() >= MOST_TOLD {
            return false;
        }
        state.told.insert(from, now);
        true
    }

    /// Where consoles are let in, while they are.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        *self.address.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_address(&self, address: Option<SocketAddr>) {
        *self.address.lock().unwrap_or_else(PoisonError::into_inner) = address;
    }

    /// Why they are not let in, although they should be.
    pub(crate) fn problem(&self) -> Option<String> {
        lock(&self.state).problem.clone()
    }

    pub(super) fn set_problem(&self, problem: Option<String>) {
        lock(&self.state).problem = problem;
    }
}

#[cfg(test)]
mod tests;
