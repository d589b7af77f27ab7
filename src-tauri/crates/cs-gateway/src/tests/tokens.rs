//! Gate one by access tokens, over real sockets, with an identity provider of real keys.

mod bound;
mod claims;
mod console;
mod flood;
mod forms;
mod introspected;
mod keys;
mod scopes;
mod withdrawn;

use std::sync::Arc;

use cs_model::document::{Document, ProviderDoc};
use cs_model::event::{Event, EventKind};
use cs_model::provider::ProviderSettings;
use cs_model::state::CredentialState;
use cs_model::{Name, ProviderId, Timestamp};
use cs_trust::series;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::client::{Client, INITIALIZE, Reply, raw};
use super::idp::{Answer, Idp, Key};
use super::world::{
    ACME, NOON, OTHER, Stage, WORKER, agent, credential, document, operator_key, tenant, world_of,
};
use crate::ports::NewApproval;
use crate::world::{Credentials, Holder, Recognised, World};

const NOW: i64 = NOON / 1000;

/// The credential of the agent that tokens stand for.
const SUBJECT: u128 = 7000;

fn provider_id() -> ProviderId {
    ProviderId::from_random([9; 16])
}

/// A gateway that accepts the tokens of an identity provider.
struct Field {
    stage: Stage,
    idp: Idp,
    key: Key,
}

impl Field {
    async fn new() -> Self {
        Self::with(json!({})).await
    }

    /// One with other settings of the provider.
    async fn with(settings: Value) -> Self {
        // What comes of many failures is a matter of its own.
        Self::on(Stage::with(|config| config.limits.failures = 100_000).await, settings).await
    }

    async fn on(stage: Stage, settings: Value) -> Self {
        let key = Key::new(1);
        let idp = Idp::start(&[&key]).await;
        let field = Self { stage, idp, key };
        field.trust(settings, |_| {});
        field
    }

    fn settings(&self, changes: Value) -> ProviderSettings {
        let mut settings = json!({
            "issuer": self.idp.issuer(),
            "jwks_uri": format!("http://{}/jwks", self.idp.address),
            "private_network": true,
        });
        settings.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        serde_json::from_value(settings).unwrap()
    }

    /// Enforces other settings of the provider and another policy.
    fn trust(&self, settings: Value, change: impl FnOnce(&mut Document)) {
        let mut document = document();
        document.tenants[0].providers.push(ProviderDoc {
            id: provider_id(),
            name: Name::parse("idp").unwrap(),
            enabled: true,
            settings: self.settings(settings),
        });
        change(&mut document);
        let mut credentials = Credentials::clone(&self.stage.world.borrow().credentials);
        let named = [(SUBJECT, "robin", WORKER), (SUBJECT + 1, "other", OTHER)];
        for (number, subject, of) in named {
            let holder = Holder {
                credential: credential(number),
                tenant: tenant(ACME),
                agent: agent(of),
                tasks: None,
                networks: Vec::new(),
                state: CredentialState::Active,
                expires: Timestamp::from_secs(NOW + 86_400),
            };
            let subject = subject.to_owned();
            credentials.insert(holder, Recognised::Subject { provider: provider_id(), subject });
        }
        let revocations = Arc::clone(&self.stage.world.borrow().revocations);
        let credentials = Arc::new(credentials);
        let world = World { credentials, revocations, ..world_of(&document) };
        self.stage.world.send_replace(Arc::new(world));
    }

    /// Changes the world otherwise.
    fn change(&self, change: impl FnOnce(&mut World)) {
        let mut world = World::clone(&self.stage.world.borrow());
        change(&mut world);
        self.stage.world.send_replace(Arc::new(world));
    }

    fn client(&self) -> Client {
        self.stage.client(WORKER)
    }

    /// The canonical URI of the endpoint.
    fn resource(&self) -> String {
        format!("http://{}{}", self.client().host(), self.client().path)
    }

    fn header(&self) -> Value {
        json!({"alg": "EdDSA", "typ": "at+jwt", "kid": self.key.id})
    }

    fn claims(&self) -> Value {
        json!({
            "iss": self.idp.issuer(), "sub": "robin", "client_id": "robin", "aud": self.resource(),
            "exp": NOW + 600, "iat": NOW, "nbf": NOW, "jti": "canary-jti", "scope": "mcp:connect",
        })
    }

    fn token(&self) -> String {
        self.of(json!({}))
    }

