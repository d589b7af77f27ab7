//! What the settings of an identity provider may be.

use cs_model::Name;
use cs_model::provider::{ClaimMap, Introspection, ProviderSettings};
use cs_model::text::is_deceptive;

use super::address::{Query, check};
use crate::failure::ControlError;

/// The longest that a token may be accepted: a day.
const MOST_SECS: u32 = 86_400;

/// The shortest time that is worth asking for.
const LEAST_SECS: u32 = 60;

/// The longest that an answer of introspection may be used again.
const MOST_CACHE_SECS: u32 = 300;

/// The most audiences, and the most scopes, of one provider.
const MOST_OF_A_KIND: usize = 32;

/// The most characters of a claim's path.
const MOST_PATH: usize = 200;

/// The most bytes of one scope.
const MOST_SCOPE: usize = 128;

/// What is wrong with settings, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Flaw {
    /// The field, as a path in the arguments of a command.
    pub(crate) field: &'static str,
    /// The rule that it breaks.
    pub(crate) rule: String,
}

impl From<Flaw> for ControlError {
    fn from(flaw: Flaw) -> Self {
        Self::invalid(flaw.field, flaw.rule)
    }
}

fn flaw(field: &'static str, rule: impl Into<String>) -> Flaw {
    Flaw { field, rule: rule.into() }
}

/// Says what is wrong with settings, if anything is. That the secret which they name exists, the
/// registry has to say.
pub(crate) fn judge(settings: &ProviderSettings) -> Result<(), Flaw> {
    addresses(settings)?;
    if settings.algorithms.is_empty() {
        return Err(flaw("settings.algorithms", "at least one algorithm has to be accepted"));
    }
    lists(settings)?;
    times(settings)?;
    claims(&settings.claims)?;
    settings.introspection.as_ref().map_or(Ok(()), introspection)
}

/// Says what is wrong with an issuer, if anything is.
pub(crate) fn judge_issuer(issuer: &str, private_network: bool) -> Result<(), &'static str> {
    check(issuer, Query::Refused, private_network)
}

fn addresses(settings: &ProviderSettings) -> Result<(), Flaw> {
    let private = settings.private_network;
    check(&settings.issuer, Query::Refused, private)
        .map_err(|rule| flaw("settings.issuer", rule))?;
    check(&settings.jwks_uri, Query::Allowed, private)
        .map_err(|rule| flaw("settings.jwks_uri", rule))?;
    if let Some(asked) = &settings.introspection {
        check(&asked.endpoint, Query::Allowed, private)
            .map_err(|rule| flaw("settings.introspection.endpoint", rule))?;
    }
    Ok(())
}

fn lists(settings: &ProviderSettings) -> Result<(), Flaw> {
    let field = "settings.audiences";
    if settings.audiences.len() > MOST_OF_A_KIND {
        return Err(flaw(field, format!("there are at most {MOST_OF_A_KIND} audiences")));
    }
    if !settings.audiences.iter().all(|it| is_plain(it, 1024)) {
        let rule = "an audience has between 1 and 1024 characters and no invisible ones";
        return Err(flaw(field, rule));
    }
    let field = "settings.scopes";
    if settings.scopes.len() > MOST_OF_A_KIND {
        return Err(flaw(field, format!("there are at most {MOST_OF_A_KIND} scopes")));
    }
    if !settings.scopes.iter().all(|it| is_scope(it)) {
        return Err(flaw(field, SCOPE_RULE));
    }
    Ok(())
}

fn times(settings: &ProviderSettings) -> Result<(), Flaw> {
    let ProviderSettings { longest_secs, longest_token_secs, stale_secs, .. } = settings;
    if !(LEAST_SECS..=MOST_SECS).contains(longest_secs) {
        let rule = format!("a token is accepted for between {LEAST_SECS} and {MOST_SECS} seconds");
        return Err(flaw("settings.longest_secs", rule));
    }
    if *longest_token_secs == 0 || longest_token_secs > longest_secs {
        let rule = "for tools that need a countersignature a token is accepted for at least one \
                    second, and not for longer than for others";
        return Err(flaw("settings.longest_token_secs", rule));
    }
    if *stale_secs > MOST_SECS {
        let rule = format!("known keys are used for at most {MOST_SECS} seconds");
        return Err(flaw("settings.stale_secs", rule));
    }
    Ok(())
}

fn claims(claims: &ClaimMap) -> Result<(), Flaw> {
    let tenant = claims.tenant.as_ref();
    let paths = [
        ("settings.claims.agent", Some(&claims.agent)),
        ("settings.claims.roles", claims.roles.as_ref()),
        ("settings.claims.tenant.claim", tenant.map(|it| &it.claim)),
        ("settings.claims.task", claims.task.as_ref()),
    ];
    for (field, path) in paths {
        if path.is_some_and(|path| !is_plain(path, MOST_PATH)) {
            let rule = format!(
                "a claim is named by between 1 and {MOST_PATH} characters, none of them invisible"
            );
            return Err(flaw(field, rule));
        }
    }
    if tenant.is_some_and(|it| !is_plain(&it.value, MOST_PATH)) {
        let rule = format!("the value has between 1 and {MOST_PATH} characters");
        return Err(flaw("settings.claims.tenant.value", rule));
    }
    Ok(())
}

