//! What a server may ask of the people and models behind an agent, and what counts as an answer.
//!
//! Whatever is asked comes from a server that nobody has to trust, and whatever is answered from a
//! client that may do what a prompt tells it. So a question has a known shape and asks for no
//! secrets, and an answer has the shape that fits its question.

use serde_json::value::RawValue;

use crate::upstream::{AskKind, NotAsked, Question};
use crate::wire::{Members, Reaction};

/// The most bytes of an answer, and the most characters of an address.
const ANSWER: usize = 1024 * 1024;
const ADDRESS: usize = 2048;

/// The most levels of a form that are looked at for what it asks for. Forms are flat.
const LEVELS: usize = 8;

/// Words by which a field asks for what no form may ask for.
const SECRETS: &[&str] = &[
    "accesskey",
    "apikey",
    "authtoken",
    "bearer",
    "creditcard",
    "credential",
    "cvv",
    "mnemonic",
    "onetimecode",
    "otp",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "pincode",
    "privatekey",
    "recoverycode",
    "secret",
    "seedphrase",
    "token",
];

/// Whether a question is one that may be put to anybody.
pub(crate) fn acceptable(question: &Question) -> Result<(), NotAsked> {
    let params = Members::read(&question.params).ok_or(NotAsked::SHAPE)?;
    let fits = match question.kind {
        AskKind::Form => {
            let schema = params.get("requestedSchema");
            params.text("message").is_some()
                && schema.is_some_and(|schema| !asks_for_secrets(schema, LEVELS))
        }
        AskKind::Roots => true,
        AskKind::Sampling => {
            let plain = |raw: &RawValue| raw.get() == "\"none\"";
            // Tools would let the model act for the server; context would show it the rest.
            params.get("messages").is_some_and(|it| it.get().starts_with('['))
                && !params.has_any(&["toolChoice", "tools"])
                && params.get("includeContext").is_none_or(plain)
        }
        AskKind::Url => {
            params.text("message").is_some()
                && params.text("url").is_some_and(|url| is_address(&url))
        }
    };
    if fits { Ok(()) } else { Err(NotAsked::SHAPE) }
}

/// Whether a form has a field that asks for a secret, by its key, its title or its format.
fn asks_for_secrets(schema: &RawValue, levels: usize) -> bool {
    let Some(members) = Members::read(schema.get()) else { return true };
    let Some(levels) = levels.checked_sub(1) else { return true };
    let says = |text: Option<String>| text.is_some_and(|text| names_secret(&text));
    if says(members.text("title")) || says(members.text("format")) {
        return true;
    }
    let Some(raw) = members.get("properties") else { return false };
    let Some(fields) = Members::read(raw.get()) else { return true };
    fields.iter().any(|(key, field)| names_secret(key) || asks_for_secrets(field, levels))
}

fn names_secret(text: &str) -> bool {
    let letters = text.chars().filter(char::is_ascii_alphanumeric);
    let plain: String = letters.map(|it| it.to_ascii_lowercase()).collect();
    SECRETS.iter().any(|word| plain.contains(word))
}

/// Whether an address can be shown to a person: `https`, or this machine; nobody's name before
/// the host, and nothing that could look like something else.
fn is_address(url: &str) -> bool {
    let plain = url.len() <= ADDRESS && url.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    let Ok(uri) = url.parse::<http::Uri>() else { return false };
    let host = uri.host().unwrap_or_default();
    let here = matches!(host, "127.0.0.1" | "localhost" | "[::1]");
    let user = uri.authority().is_none_or(|it| it.as_str().contains('@'));
    let reached = match uri.scheme_str() {
        Some("https") => !host.starts_with("xn--") && !host.contains(".xn--"),
        Some("http") => here,
        _ => false,
    };
    plain && !user && reached && !host.is_empty()
}

/// What is told to the server of a client's reaction to a question.
pub(crate) fn answer(kind: AskKind, reaction: Reaction) -> Result<String, NotAsked> {
    match reaction {
        Reaction::Result(result) => fitting(kind, &result).ok_or(NotAsked::ANSWERED),
        Reaction::Error(code) => {
            let own = (-32768..=-32000).contains(&code) || code == -1;
            let code = if own { code } else { -32603 };
            Err(NotAsked { code, message: "The client did not answer" })
        }
    }
}

/// An answer in the shape that fits its question, without what is meant for the way only.
pub(crate) fn fitting(kind: AskKind, result: &RawValue) -> Option<String> {
    let members = Members::read(result.get()).filter(|_| result.get().len() <= ANSWER)?;
    let is = |key: &str, first: &[char]| {
        members.get(key).is_some_and(|raw| raw.get().starts_with(first))
    };
    let fits = match kind {
        AskKind::Form | AskKind::Url => {
            let action = members.text("action");
            matches!(action.as_deref(), Some("accept" | "cancel" | "decline"))
                && members.get("content").is_none_or(|_| is("content", &['{', 'n']))
        }
        AskKind::Roots => is("roots", &['[']),
        AskKind::Sampling => {
            is("content", &['{', '['])
                && matches!(members.text("role").as_deref(), Some("assistant" | "user"))
        }
    };
    fits.then(|| members.without(&["_meta", "resultType"]))
}

