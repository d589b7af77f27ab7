#![expect(clippy::arithmetic_side_effects, reason = "a failing test is what it may end in")]

use cs_model::event::{Actor, Decision, Event, EventKind, Outcome};
use cs_model::{
    AgentId, ApprovalId, CorrelationId, CredentialId, Digest, OperationTokenId, OperatorId,
    ServerId, SessionId, TaskId, TenantId, Timestamp, ToolId,
};
use proptest::prelude::*;
use proptest::sample::Index;
use uuid::Uuid;

use super::*;

const NOON: Timestamp = Timestamp::from_millis(1_785_231_000_000);

fn refusal() -> Event {
    Event {
        decision: Some(Decision::Deny),
        reason: Some("not_granted".to_owned()),
        policy_version: Some(12),
        ..Event::new(EventKind::Decision, Timestamp::from_millis(NOON.millis().wrapping_add(42)))
    }
}

fn chain(events: &[Event]) -> Vec<Entry> {
    let mut head = None;
    let mut entries = Vec::new();
    for event in events {
        let entry = seal(head.as_ref(), event).unwrap();
        head = Some(entry.head());
        entries.push(entry);
    }
    entries
}

fn verify(entries: &[Entry]) -> Result<Option<Head>, Broken> {
    let mut verifier = Verifier::new();
    entries.iter().try_for_each(|entry| verifier.push(entry))?;
    Ok(verifier.head())
}

proptest! {
    /// The form is the one that anybody else who follows RFC 8785 gives the event.
    #[test]
    fn the_form_of_an_event_is_the_canonical_one(
        words in proptest::collection::vec("\\PC{0,12}|[\\x00-\\x7f]{0,12}|[\u{10000}-\u{10ffff}é\"]{0,4}", 7),
        number in prop::option::of(0_u64..1 << 54),
        uid in prop::option::of(any::<u32>()),
        who in 0..4_u8,
        there in any::<u16>(),
        number_of_ids in any::<u128>(),
        millis in 0_i64..4_000_000_000_000,
    ) {
        let word = |index: usize| Some(words[index].clone()).filter(|it| !it.is_empty());
        // Each of the others is there or not, by a bit of its own.
        let uuid = Uuid::from_u128(number_of_ids);
        let bit = |place: u32| there & (1 << place) != 0;
        let actor = match who {
            0 => None,
            1 => Some(Actor::Local { uid }),
            2 => Some(Actor::Operator { id: OperatorId::new(uuid) }),
            _ => Some(Actor::System),
        };
        let event = Event {
            correlation: bit(0).then(|| CorrelationId::new(uuid)),
            tenant: bit(1).then(|| TenantId::new(uuid)),
            agent: bit(2).then(|| AgentId::new(uuid)),
            credential: bit(3).then(|| CredentialId::new(uuid)),
            session: bit(4).then(|| SessionId::new(uuid)),
            task: bit(5).then(|| TaskId::new(uuid)),
            server: bit(6).then(|| ServerId::new(uuid)),
            tool: bit(7).then(|| ToolId::new(uuid)),
            approval: bit(8).then(|| ApprovalId::new(uuid)),
            token: bit(9).then(|| OperationTokenId::new(uuid)),
            decision: [None, Some(Decision::Allow), Some(Decision::Deny), Some(Decision::Hold)]
                [usize::from(there >> 10 & 3)],
            outcome: [
                None,
                Some(Outcome::Failed),
                Some(Outcome::Answered),
                Some(Outcome::Unknown),
            ][usize::from(there >> 12 & 3)],
            claimed: word(0),
            tool_name: word(1),
            method: word(2),
            reason: word(3),
            client: word(4),
            detail: word(5),
            proof: word(6),
            took_ms: number,
            policy_version: number,
            actor,
            arguments: Some(Digest::of(words[0].as_bytes())),
            ..Event::new(EventKind::ExecutionFinished, Timestamp::from_millis(millis))
        };
        let text = serde_json::to_string(&event).unwrap();
        let canonical = cs_model::json::canonical(&text, cs_model::json::Limits::default()).ok();
        prop_assert_eq!(chain::canonical_body(&event), canonical);
    }
}

/// The entry with its hash computed anew, as somebody would who can write to the log.
fn resealed(entry: Entry) -> Entry {
    Entry { hash: chain::hash_of(entry.previous, entry.seq, &entry.body), ..entry }
}

