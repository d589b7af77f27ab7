//! What ends tokens, and what does not.

use super::*;

impl Office {
    fn keys(&self, seeds: &[u8]) {
        self.change(|world| {
            let mut issuers = OwnIssuers::clone(&world.issuers);
            issuers.insert(issuer(&policy(), 0, seeds));
            world.issuers = Arc::new(issuers);
        });
    }
}

#[tokio::test]
async fn j15_an_issuer_that_is_disabled_ends_its_tokens_on_the_next_request() {
    let office = Office::new().await;
    let token = office.token().await;
    assert_eq!(office.present(&token).await.status, 200);
    let mut off = policy();
    off.tenants[0].issuer = None;
    office.open(&off);
    office.is_over(&token, "issuer_unknown").await;
    // Enabled again it has other keys.
    office.open(&policy());
    office.keys(&[3, 4]);
    office.is_over(&token, "jwt_key_unknown").await;
}

#[tokio::test]
async fn j21_a_rotation_refuses_nobody_and_a_key_that_is_gone_opens_nothing() {
    let office = Office::new().await;
    let first = office.token().await;
    office.keys(&[2, 3, 1]);
    let second = office.token().await;
    let header = |token: &str| {
        let head = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
        serde_json::from_slice::<Value>(&head).unwrap()["kid"].clone()
    };
    assert_ne!(header(&first), header(&second));
    for token in [&first, &second] {
        assert_eq!(office.present(token).await.status, 200);
    }
    let keys: Value = serde_json::from_str(&office.get("/t/acme/as/jwks").await.body).unwrap();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 3);
    office.keys(&[2, 3]);
    office.is_over(&first, "jwt_key_unknown").await;
    assert_eq!(office.present(&second).await.status, 200);
}

#[tokio::test]
async fn j06_a_token_of_one_tenants_issuer_is_nothing_to_another() {
    let office = Office::new().await;
    let host = office.host();
    let form = [
        ("grant_type", "client_credentials".to_owned()),
        ("resource", format!("http://{host}/t/globex/task/workbench/mcp")),
    ];
    let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let auth = basic("csc_foreign", "ccs_foreign");
    let body = encoded(&form);
    let foreign = office.post("/t/globex/as/token", &[("authorization", &auth)], &body).await;
    office.is_over(&granted(&foreign), "issuer_unknown").await;
    // Both tenants' issuers have the same keys here: the name alone tells them apart.
    let own = office.token().await;
    let client = office.stage.client(STRANGER);
    let headers = [("authorization".to_owned(), format!("Bearer {own}"))];
    let bytes = client.bytes("POST", &headers, INITIALIZE.as_bytes());
    assert_eq!(raw(office.stage.gateway.address(), &bytes).await.status, 401);
}

#[tokio::test]
async fn j15_every_withdrawal_reaches_the_issuers_tokens() {
    let office = Office::new().await;
    let token = office.token().await;
    let key = IssuerKey::from_seed(&[1; 32]).unwrap().id().to_owned();
    let (by, until) = (office.issuer(), Timestamp::from_secs(NOW));
    let jti = claims(&token)["jti"].as_str().unwrap().to_owned();
    let all = [
        ("token_revoked", Revoked::Token { issuer: by.clone(), id: jti }),
        ("issuer_key_revoked", Revoked::Key { issuer: by.clone(), key_id: key }),
        ("subject_revoked", Revoked::Subject { issuer: by.clone(), subject: ID.into(), until }),
        ("issuer_revoked", Revoked::Issuer { issuer: by, until }),
    ];
    for (reason, what) in all {
        assert_eq!(office.present(&token).await.status, 200, "{reason}");
        office.change(|world| {
            let mut revocations = Revocations::default();
            revocations.insert(tenant(ACME), what);
            world.revocations = Arc::new(revocations);
        });
        office.is_over(&token, reason).await;
        office.change(|world| world.revocations = Arc::default());
    }
}

#[tokio::test]
async fn tokens_and_keys_survive_a_restart() {
    let journal: Arc<Journal> = Arc::default();
    let office = Office::after(journal.clone(), |_| {}).await;
    let token = office.token().await;
    let address = office.stage.gateway.address();
    office.stage.gateway.stop().await;
    drop(office);
    let again = Office::after(journal, |config| config.listen = address).await;
    assert_eq!(again.present(&token).await.status, 200);
    assert_eq!(again.call(&again.token().await, "read_file").await.text(), "done");
}
