use cs_model::document::TenantDoc;
use cs_model::series::{MOST_CALLS, MOST_SECS};
use cs_model::state::OperatorRole;
use cs_model::{Name, OperatorId, SeriesId};

use super::*;
use crate::fixture::*;
use crate::{Held, Verdict, decide};

const GATEWAY: &str = "countersign:instance";

fn operator(number: u8) -> OperatorId {
    OperatorId::from_random([number; 16])
}

/// A call of a tool with this rule and these marks, by an agent that operator 9 answers for.
fn held(rule: &Signing, effects: Effects) -> Held {
    let change = |acme: &mut TenantDoc| {
        for tool in &mut acme.tools {
            (tool.signing, tool.effects) = (rule.clone(), effects);
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

fn schema() -> Digest {
    Digest::of(b"schema")
}

/// Claims that fit the call and are good for ten calls in five minutes from noon.
fn claims() -> SeriesClaims {
    let held = held(&Signing::default(), Effects::default());
    SeriesClaims {
        iss: operator(1),
        aud: GATEWAY.to_owned(),
        sub: held.agent(),
        tenant: held.tenant(),
        sid: held.session(),
        task: held.task(),
        server: held.server(),
        tool: held.tool(),
        tool_fpr: held.fingerprint(),
        schema: schema(),
        n: 10,
        pv: held.policy_version(),
        jti: SeriesId::from_random([3; 16]),
        iat: NOON.secs(),
        exp: NOON.secs().saturating_add(300),
        rsn: None,
        prs: false,
    }
}

fn of(role: OperatorRole, groups: &[&str]) -> Signatory {
    Signatory { role, groups: groups.iter().map(|it| Name::parse(it).unwrap()).collect() }
}

/// What comes of a series that is held against a call.
fn outcome(
    held: Held,
    claims: &SeriesClaims,
    signatory: &Signatory,
    satisfied: Option<Digest>,
) -> Result<(), Unpaid> {
    let kept = format!("{held:?}");
    match held.release_in_series(Series { claims, signatory, satisfied }, GATEWAY, NOON) {
        Ok(permit) => {
            assert_eq!(permit.tool(), WRITE);
            Ok(())
        }
        Err((again, unpaid)) => {
            assert_eq!(format!("{again:?}"), kept, "the call is held on");
            Err(unpaid)
        }
    }
}

fn plain(claims: &SeriesClaims) -> Result<(), Unpaid> {
    let held = held(&Signing::default(), Effects::default());
    outcome(held, claims, &of(OperatorRole::Approver, &[]), Some(schema()))
}

#[test]
fn o17_a_series_pays_for_the_session_tool_and_definition_that_it_was_signed_for_and_no_other() {
    let other = [9; 16];
    type Change = fn(&mut SeriesClaims);
    let cases: [(Change, Mismatch); 8] = [
        (|it| it.aud.push('x'), Mismatch::Gateway),
        (|it| it.tenant = GLOBEX, Mismatch::Tenant),
        (|it| it.sub = EVE, Mismatch::Agent),
        (|it| it.sid = cs_model::SessionId::from_random([9; 16]), Mismatch::Session),
        (|it| it.task = REPORT, Mismatch::Task),
        (|it| it.server = MAIL, Mismatch::Server),
        (|it| it.tool = SEND, Mismatch::Tool),
        (|it| it.tool_fpr = Digest::of(b"other"), Mismatch::Definition),
    ];
    assert_eq!(plain(&claims()), Ok(()));
    for (change, mismatch) in cases {
        let mut claims = claims();
        change(&mut claims);
        assert_eq!(plain(&claims), Err(Unpaid::Mismatch(mismatch)));
    }
    let own = SeriesClaims { jti: SeriesId::from_random(other), pv: 7, ..claims() };
    assert_eq!(plain(&own), Ok(()), "its own id and the version it was signed under do not matter");
}

#[test]
fn o17_a_series_has_bounds_whatever_it_says_of_itself() {
    let at = NOON.secs();
    let cases = [
        ((1, at, at + 1), Ok(())),
        ((MOST_CALLS, at, at + MOST_SECS), Ok(())),
        ((MOST_CALLS + 1, at, at + 300), Err(Mismatch::Expired)),
        ((0, at, at + 300), Err(Mismatch::Expired)),
        ((1, at, at + MOST_SECS + 1), Err(Mismatch::Expired)),
        ((1, at - 300, at), Err(Mismatch::Expired)),
        ((1, at - 300, at + 1), Ok(())),
        ((1, at + 5, at + 6), Ok(())),
        ((1, at + 6, at + 7), Err(Mismatch::NotYet)),
        ((1, at + 1, at + 1), Err(Mismatch::Expired)),
        ((1, i64::MIN, i64::MAX), Err(Mismatch::Expired)),
    ];
    for ((n, iat, exp), expected) in cases {
        let claims = SeriesClaims { n, iat, exp, ..claims() };
        assert_eq!(plain(&claims), expected.map_err(Unpaid::Mismatch), "{n} {iat} {exp}");
    }
}

#[test]
fn o17_arguments_that_were_not_found_to_satisfy_the_schema_are_not_paid_for() {
    let cases = [
        (Some(schema()), Ok(())),
        (None, Err(Unpaid::Arguments)),
        (Some(Digest::of(b"another schema")), Err(Unpaid::Arguments)),
    ];
    for (satisfied, expected) in cases {
        let held = held(&Signing::default(), Effects::default());
        assert_eq!(outcome(held, &claims(), &of(OperatorRole::Owner, &[]), satisfied), expected);
    }
}

#[test]
fn o17_what_can_send_out_or_destroy_is_never_paid_for_by_a_series() {
    for (sends_out, destroys, expected) in [
        (false, false, Ok(())),
        (true, false, Err(NoSeries::SendsOut)),
        (false, true, Err(NoSeries::Destroys)),
        (true, true, Err(NoSeries::SendsOut)),
    ] {
        let held = held(&Signing::default(), Effects { sends_out, destroys });
        let result = outcome(held, &claims(), &of(OperatorRole::Owner, &[]), Some(schema()));
        assert_eq!(result, expected.map_err(Unpaid::NoSeries));
    }
}

#[test]
fn o17_what_a_tool_asks_of_each_signature_a_series_cannot_give() {
    let usual = Signing::default();
    let cases = [
        (Signing::by(2).unwrap(), NoSeries::Approvers),
        (Signing { presence: true, ..usual.clone() }, NoSeries::Presence),
        (Signing { reason: true, ..usual.clone() }, NoSeries::Reason),
    ];
    // Whoever gave both once gave them for no call in particular.
    let claims = SeriesClaims { rsn: Some(schema()), prs: true, ..claims() };
    for (rule, why) in cases {
        let held = held(&rule, Effects::default());
        let result = outcome(held, &claims, &of(OperatorRole::Owner, &[]), Some(schema()));
        assert_eq!(result, Err(Unpaid::NoSeries(why)));
    }
}

#[test]
fn o17_o15_whoever_may_not_sign_now_pays_for_nothing_with_what_was_signed_before() {
    let finance = Signing { group: Name::parse("finance").ok(), ..Signing::default() };
    let barring = Signing { bar_responsible: true, ..Signing::default() };
    let approver = |groups: &[&str]| of(OperatorRole::Approver, groups);
    let cases = [
        (Signing::default(), 1, of(OperatorRole::Auditor, &[]), Err(Ineligible::Role)),
        (Signing::default(), 1, of(OperatorRole::PolicyEditor, &[]), Err(Ineligible::Role)),
        (finance.clone(), 1, approver(&["finance"]), Ok(())),
        (finance.clone(), 1, approver(&["sales"]), Err(Ineligible::Group)),
        (finance, 1, of(OperatorRole::Owner, &[]), Err(Ineligible::Group)),
        (barring.clone(), 9, approver(&[]), Err(Ineligible::Barred)),
        (barring, 1, approver(&[]), Ok(())),
        (Signing::default(), 9, approver(&[]), Ok(())),
    ];
    for (rule, number, signatory, expected) in cases {
        let claims = SeriesClaims { iss: operator(number), ..claims() };
        let held = held(&rule, Effects::default());
        let result = outcome(held, &claims, &signatory, Some(schema()));
        assert_eq!(result, expected.map_err(Unpaid::Ineligible), "{rule} {number}");
    }
}

#[test]
fn only_other_arguments_and_a_clock_behind_leave_a_series_as_it_is() {
    let going = [Unpaid::Arguments, Unpaid::Mismatch(Mismatch::NotYet)];
    assert!(going.iter().all(|it| !it.is_final()));
    let over = [
        Unpaid::Mismatch(Mismatch::Definition),
        Unpaid::Mismatch(Mismatch::Expired),
        Unpaid::NoSeries(NoSeries::Destroys),
        Unpaid::Ineligible(Ineligible::Group),
    ];
    assert!(over.iter().all(|it| it.is_final()));
}
