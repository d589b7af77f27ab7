//! What a client of the newer era carries from one round of a call to the next.
//!
//! It is sealed, and opens only for the same caller, session, tool and arguments, for a while.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cs_model::json::{self, Limits};
use cs_model::{ApprovalId, CorrelationId, Digest, Timestamp};
use serde::{Deserialize, Serialize};

use crate::gate::Gate;
use crate::parked::Number;
use crate::ports::PortError;
use crate::refusal::Refusal;
use crate::tool::Asked;

const VERSION: &str = "v2.";

/// Where a call stands.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    /// What is waited for.
    pub(crate) wait: Wait,
    /// When it is worth nothing any more.
    pub(crate) until: Timestamp,
}

/// What is waited for.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(crate) enum Wait {
    /// A person.
    Approval {
        approval: ApprovalId,
        /// How often the client has come back.
        count: u32,
    },
    /// The client itself: the call is parked, and this is where.
    Input(Number),
}

impl State {
    /// Seals it for the client of this call.
    pub(crate) fn seal(&self, gate: &Gate, asked: &Asked) -> Result<String, PortError> {
        let failed = |e: cs_trust::SealError| PortError {
            doing: "seal the state of a call",
            source: Some(Box::new(e)),
        };
        let plain = serde_json::to_vec(self).map_err(|e| PortError {
            doing: "write the state of a call",
            source: Some(Box::new(e)),
        })?;
        let place = place(asked);
        let place: Vec<&[u8]> = place.iter().map(Vec::as_slice).collect();
        let sealed = gate.rounds.seal(gate.random()?, &place, &plain).map_err(failed)?;
        Ok(format!("{VERSION}{}", URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// Opens what a client brought back with this call, if it brought anything. Nothing comes out
    /// unless it was given for this call.
    pub(crate) fn brought(gate: &Gate, asked: &Asked) -> Result<Option<Self>, Refusal> {
        let Some(text) = &asked.call.state else { return Ok(None) };
        Self::open(gate, asked, text).map(Some).ok_or(Refusal::State)
    }

    fn open(gate: &Gate, asked: &Asked, text: &str) -> Option<Self> {
        let sealed = URL_SAFE_NO_PAD.decode(text.strip_prefix(VERSION)?).ok()?;
        let place = place(asked);
        let place: Vec<&[u8]> = place.iter().map(Vec::as_slice).collect();
        let plain = gate.rounds.open(&place, &sealed).ok()?;
        let state: Self = serde_json::from_slice(plain.expose()).ok()?;
        (gate.latest() < state.until).then_some(state)
    }
}

/// What the state is bound to.
fn place(asked: &Asked) -> [Vec<u8>; 5] {
    let live = &asked.live;
    [
        live.tenant().to_string().into_bytes(),
        live.credential.to_string().into_bytes(),
        live.id().to_string().into_bytes(),
        asked.wanted().marked().into_bytes(),
        arguments(asked).as_bytes().to_vec(),
    ]
}

/// The digest of the arguments in their canonical form, where they have one.
fn arguments(asked: &Asked) -> Digest {
    let written = asked.arguments().unwrap_or("{}");
    match json::canonical(written, Limits::default()) {
        Ok(canonical) => Digest::of(canonical.as_bytes()),
        Err(_) => Digest::of(written.as_bytes()),
    }
}

/// The answer that asks a client to come back, with what it is asked for.
pub(crate) fn come_back(
    questions: Option<&str>,
    state: &str,
    correlation: CorrelationId,
) -> String {
    let questions = questions.map(|it| format!("\"inputRequests\":{it},")).unwrap_or_default();
    format!(
        "{{\"resultType\":\"input_required\",{questions}\"requestState\":\"{state}\",\
         \"_meta\":{{\"dev.countersign/correlation\":\"{correlation}\"}}}}"
    )
}
