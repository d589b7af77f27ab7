//! The Rust SDK as an agent: it finds the identity provider from the endpoint's address alone and
//! gets its own access tokens, by a secret and by a key.

use reqwest::Client;
use rmcp::model::{CallToolRequestParams, ProtocolVersion};
use rmcp::service::{ClientLifecycleMode, ClientServiceExt as _};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::auth::{AuthClient, ClientCredentialsConfig, JwtSigningAlgorithm, OAuthState};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::{Value, json};

use crate::place::Place;
use crate::provider::Provider;

/// What `bot` proves itself by, or `signer`.
fn credentials(place: &Place, provider: &Provider, client: &str) -> ClientCredentialsConfig {
    let (scopes, resource) = (vec!["mcp:connect".to_owned()], Some(place.endpoint()));
    let client_id = client.to_owned();
    if client == "bot" {
        let client_secret = provider.secret("bot").to_owned();
        return ClientCredentialsConfig::ClientSecret {
            client_id,
            client_secret,
            scopes,
            resource,
        };
    }
    ClientCredentialsConfig::PrivateKeyJwt {
        client_id,
        signing_key: provider.pem().as_bytes().to_vec(),
        signing_algorithm: JwtSigningAlgorithm::ES256,
        token_endpoint_audience: None,
        scopes,
        resource,
    }
}

/// A call as the SDK makes it: what it was told, or the error.
pub(crate) fn called(name: &'static str, arguments: &Value) -> CallToolRequestParams {
    let arguments = arguments.as_object().expect("an object").clone();
    CallToolRequestParams::new(name).with_arguments(arguments)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rust_sdk_gets_from_the_address_to_a_countersigned_call() {
    let place = Place::starter().await;
    let provider = Provider::start(&place, &["executor"]).await;
    provider.introduce(&place).await;
    let newest =
        ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] };
    let clients = [("bot", ClientLifecycleMode::Initialize), ("signer", newest)];
    for (count, (client, mode)) in clients.into_iter().enumerate() {
        let mut state = OAuthState::new(place.endpoint(), None).await.expect("a state");
        let credentials = credentials(&place, &provider, client);
        state.authenticate_client_credentials(credentials).await.expect("a token");
        let manager = state.into_authorization_manager().expect("authorized");
        let http = AuthClient::new(Client::new(), manager);
        let config = StreamableHttpClientTransportConfig::with_uri(place.endpoint());
        let transport = StreamableHttpClientTransport::with_client(http, config);
        let session = ().serve_with_lifecycle(transport, mode).await.expect("a session");
        let tools = session.list_all_tools().await.expect("a list");
        assert_eq!(tools.len(), 6, "{client}: {tools:?}");
        assert!(tools.iter().all(|it| it.name != "access_secrets"), "{client}: {tools:?}");

        let welcome = called("read_file", &json!({"path": "notes/welcome.md"}));
        let read = session.call_tool(welcome).await.expect("a result");
        assert!(format!("{read:?}").contains("Welcome"), "{client}: {read:?}");
        let refused = session.call_tool(called("access_secrets", &json!({"name": "x"}))).await;
        let refused = refused.expect_err("it is not allowed").to_string();
        assert!(refused.contains("is not in this session's allowlist"), "{client}: {refused}");
        let note = json!({"path": "log.txt", "content": format!("{count}\n"), "append": true});
        let written = session.call_tool(called("write_file", &note));
        let (written, ()) = tokio::join!(written, place.approve("write_file"));
        assert!(written.is_ok(), "{client}: {written:?}");
        assert_eq!(place.file("log.txt").lines().count(), count + 1, "{client}");
        session.cancel().await.expect("it ends");
    }
}
