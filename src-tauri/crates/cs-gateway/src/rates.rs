//! How often: by each agent, by each agent for each tool, and by each credential that signs.
//!
//! A call is counted once it is allowed, so that what is denied tells nothing and costs nothing,
//! and before it is made or put before a person. Counts outlive the policy that they were made
//! under; they end with the process.

mod window;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cs_model::event::Decision;
use cs_model::{AgentId, CredentialId, Digest, Rate, TenantId, Timestamp, ToolId};

use self::window::Window;
use crate::authz::{self, Way};
use crate::gate::Gate;
use crate::refusal::Refusal;
use crate::settle;
use crate::tool::Asked;
use crate::trail::Trail;

/// How many counts are kept at a time. One more, where none of them has run out, is refused.
const MOST: usize = 100_000;

/// How often room is made for more.
const PRUNE: Duration = Duration::from_secs(1);

/// How often it is told of those that nobody wants to hear of one by one.
const TELL: Duration = Duration::from_secs(60);

/// What is counted.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Counted {
    /// All calls of an agent.
    Agent(TenantId, AgentId),
    /// The calls of an agent that were put before a person and left behind by their client.
    Left(TenantId, AgentId),
    /// The requests of a credential that have to be remembered.
    Nonces(CredentialId),
    /// The calls of one tool by an agent.
    Tool(TenantId, AgentId, ToolId),
}

/// So many in such a time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Limit {
    pub(crate) most: u32,
    pub(crate) time: Duration,
}

impl From<Rate> for Limit {
    fn from(rate: Rate) -> Self {
        Self { most: rate.calls(), time: Duration::from_secs(rate.secs().into()) }
    }
}

/// Too many.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Exceeded {
    /// Of what.
    pub(crate) counted: Counted,
    /// When to come back, in seconds.
    pub(crate) wait_secs: u64,
    /// How many were refused that nobody was told of, this one among them, when it is time to.
    pub(crate) tell: Option<u64>,
}

/// How much of a limit is used up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Usage {
    /// How many calls count now.
    pub used: u32,
    /// When the next call would be let through, in seconds; nothing where one would be now.
    pub wait_secs: Option<u64>,
}

/// What was counted lately.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    windows: HashMap<Counted, Window>,
    pruned: Option<Timestamp>,
}

impl Rates {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one more of each, unless it would be too many of one of them: then of none.
    pub(crate) fn take(&self, all: &[(Counted, Limit)], now: Timestamp) -> Result<(), Exceeded> {
        let mut state = self.state();
        for (counted, limit) in all {
            if !state.make_room(*counted, now) {
                return Err(Exceeded { counted: *counted, wait_secs: 1, tell: Some(1) });
            }
            let window = state.windows.entry(*counted).or_insert_with(|| Window::new(limit.time));
            window.turn(limit.time, now);
            if let Some(wait_secs) = window.wait_secs(limit.most, now) {
                return Err(Exceeded { counted: *counted, wait_secs, tell: window.tell(now) });
            }
        }
        for (counted, _) in all {
            if let Some(window) = state.windows.get_mut(counted) {
                window.count();
            }
        }
        Ok(())
    }

    /// How much of a limit is used up.
    pub(crate) fn usage(&self, counted: Counted, limit: Limit, now: Timestamp) -> Usage {
        let mut state = self.state();
        let Some(window) = state.windows.get_mut(&counted) else {
            return Usage { used: 0, wait_secs: None };
        };
        window.turn(limit.time, now);
        Usage { used: window.sum(), wait_secs: window.wait_secs(limit.most, now) }
    }
}

impl State {
    /// Whether there is room for a count. One that runs is never given up for another: whoever
    /// makes many would make their own count begin anew.
    fn make_room(&mut self, counted: Counted, now: Timestamp) -> bool {
        if self.windows.len() < MOST || self.windows.contains_key(&counted) {
            return true;
        }
        if self.pruned.is_none_or(|then| now.since(then) >= PRUNE) {
            self.pruned = Some(now);
            self.windows.retain(|_, window| window.is_running(now));
        }
        self.windows.len() < MOST
    }
}

