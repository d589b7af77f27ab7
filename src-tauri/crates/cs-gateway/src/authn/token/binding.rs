//! What a token is bound to: a certificate of the connection, or a key that signs a proof for each
//! request. A token that is bound is worth nothing without that.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cs_model::Digest;
use cs_trust::dpop::{self, Expected, Proof};

use super::believed::Believed;
use super::{Case, Doubt, Scheme};
use crate::authn::certificate;
use crate::wire::single;
use crate::world::{Holder, World};

/// Holds a request against what its token is bound to. A proof that holds has to be remembered
/// before it counts.
pub(super) fn check(
    case: &Case<'_>,
    world: &World,
    token: &Believed,
    holder: &Holder,
) -> Result<Option<Proof>, Doubt> {
    let (bound, own) = (token.confirmation, case.letter.certificate);
    if bound.certificate.is_some() && bound.certificate != own {
        return Err(Doubt::Because("certificate_binding"));
    }
    // The one that the token is bound to is no second identity.
    if bound.certificate.is_none() {
        certificate::beside(world, case.letter, holder)?;
    }
    match (case.handed.scheme, bound.key) {
        (Scheme::Bearer, None) => Ok(None),
        (Scheme::Bearer, Some(_)) => Err(Doubt::Because("proof_missing")),
        (Scheme::Dpop, None) => Err(Doubt::Because("token_not_bound")),
        (Scheme::Dpop, Some(key)) => proof(case, key).map(Some),
    }
}

fn proof(case: &Case<'_>, key: Digest) -> Result<Proof, Doubt> {
    let proof = match single(case.letter.headers, "dpop") {
        Ok(Some(proof)) => proof,
        Ok(None) => return Err(Doubt::Because("proof_missing")),
        Err(_) => return Err(Doubt::Because("several_proofs")),
    };
    let expected = Expected {
        method: case.letter.method,
        url: case.letter.resource,
        access_token: Some(case.handed.text),
        thumbprint: Some(key),
        nonces: &[],
        body: Some(Digest::of(case.letter.body)),
    };
    dpop::verify(proof, &expected, case.now).map_err(|error| Doubt::Because(error.code()))
}

/// What a proof is remembered by.
pub(super) fn id(proof: &Proof) -> String {
    let digest = Digest::of_parts(&[proof.thumbprint.as_bytes(), proof.jti.as_bytes()]);
    URL_SAFE_NO_PAD.encode(digest.as_bytes())
}
