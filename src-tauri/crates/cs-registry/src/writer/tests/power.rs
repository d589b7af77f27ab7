//! Power cuts. A child writes to a registry under the eyes of `strace`, and for each thing that it
//! acknowledged the files are made anew as a disk may leave them when the power goes at that
//! moment: with what was synced, and of the rest nothing, or some, or a write that is torn.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{ALONE, CHILD, IN_A_CHILD, ROUNDS, SPARES, SYNCS, acknowledged, nothing_is_lost};
use crate::Registry;
use crate::redemption::Spend;
use crate::testing::{A, Fixture, redeem};

/// What a program did to a file.
#[derive(Clone)]
enum Change {
    Cut(usize),
    Write(usize, Vec<u8>),
}

impl Change {
    fn make(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Cut(length) => bytes.resize(*length, 0),
            Self::Write(at, written) => {
                let end = at.saturating_add(written.len());
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*at..end].copy_from_slice(written);
            }
        }
    }

    /// The same, half done.
    fn torn(&self) -> Self {
        match self {
            Self::Cut(length) => Self::Cut(*length),
            Self::Write(at, written) => Self::Write(*at, written[..written.len() / 2].to_vec()),
        }
    }
}

/// What is left of changes that nobody has synced.
type Left = fn(&[Change]) -> Vec<Change>;

/// What may become of them.
const LEFT: [Left; 3] = [
    |_| Vec::new(),
    |changes| changes.iter().step_by(2).cloned().collect(),
    |changes| {
        let (last, all) = changes.split_last().map_or((None, changes), |(it, all)| (Some(it), all));
        all.iter().cloned().chain(last.map(Change::torn)).collect()
    },
];

/// One file: what is on the disk for certain, and what is not.
#[derive(Default)]
struct File {
    kept: Vec<u8>,
    changes: Vec<Change>,
    /// Whether its name is on the disk too.
    named: bool,
}

/// A disk with one folder.
struct Disk {
    folder: PathBuf,
    files: BTreeMap<PathBuf, File>,
    /// For each thread that syncs: what, and how many of its changes had been made by then.
    syncing: BTreeMap<String, (PathBuf, usize)>,
}

impl Disk {
    fn of(registry: &Path) -> Self {
        let file = File { kept: fs::read(registry).unwrap(), changes: Vec::new(), named: true };
        Self {
            folder: registry.parent().unwrap().to_owned(),
            files: [(registry.to_owned(), file)].into(),
            syncing: BTreeMap::new(),
        }
    }

    /// Takes in one line of `strace`. Answers with what was written to the standard output.
    fn take(&mut self, line: &str) -> Option<String> {
        let (thread, line) = line.split_once(' ').unwrap();
        let line = line.trim_start();
        if line.starts_with("<... f") {
            let (path, count) = self.syncing.remove(thread)?;
            self.sync(&path, count);
            return None;
        }
        let (call, rest) = line.split_once('(')?;
        if call == "openat" {
            let path = PathBuf::from(text(rest.split('"').nth(1)?));
            if path.parent() == Some(&self.folder) && rest.contains("O_CREAT") {
                self.files.entry(path).or_default();
            }
            return None;
        }
        let (number, rest) = rest.split_once('<')?;
        let (path, rest) = rest.split_once('>')?;
        let path = PathBuf::from(text(path));
        let numbers = |text: &str| -> Vec<usize> {
            text.split(|it: char| !it.is_ascii_digit()).filter_map(|it| it.parse().ok()).collect()
        };
        match call {
            "write" if number == "1" => return Some(text(rest.split('"').nth(1)?)),
            "pwrite64" => {
                let mut parts = rest.split('"').skip(1);
                let (written, rest) = (bytes(parts.next()?), parts.next()?);
                self.change(&path, Change::Write(*numbers(rest).get(1)?, written));
            }
            "ftruncate" => self.change(&path, Change::Cut(*numbers(rest).first()?)),
            "fsync" | "fdatasync" => {
                let count = self.files.get(&path).map_or(0, |file| file.changes.len());
                if rest.contains("unfinished") {
                    self.syncing.insert(thread.to_owned(), (path, count));
                } else {
                    self.sync(&path, count);
                }
            }
            _ => {}
        }
        None
    }

    fn change(&mut self, path: &Path, change: Change) {
        if let Some(file) = self.files.get_mut(path) {
            file.changes.push(change);
        }
    }

