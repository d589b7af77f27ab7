//! Secrets in one file, sealed by a passphrase (age, scrypt recipient).
//!
//! For systems without a keychain. The passphrase is asked for once per process; from then on
//! the secrets are in memory. The file is replaced as a whole: written beside, made durable,
//! and moved over the old one.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use age::secrecy::SecretString;
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cs_model::Secret;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex as AsyncMutex;
use zeroize::Zeroizing;

use crate::{SecretError, SecretStore};

const PLACE: &str = "the file of sealed secrets";

/// How hard it is to guess a passphrase: 2^16 rounds of scrypt take 64 MiB and a good tenth of a
/// second.
const WORK: u8 = 16;

/// The hardest file that is opened: a forged one could ask for any amount of memory.
const MOST_WORK: u8 = 20;

/// The largest file that is opened.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// Secrets in one file, sealed by a passphrase.
#[derive(Clone, Debug)]
pub struct SealedFile {
    path: Arc<Path>,
    opened: Arc<Mutex<Option<Opened>>>,
    /// Held while the file is replaced, so that replacements do not overtake one another.
    writing: Arc<AsyncMutex<()>>,
    work: u8,
}

#[derive(Debug)]
struct Opened {
    passphrase: Secret,
    items: BTreeMap<String, Secret>,
}

impl Clone for Opened {
    fn clone(&self) -> Self {
        let items = self.items.iter().map(|(name, it)| (name.clone(), it.duplicate())).collect();
        Self { passphrase: self.passphrase.duplicate(), items }
    }
}

/// What is sealed.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Plain {
    version: u32,
    items: BTreeMap<String, Zeroizing<String>>,
}

impl SealedFile {
    /// A new file, without secrets, under this passphrase.
    ///
    /// # Errors
    ///
    /// When there is a file already or it cannot be written.
    pub async fn create(path: &Path, passphrase: &Secret) -> Result<Self, SecretError> {
        let file = Self::at(path);
        if path.exists() {
            let source = io::Error::from(io::ErrorKind::AlreadyExists);
            return Err(failed("make the file of sealed secrets", source));
        }
        let opened = Opened { passphrase: passphrase.duplicate(), items: BTreeMap::new() };
        file.replace(opened).await?;
        Ok(file)
    }

    /// The file at this path, still sealed.
    pub fn at(path: &Path) -> Self {
        Self { path: path.into(), opened: Arc::default(), writing: Arc::default(), work: WORK }
    }

    fn look<T>(&self, look: impl FnOnce(&Opened) -> T) -> Result<T, SecretError> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.as_ref().map(look).ok_or(SecretError::Locked {
            place: PLACE,
            remedy: "give its passphrase: unlock the console, or start with `--passphrase-file`",
        })
    }

    async fn change(&self, change: impl FnOnce(&mut Opened) + Send) -> Result<(), SecretError> {
        let _alone = self.writing.lock().await;
        let mut next = self.look(Clone::clone)?;
        change(&mut next);
        self.replace(next).await
    }

    /// Writes what is to be, then believes it: when writing fails, both the file and the memory
    /// hold what they held.
    async fn replace(&self, next: Opened) -> Result<(), SecretError> {
        let (path, work) = (Arc::clone(&self.path), self.work);
        let next = tokio::task::spawn_blocking(move || {
            let sealed = seal(&next, work)?;
            write(&path, &sealed).map_err(|source| failed("write the sealed secrets", source))?;
            Ok::<_, SecretError>(next)
        })
        .await
        .map_err(|source| failed("write the sealed secrets", source))??;
        *self.opened.lock().unwrap_or_else(PoisonError::into_inner) = Some(next);
        Ok(())
    }
}

#[async_trait]
impl SecretStore for SealedFile {
    async fn get(&self, name: &str) -> Result<Secret, SecretError> {
        self.look(|opened| opened.items.get(name).map(Secret::duplicate))?
            .ok_or_else(|| SecretError::Missing { place: PLACE, name: name.to_owned() })
    }

    async fn put(&self, name: &str, secret: &Secret) -> Result<(), SecretError> {
        let (name, secret) = (name.to_owned(), secret.duplicate());
        self.change(|opened| {
            opened.items.insert(name, secret);
        })
        .await
    }

