//! The rules of an identity provider, as they are given on the command line.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::ValueEnum;
use serde_json::{Map, Value, json};

use crate::failure::{Done, Problem};
use crate::span;

/// Under which rules tokens are accepted.
#[derive(Debug, clap::Args)]
pub(crate) struct Rules {
    /// Settings in JSON to begin with, such as those that `provider list --json` prints
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// The `iss` of its tokens, letter by letter
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// Where its keys are
    #[arg(long, value_name = "URL")]
    jwks_uri: Option<String>,
    /// Which product it is
    #[arg(long)]
    preset: Option<Product>,
    /// An algorithm that its tokens may be signed with, such as `RS256`; repeat it for more
    #[arg(long = "algorithm", value_name = "NAME")]
    algorithms: Vec<String>,
    /// An audience that its tokens carry, where it is not the endpoint's own address
    #[arg(long = "audience", value_name = "TEXT")]
    audiences: Vec<String>,
    /// Whether a token may have further audiences
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    several_audiences: Option<bool>,
    /// What the `typ` of its tokens may be: `at+jwt`, or `at+jwt_or_jwt`
    #[arg(long, value_name = "TYPES")]
    types: Option<String>,
    /// A scope that every token must have; repeat it for more, `none` for none
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// The claim that says who it is
    #[arg(long, value_name = "PATH")]
    agent_claim: Option<String>,
    /// The claim with its roles; `none` for all roles of the agent
    #[arg(long, value_name = "PATH")]
    roles_claim: Option<String>,
    /// A claim that must have a certain value; `none` for no such claim
    #[arg(long, value_name = "PATH=VALUE")]
    tenant_claim: Option<String>,
    /// The claim with the task; `none` for the usual ones only
    #[arg(long, value_name = "PATH")]
    task_claim: Option<String>,
    /// How old a token may be, such as `1h`
    #[arg(long, value_name = "TIME", value_parser = span::seconds)]
    longest: Option<u64>,
    /// How old a token may be for tools that need a countersignature
    #[arg(long, value_name = "TIME", value_parser = span::seconds)]
    longest_token: Option<u64>,
    /// How long its last known keys are used when it does not answer
    #[arg(long, value_name = "TIME", value_parser = span::seconds)]
    stale: Option<u64>,
    /// What its tokens must be bound to
    #[arg(long)]
    sender: Option<Sender>,
    /// Where it is asked whether a token still holds (RFC 7662)
    #[arg(long, value_name = "URL", requires = "introspection_client")]
    introspection: Option<String>,
    /// The gateway's own client id there
    #[arg(long, value_name = "ID", requires = "introspection")]
    introspection_client: Option<String>,
    /// The name of the tenant's secret that goes with it (see `countersign secret set`)
    #[arg(long, value_name = "NAME", requires = "introspection")]
    introspection_secret: Option<String>,
    /// Which calls are asked about: `token_tools`, or `always`
    #[arg(long, value_name = "WHEN", default_value = "token_tools")]
    introspection_when: String,
    /// How long an answer may be used again
    #[arg(long, value_name = "TIME", value_parser = span::seconds, requires = "introspection")]
    introspection_cache: Option<u64>,
    /// Whether it may be at a private address, or, without TLS, on this machine
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    private_network: Option<bool>,
}

/// The products that have defaults of their own.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Product {
    Auth0,
    Entra,
    Generic,
    Keycloak,
    Okta,
}

impl Product {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Auth0 => "auth0",
            Self::Entra => "entra",
            Self::Generic => "generic",
            Self::Keycloak => "keycloak",
            Self::Okta => "okta",
        }
    }
}

/// What tokens may have to be bound to.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Sender {
    /// The client's certificate (RFC 8705)
    Certificate,
    /// A key of the client's (RFC 9449)
    Dpop,
    /// Nothing
    None,
}

pub(crate) fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("expected `yes` or `no`".to_owned()),
    }
}

impl Rules {
    /// What to ask the provider for, where that is how its settings begin.
    pub(crate) fn to_discover(&self) -> Option<Value> {
        let issuer = self.issuer.as_ref()?;
        let asks = self.jwks_uri.is_none() && self.settings.is_none();
        asks.then(|| {
            json!({
                "issuer": issuer,
                "preset": self.preset.map_or("generic", Product::word),
                "private_network": self.private_network.unwrap_or(false),
            })
        })
    }

    /// Whether anything is given.
    pub(crate) fn say_something(&self) -> bool {
        self.settings.is_some() || !self.given().is_empty() || !self.given_claims().is_empty()
    }

