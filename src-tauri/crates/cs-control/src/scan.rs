//! Looks for secrets where none may stand: in the files of the home, in files that somebody names,
//! and in the environment and the command lines of the processes that can be seen.
//!
//! A secret is looked for as it is, in base64 and in hexadecimal. What was encrypted, compressed or
//! encoded together with something else before it was written is not found.

use std::cmp::Ordering;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use cs_model::Secret;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::view::secrets::{LeakView, SecretsAuditView};

/// What is shorter could stand anywhere by chance.
const SHORTEST: usize = 8;

/// How many finds are told of, and how many places that could not be read.
const MOST: usize = 200;

/// How long it is looked.
const LONGEST: Duration = Duration::from_secs(300);

/// Where the system shows itself as files, some of which have no end.
const SYSTEM: [&str; 2] = ["/proc", "/sys"];

/// A secret to look for, and what it is called.
pub(crate) struct Sought {
    pub(crate) what: String,
    pub(crate) secret: Secret,
}

/// Where to look.
#[derive(Debug)]
pub(crate) struct Where {
    /// Folders and files, with all that is in them.
    pub(crate) paths: Vec<PathBuf>,
    /// A file that may hold them: the store itself.
    pub(crate) but: PathBuf,
}

/// Looks for all of them everywhere.
///
/// # Errors
///
/// When what is looked for cannot be looked for all at once.
pub(crate) fn run(sought: &[Sought], place: &Where) -> io::Result<SecretsAuditView> {
    let mut forms: Vec<Zeroizing<Vec<u8>>> = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    let mut short: u64 = 0;
    for one in sought {
        let bytes = one.secret.expose();
        if bytes.len() < SHORTEST {
            short = short.saturating_add(1);
            continue;
        }
        for form in forms_of(bytes) {
            forms.push(form);
            names.push(&one.what);
        }
    }
    let search = AhoCorasick::new(forms.iter().map(|form| form.as_slice()))
        .map_err(|error| io::Error::other(error.to_string()))?;
    let ends = Instant::now().checked_add(LONGEST);
    let mut look = Look { search, names, ends, view: SecretsAuditView::default() };
    look.view.secrets = u64::try_from(sought.len()).unwrap_or(u64::MAX);
    look.view.too_short = short;
    for path in &place.paths {
        look.below(path, &place.but);
    }
    look.at_own();
    look.at_processes();
    if look.is_over() {
        let rule = format!("it was looked for {} s; the rest was not read", LONGEST.as_secs());
        look.view.unread.insert(0, rule);
    }
    Ok(look.view)
}

/// The forms in which a secret may stand somewhere.
fn forms_of(bytes: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    let mut forms = vec![Zeroizing::new(bytes.to_vec())];
    for encoded in
        [STANDARD.encode(bytes), STANDARD_NO_PAD.encode(bytes), URL_SAFE_NO_PAD.encode(bytes)]
    {
        forms.push(Zeroizing::new(encoded.into_bytes()));
    }
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    let hex: String = digits.collect();
    forms.push(Zeroizing::new(hex.to_ascii_uppercase().into_bytes()));
    forms.push(Zeroizing::new(hex.into_bytes()));
    // Of a key in PEM, the body is as good as the whole.
    if let Some(body) = std::str::from_utf8(bytes).ok().and_then(pem_body) {
        forms.push(Zeroizing::new(body.as_bytes().to_vec()));
    }
    forms.sort_unstable_by(|a, b| a.as_slice().cmp(b));
    forms.dedup_by(|a, b| a.as_slice() == b.as_slice());
    forms
}

/// The last full line of what stands between the marks of a key in PEM: the first one may say no
/// more than of what kind it is.
fn pem_body(text: &str) -> Option<&str> {
    let body = text.split("-----").nth(2)?;
    body.lines().rfind(|line| line.len() >= 32)
}

struct Look<'s> {
    search: AhoCorasick,
    names: Vec<&'s str>,
    ends: Option<Instant>,
    view: SecretsAuditView,
}

