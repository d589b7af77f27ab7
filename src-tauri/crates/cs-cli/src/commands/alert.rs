//! `countersign alert`.

use std::time::Duration;

use clap::{ArgGroup, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::tenant::Which;
use crate::ambient;
use crate::answer::{list, moment, text};
use crate::desk::Desk;
use crate::failure::Done;
use crate::output::{fields, table};
use crate::span;

#[derive(Debug, Subcommand)]
pub(crate) enum Alert {
    /// Lists alerts that nobody has acknowledged
    List {
        /// Also those that somebody has
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        which: Which,
    },
    /// Shows an alert with the events that it was found by
    Show { id: String },
    /// Says that somebody has looked; what happens again is a new alert
    Acknowledge {
        id: String,
        /// What was found out, or done
        #[arg(long)]
        note: String,
    },
    /// Lists the rules, as they are set
    Rules {
        #[command(flatten)]
        which: Which,
    },
    /// Sets a rule; what is not given stays as it is
    Set(Set),
    /// Mutes a rule for a while
    Mute(Mute),
    /// Attempts outside allowlists for each session, by agent
    Metric {
        /// How many days to look back
        #[arg(long, default_value_t = 14)]
        days: u32,
        #[command(flatten)]
        which: Which,
    },
}

/// What is set.
#[derive(Debug, clap::Args)]
pub(crate) struct Set {
    /// The rule, as `alert rules` names it
    rule: String,
    /// The number at which it fires
    #[arg(long, value_name = "NUMBER")]
    threshold: Option<u32>,
    /// In how long that has to come together, such as `60s`
    #[arg(long, value_name = "SPAN", value_parser = span::seconds)]
    window: Option<u64>,
    /// How long after its last occasion the same is still the same alert, such as `1h`
    #[arg(long, value_name = "SPAN", value_parser = span::seconds)]
    repeat: Option<u64>,
    /// Whether the session is ended and its credential suspended when it fires
    #[arg(long, value_name = "YES|NO")]
    contain: Option<Switch>,
    #[command(flatten)]
    which: Which,
}

/// What is muted.
#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("how").required(true).args(["for_", "off"])))]
pub(crate) struct Mute {
    /// The rule, as `alert rules` names it
    rule: String,
    /// For how long, such as `2h`; at most 30 days
    #[arg(long = "for", id = "for_", value_name = "SPAN", value_parser = span::seconds,
          requires = "reason")]
    for_: Option<u64>,
    /// Why, for the log
    #[arg(long)]
    reason: Option<String>,
    /// No longer
    #[arg(long)]
    off: bool,
    #[command(flatten)]
    which: Which,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Switch {
    No,
    Yes,
}

pub(crate) async fn run(desk: &Desk, command: Alert) -> Done {
    match command {
        Alert::List { all, which } => {
            let mut args = json!({});
            if let Some(members) = args.as_object_mut() {
                if let Some(name) = &which.tenant {
                    let tenant = desk.tenant(Some(name)).await?;
                    members.insert("tenant".to_owned(), json!(tenant.id));
                }
                if !all {
                    members.insert("state".to_owned(), json!("open"));
                }
            }
            desk.tell("alert_list", args, listed).await
        }
        Alert::Show { id } => desk.tell("alert_show", json!({ "alert": id }), shown).await,
        Alert::Acknowledge { id, note } => {
            let args = json!({ "alert": id, "note": note });
            desk.tell("alert_acknowledge", args, in_words).await
        }
        Alert::Rules { which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            desk.tell("alert_rules", json!({ "tenant": tenant.id }), rules).await
        }
        Alert::Set(set) => {
            let tenant = desk.tenant(set.which.tenant.as_deref()).await?;
            let args = json!({
                "tenant": tenant.id,
                "rule": set.rule,
                "threshold": set.threshold,
                "window_secs": set.window,
                "repeat_secs": set.repeat,
                "contain": set.contain.map(|it| matches!(it, Switch::Yes)),
            });
            desk.tell("alert_rule_set", args, rule).await
        }
        Alert::Mute(mute) => {
            let tenant = desk.tenant(mute.which.tenant.as_deref()).await?;
            let until = mute.for_.map(|secs| ambient::now().after(Duration::from_secs(secs)));
            let muted = until.map(|until| json!({ "until": until, "reason": mute.reason }));
            let args = json!({
                "tenant": tenant.id,
                "rule": mute.rule,
                "mute": muted,
                "unmute": mute.off,
            });
            desk.tell("alert_rule_set", args, rule).await
        }
        Alert::Metric { days, which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let args = json!({ "tenant": tenant.id, "days": days });
            desk.tell("alert_metric", args, metric).await
        }
    }
}

