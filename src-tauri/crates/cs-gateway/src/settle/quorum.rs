//! The signatures that come for a call: whose they are, and what each counts for at the moment it
//! is to be spent.

use cs_model::op_token::OperationClaims;
use cs_model::{OperationTokenId, Timestamp};
use cs_policy::{Held, Permit, Signature};
use cs_trust::operation::{self, Verified};

use crate::gate::Gate;

/// Signatures that were made over a call, and the proof that they are all that it takes.
#[derive(Debug)]
pub(super) struct Paid {
    /// The call, which may go ahead once they are spent.
    pub(super) permit: Permit,
    /// The token that the redemption is known by.
    pub(super) token: OperationTokenId,
    /// The tokens that are spent together with it.
    pub(super) others: Vec<OperationTokenId>,
    /// When the first of them ends.
    pub(super) expires: Timestamp,
    /// Whether one counts alone, although the tool asks for more.
    pub(super) breaks_glass: bool,
}

/// Checks the form and the signature of each token with the key that its operator has now.
///
/// # Errors
///
/// What is wrong with the first that is not believed, as a short code.
pub(super) fn verify(gate: &Gate, tokens: &[String]) -> Result<Vec<Verified>, &'static str> {
    let world = gate.world();
    let public_key = |operator| world.operators.get(&operator).map(|it| it.public_key);
    let one = |token: &String| operation::verify(token, public_key).map_err(|it| it.code());
    tokens.iter().map(one).collect()
}

/// Turns a held call into one that may go ahead, if these are the signatures that its tool asks
/// for under the policy that judged it, of operators who may make them now.
///
/// # Errors
///
/// What is missing, as a short code.
pub(super) fn release(
    gate: &Gate,
    held: Held,
    verified: &[Verified],
    now: Timestamp,
) -> Result<Paid, &'static str> {
    let world = gate.world();
    let mut signatures = Vec::with_capacity(verified.len());
    for claims in verified.iter().map(Verified::claims) {
        // Whoever was removed since signs nothing any more.
        let signer = world.operators.get(&claims.iss).ok_or("token_operator_unknown")?;
        signatures.push(Signature { claims, signatory: &signer.signatory });
    }
    let permit = held
        .release(&signatures, &gate.config.instance, now)
        .map_err(|(_, unsigned)| unsigned.code())?;
    let all = || signatures.iter().map(|it| it.claims);
    let Some(OperationClaims { jti: token, .. }) = all().next() else {
        return Err("too_few_signatures");
    };
    let ends = all().map(|it| it.exp).min().unwrap_or_default();
    Ok(Paid {
        permit,
        token: *token,
        others: all().skip(1).map(|it| it.jti).collect(),
        expires: Timestamp::from_secs(ends),
        breaks_glass: all().any(|it| it.brk),
    })
}
