//! `countersign secrets`: where the installation keeps its own secrets.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Subcommand, ValueEnum};
use cs_control::view::secrets::{VaultAt, VaultBy, VaultMethod};
use cs_control::view::status::SecretKeeping;
use serde_json::{Value, json};

use crate::answer::{list, moment, text};
use crate::desk::Desk;
use crate::failure::Done;
use crate::output::fields;
use crate::passphrase;

#[derive(Debug, Subcommand)]
pub(crate) enum Secrets {
    /// Shows where secrets are kept, and whether a move of them is not done
    Show,
    /// Moves all secrets to another store: each is copied and read back before any is erased. What
    /// was interrupted is gone on with by the same command; takes an owner's passphrase
    Move {
        /// What is to keep them
        to: Keeping,
        #[command(flatten)]
        vault: VaultArgs,
    },
    /// Gives up a move that was interrupted while copies were made, and erases them; takes an
    /// owner's passphrase
    Stay {
        /// Leave the copies where they are, as in a store that nobody reaches any more
        #[arg(long)]
        leave: bool,
    },
    /// Erases what a move has left in the store that the secrets were in before; takes an owner's
    /// passphrase
    Erase {
        /// Leave it where it is, as in a store that nobody reaches any more
        #[arg(long)]
        leave: bool,
    },
    /// Looks for every secret of the installation where none may stand: in the home, in the places
    /// that are named, in the environment and on the command lines of processes
    Audit {
        /// One more folder or file to look at, such as logs, exports or crash dumps
        #[arg(long, value_name = "PATH")]
        also: Vec<PathBuf>,
    },
    /// Prints a policy of Vault (HCL) that allows what this installation needs, and nothing else:
    /// give it to its role before secrets are moved there
    Policy {
        /// Where the key-value engine of version 2 is mounted [default: as in use, else secret]
        #[arg(long, value_name = "PATH")]
        vault_mount: Option<String>,
        /// The path below it [default: as in use, else countersign]
        #[arg(long, value_name = "PATH")]
        vault_path: Option<String>,
    },
}

/// Where secrets are kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Keeping {
    /// In the keychain of the operating system
    Keychain,
    /// In one file of the home, sealed by the owner's passphrase: where there is no keychain
    File,
    /// In HashiCorp Vault or OpenBao
    Vault,
}

/// How Vault is logged in to.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Method {
    /// An AppRole with its secret id
    Approle,
    /// A JWT, such as that of a service account
    Jwt,
}

/// Where Vault is, and how it is logged in to.
#[derive(Debug, clap::Args)]
pub(crate) struct VaultArgs {
    /// The address of Vault: https, or http on this machine
    #[arg(long, value_name = "URL")]
    vault: Option<String>,
    /// Its namespace
    #[arg(long, value_name = "PATH", requires = "vault")]
    vault_namespace: Option<String>,
    /// Where its key-value engine of version 2 is mounted [default: secret]
    #[arg(long, value_name = "PATH", requires = "vault")]
    vault_mount: Option<String>,
    /// The path below it [default: countersign]
    #[arg(long, value_name = "PATH", requires = "vault")]
    vault_path: Option<String>,
    /// The certificates (PEM) to believe besides those that the system does
    #[arg(long, value_name = "FILE", requires = "vault")]
    vault_ca: Option<PathBuf>,
    /// How to log in
    #[arg(long, value_name = "METHOD", requires = "vault", default_value = "approle")]
    vault_login: Method,
    /// Where that method is mounted [default: its own name]
    #[arg(long, value_name = "PATH", requires = "vault")]
    vault_login_mount: Option<String>,
    /// The role: its id for an AppRole, its name for a JWT
    #[arg(long, value_name = "ROLE", requires = "vault")]
    vault_role: Option<String>,
    /// The file with the secret id or the JWT, which is read at each login
    #[arg(long, value_name = "FILE", requires = "vault")]
    vault_file: Option<PathBuf>,
}

impl Keeping {
    /// The same, as the core knows it.
    pub(crate) const fn store(self) -> SecretKeeping {
        match self {
            Self::Keychain => SecretKeeping::Keychain,
            Self::File => SecretKeeping::File,
            Self::Vault => SecretKeeping::Vault,
        }
    }
}

