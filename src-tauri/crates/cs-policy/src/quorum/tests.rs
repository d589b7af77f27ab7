use cs_model::document::TenantDoc;
use cs_model::state::OperatorRole;
use cs_model::{Digest, Name, OperationTokenId};

use super::*;
use crate::fixture::*;
use crate::{Held, Verdict, decide};

const GATEWAY: &str = "countersign:instance";

fn operator(number: u8) -> OperatorId {
    OperatorId::from_random([number; 16])
}

fn finance() -> Name {
    Name::parse("finance").unwrap()
}

/// A call of a tool with this rule, by an agent that operator 9 answers for.
fn held(rule: &Signing) -> Held {
    let change = |acme: &mut TenantDoc| {
        for tool in &mut acme.tools {
            tool.signing = rule.clone();
        }
        for agent in &mut acme.agents {
            agent.responsible = Some(operator(9));
        }
    };
    let snapshot = compiled(&changed(change));
    let session = session(&snapshot, ROBIN, Some(TIDY));
    let Verdict::Hold(held) = decide(&snapshot, &session, &call("write"), NOON) else { panic!() };
    held
}

fn claims(held: &Held, number: u8) -> OperationClaims {
    OperationClaims {
        iss: operator(number),
        aud: GATEWAY.to_owned(),
        sub: held.agent(),
        tenant: held.tenant(),
        sid: held.session(),
        task: held.task(),
        server: held.server(),
        tool: held.tool(),
        tool_fpr: held.fingerprint(),
        args: held.arguments(),
        pv: held.policy_version(),
        jti: OperationTokenId::from_random([number; 16]),
        iat: NOON.secs(),
        exp: NOON.secs().saturating_add(120),
        rsn: None,
        prs: false,
        brk: false,
    }
}

fn of(role: OperatorRole, groups: &[&str]) -> Signatory {
    Signatory { role, groups: groups.iter().map(|it| Name::parse(it).unwrap()).collect() }
}

/// What comes of signatures under a rule, each made from the claims of an operator.
type Change = fn(&mut OperationClaims);

fn outcome(rule: &Signing, signed: &[(u8, Signatory, Change)]) -> Result<(), Unsigned> {
    let held = held(rule);
    let made: Vec<_> = signed
        .iter()
        .map(|(number, signatory, change)| {
            let mut claims = claims(&held, *number);
            change(&mut claims);
            (claims, signatory)
        })
        .collect();
    let signatures: Vec<_> =
        made.iter().map(|(claims, signatory)| Signature { claims, signatory }).collect();
    let kept = format!("{held:?}");
    match held.release(&signatures, GATEWAY, NOON) {
        Ok(permit) => {
            assert_eq!(permit.tool(), WRITE);
            Ok(())
        }
        Err((again, unsigned)) => {
            assert_eq!(format!("{again:?}"), kept, "the call is held on");
            Err(unsigned)
        }
    }
}

fn nothing(_: &mut OperationClaims) {}

fn glass(claims: &mut OperationClaims) {
    (claims.brk, claims.prs, claims.rsn) = (true, true, Some(Digest::of(b"it burns")));
}

fn approver() -> Signatory {
    of(OperatorRole::Approver, &[])
}

fn owner() -> Signatory {
    of(OperatorRole::Owner, &[])
}

#[test]
fn o15_a_quorum_takes_as_many_different_operators_as_the_tool_asks_for() {
    for asked in 1..=Signing::MOST {
        let rule = Signing::by(asked).unwrap();
        for given in 0..=Signing::MOST {
            let signed: Vec<_> =
                (1..=given).map(|it| (it, approver(), nothing as Change)).collect();
            let expected = if given < asked { Err(Unsigned::TooFew) } else { Ok(()) };
            assert_eq!(outcome(&rule, &signed), expected, "{given} of {asked}");
        }
    }
}

#[test]
fn o15_one_person_is_never_two() {
    let rule = Signing::by(2).unwrap();
    let again: Change = |it| it.jti = OperationTokenId::from_random([77; 16]);
    let twice = outcome(&rule, &[(1, approver(), nothing), (1, approver(), again)]);
    assert_eq!(twice, Err(Unsigned::Twice));
    let same_id: Change = |it| it.jti = OperationTokenId::from_random([1; 16]);
    let shared = outcome(&rule, &[(1, approver(), nothing), (2, approver(), same_id)]);
    assert_eq!(shared, Err(Unsigned::Twice));
}

