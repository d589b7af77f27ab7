//! Tokens of the wrong form, by the wrong key, and in the wrong place.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use cs_trust::{OperatorKey, operation};

use super::super::idp::text;
use super::*;

/// Everything that an access token is not. None of it may cause a connection.
#[tokio::test]
async fn j01_j02_j04_j05_j12_j13_j25_j28_what_is_no_access_token_opens_nothing() {
    let field = Field::new().await;
    let token = field.token();
    field.accepted(&token).await;
    let [header, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!() };
    let head = |changes: Value| field.by(&field.key, changes, json!({}));
    let unsigned = |alg: Value| {
        let head = json!({"alg": alg, "typ": "at+jwt", "kid": field.key.id}).to_string();
        format!("{}.{payload}.", text(head))
    };
    let claims = field.claims().to_string();
    let raw = |payload: &str| field.key.sign(&field.header().to_string(), payload);
    let deep = format!("{}{}", "[".repeat(2000), "]".repeat(2000));
    let mut cases: Vec<(&str, String)> = vec![
        // J01
        ("jwt_algorithm_unknown", unsigned(json!("none"))),
        ("jwt_algorithm_unknown", unsigned(json!("nOnE"))),
        ("jwt_algorithm_unknown", unsigned(json!(""))),
        ("jwt_header_refused", unsigned(json!(["EdDSA"]))),
        ("jwt_signature_wrong", format!("{header}.{payload}.")),
        // J02
        ("jwt_algorithm_unknown", head(json!({"alg": "HS256"}))),
        ("jwt_key_mismatch", head(json!({"alg": "ES256"}))),
        // J04
        ("jwt_header_refused", head(json!({"crit": ["x"]}))),
        ("jwt_header_refused", head(json!({"crit": []}))),
        ("jwt_header_refused", head(json!({"b64": false}))),
        ("jwt_header_refused", head(json!({"zip": "DEF"}))),
        ("jwt_header_refused", head(json!({"cty": "JWT"}))),
        ("jwt_header_refused", head(json!({"enc": "A128GCM"}))),
        // J05
        ("jwt_header_refused", head(json!({"jwk": field.key.jwk()}))),
        ("jwt_header_refused", head(json!({"jku": format!("http://{}/jwks", field.idp.address)}))),
        ("jwt_header_refused", head(json!({"x5u": "http://169.254.169.254/"}))),
        ("jwt_header_refused", head(json!({"x5c": ["MIIB"]}))),
        ("jwt_header_refused", head(json!({"kid": "k".repeat(300)}))),
        // J12
        ("jwt_payload_malformed", raw(&format!("[{claims}]"))),
        ("jwt_payload_malformed", raw("\"text\"")),
        ("jwt_payload_malformed", raw(&deep)),
        ("jwt_payload_malformed", raw(&claims.replacen("\"sub\"", "\"iss\":\"x\",\"iss\"", 1))),
        // J13
        ("jwt_type_refused", head(json!({"typ": "JWT"}))),
        ("jwt_type_refused", head(json!({"typ": "logout+jwt"}))),
        ("jwt_type_refused", head(json!({"typ": "dpop+jwt"}))),
        ("jwt_type_refused", head(json!({"typ": null}))),
        // J25, J28
        ("jwt_malformed", format!("{token}.x")),
        ("jwt_malformed", format!("x.{token}")),
        ("jwt_malformed", format!("{header}.{payload}")),
        ("jwt_malformed", format!("{header}.{payload}.{signature}=")),
        ("jwt_malformed", format!("{header}=.{payload}.{signature}")),
        ("jwt_malformed", "a.b.c.d.e".to_owned()),
        ("jwt_too_long", format!("{header}.{payload}.{}", "A".repeat(9000))),
        // An API key is no token.
        ("jwt_malformed", "css_0000000000000000000000000000000000000000000".to_owned()),
    ];
    let broken =
        signature.replace(&signature[..4], if &signature[..4] == "AAAA" { "BBBB" } else { "AAAA" });
    cases.push(("jwt_signature_wrong", format!("{header}.{payload}.{broken}")));
    for (reason, token) in cases {
        field.refused(&token, reason).await;
    }
    assert_eq!(field.idp.asked(""), 1, "nothing was fetched for any of them");
}

/// J13: what an operator signs opens no door, whoever the issuer says it is.
#[tokio::test]
async fn j13_an_operation_token_is_no_access_token() {
    let field = Field::new().await;
    let key = OperatorKey::from_seed([42; 32]).unwrap();
    let claims = cs_model::op_token::OperationClaims {
        iss: super::super::world::operator(1),
        aud: field.resource(),
        sub: agent(WORKER),
        tenant: tenant(ACME),
        sid: cs_model::SessionId::from_random([1; 16]),
        task: super::super::world::task(1),
        server: super::super::world::server(1),
        tool: super::super::world::tool(1),
        tool_fpr: cs_model::Digest::of(b""),
        args: cs_model::Digest::of(b""),
        pv: 1,
        jti: super::super::world::token(1),
        iat: NOW,
        exp: NOW + 60,
        rsn: None,
        prs: false,
        brk: false,
    };
    let token = operation::mint(&claims, &key).unwrap();
    let reply = field.present(&token).await;
    assert_eq!(reply.status, 401);
    assert_eq!(field.stage.journal.reasons(EventKind::AuthnFailed), ["issuer_unknown"]);
}

