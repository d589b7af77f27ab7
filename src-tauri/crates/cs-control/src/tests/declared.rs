//! The registry as a file, there and back.

use serde_json::json;

use super::place::Place;

#[tokio::test]
async fn what_is_exported_and_applied_again_changes_nothing() {
    let place = Place::with_starter().await;
    let text = place.ask("export", json!({})).await["text"].clone();
    let applied = place.ask("apply", json!({ "text": text, "dry_run": false })).await;
    assert_eq!(applied["changes"], json!([]));
    assert_eq!(applied["policy_version"], 1);
}

#[tokio::test]
async fn a_file_makes_the_same_registry_elsewhere() {
    let from = Place::with_starter().await;
    let text = from.ask("export", json!({})).await["text"].clone();
    let to = Place::new().await;
    let dry = to.ask("apply", json!({ "text": text, "dry_run": true })).await;
    assert_eq!((&dry["applied"], &dry["policy_version"]), (&json!(false), &json!(0)));
    assert!(!dry["changes"].as_array().unwrap().is_empty());
    assert_eq!(to.ask("tenant_list", json!({})).await, json!([]));
    let applied = to.ask("apply", json!({ "text": text, "dry_run": false })).await;
    assert_eq!(applied["changes"], dry["changes"]);
    assert_eq!(to.ask("export", json!({})).await["text"], text);
}

#[tokio::test]
async fn a_file_with_one_mistake_changes_nothing() {
    let place = Place::with_starter().await;
    let text = place.ask("export", json!({})).await["text"].as_str().unwrap().to_owned();
    let wrong = text.replace("- executor", "- exekutor");
    assert_ne!(wrong, text);
    let args = json!({ "text": wrong, "dry_run": false });
    let refused = place.refused(place.control.console(), "apply", args).await;
    let message = refused["message"].as_str().unwrap();
    assert!(message.contains("did you mean `executor`?"), "{message}");
    assert_eq!(place.ask("export", json!({})).await["text"], text);
}

#[tokio::test]
async fn what_the_file_does_not_have_is_removed() {
    let place = Place::with_starter().await;
    let text = "tenants:\n  acme:\n    roles:\n      reader: {}\n";
    let applied = place.ask("apply", json!({ "text": text, "dry_run": false })).await;
    assert_eq!(applied["applied"], true);
    let matrix = place.matrix().await;
    assert_eq!(matrix["roles"].as_array().unwrap().len(), 1);
    assert_eq!(matrix["tools"], json!([]));
    let agents = place.ask("agent_list", json!({ "tenant": place.tenant().await })).await;
    assert_eq!(agents, json!([]));
}
