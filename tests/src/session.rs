//! A desktop session of its own: home folder, virtual screen, message bus, unlocked keyring. All
//! of it ends with the test, and nothing of the machine's own session is seen or touched.

use std::ffi::OsString;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use futures_util::StreamExt as _;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

const START: Duration = Duration::from_secs(30);

/// Variables of the machine's own session.
const FOREIGN: &[&str] = &[
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "GNOME_KEYRING_CONTROL",
];

/// A desktop session of its own.
#[derive(Debug)]
pub struct Session {
    // Ended in this order, then the folder is removed.
    programs: Vec<Child>,
    environment: Vec<(&'static str, OsString)>,
    bus: String,
    folder: TempDir,
}

impl Session {
    /// Starts one with a screen of this many pixels.
    ///
    /// # Panics
    ///
    /// When one of its parts does not start.
    pub async fn start(width: u32, height: u32) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut session =
            Self { programs: Vec::new(), environment: vec![], bus: String::new(), folder };
        session.folders();
        session.screen(width, height).await;
        session.bus().await;
        session.keyring().await;
        session
    }

    /// A program in this session. It ends with its handle.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        for name in FOREIGN {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().cloned()).kill_on_drop(true);
        command
    }

    /// A path in the session's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The name of its screen.
    pub fn display(&self) -> String {
        let found = self.environment.iter().find(|(name, _)| *name == "DISPLAY");
        found.map(|(_, value)| value.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// A connection to the session's message bus.
    ///
    /// # Panics
    ///
    /// When the bus is gone.
    pub async fn connect(&self) -> zbus::Connection {
        let builder = zbus::connection::Builder::address(self.bus.as_str()).expect("an address");
        builder.build().await.expect("the session's bus")
    }

    /// Waits until a name on the bus has an owner.
    ///
    /// # Panics
    ///
    /// When it has none in time.
    pub async fn wait_for_name(&self, name: &'static str) {
        let bus = self.connect().await;
        let names = zbus::fdo::DBusProxy::new(&bus).await.expect("the bus itself");
        let mut owners = names
            .receive_name_owner_changed_with_args(&[(0, name)])
            .await
            .expect("the bus tells of owners");
        let wanted = zbus::names::BusName::try_from(name).expect("a name");
        if !names.name_has_owner(wanted).await.expect("an answer") {
            timeout(START, owners.next()).await.unwrap_or_else(|_| panic!("nobody owns {name}"));
        }
    }

    fn folders(&mut self) {
        for (variable, name) in [
            ("HOME", "home"),
            ("XDG_RUNTIME_DIR", "run"),
            ("XDG_DATA_HOME", "home/data"),
            ("XDG_CONFIG_HOME", "home/config"),
            ("XDG_CACHE_HOME", "home/cache"),
        ] {
            let path = self.path(name);
            std::fs::create_dir_all(&path).expect("a folder");
            std::fs::set_permissions(&path, Permissions::from_mode(0o700)).expect("its mode");
            self.environment.push((variable, path.into()));
        }
        for (variable, value) in
            [("GDK_BACKEND", "x11"), ("LIBGL_ALWAYS_SOFTWARE", "1"), ("NO_AT_BRIDGE", "1")]
        {
            self.environment.push((variable, value.into()));
        }
    }

    async fn screen(&mut self, width: u32, height: u32) {
        let size = format!("{width}x{height}x24");
        let mut command = self.command("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", &size, "-nolisten", "tcp", "-noreset"]);
        let number = self.first_line(command, None).await;
        self.environment.push(("DISPLAY", format!(":{number}").into()));
    }

    async fn bus(&mut self) {
        let mut command = self.command("dbus-daemon");
        command.args(["--session", "--nofork", "--nopidfile", "--print-address=1"]);
        self.bus = self.first_line(command, None).await;
        self.environment.push(("DBUS_SESSION_BUS_ADDRESS", self.bus.clone().into()));
    }

    async fn keyring(&mut self) {
        let mut command = self.command("gnome-keyring-daemon");
        command.args(["--foreground", "--unlock", "--components=secrets"]);
        self.run(command, Some("session")).await;
        self.wait_for_name("org.freedesktop.secrets").await;
    }

    async fn first_line(&mut self, command: Command, typed: Option<&str>) -> String {
        let program = self.run(command, typed).await;
        let output = program.stdout.take().expect("its output is piped");
        let mut lines = BufReader::new(output).lines();
        let line = timeout(START, lines.next_line()).await.expect("in time").expect("readable");
        line.expect("a part of the session ended at once")
    }

    async fn run(&mut self, mut command: Command, typed: Option<&str>) -> &mut Child {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut program = command.spawn().unwrap_or_else(|it| panic!("{command:?}: {it}"));
        let mut input = program.stdin.take().expect("its input is piped");
        if let Some(typed) = typed {
            input.write_all(typed.as_bytes()).await.expect("it listens");
        }
        drop(input);
        self.programs.push(program);
        self.programs.last_mut().expect("it was just added")
    }

    /// The session's folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}
