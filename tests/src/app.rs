//! The real app in its real window, driven through WebDriver.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::process::Child;
use tokio::time::{interval, timeout};

use crate::programs::built;
use crate::session::Session;

/// How long anything may take to appear.
const PATIENCE: Duration = Duration::from_secs(20);

/// The app, in one session.
#[derive(Debug)]
pub struct App {
    client: Client,
    // Held so that it ends with the app.
    _driver: Child,
    log: PathBuf,
}

impl App {
    /// Starts the app on a home, with more arguments.
    ///
    /// # Panics
    ///
    /// When it does not come up.
    pub async fn start(session: &Session, home: &Path, arguments: &[&str]) -> Self {
        let log = session.path("app.log");
        let output = File::options().create(true).append(true).open(&log).expect("a log");
        let port = free_port();
        let driver = session
            .command("WebKitWebDriver")
            .arg(format!("--port={port}"))
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a log"))
            .stderr(output)
            .spawn()
            .expect("WebKitWebDriver is installed");
        listening(port).await;
        let mut words = vec![json!("--home"), json!(home)];
        words.extend(arguments.iter().map(|it| json!(it)));
        let program = built("countersign-desktop");
        let options = json!({ "binary": program, "args": words });
        let capabilities = Capabilities::from_iter([("webkitgtk:browserOptions".into(), options)]);
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let address = format!("http://127.0.0.1:{port}");
        let connecting = builder.capabilities(capabilities).connect(&address);
        let client = match timeout(PATIENCE.saturating_mul(3), connecting).await {
            Ok(Ok(client)) => client,
            Ok(Err(problem)) => panic!("the app did not start: {problem}: {}", read(&log)),
            Err(_) => panic!("the app did not start in time: {}", read(&log)),
        };
        Self { client, _driver: driver, log }
    }

    /// The driver's client, in the window that was turned to last.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Turns to the window with this label, as soon as there is one.
    ///
    /// # Panics
    ///
    /// When there is none in time.
    pub async fn turn_to(&self, label: &str) {
        let script = "return window.__TAURI_INTERNALS__?.metadata?.currentWindow?.label ?? null";
        self.until(&format!("there is a window `{label}`"), async || {
            for window in self.client.windows().await.unwrap_or_default() {
                let turned = self.client.switch_to_window(window).await.is_ok();
                let found = self.client.execute(script, vec![]).await.unwrap_or(Value::Null);
                if turned && found == json!(label) {
                    return Some(());
                }
            }
            None
        })
        .await;
    }

    /// Invokes a command from the present window, as a script in it would.
    ///
    /// # Errors
    ///
    /// What the command, or the access control before it, answered.
    ///
    /// # Panics
    ///
    /// When the window is gone, or does not answer in time.
    pub async fn invoke(&self, command: &str, arguments: Value) -> Result<Value, Value> {
        let script = "const done = arguments[arguments.length - 1]; \
             window.__TAURI_INTERNALS__.invoke(arguments[0], arguments[1]) \
               .then((it) => done({ answer: it ?? null }), (it) => done({ failure: it }))";
        let answering = self.client.execute_async(script, vec![json!(command), arguments]);
        let answered = timeout(PATIENCE, answering).await.expect("the window answers in time");
        let mut answered = answered.expect("the window answers");
        match answered.get_mut("answer") {
            Some(answer) => Ok(answer.take()),
            None => Err(answered["failure"].take()),
        }
    }

    /// Runs a script in the present window and gives what it returns.
    ///
    /// # Panics
    ///
    /// When the script fails, or does not end in time: a window that has left for another place
    /// may never answer.
    pub async fn script(&self, script: &str, arguments: Vec<Value>) -> Value {
        match timeout(PATIENCE, self.client.execute(script, arguments)).await {
            Ok(Ok(returned)) => returned,
            Ok(Err(problem)) => panic!("{script}: {problem}"),
            Err(_) => panic!("the window does not answer: {script}"),
        }
    }

    /// Finds a visible element, as soon as there is one. The locator is an XPath.
    ///
    /// # Panics
    ///
    /// When there is none in time; says what the page shows instead.
    pub async fn find(&self, path: &str) -> Element {
        let found = self.look(path, PATIENCE).await;
        match found {
            Some(element) => element,
            None => panic!("there is no {path} in: {}\n{}", self.text().await, read(&self.log)),
        }
    }

    /// Finds a visible element within a time.
    pub async fn look(&self, path: &str, patience: Duration) -> Option<Element> {
        let looking = async {
            let mut again = interval(Duration::from_millis(50));
            loop {
                again.tick().await;
                for element in self.client.find_all(Locator::XPath(path)).await.unwrap_or_default()
                {
                    if element.is_displayed().await.unwrap_or(false) {
                        return element;
                    }
                }
            }
        };
        timeout(patience, looking).await.ok()
    }

    /// Clicks an element, as soon as it is there.
    ///
    /// # Panics
    ///
    /// When it cannot be clicked in time.
    pub async fn click(&self, path: &str) {
        self.until(&format!("{path} can be clicked"), async || {
            self.find(path).await.click().await.ok()
        })
        .await;
    }

    /// Types into a field, in place of what it has.
    ///
    /// # Panics
    ///
    /// When it cannot be typed into.
    pub async fn fill(&self, path: &str, text: &str) {
        let field = self.find(path).await;
        field.clear().await.expect("it can be cleared");
        field.send_keys(text).await.expect("it can be typed into");
    }

    /// All text that the present window shows.
    pub async fn text(&self) -> String {
        let body = self.client.execute("return document.body.innerText", vec![]).await;
        body.ok().and_then(|it| it.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Waits until the present window shows a text.
    ///
    /// # Panics
    ///
    /// When it does not in time.
    pub async fn sees(&self, text: &str) {
        self.until(&format!("the window shows `{text}`"), async || {
            self.text().await.contains(text).then_some(())
        })
        .await;
    }

    /// Waits until something is the case.
    ///
    /// # Panics
    ///
    /// When it is not in time.
    pub async fn until<T>(&self, what: &str, mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
        let trying = async {
            let mut again = interval(Duration::from_millis(50));
            loop {
                again.tick().await;
                if let Some(found) = attempt().await {
                    return found;
                }
            }
        };
        match timeout(PATIENCE, trying).await {
            Ok(found) => found,
            Err(_) => {
                panic!("not in time: {what}; shown: {}\n{}", self.text().await, read(&self.log))
            }
        }
    }

    /// Takes a picture of the present window, once what changed last has been drawn.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    pub async fn picture(&self, file: &Path) {
        let drawn = "const done = arguments[arguments.length - 1]; \
             requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 300)))";
        self.client.execute_async(drawn, vec![]).await.expect("the window draws");
        let picture = self.client.screenshot().await.expect("a picture");
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(file, picture).expect("a file");
    }

    /// Ends the app.
    pub async fn close(self) {
        // It may have ended already.
        let _ = timeout(PATIENCE, self.client.close()).await;
    }
}

fn read(log: &Path) -> String {
    std::fs::read_to_string(log).unwrap_or_default()
}

fn free_port() -> u16 {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    socket.local_addr().expect("its address").port()
}

async fn listening(port: u16) {
    let trying = async {
        let mut again = interval(Duration::from_millis(20));
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
            again.tick().await;
        }
    };
    timeout(PATIENCE, trying).await.expect("the driver listens");
}