/// The questions of a round, as a client of the newer era is asked them.
pub(crate) fn requests<'q>(questions: impl Iterator<Item = (&'q str, &'q Question)>) -> String {
    let all = questions.map(|(key, Question { kind, params })| {
        // The newer era knows a visit by the state that comes back with it.
        let visit = Members::read(params).filter(|_| *kind == AskKind::Url);
        let params = visit.map_or_else(|| params.clone(), |it| it.without(&["elicitationId"]));
        let (key, method) = (serde_json::Value::from(key), kind.method());
        format!("{key}:{{\"method\":\"{method}\",\"params\":{params}}}")
    });
    format!("{{{}}}", all.collect::<Vec<_>>().join(","))
}

/// Whether everything that was put to people in a round was accepted.
pub(crate) fn all_accepted<'q>(keys: impl Iterator<Item = &'q str>, responses: &str) -> bool {
    let Some(brought) = Members::read(responses) else { return false };
    let accepted = |key: &str| {
        let action = brought.object(key).and_then(|it| it.text("action"));
        action.as_deref() == Some("accept")
    };
    let mut keys = keys;
    keys.all(accepted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(kind: AskKind, params: &str) -> bool {
        acceptable(&Question { kind, params: params.to_owned() }).is_ok()
    }

    #[test]
    fn x10_a_form_that_asks_for_a_password_is_not_shown() {
        let form = |field: &str| {
            let fields = format!(r#"{{"type":"object","properties":{{{field}}}}}"#);
            asked(AskKind::Form, &format!(r#"{{"message":"?","requestedSchema":{fields}}}"#))
        };
        assert!(form(r#""name":{"type":"string","title":"Your name"}"#));
        for field in [
            r#""password":{"type":"string"}"#,
            r#""x":{"type":"string","title":"Your Pass-Word"}"#,
            r#""x":{"type":"string","format":"password"}"#,
            r#""API_KEY":{"type":"string"}"#,
            r#""x":{"type":"object","properties":{"secret":{}}}"#,
        ] {
            assert!(!form(field), "{field}");
        }
        assert!(!asked(AskKind::Form, r#"{"message":"?"}"#));
    }

    #[test]
    fn x10_an_address_is_shown_only_when_it_is_what_it_looks_like() {
        let shown = |url: &str| {
            let url = serde_json::Value::from(url);
            asked(AskKind::Url, &format!(r#"{{"message":"?","url":{url},"mode":"url"}}"#))
        };
        assert!(shown("https://login.example/consent?x=1"));
        assert!(shown("http://127.0.0.1:8080/consent"));
        for url in [
            "http://login.example/",
            "https://bank.example@evil.example/",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "https://xn--bnk-6na.example/",
            "https://a.example\\@b.example/",
            "https://é.example/",
            "/relative",
        ] {
            assert!(!shown(url), "{url}");
        }
    }

    #[test]
    fn x10_the_model_is_asked_without_tools_and_without_context() {
        assert!(asked(AskKind::Sampling, r#"{"messages":[],"maxTokens":5}"#));
        assert!(asked(AskKind::Sampling, r#"{"messages":[],"includeContext":"none"}"#));
        for more in [r#""tools":[]"#, r#""toolChoice":{}"#, r#""includeContext":"allServers""#] {
            assert!(!asked(AskKind::Sampling, &format!(r#"{{"messages":[],{more}}}"#)), "{more}");
        }
    }

    #[test]
    fn an_answer_has_the_shape_that_fits_its_question() {
        let fits = |kind, text: &str| {
            fitting(kind, &RawValue::from_string(text.to_owned()).unwrap()).is_some()
        };
        assert!(fits(AskKind::Form, r#"{"action":"accept","content":{"a":1}}"#));
        assert!(fits(AskKind::Url, r#"{"action":"decline"}"#));
        assert!(fits(AskKind::Roots, r#"{"roots":[]}"#));
        assert!(fits(AskKind::Sampling, r#"{"role":"assistant","content":{},"model":"m"}"#));
        for (kind, text) in [
            (AskKind::Form, r#"{"action":"approve"}"#),
            (AskKind::Form, r#"{"action":"accept","content":[1]}"#),
            (AskKind::Roots, r#"{"roots":{}}"#),
            (AskKind::Sampling, r#"{"content":{}}"#),
            (AskKind::Sampling, "[]"),
        ] {
            assert!(!fits(kind, text), "{text}");
        }
    }
}
