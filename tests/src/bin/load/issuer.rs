//! An identity provider that has a key and mints what is asked of it.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use cs_model::Timestamp;
use cs_trust::token::{Confirmation, IssuerKey, NewToken, mint};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// The provider. It publishes its key for as long as the process lives.
pub(crate) struct Issuer {
    key: IssuerKey,
    uri: String,
}

impl Issuer {
    pub(crate) async fn start() -> Self {
        let key = IssuerKey::from_seed(&[3; 32]).expect("a key");
        let keys = json!({"keys": [key.public_jwk()]}).to_string();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let uri = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = [0; 4096];
                let _ = stream.read(&mut head).await;
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\
                     content-length: {}\r\n\r\n{keys}",
                    keys.len()
                );
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self { key, uri }
    }

    pub(crate) fn uri(&self) -> &str {
        &self.uri
    }

    /// A token of a subject for an endpoint.
    pub(crate) fn token(&self, subject: &str, endpoint: &str) -> String {
        let scopes: BTreeSet<_> = ["mcp:connect".to_owned()].into();
        let now = now();
        let id = format!("{subject}/{}", now.millis());
        mint(
            &self.key,
            &NewToken {
                issuer: &self.uri,
                subject,
                client_id: subject,
                audience: endpoint,
                issued: now,
                expires: now.after(Duration::from_secs(3000)),
                id: &id,
                scopes: &scopes,
                tenant: "acme",
                tasks: &[],
                confirmation: Confirmation::default(),
            },
        )
    }
}

pub(crate) fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    Timestamp::from_millis(i64::try_from(now.as_millis()).expect("before long"))
}
