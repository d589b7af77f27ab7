//! A simulated year: 500 agents, used at random, on a machine that sleeps and whose process dies.
#![expect(clippy::arithmetic_side_effects, reason = "a test that fails may fail loudly")]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use cs_gateway::ports::{Renewal, Renewals as _};
use cs_model::event::{Event, EventKind};
use cs_model::state::{CredentialState, Standing};
use cs_model::{AgentId, CredentialId, Name, TenantId, Timestamp};
use cs_registry::agent::{self, Agent};
use cs_registry::credential::{self, Credential, NewCredential, Proof};
use cs_registry::{audit, lifecycle};
use std::sync::Arc;

use super::place::Place;
use crate::adapters::renewals::Successors;
use crate::core::Core;
use crate::housekeeper;

const AGENTS: u64 = 500;
const DAY: u64 = 86_400;

/// A row of numbers that one number says all of.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.next().to_le_bytes()[0])
    }
}

/// An agent as it lives: which keys it has, and how often it works.
struct Life {
    agent: AgentId,
    key: CredentialId,
    /// In how many of 100 steps it works; none for those that were forgotten.
    works: u64,
    /// When it worked last.
    last: Timestamp,
    locked_out: bool,
}

async fn core_of(place: &Place) -> Arc<Core> {
    place.control.core().unwrap()
}

fn event(kind: EventKind, tenant: TenantId, life: &Life, at: Timestamp) -> Event {
    Event {
        tenant: Some(tenant),
        agent: Some(life.agent),
        credential: Some(life.key),
        ..Event::new(kind, at)
    }
}

async fn rows(core: &Core) -> HashMap<CredentialId, Credential> {
    let mut db = core.registry.read().await.unwrap();
    credential::all(&mut db).await.unwrap().into_iter().map(|it| (it.id, it)).collect()
}

/// What an agent with `countersign connect` does: fetches its new key, and works with the newest.
/// Answers with what its work leaves on record.
async fn work(
    core: &Arc<Core>,
    tenant: TenantId,
    life: &mut Life,
    (good, replaced): (bool, bool),
    chance: &mut Chance,
) -> Option<Event> {
    let now = core.now();
    if !good {
        life.locked_out = true;
        return None;
    }
    let successors = Successors { core: Arc::downgrade(core) };
    if replaced {
        let ask = || event(EventKind::CredentialDelivered, tenant, life, now);
        let mut found = successors.renew(tenant, life.key, ask()).await.unwrap();
        if chance.below(10) == 0 {
            // The answer was lost: the same is handed over again.
            let again = successors.renew(tenant, life.key, ask()).await.unwrap();
            assert_eq!(again, found);
            found = again;
        }
        let Renewal::Ready { credential, .. } = found else { panic!("{found:?}") };
        life.key = credential;
    }
    life.last = now;
    let proof = Some("api_key".to_owned());
    Some(Event { proof, ..event(EventKind::AuthnSucceeded, tenant, life, now) })
}

async fn tenant_with_agents(core: &Core, chance: &mut Chance) -> (TenantId, Vec<Life>) {
    let tenant = core.document().tenants[0].id;
    let correlation = cs_model::CorrelationId::from_random(chance.bytes());
    let actor = cs_model::event::Actor::System;
    let mut edit = core.edit_as(actor, correlation).await.unwrap();
    let terms = cs_model::Lifecycle {
        lifetime_secs: Some(u32::try_from(60 * DAY).unwrap()),
        ..cs_model::Lifecycle::default()
    };
    lifecycle::set(edit.db(), tenant, terms).await.unwrap();
    let (mut lives, at) = (Vec::new(), edit.at());
    for number in 0..AGENTS {
        let id = AgentId::from_random(chance.bytes());
        let made = Agent {
            id,
            tenant,
            name: Name::parse(&format!("agent-{number}")).unwrap(),
            standing: Standing::Active,
            roles: BTreeSet::new(),
            tasks: BTreeSet::new(),
            rate: None,
            most_waiting: None,
            responsible: None,
            created: at,
        };
        agent::create(edit.db(), &made).await.unwrap();
        let key = CredentialId::from_random(chance.bytes());
        let life = Duration::from_secs(DAY * (45 + chance.below(16)));
        let new = NewCredential {
            id: key,
            tenant,
            agent: id,
            proof: Proof::ApiKey,
            key_id: format!("csk_{number}"),
            sealed_secret: Some(vec![1, 2, 3]),
            networks: Vec::new(),
            tasks: None,
            created: at,
            expires: at.after(life),
        };
        credential::issue(edit.db(), &new).await.unwrap();
        let works = if number % 25 == 0 { 0 } else { 70 + chance.below(30) };
        lives.push(Life { agent: id, key, works, last: at, locked_out: false });
    }
    edit.enforce("made the agents of a year").await.unwrap();
    (tenant, lives)
}

