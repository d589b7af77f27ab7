use std::collections::{BTreeMap, BTreeSet};

use expect_test::expect_file;

use super::*;

const PRINCIPALS: [Principal; 3] = [Principal::Active, Principal::Suspended, Principal::Unknown];
const PERIODS: [Period; 3] = [Period::Ended, Period::Expired, Period::Open];
const PURPOSES: [Purpose; 4] =
    [Purpose::Assigned, Purpose::Missing, Purpose::NotAssigned, Purpose::Unknown];
const STANDPOINTS: [Standpoint; 4] =
    [Standpoint::Disabled, Standpoint::Enabled, Standpoint::ServerDisabled, Standpoint::Unknown];
const GRANTS: [Grant; 3] = [Grant::Deny, Grant::Token, Grant::Allow];
const FROZEN: [Frozen; 5] = [
    Frozen::Listed(Grant::Deny),
    Frozen::Listed(Grant::Token),
    Frozen::Listed(Grant::Allow),
    Frozen::Changed,
    Frozen::Absent,
];

fn grants() -> impl Iterator<Item = (Grant, bool)> {
    GRANTS.into_iter().flat_map(|grant| [false, true].map(|others| (grant, others)))
}

fn every_input() -> Vec<Facts> {
    let mut all = Vec::new();
    for tenant in PRINCIPALS {
        for agent in PRINCIPALS {
            for session in PERIODS {
                for task in PURPOSES {
                    for tool in STANDPOINTS {
                        for in_task in [false, true] {
                            for (grant, others_would_pass) in grants() {
                                all.extend(FROZEN.map(|frozen| Facts {
                                    tenant,
                                    agent,
                                    session,
                                    task,
                                    tool,
                                    in_task,
                                    grant,
                                    others_would_pass,
                                    frozen,
                                }));
                            }
                        }
                    }
                }
            }
        }
    }
    all
}

#[test]
fn a_call_passes_exactly_when_it_passes_every_gate_and_gets_the_narrower_grant() {
    let all = every_input();
    assert_eq!(all.len(), 25_920);
    for facts in all {
        let listed = match facts.frozen {
            Frozen::Listed(grant) => grant,
            Frozen::Changed | Frozen::Absent => Grant::Deny,
        };
        let gates = [
            facts.tenant == Principal::Active,
            facts.agent == Principal::Active,
            facts.session == Period::Open,
            facts.task == Purpose::Assigned,
            facts.tool == Standpoint::Enabled,
            facts.in_task,
            facts.grant != Grant::Deny,
            listed != Grant::Deny,
        ];
        let expected = gates.iter().all(|passed| *passed).then(|| facts.grant.min(listed));
        assert_eq!(judge(facts).ok(), expected, "{facts:?}");
    }
}

#[test]
fn the_first_gate_that_fails_gives_the_reason() {
    let good = Facts {
        tenant: Principal::Active,
        agent: Principal::Active,
        session: Period::Open,
        task: Purpose::Assigned,
        tool: Standpoint::Enabled,
        in_task: true,
        grant: Grant::Allow,
        others_would_pass: false,
        frozen: Frozen::Listed(Grant::Allow),
    };
    assert_eq!(judge(good), Ok(Grant::Allow));
    let others = Facts { others_would_pass: true, ..good };
    assert_eq!(judge(others), Ok(Grant::Allow));
    let unmet = Err(Deny::ConditionUnmet);
    assert_eq!(judge(Facts { grant: Grant::Deny, ..others }), unmet);
    assert_eq!(judge(Facts { frozen: Frozen::Listed(Grant::Deny), ..others }), unmet);
    assert_eq!(judge(Facts { frozen: Frozen::Changed, ..others }), Err(Deny::DefinitionChanged));
    // From the last gate to the first: each failure added hides the ones after it.
    let mut facts = good;
    let mut expect = |change: fn(&mut Facts), deny: Deny| {
        change(&mut facts);
        assert_eq!(judge(facts), Err(deny), "{facts:?}");
    };
    expect(|facts| facts.frozen = Frozen::Absent, Deny::OpenedBefore);
    expect(|facts| facts.frozen = Frozen::Listed(Grant::Deny), Deny::OpenedBefore);
    expect(|facts| facts.frozen = Frozen::Changed, Deny::DefinitionChanged);
    expect(|facts| facts.grant = Grant::Deny, Deny::NotGranted);
    expect(|facts| facts.in_task = false, Deny::NotInTask);
    expect(|facts| facts.tool = Standpoint::Disabled, Deny::ToolDisabled);
    expect(|facts| facts.tool = Standpoint::ServerDisabled, Deny::ServerDisabled);
    expect(|facts| facts.tool = Standpoint::Unknown, Deny::ToolUnknown);
    expect(|facts| facts.task = Purpose::NotAssigned, Deny::TaskNotAssigned);
    expect(|facts| facts.task = Purpose::Unknown, Deny::TaskUnknown);
    expect(|facts| facts.task = Purpose::Missing, Deny::TaskMissing);
    expect(|facts| facts.session = Period::Expired, Deny::SessionExpired);
    expect(|facts| facts.session = Period::Ended, Deny::SessionEnded);
    expect(|facts| facts.agent = Principal::Suspended, Deny::AgentSuspended);
    expect(|facts| facts.agent = Principal::Unknown, Deny::AgentUnknown);
    expect(|facts| facts.tenant = Principal::Suspended, Deny::TenantSuspended);
    expect(|facts| facts.tenant = Principal::Unknown, Deny::TenantUnknown);
}

/// What a reviewer reads when a gate changes: how many of all inputs end in which way.
#[test]
fn the_table_of_verdicts_is_the_reviewed_one() {
    let mut counts = BTreeMap::new();
    for facts in every_input() {
        let line = match judge(facts) {
            Ok(grant) => format!("{grant}"),
            Err(deny) => format!("deny   {}", deny.code()),
        };
        *counts.entry(line).or_insert(0_u32) += 1;
    }
    let table: String = counts.iter().map(|(line, count)| format!("{count:6}  {line}\n")).collect();
    expect_file!["../../golden/judge.txt"].assert_eq(&table);
}

#[test]
fn every_reason_can_occur_and_has_a_code_and_a_sentence_of_its_own() {
    let seen: BTreeSet<Deny> = every_input().into_iter().filter_map(|it| judge(it).err()).collect();
    // What depends on the call and not on where things stand is said after the gates.
    let after = [Deny::Ambiguous, Deny::CompletionHeld];
    assert_eq!(
        seen.into_iter().chain(after).collect::<BTreeSet<_>>(),
        Deny::ALL.iter().copied().collect()
    );
    let codes: BTreeSet<_> = Deny::ALL.iter().map(|deny| deny.code()).collect();
    let sentences: BTreeSet<_> = Deny::ALL.iter().map(|deny| deny.sentence()).collect();
    assert_eq!((codes.len(), sentences.len()), (Deny::ALL.len(), Deny::ALL.len()));
    assert!(sentences.iter().all(|sentence| sentence.ends_with('.')));
}