    fn sync(&mut self, path: &Path, count: usize) {
        if path == self.folder {
            self.files.values_mut().for_each(|file| file.named = true);
        }
        let Some(file) = self.files.get_mut(path) else { return };
        let count = count.min(file.changes.len());
        file.changes.drain(..count).for_each(|change| change.make(&mut file.kept));
    }

    /// Has the power go. The index of the registry's log is made anew at each start.
    fn cut(&self, left: fn(&[Change]) -> Vec<Change>) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, file) in self.files.iter().filter(|(path, file)| file.named && !is_index(path)) {
            let mut bytes = file.kept.clone();
            left(&file.changes).iter().for_each(|change| change.make(&mut bytes));
            fs::write(folder.path().join(path.file_name().unwrap()), bytes).unwrap();
        }
        folder
    }
}

fn is_index(path: &Path) -> bool {
    path.to_string_lossy().ends_with("-shm")
}

/// What `strace -xx` writes for bytes.
fn bytes(coded: &str) -> Vec<u8> {
    coded.split("\\x").skip(1).map(|it| u8::from_str_radix(it, 16).unwrap()).collect()
}

fn text(coded: &str) -> String {
    String::from_utf8_lossy(&bytes(coded)).into_owned()
}

/// Runs the child with this in its environment, and has the power go after each thing that it
/// acknowledged. Gives what is left to `look`; nothing where nothing can be seen here.
async fn at_each_cut(
    environment: &[(&str, &str)],
    mut look: impl AsyncFnMut(&Fixture, &[u32]),
) -> Option<()> {
    let fixture = Fixture::with_approved(12).await;
    fixture.registry.close().await.unwrap();
    let mut disk = Disk::of(&fixture.path());
    let log = tempfile::NamedTempFile::new().unwrap();
    let run = Command::new("strace")
        .args(["-f", "-qq", "-y", "-xx", "-s", "100000"])
        .args(["-e", "trace=openat,write,pwrite64,ftruncate,fsync,fdatasync", "-o"])
        .arg(log.path())
        .arg(std::env::current_exe().unwrap())
        .args(IN_A_CHILD)
        .env(CHILD, fixture.path())
        .env(ROUNDS, "12")
        .envs(environment.iter().copied())
        .output();
    let traced = fs::read_to_string(log.path()).unwrap();
    let Some(run) = run.ok().filter(|_| traced.contains("sync(")) else {
        let note = "left out: power cuts, because `strace` sees nothing here\n";
        std::io::stderr().write_all(note.as_bytes()).unwrap();
        return None;
    };
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let mut said = Vec::new();
    for line in traced.lines() {
        let Some(number) = disk.take(line).and_then(|it| acknowledged(it.trim_end())) else {
            continue;
        };
        said.push(number);
        for left in LEFT {
            let folder = disk.cut(left);
            let registry = Registry::open(&folder.path().join("registry.db")).await.unwrap();
            let after = Fixture { folder, registry };
            look(&after, &said).await;
            after.registry.close().await.unwrap();
        }
    }
    assert_eq!(said, (0..12).collect::<Vec<_>>());
    Some(())
}

#[tokio::test]
async fn o03_a_power_cut_loses_nothing_that_was_acknowledged() {
    at_each_cut(&[], nothing_is_lost).await;
}

#[tokio::test]
async fn a02_o03_a_power_cut_loses_no_event_that_was_in_the_journal_alone() {
    at_each_cut(&[(ALONE, "yes")], async |after, said| {
        let details = after.details().await;
        let notes: Vec<_> = said.iter().map(|number| format!("note {number}")).collect();
        assert!(details.starts_with(&notes), "{details:?} {notes:?}");
    })
    .await;
}

#[tokio::test]
async fn b02_what_an_anchor_may_name_survives_a_power_cut_although_the_disk_is_spared() {
    at_each_cut(&[(SPARES, "yes"), (SYNCS, "yes")], nothing_is_lost).await;
}

#[tokio::test]
async fn o03_where_the_disk_is_spared_a_power_cut_still_loses_no_spent_token() {
    let mut lost = 0_usize;
    let looked = at_each_cut(&[(SPARES, "yes")], async |after, said| {
        let details = after.details().await;
        for number in said {
            assert!(details.contains(&format!("spent {number}")), "{number}");
            lost += usize::from(!details.contains(&format!("note {number}")));
            let again = redeem(A, u128::from(*number) + 1, None);
            assert_eq!(after.registry.submit(again).await.unwrap(), Spend::Refused);
        }
    });
    if looked.await.is_some() {
        assert!(lost > 0, "nothing was spared");
    }
}
