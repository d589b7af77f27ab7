//! Names that people and agents use, with the shapes that cannot be mistaken for one another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::kind::Kind;
use crate::uri;

/// The rule that a name breaks. The text itself is not repeated: it may come from an agent and
/// end up in a log.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NameError {
    /// It has a character that the kind of name does not allow.
    #[error("a name has lower-case letters, digits, `-` and single `_` only")]
    Character,
    /// It is empty.
    #[error("a name is not empty")]
    Empty,
    /// It does not begin and end with a letter or a digit.
    #[error("a name begins and ends with a letter or a digit")]
    Ends,
    /// It has a character that a prompt's name does not allow, or begins or ends with a blank.
    #[error("a prompt's name is printable ASCII without blanks at its ends")]
    Prompt,
    /// It is not the text of a URI template.
    #[error("a template begins with a scheme and has an expression in braces")]
    Template,
    /// It is longer than its kind allows.
    #[error("a name is at most {most} bytes long")]
    TooLong {
        /// The most bytes allowed.
        most: usize,
    },
    /// It has a character that a tool's name does not allow.
    #[error("a tool's name has letters, digits, `_`, `-` and `.` only")]
    ToolCharacter,
    /// It is not a URI.
    #[error("a URI begins with a scheme and has the characters of RFC 3986 only")]
    Uri,
}

/// The name of a tenant, agent, role, task or server: `[a-z0-9]` with `-` and single `_` inside.
///
/// A double underscore is refused because `server__tool` joins two names with it.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Name(String);

impl Name {
    /// The most bytes in a name.
    pub const MOST: usize = 63;

    /// Reads a name.
    ///
    /// # Errors
    ///
    /// Says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.len() > Self::MOST {
            return Err(NameError::TooLong { most: Self::MOST });
        }
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        if !text.bytes().all(|b| plain(b) || b == b'-' || b == b'_') || text.contains("__") {
            return Err(NameError::Character);
        }
        let ends = [text.bytes().next(), text.bytes().next_back()];
        if !ends.into_iter().flatten().all(plain) {
            return Err(NameError::Ends);
        }
        Ok(Self(text.to_owned()))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a governed thing as its server publishes it: of a tool 1 to 128 of `[A-Za-z0-9_.-]`
/// (MCP 2026-07-28, server/tools, tool names), of a prompt 1 to 128 of printable ASCII, of a
/// resource its URI, of a resource template its text.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ToolName(String);

impl ToolName {
    /// The most bytes in the name of a tool or a prompt.
    pub const MOST: usize = 128;

    /// The most bytes in a URI or a template.
    pub const MOST_URI: usize = 2048;

    /// Reads the name of a thing of this kind.
    ///
    /// # Errors
    ///
    /// Says which rule the text breaks.
    pub fn of(kind: Kind, text: &str) -> Result<Self, NameError> {
        let most = match kind {
            Kind::Tool => return Self::parse(text),
            Kind::Prompt => Self::MOST,
            Kind::Resource | Kind::Template => Self::MOST_URI,
        };
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.len() > most {
            return Err(NameError::TooLong { most });
        }
        let blank = text.starts_with(' ') || text.ends_with(' ');
        match kind {
            Kind::Prompt if blank || !text.bytes().all(|b| matches!(b, b' '..=b'~')) => {
                Err(NameError::Prompt)
            }
            Kind::Resource if !uri::is_uri(text) => Err(NameError::Uri),
            Kind::Template => uri::check(text).map(|()| Self(text.to_owned())),
            Kind::Prompt | Kind::Resource | Kind::Tool => Ok(Self(text.to_owned())),
        }
    }

    /// Whether it is one that a thing of this kind may have.
    pub fn fits(&self, kind: Kind) -> bool {
        Self::of(kind, &self.0).is_ok()
    }

    /// Reads a tool's name.
    ///
    /// # Errors
    ///
    /// Says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.len() > Self::MOST {
            return Err(NameError::TooLong { most: Self::MOST });
        }
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')) {
            return Err(NameError::ToolCharacter);
        }
        Ok(Self(text.to_owned()))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a name looks like at a glance: the characters that are taken for one another are one
/// (after the confusables of Unicode, UTS 39, as far as names may have them).
fn look(text: &str) -> String {
    let mut look = String::with_capacity(text.len());
    for one in text.chars() {
        match one {
            '0' | 'O' => look.push('o'),
            '1' | 'I' => look.push('l'),
            'm' => look.push_str("rn"),
            other => look.push(other),
        }
    }
    look
}

macro_rules! text_form {
    ($name:ident) => {
        impl $name {
            /// What it looks like at a glance: two names with one look are easily taken for one
            /// another.
            pub fn look(&self) -> String {
                look(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::parse(text)
            }
        }

        impl ts_rs::TS for $name {
            type WithoutGenerics = Self;
            type OptionInnerType = Self;

            fn name(_: &ts_rs::Config) -> String {
                "string".to_owned()
            }

            fn inline(config: &ts_rs::Config) -> String {
                Self::name(config)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&self.0)
            }
        }
    };
}

text_form!(Name);
text_form!(ToolName);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

