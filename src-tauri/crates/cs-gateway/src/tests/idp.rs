//! An identity provider: real keys, real sockets, and whatever misbehaviour a test wants.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The secret by which the gateway is known to it.
pub(super) const SECRET: &str = "canary-secret-of-the-gateway";

pub(super) fn text(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A key of its own.
pub(super) struct Key {
    pub(super) id: String,
    pub(super) pair: Ed25519KeyPair,
}

impl Key {
    pub(super) fn new(number: u8) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[number; 32]).unwrap();
        Self { id: format!("key-{number}"), pair }
    }

    pub(super) fn jwk(&self) -> Value {
        let x = text(self.pair.public_key().as_ref());
        json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": self.id, "x": x})
    }

    pub(super) fn sign(&self, header: &str, payload: &str) -> String {
        let message = format!("{}.{}", text(header), text(payload));
        let signature = text(self.pair.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }
}

/// What it answers to one kind of request.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: String,
    pub(super) body: String,
    pub(super) delay: Duration,
}

impl Answer {
    pub(super) fn ok(body: impl ToString) -> Self {
        Self::status(200, body)
    }

    pub(super) fn status(status: u16, body: impl ToString) -> Self {
        let (headers, body) = (String::new(), body.to_string());
        Self { status, headers, body, delay: Duration::ZERO }
    }
}

#[derive(Debug)]
pub(super) struct Behaviour {
    pub(super) jwks: Answer,
    pub(super) introspection: Answer,
    pub(super) metadata: Vec<(String, Answer)>,
    /// What it was asked, in order: the head and the body of each request.
    pub(super) seen: Vec<(String, String)>,
    /// How many requests it answers now, and how many it ever did at a time.
    busy: (usize, usize),
}

/// An identity provider that runs.
#[derive(Clone, Debug)]
pub(super) struct Idp {
    pub(super) address: SocketAddr,
    behaviour: Arc<Mutex<Behaviour>>,
}

impl Idp {
    pub(super) async fn start(keys: &[&Key]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let behaviour = Behaviour {
            jwks: Answer::ok(set(keys)),
            introspection: Answer::ok(json!({"active": false})),
            metadata: Vec::new(),
            seen: Vec::new(),
            busy: (0, 0),
        };
        let idp = Self {
            address: listener.local_addr().unwrap(),
            behaviour: Arc::new(Mutex::new(behaviour)),
        };
        let serving = idp.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = serving.clone();
                tokio::spawn(async move { serving.serve(stream).await });
            }
        });
        idp
    }

    pub(super) fn issuer(&self) -> String {
        format!("http://{}/realms/acme", self.address)
    }

    pub(super) fn behave(&self) -> MutexGuard<'_, Behaviour> {
        self.behaviour.lock().unwrap()
    }

    pub(super) fn publish(&self, keys: &[&Key]) {
        self.behave().jwks = Answer::ok(set(keys));
    }

    /// How many requests it answered at a time, at most.
    pub(super) fn peak(&self) -> usize {
        self.behave().busy.1
    }

    /// How often something was asked for.
    pub(super) fn asked(&self, path: &str) -> usize {
        self.behave().seen.iter().filter(|(head, _)| head.contains(path)).count()
    }

    async fn serve(&self, mut stream: TcpStream) {
        let mut bytes = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| {
                    line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok()
                });
                if body.len() >= length.unwrap_or(0) {
                    let answer = self.answer(head, body);
                    tokio::time::sleep(answer.delay).await;
                    self.behave().busy.0 -= 1;
                    let Answer { status, headers, body, .. } = answer;
                    let length = body.len();
                    let head =
                        format!("HTTP/1.1 {status} x\r\ncontent-length: {length}\r\n{headers}\r\n");
                    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
                    return;
                }
            }
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
        }
    }

    fn answer(&self, head: &str, body: &str) -> Answer {
        let mut behaviour = self.behave();
        behaviour.seen.push((head.to_owned(), body.to_owned()));
        let busy = behaviour.busy.0 + 1;
        behaviour.busy = (busy, busy.max(behaviour.busy.1));
        let path = head.split(' ').nth(1).unwrap_or_default();
        match path {
            "/jwks" => behaviour.jwks.clone(),
            "/introspect" => behaviour.introspection.clone(),
            path => {
                let found = behaviour.metadata.iter().find(|(it, _)| it == path);
                found.map_or(Answer::status(404, ""), |(_, answer)| answer.clone())
            }
        }
    }
}

pub(super) fn set(keys: &[&Key]) -> Value {
    let keys: Vec<_> = keys.iter().map(|key| key.jwk()).collect();
    json!({ "keys": keys })
}