#[test]
fn o15_only_those_sign_whom_role_group_and_agent_let() {
    let grouped = Signing { group: Some(finance()), ..Signing::default() };
    let barred = Signing { bar_responsible: true, ..Signing::default() };
    let plain = Signing::default();
    let approver_of = |groups| of(OperatorRole::Approver, groups);
    for (name, rule, number, signatory, expected) in [
        ("an approver", &plain, 1, approver(), Ok(())),
        ("an owner", &plain, 1, owner(), Ok(())),
        ("an auditor", &plain, 1, of(OperatorRole::Auditor, &[]), Err(Ineligible::Role)),
        ("an editor", &plain, 1, of(OperatorRole::PolicyEditor, &[]), Err(Ineligible::Role)),
        ("of the group", &grouped, 1, approver_of(&["finance", "night"]), Ok(())),
        ("of another group", &grouped, 1, approver_of(&["night"]), Err(Ineligible::Group)),
        ("an owner of no group", &grouped, 1, owner(), Err(Ineligible::Group)),
        (
            "an auditor of the group",
            &grouped,
            1,
            of(OperatorRole::Auditor, &["finance"]),
            Err(Ineligible::Role),
        ),
        ("who answers for the agent", &barred, 9, owner(), Err(Ineligible::Barred)),
        ("who does not", &barred, 1, owner(), Ok(())),
        ("who answers, where that is fine", &plain, 9, owner(), Ok(())),
    ] {
        let said = outcome(rule, &[(number, signatory.clone(), nothing)]);
        assert_eq!(said, expected.map_err(Unsigned::Ineligible), "{name}");
        assert_eq!(
            may_sign(rule, Some(operator(9)), operator(number), &signatory),
            expected,
            "{name}"
        );
    }
}

#[test]
fn o15_one_signature_that_does_not_count_spoils_the_others() {
    let rule = Signing::by(2).unwrap();
    let auditor = of(OperatorRole::Auditor, &[]);
    let three =
        [(1, approver(), nothing as Change), (2, auditor, nothing), (3, approver(), nothing)];
    assert_eq!(outcome(&rule, &three), Err(Unsigned::Ineligible(Ineligible::Role)));
    let other: Change = |it| it.args = Digest::of(b"another call");
    let mixed = [(1, approver(), nothing as Change), (2, approver(), other)];
    assert_eq!(outcome(&rule, &mixed), Err(Unsigned::Mismatch(Mismatch::Arguments)));
}

#[test]
fn o12_presence_and_reason_are_asked_of_every_signature() {
    let present: Change = |it| it.prs = true;
    let said: Change = |it| it.rsn = Some(Digest::of(b"why"));
    let presence = Signing { presence: true, ..Signing::by(2).unwrap() };
    let one = [(1, approver(), present), (2, approver(), nothing as Change)];
    assert_eq!(outcome(&presence, &one), Err(Unsigned::Presence));
    let both = [(1, approver(), present), (2, approver(), present)];
    assert_eq!(outcome(&presence, &both), Ok(()));
    let reason = Signing { reason: true, ..Signing::by(2).unwrap() };
    let one = [(1, approver(), said), (2, approver(), nothing as Change)];
    assert_eq!(outcome(&reason, &one), Err(Unsigned::Reason));
    assert_eq!(outcome(&reason, &[(1, approver(), said), (2, approver(), said)]), Ok(()));
}

#[test]
fn o15_an_owner_who_breaks_the_glass_counts_for_quorum_and_group_and_for_nothing_else() {
    let rule = Signing {
        group: Some(finance()),
        bar_responsible: true,
        presence: true,
        reason: true,
        ..Signing::by(3).unwrap()
    };
    assert_eq!(outcome(&rule, &[(1, owner(), glass)]), Ok(()));
    let member = of(OperatorRole::Approver, &["finance"]);
    assert_eq!(outcome(&rule, &[(1, member, glass)]), Err(Unsigned::Glass));
    let barred = outcome(&rule, &[(9, owner(), glass)]);
    assert_eq!(barred, Err(Unsigned::Ineligible(Ineligible::Barred)));
    // Even where the tool asks for neither of them.
    let plain = Signing::by(2).unwrap();
    let absent: Change = |it| (it.brk, it.rsn) = (true, Some(Digest::of(b"it burns")));
    assert_eq!(outcome(&plain, &[(1, owner(), absent)]), Err(Unsigned::Presence));
    let silent: Change = |it| (it.brk, it.prs) = (true, true);
    assert_eq!(outcome(&plain, &[(1, owner(), silent)]), Err(Unsigned::Reason));
}

#[test]
fn every_reason_has_a_code_of_its_own() {
    let all = [
        Unsigned::Glass,
        Unsigned::Ineligible(Ineligible::Barred),
        Unsigned::Ineligible(Ineligible::Group),
        Unsigned::Ineligible(Ineligible::Role),
        Unsigned::Mismatch(Mismatch::Agent),
        Unsigned::Presence,
        Unsigned::Reason,
        Unsigned::TooFew,
        Unsigned::Twice,
    ];
    let codes: BTreeSet<_> = all.iter().map(|it| it.code()).collect();
    assert_eq!(codes.len(), all.len());
}
