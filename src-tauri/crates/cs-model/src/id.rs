//! Identifiers: one type per kind, so that one cannot stand where another belongs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// A text that is not an id of the expected kind.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum IdError {
    /// It lacks the prefix of its kind.
    #[error("expected an id that starts with `{expected}_`")]
    Prefix {
        /// The prefix of the kind that was expected.
        expected: &'static str,
    },
    /// What follows the prefix is not 32 lower-case hexadecimal digits.
    #[error("expected 32 lower-case hexadecimal digits after `{expected}_`")]
    Digits {
        /// The prefix of the kind that was expected.
        expected: &'static str,
    },
}

fn parse(text: &str, expected: &'static str) -> Result<Uuid, IdError> {
    let digits = text
        .strip_prefix(expected)
        .and_then(|rest| rest.strip_prefix('_'))
        .ok_or(IdError::Prefix { expected })?;
    let canonical = digits.len() == 32
        && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if !canonical {
        return Err(IdError::Digits { expected });
    }
    Uuid::try_parse(digits).map_err(|_| IdError::Digits { expected })
}

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(Uuid);

        impl $name {
            /// What its text starts with, before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// An id of this kind from its number.
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// An id of this kind from 16 random bytes.
            pub fn from_random(bytes: [u8; 16]) -> Self {
                Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
            }

            /// Its number.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{}", $prefix, self.0.simple())
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse(text, $prefix).map(Self)
            }
        }

        // In the console an id is a branded string.
        impl ts_rs::TS for $name {
            type WithoutGenerics = Self;
            type OptionInnerType = Self;

            fn name(_: &ts_rs::Config) -> String {
                stringify!($name).to_owned()
            }

            fn inline(config: &ts_rs::Config) -> String {
                Self::name(config)
            }

            fn decl(_: &ts_rs::Config) -> String {
                concat!("type ", stringify!($name), " = Brand<'", $prefix, "'>").to_owned()
            }

            fn output_path() -> Option<std::path::PathBuf> {
                Some("generated.ts".into())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

typed_ids! {
    /// An agent: a program that calls tools on somebody's behalf.
    AgentId = "agt";
    /// Something that a rule found and a person should know of.
    AlertId = "alt";
    /// A tool call that waits, or waited, for a person.
    ApprovalId = "apr";
    /// An outside authority whose certificates one tenant believes.
    AuthorityId = "aut";
    /// A console on another machine.
    ConsoleId = "con";
    /// What ties an answer to its audit events.
    CorrelationId = "cor";
    /// One way for an agent to prove who it is.
    CredentialId = "crd";
    /// A permission to perform one exact call, once.
    OperationTokenId = "opt";
    /// A person who uses the console.
    OperatorId = "opr";
    /// An identity provider of one tenant.
    ProviderId = "idp";
    /// A withdrawal of tokens before their time.
    RevocationId = "rev";
    /// A column of the matrix.
    RoleId = "rol";
    /// An operator's signature over some calls that are alike.
    SeriesId = "ser";
    /// An upstream MCP server of one tenant.
    ServerId = "srv";
    /// A working period of one agent on one task.
    SessionId = "ses";
    /// A declared purpose with its own tool list.
    TaskId = "tsk";
    /// The boundary that no id, grant or record crosses.
    TenantId = "tnt";
    /// One tool of one server.
    ToolId = "tol";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_from_its_text() {
        let id = AgentId::new(Uuid::from_u128(7));
        assert_eq!(id.to_string(), "agt_00000000000000000000000000000007");
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let tenant = TenantId::new(Uuid::from_u128(7)).to_string();
        assert_eq!(tenant.parse::<AgentId>(), Err(IdError::Prefix { expected: "agt" }));
    }

    #[test]
    fn only_the_canonical_text_is_an_id() {
        for text in [
            "agt_0000000000000000000000000000000A",
            "agt_00000000-0000-0000-0000-000000000007",
            "agt_7",
            "agt_",
        ] {
            assert_eq!(text.parse::<AgentId>(), Err(IdError::Digits { expected: "agt" }), "{text}");
        }
    }
}
