//! How the gateway serves, and having it serve otherwise while it does.

use std::net::TcpListener;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::place::{Place, somebody};
use crate::options::TlsOptions;

impl Place {
    async fn serving() -> Self {
        let place = Self::with_starter().await;
        let listen = "127.0.0.1:0".parse().unwrap();
        place.control.start_gateway(listen).await.unwrap();
        place
    }

    async fn set(&self, settings: Value) -> Value {
        self.ask("serving_set", json!({ "settings": settings })).await
    }

    async fn not_set(&self, settings: Value) -> Value {
        let args = json!({ "settings": settings });
        self.refused(self.control.console(), "serving_set", args).await
    }

    /// The first line that whoever serves says to a request without TLS; empty when it says none.
    async fn plain(&self) -> String {
        let address = self.control.gateway_address().unwrap();
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET / HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said).await;
        let said = String::from_utf8_lossy(&said).into_owned();
        if said.starts_with("HTTP/") { said } else { String::new() }
    }
}

#[tokio::test]
async fn a_gateway_serves_otherwise_from_one_moment_to_the_next() {
    let place = Place::serving().await;
    let before = place.ask("serving_show", json!({})).await;
    assert_eq!((&before["state"], &before["tls"]), (&json!("serving"), &Value::Null));
    assert_eq!(before["wanted"]["listen"], "127.0.0.1:7411");
    assert!(!place.plain().await.is_empty());

    let names = ["gateway.example", "gateway.example"];
    let settings = json!({ "listen": "127.0.0.1:0", "tls": true, "names": names });
    let shown = place.set(settings).await;
    assert_eq!((&shown["pending"], &shown["locked_by_flags"]), (&json!(false), &json!(false)));
    assert_eq!(shown["tls"]["names"][0], "gateway.example");
    assert_eq!(shown["tls"]["oldest"], "1.3");
    assert_eq!(shown["tls"]["certificate"]["names"][0], "gateway.example");
    assert_eq!(shown["wanted"]["names"], json!(["gateway.example"]), "each once");
    assert!(shown["origin"].as_str().unwrap().starts_with("https://gateway.example:"));
    assert_eq!(place.plain().await, "", "what is not TLS gets no answer any more");
    let address = place.control.gateway_address();

    let older = json!({ "listen": "127.0.0.1:0", "tls": true, "oldest": "1.2" });
    let shown = place.set(older.clone()).await;
    assert_eq!(shown["tls"]["oldest"], "1.2");
    assert_eq!(place.control.gateway_address(), address, "it keeps its socket");
    let plain = json!({ "listen": "127.0.0.1:0", "tls": false });
    place.set(plain).await;
    assert!(!place.plain().await.is_empty());
    let told = place.log(&["admin.changed"]).await;
    assert!(told.iter().any(|it| it.to_string().contains("to serve at 127.0.0.1:0 with TLS 1.2")));
    let kinds = place.log(&["gateway.started", "gateway.stopped"]).await;
    assert_eq!(kinds.len(), 7, "four starts and three stops");

    place.set(older).await;
    let place = place.reopen().await;
    place
        .ask_as(crate::Actor::Nobody, "unlock", json!({ "passphrase": super::place::PASSPHRASE }))
        .await;
    place.control.serve().await.unwrap();
    let shown = place.ask("serving_show", json!({})).await;
    assert_eq!(shown["tls"]["oldest"], "1.2", "it is kept");
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn d08_a_setting_that_cannot_be_leaves_everything_as_it_is() {
    let place = Place::serving().await;
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = held.local_addr().unwrap().to_string();
    let names = vec!["a.example"; 40];
    for (settings, field) in [
        (json!({ "listen": "0.0.0.0:0", "tls": false }), json!("listen")),
        (json!({ "listen": "[::]:0", "tls": false }), json!("listen")),
        (json!({ "listen": "192.0.2.7:0", "tls": false }), json!("listen")),
        (json!({ "listen": "0.0.0.0:0", "tls": true }), json!("names")),
        (json!({ "listen": "127.0.0.1:0", "tls": true, "names": ["A b"] }), json!("names")),
        (json!({ "listen": "127.0.0.1:0", "tls": true, "names": names }), json!("names")),
        (json!({ "listen": busy, "tls": false }), Value::Null),
        (json!({ "listen": busy, "tls": true }), Value::Null),
        (json!({ "listen": "192.0.2.7:1", "tls": true }), Value::Null),
    ] {
        let address = place.control.gateway_address();
        let refused = place.not_set(settings.clone()).await;
        assert_eq!(refused["field"], field, "{settings}: {refused}");
        let shown = place.ask("serving_show", json!({})).await;
        assert_eq!(shown["wanted"]["listen"], "127.0.0.1:7411", "{settings}");
        assert_eq!(shown["state"], "serving");
        assert_eq!(place.control.gateway_address(), address);
        assert!(!place.plain().await.is_empty(), "{settings}: the old one serves");
    }
    // A policy editor has no say in it.
    let editor = somebody(cs_model::state::OperatorRole::PolicyEditor);
    let args = json!({ "settings": { "listen": "127.0.0.1:0", "tls": true } });
    assert_eq!(place.refused(editor, "serving_set", args).await["code"], "forbidden");
}

#[tokio::test]
async fn flags_win_and_say_so() {
    let mut place = Place::with_starter().await;
    place.options.listen = Some("127.0.0.1:0".parse().unwrap());
    place.options.tls = Some(TlsOptions::default());
    let place = place.reopen().await;
    place
        .ask_as(crate::Actor::Nobody, "unlock", json!({ "passphrase": super::place::PASSPHRASE }))
        .await;
    place.control.serve().await.unwrap();
    let names = ["gateway.example"];
    let wanted = json!({ "listen": "127.0.0.1:7499", "tls": false, "names": names });
    let shown = place.set(wanted).await;
    assert_eq!((&shown["locked_by_flags"], &shown["pending"]), (&json!(true), &json!(true)));
    assert_eq!(shown["tls"]["names"][0], "gateway.example", "no flag says anything of names");
    assert!(!shown["listen"].as_str().unwrap().ends_with(":7499"));
    assert_eq!(place.plain().await, "");
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn what_is_set_while_nothing_serves_holds_from_the_next_start() {
    let place = Place::with_starter().await;
    let shown = place.set(json!({ "listen": "127.0.0.1:0", "tls": true })).await;
    assert_eq!((&shown["state"], &shown["pending"]), (&json!("stopped"), &json!(false)));
    place.control.serve().await.unwrap();
    let shown = place.ask("serving_show", json!({})).await;
    assert_eq!(shown["tls"]["oldest"], "1.3");
    place.control.shutdown().await.unwrap();
}
