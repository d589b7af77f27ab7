//! Certificates of agents, and what the gateway's handshakes are made with.

use std::net::SocketAddr;
use std::time::Duration;

use cs_trust::peer::PeerCertificate;
use serde_json::{Value, json};

use super::place::Place;
use crate::options::TlsOptions;

/// A signing request for a P-256 key, with a subject, an alternative name and extensions that
/// nobody is to take over. Made with `openssl req`.
const REQUEST: &str = include_str!("request.pem");

impl Place {
    async fn certificate(&self, more: Value) -> Value {
        let mut args = json!({
            "tenant": self.tenant().await,
            "agent": self.agent("executor-1").await["id"],
        });
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.ask("certificate_issue", args).await
    }

    async fn not_certified(&self, more: Value) -> Value {
        let mut args = json!({
            "tenant": self.tenant().await,
            "agent": self.agent("executor-1").await["id"],
        });
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.refused(self.control.console(), "certificate_issue", args).await
    }

    async fn unlock(&self) {
        let unlock = json!({ "passphrase": super::place::PASSPHRASE });
        self.ask_as(crate::Actor::Nobody, "unlock", unlock).await;
    }

    async fn authority(&self) -> Value {
        self.ask("authority_show", json!({ "tenant": self.tenant().await })).await
    }

    /// The same installation, with a gateway that serves TLS.
    async fn with_tls() -> Self {
        let mut place = Self::with_starter().await;
        let names = vec!["gateway.example".to_owned()];
        place.options.tls = Some(TlsOptions { names, ..TlsOptions::default() });
        let place = place.reopen().await;
        place.unlock().await;
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        place.control.start_gateway(listen).await.unwrap();
        place
    }
}

/// The bytes of a certificate.
fn der(pem: &str) -> Vec<u8> {
    use rustls::pki_types::pem::PemObject as _;
    rustls::pki_types::CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec()
}

#[tokio::test]
async fn a_certificate_names_its_agent_and_its_key_is_shown_once() {
    let place = Place::with_starter().await;
    assert_eq!(place.authority().await["certificate"], Value::Null);
    let issued = place.certificate(json!({})).await;
    let bytes = der(issued["certificate"].as_str().unwrap());
    let read = PeerCertificate::read(&bytes, place.options.clock.now()).unwrap();
    assert_eq!(read.spiffe.to_string(), issued["spiffe"].as_str().unwrap());
    assert_eq!(read.spiffe.agent().unwrap().agent.as_str(), "executor-1");
    assert_eq!(read.fingerprint.to_string(), issued["fingerprint"].as_str().unwrap());
    assert_eq!(read.not_after, place.options.clock.now().after(Duration::from_secs(86_400)));
    assert!(issued["key"].as_str().unwrap().contains("PRIVATE KEY"));
    let shown = place.authority().await;
    assert_eq!(shown["certificate"], issued["authority"]);
    assert_eq!(shown["server_authority"], issued["server_authority"]);
    let all = place.ask("credential_list", json!({ "tenant": place.tenant().await })).await;
    let all = all.as_array().unwrap();
    let found = all.iter().find(|it| it["id"] == issued["credential"]).unwrap();
    assert_eq!((&found["kind"], &found["state"]), (&json!("certificate"), &json!("active")));
    let told = place.log(&["admin.changed"]).await;
    assert!(told.iter().any(|it| it.to_string().contains("issued a certificate to `executor-1`")));
    assert!(!told.iter().any(|it| it.to_string().contains("PRIVATE KEY")));
}

#[tokio::test]
async fn m09_of_a_signing_request_only_the_key_is_taken_and_only_once() {
    let place = Place::with_starter().await;
    let issued = place.certificate(json!({ "csr": REQUEST })).await;
    assert_eq!(issued["key"], Value::Null);
    let bytes = der(issued["certificate"].as_str().unwrap());
    let read = PeerCertificate::read(&bytes, place.options.clock.now()).unwrap();
    assert_eq!(read.spiffe.agent().unwrap().agent.as_str(), "executor-1");
    let again = place.not_certified(json!({ "csr": REQUEST })).await;
    assert_eq!((&again["code"], &again["field"]), (&json!("invalid"), &json!("csr")));
    let tenant = place.tenant().await;
    let revoke = json!({ "tenant": tenant, "credential": issued["credential"] });
    place.ask("credential_revoke", revoke).await;
    let again = place.not_certified(json!({ "csr": REQUEST })).await;
    assert_eq!(again["field"], "csr", "a key that was revoked stays so");
    let changed = REQUEST.replacen("MII", "MIJ", 1);
    for csr in ["", "-----BEGIN CERTIFICATE REQUEST-----", changed.as_str()] {
        let refused = place.not_certified(json!({ "csr": csr })).await;
        assert_eq!(refused["field"], "csr", "{csr}");
    }
}

#[tokio::test]
async fn m09_a_certificate_lives_for_days_and_is_of_an_agent_of_the_tenant() {
    let place = Place::with_starter().await;
    for secs in [0, 7 * 86_400 + 1] {
        let refused = place.not_certified(json!({ "lifetime_secs": secs })).await;
        assert_eq!(refused["field"], "lifetime_secs");
    }
    place.certificate(json!({ "lifetime_secs": 7 * 86_400 })).await;
    let other = place.ask("tenant_create", json!({ "name": "globex" })).await;
    let args = json!({ "tenant": other["id"], "agent": place.agent("executor-1").await["id"] });
    let refused = place.refused(place.control.console(), "certificate_issue", args).await;
    assert_eq!(refused["code"], "not_found");
}

#[tokio::test]
async fn m02_m03_what_is_revoked_is_on_the_next_list_and_lists_are_renewed() {
    let place = Place::with_tls().await;
    let status = place.ask("status", json!({})).await;
    let url = status["gateway"]["url"].as_str().unwrap();
    assert!(url.starts_with("https://gateway.example:"), "{url}");
    let issued = place.certificate(json!({})).await;
    assert!(issued["endpoint"].as_str().unwrap().starts_with(url));
    numbered(&place, 1).await;
    let tenant = place.tenant().await;
    let revoke = json!({ "tenant": tenant, "credential": issued["credential"] });
    place.ask("credential_revoke", revoke).await;
    numbered(&place, 2).await;
    assert_eq!(place.authority().await["revoked"], 1);
    // Anything that changes makes the keeper look; time alone does so every few seconds.
    place.clock.advance(Duration::from_secs(15 * 60));
    place.unlock().await;
    place.certificate(json!({})).await;
    numbered(&place, 3).await;
    let reopened = place.reopen().await;
    reopened.unlock().await;
    assert_eq!(reopened.authority().await["list_number"], 3, "it goes on where it was");
}

/// Waits until an authority has signed so many lists.
async fn numbered(place: &Place, number: u64) {
    let signed = async {
        while place.authority().await["list_number"] != number {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let timely = tokio::time::timeout(Duration::from_secs(10), signed).await;
    assert!(timely.is_ok(), "{}", place.authority().await);
}
