//! Public keys as JSON (RFC 7517), read strictly: what is not clearly a key for signatures is none.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cs_model::Digest;
use cs_model::identity::TokenAlgorithm;
use serde_json::Value;

use super::engine::{PublicKey, Refused};
use super::{Object, is_plain};

/// The most bytes of a key id.
pub(crate) const MOST_ID: usize = 256;

/// The members of private and symmetric keys. Whoever publishes one has published the key.
const PRIVATE: [&str; 8] = ["d", "dp", "dq", "k", "oth", "p", "q", "qi"];

/// Why a key of a set is not used.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, thiserror::Error)]
pub enum KeyFault {
    /// Its `alg` is unknown, for encryption, or not for this kind of key.
    #[error("the algorithm is not one for signatures with such a key")]
    Algorithm,
    /// Its curve is none of P-256, P-384 and Ed25519.
    #[error("the curve is not one that is accepted")]
    Curve,
    /// Another key of the set has the same id.
    #[error("two keys have the same id")]
    DuplicateId,
    /// RSA with a public exponent other than 65537.
    #[error("the public exponent is not 65537")]
    Exponent,
    /// It is not an object with the members of its kind, or one is not canonical base64url.
    #[error("the key is malformed")]
    Malformed,
    /// It has no id, and there are other keys.
    #[error("the key has no id and is not the only one")]
    NoId,
    /// Its operations do not include `verify`.
    #[error("the key is not for verifying")]
    Operations,
    /// A point that is not on its curve, or one with which anybody can sign.
    #[error("the point is not a public key")]
    Point,
    /// It contains its private half.
    #[error("the private key has been published")]
    Private,
    /// RSA with fewer than 2048 bits or more than 8192.
    #[error("the key is too small or too large")]
    Size,
    /// A key that is shared (`oct`).
    #[error("the key is a shared secret")]
    Symmetric,
    /// Its kind is none of RSA, EC and OKP.
    #[error("the kind of key is not one that is accepted")]
    Type,
    /// Its use is not signing.
    #[error("the key is not for signatures")]
    Use,
}

impl KeyFault {
    /// A short code for the log.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Algorithm => "key_algorithm",
            Self::Curve => "key_curve",
            Self::DuplicateId => "key_id_duplicate",
            Self::Exponent => "key_exponent",
            Self::Malformed => "key_malformed",
            Self::NoId => "key_id_missing",
            Self::Operations => "key_operations",
            Self::Point => "key_point",
            Self::Private => "key_private",
            Self::Size => "key_size",
            Self::Symmetric => "key_symmetric",
            Self::Type => "key_type",
            Self::Use => "key_use",
        }
    }
}

impl From<Refused> for KeyFault {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Exponent => Self::Exponent,
            Refused::Point => Self::Point,
            Refused::Size => Self::Size,
        }
    }
}

/// A public key that signatures are checked with.
#[derive(Clone, Debug)]
pub(crate) struct Jwk {
    /// What the set calls it.
    pub(crate) key_id: Option<String>,
    /// Its thumbprint (RFC 7638).
    pub(crate) thumbprint: Digest,
    algorithm: Option<TokenAlgorithm>,
    key: PublicKey,
}

impl Jwk {
    /// Reads a key.
    pub(crate) fn read(members: &Object) -> Result<Self, KeyFault> {
        let kind = text(members, "kty")?.ok_or(KeyFault::Malformed)?;
        if kind == "oct" {
            return Err(KeyFault::Symmetric);
        }
        if PRIVATE.iter().any(|name| members.contains_key(*name)) {
            return Err(KeyFault::Private);
        }
        if text(members, "use")?.is_some_and(|its_use| its_use != "sig") {
            return Err(KeyFault::Use);
        }
        if !may_verify(members)? {
            return Err(KeyFault::Operations);
        }
        let key_id = text(members, "kid")?;
        if key_id.is_some_and(|id| !is_plain(id, MOST_ID)) {
            return Err(KeyFault::Malformed);
        }
        let (key, thumbprint) = match kind {
            "EC" => point(members)?,
            "OKP" => edwards(members)?,
            "RSA" => rsa(members)?,
            _ => return Err(KeyFault::Type),
        };
        let algorithm = match text(members, "alg")? {
            Some(name) => Some(name.parse().map_err(|_| KeyFault::Algorithm)?),
            None => None,
        };
        if algorithm.is_some_and(|algorithm| !key.fits(algorithm)) {
            return Err(KeyFault::Algorithm);
        }
        let key_id = key_id.map(str::to_owned);
        Ok(Self { key_id, thumbprint: Digest::of(thumbprint.as_bytes()), algorithm, key })
    }

