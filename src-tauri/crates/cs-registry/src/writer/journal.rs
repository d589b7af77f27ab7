//! The journal: a file beside the registry with the last events of the log, each on record as soon
//! as it stands there, and moved into the database later, many at a time.
//!
//! A record is the length of the event's canonical form (4 bytes, big-endian), its number (8
//! bytes, big-endian), the hash of the entry before it, its own hash (32 bytes each) and the form.
//! The chain is what tells a whole record from a torn one, and those that are due from what
//! earlier ones have left behind them.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cs_audit::{Entry, Head, Verifier};
use cs_model::Digest;

use crate::open::{beside, private, sync_folder};

/// The bytes of a record before its form.
const HEAD: usize = 4 + 8 + 32 + 32;

/// How many bytes it may grow to before it is begun anew.
const MOST: u64 = 16 << 20;

/// How many bytes are kept to write records from.
const MOST_KEPT: usize = 64 << 10;

/// The journal of one registry. There is no file until something is written.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: Option<Arc<File>>,
    /// Where the next record goes.
    end: u64,
    /// The records that are being written.
    bytes: Vec<u8>,
}

/// Where the journal of a registry is.
pub(crate) fn path(registry: &Path) -> PathBuf {
    beside(registry, "-journal-audit")
}

impl Journal {
    pub(super) fn of(registry: &Path) -> Self {
        Self { path: path(registry), file: None, end: 0, bytes: Vec::new() }
    }

    /// No journal.
    pub(super) const fn nowhere() -> Self {
        Self { path: PathBuf::new(), file: None, end: 0, bytes: Vec::new() }
    }

    /// Whether it is to be begun anew as soon as the database has all of it.
    pub(super) const fn is_long(&self) -> bool {
        self.end >= MOST
    }

    /// Writes entries down, behind those that are there. With `lasting` they survive the machine's
    /// end, otherwise that of the process.
    pub(super) async fn write(
        &mut self,
        entries: impl Iterator<Item = &Entry>,
        lasting: bool,
    ) -> io::Result<()> {
        let file = self.put(entries)?;
        if lasting {
            let synced = tokio::task::spawn_blocking(move || file.sync_data()).await;
            synced.map_err(io::Error::other)??;
        }
        Ok(())
    }

    /// Writes entries down, behind those that are there, so that they survive the process. They
    /// survive the machine's end once the file is synced.
    pub(super) fn put<'e>(
        &mut self,
        entries: impl Iterator<Item = &'e Entry>,
    ) -> io::Result<Arc<File>> {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        for entry in entries {
            put(&mut bytes, entry)?;
        }
        let file = self.file()?;
        write_at(&file, &bytes, self.end)?;
        self.end = self.end.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if bytes.capacity() <= MOST_KEPT {
            self.bytes = bytes;
        }
        Ok(file)
    }

    /// The file, and its name on the disk.
    fn file(&mut self) -> io::Result<Arc<File>> {
        if let Some(file) = &self.file {
            return Ok(Arc::clone(file));
        }
        let mut options = OpenOptions::new();
        let options = private(options.write(true).create(true).truncate(true));
        let file = Arc::new(options.open(&self.path)?);
        sync_folder(&self.path)?;
        self.end = 0;
        self.file = Some(Arc::clone(&file));
        Ok(file)
    }

    /// The database has all of it, whatever happens to the machine: the next record is the first.
    pub(super) const fn begin_anew(&mut self) {
        self.end = 0;
    }

    /// The entries in it that follow the end of the log in the database.
    pub(super) fn following(&self, head: Option<Head>) -> io::Result<Result<Vec<Entry>, Apart>> {
        match std::fs::read(&self.path) {
            Ok(bytes) => Ok(following(&bytes, head)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Ok(Vec::new())),
            Err(error) => Err(error),
        }
    }

    /// Nothing in it counts any longer.
    pub(super) fn remove(&mut self) -> io::Result<()> {
        (self.file, self.end) = (None, 0);
        remove(&self.path)
    }
}

/// Removes the journal, if there is one.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Ok(()) => sync_folder(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn put(bytes: &mut Vec<u8>, entry: &Entry) -> io::Result<()> {
    let length = u32::try_from(entry.body.len()).map_err(io::Error::other)?;
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&entry.seq.to_be_bytes());
    bytes.extend_from_slice(entry.previous.as_bytes());
    bytes.extend_from_slice(entry.hash.as_bytes());
    bytes.extend_from_slice(entry.body.as_bytes());
    Ok(())
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(windows)]
fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    use std::os::windows::fs::FileExt as _;
    let (mut rest, mut at) = (bytes, at);
    while !rest.is_empty() {
        let written = file.seek_write(rest, at)?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        at = at.saturating_add(u64::try_from(written).unwrap_or(u64::MAX));
        rest = rest.get(written..).unwrap_or_default();
    }
    Ok(())
}

/// The journal is of another log than the database: entries between them are missing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Apart;

/// What follows the end of the log in the bytes of a journal.
///
/// They are read up to where they are not whole any more: there the process or the machine ended,
/// or records begin that an earlier use has left.
fn following(bytes: &[u8], head: Option<Head>) -> Result<Vec<Entry>, Apart> {
    let mut rest = bytes;
    let mut last: Option<Head> = None;
    let mut following = Vec::new();
    while let Some(entry) = take(&mut rest) {
        let before = entry.seq.checked_sub(1).filter(|seq| *seq > 0);
        let before = before.map(|seq| Head { seq, hash: entry.previous });
        if last.is_some() && last != before {
            break;
        }
        let mut verifier = before.map_or_else(Verifier::new, Verifier::after);
        if verifier.push(&entry).is_err() {
            break;
        }
        last = Some(entry.head());
        let stored = head.map_or(0, |head| head.seq);
        if entry.seq <= stored {
            continue;
        }
        if following.is_empty() && before != head {
            return Err(Apart);
        }
        following.push(entry);
    }
    Ok(following)
}

/// The next record, as far as one is there.
fn take(rest: &mut &[u8]) -> Option<Entry> {
    let (head, after) = rest.split_at_checked(HEAD)?;
    let (length, head) = head.split_first_chunk::<4>()?;
    let (seq, head) = head.split_first_chunk::<8>()?;
    let (previous, head) = head.split_first_chunk::<32>()?;
    let (hash, _) = head.split_first_chunk::<32>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (body, after) = after.split_at_checked(length)?;
    *rest = after;
    Some(Entry {
        seq: u64::from_be_bytes(*seq),
        previous: Digest::from_bytes(*previous),
        hash: Digest::from_bytes(*hash),
        body: std::str::from_utf8(body).ok()?.to_owned(),
    })
}

#[cfg(test)]
mod tests;
