//! Arguments that a tool wants to see in headers as well (`x-mcp-header`). A client on standard
//! input has no headers; the bridge knows the tools by their listing, and writes them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cs_control::Repeated;
use http::HeaderMap;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::message::Message;

/// What is known of the tools. Nothing, until they were listed.
#[derive(Debug, Default)]
pub(super) struct Tools(Mutex<Option<HashMap<String, Repeated>>>);

#[derive(Deserialize)]
struct Answer<'m> {
    #[serde(borrow)]
    result: Listing<'m>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listing<'m> {
    #[serde(borrow)]
    tools: Vec<&'m RawValue>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

impl Tools {
    fn known(&self) -> MutexGuard<'_, Option<HashMap<String, Repeated>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether they were listed.
    pub(super) fn are_known(&self) -> bool {
        self.known().is_some()
    }

    /// Nothing more will be known than is.
    pub(super) fn are_listed(&self) {
        self.known().get_or_insert_default();
    }

    /// Learns from an answer to `tools/list`. Gives the cursor of the next page, where there is
    /// one. A definition that says nothing usable is one whose calls the gateway refuses.
    pub(super) fn learn(&self, answer: &[u8]) -> Option<String> {
        let Answer { result } = serde_json::from_slice(answer).ok()?;
        let mut known = self.known();
        let known = known.get_or_insert_default();
        for definition in result.tools {
            let Ok(Named { name }) = serde_json::from_str(definition.get()) else { continue };
            match Repeated::of(definition.get()) {
                Ok(repeated) if !repeated.is_empty() => drop(known.insert(name, repeated)),
                Ok(_) | Err(_) => drop(known.remove(&name)),
            }
        }
        result.next_cursor
    }

    /// The headers that a call needs besides.
    pub(super) fn headers(&self, message: &Message) -> HeaderMap {
        let known = self.known();
        let tool = known.as_ref().zip(message.name.as_ref()).and_then(|(all, name)| all.get(name));
        let arguments = message.arguments.as_ref().map(ToString::to_string);
        tool.map(|tool| tool.headers(arguments.as_deref())).into_iter().flatten().collect()
    }
}
