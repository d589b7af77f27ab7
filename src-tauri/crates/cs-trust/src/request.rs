//! Signed requests: HTTP Message Signatures (RFC 9421) with HMAC-SHA256, in one exact form.
//!
//! The label is `countersign`, the covered components are `"@method" "@authority" "@path"
//! "content-digest"` in that order and no other, and the parameters are `created`, `nonce`,
//! `keyid`, `alg="hmac-sha256"` and `tag="countersign"`. A request without a body signs the
//! digest of the empty body. The HMAC key is the secret's text as bytes, `css_` included.
//!
//! We send the parameters in the order above and accept them in any, each exactly once: RFC 9421
//! (section 2.5) signs them in the order in which they are sent, and signers differ. What is
//! accepted has to be in the canonical serialisation of RFC 8941 (no optional white space, no
//! leading zeros, no escapes), so that the text as received *is* the text that was signed, and
//! nothing has to be serialised again.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cs_model::{Digest, Secret, Timestamp};

/// How far `created` may be from the clock, either way. Exactly this far is still accepted.
pub const WINDOW: Duration = Duration::from_secs(90);

const LABEL: &str = "countersign=";
const COMPONENTS: &str = r#"("@method" "@authority" "@path" "content-digest")"#;
const ALGORITHM: &str = "hmac-sha256";
const APPLICATION: &str = "countersign";

/// The most bytes of a `Signature-Input` that is read. Ours has about 260.
const MOST_INPUT: usize = 1024;

/// The fewest bytes of a secret. Ours have 47.
const LEAST_SECRET: usize = 32;

/// Stands in for the secret of a key that does not exist. Knowing it helps nobody: nothing that
/// verifies against it is accepted.
const NOBODYS_SECRET: &[u8] = b"css_0000000000000000000000000000000000000000000";

/// A request about to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'r> {
    /// The method, in capitals.
    pub method: &'r str,
    /// Host and port as in the `Host` header: without the port where it is the scheme's own.
    pub authority: &'r str,
    /// The path as it stands in the request line, without a query.
    pub path: &'r str,
    /// The digest of the body; of nothing when there is none.
    pub body_digest: Digest,
}

/// The headers that sign a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Headers {
    /// The value of `Signature-Input`.
    pub signature_input: String,
    /// The value of `Signature`.
    pub signature: String,
    /// The value of `Content-Digest`.
    pub content_digest: String,
}

/// A request as it arrived.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'r> {
    /// The method.
    pub method: &'r str,
    /// The value of the `Host` header.
    pub authority: &'r str,
    /// The path as it stands in the request line. A request with a query is not covered by the
    /// signature and has to be refused before.
    pub path: &'r str,
    /// The value of `Content-Digest`.
    pub content_digest_header: &'r str,
    /// The digest of the body as it was received.
    pub body_digest: Digest,
}

/// Why a signed request is not accepted, or cannot be signed.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, thiserror::Error)]
pub enum RequestError {
    /// `created` is too far from the clock.
    #[error("the signature was created too long ago or in the future")]
    Created,
    /// `Content-Digest` is not the digest of the body.
    #[error("the content digest is not the one of the body")]
    Digest,
    /// The signature headers are not in the one form that is accepted.
    #[error("the signature headers are not in the accepted form")]
    Form,
    /// A part of the request cannot be covered by a signature.
    #[error("the request cannot be signed as it is")]
    Request,
    /// The secret is too short to be one.
    #[error("the secret is too short to sign with")]
    Secret,
    /// The signature was not made over this request with this secret.
    #[error("the signature does not fit the request")]
    Signature,
}

impl RequestError {
    /// A short code for the log.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Created => "signature_stale",
            Self::Digest => "digest_mismatch",
            Self::Form => "signature_malformed",
            Self::Request => "request_unsignable",
            Self::Secret => "secret_too_short",
            Self::Signature => "signature_invalid",
        }
    }
}

/// Signs a request. `nonce` is 16 to 64 random characters of `[A-Za-z0-9_-]` that this key has
/// not used before.
///
/// # Errors
///
/// When the key id, the nonce, the secret or the request cannot stand in a signature.
pub fn sign(
    request: &Outgoing<'_>,
    key_id: &str,
    secret: &Secret,
    created: Timestamp,
    nonce: &str,
) -> Result<Headers, RequestError> {
    let created = created.secs();
    if !is_key_id(key_id) || !is_nonce(nonce) || !(0..=MOST_INTEGER).contains(&created) {
        return Err(RequestError::Form);
    }
    if secret.expose().len() < LEAST_SECRET {
        return Err(RequestError::Secret);
    }
    let parameters = format!(
        r#"{COMPONENTS};created={created};nonce="{nonce}";keyid="{key_id}";alg="{ALGORITHM}";tag="{APPLICATION}""#
    );
    let content_digest = digest_header(request.body_digest);
    let Outgoing { method, authority, path, .. } = *request;
    let base = signature_base(method, authority, path, &content_digest, &parameters)?;
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.expose()), base.as_bytes());
    Ok(Headers {
        signature_input: format!("{LABEL}{parameters}"),
        signature: format!("{LABEL}:{}:", STANDARD.encode(tag)),
        content_digest,
    })
}

/// The value of `Content-Digest` (RFC 9530) for a body.
pub fn content_digest(body: &[u8]) -> String {
    digest_header(Digest::of(body))
}

fn digest_header(digest: Digest) -> String {
    format!("sha-256=:{}:", STANDARD.encode(digest.as_bytes()))
}

/// The largest integer of RFC 8941.
const MOST_INTEGER: i64 = 999_999_999_999_999;