/// Counts a call that is allowed, unless its agent has made too many lately: at all, or of this
/// tool. A no is on record when this returns.
pub(crate) async fn charge(
    gate: &Gate,
    asked: &Asked,
    way: &Way,
    arguments: Digest,
    trail: &mut Trail,
) -> Result<(), Refusal> {
    let (tenant, agent, tool) = match way {
        Way::Clear(permit) => (permit.tenant(), permit.agent(), permit.tool()),
        Way::Held(held) => (held.tenant(), held.agent(), held.tool()),
    };
    let limits = limits(gate, tenant, agent, tool);
    let all: Vec<_> = limits.iter().map(|(counted, rate)| (*counted, (*rate).into())).collect();
    // What was counted when it was put before a person is the same call still.
    if all.is_empty() || matches!(way, Way::Held(_)) && settle::is_waiting(gate, asked) {
        return Ok(());
    }
    let Err(exceeded) = gate.rates.take(&all, gate.latest()) else { return Ok(()) };
    let Exceeded { counted, wait_secs, .. } = exceeded;
    let (live, wanted) = (&asked.live, asked.wanted());
    let mut event = authz::decision(gate, live, wanted, arguments, trail, Decision::Deny);
    event.reason = Some(reason(counted).to_owned());
    let rate = limits.iter().find(|(it, _)| *it == counted);
    event.detail = rate.map(|(_, rate)| format!("at most {rate}"));
    trail.note(event);
    trail.settle(&gate.ports).await?;
    Err(Refusal::TooOften { wait_secs })
}

/// The limits that a call is counted against.
fn limits(gate: &Gate, tenant: TenantId, agent: AgentId, tool: ToolId) -> Vec<(Counted, Rate)> {
    let world = gate.world();
    let Some(found) = world.policy.tenant(tenant) else { return Vec::new() };
    let of_agent = found.agent(agent).and_then(|it| it.rate);
    let of_tool = found.tool(tool).and_then(|it| it.rate);
    let of_agent = of_agent.map(|rate| (Counted::Agent(tenant, agent), rate));
    let of_tool = of_tool.map(|rate| (Counted::Tool(tenant, agent, tool), rate));
    of_agent.into_iter().chain(of_tool).collect()
}

/// A short code for the log.
const fn reason(counted: Counted) -> &'static str {
    match counted {
        Counted::Agent(..) => "agent_rate",
        Counted::Left(..) => "agent_too_many_waiting",
        Counted::Nonces(_) => "credential_rate",
        Counted::Tool(..) => "tool_rate",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nonces(number: u128) -> Counted {
        Counted::Nonces(CredentialId::new(uuid::Uuid::from_u128(number)))
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000_000_i64.saturating_add(millis))
    }

    fn limit(most: u32, secs: u64) -> Limit {
        Limit { most, time: Duration::from_secs(secs) }
    }

    #[test]
    fn k16_one_of_several_limits_refuses_and_none_of_them_is_used_up() {
        let rates = Rates::default();
        let both = [(nonces(1), limit(5, 10)), (nonces(2), limit(2, 10))];
        assert_eq!((rates.take(&both, at(0)), rates.take(&both, at(0))), (Ok(()), Ok(())));
        let refused = rates.take(&both, at(0)).unwrap_err();
        assert_eq!((refused.counted, refused.tell), (nonces(2), Some(1)));
        assert!((10..=11).contains(&refused.wait_secs), "{refused:?}");
        assert_eq!(rates.usage(nonces(1), limit(5, 10), at(0)).used, 2);
        assert_eq!(rates.usage(nonces(3), limit(5, 10), at(0)).used, 0);
        let wait = i64::try_from(refused.wait_secs).unwrap();
        assert_eq!(rates.take(&both, at(wait * 1000)), Ok(()));
    }

    #[test]
    fn k16_no_crowd_makes_the_counts_grow_and_none_that_runs_is_given_up() {
        let rates = Rates::default();
        let one = |number: u128, now| rates.take(&[(nonces(number), limit(1, 60))], now);
        for number in 0..u128::try_from(MOST).unwrap() {
            assert_eq!(one(number, at(0)), Ok(()), "{number}");
        }
        assert!(one(u128::MAX, at(0)).is_err(), "there is no room");
        assert!(one(0, at(1)).is_err(), "it was not made to begin anew");
        assert_eq!(rates.state().windows.len(), MOST);
        assert_eq!(one(u128::MAX, at(70_000)), Ok(()));
        assert_eq!(rates.state().windows.len(), 1);
    }
}
