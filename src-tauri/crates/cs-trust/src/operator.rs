//! The key of a person: Ed25519, sealed by a passphrase.
//!
//! A sealed key is one self-contained text of bytes:
//!
//! ```text
//! version 1 | Argon2id memory, passes, lanes (4 bytes each) | salt 16 | nonce 12 | sealed seed 48 | check 32
//! ```
//!
//! The seed is encrypted with AES-256-GCM under the key that Argon2id makes of the passphrase, and
//! bound to the operator and to everything before it. `check` is a digest over the operator and
//! the rest: it tells a damaged text from a wrong passphrase, and tells an attacker nothing.

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use cs_model::{Digest, OperatorId, Secret};
use zeroize::Zeroizing;

const VERSION: u8 = 1;
const TAG: &[u8] = b"countersign operator key 1\0";

/// How much work one guess of a passphrase costs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Work {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// What new keys are sealed with, and the least that is opened.
const WORK: Work = Work { memory_kib: 64 * 1024, passes: 3, lanes: 1 };

/// The most that is opened: a text that asks for more is damaged or hostile.
const MOST: Work = Work { memory_kib: 256 * 1024, passes: 10, lanes: 4 };

/// An operator's key, unlocked. It is erased when dropped.
pub struct OperatorKey {
    seed: Zeroizing<[u8; 32]>,
    public: [u8; 32],
}

/// Why an operator's key cannot be made, sealed or unsealed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum OperatorKeyError {
    /// The cryptographic library refused.
    #[error("the operator's key could not be used")]
    Crypto,
    /// The sealed key was changed, cut short, or is another operator's.
    #[error("the sealed operator key is damaged or belongs to somebody else")]
    Damaged,
    /// The passphrase is empty.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// The passphrase is not the one that the key was sealed with.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
}

impl OperatorKey {
    /// Makes a key from 32 random bytes.
    ///
    /// # Errors
    ///
    /// When the cryptographic library refuses.
    pub fn from_seed(seed: [u8; 32]) -> Result<Self, OperatorKeyError> {
        let seed = Zeroizing::new(seed);
        let pair = pair(&seed)?;
        let public = pair.public_key().as_ref().try_into().map_err(|_| OperatorKeyError::Crypto)?;
        Ok(Self { seed, public })
    }

    /// The public key, which the registry holds.
    pub const fn public_key(&self) -> [u8; 32] {
        self.public
    }

    /// Seals the key by a passphrase. `salt` and `nonce` are random bytes that are used this once.
    ///
    /// This takes about a tenth of a second and 64 MiB: call it where that may block.
    ///
    /// # Errors
    ///
    /// When the passphrase is empty or the library refuses.
    pub fn seal(
        &self,
        passphrase: &Secret,
        salt: [u8; 16],
        nonce: [u8; 12],
        operator: OperatorId,
    ) -> Result<Vec<u8>, OperatorKeyError> {
        let mut sealed = vec![VERSION];
        for part in [WORK.memory_kib, WORK.passes, WORK.lanes] {
            sealed.extend_from_slice(&part.to_be_bytes());
        }
        sealed.extend_from_slice(&salt);
        sealed.extend_from_slice(&nonce);
        let key = stretch(passphrase, &salt, WORK)?;
        let mut seed = self.seed.to_vec();
        let tag = key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(associated(operator, &sealed)),
                &mut seed,
            )
            .map_err(|_| OperatorKeyError::Crypto)?;
        sealed.append(&mut seed);
        sealed.extend_from_slice(tag.as_ref());
        let check = check_of(operator, &sealed);
        sealed.extend_from_slice(check.as_bytes());
        Ok(sealed)
    }

    /// Unseals an operator's key.
    ///
    /// This takes about a tenth of a second and 64 MiB: call it where that may block.
    ///
    /// # Errors
    ///
    /// [`OperatorKeyError::WrongPassphrase`] when that is all that is wrong.
    pub fn unseal(
        passphrase: &Secret,
        sealed: &[u8],
        operator: OperatorId,
    ) -> Result<Self, OperatorKeyError> {
        let parts = Parts::read(sealed, operator).ok_or(OperatorKeyError::Damaged)?;
        let key = stretch(passphrase, &parts.salt, parts.work)?;
        let mut seed = Zeroizing::new(parts.seed.to_vec());
        let opened = key
            .open_in_place(
                Nonce::assume_unique_for_key(parts.nonce),
                Aad::from(associated(operator, parts.head)),
                &mut seed,
            )
            .map_err(|_| OperatorKeyError::WrongPassphrase)?;
        Self::from_seed((&*opened).try_into().map_err(|_| OperatorKeyError::Damaged)?)
    }

    /// Signs a message.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<[u8; 64], OperatorKeyError> {
        let signature = pair(&self.seed)?.sign(message);
        signature.as_ref().try_into().map_err(|_| OperatorKeyError::Crypto)
    }
}

