//! What a client knows an errand by: sealed, so that it means something only to the gateway, and
//! only when the session that it was given to brings it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cs_model::{ApprovalId, Digest, ServerId, ToolId};
use serde::{Deserialize, Serialize};

use crate::gate::Gate;
use crate::ports::PortError;
use crate::session::Live;

const PREFIX: &str = "tsk_";

/// What an errand is.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) enum Handle {
    /// A call that waits, or waited, for a person.
    #[serde(rename = "o")]
    Own(ApprovalId),
    /// What a server answered a call with.
    #[serde(rename = "t")]
    Theirs(Box<Theirs>),
}

/// An errand of a server.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Theirs {
    #[serde(rename = "s")]
    pub(crate) server: ServerId,
    #[serde(rename = "t")]
    pub(crate) tool: ToolId,
    /// The name by which the client knows the tool.
    #[serde(rename = "n")]
    pub(crate) name: String,
    /// The digest of the arguments.
    #[serde(rename = "d")]
    pub(crate) digest: Digest,
    /// The conditions of the policy that they satisfy.
    #[serde(rename = "m", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) met: Vec<Digest>,
    /// What its server calls it.
    #[serde(rename = "i")]
    pub(crate) id: String,
}

impl Handle {
    /// Seals it for a session.
    pub(super) fn seal(&self, gate: &Gate, live: &Live) -> Result<String, PortError> {
        let doing = "seal what a client knows a task by";
        let plain = serde_json::to_vec(self)
            .map_err(|error| PortError { doing, source: Some(Box::new(error)) })?;
        let place = place(live);
        let place: Vec<&[u8]> = place.iter().map(Vec::as_slice).collect();
        let sealed = gate
            .handles
            .seal(gate.random()?, &place, &plain)
            .map_err(|error| PortError { doing, source: Some(Box::new(error)) })?;
        Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// Opens what a client of a session brought. Nothing comes out unless it was given to it.
    pub(super) fn open(gate: &Gate, live: &Live, text: &str) -> Option<Self> {
        let sealed = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        let place = place(live);
        let place: Vec<&[u8]> = place.iter().map(Vec::as_slice).collect();
        let plain = gate.handles.open(&place, &sealed).ok()?;
        serde_json::from_slice(plain.expose()).ok()
    }
}

/// Whose it is.
fn place(live: &Live) -> [Vec<u8>; 3] {
    [
        live.tenant().to_string().into_bytes(),
        live.credential.to_string().into_bytes(),
        live.id().to_string().into_bytes(),
    ]
}
