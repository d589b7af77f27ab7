use cs_model::op_token::{self, OperationClaims};
use cs_model::series::{MOST_CALLS, MOST_SECS};
use cs_model::{
    AgentId, Digest, OperationTokenId, SeriesId, ServerId, SessionId, TaskId, TenantId, ToolId,
};

use super::*;
use crate::operation;

fn key() -> OperatorKey {
    OperatorKey::from_seed([5; 32]).unwrap()
}

fn operator() -> OperatorId {
    OperatorId::from_random([1; 16])
}

fn keys(id: OperatorId) -> Option<[u8; 32]> {
    (id == operator()).then(|| key().public_key())
}

fn claims() -> SeriesClaims {
    SeriesClaims {
        iss: operator(),
        aud: "countersign:instance".to_owned(),
        sub: AgentId::from_random([2; 16]),
        tenant: TenantId::from_random([3; 16]),
        sid: SessionId::from_random([4; 16]),
        task: TaskId::from_random([5; 16]),
        server: ServerId::from_random([6; 16]),
        tool: ToolId::from_random([7; 16]),
        tool_fpr: Digest::of(b"definition"),
        schema: Digest::of(b"{}"),
        n: 10,
        pv: 12,
        jti: SeriesId::from_random([8; 16]),
        iat: 1_785_231_000,
        exp: 1_785_231_600,
        rsn: None,
        prs: true,
    }
}

fn operation_claims() -> OperationClaims {
    let it = claims();
    OperationClaims {
        iss: it.iss,
        aud: it.aud,
        sub: it.sub,
        tenant: it.tenant,
        sid: it.sid,
        task: it.task,
        server: it.server,
        tool: it.tool,
        tool_fpr: it.tool_fpr,
        args: it.schema,
        pv: it.pv,
        jti: OperationTokenId::from_random([8; 16]),
        iat: it.iat,
        exp: it.iat.saturating_add(120),
        rsn: None,
        prs: true,
        brk: false,
    }
}

#[test]
fn a_minted_series_verifies_and_says_what_was_signed() {
    let token = mint(&claims(), &key()).unwrap();
    assert_eq!(verify(&token, keys).unwrap().claims(), &claims());
}

#[test]
fn o17_a_series_is_for_a_hundred_calls_and_a_quarter_of_an_hour_at_most() {
    let iat = claims().iat;
    for (n, exp, good) in [
        (1, iat + 1, true),
        (MOST_CALLS, iat + MOST_SECS, true),
        (0, iat + 60, false),
        (MOST_CALLS + 1, iat + 60, false),
        (1, iat + MOST_SECS + 1, false),
        (1, iat, false),
        (1, i64::MAX, false),
    ] {
        let claims = SeriesClaims { n, exp, ..claims() };
        assert_eq!(mint(&claims, &key()).is_ok(), good, "{n} {exp}");
    }
}

/// Attacks O17, J03: what was signed for one purpose is worth nothing for the other.
#[test]
fn o17_j03_no_series_passes_for_a_token_and_no_token_for_a_series() {
    let token = operation::mint(&operation_claims(), &key()).unwrap();
    assert_eq!(verify(&token, keys).unwrap_err(), TokenError::Header);
    let series = mint(&claims(), &key()).unwrap();
    assert_eq!(operation::verify(&series, keys).unwrap_err(), TokenError::Header);
    // Also where somebody with the key signs the claims of one under the type of the other.
    let token = signed(TYPE, &operation_claims(), &key()).unwrap();
    assert_eq!(verify(&token, keys).unwrap_err(), TokenError::Claims);
    let series = signed(op_token::TYPE, &claims(), &key()).unwrap();
    assert_eq!(operation::verify(&series, keys).unwrap_err(), TokenError::Claims);
}

#[test]
fn o17_a_forged_or_changed_series_is_not_believed() {
    let other = OperatorKey::from_seed([6; 32]).unwrap();
    let token = mint(&claims(), &other).unwrap();
    assert_eq!(verify(&token, keys).unwrap_err(), TokenError::Signature);
    let own = mint(&claims(), &key()).unwrap();
    assert_eq!(verify(&own, |_| None).unwrap_err(), TokenError::Operator);
    let wider = mint(&SeriesClaims { n: 100, ..claims() }, &key()).unwrap();
    let parts = |token: &str| token.split('.').map(str::to_owned).collect::<Vec<_>>();
    let (own, wider) = (parts(&own), parts(&wider));
    let mixed = format!("{}.{}.{}", own[0], wider[1], own[2]);
    assert_eq!(verify(&mixed, keys).unwrap_err(), TokenError::Signature);
    let stripped = format!("{}.{}.", own[0], own[1]);
    assert!(verify(&stripped, keys).is_err());
}
