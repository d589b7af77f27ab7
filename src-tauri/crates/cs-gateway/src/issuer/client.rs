//! Which client a request is from: exactly one proof, of the method that the client is registered
//! with, and one answer for every reason to refuse it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cs_model::Digest;
use cs_trust::token::{KeySet, Unverified};
use cs_trust::{assertion, key};
use http::header;

use super::Case;
use super::form::{Form, decoded};
use super::refused::Refused;
use crate::authn::{standing, used_up};
use crate::ports::{Nonce, PortError};
use crate::wire::single;
use crate::world::{ClientProof, Holder};

/// The only type of assertion that there is (RFC 7523).
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The longest id and secret.
const MOST: usize = 512;

/// A client that has proven who it is.
///
/// Only [`identify`] makes one.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) holder: Holder,
    /// The certificate of its connection: what its tokens are bound to.
    pub(super) certificate: Option<Digest>,
}

/// What a client proves itself with.
enum Shown<'r> {
    Assertion { text: &'r str },
    Certificate,
    Secret { text: String },
}

/// Why a client is not accepted: for the log, never for the client.
enum Doubt {
    Because(&'static str),
    Port(PortError),
}

impl From<PortError> for Doubt {
    fn from(error: PortError) -> Self {
        Self::Port(error)
    }
}

/// Finds out which client a request is from.
pub(super) async fn identify(
    case: &Case<'_>,
    form: &Form,
    claimed: &mut Option<String>,
) -> Result<Client, Refused> {
    let header = case.headers.contains_key(header::AUTHORIZATION);
    let assertion =
        form.get("client_assertion").is_some() || form.get("client_assertion_type").is_some();
    let secret = form.get("client_secret").is_some();
    *claimed = form.get("client_id").map(str::to_owned);
    if [header, assertion, secret].into_iter().filter(|it| *it).count() > 1 {
        return Err(Refused::Request("several_methods"));
    }
    let found = match read(case, form, claimed) {
        Ok((id, shown)) => verify(case, id, shown).await,
        Err(reason) => Err(Doubt::Because(reason)),
    };
    found.map_err(|doubt| match doubt {
        Doubt::Because(reason) => Refused::Client { reason, header },
        Doubt::Port(error) => Refused::Unrecorded(error),
    })
}

/// Which client a request claims to be from, and what it shows for it.
fn read<'r>(
    case: &Case<'_>,
    form: &'r Form,
    claimed: &mut Option<String>,
) -> Result<(String, Shown<'r>), &'static str> {
    let named = form.get("client_id");
    let (id, shown) = if case.headers.contains_key(header::AUTHORIZATION) {
        let header = single(case.headers, "authorization").map_err(|_| "several_credentials")?;
        let (id, text) = basic(header.unwrap_or_default()).ok_or("authorization_malformed")?;
        (id, Shown::Secret { text })
    } else if let Some(text) = form.get("client_assertion") {
        if form.get("client_assertion_type") != Some(ASSERTION) {
            return Err("assertion_missing");
        }
        let read = Unverified::parse(text).map_err(|error| error.code())?;
        let id = read.subject().ok_or("jwt_subject_invalid")?.to_owned();
        (id, Shown::Assertion { text })
    } else if form.get("client_assertion_type").is_some() {
        return Err("assertion_missing");
    } else if form.get("client_secret").is_some() {
        // It would stand in the logs of whoever writes bodies down.
        return Err("client_method_wrong");
    } else {
        let id = named.ok_or("client_missing")?;
        (id.to_owned(), Shown::Certificate)
    };
    *claimed = Some(id.clone());
    if named.is_some_and(|named| named != id) {
        return Err("client_mismatch");
    }
    Ok((id, shown))
}

/// Holds what a client shows against what it is registered with.
async fn verify(case: &Case<'_>, id: String, shown: Shown<'_>) -> Result<Client, Doubt> {
    let because = |reason| Err(Doubt::Because(reason));
    // A certificate that is not good any more opens nothing, whatever else is shown.
    if let Some(reason) = case.peer.and_then(|peer| peer.objection(&case.world, case.now)) {
        return because(reason);
    }
    let found = case.world.credentials.client(&id);
    let found = found.filter(|(_, holder)| holder.tenant == case.tenant());
    let nonce = match proven(case, &id, &shown, found.map(|(client, _)| &client.proof)) {
        Ok(nonce) => nonce,
        Err(_) if found.is_none() => return because("client_unknown"),
        Err(reason) => return because(reason),
    };
    let Some((_, holder)) = found else { return because("client_unknown") };
    if let Some(reason) = objection(case, holder) {
        return because(reason);
    }
    if !is_own_certificate(case, holder) {
        return because("certificate_of_another");
    }
    if let Some((nonce, until)) = nonce {
        let remembered = case.gate.ports.nonces.remember(holder.credential, &nonce, until).await?;
        if remembered == Nonce::Seen {
            return because("replay");
        }
    }
    let certificate = case.peer.map(|peer| peer.fingerprint());
    Ok(Client { id, holder: holder.clone(), certificate })
}

type Remembered = Option<(String, cs_model::Timestamp)>;

/// Whether what is shown proves a client. For one that does not exist, or is registered with
/// another method, it takes as long to say no.
fn proven(
    case: &Case<'_>,
    id: &str,
    shown: &Shown<'_>,
    proof: Option<&ClientProof>,
) -> Result<Remembered, &'static str> {
    match (shown, proof) {
        (Shown::Secret { text }, Some(ClientProof::Secret { digest })) => {
            let same = key::is_client_secret(text, Some(*digest));
            if same { Ok(None) } else { Err("client_secret_wrong") }
        }
        (Shown::Secret { text }, _) => {
            let _ = key::is_client_secret(text, None);
            Err("client_method_wrong")
        }
        (Shown::Assertion { text }, Some(ClientProof::Assertion { jwks })) => {
            let keys = KeySet::parse(jwks.as_bytes()).map_err(|error| error.code())?;
            let token = format!("{}/token", case.issuer);
            let audiences = [case.issuer.as_str(), token.as_str()];
            let held = assertion::verify(text, &keys, id, &audiences, case.now);
            let held = held.map_err(|error| error.code())?;
            let digest = Digest::of_parts(&[b"assertion\0", held.jti.as_bytes()]);
            Ok(Some((URL_SAFE_NO_PAD.encode(digest.as_bytes()), held.remember_until)))
        }
        (Shown::Assertion { text }, _) => {
            assertion::refuse(text);
            Err("client_method_wrong")
        }
        (Shown::Certificate, Some(ClientProof::Certificate { spiffe })) => match case.peer {
            Some(peer) if peer.certificate().spiffe.to_string() == *spiffe => Ok(None),
            Some(_) => Err("certificate_names_another"),
            None => Err("certificate_not_shown"),
        },
        (Shown::Certificate, Some(ClientProof::Secret { .. })) => Err("client_method_wrong"),
        (Shown::Certificate, Some(ClientProof::Assertion { .. })) => Err("assertion_missing"),
        (Shown::Certificate, None) => Err("client_unknown"),
    }
}