impl VaultArgs {
    /// The place that was said, if one was.
    ///
    /// # Errors
    ///
    /// What is missing.
    pub(crate) fn place(self) -> anyhow::Result<Option<VaultAt>> {
        let Some(address) = self.vault else { return Ok(None) };
        let (Some(role), Some(file)) = (self.vault_role, self.vault_file) else {
            bail!("say how to log in to Vault: `--vault-role ROLE --vault-file FILE`");
        };
        let login = VaultBy {
            method: match self.vault_login {
                Method::Approle => VaultMethod::Approle,
                Method::Jwt => VaultMethod::Jwt,
            },
            mount: self.vault_login_mount,
            role,
            file: whole(&file)?,
        };
        Ok(Some(VaultAt {
            address,
            namespace: self.vault_namespace,
            mount: self.vault_mount,
            path: self.vault_path,
            ca_file: self.vault_ca.as_deref().map(whole).transpose()?,
            login,
        }))
    }
}

pub(crate) async fn run(desk: &Desk, command: Secrets) -> Done {
    match command {
        Secrets::Show => desk.tell("secrets_show", json!({}), in_words).await,
        Secrets::Move { to, vault } => {
            let vault = vault.place()?;
            let owner = passphrase::ask(&desk.everywhere, "An owner's passphrase: ")?;
            let mut args = json!({ "to": to.store(), "owner": owner });
            if let (Some(members), Some(vault)) = (args.as_object_mut(), vault) {
                members.insert("vault".to_owned(), json!(vault));
            }
            desk.tell("secrets_move", args, in_words).await
        }
        Secrets::Stay { leave } => finish(desk, "secrets_stay", leave).await,
        Secrets::Erase { leave } => finish(desk, "secrets_erase", leave).await,
        Secrets::Audit { also } => audit(desk, also).await,
        Secrets::Policy { vault_mount: mount, vault_path: path } => {
            let args = json!({ "mount": mount, "path": path });
            desk.tell("secrets_show", args, |view| text(view, "/policy")).await
        }
    }
}

async fn finish(desk: &Desk, command: &str, leave: bool) -> Done {
    let owner = passphrase::ask(&desk.everywhere, "An owner's passphrase: ")?;
    desk.tell(command, json!({ "leave": leave, "owner": owner }), in_words).await
}

async fn audit(desk: &Desk, also: Vec<PathBuf>) -> Done {
    let also: Vec<PathBuf> = also.iter().map(|it| whole(it)).collect::<anyhow::Result<_>>()?;
    let view = desk.ask("secrets_audit", json!({ "also": also })).await?;
    desk.output.tell(&view, |view| {
        let leak = |it: &Value| {
            format!(
                "{} stands in {} at byte {}\n",
                text(it, "/what"),
                text(it, "/place"),
                text(it, "/at")
            )
        };
        let unread = |it: &Value| format!("not read: {}\n", it.as_str().unwrap_or_default());
        let found: String = list(view, "/found").iter().map(leak).collect();
        let unread: String = list(view, "/unread").iter().map(unread).collect();
        let looked = fields(&[
            ("secrets looked for", text(view, "/secrets")),
            ("too short to look for", text(view, "/too_short")),
            ("files", text(view, "/files")),
            ("bytes", text(view, "/bytes")),
            ("processes", text(view, "/processes")),
            ("found", list(view, "/found").len().to_string()),
        ]);
        format!("{found}{unread}{looked}")
    });
    match list(&view, "/found").len() {
        0 => Ok(()),
        _ => Err(anyhow::anyhow!(
            "secrets stand where none may: replace them, then remove what has them"
        )
        .into()),
    }
}

fn whole(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("`{}` is no path", path.display()))
}

fn in_words(view: &Value) -> String {
    let moving = match (view.pointer("/moving/copied"), text(view, "/moving/other")) {
        (Some(Value::Bool(true)), other) => {
            format!("what is left in {other} is still to be erased: `secrets erase`")
        }
        (Some(Value::Bool(false)), other) => {
            format!("copies in {other} are not done; move again to go on, or `secrets stay`")
        }
        _ => String::new(),
    };
    fields(&[
        ("secrets", text(view, "/store")),
        ("Vault", text(view, "/vault/address")),
        ("namespace", text(view, "/vault/namespace")),
        ("mount", text(view, "/vault/mount")),
        ("path", text(view, "/vault/path")),
        ("login", text(view, "/vault/login/method")),
        ("role", text(view, "/vault/login/role")),
        ("file", text(view, "/vault/login/file")),
        ("a move is not done", moving),
        ("since", moment(view, "/moving/began")),
    ])
}
