//! A server that answers as HashiCorp Vault and OpenBao do, as far as an installation's secrets
//! need it: AppRole and JWT logins, renewal, key-value engine of version 2, sealed, refused, slow.
//!
//! Written after Vault's HTTP API. It is no Vault: it keeps everything in memory and encrypts
//! nothing.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub(super) const ROLE: &str = "5f2c1b7e-countersign";
pub(super) const SECRET_ID: &str = "d3c1-the-secret-id";
pub(super) const JWT: &str = "eyJhbGciOiJub25lIn0.e30.the-service-account";
pub(super) const NAMESPACE: &str = "team/a";

/// How the server behaves, and what it has seen.
#[derive(Debug)]
pub(super) struct State {
    pub(super) sealed: bool,
    /// What only these paths of secrets may be used for; everything else is refused.
    pub(super) allowed: String,
    /// How long a token lasts.
    pub(super) lasts: Duration,
    /// Whether a token can be renewed.
    pub(super) renewable: bool,
    /// How long an answer takes.
    pub(super) slow: Duration,
    /// Whether an answer lacks what belongs to it.
    pub(super) garbled: bool,
    /// How many more secrets may be written before the server is out of order.
    pub(super) writes: Option<usize>,
    pub(super) logins: usize,
    pub(super) renewals: usize,
    tokens: HashMap<String, Instant>,
    secrets: BTreeMap<String, Kept>,
}

#[derive(Debug)]
struct Kept {
    most: u64,
    last: u64,
    versions: BTreeMap<u64, Value>,
}

/// A running server. It ends with the test.
pub(super) struct Vault {
    pub(super) address: String,
    state: Arc<Mutex<State>>,
}

impl Vault {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(Mutex::new(State {
            sealed: false,
            allowed: "countersign/".to_owned(),
            lasts: Duration::from_secs(3600),
            renewable: true,
            slow: Duration::ZERO,
            garbled: false,
            writes: None,
            logins: 0,
            renewals: 0,
            tokens: HashMap::new(),
            secrets: BTreeMap::new(),
        }));
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                let service = service_fn(move |request| answer(Arc::clone(&state), request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, state }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panicked")
    }

    /// Nobody is logged in any more.
    pub(super) fn revoke_tokens(&self) {
        self.state().tokens.clear();
    }

    /// The paths of all secrets, and how many versions there are of each.
    pub(super) fn kept(&self) -> BTreeMap<String, usize> {
        let state = self.state();
        let found = state.secrets.iter().filter(|(_, it)| !it.versions.is_empty());
        found.map(|(path, it)| (path.clone(), it.versions.len())).collect()
    }
}

async fn answer(
    state: Arc<Mutex<State>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let slow = state.lock().expect("nobody panicked").slow;
    tokio::time::sleep(slow).await;
    let header = |name: &str| head.headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or("");
    let asked = Asked {
        method: head.method.as_str(),
        path: head.uri.path().trim_start_matches("/v1/"),
        token: header("x-vault-token"),
        namespace: header("x-vault-namespace"),
        body: &body,
    };
    let (code, said) = state.lock().expect("nobody panicked").say(&asked);
    let said = if said.is_null() { Bytes::new() } else { Bytes::from(said.to_string()) };
    let response = Response::builder().status(code).header("content-type", "application/json");
    Ok(response.body(Full::new(said)).expect("an answer"))
}

struct Asked<'a> {
    method: &'a str,
    path: &'a str,
    token: &'a str,
    namespace: &'a str,
    body: &'a Value,
}

fn errors(code: u16, text: &str) -> (u16, Value) {
    (code, json!({ "errors": [text] }))
}

fn data(data: &Value) -> (u16, Value) {
    let said = json!({
        "request_id": "0", "lease_id": "", "renewable": false, "lease_duration": 0, "data": data,
        "wrap_info": null, "warnings": null, "auth": null,
    });
    (200, said)
}

