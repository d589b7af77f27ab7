//! `countersign console`: consoles on other machines.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::{Value, json};

use crate::answer::{list, moment, text, without};
use crate::desk::{Desk, find, named};
use crate::failure::Done;
use crate::output::{fields, table};
use crate::passphrase;

#[derive(Debug, Subcommand)]
pub(crate) enum Console {
    /// Lists the consoles, and which of them are connected
    List,
    /// Enrols a console of an operator: writes the file that it joins with, and shows the code that
    /// opens the file this once; takes an owner's passphrase
    Enrol(Enrol),
    /// Revokes a console, which is cut off at once
    Revoke {
        /// Its id, or its name
        which: String,
    },
}

/// Whose console, and for how long.
#[derive(Debug, clap::Args)]
pub(crate) struct Enrol {
    /// Whose console it is: nobody else can unlock it
    operator: String,
    /// The file to write; there must be none yet
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// What the console is called
    #[arg(long, default_value = "console")]
    name: String,
    /// For how many days, at most 90
    #[arg(long, value_name = "DAYS", default_value_t = 90)]
    valid: u32,
    /// The host and port by which the other machine reaches this gateway, where it is not what
    /// consoles are let in at
    #[arg(long, value_name = "HOST:PORT")]
    address: Option<String>,
}

pub(crate) async fn run(desk: &Desk, command: Console) -> Done {
    match command {
        Console::List => desk.tell("console_list", json!({}), listed).await,
        Console::Enrol(enrol) => self::enrol(desk, enrol).await,
        Console::Revoke { which } => {
            let all = desk.ask("console_list", json!({})).await?;
            let see = "countersign console list";
            let in_force: Vec<Value> = list(&all, "")
                .iter()
                .filter(|it| text(it, "/id") == which || text(it, "/state") == "in_force")
                .cloned()
                .collect();
            let found = find(&in_force, &which, "console", see)?;
            let args = json!({ "console": found.get("id") });
            let told = |_: &Value| format!("console {} is revoked", text(found, "/name"));
            desk.tell("console_revoke", args, told).await
        }
    }
}

async fn enrol(desk: &Desk, enrol: Enrol) -> Done {
    let Enrol { operator, out, name, valid, address } = enrol;
    let operators = desk.ask("operator_list", json!({})).await?;
    let see = "countersign operator list";
    let operator = named(list(&operators, ""), &operator, "operator", see)?.id;
    let owner = passphrase::ask(&desk.everywhere, "An owner's passphrase: ")?;
    // Whether it can be written is found out before anything is made.
    let mut file = create(&out)?;
    let mut args = json!({ "operator": operator, "name": name, "days": valid, "owner": owner });
    if let (Some(members), Some(address)) = (args.as_object_mut(), address) {
        members.insert("address".to_owned(), json!(address));
    }
    let made = match desk.ask("console_enrol", args).await {
        Ok(made) => made,
        Err(problem) => {
            drop(file);
            // An empty file that stays behind only stands in the way.
            drop(std::fs::remove_file(&out));
            return Err(problem);
        }
    };
    let written = file.write_all(text(&made, "/file").as_bytes());
    written.with_context(|| format!("could not write {}", out.display()))?;
    let told = without(made, &["file"]);
    desk.output.tell(&told, |made| {
        let facts = fields(&[
            ("console", text(made, "/console/name")),
            ("of", text(made, "/console/operator_name")),
            ("valid until", moment(made, "/console/expires")),
            ("file", out.display().to_string()),
            ("code", text(made, "/code")),
        ]);
        format!(
            "{facts}\nTake the file to the other machine and the code another way: it is shown \
             only now.\nThere: countersign-desktop --console FILE, or countersign --console FILE ..."
        )
    });
    Ok(())
}

fn create(path: &Path) -> anyhow::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path).with_context(|| format!("could not make {}", path.display()))
}

fn listed(consoles: &Value) -> String {
    let row = |console: &Value| {
        let connected = list(console, "/connected");
        let from: Vec<&str> = connected.iter().filter_map(Value::as_str).collect();
        vec![
            text(console, "/name"),
            text(console, "/operator_name"),
            text(console, "/state").replace('_', " "),
            moment(console, "/expires"),
            from.join(", "),
            text(console, "/id"),
        ]
    };
    let rows: Vec<Vec<String>> = list(consoles, "").iter().map(row).collect();
    let head = ["name", "operator", "state", "valid until", "connected from", "id"];
    table(&head, &rows, "no consoles on other machines")
}
