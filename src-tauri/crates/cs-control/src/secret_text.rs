//! Secrets at the door: a text that comes in and is never shown, and one that is shown once.

use std::fmt;

use cs_model::Secret;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use ts_rs::TS;

/// The most bytes of a secret that somebody types or pastes.
const MOST: usize = 64 * 1024;

/// A secret that came in with a command: a passphrase, or the value of a tenant's secret.
pub struct SecretText(Secret);

impl SecretText {
    /// Takes a secret in.
    pub const fn new(secret: Secret) -> Self {
        Self(secret)
    }

    /// The secret.
    pub const fn secret(&self) -> &Secret {
        &self.0
    }

    /// The secret as a text without the space around it, if it has at least one byte and so many
    /// at most: for what is tried once and not kept.
    pub(crate) fn trimmed(&self, most: usize) -> Option<&str> {
        let text = self.0.expose_text()?.trim();
        (1..=most).contains(&text.len()).then_some(text)
    }

    /// The secret, for good.
    pub fn into_secret(self) -> Secret {
        self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(..)")
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let secret = Secret::from_text(text);
        if secret.expose().len() > MOST {
            return Err(serde::de::Error::custom("a secret is at most 64 KiB long"));
        }
        Ok(Self(secret))
    }
}

/// A secret that leaves the core once, in the answer that made it.
pub struct ShownOnce(Secret);

impl ShownOnce {
    /// A secret that may be shown, this once.
    pub(crate) const fn new(secret: Secret) -> Self {
        Self(secret)
    }
}

impl fmt::Debug for ShownOnce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShownOnce(..)")
    }
}

impl Serialize for ShownOnce {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let text = self
            .0
            .expose_text()
            .ok_or_else(|| serde::ser::Error::custom("the secret is not a text"))?;
        to.serialize_str(text)
    }
}

macro_rules! string_in_the_console {
    ($($name:ident)*) => {$(
        impl TS for $name {
            type WithoutGenerics = Self;
            type OptionInnerType = Self;

            fn name(_: &ts_rs::Config) -> String {
                "string".to_owned()
            }

            fn inline(config: &ts_rs::Config) -> String {
                Self::name(config)
            }
        }
    )*};
}

string_in_the_console!(SecretText ShownOnce);
