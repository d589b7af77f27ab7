//! `countersign serve`: the gateway and the control socket, without a window.

use std::net::SocketAddr;

use anyhow::Context as _;
use cs_control::{Control, Options, TlsOptions, socket};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

use super::serving::Version;
use crate::answer::text;
use crate::args::Everywhere;
use crate::door::local;
use crate::failure::{Done, Problem};
use crate::output::Output;
use crate::{ambient, door, home, passphrase};

/// Runs the gateway without a console
#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    /// Where the gateway listens, whatever is set: without TLS, loopback only. Port 0 takes a free
    /// one
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Let consoles on other machines in here, whatever is set: those that were enrolled, over
    /// mutual TLS
    #[arg(long, value_name = "ADDRESS:PORT")]
    console_listen: Option<SocketAddr>,
    /// Serve TLS, whatever is set, with a certificate of the installation's own authority. Agents
    /// may prove who they are by certificates then
    #[arg(long)]
    tls: bool,
    /// The oldest version of TLS that is spoken
    #[arg(long, requires = "tls", default_value = "1.3")]
    oldest: Version,
    /// A name or address by which agents reach the gateway; the first is the one that they are
    /// given
    #[arg(long, value_name = "NAME", requires = "tls")]
    name: Vec<String>,
}

pub(crate) async fn run(everywhere: &Everywhere, output: Output, serve: Serve) -> Done {
    let mut asked_to_end = signal(SignalKind::terminate()).context("cannot listen for signals")?;
    let mut interrupted = signal(SignalKind::interrupt()).context("cannot listen for signals")?;
    let home = home::folder(everywhere)?;
    if !home.join("registry.db").exists() {
        let message =
            format!("there is no registry in {}; make one with `countersign init`", home.display());
        return Err(Problem::not_found(message));
    }
    let mut options = Options::new("`countersign serve`", ambient::this_program()?);
    options.session_bus = ambient::variable("DBUS_SESSION_BUS_ADDRESS");
    options.embedded = false;
    options.listen = serve.listen;
    options.consoles = serve.console_listen;
    let oldest = serve.oldest.wire();
    options.tls = serve.tls.then_some(TlsOptions { names: serve.name, oldest });
    let control = Control::open(&home, options).await?;
    let door = socket::Server::start(&control).await.map_err(anyhow::Error::from)?;
    let ready = ready(everywhere, &control).await;
    if let Ok(status) = &ready {
        let mut started = json!({
            "gateway": status.pointer("/gateway/url"),
            "policy_version": status.get("policy_version"),
        });
        let serving = control.dispatch(&local(), "serving_show", json!({})).await?;
        let door = serving.pointer("/consoles/listen").filter(|it| !it.is_null());
        if let (Some(members), Some(door)) = (started.as_object_mut(), door) {
            members.insert("consoles".to_owned(), door.clone());
        }
        output.tell(&started, in_words);
        tokio::select! {
            _ = asked_to_end.recv() => {}
            _ = interrupted.recv() => {}
        }
    }
    door.stop().await;
    control.shutdown().await?;
    ready.map(drop)
}

/// Opens what is sealed, and the gateway.
async fn ready(everywhere: &Everywhere, control: &Control) -> Done<Value> {
    if door::is_sealed(control).await? {
        let passphrase = passphrase::ask(everywhere, "The passphrase that opens the secrets: ")?;
        door::unseal(control, &passphrase).await?;
    }
    control.serve().await?;
    Ok(control.dispatch(&local(), "status", json!({})).await?)
}

fn in_words(started: &Value) -> String {
    let consoles = match text(started, "/consoles").as_str() {
        "" => String::new(),
        at => format!(", lets consoles in at {at}"),
    };
    format!(
        "the gateway listens at {}{consoles}, with policy version {}; Ctrl-C ends it",
        text(started, "/gateway"),
        text(started, "/policy_version")
    )
}
