//! The way to the core: through whatever runs on the home, or by opening the registry.

use std::path::Path;

use cs_control::{Actor, Control, Options, socket};
use serde_json::{Value, json};

use crate::answer::text;
use crate::args::Everywhere;
use crate::failure::{Done, Problem};
use crate::{ambient, passphrase};

/// One of the two ways.
#[derive(Debug)]
pub(crate) enum Door {
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
