//! Who a request is from.

use super::*;

/// What does not differ from one refusal to the next.
fn masked(reply: &Reply) -> (u16, String, Option<String>) {
    let headers = reply.header("www-authenticate").map(str::to_owned);
    (reply.status, reply.body.clone(), headers)
}

impl Office {
    /// Demands that a client is refused for this reason as if it did not exist.
    async fn is_nobody(&self, reply: Reply, reason: &str) {
        let failed = self.events(EventKind::AuthnFailed);
        let reasons: Vec<_> = failed.iter().filter_map(|it| it.reason.clone()).collect();
        assert_eq!(reasons, [reason], "{}", reply.body);
        assert_eq!(failed[0].detail.as_deref(), Some("client"));
        assert_eq!((failed[0].agent, failed[0].tenant), (None, Some(tenant(ACME))));
        let record = serde_json::to_string(&failed).unwrap();
        assert!(!record.contains("canary"), "{record}");
        assert_eq!(error(&reply), (401, "invalid_client".to_owned()));
        let unknown = self.basic("csc_nobody", "ccs_x").await;
        if reply.header("www-authenticate").is_some() {
            assert_eq!(masked(&reply), masked(&unknown), "{reason}");
        } else {
            assert_eq!(reply.body, unknown.body, "{reason}");
        }
        assert!(self.events(EventKind::IssuerIssued).is_empty(), "{reason}");
        self.stage.journal.forget();
    }

    async fn basic(&self, id: &str, secret: &str) -> Reply {
        let form = [("grant_type", "client_credentials"), ("resource", &self.resource())];
        self.ask(&[("authorization", &basic(id, secret))], &form).await
    }

    /// What the client with the key gets for an assertion with these claims changed.
    async fn asserts(&self, changes: Value) -> Reply {
        self.presents(&self.assertion(changes)).await
    }

    async fn presents(&self, assertion: &str) -> Reply {
        let form = [
            ("grant_type", "client_credentials"),
            ("resource", &self.resource()),
            ("client_assertion_type", TYPE),
            ("client_assertion", assertion),
        ];
        self.ask(&[], &form).await
    }

    fn assertion(&self, changes: Value) -> String {
        let mut said = json!({
            "iss": "csc_keyed", "sub": "csc_keyed", "aud": self.issuer(), "iat": NOW,
            "exp": NOW + 60, "jti": "canary-jti",
        });
        for (name, value) in changes.as_object().unwrap() {
            said[name] = value.clone();
        }
        let header = json!({"alg": "EdDSA", "kid": self.key.id}).to_string();
        self.key.sign(&header, &said.to_string())
    }
}

#[tokio::test]
async fn j10_unknown_clients_and_wrong_proofs_get_one_answer() {
    let office = Office::new().await;
    office.is_nobody(office.basic("csc_nobody", TEXT).await, "client_unknown").await;
    office.is_nobody(office.basic(ID, "ccs_wrong").await, "client_secret_wrong").await;
    office.is_nobody(office.basic(ID, &TEXT[..TEXT.len() - 1]).await, "client_secret_wrong").await;
    // Of another tenant it does not exist.
    office.is_nobody(office.basic("csc_foreign", "ccs_foreign").await, "client_unknown").await;
    office.is_nobody(office.basic("csc_keyed", "ccs_x").await, "client_method_wrong").await;
    let malformed = office.ask(&[("authorization", "Basic !")], &[]).await;
    office.is_nobody(malformed, "authorization_malformed").await;
    let bearer = office.ask(&[("authorization", "Bearer x")], &[]).await;
    office.is_nobody(bearer, "authorization_malformed").await;
    office.is_nobody(office.ask(&[], &[]).await, "client_missing").await;
    let named = office.ask(&[], &[("client_id", ID)]).await;
    office.is_nobody(named, "client_method_wrong").await;
    let in_body = office.ask(&[], &[("client_id", ID), ("client_secret", TEXT)]).await;
    office.is_nobody(in_body, "client_method_wrong").await;
}

