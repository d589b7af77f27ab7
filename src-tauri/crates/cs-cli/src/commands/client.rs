//! `countersign credential issue --kind client`: clients of the built-in issuer.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ValueEnum;
use serde_json::{Value, json};

use super::credential::insert;
use crate::answer::{moment, text, without};
use crate::desk::Desk;
use crate::failure::{Done, Problem};
use crate::output::fields;

/// How a client proves itself.
#[derive(Debug, clap::Args)]
pub(crate) struct Proof {
    /// How the client proves itself, with `--kind client`
    #[arg(long)]
    method: Option<Method>,
    /// A file with its public keys (a JWK Set), with `--method private-key-jwt`
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// The SPIFFE id of its certificate, with `--method tls`; the agent's own unless said otherwise
    #[arg(long, value_name = "ID")]
    spiffe: Option<String>,
}

/// The ways in which a client can prove itself.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Method {
    /// With a secret, shown or saved this once
    Secret,
    /// With assertions that its private key signs
    PrivateKeyJwt,
    /// With its certificate
    Tls,
}

impl Proof {
    /// Refuses what only a client has.
    pub(super) fn must_be_absent(&self) -> Done {
        if self.method.is_none() && self.jwks.is_none() && self.spiffe.is_none() {
            return Ok(());
        }
        let message = "--method, --jwks and --spiffe are for `--kind client`";
        Err(Problem::invalid(message.to_owned()))
    }
}

/// Registers a client. Its secret, if it has one, is shown or goes into the file.
pub(super) async fn register(
    desk: &Desk,
    mut args: Value,
    proof: &Proof,
    file: Option<(File, &Path)>,
) -> Done {
    let method = match proof.method.unwrap_or(Method::Secret) {
        Method::Secret => "client_secret",
        Method::PrivateKeyJwt => "private_key_jwt",
        Method::Tls => "tls_client_auth",
    };
    insert(&mut args, "method", json!(method));
    if let Some(path) = &proof.jwks {
        let jwks = fs::read_to_string(path).map_err(|problem| {
            Problem::invalid(format!("could not read {}: {problem}", path.display()))
        })?;
        insert(&mut args, "jwks", json!(jwks));
    }
    if let Some(spiffe) = &proof.spiffe {
        insert(&mut args, "spiffe", json!(spiffe));
    }
    let issued = without(desk.ask("client_register", args).await?, &["configurations"]);
    let Some((mut file, path)) = file else {
        desk.output.tell(&issued, in_words);
        return Ok(());
    };
    let kept = json!({ "client_id": issued.get("client_id"),
                       "client_secret": issued.get("secret"),
                       "token_endpoint": issued.get("token_endpoint") });
    writeln!(file, "{kept}")
        .and_then(|()| file.sync_all())
        .with_context(|| format!("could not write the client to {}; revoke it", path.display()))?;
    let issued = without(issued, &["secret"]);
    desk.output.tell(&issued, |issued| {
        format!("{}\nThe client is in {}.\n", in_words(issued), path.display())
    });
    Ok(())
}

fn in_words(issued: &Value) -> String {
    let scopes = issued.get("scopes").and_then(Value::as_array);
    let scopes: Vec<_> = scopes.into_iter().flatten().filter_map(Value::as_str).collect();
    fields(&[
        ("client id", text(issued, "/client_id")),
        ("secret", text(issued, "/secret")),
        ("method", text(issued, "/method")),
        ("expires", moment(issued, "/expires")),
        ("issuer", text(issued, "/issuer")),
        ("token endpoint", text(issued, "/token_endpoint")),
        ("endpoint", text(issued, "/endpoint")),
        ("scopes", scopes.join(" ")),
    ])
}
