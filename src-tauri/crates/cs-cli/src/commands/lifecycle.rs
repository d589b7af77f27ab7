//! `countersign credential lifecycle`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::tenant::Which;
use crate::desk::Desk;
use crate::failure::Done;
use crate::output::fields;
use crate::span;

#[derive(Debug, Subcommand)]
pub(crate) enum Lifecycle {
    /// Shows how long credentials of a tenant live, and what is done about them when
    Show {
        #[command(flatten)]
        which: Which,
    },
    /// Sets it. What is not said stays as it is; letting anything live longer takes an owner's
    /// passphrase
    Set(Set),
}

/// What to set. `usual` takes a number back.
#[derive(Debug, clap::Args)]
pub(crate) struct Set {
    /// How long a credential lasts at most: 90d are the most
    #[arg(long, value_name = "SPAN|usual", value_parser = number)]
    lifetime: Option<Number>,
    /// How long after its issue it is replaced at the latest; two thirds of its life in any case
    #[arg(long, value_name = "SPAN|usual", value_parser = number)]
    rotate: Option<Number>,
    /// How long the replaced one goes on beside its successor: 7d are the most
    #[arg(long, value_name = "SPAN|usual", value_parser = number)]
    overlap: Option<Number>,
    /// How long after its issue one that was never used is an alert: 15d are the most
    #[arg(long, value_name = "SPAN|usual", value_parser = number)]
    alert_unused: Option<Number>,
    /// How long nobody has used one when it is revoked: 30d are the most
    #[arg(long, value_name = "SPAN|usual", value_parser = number)]
    revoke_unused: Option<Number>,
    #[command(flatten)]
    which: Which,
}

/// A length of time in seconds, or the usual one.
#[derive(Clone, Copy, Debug)]
struct Number(Option<u64>);

fn number(text: &str) -> Result<Number, String> {
    if text == "usual" { Ok(Number(None)) } else { span::seconds(text).map(|it| Number(Some(it))) }
}

pub(crate) async fn run(desk: &Desk, command: Lifecycle) -> Done {
    match command {
        Lifecycle::Show { which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            desk.tell("lifecycle_show", json!({ "tenant": tenant.id }), in_words).await
        }
        Lifecycle::Set(set) => {
            let tenant = desk.tenant(set.which.tenant.as_deref()).await?;
            let now = desk.ask("lifecycle_show", json!({ "tenant": tenant.id })).await?;
            let mut wanted = now.get("set").cloned().unwrap_or_else(|| json!({}));
            let said = [
                ("lifetime_secs", set.lifetime),
                ("rotate_secs", set.rotate),
                ("overlap_secs", set.overlap),
                ("alert_unused_secs", set.alert_unused),
                ("revoke_unused_secs", set.revoke_unused),
            ];
            if let Some(members) = wanted.as_object_mut() {
                for (name, number) in said {
                    match number {
                        Some(Number(Some(secs))) => {
                            members.insert(name.to_owned(), json!(secs));
                        }
                        Some(Number(None)) => drop(members.remove(name)),
                        None => {}
                    }
                }
            }
            let args = json!({ "tenant": tenant.id, "lifecycle": wanted });
            desk.tell_as_owner("lifecycle_set", args, in_words).await
        }
    }
}

fn in_words(view: &Value) -> String {
    let shown = |name: &str| {
        let secs = view.get(name).and_then(Value::as_u64).unwrap_or_default();
        let own = |name: &str| view.get("set").is_some_and(|set| set.get(name).is_some());
        let of = match name {
            "usual_secs" | "longest_secs" => "lifetime_secs",
            other => other,
        };
        let why = if own(of) { "" } else { " (usual)" };
        format!("{}{why}", span::shown(secs))
    };
    fields(&[
        ("lasts, unless less is said", shown("usual_secs")),
        ("lasts at most", shown("longest_secs")),
        ("is replaced after", shown("rotate_secs")),
        ("goes on beside its successor for", shown("overlap_secs")),
        ("alert when never used for", shown("alert_unused_secs")),
        ("revoked when unused for", shown("revoke_unused_secs")),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenants_own_numbers_are_told_from_the_usual_ones() {
        let view = json!({ "set": { "overlap_secs": 3600 }, "usual_secs": 259_200,
            "longest_secs": 7_776_000, "rotate_secs": 172_800, "overlap_secs": 3600,
            "alert_unused_secs": 1_296_000, "revoke_unused_secs": 2_592_000 });
        let words = in_words(&view);
        assert!(words.contains("1h\n") && words.contains("90d (usual)"), "{words}");
        assert!(number("usual").is_ok_and(|it| it.0.is_none()));
        assert!(number("soon").is_err());
    }
}
