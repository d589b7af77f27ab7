//! What a token is worth, and giving one up.

use super::*;

impl Office {
    async fn inspect(&self, (id, secret): (&str, &str), token: &str) -> Value {
        let auth = basic(id, secret);
        let body = encoded(&[("token", token)]);
        let reply = self.post("/t/acme/as/introspect", &[("authorization", &auth)], &body).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        serde_json::from_str(&reply.body).unwrap()
    }

    async fn give_up(&self, (id, secret): (&str, &str), token: &str) -> Reply {
        let auth = basic(id, secret);
        let body = encoded(&[("token", token), ("token_type_hint", "access_token")]);
        self.post("/t/acme/as/revoke", &[("authorization", &auth)], &body).await
    }
}

const OWN: (&str, &str) = (ID, TEXT);
const OTHERS: (&str, &str) = ("csc_rival", "ccs_rival");

#[tokio::test]
async fn j18_a_client_learns_what_tokens_of_its_tenant_are_worth_and_nothing_of_others() {
    let office = Office::new().await;
    let token = office.token().await;
    for who in [OWN, OTHERS] {
        let said = office.inspect(who, &token).await;
        assert_eq!((&said["active"], &said["client_id"]), (&json!(true), &json!(ID)));
        assert_eq!(
            (&said["aud"], &said["iss"]),
            (&json!(office.workbench()), &json!(office.issuer()))
        );
        assert_eq!((&said["exp"], &said["tenant"]), (&json!(NOW + 600), &json!("acme")));
        let claims = claims(&token);
        assert_eq!((&said["jti"], &said["scope"]), (&claims["jti"], &claims["scope"]));
        assert_eq!(said["authorization_details"], claims["authorization_details"]);
    }
    let nothing = json!({"active": false});
    let auth = basic("csc_foreign", "ccs_foreign");
    let host = office.host();
    let body = encoded(&[
        ("grant_type", "client_credentials"),
        ("resource", &format!("http://{host}/t/globex/mcp")),
    ]);
    let foreign = office.post("/t/globex/as/token", &[("authorization", &auth)], &body).await;
    let foreign = granted(&foreign);
    let (head, tail) = token.rsplit_once('.').unwrap();
    let forged = format!("{head}.{}", tail.chars().rev().collect::<String>());
    for text in ["x", &foreign, &forged] {
        assert_eq!(office.inspect(OWN, text).await, nothing, "{text}");
    }
    let body = encoded(&[("token", token.as_str())]);
    let nobody = office.post("/t/acme/as/introspect", &[], &body).await;
    assert_eq!(error(&nobody), (401, "invalid_client".to_owned()));
    // A client of another tenant is nobody here.
    let auth = [("authorization", auth.as_str())];
    let stranger = office.post("/t/acme/as/introspect", &auth, &body).await;
    assert_eq!(error(&stranger), (401, "invalid_client".to_owned()));
    let without = basic(ID, TEXT);
    let without = office.post("/t/acme/as/introspect", &[("authorization", &without)], "").await;
    refused(&without, "invalid_request");

    office.change_client(SECRET, |it| it.state = CredentialState::Suspended);
    assert_eq!(office.inspect(OTHERS, &token).await, nothing);
    office.change_client(SECRET, |it| it.state = CredentialState::Active);
    office.stage.journal.pass(Duration::from_secs(600));
    assert_eq!(office.inspect(OTHERS, &token).await, nothing);
}

#[tokio::test]
async fn j15_a_client_gives_its_token_up_and_it_opens_nothing_from_then_on() {
    let office = Office::new().await;
    let (token, other) = (office.token().await, office.token().await);
    assert_eq!(office.present(&token).await.status, 200);
    office.stage.journal.forget();
    // Nobody gives up what is somebody else's.
    assert_eq!(office.give_up(OTHERS, &token).await.status, 200);
    assert_eq!(office.stage.journal.reasons(EventKind::IssuerRefused), ["token_of_another"]);
    assert_eq!(office.present(&token).await.status, 200);
    let nobody = office.post("/t/acme/as/revoke", &[], &encoded(&[("token", &token)])).await;
    assert_eq!(error(&nobody), (401, "invalid_client".to_owned()));
    assert_eq!(office.present(&token).await.status, 200);

    assert_eq!(office.give_up(OWN, &token).await.status, 200);
    let told = office.events(EventKind::IssuerRevoked);
    assert_eq!((told.len(), told[0].credential), (1, Some(credential(SECRET))));
    office.is_over(&token, "token_revoked").await;
    assert_eq!(office.inspect(OWN, &token).await, json!({"active": false}));
    assert_eq!(office.present(&other).await.status, 200);
    assert_eq!(office.give_up(OWN, &token).await.status, 200, "again it changes nothing");
    assert_eq!(office.give_up(OWN, "x").await.status, 200);
    assert_eq!(office.events(EventKind::IssuerRevoked).len(), 0);
}

#[tokio::test]
async fn j15_giving_a_token_up_reaches_what_is_under_way() {
    let office = Office::new().await;
    let token = office.token().await;
    let authorization = ("authorization".to_owned(), format!("Bearer {token}"));
    let opened = office.present(&token).await;
    let session = opened.header("mcp-session-id").unwrap().to_owned();
    let client = office.stage.client(WORKER).header("mcp-session-id", &session);
    let client: Client = client.header("mcp-protocol-version", "2025-11-25");
    let stream = client.bytes("GET", std::slice::from_ref(&authorization), b"");
    let address = office.stage.gateway.address();
    let stream = tokio::spawn(async move { raw(address, &stream).await });
    let body = super::super::client::legacy_call(1, "write_file", &json!({"path": "a"}));
    let call = client.bytes("POST", &[authorization], body.as_bytes());
    let call = tokio::spawn(async move { raw(address, &call).await });
    office.stage.journal.requests(1).await;
    assert_eq!(office.give_up(OWN, &token).await.status, 200);
    assert_eq!(call.await.unwrap().error_code(), -32602, "it is not held any more");
    assert_eq!(stream.await.unwrap().status, 200, "it has ended");
    assert!(office.stage.journal.calls().is_empty());
}
