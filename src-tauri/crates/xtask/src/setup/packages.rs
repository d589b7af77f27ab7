//! Packages of the system, on Debian and its relatives.

use std::fs;
use std::path::Path;

use anyhow::{Result, bail};

use crate::exec::{capture, command, run, say};

/// What the packages are for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Purpose {
    /// Opening the console on this machine's own screen.
    Screen,
    /// Opening it on a virtual screen.
    Headless,
    /// Everything that the tests do.
    Test,
}

const BUILD: &[&str] = &["build-essential", "pkg-config", "libwebkit2gtk-4.1-dev"];
const CONSOLE: &[&str] = &["libayatana-appindicator3-1", "fonts-dejavu-core"];
const HEADLESS: &[&str] = &["xvfb", "xauth", "dbus", "gnome-keyring", "imagemagick"];
const TEST: &[&str] = &[
    "webkit2gtk-driver",
    "chromium",
    "libsecret-tools",
    "python3-venv",
    "xdotool",
    "x11-utils",
    "curl",
    "openssl",
    "libfaketime",
    "strace",
];

/// An identity provider that some tests speak with. It runs nowhere but in them.
const GLEWLWYD: &str = "glewlwyd";

/// A database that the real servers of some tests speak with.
const POSTGRESQL: &str = "postgresql";

/// Installs what is missing, or says which line would.
pub(crate) fn install(purpose: Purpose) -> Result<()> {
    let mut wanted = [BUILD, CONSOLE].concat();
    if purpose != Purpose::Screen {
        wanted.extend(HEADLESS);
    }
    if purpose == Purpose::Test {
        wanted.extend(TEST);
    }
    install_these(&wanted)
}

/// Installs the identity provider of some tests, where that can be done.
pub(crate) fn install_glewlwyd() {
    if has_glewlwyd() {
        return;
    }
    if let Err(problem) = install_these(&[GLEWLWYD]) {
        println!("{problem:#}");
    }
    // The package starts it for everybody, under a password that everybody knows.
    if has_glewlwyd() {
        stop_service(GLEWLWYD);
    }
}

/// Installs the database of some tests, where that can be done. They run one of their own.
pub(crate) fn install_postgresql() {
    if has_postgresql() {
        return;
    }
    if let Err(problem) = install_these(&[POSTGRESQL]) {
        println!("{problem:#}");
    }
    if has_postgresql() {
        stop_service(POSTGRESQL);
    }
}

/// Whether that database is there, where Debian has its programs.
pub(crate) fn has_postgresql() -> bool {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    versions.map(|it| it.path().join("bin")).any(|programs| {
        ["initdb", "postgres", "psql"].iter().all(|name| programs.join(name).exists())
    })
}

/// Stops what a package has just started for this machine.
fn stop_service(name: &str) {
    if !Path::new("/run/systemd/system").exists() {
        return;
    }
    let through: &[&str] = if is_root() { &[] } else { &["sudo", "-n"] };
    let words = [through, &["systemctl", "disable", "--now", name]].concat();
    if let Some((program, args)) = words.split_first()
        && let Err(problem) = run(&mut here(program, args))
    {
        println!("{name} may be running as a service of this machine: {problem:#}");
    }
}

/// Whether that identity provider is there.
pub(crate) fn has_glewlwyd() -> bool {
    capture(&mut here(GLEWLWYD, &["--version"])).is_ok()
}

/// Installs those of the packages that are missing.
pub(crate) fn install_these(wanted: &[&str]) -> Result<()> {
    if capture(&mut here("dpkg-query", &["--version"])).is_err() {
        println!("this is not Debian or Ubuntu; what they call {} is needed", wanted.join(" "));
        return Ok(());
    }
    let missing: Vec<&str> = wanted.iter().copied().filter(|name| !is_installed(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    say(&format!("installing system packages: {}", missing.join(" ")));
    let install = [&["install", "-y", "--no-install-recommends"], missing.as_slice()].concat();
    if is_root() {
        apt(&[], &["update"])?;
        apt(&[], &install)
    } else if capture(&mut here("sudo", &["-n", "true"])).is_ok() {
        apt(&["sudo", "-n"], &["update"])?;
        apt(&["sudo", "-n"], &install)
    } else {
        bail!(
            "system packages are missing and this user may not install them; have somebody run:\n\n    \
             sudo apt-get update && sudo apt-get {}\n",
            install.join(" ")
        )
    }
}

fn is_installed(package: &str) -> bool {
    capture(&mut here("dpkg-query", &["-W", "-f", "${Status}", package]))
        .is_ok_and(|status| status.contains("install ok installed"))
}

fn is_root() -> bool {
    capture(&mut here("id", &["-u"])).is_ok_and(|id| id.trim() == "0")
}

fn apt(through: &[&str], args: &[&str]) -> Result<()> {
    let quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"];
    let words = [through, &quiet, args].concat();
    match words.split_first() {
        Some((program, args)) => run(&mut here(program, args)),
        None => Ok(()),
    }
}

fn here(program: &str, args: &[&str]) -> std::process::Command {
    command(Path::new("."), program, args)
}
