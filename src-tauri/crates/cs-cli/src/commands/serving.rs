//! `countersign serving`.

use std::net::SocketAddr;

use clap::{Subcommand, ValueEnum};
use cs_model::serving::TlsVersion;
use serde_json::{Value, json};

use crate::answer::{list, moment, text, without};
use crate::desk::Desk;
use crate::failure::Done;
use crate::output::fields;

#[derive(Debug, Subcommand)]
pub(crate) enum Serving {
    /// Shows how the gateway serves, and how it is set to
    Show,
    /// Has the gateway serve otherwise, from now on; what is not said stays as it is
    Set(Set),
}

/// How it is to serve.
#[derive(Debug, clap::Args)]
pub(crate) struct Set {
    /// Where it listens: without TLS, loopback only
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Serve TLS
    #[arg(long, conflicts_with = "plain")]
    tls: bool,
    /// Serve without TLS
    #[arg(long)]
    plain: bool,
    /// A name or address by which agents reach it, instead of those that it has; the first is the
    /// one that they are given
    #[arg(long, value_name = "NAME")]
    name: Vec<String>,
    /// The oldest version of TLS that is spoken
    #[arg(long)]
    oldest: Option<Version>,
    /// What the record of an allowed call survives once the call is answered
    #[arg(long)]
    durability: Option<Survives>,
    /// Let consoles on other machines in here: those that were enrolled, over mutual TLS
    #[arg(long, value_name = "ADDRESS:PORT", conflicts_with = "no_consoles")]
    consoles: Option<SocketAddr>,
    /// Let no consoles on other machines in
    #[arg(long)]
    no_consoles: bool,
}

/// What the record of an allowed call survives.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Survives {
    /// A power cut too: it is on the disk
    Disk,
    /// The end of the gateway's process; a power cut may take the last of them
    Process,
}

impl Survives {
    const fn text(self) -> &'static str {
        match self {
            Self::Disk => "disk",
            Self::Process => "process",
        }
    }
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Version {
    /// TLS 1.2, for clients that cannot do better
    #[value(name = "1.2")]
    Tls12,
    /// TLS 1.3
    #[value(name = "1.3")]
    Tls13,
}

impl Version {
    /// The same, as the core has it.
    pub(crate) const fn wire(self) -> TlsVersion {
        match self {
            Self::Tls12 => TlsVersion::Tls12,
            Self::Tls13 => TlsVersion::Tls13,
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Tls12 => "1.2",
            Self::Tls13 => "1.3",
        }
    }
}

pub(crate) async fn run(desk: &Desk, command: Serving) -> Done {
    match command {
        Serving::Show => desk.tell("serving_show", json!({}), in_words).await,
        Serving::Set(set) => {
            let now = desk.ask("serving_show", json!({})).await?;
            let args = json!({ "settings": changed(&now, &set) });
            desk.tell("serving_set", args, in_words).await
        }
    }
}

/// What is set, with what is to be otherwise.
fn changed(now: &Value, set: &Set) -> Value {
    let mut settings = now.get("wanted").cloned().unwrap_or_default();
    let mut put = |name: &str, value: Value| {
        if let Some(members) = settings.as_object_mut() {
            members.insert(name.to_owned(), value);
        }
    };
    if let Some(listen) = set.listen {
        put("listen", json!(listen));
    }
    if set.tls || set.plain {
        put("tls", json!(set.tls));
    }
    if !set.name.is_empty() {
        put("names", json!(set.name));
    }
    if let Some(oldest) = set.oldest {
        put("oldest", json!(oldest.text()));
    }
    if let Some(durability) = set.durability {
        put("durability", json!(durability.text()));
    }
    if let Some(consoles) = set.consoles {
        put("consoles", json!(consoles));
    }
    if set.no_consoles {
        settings = without(settings, &["consoles"]);
    }
    settings
}

fn in_words(view: &Value) -> String {
    let names = |at: &str| {
        let names: Vec<&str> = list(view, at).iter().filter_map(Value::as_str).collect();
        names.join(", ")
    };
    let versions = match text(view, "/tls/oldest").as_str() {
        "" => String::new(),
        oldest => format!("{oldest} or newer"),
    };
    let mut told = fields(&[
        ("state", text(view, "/state")),
        ("problem", text(view, "/problem")),
        ("listens at", text(view, "/listen")),
        ("agents use", text(view, "/origin")),
        ("TLS", versions),
        ("names", names("/tls/names")),
        ("certificate", text(view, "/tls/certificate/fingerprint")),
        ("valid until", moment(view, "/tls/certificate/until")),
        ("lets consoles in at", text(view, "/consoles/listen")),
        ("consoles are not let in", text(view, "/consoles/problem")),
    ]);
    if text(view, "/pending") == "yes" {
        told.push_str("what is set is not in effect until it is started anew\n");
    }
    if text(view, "/locked_by_flags") == "yes" {
        told.push_str("flags of its process win over what is set\n");
    }
    let set = fields(&[
        ("listen", text(view, "/wanted/listen")),
        ("TLS", text(view, "/wanted/tls")),
        ("oldest", text(view, "/wanted/oldest")),
        ("names", names("/wanted/names")),
        ("durability", text(view, "/wanted/durability")),
        ("consoles", text(view, "/wanted/consoles")),
    ]);
    format!("{told}\nset to\n{set}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_stays_as_it_is() {
        let now = json!({ "wanted": {
            "listen": "127.0.0.1:7411", "tls": false, "names": ["a.example"], "oldest": "1.3",
        }});
        let none = || Set {
            listen: None,
            tls: false,
            plain: false,
            name: vec![],
            oldest: None,
            durability: None,
            consoles: None,
            no_consoles: false,
        };
        assert_eq!(changed(&now, &none()), now["wanted"]);
        let durability = Some(Survives::Process);
        let set = Set { tls: true, oldest: Some(Version::Tls12), durability, ..none() };
        let expected = json!({
            "listen": "127.0.0.1:7411", "tls": true, "names": ["a.example"], "oldest": "1.2",
            "durability": "process",
        });
        assert_eq!(changed(&now, &set), expected);
        let door = Set { consoles: "127.0.0.1:7412".parse().ok(), ..none() };
        let opened = json!({ "wanted": changed(&now, &door) });
        assert_eq!(opened["wanted"]["consoles"], "127.0.0.1:7412");
        let closed = Set { no_consoles: true, ..none() };
        assert_eq!(changed(&opened, &closed), now["wanted"]);
    }
}