impl std::fmt::Debug for OperatorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OperatorKey(..)")
    }
}

/// A sealed key, taken apart. Nothing in it has been believed yet but the check.
struct Parts<'s> {
    work: Work,
    salt: [u8; 16],
    nonce: [u8; 12],
    /// Version, work, salt and nonce.
    head: &'s [u8],
    seed: &'s [u8; 48],
}

impl<'s> Parts<'s> {
    fn read(sealed: &'s [u8], operator: OperatorId) -> Option<Self> {
        let (content, check) = sealed.split_last_chunk::<32>()?;
        if check_of(operator, content).as_bytes() != check {
            return None;
        }
        let (head, seed) = content.split_last_chunk::<48>()?;
        let (&VERSION, rest) = head.split_first()? else { return None };
        let (memory, rest) = rest.split_first_chunk::<4>()?;
        let (passes, rest) = rest.split_first_chunk::<4>()?;
        let (lanes, rest) = rest.split_first_chunk::<4>()?;
        let (salt, rest) = rest.split_first_chunk::<16>()?;
        let nonce = <&[u8; 12]>::try_from(rest).ok()?;
        let work = Work {
            memory_kib: u32::from_be_bytes(*memory),
            passes: u32::from_be_bytes(*passes),
            lanes: u32::from_be_bytes(*lanes),
        };
        work.is_reasonable().then_some(Self { work, salt: *salt, nonce: *nonce, head, seed })
    }
}

impl Work {
    fn is_reasonable(self) -> bool {
        (WORK.memory_kib..=MOST.memory_kib).contains(&self.memory_kib)
            && (WORK.passes..=MOST.passes).contains(&self.passes)
            && (WORK.lanes..=MOST.lanes).contains(&self.lanes)
    }
}

fn pair(seed: &[u8; 32]) -> Result<Ed25519KeyPair, OperatorKeyError> {
    Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| OperatorKeyError::Crypto)
}

fn stretch(
    passphrase: &Secret,
    salt: &[u8; 16],
    work: Work,
) -> Result<LessSafeKey, OperatorKeyError> {
    if passphrase.expose().is_empty() {
        return Err(OperatorKeyError::EmptyPassphrase);
    }
    let mut key = Zeroizing::new([0; 32]);
    let params = Params::new(work.memory_kib, work.passes, work.lanes, Some(key.len()))
        .map_err(|_| OperatorKeyError::Crypto)?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.expose(), salt, &mut *key)
        .map_err(|_| OperatorKeyError::Crypto)?;
    let key = UnboundKey::new(&AES_256_GCM, &*key).map_err(|_| OperatorKeyError::Crypto)?;
    Ok(LessSafeKey::new(key))
}

fn associated(operator: OperatorId, head: &[u8]) -> Vec<u8> {
    [TAG, operator.uuid().as_bytes(), head].concat()
}

fn check_of(operator: OperatorId, content: &[u8]) -> Digest {
    Digest::of_parts(&[TAG, b"check", operator.uuid().as_bytes(), content])
}

#[cfg(test)]
mod tests;