/// Why a client that proved who it is gets nothing all the same.
fn objection(case: &Case<'_>, holder: &Holder) -> Option<&'static str> {
    if let Some(reason) = used_up(holder, case.now) {
        return Some(reason);
    }
    if !holder.may_come_from(case.from) {
        return Some("network_not_allowed");
    }
    standing(&case.world, holder)
}

/// A certificate is of the agent that it is registered for, whoever else could issue one of its
/// name; beside another proof it is a second identity, which has to be the same.
fn is_own_certificate(case: &Case<'_>, holder: &Holder) -> bool {
    let Some(peer) = case.peer else { return true };
    let other = peer.holder(&case.world);
    other.is_some_and(|it| (it.tenant, it.agent) == (holder.tenant, holder.agent))
}

/// The id and the secret of an `Authorization: Basic` (RFC 6749, section 2.3.1).
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, text) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || text.len() > MOST.saturating_mul(4) {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let (id, secret) = decoded(id).zip(decoded(secret))?;
    let fit = |text: &str| (1..=MOST).contains(&text.len());
    (fit(&id) && fit(&secret)).then_some((id, secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_and_a_secret_are_read_as_forms_write_them() {
        let read = |text: &str| basic(&format!("Basic {}", STANDARD.encode(text)));
        assert_eq!(read("csc_1:ccs%5F1"), Some(("csc_1".to_owned(), "ccs_1".to_owned())));
        assert_eq!(read("a:b:c"), Some(("a".to_owned(), "b:c".to_owned())));
        for odd in ["", "a", "a:", ":b", "a:%zz"] {
            assert_eq!(read(odd), None, "{odd}");
        }
        assert_eq!(basic("Bearer YTpi"), None);
        assert_eq!(basic("Basic  YTpi"), None);
    }
}
