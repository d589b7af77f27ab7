//! What a client of the newer era carries from one round of a held call to the next.
//!
//! It is sealed, and opens only for the same caller, session, tool and arguments.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cs_model::{ApprovalId, CorrelationId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::hold::Question;
use crate::gate::Gate;
use crate::ports::PortError;

const VERSION: &str = "v1.";

/// Where a held call stands.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Round {
    pub(super) approval: ApprovalId,
    /// How often the client has come back.
    pub(super) count: u32,
    /// When it is worth nothing any more.
    pub(super) until: Timestamp,
}

impl Round {
    /// Seals it for the client of this call.
    pub(super) fn seal(&self, gate: &Gate, call: &Question<'_>) -> Result<String, PortError> {
        let failed = |e: cs_trust::SealError| PortError {
            doing: "seal the state of a held call",
            source: Some(Box::new(e)),
        };
        let plain = serde_json::to_vec(self).map_err(|e| PortError {
            doing: "write the state of a held call",
            source: Some(Box::new(e)),
        })?;
        let place = place(call);
        let place: Vec<&[u8]> = place.iter().map(Vec::as_slice).collect();
        let sealed = gate.rounds.seal(gate.random()?, &place, &plain).map_err(failed)?;
        Ok(format!("{VERSION}{}", URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// Opens what a client brought back. Nothing comes out unless it was given for this call.
    pub(super) fn open(gate: &Gate, call: &Question<'_>, state: &str) -> Option<Self> {
        let sealed = URL_SAFE_NO_PAD.decode(state.strip_prefix(VERSION)?).ok()?;
        let place = place(call);
        let place: Vec<&[u8]> = place.iter().map(Vec::as_slice).collect();
        let plain = gate.rounds.open(&place, &sealed).ok()?;
        let round: Self = serde_json::from_slice(plain.expose()).ok()?;
        (gate.now() < round.until).then_some(round)
    }
}

/// What the state is bound to.
fn place(call: &Question<'_>) -> [Vec<u8>; 5] {
    let live = &call.asked.live;
    [
        live.tenant().to_string().into_bytes(),
        live.credential.to_string().into_bytes(),
        live.id().to_string().into_bytes(),
        call.asked.wanted().marked().into_bytes(),
        call.digest.as_bytes().to_vec(),
    ]
}

/// The answer that asks a client to come back.
pub(super) fn come_back(state: &str, correlation: CorrelationId) -> String {
    json!({
        "resultType": "input_required",
        "requestState": state,
        "_meta": { "dev.countersign/correlation": correlation },
    })
    .to_string()
}
