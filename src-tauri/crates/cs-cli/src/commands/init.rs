//! `countersign init`.

use cs_control::view::secrets::VaultAt;
use cs_control::{Control, FirstRun, Options};
use cs_model::Secret;
use serde_json::{Value, json};

use super::secrets::{Keeping, VaultArgs};
use crate::answer::text;
use crate::args::Everywhere;
use crate::door::local;
use crate::failure::Done;
use crate::output::{Output, fields};
use crate::{ambient, home, passphrase};

/// Makes a registry in a new home, with its first owner
#[derive(Debug, clap::Args)]
pub(crate) struct Init {
    /// Also make the sample tenant `acme`: four roles, an agent of each, and the server `workbench`
    #[arg(long)]
    starter: bool,
    /// The name of the first owner
    #[arg(long, value_name = "NAME", default_value = "owner")]
    operator: String,
    /// Where secrets are kept
    #[arg(long, default_value = "keychain")]
    secrets: Keeping,
    #[command(flatten)]
    vault: VaultArgs,
}

pub(crate) async fn run(everywhere: &Everywhere, output: Output, init: Init) -> Done {
    let home = home::folder(everywhere)?;
    let passphrase = passphrase::ask_new(everywhere, "A passphrase for signing calls: ")?;
    let first = FirstRun {
        name: init.operator,
        passphrase: Secret::from_text(passphrase),
        keeping: Some(init.secrets.store()),
        vault: init.vault.place()?.map(VaultAt::place),
        starter: init.starter,
    };
    let mut options = Options::new("the command line", ambient::this_program()?);
    options.session_bus = ambient::variable("DBUS_SESSION_BUS_ADDRESS");
    let control = Control::create(&home, options, first).await?;
    let status = control.dispatch(&local(), "status", json!({})).await;
    drop(control.shutdown().await);
    let status = status?;
    let made = json!({
        "home": status.get("home"),
        "secret_store": status.get("secret_store"),
        "policy_version": status.get("policy_version"),
        "starter": init.starter,
    });
    output.tell(&made, in_words);
    Ok(())
}

fn in_words(made: &Value) -> String {
    let about = fields(&[
        ("home", text(made, "/home")),
        ("secrets", text(made, "/secret_store")),
        ("policy version", text(made, "/policy_version")),
    ]);
    format!("{about}\nNow open the console, or run `countersign serve`.")
}