    /// A token with these claims changed, and those that are `null` left out.
    fn of(&self, changes: Value) -> String {
        self.by(&self.key, json!({}), changes)
    }

    fn by(&self, key: &Key, header: Value, changes: Value) -> String {
        let mut head = self.header();
        head["kid"] = key.id.clone().into();
        merge(&mut head, header);
        let mut claims = self.claims();
        merge(&mut claims, changes);
        key.sign(&head.to_string(), &claims.to_string())
    }

    async fn send(&self, headers: &[(&str, &str)]) -> Reply {
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let client = self.client();
        let bytes = client.bytes("POST", &headers, INITIALIZE.as_bytes());
        raw(self.stage.gateway.address(), &bytes).await
    }

    /// The bytes that open a session of the older era with a token.
    fn opening(&self, token: &str) -> Vec<u8> {
        let headers = [("authorization".to_owned(), format!("Bearer {token}"))];
        self.client().bytes("POST", &headers, INITIALIZE.as_bytes())
    }

    /// Opens a session of the older era with a token.
    async fn present(&self, token: &str) -> Reply {
        self.send(&[("authorization", &format!("Bearer {token}"))]).await
    }

    /// Calls a tool in the newer era.
    async fn call(&self, token: &str, tool: &str) -> Reply {
        raw(self.stage.gateway.address(), &self.calling(token, tool)).await
    }

    /// The bytes of such a call.
    fn calling(&self, token: &str, tool: &str) -> Vec<u8> {
        let client = self.client().modern("tools/call").header("mcp-name", tool);
        let body = super::client::call_body(tool, json!({"path": "a"}));
        let headers = [("authorization".to_owned(), format!("Bearer {token}"))];
        client.bytes("POST", &headers, body.as_bytes())
    }

    /// A call that waits for a person.
    async fn waiting(&self, token: &str) -> (JoinHandle<Reply>, NewApproval) {
        let (address, bytes) = (self.stage.gateway.address(), self.calling(token, "write_file"));
        let call = tokio::spawn(async move { raw(address, &bytes).await });
        (call, self.stage.journal.requests(1).await.remove(0))
    }

    /// Signs a series for whatever arguments of the tool that a request is about.
    fn sign_series(&self, request: &NewApproval) {
        let schema = r#"{"type":"object"}"#;
        let claims = self.stage.journal.series_claims(request, schema);
        let token = series::mint(&claims, &operator_key()).unwrap();
        self.stage.journal.sign_series(claims.jti, token, schema);
    }

    async fn accepted(&self, token: &str) {
        let reply = self.present(token).await;
        let reasons = self.stage.journal.reasons(EventKind::AuthnFailed);
        assert_eq!(reply.status, 200, "{} {reasons:?}", reply.body);
    }

    /// Demands that a token is refused for this reason, that the answer does not tell it, that
    /// exactly one record does, and that nothing reached a server.
    async fn refused(&self, token: &str, reason: &str) {
        self.stage.journal.forget();
        let reply = self.present(token).await;
        self.is_refusal(&reply, token, reason).await;
    }

    async fn is_refusal(&self, reply: &Reply, token: &str, reason: &str) {
        let journal = &self.stage.journal;
        let failed = journal.events().into_iter().filter(|it| it.kind == EventKind::AuthnFailed);
        let failed: Vec<Event> = failed.collect();
        let reasons: Vec<_> = failed.iter().map(|it| it.reason.clone().unwrap()).collect();
        assert_eq!((reply.status, reasons), (401, vec![reason.to_owned()]), "{}", reply.body);
        assert_eq!(failed[0].detail.as_deref(), Some("token"));
        assert_eq!(failed[0].agent, None, "a claim is not a fact");
        assert_eq!(
            masked(reply),
            masked(&self.send(&[("authorization", "Bearer ?")]).await),
            "{reason}"
        );
        let record = serde_json::to_string(&failed).unwrap();
        for part in token.split('.').filter(|part| part.len() > 20) {
            assert!(!record.contains(part), "{reason}: the token is on record");
        }
        assert!(!record.contains("canary") && journal.calls().is_empty(), "{reason}");
    }
}

/// What does not differ from one refusal to the next.
fn masked(reply: &Reply) -> (u16, String, Option<String>) {
    let correlation = reply.header("countersign-correlation").unwrap();
    let challenge = reply.header("www-authenticate").map(str::to_owned);
    (reply.status, reply.body.replace(correlation, "C"), challenge)
}