impl Look<'_> {
    fn is_over(&self) -> bool {
        self.ends.is_some_and(|ends| Instant::now() >= ends)
    }

    /// Looks at a file, or at all that a folder has: not by links, and not on other filesystems,
    /// for those of the system come to no end.
    fn below(&mut self, path: &Path, but: &Path) {
        let mut first = None;
        let mut rest = vec![path.to_owned()];
        while let Some(path) = rest.pop() {
            if path == but || self.is_over() {
                continue;
            }
            if cfg!(target_os = "linux") && SYSTEM.iter().any(|it| path.starts_with(it)) {
                self.in_vain(&path, &io::Error::other("it is the system's own, and no files"));
                continue;
            }
            let about = match fs::symlink_metadata(&path) {
                Ok(about) => about,
                Err(error) => {
                    self.in_vain(&path, &error);
                    continue;
                }
            };
            let there = filesystem(&about);
            if *first.get_or_insert(there) != there {
                self.in_vain(&path, &io::Error::other("it is on another filesystem"));
            } else if about.is_dir() {
                match fs::read_dir(&path) {
                    Ok(entries) => {
                        let mut inside: Vec<PathBuf> =
                            entries.filter_map(|it| it.ok().map(|it| it.path())).collect();
                        inside.sort_unstable_by(|a, b| b.cmp(a));
                        rest.append(&mut inside);
                    }
                    Err(error) => self.in_vain(&path, &error),
                }
            } else if about.is_file() {
                let read =
                    open(&path).and_then(|file| self.read(file, &path.display().to_string()));
                match read {
                    Ok(()) => self.view.files = self.view.files.saturating_add(1),
                    Err(error) => self.in_vain(&path, &error),
                }
            }
        }
    }

    /// Looks at what this very process was started with, which the system may hide from it.
    fn at_own(&mut self) {
        let own: Vec<u8> = std::env::vars_os()
            .flat_map(|(name, value)| [name, OsString::from("="), value, OsString::from("\0")])
            .flat_map(OsString::into_encoded_bytes)
            .collect();
        // It comes to its end.
        let _ = self.read(own.as_slice(), "environ of this process");
    }

    #[cfg(target_os = "linux")]
    fn at_processes(&mut self) {
        let own = std::process::id().to_string();
        let entries = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
        for entry in entries {
            let name = entry.file_name();
            let Some(pid) = name.to_str().filter(|it| it.bytes().all(|it| it.is_ascii_digit()))
            else {
                continue;
            };
            let mut seen = false;
            for part in ["environ", "cmdline"] {
                let place = format!("{part} of process {pid}");
                match File::open(entry.path().join(part)) {
                    Ok(file) => seen |= self.read(file, &place).is_ok(),
                    // Those of other users have nothing of ours. One of ours may hide what it has.
                    Err(error) if is_ours(&entry.path()) && pid != own => {
                        self.in_vain(Path::new(&place), &error);
                    }
                    Err(_) => {}
                }
            }
            self.view.processes = self.view.processes.saturating_add(u64::from(seen));
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn at_processes(&mut self) {}

    fn read(&mut self, from: impl Read, place: &str) -> io::Result<()> {
        let mut counted = Counted { from, bytes: 0, ends: self.ends };
        for found in self.search.stream_find_iter(BufReader::new(&mut counted)) {
            let found = found?;
            let what = self.names.get(found.pattern().as_usize()).copied().unwrap_or_default();
            let same = |it: &LeakView| it.place == place && it.what == what;
            if self.view.found.len() < MOST && !self.view.found.iter().any(same) {
                let at = u64::try_from(found.start()).unwrap_or(u64::MAX);
                self.view.found.push(LeakView {
                    what: what.to_owned(),
                    place: place.to_owned(),
                    at,
                });
            }
        }
        self.view.bytes = self.view.bytes.saturating_add(counted.bytes);
        Ok(())
    }

    fn in_vain(&mut self, path: &Path, error: &io::Error) {
        match self.view.unread.len().cmp(&MOST) {
            Ordering::Less => self.view.unread.push(format!("{}: {error}", path.display())),
            Ordering::Equal => self.view.unread.push("and more".to_owned()),
            Ordering::Greater => {}
        }
    }
}

/// Opens a file that was one a moment ago: no link is followed, and no pipe is waited for.
fn open(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW;
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags.bits().cast_signed());
    }
    let file = options.open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is no file")) }
}

#[cfg(unix)]
fn filesystem(about: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::dev(about)
}

#[cfg(not(unix))]
fn filesystem(_: &fs::Metadata) -> u64 {
    0
}

/// Whether a process is the same user's. Who hides its memory is root's to the eye; its command
/// line tells.
#[cfg(target_os = "linux")]
fn is_ours(process: &Path) -> bool {
    let status = fs::read_to_string(process.join("status")).unwrap_or_default();
    let of = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    let of = of.and_then(|line| line.split_whitespace().next()?.parse().ok());
    of == Some(rustix::process::getuid().as_raw())
}

