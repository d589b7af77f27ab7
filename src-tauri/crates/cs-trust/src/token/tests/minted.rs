//! Tokens of the built-in issuer.

use cs_model::Digest;

use super::*;

fn key() -> IssuerKey {
    IssuerKey::from_seed(&[3; 32]).unwrap()
}

fn scopes() -> BTreeSet<String> {
    ["mcp:connect", "tools:read"].map(str::to_owned).into()
}

fn new<'t>(scopes: &'t BTreeSet<String>, tasks: &'t [String]) -> NewToken<'t> {
    NewToken {
        issuer: ISSUER,
        subject: "agent-7",
        client_id: "agent-7",
        audience: AUDIENCE,
        issued: now(),
        expires: now().after(Duration::from_secs(600)),
        id: "01J",
        scopes,
        tenant: "acme",
        tasks,
        confirmation: Confirmation::default(),
    }
}

fn believed(token: &str) -> AccessToken {
    judged(token, &set(&[key().public_jwk()]), &rules(), now()).unwrap()
}

#[test]
fn a_minted_token_is_believed_and_says_what_it_was_made_of() {
    let (scopes, tasks) = (scopes(), ["triage".to_owned()]);
    let confirmation =
        Confirmation { certificate: Some(Digest::of(b"c")), key: Some(Digest::of(b"k")) };
    let token = mint(&key(), &NewToken { confirmation, ..new(&scopes, &tasks) });
    let token = believed(&token);
    assert_eq!((token.issuer(), token.subject()), (ISSUER, "agent-7"));
    assert_eq!((token.client_id(), token.id()), (Some("agent-7"), Some("01J")));
    assert_eq!((token.issued(), token.expires()), (now(), now().after(Duration::from_secs(600))));
    assert_eq!(token.scopes(), &scopes);
    assert_eq!(token.tasks().unwrap(), tasks);
    assert_eq!(token.claim("tenant"), Some(vec!["acme".to_owned()]));
    assert_eq!(token.confirmation(), confirmation);
    assert_eq!(token.key_id(), Some(key().id()));
}

#[test]
fn what_is_empty_is_left_out() {
    let token = mint(&key(), &new(&BTreeSet::new(), &[]));
    let token = believed(&token);
    assert!(token.scopes().is_empty() && !token.confirmation().is_bound());
    assert_eq!(token.tasks(), Ok(Vec::new()));
    for name in ["scope", "authorization_details", "cnf"] {
        assert_eq!(token.claim(name), None);
    }
}

#[test]
fn the_same_seed_makes_the_same_key_and_another_another() {
    assert_eq!(key().public_jwk(), key().public_jwk());
    assert_ne!(key().id(), IssuerKey::from_seed(&[4; 32]).unwrap().id());
    assert!(!format!("{:?}", key()).contains("pair"));
    assert_eq!(key().id().len(), 43);
}

#[test]
fn j13_a_minted_token_is_no_operation_token() {
    let token = mint(&key(), &new(&scopes(), &[]));
    let refused = crate::operation::verify(&token, |_| None).unwrap_err();
    assert_eq!(refused, crate::operation::TokenError::Header);
}

#[test]
fn no_text_in_a_new_token_breaks_out_of_its_place() {
    let odd = "a\",\"sub\":\"admin\u{0}";
    let token = mint(&key(), &NewToken { tenant: odd, ..new(&BTreeSet::new(), &[]) });
    let token = believed(&token);
    assert_eq!(token.subject(), "agent-7");
    assert_eq!(token.claim("tenant"), Some(vec![odd.to_owned()]));
}

#[test]
fn another_library_reads_a_minted_token() {
    let token = mint(&key(), &new(&scopes(), &[]));
    let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(key().public_jwk()).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::EdDSA);
    validation.validate_exp = false;
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[ISSUER]);
    let key = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
    let read = jsonwebtoken::decode::<Value>(&token, &key, &validation).unwrap();
    assert_eq!(read.header.typ.as_deref(), Some("at+jwt"));
    assert_eq!(read.claims["scope"], "mcp:connect tools:read");
    let thumbprint = jwk.thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256).unwrap();
    assert_eq!(read.header.kid, Some(thumbprint));
}
