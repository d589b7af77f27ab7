//! What the console asks of the gateway about providers and tokens.

use super::*;
use crate::issuers::{DiscoveryError, ProviderStanding};
use crate::world::Provider;
use crate::{TokenCheck, TokenReport};

impl Field {
    fn provider(&self, settings: Value) -> Provider {
        let name = Name::parse("idp").unwrap();
        let settings = self.settings(settings);
        Provider { id: provider_id(), tenant: tenant(ACME), name, settings, keys: None }
    }

    async fn examine(&self, token: &str) -> TokenReport {
        let provider = self.provider(json!({}));
        self.stage.gateway.examine_token(&provider, token, Some("workbench")).await
    }
}

fn first_failed(report: &TokenReport) -> Option<&TokenCheck> {
    report.checks.iter().find(|check| check.passed != Some(true))
}

#[tokio::test]
async fn a_provider_that_nobody_used_has_nothing_to_show() {
    let field = Field::new().await;
    let gateway = &field.stage.gateway;
    let status = gateway.provider_status(tenant(ACME), provider_id());
    assert_eq!(status, crate::ProviderStatus::default());
    let unknown = ProviderId::from_random([1; 16]);
    assert_eq!(gateway.provider_status(tenant(ACME), unknown).standing, ProviderStanding::Unused);
    assert_eq!(gateway.provider_refresh(tenant(ACME), unknown).await, None);
    let status = gateway.provider_refresh(tenant(ACME), provider_id()).await.unwrap();
    assert_eq!(status.standing, ProviderStanding::Fresh);
    assert_eq!(status.fetched, Some(field.stage.journal.time()));
    let key = &status.keys[0];
    assert_eq!((key.key_id.as_deref(), key.algorithms.as_str()), (Some("key-1"), "EdDSA"));
}

#[tokio::test]
async fn a_good_token_passes_every_check_and_says_whose_it_is() {
    let field = Field::new().await;
    let report = field.examine(&field.of(json!({"mcp_task": "workbench"}))).await;
    assert_eq!(first_failed(&report), None, "{report:#?}");
    assert!(report.verdict && report.checks.len() > 20);
    assert_eq!((report.agent, report.roles), (Some(agent(WORKER)), None));
    assert_eq!(report.tasks, ["workbench"]);
    assert_eq!(report.scopes, ["mcp:connect"]);
    assert!(field.stage.journal.events().is_empty(), "nothing is put on record");
    assert_eq!(field.stage.gateway.sessions().len(), 0);
}

/// What the report says is what a request with the token meets.
#[tokio::test]
async fn a_report_agrees_with_what_a_request_would_meet() {
    let field = Field::new().await;
    let cases = [
        ("signature", field.by(&Key::new(2), json!({"kid": "key-1"}), json!({}))),
        ("key", field.by(&Key::new(2), json!({}), json!({}))),
        ("audience", field.of(json!({"aud": "https://other.example"}))),
        ("expiry", field.of(json!({"exp": NOW}))),
        ("form", "opaque".to_owned()),
        ("type", field.by(&field.key, json!({"typ": "JWT"}), json!({}))),
        ("scopes", field.of(json!({"scope": "x"}))),
        ("credential", field.of(json!({"sub": "nobody"}))),
        ("confirmation", field.of(json!({"cnf": {}}))),
        ("task", field.of(json!({"mcp_task": 7}))),
    ];
    for (name, token) in cases {
        let report = field.examine(&token).await;
        assert!(!report.verdict, "{name}");
        assert_eq!(first_failed(&report).unwrap().name, name, "{report:#?}");
        assert_ne!(field.present(&token).await.status, 200, "{name}");
        let shown = format!("{report:?}");
        let signature = token.rsplit('.').next().unwrap();
        assert!(signature.len() < 20 || !shown.contains(signature), "{name}");
    }
}

#[tokio::test]
async fn a_report_says_what_the_settings_want() {
    let field = Field::new().await;
    let cases = [
        ("agent_claim", json!({"claims": {"agent": "azp"}})),
        ("tenant_claim", json!({"claims": {"tenant": {"claim": "org", "value": "acme"}}})),
        ("role_claim", json!({"claims": {"roles": "roles"}})),
        ("sender_constraint", json!({"sender": "dpop"})),
        ("algorithm", json!({"algorithms": ["RS256"]})),
        ("keys", json!({"jwks_uri": format!("http://{}/nothing", field.idp.address)})),
        ("keys", json!({"private_network": false})),
    ];
    for (name, settings) in cases {
        let provider = field.provider(settings);
        let gateway = &field.stage.gateway;
        let report = gateway.examine_token(&provider, &field.token(), Some("workbench")).await;
        assert_eq!(first_failed(&report).unwrap().name, name, "{report:#?}");
    }
}

#[tokio::test]
async fn j23_j24_metadata_is_found_and_believed_only_of_the_issuer_itself() {
    let field = Field::new().await;
    let issuer = field.idp.issuer();
    let gateway = &field.stage.gateway;
    let nothing = gateway.fetch_metadata(&issuer, true).await.unwrap_err();
    assert!(matches!(nothing, DiscoveryError::NotFound { ref tried } if tried.len() == 4));
    let said = json!({"issuer": issuer, "jwks_uri": "https://x.example/jwks",
        "introspection_endpoint": "https://x.example/i", "scopes_supported": ["a"]});
    let behind = "/realms/acme/.well-known/openid-configuration".to_owned();
    field.idp.behave().metadata = vec![(behind, Answer::ok(&said))];
    let found = gateway.fetch_metadata(&issuer, true).await.unwrap();
    assert_eq!(found.jwks_uri, "https://x.example/jwks");
    assert_eq!(found.introspection_endpoint.as_deref(), Some("https://x.example/i"));
    assert!(found.url.ends_with("/realms/acme/.well-known/openid-configuration"));
    let refused = gateway.fetch_metadata(&issuer, false).await.unwrap_err();
    assert!(matches!(refused, DiscoveryError::NotFound { .. }), "{refused}");
    let mut other = said;
    other["issuer"] = "https://evil.example".into();
    let before = "/.well-known/oauth-authorization-server/realms/acme".to_owned();
    field.idp.behave().metadata.push((before, Answer::ok(&other)));
    let refused = gateway.fetch_metadata(&issuer, true).await.unwrap_err();
    assert!(matches!(refused, DiscoveryError::OtherIssuer { .. }), "{refused}");
}
