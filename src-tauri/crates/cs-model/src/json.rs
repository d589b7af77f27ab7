//! Strict JSON: what is read here means the same thing to every reader.
//!
//! Two readers may disagree about duplicate keys (the first or the last wins), about numbers
//! that a double cannot hold, and about deep nesting. Text with any of these is refused before
//! anything is decided on it (RFC 7493, I-JSON). [`canonical`] then gives the one form that is
//! hashed, shown and sent (RFC 8785).

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::digest::Digest;

/// The integers that every JSON reader holds exactly: up to 2^53 - 1 (RFC 7493, section 2.2).
const MOST_SAFE: f64 = 9_007_199_254_740_991.0;

/// How much structure a text may have.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How deep arrays and objects may nest.
    pub depth: usize,
    /// How many keys and array elements there may be in all.
    pub members: usize,
    /// How many bytes one key may have.
    pub key: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 64, members: 100_000, key: 1024 }
    }
}

/// Why a text is refused. The text itself is not repeated.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum JsonError {
    /// A key stands twice in one object, after unescaping.
    #[error("a key stands twice in one object")]
    DuplicateKey,
    /// Too deep, too many members or too long a key.
    #[error("the JSON is nested too deeply or has too many members")]
    Limits,
    /// A number that not every reader holds exactly.
    #[error("a number is too large or too precise to mean the same to every reader")]
    Number,
    /// Not JSON at all.
    #[error("not valid JSON")]
    Syntax,
}

/// Checks that a text is one JSON value without duplicate keys and within the limits.
///
/// # Errors
///
/// The first rule that the text breaks.
pub fn check(text: &str, limits: Limits) -> Result<(), JsonError> {
    let mut walk = Walk { left: limits.members, limits, broken: None };
    let mut reader = serde_json::Deserializer::from_str(text);
    let done = Value { walk: &mut walk, depth: 0 }.deserialize(&mut reader);
    let read = done.and_then(|()| reader.end());
    match (walk.broken, read) {
        (Some(broken), _) => Err(broken),
        (None, Ok(())) => Ok(()),
        (None, Err(error)) if error.to_string().starts_with("recursion limit") => {
            Err(JsonError::Limits)
        }
        (None, Err(_)) => Err(JsonError::Syntax),
    }
}

/// The canonical form of a JSON text (RFC 8785), for a text that every reader understands alike.
///
/// # Errors
///
/// As [`check`], and [`JsonError::Number`] when a number would change its value on the way.
pub fn canonical(text: &str, limits: Limits) -> Result<String, JsonError> {
    check(text, limits)?;
    if !numbers(text).all(is_exact) {
        return Err(JsonError::Number);
    }
    let value: serde_json::Value = serde_json::from_str(text).map_err(|_| JsonError::Syntax)?;
    serde_json_canonicalizer::to_string(&value).map_err(|_| JsonError::Number)
}

/// The digest of the canonical form of a raw value.
///
/// # Errors
///
/// As [`canonical`].
pub fn canonical_digest(raw: &RawValue, limits: Limits) -> Result<Digest, JsonError> {
    canonical(raw.get(), limits).map(|text| Digest::of(text.as_bytes()))
}

/// A key of an object. What is written without escapes is not copied.
#[derive(Debug)]
pub struct Key<'t>(pub Cow<'t, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }

        from.deserialize_str(Text)
    }
}

/// How many keys are looked through one by one.
const FEW: usize = 16;

/// The keys of one object so far: few of them are looked through faster than they are hashed.
#[derive(Default)]
struct Seen<'t> {
    few: Vec<Cow<'t, str>>,
    many: HashSet<Cow<'t, str>>,
}

impl<'t> Seen<'t> {
    /// Whether the key is new.
    fn insert(&mut self, key: Cow<'t, str>) -> bool {
        if self.few.contains(&key) {
            return false;
        }
        if self.few.len() < FEW {
            self.few.push(key);
            return true;
        }
        self.many.insert(key)
    }
}

struct Walk {
    limits: Limits,
    left: usize,
    broken: Option<JsonError>,
}

impl Walk {
    fn stop<E: serde::de::Error>(&mut self, why: JsonError) -> E {
        self.broken.get_or_insert(why);
        E::custom(why)
    }

    fn count<E: serde::de::Error>(&mut self) -> Result<(), E> {
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(self.stop(JsonError::Limits)),
        }
    }
}

struct Value<'w> {
    walk: &'w mut Walk,
    depth: usize,
}

impl Value<'_> {
    fn deeper<E: serde::de::Error>(&mut self) -> Result<usize, E> {
        let depth = self.depth.saturating_add(1);
        if depth > self.walk.limits.depth {
            Err(self.walk.stop(JsonError::Limits))
        } else {
            Ok(depth)
        }
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        let depth = self.deeper()?;
        while list.next_element_seed(Value { walk: self.walk, depth })?.is_some() {
            self.walk.count()?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let depth = self.deeper()?;
        let mut seen = Seen::default();
        while let Some(Key(key)) = map.next_key()? {
            self.walk.count::<A::Error>()?;
            if key.len() > self.walk.limits.key {
                return Err(self.walk.stop(JsonError::Limits));
            }
            if !seen.insert(key) {
                return Err(self.walk.stop(JsonError::DuplicateKey));
            }
            map.next_value_seed(Value { walk: self.walk, depth })?;
        }
        Ok(())
    }
}

/// The number tokens of a text that is known to be valid JSON.
fn numbers(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let start = rest.find(|c: char| c == '"' || c == '-' || c.is_ascii_digit())?;
            let (_, found) = rest.split_at_checked(start)?;
            if let Some(inside) = found.strip_prefix('"') {
                rest = after_string(inside)?;
                continue;
            }
            let end = found
                .find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E'))
                .unwrap_or(found.len());
            let (number, after) = found.split_at_checked(end)?;
            rest = after;
            return Some(number);
        }
    })
}

fn after_string(inside: &str) -> Option<&str> {
    let mut rest = inside;
    loop {
        let at = rest.find(['"', '\\'])?;
        let (_, found) = rest.split_at_checked(at)?;
        if let Some(after) = found.strip_prefix('"') {
            return Some(after);
        }
        let mut escaped = found.chars();
        escaped.next();
        escaped.next();
        rest = escaped.as_str();
    }
}

/// Whether a number keeps its exact decimal value as an IEEE 754 double, and, when it is an
/// integer, is one that every reader holds.
fn is_exact(token: &str) -> bool {
    let Ok(value) = token.parse::<f64>() else { return false };
    if !value.is_finite() || (value.fract() == 0.0 && value.abs() > MOST_SAFE) {
        return false;
    }
    // Half-way between two shortest forms RFC 8785 takes the even one, Rust now and then the
    // odd one: what counts is the form that will be sent.
    let Ok(form) = serde_json_canonicalizer::to_string(&value) else { return false };
    decimal(token).is_some_and(|exact| decimal(&form) == Some(exact))
}

/// A decimal number as (negative, significant digits, power of ten of the last digit).
fn decimal(token: &str) -> Option<(bool, String, i64)> {
    let (negative, token) = match token.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, token),
    };
    let (mantissa, exponent) = match token.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (token, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let kept = digits.trim_end_matches('0');
    if kept.is_empty() {
        return Some((false, String::new(), 0));
    }
    let dropped = i64::try_from(digits.len().checked_sub(kept.len())?).ok()?;
    let fraction = i64::try_from(fraction.len()).ok()?;
    Some((negative, kept.to_owned(), exponent.checked_sub(fraction)?.checked_add(dropped)?))
}

#[cfg(test)]
mod tests;
