//! Other users of the same machine, and the addresses that others can reach.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tokio::process::Command;

use crate::place::{Place, command};

/// Connects to the control socket, asks for something, and prints what comes back.
const ASK: &str = r#"
import socket, sys
s = socket.socket(socket.AF_UNIX)
try:
    s.connect(sys.argv[1])
    s.sendall(b'{"command":"tenant_list","args":{}}\n')
    print("answered", s.recv(65536).decode() or "nothing")
except OSError as why:
    print("refused", type(why).__name__)
"#;

/// What another user of this machine gets; nothing where this user cannot become another.
async fn as_another_user(socket: &Path) -> Option<String> {
    let asked = Command::new("setpriv")
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .args(["/usr/bin/python3", "-c", ASK])
        .arg(socket)
        .output()
        .await
        .ok()?;
    asked.status.success().then(|| String::from_utf8_lossy(&asked.stdout).trim().to_owned())
}

fn open_to_all(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
}

#[tokio::test(flavor = "multi_thread")]
async fn d07_another_user_of_the_machine_reaches_no_control_socket_and_is_told_nothing() {
    let place = Place::starter().await;
    let home = place.path().join("home");
    let socket = home.join("control.sock");
    let mode = |path: &Path| std::fs::metadata(path).expect("it").permissions().mode() & 0o777;
    assert_eq!((mode(&home), mode(&socket)), (0o700, 0o600));
    let Some(told) = as_another_user(&socket).await else {
        eprintln!("left out: another user, because this one cannot become another");
        return;
    };
    assert_eq!(told, "refused PermissionError");
    // Were all of it open to everybody, who asks would still not be the one who may.
    open_to_all(place.path(), 0o755);
    open_to_all(&home, 0o755);
    open_to_all(&socket, 0o666);
    let told = as_another_user(&socket).await.expect("it runs");
    assert!(!told.contains("acme"), "{told}");
    assert!(told == "answered nothing" || told.starts_with("refused"), "{told}");
    assert_eq!(place.ask(&["tenant", "list"]).await.as_array().map(Vec::len), Some(1));
}

/// The gateway's own port is the only one, and nobody is served there but agents.
#[tokio::test(flavor = "multi_thread")]
async fn d07_there_is_no_way_in_for_administrators_over_the_network() {
    let place = Place::starter().await;
    for path in ["/", "/api", "/admin", "/control", "/tenant_list", "/metrics", "/t/acme"] {
        let url = format!("{}{path}", place.url());
        let words = ["--silent", "--max-time", "20", "--output", "/dev/null", "--write-out"];
        let mut curl = Command::new("curl");
        curl.args(words).args(["%{http_code}", "--data", r#"{"command":"tenant_list","args":{}}"#]);
        curl.args(["--header", "Content-Type: application/json", &url]);
        let done = curl.output().await.expect("curl runs");
        assert_eq!(String::from_utf8_lossy(&done.stdout), "404", "{path}");
    }
    let Some(ports) = listening(place.serve()) else {
        eprintln!("left out: the ports of the process, which is closed to this user");
        return;
    };
    let own: u16 = place.url().rsplit(':').next().and_then(|it| it.parse().ok()).expect("a port");
    assert_eq!(ports, [own]);
}

/// The TCP ports that a process listens on; nothing where that is not to be seen.
fn listening(process: u32) -> Option<Vec<u16>> {
    let mut sockets = Vec::new();
    for entry in std::fs::read_dir(format!("/proc/{process}/fd")).ok()? {
        let target = std::fs::read_link(entry.ok()?.path()).unwrap_or_default();
        let target = target.to_string_lossy().into_owned();
        sockets
            .extend(target.strip_prefix("socket:[").map(|it| it.trim_end_matches(']').to_owned()));
    }
    let mut ports = Vec::new();
    for table in ["tcp", "tcp6"] {
        let table = std::fs::read_to_string(format!("/proc/{process}/net/{table}")).ok()?;
        for row in table.lines().skip(1) {
            let row: Vec<&str> = row.split_whitespace().collect();
            if row[3] == "0A" && sockets.iter().any(|it| it == row[9]) {
                let port = row[1].rsplit(':').next().expect("a port");
                ports.push(u16::from_str_radix(port, 16).expect("a number"));
            }
        }
    }
    Some(ports)
}

#[tokio::test(flavor = "multi_thread")]
async fn d08_without_tls_no_address_is_served_that_others_can_reach() {
    let place = Place::made().await;
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:7411"] {
        let refused = command(place.path()).args(["serve", "--listen", address]).output().await;
        let refused = refused.expect("it runs");
        assert_eq!(refused.status.code(), Some(1), "{address}");
        let told = String::from_utf8_lossy(&refused.stderr);
        assert!(told.contains("TLS") && told.contains("loopback"), "{address}: {told}");
    }
}