// Computed independently, with Python's `hashlib` over the bytes that `Entry::hash` documents.
#[test]
fn the_hashes_are_the_known_ones() {
    let entries = chain(&[Event::new(EventKind::GatewayStarted, NOON), refusal()]);
    let expected = [
        (
            r#"{"at":"2026-07-28T09:30:00.000Z","kind":"gateway.started","schema":1}"#,
            "5bfedf7e0e267602a0ae3e95985024cdc55791291cecad26c26155ac93ad9aa4",
        ),
        (
            r#"{"at":"2026-07-28T09:30:00.042Z","decision":"deny","kind":"decision","policy_version":12,"reason":"not_granted","schema":1}"#,
            "bceaac4235441b0935c8d3e77c4ee1d6bf81a3d7689005fd41aa1ab874bc4514",
        ),
    ];
    for (entry, (body, hash)) in entries.iter().zip(expected) {
        assert_eq!(entry.body, body);
        assert_eq!(entry.hash.to_string(), hash);
    }
    assert_eq!((entries[0].seq, entries[0].previous), (FIRST, GENESIS));
    assert_eq!((entries[1].seq, entries[1].previous), (2, entries[0].hash));
}

#[test]
fn an_empty_log_holds_and_has_no_head() {
    assert_eq!(verify(&[]), Ok(None));
}

#[test]
fn an_event_reads_back_from_its_entry() {
    let event = Event {
        correlation: Some(CorrelationId::from_random([1; 16])),
        actor: Some(Actor::Operator { id: OperatorId::from_random([2; 16]) }),
        detail: Some("role `reader` may now call tool `files/read`".to_owned()),
        ..refusal()
    };
    assert_eq!(seal(None, &event).unwrap().event().unwrap(), event);
    let local = Event { actor: Some(Actor::Local { uid: None }), ..refusal() };
    let entry = seal(None, &local).unwrap();
    assert_eq!(entry.event().unwrap(), local);
    assert_eq!(verify(std::slice::from_ref(&entry)), Ok(Some(entry.head())));
}

#[test]
fn a_verifier_goes_on_where_another_one_stopped() {
    let entries = chain(&[refusal(), refusal(), refusal()]);
    let mut verifier = Verifier::after(entries[1].head());
    assert_eq!(verifier.push(&entries[2]), Ok(()));
    assert_eq!(verifier.head(), Some(entries[2].head()));
    let mut elsewhere = Verifier::after(entries[0].head());
    let broken = Broken { seq: 2, what: Fault::Sequence };
    assert_eq!(elsewhere.push(&entries[2]), Err(broken));
}

#[test]
fn nothing_after_a_broken_link_is_believed() {
    let entries = chain(&[refusal(), refusal(), refusal()]);
    let mut verifier = Verifier::new();
    verifier.push(&entries[0]).unwrap();
    let broken = Broken { seq: 2, what: Fault::Sequence };
    assert_eq!(verifier.push(&entries[2]), Err(broken));
    assert_eq!(verifier.push(&entries[1]), Err(broken), "not even what would fit");
    assert_eq!(verifier.head(), Some(entries[0].head()));
}

#[test]
fn a03_each_way_of_tampering_has_its_fault() {
    let good = chain(&[refusal(), refusal(), refusal()]);
    let with = |at: usize, change: fn(&mut Entry)| {
        let mut entries = good.clone();
        change(&mut entries[at]);
        entries
    };
    let reseal = |at: usize, change: fn(&mut Entry)| {
        let mut entries = with(at, change);
        entries[at] = resealed(entries[at].clone());
        entries
    };
    let without = |at: usize| {
        let mut entries = good.clone();
        entries.remove(at);
        entries
    };
    let swapped = {
        let mut entries = good.clone();
        entries.swap(0, 1);
        entries
    };
    let twice = vec![good[0].clone(), good[0].clone()];
    let cases = [
        ("the first removed", without(0), 1, Fault::Sequence),
        ("one in the middle removed", without(1), 2, Fault::Sequence),
        ("two swapped", swapped, 1, Fault::Sequence),
        ("one twice", twice, 2, Fault::Sequence),
        ("renumbered", with(1, |entry| entry.seq = 7), 2, Fault::Sequence),
        ("renumbered to zero", with(0, |entry| entry.seq = 0), 1, Fault::Sequence),
        ("another link", with(1, |entry| entry.previous = GENESIS), 2, Fault::Previous),
        ("another link, resealed", reseal(1, |entry| entry.previous = GENESIS), 2, Fault::Previous),
        ("another hash", with(1, |entry| entry.hash = GENESIS), 2, Fault::Hash),
        (
            "another body",
            with(1, |entry| entry.body = entry.body.replace("12", "13")),
            2,
            Fault::Hash,
        ),
        (
            "another body, resealed",
            reseal(1, |entry| entry.body = entry.body.replace("12", "13")),
            3,
            Fault::Previous,
        ),
    ];
    for (name, entries, seq, what) in cases {
        assert_eq!(verify(&entries), Err(Broken { seq, what }), "{name}");
    }
}

