//! The gateway's own token issuer, over real sockets: what clients get, and everything that they do
//! not.

mod clients;
mod endings;
mod given_up;
mod grants;
mod over_tls;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cs_model::document::{Document, IssuerDoc};
use cs_model::event::{Event, EventKind};
use cs_model::revocation::Revoked;
use cs_model::state::CredentialState;
use cs_model::{Digest, TaskId, Timestamp};
use cs_trust::token::IssuerKey;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::client::{Client, INITIALIZE, Reply, call_body, raw};
use super::idp::Key;
use super::world::{
    ACME, GLOBEX, Journal, NOON, OTHER, STRANGER, Stage, WORKER, agent, credential, document, task,
    tenant, world_of,
};
use crate::config::Config;
use crate::ports::{GivenUp, PortError, RevocationList};
use crate::world::{
    ClientProof, Credentials, Holder, OwnIssuer, OwnIssuers, Recognised, Revocations, World,
};

const NOW: i64 = NOON / 1000;

/// The credentials of the clients: with a secret, with a key, another agent's, another tenant's.
const SECRET: u128 = 8000;
const KEYED: u128 = 8001;
const RIVAL: u128 = 8002;
const FOREIGN: u128 = 8003;

const ID: &str = "csc_worker";
const TEXT: &str = "ccs_canary-secret-of-the-worker";
const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Withdraws tokens for as long as the world lasts.
#[derive(Debug)]
pub(super) struct Withdrawn {
    pub(super) journal: Arc<Journal>,
    pub(super) world: watch::Sender<Arc<World>>,
}

#[async_trait]
impl RevocationList for Withdrawn {
    async fn give_up(&self, token: GivenUp, events: Vec<Event>) -> Result<(), PortError> {
        self.journal.keep(events)?;
        let mut world = World::clone(&self.world.borrow());
        let mut revocations = Revocations::clone(&world.revocations);
        let GivenUp { tenant, issuer, id, .. } = token;
        revocations.insert(tenant, Revoked::Token { issuer, id });
        world.revocations = Arc::new(revocations);
        self.world.send_replace(Arc::new(world));
        Ok(())
    }
}

/// A gateway that issues tokens for both tenants.
pub(super) struct Office {
    pub(super) stage: Stage,
    key: Key,
}

pub(super) fn holder(number: u128, of: u128, who: u128) -> Holder {
    Holder {
        credential: credential(number),
        tenant: tenant(of),
        agent: agent(who),
        tasks: None,
        networks: Vec::new(),
        state: CredentialState::Active,
        expires: Timestamp::from_secs(NOW + 86_400),
    }
}

pub(super) fn by_secret(id: &str, text: &str) -> Recognised {
    let proof = ClientProof::Secret { digest: Digest::of(text.as_bytes()) };
    Recognised::Client { client_id: id.to_owned(), proof }
}

/// An issuer whose first key signs.
pub(super) fn issuer(document: &Document, of: usize, seeds: &[u8]) -> OwnIssuer {
    let doc = &document.tenants[of];
    let keys: Vec<_> = seeds.iter().map(|it| IssuerKey::from_seed(&[*it; 32]).unwrap()).collect();
    let jwks: Vec<_> = keys.iter().map(IssuerKey::public_jwk).collect();
    let jwks = json!({ "keys": jwks }).to_string();
    OwnIssuer::new((doc.id, doc.name.clone()), 600, keys[0].id().to_owned(), jwks).unwrap()
}

/// The policy: some tools need scopes, and both tenants have an issuer.
pub(super) fn policy() -> Document {
    let mut document = document();
    for tenant in &mut document.tenants {
        tenant.issuer = Some(IssuerDoc { enabled: true, token_secs: 600 });
        let scopes = ["files:read", "files:write", "secrets:read", "web:fetch"];
        for (tool, scope) in tenant.tools.iter_mut().zip(scopes) {
            tool.scopes = [scope.to_owned()].into();
        }
    }
    document
}

