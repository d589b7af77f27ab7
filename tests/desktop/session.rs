//! The session that the other tests run in.

use countersign_tests::Session;

#[tokio::test]
async fn a_session_has_a_screen_a_bus_and_a_keyring_of_its_own() {
    let session = Session::start(800, 600).await;
    for program in [
        ["secret-tool", "search", "service", "countersign"].as_slice(),
        &["xdotool", "getdisplaygeometry"],
    ] {
        let output = session.command(program[0]).args(&program[1..]).output().await;
        let output = output.unwrap_or_else(|it| panic!("{program:?}: {it}"));
        assert!(output.status.success(), "{program:?}: {output:?}");
    }
}
