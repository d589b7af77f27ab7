//! The public keys of an issuer (RFC 7517, section 5).

use std::collections::{BTreeMap, BTreeSet};

use cs_model::identity::TokenAlgorithm;
use cs_model::json::Limits;
use serde_json::Value;

use crate::jws::jwk::{Jwk, KeyFault};
use crate::jws::{self, Object};

/// The most bytes of a set.
pub(crate) const MOST: usize = 256 * 1024;

/// The most keys of a set.
const MOST_KEYS: usize = 100;

const LIMITS: Limits = Limits { depth: 16, members: 10_000, key: 256 };

/// The keys of an issuer that can be used, ready for use. There is at least one.
#[derive(Clone, Debug)]
pub struct KeySet {
    named: BTreeMap<String, Jwk>,
    /// The only key of its set, when it has no id.
    nameless: Option<Box<Jwk>>,
    ignored: Vec<IgnoredKey>,
}

/// A key of a set that is not used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IgnoredKey {
    /// Its id, where it has one.
    pub key_id: Option<String>,
    /// Why.
    pub reason: KeyFault,
}

/// Why a set of keys is not used at all.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeySetError {
    /// It is not a JSON object with a list of keys, or a name stands twice in it.
    #[error("this is not a set of keys")]
    Form,
    /// None of its keys can be used.
    #[error("the set has no key that signatures could be checked with")]
    NoKey {
        /// The keys that it has.
        ignored: Vec<IgnoredKey>,
    },
    /// It has more than 256 KiB or 100 keys.
    #[error("the set of keys is too large")]
    Size,
}

impl KeySetError {
    /// A short code for the log.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Form => "keys_malformed",
            Self::NoKey { .. } => "keys_unusable",
            Self::Size => "keys_too_many",
        }
    }
}

impl KeySet {
    /// Reads a set and prepares its keys. Keys that cannot be used are left out, and told by
    /// [`KeySet::ignored`].
    ///
    /// # Errors
    ///
    /// When the text is no set of keys, is too large, or none of its keys can be used.
    pub fn parse(jwks: &[u8]) -> Result<Self, KeySetError> {
        if jwks.len() > MOST {
            return Err(KeySetError::Size);
        }
        let set: Object = jws::object(jwks, LIMITS).ok_or(KeySetError::Form)?;
        let Some(Value::Array(keys)) = set.get("keys") else { return Err(KeySetError::Form) };
        if keys.len() > MOST_KEYS {
            return Err(KeySetError::Size);
        }
        let mut ignored = Vec::new();
        let mut ignore = |key_id: Option<String>, reason| {
            ignored.push(IgnoredKey { key_id, reason });
        };
        let (mut named, mut twice, mut nameless) = (BTreeMap::new(), BTreeSet::new(), None);
        for value in keys {
            let read = value.as_object().ok_or(KeyFault::Malformed).and_then(Jwk::read);
            match read {
                Err(reason) => ignore(claimed_id(value), reason),
                Ok(key) => match key.key_id.clone() {
                    None if keys.len() > 1 => ignore(None, KeyFault::NoId),
                    None => nameless = Some(Box::new(key)),
                    Some(id) => {
                        if named.insert(id.clone(), key).is_some() {
                            twice.insert(id);
                        }
                    }
                },
            }
        }
        // Neither of two keys with one id is used: which of them is meant, nobody can say.
        for id in twice {
            named.remove(&id);
            ignore(Some(id), KeyFault::DuplicateId);
        }
        if named.is_empty() && nameless.is_none() {
            return Err(KeySetError::NoKey { ignored });
        }
        Ok(Self { named, nameless, ignored })
    }

    /// Whether there is a key of this id.
    pub fn has(&self, key_id: &str) -> bool {
        self.named.contains_key(key_id)
    }

    /// The ids of the keys, in order. The only key of a set may have none.
    pub fn key_ids(&self) -> impl Iterator<Item = &str> {
        self.named.keys().map(String::as_str)
    }

    /// The keys: their ids, and the algorithms that each is for.
    pub fn keys(&self) -> impl Iterator<Item = (Option<&str>, Vec<TokenAlgorithm>)> {
        self.named.values().chain(self.nameless.as_deref()).map(|key| {
            let algorithms = TokenAlgorithm::ALL.iter().copied().filter(|it| key.is_for(*it));
            (key.key_id.as_deref(), algorithms.collect())
        })
    }

    /// How many keys there are.
    #[expect(clippy::len_without_is_empty, reason = "a set without a usable key is an error")]
    pub fn len(&self) -> usize {
        self.named.len().saturating_add(usize::from(self.nameless.is_some()))
    }

    /// The keys of the set that are not used.
    pub fn ignored(&self) -> &[IgnoredKey] {
        &self.ignored
    }

    /// The key that a token names. A token may leave the name out where there is only one key.
    pub(crate) fn find(&self, key_id: Option<&str>) -> Option<&Jwk> {
        match key_id {
            Some(key_id) => self.named.get(key_id),
            None if self.len() == 1 => {
                self.nameless.as_deref().or_else(|| self.named.values().next())
            }
            None => None,
        }
    }
}

/// The id of a key that cannot be used, where it can be shown.
fn claimed_id(key: &Value) -> Option<String> {
    let id = key.get("kid")?.as_str()?;
    jws::is_plain(id, crate::jws::jwk::MOST_ID).then(|| id.to_owned())
}
