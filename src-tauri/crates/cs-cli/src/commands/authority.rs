//! `countersign authority`.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Subcommand;
use serde_json::{Value, json};

use super::tenant::Which;
use crate::answer::{list, moment, text};
use crate::desk::{Desk, Named, find};
use crate::failure::{Done, Problem};
use crate::output::{fields, table};

#[derive(Debug, Subcommand)]
pub(crate) enum Authority {
    /// Shows whose certificates a tenant believes
    Show {
        /// Print the last revocation lists of the tenant's own authority (PEM), and nothing else
        #[arg(long)]
        crl: bool,
        #[command(flatten)]
        which: Which,
    },
    /// Believes the certificates of an authority of others, as far as they are registered
    Add(Add),
    /// Believes an authority of others no more, and revokes what was registered of it
    Remove {
        /// Its name
        name: String,
        #[command(flatten)]
        which: Which,
    },
    /// Hands in all revocation lists of an authority of others, in place of those before
    ListUpdate {
        /// Its name
        name: String,
        /// A file with the lists (PEM), or with one list (DER); repeat it for more
        #[arg(long, value_name = "FILE", required = true)]
        crl: Vec<PathBuf>,
        #[command(flatten)]
        which: Which,
    },
    /// Has another authority issue the tenant's certificates from now on; those of the one before
    /// are believed until they end
    Rotate {
        #[command(flatten)]
        which: Which,
    },
}

/// What to believe.
#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    /// What it is called here
    name: String,
    /// A file with its certificates (PEM): roots, and authorities below them
    #[arg(long, value_name = "FILE")]
    certificates: PathBuf,
    /// A file with its revocation lists (PEM), or with one list (DER); repeat it for more. Without
    /// any, it opens nothing yet
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,
    /// The beginning of each SPIFFE id that it may speak for, such as `spiffe://example.org/ns/prod/`
    #[arg(long)]
    prefix: String,
    #[command(flatten)]
    which: Which,
}

pub(crate) async fn run(desk: &Desk, command: Authority) -> Done {
    match command {
        Authority::Show { crl, which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let args = json!({ "tenant": tenant.id });
            if crl {
                let shown = desk.ask("authority_show", args).await?;
                return lists(desk, &shown);
            }
            desk.tell("authority_show", args, in_words).await
        }
        Authority::Add(add) => {
            let tenant = desk.tenant(add.which.tenant.as_deref()).await?;
            let mut args = json!({
                "tenant": tenant.id, "name": add.name, "prefix": add.prefix,
                "pem": read_text(&add.certificates)?,
            });
            if let (false, Some(members)) = (add.crl.is_empty(), args.as_object_mut()) {
                members.insert("crl".to_owned(), json!(read_lists(&add.crl)?));
            }
            desk.tell("authority_add", args, one).await
        }
        Authority::Remove { name, which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let found = authority(desk, &tenant, &name).await?;
            let args = json!({ "tenant": tenant.id, "authority": text(&found, "/id") });
            desk.tell("authority_remove", args, |_| format!("{name} is believed no more")).await
        }
        Authority::ListUpdate { name, crl, which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let found = authority(desk, &tenant, &name).await?;
            let args = json!({
                "tenant": tenant.id, "authority": text(&found, "/id"), "crl": read_lists(&crl)?,
            });
            desk.tell("authority_list_update", args, one).await
        }
        Authority::Rotate { which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            desk.tell("authority_rotate", json!({ "tenant": tenant.id }), in_words).await
        }
    }
}

/// The authority of others that has this name.
pub(crate) async fn authority(desk: &Desk, tenant: &Named, name: &str) -> Done<Value> {
    let shown = desk.ask("authority_show", json!({ "tenant": tenant.id })).await?;
    find(list(&shown, "/outside"), name, "authority", "countersign authority show").cloned()
}

/// The tenant's own lists: of the authority that issues, and of those before it.
fn lists(desk: &Desk, shown: &Value) -> Done {
    let former = list(shown, "/former").iter().map(|it| text(it, "/list"));
    let all: Vec<String> = [text(shown, "/list")].into_iter().chain(former).collect();
    let all = all.concat();
    if all.is_empty() {
        return Err(Problem::not_found(
            "there is no revocation list yet; the gateway signs them while it serves TLS",
        ));
    }
    desk.output.tell(&json!({ "crl": all }), |_| all.clone());
    Ok(())
}

fn read_text(path: &Path) -> Done<String> {
    let problem = |problem: std::io::Error| {
        Problem::invalid(format!("could not read {}: {problem}", path.display()))
    };
    fs::read_to_string(path).map_err(problem)
}

/// Lists in PEM, whichever of the two forms each file has.
fn read_lists(paths: &[PathBuf]) -> Done<String> {
    let mut lists = String::new();
    for path in paths {
        let bytes = fs::read(path).map_err(|problem| {
            Problem::invalid(format!("could not read {}: {problem}", path.display()))
        })?;
        match std::str::from_utf8(&bytes).ok().filter(|text| text.contains("-----BEGIN")) {
            Some(pem) => {
                lists.push_str(pem);
                lists.push('\n');
            }
            None => {
                let body = STANDARD.encode(&bytes);
                lists.push_str(&format!(
                    "-----BEGIN X509 CRL-----\n{body}\n-----END X509 CRL-----\n"
                ));
            }
        }
    }
    Ok(lists)
}

fn one(it: &Value) -> String {
    let until: Vec<String> = list(it, "/lists").iter().map(|list| moment(list, "/until")).collect();
    fields(&[
        ("authority", text(it, "/name")),
        ("speaks for", text(it, "/prefix")),
        ("standing", text(it, "/standing").replace('_', " ")),
        ("problem", text(it, "/problem")),
        ("lists until", until.join(", ")),
        ("credentials", text(it, "/credentials")),
    ])
}

/// Whose certificates a tenant believes, in words.
pub(crate) fn in_words(it: &Value) -> String {
    let known = fields(&[
        ("speaks for", text(it, "/speaks_for")),
        ("made", moment(it, "/created")),
        ("last list", text(it, "/list_number")),
        ("revoked", text(it, "/revoked")),
    ]);
    let former: Vec<Vec<String>> = list(it, "/former")
        .iter()
        .map(|it| vec![moment(it, "/retired"), moment(it, "/ends"), text(it, "/list_number")])
        .collect();
    let former = match former.as_slice() {
        [] => String::new(),
        rows => table(&["before it, until", "believed until", "last list"], rows, ""),
    };
    let outside: Vec<Vec<String>> = list(it, "/outside")
        .iter()
        .map(|it| {
            vec![
                text(it, "/name"),
                text(it, "/prefix"),
                text(it, "/standing").replace('_', " "),
                text(it, "/credentials"),
            ]
        })
        .collect();
    let outside = match outside.as_slice() {
        [] => String::new(),
        rows => table(&["authority of others", "speaks for", "standing", "credentials"], rows, ""),
    };
    let (own, servers) = (text(it, "/certificate"), text(it, "/server_authority"));
    format!("{known}{former}{outside}\n{own}{servers}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_in_either_form() {
        let folder = tempfile::tempdir().unwrap();
        let [pem, der] = ["a.pem", "b.der"].map(|name| folder.path().join(name));
        fs::write(&pem, "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n").unwrap();
        fs::write(&der, [0x30, 0x82, 0xff]).unwrap();
        let read = read_lists(&[pem, der]).unwrap();
        assert_eq!(read.matches("-----BEGIN X509 CRL-----").count(), 2);
        assert!(read.contains("\nMIL/\n"), "{read}");
        assert!(read_lists(&[folder.path().join("none")]).is_err());
    }
}
