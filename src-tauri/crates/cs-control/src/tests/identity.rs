//! What the running gateway is asked about identity providers, with one on this machine.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::place::Place;
use super::providers::{provider, settings};

/// The example key of RFC 8037, appendix A.2, and one that nobody can use.
const KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k1","alg":"EdDSA","use":"sig",
    "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},{"kty":"oct","kid":"k2","k":"AAAA"}]}"#;

/// An identity provider that says it is `issuer`, or where it is. Answers with its address.
async fn idp(issuer: Option<&'static str>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = format!("http://{}", listener.local_addr().unwrap());
    let said = issuer.map_or_else(|| own.clone(), str::to_owned);
    let metadata = json!({ "issuer": said, "jwks_uri": format!("{own}/keys"),
        "introspection_endpoint": format!("{own}/introspect"),
        "dpop_signing_alg_values_supported": ["ES256"] })
    .to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                match stream.read_u8().await {
                    Ok(byte) => head.push(byte),
                    Err(_) => break,
                }
            }
            let (status, body) = if head.starts_with(b"GET /keys ") {
                ("200 OK", KEYS)
            } else if head.starts_with(b"GET /.well-known/openid-configuration ") {
                ("200 OK", metadata.as_str())
            } else {
                ("404 Not Found", "{}")
            };
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
                 connection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    own
}

async fn serving() -> Place {
    let place = Place::with_starter().await;
    let anywhere: SocketAddr = "127.0.0.1:0".parse().unwrap();
    place.control.start_gateway(anywhere).await.unwrap();
    place
}

fn discover(issuer: &str, private_network: bool) -> Value {
    json!({ "issuer": issuer, "preset": "generic", "private_network": private_network })
}

#[tokio::test]
async fn a_provider_is_found_by_its_issuer_added_and_its_keys_fetched() {
    let place = serving().await;
    let issuer = idp(None).await;
    let found = place.ask("provider_discover", discover(&issuer, true)).await;
    assert_eq!(found["settings"]["jwks_uri"], format!("{issuer}/keys"));
    assert_eq!(found["settings"]["private_network"], true);
    assert!(found["notes"].to_string().contains("DPoP"), "{found}");
    let made = provider(&place, "login", &found["settings"]).await;
    assert_eq!(made["status"]["standing"], "unused");
    let of = json!({ "tenant": place.tenant().await, "provider": made["id"] });
    let fresh = place.ask("provider_refresh", of.clone()).await;
    assert_eq!(fresh["status"]["standing"], "fresh", "{fresh}");
    assert_eq!(fresh["status"]["keys"][0]["key_id"], "k1");
    assert_eq!(fresh["status"]["ignored"][0]["key_id"], "k2");
    let list = place.ask("provider_list", json!({ "tenant": of["tenant"] })).await;
    assert_eq!(list[0]["status"], fresh["status"]);

    let mut token = of.clone();
    token["token"] = json!("  not.a.token\n");
    let report = place.ask("provider_test", token).await;
    assert_eq!((&report["verdict"], &report["agent"]), (&json!(false), &Value::Null));
    let checks = report["checks"].as_array().unwrap();
    assert!(checks.iter().any(|it| it["passed"] == false), "{report}");
    assert!(!report.to_string().contains("not.a.token"));
    let log = place.log(&["authn.failed", "authn.succeeded"]).await;
    assert_eq!(log.len(), 0, "nothing was presented to the gateway");

    let mut off = of.clone();
    off["enabled"] = json!(false);
    place.ask("provider_update", off).await;
    let refused = place.refused(place.control.console(), "provider_refresh", of).await;
    assert_eq!(refused["code"], "conflict");
}

#[tokio::test]
async fn j24_what_another_issuer_says_of_itself_is_not_taken_over() {
    let place = serving().await;
    let console = place.control.console();
    let issuer = idp(Some("https://evil.example")).await;
    let refused = place.refused(console, "provider_discover", discover(&issuer, true)).await;
    assert_eq!(refused["code"], "upstream", "{refused}");
    assert!(refused["message"].as_str().unwrap().contains("another issuer"), "{refused}");
}

#[tokio::test]
async fn j23_an_issuer_on_this_machine_is_asked_only_with_the_switch() {
    let place = serving().await;
    let console = place.control.console();
    let issuer = idp(None).await;
    for issuer in [issuer.as_str(), "https://169.254.169.254", "file:///etc/passwd"] {
        let refused = place.refused(console, "provider_discover", discover(issuer, false)).await;
        assert_eq!((&refused["code"], &refused["field"]), (&json!("invalid"), &json!("issuer")));
    }
    let metadata = discover("https://169.254.169.254", true);
    let refused = place.refused(console, "provider_discover", metadata).await;
    assert_eq!(refused["field"], "issuer", "never, with the switch either");
}

#[tokio::test]
async fn where_nothing_serves_nothing_is_asked_and_that_is_said() {
    let place = Place::with_starter().await;
    let console = place.control.console();
    let made = provider(&place, "login", &settings()).await;
    let tenant = place.tenant().await;
    let of = json!({ "tenant": tenant, "provider": made["id"] });
    let test = json!({ "tenant": tenant, "provider": made["id"], "token": "a.b.c" });
    let cases = [
        ("provider_discover", discover("https://login.example", false)),
        ("provider_refresh", of),
        ("provider_test", test),
    ];
    for (command, args) in cases {
        let refused = place.refused(console, command, args).await;
        assert_eq!(refused["code"], "unavailable", "{command}");
        assert!(refused["message"].as_str().unwrap().contains("gateway"), "{refused}");
    }
    let other = place.ask("tenant_create", json!({ "name": "zeta" })).await["id"].clone();
    for command in ["provider_refresh", "provider_test"] {
        let mut args = json!({ "tenant": other, "provider": made["id"] });
        if command == "provider_test" {
            args["token"] = json!("a.b.c");
        }
        let refused = place.refused(console, command, args).await;
        assert_eq!(refused["code"], "not_found", "s07: {command}");
    }
    let empty = json!({ "tenant": tenant, "provider": made["id"], "token": " " });
    assert_eq!(place.refused(console, "provider_test", empty).await["field"], "token");
}
