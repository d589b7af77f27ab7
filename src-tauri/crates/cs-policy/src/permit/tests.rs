use cs_model::state::OperatorRole;
use cs_model::{OperationTokenId, OperatorId, Signatory};

use super::*;
use crate::fixture::*;
use crate::{Verdict, decide};

const GATEWAY: &str = "countersign:instance";

fn held() -> Held {
    let snapshot = compiled(&document());
    let session = session(&snapshot, ROBIN, Some(TIDY));
    let Verdict::Hold(held) = decide(&snapshot, &session, &call("write"), NOON) else { panic!() };
    held
}

/// Claims that fit the call and are good for two minutes from noon.
fn claims() -> OperationClaims {
    let held = held();
    OperationClaims {
        iss: OperatorId::from_random([1; 16]),
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
        jti: OperationTokenId::from_random([2; 16]),
        iat: 1_785_231_000,
        exp: 1_785_231_120,
        rsn: None,
        prs: false,
        brk: false,
    }
}

#[test]
fn o08_a_token_countersigns_the_very_call_it_was_made_out_for_and_no_other() {
    let other = [9; 16];
    let digest = Digest::of(b"other");
    let cases: Vec<(&str, OperationClaims, Option<Mismatch>)> = vec![
        ("fits", claims(), None),
        (
            "another gateway",
            OperationClaims { aud: "countersign:x".into(), ..claims() },
            Some(Mismatch::Gateway),
        ),
        ("no gateway", OperationClaims { aud: String::new(), ..claims() }, Some(Mismatch::Gateway)),
        (
            "gateway in other case",
            OperationClaims { aud: GATEWAY.to_uppercase(), ..claims() },
            Some(Mismatch::Gateway),
        ),
        ("another tenant", OperationClaims { tenant: GLOBEX, ..claims() }, Some(Mismatch::Tenant)),
        ("another agent", OperationClaims { sub: EVE, ..claims() }, Some(Mismatch::Agent)),
        (
            "another session",
            OperationClaims { sid: SessionId::from_random(other), ..claims() },
            Some(Mismatch::Session),
        ),
        ("another task", OperationClaims { task: REPORT, ..claims() }, Some(Mismatch::Task)),
        ("another server", OperationClaims { server: MAIL, ..claims() }, Some(Mismatch::Server)),
        ("another tool", OperationClaims { tool: READ, ..claims() }, Some(Mismatch::Tool)),
        (
            "another definition",
            OperationClaims { tool_fpr: digest, ..claims() },
            Some(Mismatch::Definition),
        ),
        (
            "other arguments",
            OperationClaims { args: digest, ..claims() },
            Some(Mismatch::Arguments),
        ),
        (
            "another operator",
            OperationClaims { iss: OperatorId::from_random(other), ..claims() },
            None,
        ),
        ("another policy version", OperationClaims { pv: 11, ..claims() }, None),
    ];
    for (name, claims, expected) in cases {
        assert_eq!(held().check(&claims, GATEWAY, NOON).err(), expected, "{name}");
        let signatory = Signatory { role: OperatorRole::Approver, groups: [].into() };
        let signature = Signature { claims: &claims, signatory: &signatory };
        match (held().release(&[signature], GATEWAY, NOON), expected) {
            (Ok(permit), None) => assert_eq!(permit.judged, held().judged, "{name}"),
            (Err((again, mismatch)), Some(expected)) => {
                assert_eq!(mismatch, Unsigned::Mismatch(expected), "{name}");
                assert_eq!(*again, held(), "{name}: the call is held on");
            }
            (outcome, _) => panic!("{name}: {outcome:?}"),
        }
    }
}

#[test]
fn o09_a_token_holds_from_its_first_second_to_the_one_before_its_last() {
    let noon = NOON.secs();
    for (name, iat, exp, expected) in [
        ("two minutes", noon, noon + 120, None),
        ("five minutes", noon, noon + 300, None),
        ("one second more", noon, noon + 301, Some(Mismatch::Expired)),
        ("ends in a second", noon - 100, noon + 1, None),
        ("ends now", noon - 100, noon, Some(Mismatch::Expired)),
        ("ended", noon - 100, noon - 1, Some(Mismatch::Expired)),
        ("signed five seconds ahead", noon + 5, noon + 125, None),
        ("signed six seconds ahead", noon + 6, noon + 126, Some(Mismatch::NotYet)),
        ("for ever", noon, i64::MAX, Some(Mismatch::Expired)),
        ("since ever", i64::MIN, noon + 1, Some(Mismatch::Expired)),
        ("since ever for ever", i64::MIN, i64::MAX, Some(Mismatch::Expired)),
        ("in the far future", i64::MAX, i64::MAX, Some(Mismatch::NotYet)),
        ("ends before it begins", noon + 3, noon - 1, Some(Mismatch::Expired)),
    ] {
        let claims = OperationClaims { iat, exp, ..claims() };
        assert_eq!(held().check(&claims, GATEWAY, NOON).err(), expected, "{name}");
    }
    let last = Timestamp::from_millis((noon + 120) * 1000 - 1);
    assert_eq!(held().check(&claims(), GATEWAY, last), Ok(()), "to the last millisecond");
    assert_eq!(
        held().check(&claims(), GATEWAY, Timestamp::from_secs(noon + 120)),
        Err(Mismatch::Expired)
    );
}

#[test]
fn every_mismatch_has_a_code_of_its_own() {
    let all = [
        Mismatch::Agent,
        Mismatch::Arguments,
        Mismatch::Definition,
        Mismatch::Expired,
        Mismatch::Gateway,
        Mismatch::NotYet,
        Mismatch::Server,
        Mismatch::Session,
        Mismatch::Task,
        Mismatch::Tenant,
        Mismatch::Tool,
    ];
    let codes: std::collections::BTreeSet<_> = all.iter().map(|mismatch| mismatch.code()).collect();
    assert_eq!(codes.len(), all.len());
}