fn introspection(asked: &Introspection) -> Result<(), Flaw> {
    if !is_plain(&asked.client_id, 255) {
        let rule = "the client id has between 1 and 255 characters and no invisible ones";
        return Err(flaw("settings.introspection.client_id", rule));
    }
    if let Err(error) = Name::parse(&asked.secret) {
        return Err(flaw("settings.introspection.secret", error.to_string()));
    }
    if asked.cache_secs > MOST_CACHE_SECS {
        let rule = format!("an answer is used again for at most {MOST_CACHE_SECS} seconds");
        return Err(flaw("settings.introspection.cache_secs", rule));
    }
    Ok(())
}

/// What a scope has to look like.
pub(crate) const SCOPE_RULE: &str = "a scope has between 1 and 128 visible ASCII characters, \
                                     neither `\"` nor `\\` (RFC 6749, section 3.3)";

/// Whether a text is a scope (RFC 6749, section 3.3).
pub(crate) fn is_scope(text: &str) -> bool {
    (1..=MOST_SCOPE).contains(&text.len())
        && text.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

/// Whether a text has so many characters at most, and one at least, and none that deceives.
pub(crate) fn is_plain(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.chars().count()) && !text.chars().any(is_deceptive)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn settings(change: impl Fn(&mut Value)) -> ProviderSettings {
        let mut value = json!({
            "issuer": "https://login.example",
            "jwks_uri": "https://login.example/keys",
            "claims": { "agent": "sub", "roles": "realm_access.roles",
                        "tenant": { "claim": "tid", "value": "acme" }, "task": "task" },
            "introspection": { "endpoint": "https://login.example/introspect",
                               "client_id": "gateway", "secret": "idp", "when": "always" },
        });
        change(&mut value);
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn each_rule_names_the_field_that_breaks_it() {
        assert_eq!(judge(&settings(|_| ())), Ok(()));
        let long = "x".repeat(201);
        let many: Vec<String> = (0..33).map(|n| format!("s{n}")).collect();
        let cases: &[(&str, Value)] = &[
            ("issuer", json!("http://login.example")),
            ("issuer", json!("https://10.0.0.1")),
            ("issuer", json!("https://login.example?x")),
            ("jwks_uri", json!("https://u@login.example/keys")),
            ("algorithms", json!([])),
            ("audiences", json!([""])),
            ("audiences", json!(["a\u{202e}b"])),
            ("audiences", json!(many)),
            ("scopes", json!(["two words"])),
            ("scopes", json!(["q\"uote"])),
            ("scopes", json!(["back\\slash"])),
            ("scopes", json!(["umläut"])),
            ("scopes", json!([""])),
            ("scopes", json!(["x".repeat(129)])),
            ("scopes", json!(many)),
            ("longest_secs", json!(59)),
            ("longest_secs", json!(86_401)),
            ("longest_token_secs", json!(3601)),
            ("longest_token_secs", json!(0)),
            ("stale_secs", json!(86_401)),
            ("claims.agent", json!("")),
            ("claims.agent", json!(long)),
            ("claims.roles", json!("a\u{200b}")),
            ("claims.task", json!("")),
            ("claims.tenant.claim", json!(long)),
            ("claims.tenant.value", json!("")),
            ("introspection.endpoint", json!("https://10.0.0.1/x")),
            ("introspection.client_id", json!("")),
            ("introspection.secret", json!("../x")),
            ("introspection.cache_secs", json!(301)),
        ];
        for (field, value) in cases {
            let changed = settings(|all| {
                let pointer = format!("/{}", field.replace('.', "/"));
                match all.pointer_mut(&pointer) {
                    Some(place) => *place = value.clone(),
                    None => match field.split_once('.') {
                        Some((outer, inner)) => all[outer][inner] = value.clone(),
                        None => all[*field] = value.clone(),
                    },
                }
            });
            let found = judge(&changed).unwrap_err().field;
            assert_eq!(found, format!("settings.{field}"), "{value}");
        }
    }

    #[test]
    fn the_edges_of_the_times_are_accepted() {
        for (longest, token, stale) in [(60, 60, 0), (86_400, 1, 86_400), (86_400, 86_400, 0)] {
            let edge = settings(|all| {
                all["longest_secs"] = json!(longest);
                all["longest_token_secs"] = json!(token);
                all["stale_secs"] = json!(stale);
            });
            assert_eq!(judge(&edge), Ok(()));
        }
    }
}