fn merge(into: &mut Value, changes: Value) {
    let Value::Object(changes) = changes else { panic!("not an object") };
    let into = into.as_object_mut().unwrap();
    for (name, value) in changes {
        if value.is_null() {
            into.remove(&name);
        } else {
            into.insert(name, value);
        }
    }
}

#[tokio::test]
async fn an_agent_is_let_in_by_its_token_and_acts_as_itself() {
    let field = Field::new().await;
    let token = field.token();
    field.accepted(&token).await;
    let event = &field.stage.journal.events()[0];
    assert_eq!((event.agent, event.tenant), (Some(agent(WORKER)), Some(tenant(ACME))));
    assert_eq!(event.credential, Some(credential(SUBJECT)));
    assert_eq!(event.proof.as_deref(), Some("token"));
    assert_eq!(field.call(&token, "read_file").await.text(), "done");
    assert_eq!(field.idp.asked("/jwks"), 1, "the keys are fetched once");
    let lower = field.send(&[("authorization", &format!("bearer {token}"))]).await;
    assert_eq!(lower.status, 200, "the case of the scheme means nothing");
}

#[tokio::test]
async fn the_method_of_every_attempt_is_on_record() {
    let field = Field::new().await;
    field.stage.client(WORKER).post(INITIALIZE).await;
    field.send(&[]).await;
    let events = field.stage.journal.events();
    let methods = events.iter().filter(|it| it.correlation.is_some());
    let methods: Vec<_> =
        methods.filter_map(|it| it.proof.as_deref().or(it.detail.as_deref())).collect();
    assert_eq!(methods, ["api_key", "none"]);
}

#[tokio::test]
async fn a_client_learns_where_its_tokens_come_from() {
    let field = Field::with(json!({"scopes": ["a:b", "mcp:connect"], "sender": "dpop"})).await;
    let reply = field.send(&[]).await;
    let at = format!(
        "http://{}/.well-known/oauth-protected-resource{}",
        field.client().host(),
        field.client().path
    );
    let all: Vec<_> = reply.headers.iter().filter(|(name, _)| name == "www-authenticate").collect();
    assert_eq!(all.len(), 2, "one header for each scheme");
    assert_eq!(all[0].1, format!("Bearer resource_metadata=\"{at}\", scope=\"a:b mcp:connect\""));
    assert!(all[1].1.starts_with("DPoP algs=\"") && !all[1].1.contains("error="));
    let with_token = field.present("x").await;
    let challenge = with_token.header("www-authenticate").unwrap();
    assert!(challenge.starts_with("Bearer error=\"invalid_token\", "), "{challenge}");

    let path = at.strip_prefix(&format!("http://{}", field.client().host())).unwrap();
    let reply = get(&field, path).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("cache-control"), Some("max-age=300"));
    let document: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(document["resource"], field.resource());
    assert_eq!(document["authorization_servers"], json!([field.idp.issuer()]));
    assert_eq!(document["scopes_supported"], json!(["a:b", "mcp:connect"]));
    assert_eq!(document["bearer_methods_supported"], json!(["header"]));
    assert_eq!(document["dpop_bound_access_tokens_required"], true);
    assert_eq!(field.stage.journal.reasons(EventKind::RequestRefused), [""; 0]);
}

async fn get(field: &Field, path: &str) -> Reply {
    let host = field.client().host();
    let head = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    raw(field.stage.gateway.address(), head.as_bytes()).await
}

#[tokio::test]
async fn metadata_tells_nothing_of_tenants_without_providers() {
    let field = Field::new().await;
    let under = |path: &str| format!("/.well-known/oauth-protected-resource{path}");
    let unknown = get(&field, &under("/t/nobody/mcp")).await;
    let without = get(&field, &under("/t/globex/mcp")).await;
    assert_eq!((unknown.status, masked(&unknown)), (404, masked(&without)));
    // Whether a task exists is nobody's business.
    let task = get(&field, &under("/t/acme/task/no-such-task/mcp")).await;
    assert_eq!(task.status, 200);
    for path in ["", "/", "/t/acme", "/t/acme/mcp/", "/t/acme/as"] {
        assert_eq!(get(&field, &under(path)).await.status, 404, "{path}");
    }
    assert_eq!(get(&field, &under("/t/acme/mcp?x=1")).await.status, 400);
    assert_eq!(field.idp.asked("/jwks"), 0);
}
