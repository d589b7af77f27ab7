//! The notification of a waiting call, as the system's notification service gets it: the test
//! stands in for the service.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use countersign_tests::{App, Session};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::timeout;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::OwnedValue;

use crate::journey::{connect_agent, first_run};

const PATIENCE: Duration = Duration::from_secs(30);
const NUMBER: u32 = 7;

/// What a notification says.
struct Said {
    summary: String,
    body: String,
}

/// What shows notifications.
struct Service(mpsc::UnboundedSender<Said>);

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Service {
    #[expect(clippy::too_many_arguments, reason = "the shape of the protocol")]
    fn notify(
        &self,
        _app: &str,
        _replaces: u32,
        _icon: &str,
        summary: String,
        body: String,
        _actions: Vec<String>,
        _hints: HashMap<String, OwnedValue>,
        _expires: i32,
    ) -> zbus::fdo::Result<u32> {
        let said = Said { summary, body };
        self.0.send(said).map_err(|it| zbus::fdo::Error::Failed(it.to_string()))?;
        Ok(NUMBER)
    }

    fn close_notification(&self, _number: u32) {}

    fn get_capabilities(&self) -> Vec<String> {
        vec!["actions".to_owned(), "body".to_owned()]
    }

    fn get_server_information(&self) -> (&str, &str, &str, &str) {
        ("test", "test", "1", "1.2")
    }

    #[zbus(signal)]
    async fn action_invoked(
        emitter: &SignalEmitter<'_>,
        number: u32,
        action: &str,
    ) -> zbus::Result<()>;
}

#[tokio::test]
async fn u10_a_waiting_call_is_announced_without_its_arguments_and_a_click_opens_its_window() {
    let session = Session::start(1280, 800).await;
    let (saying, mut said) = mpsc::unbounded_channel();
    let bus = session.connect().await;
    let path = "/org/freedesktop/Notifications";
    bus.object_server().at(path, Service(saying)).await.unwrap();
    bus.request_name("org.freedesktop.Notifications").await.unwrap();

    let app = App::start(&session, &session.path("registry"), &["--listen", "127.0.0.1:0"]).await;
    first_run(&app).await;
    let agent = Arc::new(connect_agent(&app, "scribe", "executor").await);
    let caller = Arc::clone(&agent);
    let arguments = json!({"path": "salaries.txt", "content": "everything"});
    let waiting = tokio::spawn(async move { caller.call("write_file", arguments).await });

    let Said { summary, body } = timeout(PATIENCE, said.recv()).await.unwrap().unwrap();
    assert_eq!(summary, "A call waits for you");
    assert_eq!(body, "scribe asks for write_file in acme");

    let emitter = SignalEmitter::new(&bus, path).unwrap();
    Service::action_invoked(&emitter, NUMBER, "default").await.unwrap();
    app.turn_to("approval").await;
    app.sees("salaries.txt").await;
    waiting.abort();
    app.close().await;
}
