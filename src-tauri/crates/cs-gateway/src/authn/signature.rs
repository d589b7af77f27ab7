//! API keys: requests signed by RFC 9421 with HMAC-SHA256.

use cs_model::Digest;
use cs_trust::request;

use super::{Doubt, Letter, Presented, Proven, accept, certificate};
use crate::gate::Gate;
use crate::trail::neutral;
use crate::wire::only;

/// The caller who signed a request.
pub(super) async fn verify(
    gate: &Gate,
    letter: Letter<'_>,
    claimed: &mut Option<String>,
) -> Result<Presented, Doubt> {
    let headers = letter.headers;
    let (Some(input), Some(signature), Some(digest), Some(authority)) = (
        only(headers, "signature-input"),
        only(headers, "signature"),
        only(headers, "content-digest"),
        only(headers, "host"),
    ) else {
        let none = !headers.contains_key("signature-input") && !headers.contains_key("signature");
        return Err(Doubt::Because(if none { "no_credential" } else { "signature_incomplete" }));
    };
    let presented = request::Presented::parse(input, signature)
        .map_err(|error| Doubt::Because(error.code()))?;
    *claimed = Some(neutral(presented.key_id()));
    let incoming = request::Incoming {
        method: letter.method,
        authority,
        path: letter.path,
        content_digest_header: digest,
        body_digest: Digest::of(letter.body),
    };
    let world = gate.world();
    let now = gate.latest();
    let Some(key) = world.credentials.key(presented.key_id()) else {
        let _ = presented.refuse_unknown(&incoming, now);
        return Err(Doubt::Because("credential_unknown"));
    };
    let secret = gate.ports.secrets.api_key(key.credential).await?;
    presented.verify(&incoming, &secret, now).map_err(|error| Doubt::Because(error.code()))?;
    drop(secret);
    certificate::beside(&world, letter, key)?;
    let caller = accept(&world, key, letter, gate.now(), Proven::default())?;
    let until = presented.remember_until();
    super::nonce::spend(gate, key, presented.nonce(), until).await?;
    Ok(caller)
}