#[tokio::test]
async fn a_client_comes_with_exactly_one_proof() {
    let office = Office::new().await;
    let (right, assertion) = (basic(ID, TEXT), office.assertion(json!({})));
    let usual = [("grant_type", "client_credentials"), ("resource", &office.resource())];
    type Pairs<'p> = &'p [(&'p str, &'p str)];
    let proofs: [(Pairs<'_>, Pairs<'_>); 3] = [
        (&[("authorization", &right)], &[("client_secret", TEXT)]),
        (
            &[("authorization", &right)],
            &[("client_assertion_type", TYPE), ("client_assertion", &assertion)],
        ),
        (&[], &[("client_secret", TEXT), ("client_assertion", &assertion)]),
    ];
    for (headers, form) in proofs {
        office.stage.journal.forget();
        refused(&office.ask(headers, &[&usual, form].concat()).await, "invalid_request");
        let told = office.stage.journal.reasons(EventKind::IssuerRefused);
        assert_eq!(told, ["several_methods"]);
    }
    office.stage.journal.forget();
    let twice = [("authorization", right.as_str()), ("authorization", &right)];
    office.is_nobody(office.ask(&twice, &usual).await, "several_credentials").await;
    let other = [&usual[..], &[("client_id", "csc_rival")]].concat();
    let other = office.ask(&[("authorization", &right)], &other).await;
    office.is_nobody(other, "client_mismatch").await;
    let same = [&usual[..], &[("client_id", ID)]].concat();
    granted(&office.ask(&[("authorization", &right)], &same).await);
}

#[tokio::test]
async fn an_assertion_is_for_this_issuer_and_of_this_client_and_is_used_once() {
    let journal: Arc<Journal> = Arc::default();
    let office = Office::after(journal.clone(), |_| {}).await;
    granted(&office.asserts(json!({})).await);
    office.stage.journal.forget();
    office.is_nobody(office.asserts(json!({})).await, "replay").await;
    let token = format!("{}/token", office.issuer());
    granted(&office.asserts(json!({"aud": token, "jti": "a"})).await);
    office.stage.journal.forget();

    let foreign = office.issuer().replace("acme", "globex");
    let wrong = [
        (json!({"aud": foreign}), "jwt_audience_wrong"),
        (json!({"aud": format!("{}/", office.issuer())}), "jwt_audience_wrong"),
        (json!({"aud": [office.issuer(), "x"]}), "jwt_audience_several"),
        (json!({"iss": "csc_worker"}), "jwt_issuer_wrong"),
        (json!({"exp": NOW}), "jwt_expired"),
        (json!({"exp": NOW + 3600}), "jwt_lifetime_too_long"),
        (json!({"iat": NOW + 3600}), "jwt_issued_in_future"),
        (json!({"jti": ""}), "jwt_id_invalid"),
    ];
    for (number, (changes, reason)) in wrong.into_iter().enumerate() {
        let mut changes = changes;
        if changes.get("jti").is_none() {
            changes["jti"] = json!(format!("wrong-{number}"));
        }
        office.is_nobody(office.asserts(changes).await, reason).await;
    }
    let unknown = json!({"iss": "csc_nobody", "sub": "csc_nobody", "jti": "b"});
    office.is_nobody(office.asserts(unknown).await, "client_unknown").await;
    let other = json!({"iss": ID, "sub": ID, "jti": "c"});
    office.is_nobody(office.asserts(other).await, "client_method_wrong").await;
    let stolen = Key::new(8);
    let forged = stolen.sign(
        &json!({"alg": "EdDSA", "kid": office.key.id}).to_string(),
        &json!({"iss": "csc_keyed", "sub": "csc_keyed", "aud": office.issuer(), "iat": NOW,
                "exp": NOW + 60, "jti": "d"})
        .to_string(),
    );
    office.is_nobody(office.presents(&forged).await, "jwt_signature_wrong").await;
    let unnamed = office.assertion(json!({"jti": "e"}));
    let form = [("client_assertion_type", "x"), ("client_assertion", unnamed.as_str())];
    office.is_nobody(office.ask(&[], &form).await, "assertion_missing").await;

    let again = Office::after(journal, |_| {}).await;
    again.is_nobody(again.asserts(json!({})).await, "replay").await;
}