#[tokio::test]
async fn j02_j03_a_signature_of_another_kind_is_worth_nothing() {
    let field = Field::new().await;
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let point = pair.public_key().as_ref();
    let jwk = json!({"kty": "EC", "crv": "P-256", "kid": "point", "x": text(&point[1..33]),
        "y": text(&point[33..])});
    field.idp.behave().jwks = Answer::ok(json!({"keys": [jwk]}));
    let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": "point"}).to_string();
    let message = format!("{}.{}", text(header), text(field.claims().to_string()));
    let good = pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
    field.accepted(&format!("{message}.{}", text(good.as_ref()))).await;
    let order = "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551";
    let order: Vec<u8> =
        (0..32).map(|at| u8::from_str_radix(&order[at * 2..at * 2 + 2], 16).unwrap()).collect();
    let cases = [
        vec![0; 64],
        [order.clone(), vec![0; 32]].concat(),
        [vec![0; 32], order.clone()].concat(),
        [order.clone(), order].concat(),
        good.as_ref()[..63].to_vec(),
        vec![],
        [good.as_ref(), &[0]].concat(),
    ];
    for signature in cases {
        field.refused(&format!("{message}.{}", text(signature)), "jwt_signature_wrong").await;
    }
}

/// J05: a key id is looked up among the keys of the issuer, and nowhere else.
#[tokio::test]
async fn j05_a_key_of_another_issuer_does_not_count() {
    let field = Field::new().await;
    let other = Key::new(2);
    let elsewhere = Idp::start(&[&other]).await;
    field.refused(&field.by(&other, json!({}), json!({})), "jwt_key_unknown").await;
    field
        .refused(&field.by(&other, json!({"kid": "../../dev/null"}), json!({})), "jwt_key_unknown")
        .await;
    field
        .refused(&field.by(&other, json!({"kid": "' OR 1=1"}), json!({})), "jwt_key_unknown")
        .await;
    field
        .refused(&field.by(&other, json!({"kid": field.key.id}), json!({})), "jwt_signature_wrong")
        .await;
    assert_eq!(elsewhere.asked(""), 0);
}

#[tokio::test]
async fn k15_two_credentials_are_one_too_many() {
    let field = Field::new().await;
    let token = field.token();
    let bearer = format!("Bearer {token}");
    let signed = field.client().signature("POST", INITIALIZE.as_bytes());
    let signed: Vec<_> = signed.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let one = ("authorization", bearer.as_str());
    let cases: Vec<(&str, Vec<(&str, &str)>)> = vec![
        ("several_credentials", vec![one, one]),
        ("several_credentials", vec![one, ("authorization", "Bearer x")]),
        ("several_methods", [vec![one], signed.clone()].concat()),
        ("several_methods", vec![one, signed[0]]),
        ("several_methods", vec![one, signed[1]]),
        ("authorization_scheme", vec![("authorization", "Basic cm9iaW46eA==")]),
        ("authorization_malformed", vec![("authorization", "Bearer")]),
        ("authorization_malformed", vec![("authorization", "Bearer  x")]),
        ("authorization_malformed", vec![("authorization", "Bearer a, Bearer b")]),
    ];
    for (reason, headers) in cases {
        field.stage.journal.forget();
        let reply = field.send(&headers).await;
        field.is_refusal(&reply, &token, reason).await;
    }
}

/// J26: a token counts in one place, and is not repeated from any other.
#[tokio::test]
async fn j26_a_token_elsewhere_is_no_credential_and_is_not_kept() {
    let field = Field::new().await;
    let token = field.token();
    let cookie = format!("access_token={token}");
    let cases: [(&str, &str); 3] =
        [("cookie", &cookie), ("mcp-param-authorization", &token), ("x-authorization", &token)];
    for header in cases {
        field.stage.journal.forget();
        let reply = field.send(&[header]).await;
        assert_eq!(reply.status, 401, "{header:?}");
        assert_eq!(field.stage.journal.reasons(EventKind::AuthnFailed), ["no_credential"]);
        is_nowhere(&field, &reply, &token);
    }
    let client = field.client();
    let query = client.clone().at(&format!("{}?access_token={token}", client.path));
    let bytes = query.bytes("POST", &[], INITIALIZE.as_bytes());
    let reply = raw(field.stage.gateway.address(), &bytes).await;
    assert_eq!(reply.status, 400);
    is_nowhere(&field, &reply, &token);

    let body = INITIALIZE.replacen('{', &format!("{{\"access_token\":\"{token}\","), 1);
    let bytes = client.bytes("POST", &[], body.as_bytes());
    let reply = raw(field.stage.gateway.address(), &bytes).await;
    assert_eq!(reply.status, 401);
    is_nowhere(&field, &reply, &token);
}

fn is_nowhere(field: &Field, reply: &Reply, token: &str) {
    let record = serde_json::to_string(&field.stage.journal.events()).unwrap();
    for part in token.split('.') {
        assert!(!record.contains(part) && !reply.body.contains(part));
        assert!(!format!("{:?}", reply.headers).contains(part));
    }
}

/// K15: what takes the place of a key is for whoever holds the key.
#[tokio::test]
async fn k15_no_token_fetches_what_takes_the_place_of_a_key() {
    let field = Field::new().await;
    let client = field.client().at("/t/acme/credentials/renew");
    let audience = format!("http://{}{}", client.host(), client.path);
    for (audience, status) in [(audience, 403), (field.resource(), 401)] {
        let token = field.of(json!({ "aud": audience }));
        let bearer = [("authorization".to_owned(), format!("Bearer {token}"))];
        let bytes = client.bytes("POST", &bearer, b"");
        let reply = raw(field.stage.gateway.address(), &bytes).await;
        assert_eq!(reply.status, status, "{}", reply.body);
    }
    let told = field.stage.journal.reasons(EventKind::RequestRefused);
    assert_eq!(told, ["renewal_takes_a_key"]);
}
