//! Whoever comes second to a home is told who has it, and what to do.

use std::path::PathBuf;

use cs_control::{Control, Options};
use serde_json::Value;

use crate::place::{Place, command};

#[tokio::test(flavor = "multi_thread")]
async fn f08_a_second_gateway_and_a_console_are_told_that_serve_has_the_home() {
    let place = Place::starter().await;
    let second = command(place.path()).args(["serve", "--listen", "127.0.0.1:0"]).output().await;
    let second = second.expect("it runs");
    assert_eq!(second.status.code(), Some(1));
    let told: Value = serde_json::from_slice(&second.stderr).expect("JSON");
    let told = told["message"].as_str().expect("a message").to_owned();
    let console = Options::new("the console", PathBuf::from("countersign-desktop"));
    let refused = Control::open(&place.path().join("home"), console).await.expect_err("in use");
    for message in [told, refused.to_string()] {
        let holder =
            format!("this home is in use by `countersign serve` (process {})", place.serve());
        assert!(message.starts_with(&holder), "{message}");
        assert!(message.ends_with("stop it first, or steer it from there"), "{message}");
    }
    assert_eq!(place.ask(&["status"]).await["gateway"]["state"], "serving", "the first goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn f08_serve_is_told_that_the_console_has_the_home() {
    let place = Place::made().await;
    let home = place.path().join("home");
    let console = Options::new("the console", PathBuf::from("countersign-desktop"));
    let control = Control::open(&home, console).await.expect("it opens");
    let second = command(place.path()).args(["serve", "--listen", "127.0.0.1:0"]).output().await;
    let second = second.expect("it runs");
    assert_eq!(second.status.code(), Some(1));
    let told = String::from_utf8_lossy(&second.stderr);
    let holder = format!("in use by the console (process {})", std::process::id());
    assert!(told.contains(&holder) && told.contains("stop it first"), "{told}");
    control.shutdown().await.expect("it closes");
}