    async fn reseal(
        &self,
        name: &str,
        secret: &Secret,
        before: &Secret,
        after: &Secret,
    ) -> Result<(), SecretError> {
        let (name, secret) = (name.to_owned(), secret.duplicate());
        self.change(|opened| {
            opened.items.insert(name, secret);
            if opened.passphrase.expose() == before.expose() {
                opened.passphrase = after.duplicate();
            }
        })
        .await
    }

    async fn delete(&self, name: &str) -> Result<(), SecretError> {
        self.change(|opened| {
            opened.items.remove(name);
        })
        .await
    }

    fn is_sealed(&self) -> bool {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    async fn unseal(&self, passphrase: &Secret) -> Result<(), SecretError> {
        let (path, passphrase) = (Arc::clone(&self.path), passphrase.duplicate());
        let opened = tokio::task::spawn_blocking(move || open(&path, passphrase))
            .await
            .map_err(|source| failed("read the sealed secrets", source))??;
        *self.opened.lock().unwrap_or_else(PoisonError::into_inner) = Some(opened);
        Ok(())
    }
}

fn failed(
    doing: &'static str,
    source: impl std::error::Error + Send + Sync + 'static,
) -> SecretError {
    SecretError::Failed { doing, source: Box::new(source) }
}

fn phrase(passphrase: &Secret) -> Result<SecretString, SecretError> {
    let text = passphrase.expose_text().ok_or(SecretError::WrongPassphrase)?;
    Ok(SecretString::from(text.to_owned()))
}

fn seal(opened: &Opened, work: u8) -> Result<Vec<u8>, SecretError> {
    let text = |secret: &Secret| Zeroizing::new(STANDARD.encode(secret.expose()));
    let items = opened.items.iter().map(|(name, it)| (name.clone(), text(it))).collect();
    let plain = serde_json::to_vec(&Plain { version: 1, items })
        .map_err(|source| failed("write the sealed secrets", source))?;
    let plain = Zeroizing::new(plain);
    let mut recipient = age::scrypt::Recipient::new(phrase(&opened.passphrase)?);
    recipient.set_work_factor(work);
    age::encrypt(&recipient, &plain).map_err(|source| failed("seal the secrets", source))
}

fn open(path: &Path, passphrase: Secret) -> Result<Opened, SecretError> {
    let doing = "read the sealed secrets";
    let length = fs::metadata(path).map_err(|source| failed(doing, source))?.len();
    if length > MOST_BYTES {
        return Err(SecretError::Damaged { place: PLACE });
    }
    let sealed = fs::read(path).map_err(|source| failed(doing, source))?;
    let mut identity = age::scrypt::Identity::new(phrase(&passphrase)?);
    identity.set_max_work_factor(MOST_WORK);
    let plain = age::decrypt(&identity, &sealed).map_err(|error| explain(&error))?;
    let plain = Zeroizing::new(plain);
    let damaged = || SecretError::Damaged { place: PLACE };
    let plain: Plain = serde_json::from_slice(&plain).map_err(|_| damaged())?;
    if plain.version != 1 {
        return Err(damaged());
    }
    let items = plain.items.into_iter().map(|(name, text)| {
        let bytes = STANDARD.decode(text.as_bytes()).map_err(|_| damaged())?;
        Ok((name, Secret::new(bytes)))
    });
    Ok(Opened { passphrase, items: items.collect::<Result<_, SecretError>>()? })
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "whatever else is wrong with the file, it is not what was written"
)]
fn explain(error: &age::DecryptError) -> SecretError {
    match error {
        age::DecryptError::DecryptionFailed
        | age::DecryptError::KeyDecryptionFailed
        | age::DecryptError::NoMatchingKeys => SecretError::WrongPassphrase,
        _ => SecretError::Damaged { place: PLACE },
    }
}

/// Replaces a file with another one, durably, so that there is always one or the other.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    let mut beside = PathBuf::from(path);
    beside.set_extension("new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = create_private(&beside)?;
    file.write_all(content)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&beside, path)?;
    sync_folder(folder)
}

#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<fs::File> {
    // The file inherits the folder's access list, which the home restricts to its owner.
    fs::OpenOptions::new().write(true).create_new(true).open(path)
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests;