    /// Whether the key is for this algorithm: by its kind, and by its own `alg` where it has one.
    pub(crate) fn is_for(&self, algorithm: TokenAlgorithm) -> bool {
        self.key.fits(algorithm) && self.algorithm.is_none_or(|own| own == algorithm)
    }

    /// Whether the signature, in base64url, was made over the message with this key.
    pub(crate) fn has_signed(
        &self,
        algorithm: TokenAlgorithm,
        message: &[u8],
        signature: &str,
    ) -> bool {
        self.is_for(algorithm) && self.key.has_signed(algorithm, message, signature)
    }
}

fn point(members: &Object) -> Result<(PublicKey, String), KeyFault> {
    let curve = text(members, "crv")?.ok_or(KeyFault::Malformed)?;
    let key = match curve {
        "P-256" => PublicKey::p256(&fixed(members, "x")?, &fixed(members, "y")?)?,
        "P-384" => PublicKey::p384(&fixed(members, "x")?, &fixed(members, "y")?)?,
        _ => return Err(KeyFault::Curve),
    };
    let (x, y) = (required(members, "x")?, required(members, "y")?);
    Ok((key, format!(r#"{{"crv":"{curve}","kty":"EC","x":"{x}","y":"{y}"}}"#)))
}

fn edwards(members: &Object) -> Result<(PublicKey, String), KeyFault> {
    if text(members, "crv")?.ok_or(KeyFault::Malformed)? != "Ed25519" {
        return Err(KeyFault::Curve);
    }
    let key = PublicKey::ed25519(&fixed(members, "x")?)?;
    Ok((key, edwards_form(required(members, "x")?)))
}

/// What the thumbprint of an Ed25519 key is the digest of.
pub(crate) fn edwards_form(x: &str) -> String {
    format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#)
}

fn rsa(members: &Object) -> Result<(PublicKey, String), KeyFault> {
    let key = PublicKey::rsa(&bytes(members, "n")?, &bytes(members, "e")?)?;
    let (n, e) = (required(members, "n")?, required(members, "e")?);
    Ok((key, format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#)))
}

fn may_verify(members: &Object) -> Result<bool, KeyFault> {
    let Some(operations) = members.get("key_ops") else { return Ok(true) };
    let Value::Array(operations) = operations else { return Err(KeyFault::Malformed) };
    if operations.iter().all(Value::is_string) {
        Ok(operations.iter().any(|operation| operation == "verify"))
    } else {
        Err(KeyFault::Malformed)
    }
}

fn text<'m>(members: &'m Object, name: &str) -> Result<Option<&'m str>, KeyFault> {
    match members.get(name) {
        None => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or(KeyFault::Malformed),
    }
}

fn required<'m>(members: &'m Object, name: &str) -> Result<&'m str, KeyFault> {
    text(members, name)?.ok_or(KeyFault::Malformed)
}

fn bytes(members: &Object, name: &str) -> Result<Vec<u8>, KeyFault> {
    URL_SAFE_NO_PAD.decode(required(members, name)?).map_err(|_| KeyFault::Malformed)
}

fn fixed<const N: usize>(members: &Object, name: &str) -> Result<[u8; N], KeyFault> {
    bytes(members, name)?.try_into().map_err(|_| KeyFault::Malformed)
}