/// What must hold whenever the housekeeper has looked.
fn check(rows: &HashMap<CredentialId, Credential>, now: Timestamp, place: &str) {
    let mut standing: BTreeMap<AgentId, usize> = BTreeMap::new();
    for row in rows.values() {
        if row.state(now) != CredentialState::Active {
            continue;
        }
        assert!(now < row.ends(), "{place}: {} is past its end", row.id);
        assert!(row.expires.since(row.created).as_secs() <= 60 * DAY, "{place}: {}", row.id);
        let quiet = row.last_used.or(row.delivered).unwrap_or(row.created);
        let is_unused = now.since(quiet).as_secs() >= 30 * DAY && !row.waits();
        assert!(!is_unused, "{place}: {} lies about", row.id);
        *standing.entry(row.agent).or_default() += 1;
    }
    assert!(standing.values().all(|it| *it <= 2), "{place}: an agent has more than two keys");
}

async fn year(seed: u64) {
    let mut chance = Chance(seed);
    let mut place = Place::with_starter().await;
    let (tenant, mut lives) = {
        let core = core_of(&place).await;
        tenant_with_agents(&core, &mut chance).await
    };
    let start = place.options.clock.now();
    let mut steps = 0;
    while place.options.clock.now().since(start).as_secs() < 365 * DAY {
        steps += 1;
        // Now and then, and once in any case, the machine is closed and nobody works on it.
        let step = match chance.below(30) {
            _ if steps == 10 => 7 * DAY,
            0 => DAY * (2 + chance.below(6)),
            _ => 2 * DAY + chance.below(2 * DAY),
        };
        place.clock.advance(Duration::from_secs(step));
        if steps == 20 || chance.below(60) == 0 {
            place = place.reopen().await;
        }
        let core = core_of(&place).await;
        housekeeper::run(&core).await.unwrap();
        let now = place.options.clock.now();
        let standing: HashMap<_, _> = {
            let mut db = core.registry.read().await.unwrap();
            let all = credential::standing(&mut db).await.unwrap();
            all.into_iter().map(|it| (it.id, it)).collect()
        };
        check(&standing, now, &format!("seed {seed}, {now}"));
        let replaced: BTreeSet<_> = standing.values().filter_map(|it| it.replaces).collect();
        let mut events = Vec::new();
        for life in &mut lives {
            if life.locked_out || chance.below(100) >= life.works {
                continue;
            }
            let quiet = now.since(life.last).as_secs();
            let good = standing.get(&life.key).is_some_and(|it| now < it.ends());
            let replaced = replaced.contains(&life.key);
            events.extend(work(&core, tenant, life, (good, replaced), &mut chance).await);
            // A successor waits for the last third of a life, of 45 days at least.
            assert!(!life.locked_out || quiet > 14 * DAY, "seed {seed}: locked out at {now}");
        }
        core.registry.record(events).await.unwrap();
    }
    let core = core_of(&place).await;
    housekeeper::run(&core).await.unwrap();
    check(&rows(&core).await, place.options.clock.now(), "the end");
    let going = lives.iter().filter(|it| !it.locked_out && it.works > 0).count();
    assert!(going > 400, "seed {seed}: {going} of {AGENTS} still work");
    once_each(&place, &rows(&core).await).await;
    place.control.shutdown().await.unwrap();
}

/// Everything that was done is on record, once.
async fn once_each(place: &Place, rows: &HashMap<CredentialId, Credential>) {
    let core = core_of(place).await;
    let mut told: HashMap<EventKind, Vec<CredentialId>> = HashMap::new();
    let (mut db, mut seq) = (core.registry.read().await.unwrap(), 0);
    loop {
        let piece = audit::notable_after(&mut db, seq, u64::MAX, 1000).await.unwrap();
        let Some(last) = piece.last() else { break };
        seq = last.seq;
        for entry in &piece {
            let event = entry.event().unwrap();
            if let Some(credential) = event.credential {
                told.entry(event.kind).or_default().push(credential);
            }
        }
    }
    let count = |kind| told.get(&kind).cloned().unwrap_or_default();
    let distinct = |ids: &[CredentialId]| ids.iter().collect::<BTreeSet<_>>().len();
    let retired = count(EventKind::CredentialRetired);
    assert_eq!(retired.len(), distinct(&retired), "nothing is retired twice");
    let revoked = rows.values().filter(|it| it.revoked_at.is_some()).count();
    assert_eq!(retired.len(), revoked);
    let rotated = count(EventKind::CredentialRotated);
    let replaced = rows.values().filter(|it| it.replaces.is_some()).count();
    assert_eq!(rotated.len(), replaced);
    assert!(rotated.len() > 1000, "{}", rotated.len());
    let overlaps = count(EventKind::CredentialOverlap);
    assert_eq!(overlaps.len(), distinct(&overlaps));
}

#[expect(clippy::print_stdout, reason = "by the seed the same year can be had again")]
#[tokio::test]
async fn f11_a_year_of_500_agents_ends_with_no_credential_past_its_limits() {
    let seed = std::process::id().into();
    println!("seed {seed}");
    year(seed).await;
}