impl Office {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::after(Arc::default(), change).await
    }

    async fn after(journal: Arc<Journal>, change: impl FnOnce(&mut Config)) -> Self {
        let office = Self { stage: Stage::after(journal, change).await, key: Key::new(7) };
        office.open(&policy());
        office
    }

    /// Has this policy enforced, with the issuers and the clients of all tests.
    fn open(&self, document: &Document) {
        let mut credentials = Credentials::clone(&self.stage.world.borrow().credentials);
        let jwks = json!({ "keys": [self.key.jwk()] }).to_string();
        let proof = ClientProof::Assertion { jwks };
        let keyed = Recognised::Client { client_id: "csc_keyed".to_owned(), proof };
        for (holder, by) in [
            (holder(SECRET, ACME, WORKER), by_secret(ID, TEXT)),
            (holder(KEYED, ACME, WORKER), keyed),
            (holder(RIVAL, ACME, OTHER), by_secret("csc_rival", "ccs_rival")),
            (holder(FOREIGN, GLOBEX, STRANGER), by_secret("csc_foreign", "ccs_foreign")),
        ] {
            credentials.insert(holder, by);
        }
        let mut issuers = OwnIssuers::default();
        for (at, doc) in document.tenants.iter().enumerate() {
            if doc.issuer.is_some_and(|it| it.enabled) {
                issuers.insert(issuer(document, at, &[1, 2]));
            }
        }
        let (credentials, issuers) = (Arc::new(credentials), Arc::new(issuers));
        let world = World { credentials, issuers, ..world_of(document) };
        self.stage.world.send_replace(Arc::new(world));
        self.stage.journal.forget();
    }

    /// Changes the world otherwise.
    fn change(&self, change: impl FnOnce(&mut World)) {
        let mut world = World::clone(&self.stage.world.borrow());
        change(&mut world);
        self.stage.world.send_replace(Arc::new(world));
    }

    /// Changes a client.
    fn change_client(&self, number: u128, change: impl FnOnce(&mut Holder)) {
        self.stage.change_key(number, change);
    }

    fn host(&self) -> String {
        self.stage.gateway.address().to_string()
    }

    fn issuer(&self) -> String {
        format!("http://{}/t/acme/as", self.host())
    }

    /// The endpoint without a task.
    fn resource(&self) -> String {
        format!("http://{}/t/acme/mcp", self.host())
    }

    /// The endpoint of the usual task.
    fn workbench(&self) -> String {
        format!("http://{}/t/acme/task/workbench/mcp", self.host())
    }

    async fn get(&self, path: &str) -> Reply {
        let host = self.host();
        let head = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        raw(self.stage.gateway.address(), head.as_bytes()).await
    }

    /// Sends a form as it is.
    async fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let bytes = posted(&self.host(), path, headers, body);
        raw(self.stage.gateway.address(), &bytes).await
    }

    /// Asks for a token with these parameters.
    async fn ask(&self, headers: &[(&str, &str)], form: &[(&str, &str)]) -> Reply {
        self.post("/t/acme/as/token", headers, &encoded(form)).await
    }

    /// What the client with the secret gets for the usual task, or why not.
    async fn asks_for(&self, form: &[(&str, &str)]) -> Reply {
        let basic = basic(ID, TEXT);
        let usual = [("grant_type", "client_credentials")];
        self.ask(&[("authorization", &basic)], &[&usual, form].concat()).await
    }

    /// A token of the client with the secret, for the endpoint of the usual task.
    async fn token(&self) -> String {
        granted(&self.asks_for(&[("resource", &self.workbench())]).await)
    }

    /// Opens a session of the older era with a token.
    async fn present(&self, token: &str) -> Reply {
        let headers = [("authorization".to_owned(), format!("Bearer {token}"))];
        let client = self.stage.client(WORKER);
        let bytes = client.bytes("POST", &headers, INITIALIZE.as_bytes());
        raw(self.stage.gateway.address(), &bytes).await
    }

    /// Calls a tool in the newer era.
    async fn call(&self, token: &str, tool: &str) -> Reply {
        let client = self.stage.client(WORKER).modern("tools/call").header("mcp-name", tool);
        let headers = [("authorization".to_owned(), format!("Bearer {token}"))];
        let body = call_body(tool, json!({"path": "a"}));
        raw(self.stage.gateway.address(), &client.bytes("POST", &headers, body.as_bytes())).await
    }

    /// Demands that a token opens nothing, for this reason.
    async fn is_over(&self, token: &str, reason: &str) {
        self.stage.journal.forget();
        let reply = self.present(token).await;
        let reasons = self.stage.journal.reasons(EventKind::AuthnFailed);
        assert_eq!((reply.status, reasons), (401, vec![reason.to_owned()]), "{}", reply.body);
    }

    fn events(&self, kind: EventKind) -> Vec<Event> {
        self.stage.journal.events().into_iter().filter(|it| it.kind == kind).collect()
    }
}

