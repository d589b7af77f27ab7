//! The canonical form (RFC 8785) of what events are made of: objects, texts, truth values and whole
//! numbers. What else there is in JSON no event has, and it gets no form here.

use serde_json::Value;

/// The whole numbers that every reader holds exactly: up to 2^53 - 1.
const MOST: u64 = (1 << 53) - 1;

/// The canonical form; nothing for what has none.
pub(super) fn of(value: &Value) -> Option<String> {
    let mut text = String::with_capacity(640);
    write(value, &mut text)?;
    Some(text)
}

fn write(value: &Value, text: &mut String) -> Option<()> {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(true) => text.push_str("true"),
        Value::Bool(false) => text.push_str("false"),
        Value::Number(number) => {
            let whole = number.as_u64().filter(|it| *it <= MOST)?;
            text.push_str(&whole.to_string());
        }
        Value::String(words) => quote(words, text)?,
        Value::Array(_) => return None,
        Value::Object(members) => {
            // The names are plain ASCII, for which the order of bytes is that of UTF-16.
            let mut names: Vec<_> = members.iter().collect();
            if names.iter().any(|(name, _)| !name.is_ascii()) {
                return None;
            }
            names.sort_unstable_by_key(|(name, _)| *name);
            text.push('{');
            for (index, (name, value)) in names.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                quote(name, text)?;
                text.push(':');
                write(value, text)?;
            }
            text.push('}');
        }
    }
    Some(())
}

/// A text in quotes. What has to be escaped, and how, is the same in RFC 8785.
fn quote(words: &str, text: &mut String) -> Option<()> {
    let plain = |b: u8| b >= b' ' && b != b'"' && b != b'\\';
    if words.bytes().all(plain) {
        text.push('"');
        text.push_str(words);
        text.push('"');
    } else {
        text.push_str(&serde_json::to_string(words).ok()?);
    }
    Some(())
}