    /// The settings: those that are given, over those in the file, over those that are there.
    pub(crate) fn settings(&self, old: Option<Value>) -> Done<Value> {
        let mut settings = match (&self.settings, old) {
            (Some(path), _) => {
                let shown = path.display();
                let read = std::fs::read_to_string(path);
                let read = read.with_context(|| format!("could not read {shown}"))?;
                serde_json::from_str(&read)
                    .map_err(|problem| Problem::invalid(format!("{shown}: {problem}")))?
            }
            (None, Some(old)) => old,
            (None, None) => json!({}),
        };
        let wrong = || Problem::invalid("settings are a JSON object");
        let members = settings.as_object_mut().ok_or_else(wrong)?;
        members.extend(self.given());
        let claims = members.entry("claims").or_insert_with(|| json!({ "agent": "sub" }));
        let claims = claims.as_object_mut().ok_or_else(wrong)?;
        for (name, value) in self.given_claims() {
            if value.is_null() {
                claims.remove(&name);
            } else {
                claims.insert(name, value);
            }
        }
        if !members.contains_key("issuer") || !members.contains_key("jwks_uri") {
            return Err(Problem::invalid("say which with `--issuer`, or give `--settings`"));
        }
        Ok(settings)
    }

    fn given(&self) -> Map<String, Value> {
        let mut given = Map::new();
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                given.insert(name.to_owned(), value);
            }
        };
        let text = |text: &Option<String>| text.as_ref().map(|text| json!(text));
        let some = |all: &[String]| (!all.is_empty()).then(|| json!(without_none(all)));
        set("issuer", text(&self.issuer));
        set("jwks_uri", text(&self.jwks_uri));
        set("preset", self.preset.map(|it| json!(it.word())));
        set("algorithms", some(&self.algorithms));
        set("audiences", some(&self.audiences));
        set("several_audiences", self.several_audiences.map(Value::from));
        set("types", text(&self.types));
        set("scopes", some(&self.scopes));
        set("longest_secs", self.longest.map(Value::from));
        set("longest_token_secs", self.longest_token.map(Value::from));
        set("stale_secs", self.stale.map(Value::from));
        set("sender", self.sender.map(|it| json!(sender(it))));
        set("private_network", self.private_network.map(Value::from));
        if let Some(endpoint) = &self.introspection {
            let asked = json!({
                "endpoint": endpoint,
                "client_id": self.introspection_client,
                "secret": self.introspection_secret.as_deref().unwrap_or_default(),
                "when": self.introspection_when,
                "cache_secs": self.introspection_cache.unwrap_or(0),
            });
            set("introspection", Some(asked));
        }
        given
    }

    /// The claims; nothing in the place of one that is to go.
    fn given_claims(&self) -> Map<String, Value> {
        let mut given = Map::new();
        let paths = [
            ("agent", &self.agent_claim),
            ("roles", &self.roles_claim),
            ("task", &self.task_claim),
            ("tenant", &self.tenant_claim),
        ];
        for (name, path) in paths {
            let Some(path) = path else { continue };
            let value = match (name, path.as_str()) {
                (_, "none") => Value::Null,
                ("tenant", pair) => {
                    let (claim, value) = pair.split_once('=').unwrap_or((pair, ""));
                    json!({ "claim": claim, "value": value })
                }
                (_, path) => json!(path),
            };
            given.insert(name.to_owned(), value);
        }
        given
    }
}

fn without_none(all: &[String]) -> Vec<&String> {
    all.iter().filter(|one| *one != "none").collect()
}

const fn sender(sender: Sender) -> &'static str {
    match sender {
        Sender::Certificate => "certificate",
        Sender::Dpop => "dpop",
        Sender::None => "none",
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        rules: Rules,
    }

    fn settings(line: &str, old: Option<Value>) -> Value {
        let words = std::iter::once("x").chain(line.split_whitespace());
        Line::parse_from(words).rules.settings(old).unwrap()
    }

    #[test]
    fn what_is_given_stands_over_what_is_there_and_nothing_else_changes() {
        let old = settings(
            "--issuer https://a.example --jwks-uri https://a.example/k --roles-claim roles \
             --scope mcp:connect --longest 2h --tenant-claim tid=a=b",
            None,
        );
        assert_eq!(old["claims"]["tenant"], json!({ "claim": "tid", "value": "a=b" }));
        assert_eq!(old["longest_secs"], 7200);
        let new = settings("--scope none --roles-claim none --private-network yes", Some(old));
        assert_eq!((&new["issuer"], &new["scopes"]), (&json!("https://a.example"), &json!([])));
        assert_eq!((new["claims"].get("roles"), &new["longest_secs"]), (None, &json!(7200)));
        assert_eq!(new["private_network"], true);
    }

    #[test]
    fn nothing_given_says_nothing() {
        assert!(!Line::parse_from(["x"]).rules.say_something());
        assert!(Line::parse_from(["x", "--task-claim", "task"]).rules.say_something());
        assert!(Line::parse_from(["x"]).rules.settings(None).is_err());
    }
}