#[tokio::test]
async fn what_ended_a_client_ends_what_it_can_have_and_its_tokens() {
    type Ends = fn(&Office);
    let cases: [(&str, &str, Ends); 6] = [
        ("credential_revoked", "credential_revoked", |office| {
            office.change_client(SECRET, |it| it.state = CredentialState::Revoked);
        }),
        ("credential_suspended", "credential_suspended", |office| {
            office.change_client(SECRET, |it| it.state = CredentialState::Suspended);
        }),
        ("credential_expired", "credential_expired", |office| {
            office.change_client(SECRET, |it| it.expires = Timestamp::from_secs(NOW));
        }),
        ("network_not_allowed", "network_not_allowed", |office| {
            office.change_client(SECRET, |it| it.networks = vec!["10.0.0.0/8".parse().unwrap()]);
        }),
        ("agent_suspended", "agent_suspended", |office| {
            let mut document = policy();
            document.tenants[0].agents[0].standing = cs_model::state::Standing::Suspended;
            office.open(&document);
        }),
        ("tenant_suspended", "tenant_suspended", |office| {
            let mut document = policy();
            document.tenants[0].standing = cs_model::state::Standing::Suspended;
            office.open(&document);
        }),
    ];
    for (reason, later, end) in cases {
        let office = Office::new().await;
        let token = office.token().await;
        assert_eq!(office.present(&token).await.status, 200, "{reason}");
        end(&office);
        office.stage.journal.forget();
        office.is_nobody(office.basic(ID, TEXT).await, reason).await;
        office.is_over(&token, later).await;
    }
}

#[tokio::test]
async fn nobody_asks_too_often_and_nobody_uses_up_what_is_somebody_elses() {
    let office = Office::with(|config| {
        config.limits.issuer = crate::IssuerLimits { address: 40, client: 3, failures: 5 };
    })
    .await;
    // Whoever does not prove who it is does not count against the client that it names.
    for _ in 0..4 {
        office.basic(ID, "ccs_wrong").await;
    }
    for _ in 0..3 {
        granted(&office.basic(ID, TEXT).await);
    }
    office.stage.journal.forget();
    for count in 0..3 {
        let reply = office.basic(ID, TEXT).await;
        assert_eq!(reply.status, 429, "{}", reply.body);
        let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
        let told = office.stage.journal.reasons(EventKind::IssuerRefused);
        assert_eq!(told, ["rate_limited"], "one record is enough ({count})");
    }
    granted(&office.basic("csc_rival", "ccs_rival").await);
    office.basic(ID, "ccs_wrong").await;
    let failures = office.basic("csc_rival", "ccs_rival").await;
    assert_eq!(failures.status, 429, "too many attempts from there failed");
    office.stage.journal.pass(Duration::from_secs(60));
    granted(&office.basic(ID, TEXT).await);
    let mut last = 200;
    for _ in 0..45 {
        last = office.post("/t/acme/as/introspect", &[], "token=x").await.status;
        office.stage.journal.forget();
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_issued() {
    let office = Office::new().await;
    let down = &office.stage.journal.audit_is_down;
    down.store(true, std::sync::atomic::Ordering::SeqCst);
    let reply = office.basic(ID, TEXT).await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("5")));
    assert!(!reply.body.contains("access_token"), "{}", reply.body);
    let reply = office.basic(ID, "ccs_wrong").await;
    assert_eq!(reply.status, 503, "nor is anybody refused");
}