/// Counts what is read, and stops when it is time.
struct Counted<R> {
    from: R,
    bytes: u64,
    ends: Option<Instant>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.ends.is_some_and(|ends| Instant::now() >= ends) {
            return Err(io::Error::other("there was no time to read it to its end"));
        }
        let read = self.from.read(into)?;
        self.bytes = self.bytes.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sought() -> Vec<Sought> {
        let pem = "-----BEGIN PRIVATE KEY-----\n\
                   MC4CAQAwBQYDK2VwBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n\
                   -----END PRIVATE KEY-----\n";
        [("raw", &b"\x00\xffsixteen bytes!!\xfe"[..]), ("pem", pem.as_bytes()), ("short", b"abc")]
            .map(|(what, bytes)| Sought {
                what: what.to_owned(),
                secret: Secret::new(bytes.to_vec()),
            })
            .into()
    }

    #[test]
    fn a_secret_is_found_in_each_of_its_forms_and_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let raw = b"\x00\xffsixteen bytes!!\xfe";
        let hex: String = raw.iter().map(|byte| format!("{byte:02x}")).collect();
        let all = [
            ("raw", raw.to_vec(), "raw"),
            ("base64", STANDARD.encode(raw).into_bytes(), "raw"),
            ("url", URL_SAFE_NO_PAD.encode(raw).into_bytes(), "raw"),
            ("hex", hex.to_uppercase().into_bytes(), "raw"),
            (
                "line",
                b"MC4CAQAwBQYDK2VwBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_vec(),
                "pem",
            ),
        ];
        let deep = folder.path().join("a/b");
        fs::create_dir_all(&deep).unwrap();
        for (name, form, _) in &all {
            // Across the border of what is read at once.
            let mut text = vec![b'.'; 65_530];
            text.extend_from_slice(form);
            fs::write(deep.join(name), text).unwrap();
        }
        fs::write(deep.join("none"), "abc sixteen bytes MC4CAQAwBQYDK2VwBCIEI").unwrap();
        fs::write(folder.path().join("store"), raw).unwrap();
        let place = Where {
            paths: vec![folder.path().to_owned(), folder.path().join("gone")],
            but: folder.path().join("store"),
        };
        let view = run(&sought(), &place).unwrap();
        let found: Vec<_> = view
            .found
            .iter()
            .map(|it| {
                (Path::new(&it.place).file_name().unwrap().to_str().unwrap(), &*it.what, it.at)
            })
            .collect();
        let mut expected: Vec<_> =
            all.iter().map(|(name, _, what)| (*name, *what, 65_530)).collect();
        expected.sort_unstable();
        assert_eq!(found, expected);
        assert_eq!((view.files, view.secrets, view.too_short), (6, 3, 1));
        assert!(view.unread[0].contains("gone: "), "{:?}", view.unread);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_comes_to_no_end_and_what_a_link_leads_to_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(elsewhere.path().join("linked"), b"\x00\xffsixteen bytes!!\xfe").unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("link")).unwrap();
        std::os::unix::fs::symlink("/proc", folder.path().join("proc")).unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        let place = Where { paths: vec![folder.path().to_owned()], but: PathBuf::new() };
        let view = run(&sought(), &place).unwrap();
        assert_eq!((view.files, view.found.len()), (0, 0), "{:?}", view.found);
        open(&pipe).unwrap_err();
        open(&folder.path().join("link")).unwrap_err();

        let place = Where { paths: vec![PathBuf::from("/proc/self")], but: PathBuf::new() };
        assert_eq!(run(&sought(), &place).unwrap().files, 0);

        // What is mounted below is another filesystem, and told of.
        let place = Where { paths: vec![PathBuf::from("/dev")], but: PathBuf::new() };
        let view = run(&sought(), &place).unwrap();
        let mounted = |it: &String| it.contains("another filesystem");
        assert!(view.unread.iter().any(mounted), "{:?}", view.unread);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_secret_on_a_command_line_or_in_an_environment_is_found() {
        let secret = "css_a-secret-that-only-this-test-has";
        let mut child = std::process::Command::new("sleep");
        let mut child = child.arg("60").env("LEAKED", secret).spawn().unwrap();
        let sought =
            [Sought { what: "key".to_owned(), secret: Secret::from_text(secret.to_owned()) }];
        let nowhere = Where { paths: Vec::new(), but: PathBuf::new() };
        let place = format!("environ of process {}", child.id());
        // The program has its environment a moment after it was started.
        let found = (0..100).any(|_| {
            let view = run(&sought, &nowhere).unwrap();
            view.found.iter().any(|it| it.place == place)
        });
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(found);
    }
}
