//! A large policy is compiled and swapped in while calls are made: how long compiling takes, and
//! what the calls feel of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cs_gateway::{Config, Gateway};
use cs_model::Document;
use cs_policy::Snapshot;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::drive;
use crate::issuer::Issuer;
use crate::place::Started;
use crate::server::Era;
use crate::wire::{Errand, Proof};
use crate::{plan, world};

/// How many calls a second there are meanwhile, and on how many connections.
const RATE: f64 = 1000.0;
const CONNECTIONS: usize = 8;

pub(crate) async fn measure(issuer: &Issuer, server: &Started, span: Duration) -> Value {
    let definition = crate::server::definition("small");
    let mut document = world::document(&definition, issuer.uri());
    let compiled = |document: &Document| {
        let start = Instant::now();
        let snapshot = Snapshot::compile(document).expect("a policy");
        (Arc::new(snapshot), start.elapsed())
    };
    let (first, _) = compiled(&document);
    let (sender, receiver) =
        watch::channel(Arc::new(world::world(&document, first, &server.address)));
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let config = Config::new(listen, "countersign:load".to_owned());
    let gateway = Gateway::start(config, world::ports(), receiver).await.expect("a gateway");
    let to = gateway.address().to_string();
    let path = "/t/acme/task/modern/mcp";
    let token = issuer.token("modern", &format!("http://{to}{path}"));
    let errand = Errand::new(&to, path, Era::Modern, Proof::Token(token)).calling("small");
    let errand = Arc::new(errand);

    let still = drive::open(&errand, CONNECTIONS, RATE, span).await;
    let (stop, stopped) = watch::channel(false);
    let address = server.address.clone();
    // In a thread of its own, as whoever changes a policy has one.
    let swapping = tokio::task::spawn_blocking(move || {
        let mut took = Vec::new();
        while !*stopped.borrow() {
            document.version += 1;
            let (snapshot, time) = compiled(&document);
            took.push(time.as_secs_f64() * 1e3);
            sender.send_replace(Arc::new(world::world(&document, snapshot, &address)));
            std::thread::sleep(Duration::from_millis(200));
        }
        // Whoever holds it could change what is enforced: it goes last.
        (took, sender)
    });
    let moved = drive::open(&errand, CONNECTIONS, RATE, span).await;
    stop.send_replace(true);
    let (took, sender) = swapping.await.expect("it ends");
    gateway.stop().await;
    drop(sender);
    json!({
        "tools": world::TOOLS,
        "roles": world::ROLES,
        "tasks": world::TASKS,
        "tenants": world::TENANTS,
        "calls_each_second": RATE,
        "swaps": took.len(),
        "compile_ms": plan::summary(&took),
        "calls": moved.latency.len(),
        "refused": moved.bad,
        "still": plan::latencies(&still),
        "moved": plan::latencies(&moved),
    })
}
