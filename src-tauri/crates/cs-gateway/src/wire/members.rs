//! The members of a JSON object, each left as it was written.

use std::borrow::Cow;
use std::fmt;

use cs_model::json::Key;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of an object, in their order. Keys are compared byte by byte: `Name` is not
/// `name`.
#[derive(Debug)]
pub(crate) struct Members<'t>(Vec<(Cow<'t, str>, &'t RawValue)>);

impl<'t> Members<'t> {
    /// Takes an object apart. The text is known to be JSON without duplicate keys; anything but
    /// an object is refused.
    pub(crate) fn read(text: &'t str) -> Option<Self> {
        // A struct also reads from an array, by position: the first character decides.
        if !text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{') {
            return None;
        }
        serde_json::from_str(text).ok()
    }

    /// A member, as it was written.
    pub(crate) fn get(&self, key: &str) -> Option<&'t RawValue> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, raw)| *raw)
    }

    /// A member that is a string.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        serde_json::from_str(self.get(key)?.get()).ok()
    }

    /// A member that is an object.
    pub(crate) fn object(&self, key: &str) -> Option<Self> {
        Self::read(self.get(key)?.get())
    }

    /// All members.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &'t RawValue)> {
        self.0.iter().map(|(name, raw)| (&**name, *raw))
    }

    /// Whether any of these is there.
    pub(crate) fn has_any(&self, keys: &[&str]) -> bool {
        self.0.iter().any(|(name, _)| keys.contains(&&**name))
    }

    /// Whether there is none but these.
    pub(crate) fn are_all_in(&self, keys: &[&str]) -> bool {
        self.0.iter().all(|(name, _)| keys.contains(&&**name))
    }

    /// The object without these, all else as it was written.
    pub(crate) fn without(&self, keys: &[&str]) -> String {
        let kept = self.0.iter().filter(|(name, _)| !keys.contains(&&**name));
        let kept = kept.map(|(name, raw)| format!("{}:{raw}", serde_json::Value::from(&**name)));
        format!("{{{}}}", kept.collect::<Vec<_>>().join(","))
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(Key(key)) = map.next_key()? {
                    members.push((key, map.next_value::<&'de RawValue>()?));
                }
                Ok(Members(members))
            }
        }

        from.deserialize_map(Object)
    }
}
