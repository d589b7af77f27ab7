//! Values that only this installation can read back, and only where it put them.
//!
//! AES-256-GCM under a subkey that HKDF-SHA256 derives from the master key, one for each purpose.
//! What a value belongs to (its kind, its tenant, its row) is authenticated with it, so that a
//! sealed value that is moved elsewhere does not open.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use cs_model::Secret;

/// The first byte of a sealed value: which way it was sealed.
const VERSION: u8 = 1;

/// Separates these subkeys from any other use of the master key.
const SALT: &[u8] = b"countersign seal 1";

/// The fewest bytes of a master key.
const MASTER_LEN: usize = 32;

/// A key that seals the values of one purpose.
///
/// A nonce may be used once with one key. Callers hand in 12 random bytes for each value, which
/// is safe for 2^32 values of one purpose (NIST SP 800-38D, section 8.3).
#[derive(Debug)]
pub struct SealingKey {
    key: LessSafeKey,
}

/// Why a value cannot be sealed or opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SealError {
    /// It was changed, moved from another place, or sealed under another key.
    #[error("the sealed value does not open here")]
    Closed,
    /// The cryptographic library refused.
    #[error("the value could not be sealed")]
    Crypto,
    /// It is not a sealed value, or one of a version that is not known.
    #[error("this is not a sealed value of a known version")]
    Form,
    /// The master key is too short to be one.
    #[error("the master key is too short")]
    Master,
}

impl SealingKey {
    /// Derives the key of one purpose from the master key.
    ///
    /// # Errors
    ///
    /// When the master key has fewer than 32 bytes.
    pub fn derive(master: &Secret, purpose: &str) -> Result<Self, SealError> {
        if master.expose().len() < MASTER_LEN {
            return Err(SealError::Master);
        }
        let info = [purpose.as_bytes()];
        let subkey = Salt::new(HKDF_SHA256, SALT).extract(master.expose());
        let subkey = subkey.expand(&info, &AES_256_GCM).map_err(|_| SealError::Crypto)?;
        Ok(Self { key: LessSafeKey::new(UnboundKey::from(subkey)) })
    }

    /// Seals a value for one place. `nonce` is 12 random bytes that are used this once; `place`
    /// says where the value belongs and has to be given again to open it.
    ///
    /// # Errors
    ///
    /// When the library refuses, which it does only for values of many gigabytes.
    pub fn seal(
        &self,
        nonce: [u8; NONCE_LEN],
        place: &[&[u8]],
        plain: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        // The value is encrypted where it is copied to, so that no second clear copy is left.
        let mut body = plain.to_vec();
        let tag = self
            .key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(associated(place)),
                &mut body,
            )
            .map_err(|_| SealError::Crypto)?;
        let mut sealed = vec![VERSION];
        sealed.extend_from_slice(&nonce);
        sealed.append(&mut body);
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens a value that was sealed for this place.
    ///
    /// # Errors
    ///
    /// When it was changed, belongs elsewhere, or is no sealed value at all.
    pub fn open(&self, place: &[&[u8]], sealed: &[u8]) -> Result<Secret, SealError> {
        let Some((&VERSION, rest)) = sealed.split_first() else { return Err(SealError::Form) };
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or(SealError::Form)?;
        let mut body = body.to_vec();
        let length = self
            .key
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(associated(place)),
                &mut body,
            )
            .map_err(|_| SealError::Closed)?
            .len();
        body.truncate(length);
        Ok(Secret::new(body))
    }
}

/// The place as bytes: the version, then each part after its length, so that no two places have
/// the same bytes.
fn associated(place: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    for part in place {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

#[cfg(test)]
mod tests;
