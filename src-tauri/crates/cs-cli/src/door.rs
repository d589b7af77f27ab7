//! The way to the core: through whatever runs on the home, by opening the registry, or to a gateway
//! elsewhere.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use cs_control::adapters::clock::SystemClock;
use cs_control::{Actor, Control, ErrorCode, Options, consoles, socket};
use cs_model::Secret;
use serde_json::{Value, json};

use crate::answer::text;
use crate::args::Everywhere;
use crate::failure::{Done, Problem};
use crate::{ambient, passphrase};

/// The longest file of a console, in bytes.
const MOST: u64 = 64 * 1024;

/// One of the three ways.
#[derive(Debug)]
pub(crate) enum Door {
    /// A gateway on another machine, where this is the console of one operator.
    Elsewhere(socket::Client, Box<Everywhere>),
    /// A console or `countersign serve` runs on this home, and is asked.
    Running(socket::Client),
    /// Nothing runs on it: this process has it to itself.
    Own(Control),
}

impl Door {
    /// Whichever is open.
    pub(crate) async fn open(home: &Path, everywhere: &Everywhere) -> Done<Self> {
        match Self::running(home).await? {
            Some(door) => Ok(door),
            None => Self::own(home, everywhere).await,
        }
    }

    /// The first, or an error that says how to open it.
    pub(crate) async fn of_running(home: &Path) -> Done<Self> {
        Self::running(home).await?.ok_or_else(|| {
            Problem::not_found(format!(
                "nothing runs on {}; start the console or `countersign serve`",
                home.display()
            ))
        })
    }

    /// The way to a gateway elsewhere, as the console whose file this is.
    pub(crate) async fn elsewhere(file: &Path, everywhere: &Everywhere) -> Done<Self> {
        let shown = file.display();
        let mut text = String::new();
        File::open(file)
            .and_then(|opened| opened.take(MOST).read_to_string(&mut text))
            .with_context(|| format!("could not read {shown}"))?;
        let card = consoles::card(&text).map_err(anyhow::Error::from)?;
        let known = match &everywhere.console_code_file {
            Some(file) => Some(Secret::from_text(passphrase::from_file(file)?)),
            None => consoles::recall(&card).await,
        };
        let code = match known {
            Some(code) => code,
            None => {
                let whose = format!("The code of console `{}` of {}: ", card.name, card.operator);
                Secret::from_text(passphrase::typed_once(&whose)?)
            }
        };
        let identity = consoles::open(&text, &code).map_err(anyhow::Error::from)?;
        let clock = Arc::new(SystemClock);
        let client = consoles::attach(&identity, clock).await.map_err(anyhow::Error::from)?;
        Ok(Self::Elsewhere(client, Box::new(everywhere.clone())))
    }

    async fn running(home: &Path) -> Done<Option<Self>> {
        let client = socket::Client::connect(home).await.map_err(anyhow::Error::from)?;
        Ok(client.map(Self::Running))
    }

    async fn own(home: &Path, everywhere: &Everywhere) -> Done<Self> {
        if !home.join("registry.db").exists() {
            return Err(Problem::not_found(format!(
                "there is no registry in {}; make one with `countersign init`, or name another folder with `--home DIR`",
                home.display()
            )));
        }
        let mut options = Options::new("the command line", ambient::this_program()?);
        options.session_bus = ambient::variable("DBUS_SESSION_BUS_ADDRESS");
        let control = Control::open(home, options).await?;
        // Looking does not need the secrets; who gives a passphrase wants them open.
        if everywhere.passphrase_file.is_some() && is_sealed(&control).await? {
            unseal(&control, &passphrase::ask(everywhere, "")?).await?;
        }
        Ok(Self::Own(control))
    }

    /// Asks for a command, with the rights of the user who runs this home.
    pub(crate) async fn ask(&self, command: &str, args: Value) -> Done<Value> {
        match self {
            Self::Elsewhere(client, everywhere) => {
                let ask = async |command: &str, args: Value| {
                    client.ask(command, args).await.map_err(anyhow::Error::from)
                };
                match ask(command, args.clone()).await? {
                    // There, nobody is anybody before the passphrase was given.
                    Err(failure) if failure.code == ErrorCode::Locked => {
                        let passphrase = passphrase::ask(everywhere, "Your passphrase: ")?;
                        ask("unlock", json!({ "passphrase": passphrase })).await??;
                        Ok(ask(command, args).await??)
                    }
                    answered => Ok(answered?),
                }
            }
            Self::Running(client) => {
                let answered = client.ask(command, args).await.map_err(anyhow::Error::from)?;
                Ok(answered?)
            }
            Self::Own(control) => Ok(control.dispatch(&local(), command, args).await?),
        }
    }

    /// Lets go of the home, with everything written.
    pub(crate) async fn close(self) {
        if let Self::Own(control) = self {
            // What was acknowledged is safe, whatever this says.
            drop(control.shutdown().await);
        }
    }
}

/// Whether secrets are kept in a file that a passphrase opens.
pub(crate) async fn is_sealed(control: &Control) -> Done<bool> {
    let status = control.dispatch(&local(), "status", json!({})).await?;
    Ok(text(&status, "/secret_store") == "file")
}

/// Opens the secrets for this process. Signing still takes the passphrase each time.
pub(crate) async fn unseal(control: &Control, passphrase: &str) -> Done {
    control.dispatch(&local(), "unlock", json!({ "passphrase": passphrase })).await?;
    control.dispatch(&local(), "lock", json!({})).await?;
    Ok(())
}

/// The user who runs this program.
pub(crate) fn local() -> Actor {
    #[cfg(unix)]
    let uid = Some(rustix::process::getuid().as_raw());
    #[cfg(not(unix))]
    let uid = None;
    Actor::Local { uid }
}