// The kind stands beside the name: whoever reads both holds them against each other.
impl<'de> Deserialize<'de> for ToolName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        let any = Kind::ALL.iter().find_map(|kind| Self::of(*kind, &text).ok());
        any.ok_or_else(|| serde::de::Error::custom("not the name of a tool, prompt or resource"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_accepted_or_refused_for_one_stated_reason() {
        let long = "x".repeat(64);
        let cases: &[(&str, &str, Option<NameError>)] = &[
            ("plain", "reader-1", None),
            ("underscore", "night_shift", None),
            ("longest", &"x".repeat(63), None),
            ("one byte too long", &long, Some(NameError::TooLong { most: 63 })),
            ("empty", "", Some(NameError::Empty)),
            ("upper case", "Acme", Some(NameError::Character)),
            ("double underscore", "a__b", Some(NameError::Character)),
            ("space", "a b", Some(NameError::Character)),
            ("look-alike letter", "\u{430}cme", Some(NameError::Character)),
            ("path", "../x", Some(NameError::Character)),
            ("leading dash", "-a", Some(NameError::Ends)),
            ("trailing underscore", "a_", Some(NameError::Ends)),
        ];
        for (name, text, refused) in cases {
            assert_eq!(Name::parse(text).err(), *refused, "{name}");
        }
    }

    #[test]
    fn x04_tool_names_are_accepted_or_refused_for_one_stated_reason() {
        let long = "x".repeat(129);
        let cases: &[(&str, &str, Option<NameError>)] = &[
            ("plain", "read_file", None),
            ("upper case and dots", "Files.read-All", None),
            ("longest", &"x".repeat(128), None),
            ("one byte too long", &long, Some(NameError::TooLong { most: 128 })),
            ("empty", "", Some(NameError::Empty)),
            ("line break", "a\r\nb", Some(NameError::ToolCharacter)),
            ("zero width", "pay\u{200b}", Some(NameError::ToolCharacter)),
            ("turned around", "pay\u{202e}", Some(NameError::ToolCharacter)),
            ("look-alike letter", "p\u{430}y", Some(NameError::ToolCharacter)),
            ("look-alikes only", "\u{440}\u{430}\u{443}", Some(NameError::ToolCharacter)),
            ("full width", "\u{ff50}ay", Some(NameError::ToolCharacter)),
            ("tag", "pay\u{e0001}", Some(NameError::ToolCharacter)),
            ("space", "pay ", Some(NameError::ToolCharacter)),
        ];
        for (name, text, refused) in cases {
            assert_eq!(ToolName::parse(text).err(), *refused, "{name}");
        }
    }

    #[test]
    fn x04_names_of_other_kinds_are_accepted_or_refused_for_one_stated_reason() {
        let long = format!("a:{}", "x".repeat(2047));
        let cases: &[(Kind, &str, Option<NameError>)] = &[
            (Kind::Prompt, "simple prompt (v2)", None),
            (Kind::Prompt, "", Some(NameError::Empty)),
            (Kind::Prompt, &"x".repeat(129), Some(NameError::TooLong { most: 128 })),
            (Kind::Prompt, " x", Some(NameError::Prompt)),
            (Kind::Prompt, "x\n", Some(NameError::Prompt)),
            (Kind::Prompt, "pay\u{200b}", Some(NameError::Prompt)),
            (Kind::Resource, "file:///a%20b?c#d", None),
            (Kind::Resource, "urn:x", None),
            (Kind::Resource, &long, Some(NameError::TooLong { most: 2048 })),
            (Kind::Resource, "read_file", Some(NameError::Uri)),
            (Kind::Resource, "/etc/passwd", Some(NameError::Uri)),
            (Kind::Resource, "1a:b", Some(NameError::Uri)),
            (Kind::Resource, "file:", Some(NameError::Uri)),
            (Kind::Resource, "file:///%2", Some(NameError::Uri)),
            (Kind::Resource, "file:///a b", Some(NameError::Uri)),
            (Kind::Resource, "file:///{x}", Some(NameError::Uri)),
            (Kind::Resource, "file:///\u{430}", Some(NameError::Uri)),
            (Kind::Template, "file:///{x}", None),
            (Kind::Template, "a://{x}{?q*}", None),
            (Kind::Template, "file:///x", Some(NameError::Template)),
            (Kind::Template, "{x}", Some(NameError::Template)),
            (Kind::Template, "file:///{x} ", Some(NameError::Template)),
        ];
        for (kind, text, refused) in cases {
            assert_eq!(ToolName::of(*kind, text).err(), *refused, "{kind} {text}");
        }
    }

    #[test]
    fn x04_names_that_are_taken_for_one_another_have_one_look() {
        let look = |text: &str| ToolName::parse(text).unwrap().look();
        for (one, other) in
            [("pay_1", "pay_l"), ("Ist", "lst"), ("b0t", "bot"), ("modem", "modern")]
        {
            assert_eq!(look(one), look(other), "{one} {other}");
        }
        for (one, other) in [("read_file", "read-file"), ("pay", "Pay"), ("get_1", "get_2")] {
            assert_ne!(look(one), look(other), "{one} {other}");
        }
    }
}
