//! From what a row holds to the vocabulary.

use std::str::FromStr;
use std::time::Duration;

use cs_model::{Digest, Kind, MostWaiting, Name, Rate, Timestamp, ToolName};

use crate::RegistryError;

/// How far ahead of the clock a time may lie that was read off it before: clocks are set a little
/// all the time.
pub(crate) const SLACK: Duration = Duration::from_secs(60);

pub(crate) const fn time(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// A count or number as it is kept. More than the database can hold is held as the most.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A count or number as it is used. The database never holds a negative one.
pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

pub(crate) fn seconds(number: i64) -> Result<u32, RegistryError> {
    u32::try_from(number).map_err(|_| RegistryError::Damaged { what: "a number of seconds" })
}

/// How many calls of an agent may wait, as it is kept.
pub(crate) fn most_waiting(number: i64) -> Result<MostWaiting, RegistryError> {
    let number = u16::try_from(number).ok().and_then(|it| MostWaiting::new(it).ok());
    number.ok_or(RegistryError::Damaged { what: "how many calls of an agent may wait" })
}

/// A rate as it is kept, in two columns.
pub(crate) fn rate(calls: Option<i64>, secs: Option<i64>) -> Result<Option<Rate>, RegistryError> {
    let damaged = || RegistryError::Damaged { what: "a rate" };
    match (calls, secs) {
        (None, None) => Ok(None),
        (Some(calls), Some(secs)) => {
            let calls = u32::try_from(calls).map_err(|_| damaged())?;
            let secs = u32::try_from(secs).map_err(|_| damaged())?;
            Rate::new(calls, secs).map(Some).map_err(|_| damaged())
        }
        (Some(_), None) | (None, Some(_)) => Err(damaged()),
    }
}

pub(crate) fn word<T: FromStr>(text: &str, what: &'static str) -> Result<T, RegistryError> {
    text.parse().map_err(|_| RegistryError::Damaged { what })
}

pub(crate) fn name(text: &str) -> Result<Name, RegistryError> {
    word(text, "a name")
}

pub(crate) fn tool_name(kind: Kind, text: &str) -> Result<ToolName, RegistryError> {
    ToolName::of(kind, text).map_err(|_| RegistryError::Damaged { what: "a tool's name" })
}

pub(crate) fn bytes32(bytes: Vec<u8>, what: &'static str) -> Result<[u8; 32], RegistryError> {
    bytes.try_into().map_err(|_| RegistryError::Damaged { what })
}

pub(crate) fn digest(bytes: Vec<u8>) -> Result<Digest, RegistryError> {
    bytes32(bytes, "a digest").map(Digest::from_bytes)
}

pub(crate) fn json<T: serde::de::DeserializeOwned>(
    text: &str,
    what: &'static str,
) -> Result<T, RegistryError> {
    serde_json::from_str(text).map_err(|_| RegistryError::Damaged { what })
}

pub(crate) fn to_json<T: serde::Serialize>(
    value: &T,
    what: &'static str,
) -> Result<String, RegistryError> {
    serde_json::to_string(value).map_err(|_| RegistryError::Damaged { what })
}
