//! Registries that turn out to be damaged, and logs that left theirs.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::time::Duration;

use cs_model::event::{Event, EventKind};
use cs_registry::Registry;
use serde_json::{Value, json};

use super::place::Place;
use crate::sealed;
use crate::view::audit::ChainView;

/// Attacks B04: a registry is too large for every page to be looked at before it is served from.
/// It is looked at beside the work, and what is damaged is not served from any longer.
#[tokio::test]
async fn b04_damage_of_a_large_registry_stops_the_gateway_as_soon_as_it_is_found() {
    let mut place = Place::with_starter().await;
    place.control.shutdown().await.unwrap();
    let path = place.home.join("registry.db");
    let registry = Registry::open(&path).await.unwrap();
    let long = Event {
        detail: Some("x".repeat(1 << 20)),
        ..Event::new(EventKind::AdminChanged, place.control.now())
    };
    for _ in 0..17 {
        registry.record(vec![long.clone(); 4]).await.unwrap();
    }
    registry.close().await.unwrap();
    let mut bytes = fs::read(&path).unwrap();
    assert!(bytes.len() > 64 << 20, "it is a large one");
    let page = bytes.windows(200).position(|it| it == [b'x'; 200]).unwrap() / 4096;
    // The list of pages that a long row goes on in now leads nowhere.
    bytes[(page + 1) * 4096..][..64].fill(0xFF);
    fs::write(&path, &bytes).unwrap();

    place.options.listen = Some("127.0.0.1:0".parse().unwrap());
    let place = place.reopen().await;
    let found = async {
        loop {
            let status = place.ask_as(crate::actor::Actor::Nobody, "status", json!({})).await;
            if status["gateway"]["state"] == "failed" {
                return status["gateway"].clone();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let gateway = tokio::time::timeout(Duration::from_secs(60), found).await.expect("it is found");
    let problem = gateway["problem"].as_str().unwrap();
    assert!(problem.contains("is damaged") && problem.contains("from a backup"), "{problem}");
    assert_eq!(gateway["url"], Value::Null);
    let refused = place.control.start_gateway("127.0.0.1:0".parse().unwrap()).await.unwrap_err();
    assert!(refused.to_string().contains("is damaged"), "{refused}");
}

/// Attacks B04: a gateway that serves when the damage is found stops listening.
#[tokio::test]
async fn b04_a_gateway_that_serves_stops_listening_once_damage_is_found() {
    let place = Place::with_starter().await;
    place.control.shutdown().await.unwrap();
    let path = place.home.join("registry.db");
    let registry = Registry::open(&path).await.unwrap();
    let long = Event {
        detail: Some("x".repeat(20_000)),
        ..Event::new(EventKind::AdminChanged, place.control.now())
    };
    registry.record(vec![long; 20]).await.unwrap();
    registry.close().await.unwrap();
    let place = place.reopen().await;
    place.control.start_gateway("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let status = place.ask_as(crate::actor::Actor::Nobody, "status", json!({})).await;
    let url = status["gateway"]["url"].as_str().unwrap().to_owned();
    let address = url.strip_prefix("http://").unwrap();
    tokio::net::TcpStream::connect(address).await.unwrap();

    let bytes = fs::read(&path).unwrap();
    let half = bytes.len() / 2;
    let found = bytes[half..].windows(200).position(|it| it == [b'x'; 200]).unwrap();
    let page = (half + found) / 4096;
    // In place: a gateway that works meanwhile would come upon a file that was cut for a moment.
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.write_all_at(&[0xFF; 64], u64::try_from(page + 1).unwrap() * 4096).unwrap();
    let found = place.control.core().unwrap().registry.check().await.unwrap_err();
    assert!(matches!(found, cs_registry::OpenError::Damaged { .. }), "{found:?}");

    let closed = async {
        while tokio::net::TcpStream::connect(address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), closed).await.expect("nobody listens any longer");
    let status = place.ask_as(crate::actor::Actor::Nobody, "status", json!({})).await;
    assert_eq!(status["gateway"]["state"], "failed");
}

/// The log, one sealed event a line, asked for in pieces.
async fn exported(place: &Place) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        let args = json!({ "after": lines.len(), "limit": 4 });
        let piece = place.ask("audit_export", args).await;
        let piece = piece.as_array().unwrap();
        if piece.is_empty() {
            return lines;
        }
        lines.extend(piece.iter().map(Value::to_string));
    }
}

fn checked(lines: &[String]) -> ChainView {
    sealed::check(lines.join("\n").as_bytes()).unwrap()
}

/// Attacks A03: what left the registry can be checked without it.
#[tokio::test]
async fn a03_an_exported_log_shows_whatever_was_done_to_it() {
    let place = Place::with_starter().await;
    let whole = exported(&place).await;
    let own = place.ask("audit_verify", json!({})).await;
    let chain = checked(&whole);
    assert!(chain.whole && whole.len() > 5, "{chain:?}");
    assert_eq!(json!(chain.head), own["head"]);
    assert_eq!(json!(chain.events), own["events"]);

    let changed = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines = whole.clone();
        change(&mut lines);
        checked(&lines)
    };
    type Change<'c> = &'c dyn Fn(&mut Vec<String>);
    let cases: [(&str, Change<'_>); 6] = [
        ("a blank more", &|it| {
            let mut event: Value = serde_json::from_str(&it[3]).unwrap();
            event["body"] = json!(event["body"].as_str().unwrap().replacen(':', ": ", 1));
            it[3] = event.to_string();
        }),
        ("a line less", &|it| drop(it.remove(3))),
        ("two lines swapped", &|it| it.swap(3, 4)),
        ("a line twice", &|it| it.insert(3, it[3].clone())),
        ("no beginning", &|it| drop(it.drain(..3))),
        ("no line at all", &|it| it[3] = "{}".to_owned()),
    ];
    for (what, change) in cases {
        let found = changed(change);
        assert!(!found.whole && found.problem.is_some(), "{what}: {found:?}");
        assert!(found.verified_to <= 4, "{what}: {found:?}");
    }
    let cut = changed(&|it| it.truncate(4));
    assert_ne!(cut.head, chain.head, "a missing end shows in the head");
}
