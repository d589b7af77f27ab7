//! Tokens that were withdrawn before their time.

use cs_model::revocation::Revoked;

use super::super::world::GLOBEX;
use super::*;
use crate::world::Revocations;

impl Field {
    fn revoke(&self, of: u128, what: Revoked) {
        self.change(|world| {
            let mut revocations = Revocations::clone(&world.revocations);
            revocations.insert(tenant(of), what);
            world.revocations = Arc::new(revocations);
        });
    }
}

/// J15: every dimension, at once, for tokens that are known and for those that are not.
#[tokio::test]
async fn j15_a_token_that_was_withdrawn_is_refused_on_the_very_next_request() {
    let at = Timestamp::from_secs(NOW);
    let cases = |issuer: String| {
        let by = || issuer.clone();
        [
            ("token_revoked", Revoked::Token { issuer: by(), id: "canary-jti".into() }),
            ("issuer_key_revoked", Revoked::Key { issuer: by(), key_id: "key-1".into() }),
            (
                "subject_revoked",
                Revoked::Subject { issuer: by(), subject: "robin".into(), until: at },
            ),
            ("issuer_revoked", Revoked::Issuer { issuer: by(), until: at }),
        ]
    };
    for number in 0..4 {
        let field = Field::new().await;
        let (reason, what) = cases(field.idp.issuer())[number].clone();
        let token = field.token();
        field.accepted(&token).await;
        // J17: of another tenant or another issuer it is another token.
        field.revoke(GLOBEX, what);
        field.revoke(ACME, cases("https://other.example".into())[number].1.clone());
        field.accepted(&token).await;
        field.revoke(ACME, cases(field.idp.issuer())[number].1.clone());
        field.refused(&token, reason).await;
        let unseen = field.of(json!({"scope": "mcp:connect more"}));
        field.refused(&unseen, reason).await;
    }
}

/// J15: an issuer whose clock is ahead dates its tokens after the moment of the withdrawal. Those
/// that may have been there before are withdrawn with the rest; what came later is not.
#[tokio::test]
async fn j15_a_withdrawal_covers_what_a_clock_that_is_ahead_has_dated_after_it() {
    let until = Timestamp::from_secs(NOW);
    let issuer = |field: &Field| Revoked::Issuer { issuer: field.idp.issuer(), until };
    let subject = |field: &Field| {
        let (issuer, subject) = (field.idp.issuer(), "robin".to_owned());
        Revoked::Subject { issuer, subject, until }
    };
    type What<'w> = &'w dyn Fn(&Field) -> Revoked;
    let cases: [(&str, What<'_>); 2] = [("issuer_revoked", &issuer), ("subject_revoked", &subject)];
    for (reason, what) in cases {
        let field = Field::new().await;
        let dated = |ahead: i64| {
            let (issued, expires) = (NOW + ahead, NOW + ahead + 600);
            field
                .of(json!({"iat": issued, "nbf": issued, "exp": expires, "jti": ahead.to_string()}))
        };
        let known = dated(20);
        field.accepted(&known).await;
        field.revoke(ACME, what(&field));
        for token in [known, dated(1), dated(30)] {
            field.refused(&token, reason).await;
        }
        field.stage.journal.pass(std::time::Duration::from_secs(5));
        field.accepted(&dated(31)).await;
    }
}

/// J16: a token without an id is withdrawn by what stands for it.
#[tokio::test]
async fn j16_a_token_without_an_id_can_be_withdrawn() {
    let field = Field::new().await;
    let token = field.of(json!({"jti": Value::Null}));
    field.accepted(&token).await;
    let (message, _) = token.rsplit_once('.').unwrap();
    let id = format!("sha256:{}", cs_model::Digest::of(message.as_bytes()));
    field.revoke(ACME, Revoked::Token { issuer: field.idp.issuer(), id });
    field.refused(&token, "token_revoked").await;
    field.accepted(&field.token()).await;
}

/// J15: among many requests, those that come after the withdrawal are refused, all of them.
#[tokio::test]
async fn j15_a_hundred_requests_around_a_withdrawal() {
    let field = Field::new().await;
    let token = field.token();
    field.accepted(&token).await;
    let address = field.stage.gateway.address();
    let client = field.client();
    let headers = [("authorization".to_owned(), format!("Bearer {token}"))];
    let bytes = client.bytes("POST", &headers, INITIALIZE.as_bytes());
    let send = || {
        let bytes = bytes.clone();
        tokio::spawn(async move { raw(address, &bytes).await.status })
    };
    let before: Vec<_> = (0..50).map(|_| send()).collect();
    tokio::task::yield_now().await;
    let what = Revoked::Token { issuer: field.idp.issuer(), id: "canary-jti".into() };
    field.revoke(ACME, what);
    let after: Vec<_> = (0..50).map(|_| send()).collect();
    for reply in before {
        assert!([200, 401].contains(&reply.await.unwrap()));
    }
    for reply in after {
        assert_eq!(reply.await.unwrap(), 401);
    }
}

/// J15: on a stream that is open, and on a call that waits for a person.
#[tokio::test]
async fn j15_a_withdrawal_reaches_what_is_under_way() {
    let field = Field::new().await;
    let token = field.token();
    let authorization = ("authorization".to_owned(), format!("Bearer {token}"));
    let opened = field.present(&token).await;
    let session = opened.header("mcp-session-id").unwrap().to_owned();
    let client = field.client().header("mcp-session-id", &session);
    let client = client.header("mcp-protocol-version", "2025-11-25");
    let stream = client.bytes("GET", std::slice::from_ref(&authorization), b"");
    let address = field.stage.gateway.address();
    let stream = tokio::spawn(async move { raw(address, &stream).await });
    let body = super::super::client::legacy_call(1, "write_file", &json!({"path": "a"}));
    let call = client.bytes("POST", &[authorization], body.as_bytes());
    let call = tokio::spawn(async move { raw(address, &call).await });
    field.stage.journal.requests(1).await;
    let what = Revoked::Token { issuer: field.idp.issuer(), id: "canary-jti".into() };
    field.revoke(ACME, what);
    assert_eq!(call.await.unwrap().error_code(), -32602, "it is not held any more");
    assert_eq!(stream.await.unwrap().status, 200, "it has ended");
    let withdrawn = field.stage.journal.reasons(EventKind::ApprovalWithdrawn);
    assert_eq!(withdrawn, ["not_allowed_any_more"]);
    assert!(field.stage.journal.calls().is_empty());
}
