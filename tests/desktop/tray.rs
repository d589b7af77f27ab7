//! The tray icon, as the system's panel sees it: the test stands in for the panel.

use std::collections::HashMap;
use std::time::Duration;

use countersign_tests::programs::built;
use countersign_tests::{App, Session};
use tokio::sync::mpsc;
use tokio::time::timeout;
use zbus::message::Header;
use zbus::zvariant::{OwnedValue, Value};

use crate::screen::Screen;

const PATIENCE: Duration = Duration::from_secs(20);

/// What shows tray icons. Every icon asks it to be shown.
struct Panel(mpsc::UnboundedSender<(String, String)>);

#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Panel {
    #[expect(clippy::needless_pass_by_value, reason = "the header is handed over by value")]
    fn register_status_notifier_item(
        &self,
        service: &str,
        #[zbus(header)] header: Header<'_>,
    ) -> zbus::fdo::Result<()> {
        let sender = header.sender().map(ToString::to_string).unwrap_or_default();
        let path = if service.starts_with('/') { service } else { "/StatusNotifierItem" };
        self.0
            .send((sender, path.to_owned()))
            .map_err(|it| zbus::fdo::Error::Failed(it.to_string()))
    }

    fn register_status_notifier_host(&self, _service: &str) {}

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        Vec::new()
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }
}

/// An icon that asked to be shown.
pub(crate) struct Icon {
    bus: zbus::Connection,
    owner: String,
    menu: String,
}

type Layout = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);

impl Icon {
    /// The entries of its menu: what they say and their numbers.
    async fn entries(&self) -> Vec<(String, i32)> {
        let names: &[&str] = &[];
        let answer = self
            .bus
            .call_method(
                Some(self.owner.as_str()),
                self.menu.as_str(),
                Some("com.canonical.dbusmenu"),
                "GetLayout",
                &(0_i32, -1_i32, names),
            )
            .await
            .unwrap();
        let (_, (_, _, children)): (u32, Layout) = answer.body().deserialize().unwrap();
        children
            .into_iter()
            .filter_map(|child| {
                let (number, about, _) = Layout::try_from(child).ok()?;
                let label = String::try_from(about.get("label")?.try_clone().ok()?).ok()?;
                Some((label, number))
            })
            .collect()
    }

    /// Clicks the entry that says this.
    pub(crate) async fn choose(&self, label: &str) {
        let entries = self.entries().await;
        let found = entries.iter().find(|(it, _)| it == label);
        let (_, number) = found.unwrap_or_else(|| panic!("no {label} in {entries:?}"));
        self.bus
            .call_method(
                Some(self.owner.as_str()),
                self.menu.as_str(),
                Some("com.canonical.dbusmenu"),
                "Event",
                &(*number, "clicked", Value::from(0_i32), 0_u32),
            )
            .await
            .unwrap();
    }
}

/// A panel on the session's bus, and the first icon that it is asked to show.
pub(crate) async fn panel(
    session: &Session,
) -> (zbus::Connection, mpsc::UnboundedReceiver<(String, String)>) {
    let (asked, asks) = mpsc::unbounded_channel();
    let bus = session.connect().await;
    bus.object_server().at("/StatusNotifierWatcher", Panel(asked)).await.unwrap();
    bus.request_name("org.kde.StatusNotifierWatcher").await.unwrap();
    (bus, asks)
}

pub(crate) async fn icon(
    bus: zbus::Connection,
    asks: &mut mpsc::UnboundedReceiver<(String, String)>,
) -> Icon {
    let (owner, path) = timeout(PATIENCE, asks.recv()).await.unwrap().unwrap();
    let item = zbus::Proxy::new(&bus, owner.clone(), path, "org.kde.StatusNotifierItem");
    let menu: zbus::zvariant::OwnedObjectPath =
        item.await.unwrap().get_property("Menu").await.unwrap();
    Icon { bus, owner, menu: menu.to_string() }
}

#[tokio::test]
async fn the_tray_icon_leads_to_the_windows_and_ends_the_app() {
    let session = Session::start(1280, 800).await;
    let (bus, mut asks) = panel(&session).await;
    let mut app = session
        .command(built("countersign-desktop"))
        .arg("--home")
        .arg(session.path("registry"))
        .args(["--listen", "127.0.0.1:0", "--background"])
        .spawn()
        .unwrap();
    let icon = icon(bus, &mut asks).await;
    let labels: Vec<_> = icon.entries().await.into_iter().map(|(label, _)| label).collect();
    assert_eq!(labels, ["Open Countersign", "Nothing waits for you", "Lock", "Quit"]);
    icon.choose("Quit").await;
    let ended = timeout(PATIENCE, app.wait()).await.unwrap().unwrap();
    assert!(ended.success(), "{ended}");
}

#[tokio::test]
async fn closing_the_window_leaves_the_gateway_running_where_a_tray_icon_leads_back() {
    let session = Session::start(1280, 800).await;
    let (bus, mut asks) = panel(&session).await;
    let app = App::start(&session, &session.path("registry"), &["--listen", "127.0.0.1:0"]).await;
    let icon = icon(bus, &mut asks).await;
    app.turn_to("main").await;
    let screen = Screen::of(&session);
    let window = app.until("the window is shown", async || screen.console()).await;
    screen.close(window);
    app.until("the window is gone", async || screen.console().is_none().then_some(())).await;
    icon.choose("Open Countersign").await;
    app.until("the window is back", async || screen.console()).await;
    app.close().await;
}