pub(super) fn posted(host: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut head = format!("POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    let names_type = headers.iter().any(|(name, _)| *name == "content-type");
    if !names_type {
        head.push_str("content-type: application/x-www-form-urlencoded\r\n");
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

pub(super) fn encoded(form: &[(&str, &str)]) -> String {
    let safe = |text: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        let one = |b: u8| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") };
        text.bytes().map(one).collect::<String>()
    };
    let pairs: Vec<_> =
        form.iter().map(|(name, value)| format!("{}={}", safe(name), safe(value))).collect();
    pairs.join("&")
}

pub(super) fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

pub(super) fn granted(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.body);
    let said: Value = serde_json::from_str(&reply.body).unwrap();
    said["access_token"].as_str().unwrap().to_owned()
}

/// The claims of a token.
pub(super) fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

fn error(reply: &Reply) -> (u16, String) {
    let said: Value = serde_json::from_str(&reply.body).unwrap();
    (reply.status, said["error"].as_str().unwrap().to_owned())
}

fn refused(reply: &Reply, code: &str) {
    assert_eq!(error(reply), (400, code.to_owned()), "{}", reply.body);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert!(!reply.body.contains("access_token"));
}

#[tokio::test]
async fn a_client_gets_a_token_that_opens_the_endpoint_and_all_of_it_is_on_record() {
    let office = Office::new().await;
    let reply = office.asks_for(&[("resource", &office.workbench())]).await;
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.header("pragma"), Some("no-cache"));
    let said: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!((&said["token_type"], &said["expires_in"]), (&json!("Bearer"), &json!(600)));
    let token = granted(&reply);
    let claims = claims(&token);
    assert_eq!(claims["iss"], office.issuer());
    assert_eq!((&claims["sub"], &claims["client_id"]), (&json!(ID), &json!(ID)));
    assert_eq!((&claims["aud"], &claims["tenant"]), (&json!(office.workbench()), &json!("acme")));
    assert_eq!((&claims["iat"], &claims["exp"]), (&json!(NOW), &json!(NOW + 600)));
    assert_eq!(claims["authorization_details"], said["authorization_details"]);
    assert_eq!(claims["cnf"], Value::Null);

    let issued = &office.events(EventKind::IssuerIssued)[0];
    assert_eq!((issued.agent, issued.credential), (Some(agent(WORKER)), Some(credential(SECRET))));
    assert!(issued.detail.as_deref().unwrap().contains(claims["jti"].as_str().unwrap()));
    assert_eq!(issued.proof.as_deref(), Some("client"));
    let record = serde_json::to_string(&office.stage.journal.events()).unwrap();
    assert!(!record.contains("canary") && !record.contains(token.rsplit('.').next().unwrap()));

    assert_eq!(office.present(&token).await.status, 200);
    assert_eq!(office.call(&token, "read_file").await.text(), "done");
    let second = office.token().await;
    assert_ne!(super::issuer::claims(&second)["jti"], claims["jti"]);
}

#[tokio::test]
async fn clients_find_the_issuer_from_the_endpoint() {
    let office = Office::new().await;
    let found = office.get("/.well-known/oauth-protected-resource/t/acme/mcp").await;
    let found: Value = serde_json::from_str(&found.body).unwrap();
    assert_eq!(found["authorization_servers"], json!([office.issuer()]));
    assert_eq!(found["scopes_supported"], json!(["mcp:connect"]));
    for path in [
        "/.well-known/oauth-authorization-server/t/acme/as",
        "/.well-known/openid-configuration/t/acme/as",
        "/t/acme/as/.well-known/oauth-authorization-server",
        "/t/acme/as/.well-known/openid-configuration",
    ] {
        let reply = office.get(path).await;
        assert_eq!(reply.status, 200, "{path}");
        let said: Value = serde_json::from_str(&reply.body).unwrap();
        assert_eq!(said["issuer"], office.issuer());
        assert_eq!(said["token_endpoint"], format!("{}/token", office.issuer()));
        assert_eq!(said["jwks_uri"], format!("{}/jwks", office.issuer()));
        assert_eq!(said["grant_types_supported"], json!(["client_credentials"]));
        assert_eq!(said["response_types_supported"], json!([]));
        let methods = json!(["client_secret_basic", "private_key_jwt"]);
        assert_eq!(said["token_endpoint_auth_methods_supported"], methods);
    }
    let keys: Value = serde_json::from_str(&office.get("/t/acme/as/jwks").await.body).unwrap();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2);
    assert!(keys["keys"].as_array().unwrap().iter().all(|key| key["d"].is_null()));
    refused(&office.get("/t/acme/as/authorize?x=1").await, "unsupported_response_type");
    for path in ["/t/nobody/as/token", "/t/acme/as/nothing", "/t/acme/as/", "/t/acme/as"] {
        assert_eq!(office.get(path).await.status, 404, "{path}");
    }
    assert_eq!(office.get("/t/acme/as/token").await.status, 405);
    assert_eq!(office.post("/t/acme/as/jwks", &[], "").await.status, 405);
}

#[tokio::test]
async fn where_no_issuer_is_enabled_there_is_nothing() {
    let office = Office::new().await;
    let mut off = policy();
    off.tenants[0].issuer = Some(IssuerDoc { enabled: false, token_secs: 600 });
    office.open(&off);
    let places = [
        "/.well-known/oauth-authorization-server/t/acme/as",
        "/t/acme/as/jwks",
        "/.well-known/oauth-protected-resource/t/acme/mcp",
    ];
    for path in places {
        let unknown = office.get(&path.replace("acme", "nobody")).await;
        assert_eq!((office.get(path).await.status, unknown.status), (404, 404), "{path}");
    }
    let reply = office.asks_for(&[("resource", &office.resource())]).await;
    assert_eq!(reply.status, 404);
    assert!(office.events(EventKind::IssuerIssued).is_empty());
}