#[test]
fn only_a_known_event_in_canonical_form_is_a_body() {
    let good = seal(None, &refusal()).unwrap();
    assert_eq!(verify(&[resealed(good.clone())]), Ok(Some(good.head())));
    let values = r#"[1,"decision","2026-07-28T09:30:00.042Z"]"#.to_owned();
    for (name, body) in [
        ("a space", good.body.replace(":12", ": 12")),
        (
            "another order",
            r#"{"kind":"decision","at":"2026-07-28T09:30:00.042Z","schema":1}"#.to_owned(),
        ),
        ("an explicit null", good.body.replace('{', r#"{"agent":null,"#)),
        ("a key twice", good.body.replace('{', r#"{"at":"2026-07-28T09:30:00.000Z","#)),
        ("an unknown field", good.body.replace(r#","schema":1"#, r#","schema":1,"x":1"#)),
        ("an unknown kind", good.body.replace(r#""kind":"decision""#, r#""kind":"x""#)),
        ("another schema", good.body.replace(r#""schema":1"#, r#""schema":2"#)),
        ("a moment spelt otherwise", good.body.replace(".042Z", ".042+00:00")),
        ("an array by position", values),
        ("nothing", String::new()),
        ("no JSON", "decision".to_owned()),
        ("two lines", format!("{}\n{}", good.body, good.body)),
    ] {
        let entry = resealed(Entry { body, ..good.clone() });
        let broken = Broken { seq: 1, what: Fault::Body };
        assert_eq!(verify(&[entry]), Err(broken), "{name}");
    }
}

#[test]
fn what_could_not_be_verified_is_not_sealed() {
    let newer = Event { schema: 2, ..refusal() };
    assert_eq!(seal(None, &newer), Err(SealError::Schema));
    let unsafe_number = Event { took_ms: Some(1 << 53), ..refusal() };
    assert_eq!(seal(None, &unsafe_number), Err(SealError::Form));
    let never = Event { at: Timestamp::from_millis(i64::MAX), ..refusal() };
    assert_eq!(seal(None, &never), Err(SealError::Form));
    for (last, beyond) in [(-62_167_219_200_000, -1), (253_402_300_799_999, 1)] {
        let at = |millis| Event { at: Timestamp::from_millis(millis), ..refusal() };
        let entry = seal(None, &at(last)).unwrap();
        assert_eq!(entry.event().unwrap(), at(last));
        assert_eq!(seal(None, &at(last + beyond)), Err(SealError::Form));
    }
    let full = Head { seq: u64::MAX, hash: GENESIS };
    assert_eq!(seal(Some(&full), &refusal()), Err(SealError::Full));
}

#[test]
fn a04_a_body_is_one_line_whatever_its_texts_hold() {
    let event =
        Event { detail: Some("a\r\n\u{1b}[2J\0\"},{\u{2028}<165>1 - - -".to_owned()), ..refusal() };
    let entry = seal(None, &event).unwrap();
    assert!(!entry.body.contains(|c: char| c.is_control()), "{}", entry.body);
    assert_eq!(entry.event().unwrap(), event);
}

fn some_event() -> impl Strategy<Value = Event> {
    let kind = proptest::sample::select(EventKind::ALL);
    let text = proptest::option::of(".{0,20}");
    let number = proptest::option::of(0_u64..1 << 53);
    let agent = proptest::option::of(any::<[u8; 16]>());
    (kind, text, number, agent, 0_i64..4_000_000_000_000).prop_map(
        |(kind, detail, policy_version, agent, at)| Event {
            detail,
            policy_version,
            agent: agent.map(AgentId::from_random),
            ..Event::new(kind, Timestamp::from_millis(at))
        },
    )
}

fn some_chain(least: usize) -> impl Strategy<Value = Vec<Entry>> {
    proptest::collection::vec(some_event(), least..12).prop_map(|events| chain(&events))
}

/// The number that the entry at this index should have.
fn number(at: usize) -> u64 {
    u64::try_from(at).unwrap().saturating_add(1)
}

proptest! {
    #[test]
    fn whatever_is_sealed_verifies_and_reads_back(events in proptest::collection::vec(some_event(), 0..12)) {
        let entries = chain(&events);
        prop_assert_eq!(verify(&entries), Ok(entries.last().map(Entry::head)));
        for (entry, event) in entries.iter().zip(&events) {
            prop_assert_eq!(&entry.event().unwrap(), event);
        }
    }

    #[test]
    fn a03_any_flipped_bit_is_found_where_it_is(
        mut entries in some_chain(1), which in any::<Index>(), bit in any::<Index>(), part in 0..4,
    ) {
        let at = which.index(entries.len());
        let entry = &mut entries[at];
        let flip = |digest: Digest| {
            let mut bytes = *digest.as_bytes();
            let bit = bit.index(256);
            bytes[bit / 8] ^= 1 << (bit % 8);
            Digest::from_bytes(bytes)
        };
        match part {
            0 => entry.seq ^= 1 << bit.index(64),
            1 => entry.previous = flip(entry.previous),
            2 => entry.hash = flip(entry.hash),
            _ => {
                let mut bytes = entry.body.clone().into_bytes();
                let bit = bit.index(bytes.len() * 8);
                bytes[bit / 8] ^= 1 << (bit % 8);
                let Ok(body) = String::from_utf8(bytes) else { return Ok(()) };
                entry.body = body;
            }
        }
        prop_assert_eq!(verify(&entries).unwrap_err().seq, number(at));
    }

    #[test]
    fn a03_a_removed_entry_is_found_unless_it_was_the_last(
        mut entries in some_chain(2), which in any::<Index>(),
    ) {
        let at = which.index(entries.len() - 1);
        entries.remove(at);
        prop_assert_eq!(verify(&entries), Err(Broken { seq: number(at), what: Fault::Sequence }));
    }

    #[test]
    fn a03_two_swapped_entries_are_found(
        mut entries in some_chain(2), one in any::<Index>(), other in any::<Index>(),
    ) {
        let (one, other) = (one.index(entries.len()), other.index(entries.len()));
        prop_assume!(one != other);
        entries.swap(one, other);
        let seq = number(one.min(other));
        prop_assert_eq!(verify(&entries), Err(Broken { seq, what: Fault::Sequence }));
    }

    #[test]
    fn a03_an_inserted_entry_is_found_one_entry_later_at_the_latest(
        mut entries in some_chain(1), which in any::<Index>(), event in some_event(),
    ) {
        let at = which.index(entries.len());
        let before = at.checked_sub(1).map(|before| entries[before].head());
        entries.insert(at, seal(before.as_ref(), &event).unwrap());
        prop_assert_eq!(verify(&entries).unwrap_err().seq, number(at + 1));
    }

    #[test]
    fn a03_resealing_a_changed_entry_breaks_the_chain_one_entry_later(
        mut entries in some_chain(2), which in any::<Index>(), event in some_event(),
    ) {
        let at = which.index(entries.len() - 1);
        let before = at.checked_sub(1).map(|before| entries[before].head());
        let forged = seal(before.as_ref(), &event).unwrap();
        prop_assume!(forged != entries[at]);
        entries[at] = forged;
        let broken = Broken { seq: number(at + 1), what: Fault::Previous };
        prop_assert_eq!(verify(&entries), Err(broken));
    }

    #[test]
    fn a03_a_chain_resealed_to_its_end_has_another_head(
        events in proptest::collection::vec(some_event(), 1..12), which in any::<Index>(), event in some_event(),
    ) {
        let at = which.index(events.len());
        prop_assume!(events[at] != event);
        let mut forged = events.clone();
        forged[at] = event;
        let (kept, found) = (verify(&chain(&events)).unwrap(), verify(&chain(&forged)).unwrap());
        prop_assert_ne!(kept, found);
    }
}
