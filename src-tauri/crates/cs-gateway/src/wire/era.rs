//! Which revision of the protocol a message speaks. The body decides; headers only have to agree.

use http::HeaderMap;

use super::headers::single;
use super::{Flaw, Meta};
use crate::refusal::Refusal;

/// The revision without sessions on the wire.
pub(crate) const MODERN: &str = "2026-07-28";

/// The latest revision that begins with `initialize`.
pub(crate) const LATEST_LEGACY: &str = "2025-11-25";

const LEGACY: &[&str] = &[LATEST_LEGACY, "2025-06-18"];

/// What a request means that names no revision. Naming it says no more than that; it is never
/// agreed on.
const ASSUMED: &str = "2025-03-26";

/// The two ways of speaking.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Era {
    /// `initialize`, then a session: 2025-06-18 and 2025-11-25.
    Legacy,
    /// Each request stands for itself: 2026-07-28.
    Modern,
}

/// Whether a revision that begins with `initialize` is spoken here.
pub(crate) fn is_legacy(version: &str) -> bool {
    LEGACY.contains(&version)
}

/// Whether a header may name this revision in a session of the older era.
pub(crate) fn is_older(version: &str) -> bool {
    is_legacy(version) || version == ASSUMED
}

/// Which era something that wants no answer belongs to. The newer one defines none for HTTP and
/// no headers for them: they are taken and have no consequence.
pub(super) fn classify_notice(headers: &HeaderMap, meta: &Meta) -> Result<Era, Refusal> {
    if meta.version.is_some() || single(headers, "mcp-protocol-version") == Ok(Some(MODERN)) {
        return Ok(Era::Modern);
    }
    classify(headers, meta)
}

/// Finds out which era a request belongs to.
pub(super) fn classify(headers: &HeaderMap, meta: &Meta) -> Result<Era, Refusal> {
    let header = single(headers, "mcp-protocol-version")
        .map_err(|_| Refusal::HeaderMismatch("MCP-Protocol-Version must stand there once"))?;
    let Some(version) = &meta.version else {
        return match header {
            None => Ok(Era::Legacy),
            Some(header) if is_older(header) => Ok(Era::Legacy),
            // A date is as old as it says: what is newer needs `_meta`, what is older is unknown.
            Some(header) if header >= MODERN => Err(Refusal::Message(Flaw::Envelope(
                "This revision requires `_meta` with io.modelcontextprotocol/protocolVersion",
            ))),
            Some(_) => Err(Refusal::LegacyVersion),
        };
    };
    if header != Some(version.as_str()) {
        return Err(Refusal::HeaderMismatch(
            "MCP-Protocol-Version must be the version that `_meta` names",
        ));
    }
    if version != MODERN {
        return Err(Refusal::Version { requested: version.clone() });
    }
    if !meta.has_capabilities {
        return Err(Refusal::Message(Flaw::Envelope(
            "`_meta` must have io.modelcontextprotocol/clientCapabilities, an object",
        )));
    }
    Ok(Era::Modern)
}