impl State {
    fn say(&mut self, asked: &Asked<'_>) -> (u16, Value) {
        if self.sealed {
            return errors(503, "Vault is sealed");
        }
        if asked.namespace != NAMESPACE {
            return errors(404, "no handler for route");
        }
        match (asked.method, asked.path) {
            ("POST" | "PUT", "auth/approle/login") => {
                let right = asked.body["role_id"] == ROLE && asked.body["secret_id"] == SECRET_ID;
                self.log_in(right, "invalid role or secret ID")
            }
            ("POST" | "PUT", "auth/kubernetes-a/login") => {
                let right = asked.body["jwt"] == JWT && asked.body["role"] == "countersign";
                self.log_in(right, "error validating token")
            }
            _ if !self.knows(asked.token) => errors(403, "permission denied"),
            ("POST" | "PUT", "auth/token/renew-self") => {
                if !self.renewable {
                    return errors(400, "lease is not renewable");
                }
                self.renewals += 1;
                self.tokens.insert(asked.token.to_owned(), Instant::now() + self.lasts);
                self.auth(asked.token)
            }
            (method, path) => self.secret(method, path, asked.body),
        }
    }

    fn knows(&self, token: &str) -> bool {
        self.tokens.get(token).is_some_and(|ends| Instant::now() < *ends)
    }

    fn log_in(&mut self, right: bool, why: &str) -> (u16, Value) {
        if !right {
            return errors(400, why);
        }
        self.logins += 1;
        let token = format!("hvs.{}", self.logins);
        self.tokens.insert(token.clone(), Instant::now() + self.lasts);
        self.auth(&token)
    }

    fn auth(&self, token: &str) -> (u16, Value) {
        let auth = json!({
            "client_token": token, "accessor": "a", "policies": ["countersign"],
            "token_policies": ["countersign"], "metadata": {}, "renewable": self.renewable,
            "lease_duration": self.lasts.as_secs(), "entity_id": "", "token_type": "service",
            "orphan": true,
        });
        let said = json!({
            "request_id": "0", "lease_id": "", "renewable": false, "lease_duration": 0,
            "data": null, "wrap_info": null, "warnings": null, "auth": auth,
        });
        (200, said)
    }

    fn secret(&mut self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let found = path.strip_prefix("kv/a/").and_then(|rest| rest.split_once('/'));
        let Some((kind @ ("data" | "metadata"), name)) = found else {
            return errors(404, "no handler for route");
        };
        if !name.starts_with(&self.allowed) {
            return errors(403, "1 error occurred:\n\t* permission denied\n\n");
        }
        match (kind, method) {
            ("data", "GET") => {
                match self.secrets.get(name).and_then(|it| it.versions.last_key_value()) {
                    Some((version, value)) => {
                        let about = json!({
                            "created_time": "2026-01-01T00:00:00Z", "custom_metadata": null,
                            "deletion_time": "", "destroyed": false, "version": version,
                        });
                        let about = if self.garbled { json!({}) } else { about };
                        data(&json!({ "data": value, "metadata": about }))
                    }
                    None => errors(404, ""),
                }
            }
            ("data", "POST" | "PUT") => {
                if self.writes == Some(0) {
                    return errors(500, "no space left on device");
                }
                self.writes = self.writes.map(|left| left - 1);
                let kept = self.entry(name);
                kept.last += 1;
                kept.versions.insert(kept.last, body["data"].clone());
                kept.trim();
                let version = kept.last;
                data(&json!({
                    "created_time": "2026-01-01T00:00:00Z", "custom_metadata": null,
                    "deletion_time": "", "destroyed": false, "version": version,
                }))
            }
            ("metadata", "GET") => match self.secrets.get(name) {
                Some(kept) => {
                    let about = |_: &Value| json!({ "deletion_time": "", "destroyed": false });
                    let versions = kept.versions.iter();
                    let versions: BTreeMap<String, Value> =
                        versions.map(|(number, it)| (number.to_string(), about(it))).collect();
                    data(&json!({
                        "versions": versions, "max_versions": kept.most,
                        "current_version": kept.last,
                    }))
                }
                None => errors(404, ""),
            },
            ("metadata", "POST" | "PUT") => {
                let most = body["max_versions"].as_u64().unwrap_or(10);
                let kept = self.entry(name);
                kept.most = most;
                (204, Value::Null)
            }
            ("metadata", "DELETE") => {
                self.secrets.remove(name);
                (204, Value::Null)
            }
            _ => errors(405, "unsupported operation"),
        }
    }

    fn entry(&mut self, name: &str) -> &mut Kept {
        let none = || Kept { most: 10, last: 0, versions: BTreeMap::new() };
        self.secrets.entry(name.to_owned()).or_insert_with(none)
    }
}

impl Kept {
    fn trim(&mut self) {
        while self.versions.len() as u64 > self.most {
            self.versions.pop_first();
        }
    }
}