/// The signature headers of a request, read but not believed.
#[derive(Clone, Debug)]
pub struct Presented {
    /// The components and parameters, as they were received.
    parameters: String,
    created: i64,
    nonce: String,
    key_id: String,
    signature: [u8; 32],
}

impl Presented {
    /// Reads the values of `Signature-Input` and `Signature`. Each header has to be there once.
    ///
    /// # Errors
    ///
    /// [`RequestError::Form`], whatever is wrong with them.
    pub fn parse(signature_input: &str, signature: &str) -> Result<Self, RequestError> {
        Self::read(signature_input, signature).ok_or(RequestError::Form)
    }

    fn read(signature_input: &str, signature: &str) -> Option<Self> {
        if signature_input.len() > MOST_INPUT {
            return None;
        }
        let parameters = signature_input.strip_prefix(LABEL)?;
        let mut rest = parameters.strip_prefix(COMPONENTS)?;
        let (mut created, mut nonce, mut key_id, mut alg, mut tag) = (None, None, None, None, None);
        while !rest.is_empty() {
            let (name, after) = rest.strip_prefix(';')?.split_once('=')?;
            if name == "created" {
                let end = after.find(';').unwrap_or(after.len());
                let (value, after) = after.split_at_checked(end)?;
                once(&mut created, integer(value)?)?;
                rest = after;
                continue;
            }
            let (value, after) = after.strip_prefix('"')?.split_once('"')?;
            let slot = match name {
                "alg" => &mut alg,
                "keyid" => &mut key_id,
                "nonce" => &mut nonce,
                "tag" => &mut tag,
                _ => return None,
            };
            once(slot, value)?;
            rest = after;
        }
        let nonce = nonce.filter(|nonce| is_nonce(nonce))?.to_owned();
        let key_id = key_id.filter(|key_id| is_key_id(key_id))?.to_owned();
        if alg? != ALGORITHM || tag? != APPLICATION {
            return None;
        }
        let encoded = signature.strip_prefix(LABEL)?.strip_prefix(':')?.strip_suffix(':')?;
        let signature = STANDARD.decode(encoded).ok()?.try_into().ok()?;
        let parameters = parameters.to_owned();
        Some(Self { parameters, created: created?, nonce, key_id, signature })
    }

    /// The id of the key that the request says it was signed with: 1 to 64 of `[A-Za-z0-9_-]`.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The nonce: 16 to 64 of `[A-Za-z0-9_-]`.
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// When the request says it was signed.
    pub const fn created(&self) -> Timestamp {
        Timestamp::from_secs(self.created)
    }

    /// Until when the nonce has to be remembered: one second longer than the signature can be
    /// accepted at all.
    pub fn remember_until(&self) -> Timestamp {
        self.created().after(WINDOW).after(Duration::from_secs(1))
    }

    /// Checks the signature against the request and the secret of the key. Whether the nonce is
    /// new is for the caller to find out, afterwards.
    ///
    /// # Errors
    ///
    /// [`RequestError::Signature`] before any other: only what was signed is worth a reason.
    pub fn verify(
        &self,
        request: &Incoming<'_>,
        secret: &Secret,
        now: Timestamp,
    ) -> Result<(), RequestError> {
        if secret.expose().len() < LEAST_SECRET {
            return Err(RequestError::Secret);
        }
        self.compare(request, secret.expose(), now)
    }

    /// Does the work of [`Presented::verify`] for a key that does not exist, so that the time
    /// until the refusal does not tell the two apart.
    #[must_use]
    pub fn refuse_unknown(&self, request: &Incoming<'_>, now: Timestamp) -> RequestError {
        let _ = std::hint::black_box(self.compare(request, NOBODYS_SECRET, now));
        RequestError::Signature
    }

    fn compare(
        &self,
        request: &Incoming<'_>,
        secret: &[u8],
        now: Timestamp,
    ) -> Result<(), RequestError> {
        let Incoming { method, authority, path, content_digest_header, body_digest } = *request;
        let base =
            signature_base(method, authority, path, content_digest_header, &self.parameters)?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        hmac::verify(&key, base.as_bytes(), &self.signature)
            .map_err(|_| RequestError::Signature)?;
        if now.since(self.created()) > WINDOW || self.created().since(now) > WINDOW {
            return Err(RequestError::Created);
        }
        if content_digest_header != digest_header(body_digest) {
            return Err(RequestError::Digest);
        }
        Ok(())
    }
}

/// What is signed (RFC 9421, section 2.5). Every part has to stay on its line.
fn signature_base(
    method: &str,
    authority: &str,
    path: &str,
    content_digest: &str,
    parameters: &str,
) -> Result<String, RequestError> {
    let visible = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
    if ![method, authority, path, content_digest].into_iter().all(visible)
        || !path.starts_with('/')
        || path.contains(['?', '#'])
    {
        return Err(RequestError::Request);
    }
    let authority = authority.to_ascii_lowercase();
    Ok(format!(
        "\"@method\": {method}\n\"@authority\": {authority}\n\"@path\": {path}\n\
         \"content-digest\": {content_digest}\n\"@signature-params\": {parameters}"
    ))
}

fn once<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    slot.replace(value).is_none().then_some(())
}

/// An integer of RFC 8941 in its canonical form, not negative.
fn integer(text: &str) -> Option<i64> {
    let digits = (1..=15).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let canonical = text == "0" || !text.starts_with('0');
    text.parse().ok().filter(|_| digits && canonical)
}

fn is_key_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && is_token(text)
}

fn is_nonce(text: &str) -> bool {
    (16..=64).contains(&text.len()) && is_token(text)
}

fn is_token(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

#[cfg(test)]
mod tests;