fn listed(alerts: &Value) -> String {
    let row = |it: &Value| {
        vec![
            text(it, "/id"),
            text(it, "/severity"),
            moment(it, "/last"),
            text(it, "/count"),
            text(it, "/sentence"),
        ]
    };
    let rows: Vec<Vec<String>> = list(alerts, "").iter().map(row).collect();
    table(&["id", "severity", "last", "count", "what"], &rows, "no open alerts")
}

fn in_words(alert: &Value) -> String {
    fields(&[
        ("alert", text(alert, "/id")),
        ("title", text(alert, "/title")),
        ("what", text(alert, "/sentence")),
        ("class", text(alert, "/class")),
        ("severity", text(alert, "/severity")),
        ("tenant", text(alert, "/tenant_name")),
        ("agent", text(alert, "/agent_name")),
        ("session", text(alert, "/session")),
        ("count", text(alert, "/count")),
        ("first", moment(alert, "/first")),
        ("last", moment(alert, "/last")),
        ("over since", moment(alert, "/over")),
        ("contained", text(alert, "/contained")),
        ("state", text(alert, "/state")),
        ("acknowledged by", text(alert, "/acknowledged_by")),
        ("acknowledged", moment(alert, "/at")),
        ("note", text(alert, "/note")),
        ("correlation", text(alert, "/correlation")),
    ])
}

fn shown(detail: &Value) -> String {
    let about = detail.get("alert").map(in_words).unwrap_or_default();
    let row = |it: &Value| vec![text(it, "/seq"), moment(it, "/at"), text(it, "/summary")];
    let rows: Vec<Vec<String>> = list(detail, "/events").iter().map(row).collect();
    let none = "no event shows it: only time passed\n";
    format!("{about}\n{}", table(&["event", "when", "what happened"], &rows, none))
}

fn rules(rules: &Value) -> String {
    let row = |it: &Value| {
        vec![
            text(it, "/rule"),
            text(it, "/class"),
            text(it, "/sentence"),
            text(it, "/contain"),
            moment(it, "/muted/until"),
        ]
    };
    let rows: Vec<Vec<String>> = list(rules, "").iter().map(row).collect();
    table(&["rule", "class", "fires when", "contains", "muted until"], &rows, "no rules")
}

fn rule(rule: &Value) -> String {
    fields(&[
        ("rule", text(rule, "/rule")),
        ("fires when", text(rule, "/sentence")),
        ("same alert for", format!("{} s", text(rule, "/repeat_secs/value"))),
        ("contains", text(rule, "/contain")),
        ("muted until", moment(rule, "/muted/until")),
        ("because", text(rule, "/muted/reason")),
    ])
}

fn metric(metric: &Value) -> String {
    let row = |it: &Value| {
        vec![text(it, "/agent_name"), text(it, "/sessions"), text(it, "/attempts"), rate(it)]
    };
    let rows: Vec<Vec<String>> = list(metric, "/agents").iter().map(row).collect();
    table(&["agent", "sessions", "attempts", "per session"], &rows, "no sessions")
}

/// Attempts for each session, to two places.
fn rate(of: &Value) -> String {
    let number = |at| of.pointer(at).and_then(Value::as_u64).unwrap_or(0);
    let hundredths = number("/attempts").saturating_mul(100).checked_div(number("/sessions"));
    let hundredths = hundredths.unwrap_or(0);
    format!("{}.{:02}", hundredths.div_euclid(100), hundredths.rem_euclid(100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_for_each_session_are_told_to_two_places() {
        assert_eq!(rate(&json!({ "attempts": 7, "sessions": 3 })), "2.33");
        assert_eq!(rate(&json!({ "attempts": 0, "sessions": 3 })), "0.00");
        assert_eq!(rate(&json!({ "attempts": 5, "sessions": 0 })), "0.00");
    }
}
