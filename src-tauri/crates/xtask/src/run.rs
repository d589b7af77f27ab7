//! Opens the console on a starter registry, on this screen or on a virtual one.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::exec::{capture, command, run as do_run, say};
use crate::place::{Place, has_display};
use crate::session::Session;
use crate::setup::{self, Purpose};
use crate::ui;

/// Makes the registry, the first time, and then becomes the console.
const START: &str = r#"
set -eu
home=$1 passphrase=$2 programs=$3
if [ -n "$passphrase" ] && [ ! -e "$home/registry.db" ]; then
  "$programs/countersign" --home "$home" init --starter --operator you --passphrase-file "$passphrase"
fi
exec "$programs/countersign-desktop" --home "$home"
"#;

/// How often to look, four times a second, whether the console has come up.
const LOOKS: u32 = 480;

/// Where the things of one run are.
#[derive(Debug)]
struct Parts {
    home: PathBuf,
    /// Only where the registry is made here.
    passphrase: Option<PathBuf>,
    programs: PathBuf,
}

/// Builds what is needed, opens the console and stays until it is closed.
pub(crate) fn run(place: &Place, home: Option<&str>) -> Result<()> {
    let screen = has_display();
    let node = setup::for_running(place, if screen { Purpose::Screen } else { Purpose::Headless })?;
    ui::build(place, &node)?;
    say("building the console and the command line");
    let programs = ["--bin", "countersign-desktop", "--bin", "countersign"];
    let args = [&["build", "--locked", "--workspace"], &programs[..]].concat();
    do_run(&mut command(&place.root, "cargo", &args))?;
    let parts = Parts::prepare(place, home)?;
    let words = parts.words();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if screen {
        let child = command(&place.root, "bash", words.get(1..).unwrap_or_default()).spawn()?;
        return follow(place, &parts, child, None);
    }
    say("there is no display here: the console opens on a virtual one");
    let session = Session::kept(place, "run")?;
    // While this end of its standard input is open, the session lives.
    let mut inside = session.command(place, &node, &words);
    let child = inside.env("WATCH", "1").stdin(Stdio::piped()).spawn()?;
    follow(place, &parts, child, Some(&session))
}

impl Parts {
    fn prepare(place: &Place, home: Option<&str>) -> Result<Self> {
        fs::create_dir_all(place.made("run"))?;
        let programs = place.cargo_target.join("debug");
        if let Some(home) = home {
            let home = std::path::absolute(home).context("the home folder is not a path")?;
            return Ok(Self { home, passphrase: None, programs });
        }
        let (home, passphrase) = (place.made("run-home"), place.made("run/passphrase"));
        if !passphrase.exists() {
            if home.exists() {
                bail!("{} has lost its passphrase; remove it to start anew", home.display());
            }
            write_passphrase(&passphrase)?;
        }
        Ok(Self { home, passphrase: Some(passphrase), programs })
    }

    fn words(&self) -> [String; 7] {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let passphrase = self.passphrase.as_deref().map(text).unwrap_or_default();
        let [bash, run, script, name] = ["bash", "-c", START, "start"].map(str::to_owned);
        [bash, run, script, name, text(&self.home), passphrase, text(&self.programs)]
    }

    /// What the console says of itself, once it is there.
    fn status(&self, place: &Place) -> Option<Value> {
        let (program, home) = (self.programs.join("countersign"), self.home.to_string_lossy());
        let args = ["--home", &home, "status", "--json"];
        serde_json::from_str(&capture(&mut command(&place.root, program, &args)).ok()?).ok()
    }
}

/// A passphrase that nobody chose, for a registry to try things out on.
fn write_passphrase(file: &Path) -> Result<()> {
    let mut random = [0_u8; 12];
    fs::File::open("/dev/urandom")?.read_exact(&mut random)?;
    let words: Vec<String> = random
        .chunks(3)
        .map(|part| part.iter().map(|byte| format!("{byte:02x}")).collect())
        .collect();
    let mut made = fs::File::options().write(true).create_new(true).mode(0o600).open(file)?;
    writeln!(made, "{}", words.join("-")).context("could not write the passphrase")
}

/// Waits for the console, says how to use it, and waits for its end.
fn follow(place: &Place, parts: &Parts, mut child: Child, session: Option<&Session>) -> Result<()> {
    // Waiting for a program closes its standard input, and with that the session would end.
    let _session_lives = child.stdin.take();
    let mut told = false;
    for _ in 0..LOOKS {
        if let Some(status) = child.try_wait()? {
            bail!("the console ended before it was ready ({status})");
        }
        if let Some(status) = parts.status(place) {
            let url = status.pointer("/gateway/url").and_then(Value::as_str);
            explain(place, parts, url.unwrap_or("(not serving)"));
            told = true;
            break;
        }
        pause();
    }
    if !told {
        println!("the console has not said in time where its gateway is");
    }
    if let Some(session) = session {
        photograph(place, session);
    }
    let status = child.wait().context("could not wait for the console")?;
    println!("the console has been closed ({status})");
    Ok(())
}

fn photograph(place: &Place, session: &Session) {
    let picture = place.made("run/screenshot.png");
    for _ in 0..LOOKS {
        pause();
        if session.picture(&picture).unwrap_or(false) {
            // Once more, when the first page has come to rest.
            (0..8).for_each(|_| pause());
            drop(session.picture(&picture));
            println!("  picture    {}", short(place, &picture));
            println!("\nCtrl-C ends it.");
            return;
        }
    }
    println!("nothing has appeared on the virtual screen");
}

fn explain(place: &Place, parts: &Parts, url: &str) {
    let (home, programs) = (short(place, &parts.home), short(place, &parts.programs));
    println!("\nThe console is open.\n");
    println!("  gateway    {url}");
    println!("  home       {home}");
    let Some(passphrase) = &parts.passphrase else { return };
    let passphrase = short(place, passphrase);
    println!("  operator   you; the passphrase is in {passphrase}");
    println!("\nIn another terminal, connect an agent (the README goes on from here):\n");
    println!(
        "  export PATH=\"{}:$PATH\" COUNTERSIGN_HOME=\"{}\"",
        from_here(&programs),
        from_here(&home)
    );
    println!(
        "  countersign credential issue executor-1 --tenant acme --save target/run/executor-1.key"
    );
    println!(
        "  countersign connect --url {url}/t/acme/task/workbench/mcp --key-file target/run/executor-1.key\n"
    );
}

fn from_here(path: &str) -> String {
    if Path::new(path).is_absolute() { path.to_owned() } else { format!("$PWD/{path}") }
}

fn short(place: &Place, path: &Path) -> String {
    path.strip_prefix(&place.root).unwrap_or(path).to_string_lossy().into_owned()
}

#[expect(clippy::disallowed_methods, reason = "another program is waited for by looking")]
fn pause() {
    thread::sleep(Duration::from_millis(250));
}
