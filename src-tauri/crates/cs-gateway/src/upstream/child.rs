//! A child process of its own: no shell, its own process group, a small environment.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cs_model::Secret;
use cs_model::text::neutralise;
use tokio::io::BufReader;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::UpstreamError;
use super::lines::{self, Overlong};

/// What of the gateway's own environment a child gets.
const INHERITED: &[&str] = if cfg!(windows) {
    &["PATH", "SystemRoot", "TEMP", "TMP", "USERPROFILE"]
} else {
    &["PATH", "HOME", "LANG", "TMPDIR"]
};

/// How long a child may take to end once its input is closed.
const GRACE: Duration = Duration::from_secs(2);

/// How long a child may take to end once it was told to.
const MERCY: Duration = Duration::from_secs(3);

/// How many lines of its standard error are kept, and how many characters of each.
const KEPT: usize = 200;
const LINE: usize = 8192;

/// What is started.
pub(super) struct Program<'a> {
    /// The program.
    pub(super) command: &'a str,
    /// Its arguments.
    pub(super) args: &'a [String],
    /// Its environment, secrets resolved.
    pub(super) env: &'a [(String, Secret)],
    /// Its working directory.
    pub(super) cwd: Option<&'a str>,
}

/// A child and its three streams.
pub(super) struct Started {
    /// The process.
    pub(super) process: Process,
    /// Its standard input.
    pub(super) stdin: ChildStdin,
    /// Its standard output.
    pub(super) stdout: ChildStdout,
    /// Its standard error.
    pub(super) stderr: ChildStderr,
}

/// Starts a program.
pub(super) fn start(program: &Program<'_>) -> Result<Started, UpstreamError> {
    let wrong = |what: String| Err(UpstreamError::Misconfigured(what));
    let shown = neutralise(program.command, 200);
    if program.command.is_empty()
        || (program.command.contains('/') && !Path::new(program.command).is_absolute())
    {
        return wrong(format!("`{shown}` is not an absolute path"));
    }
    let mut command = Command::new(program.command);
    command.args(program.args).env_clear().envs(inherited());
    for (name, value) in program.env {
        match value.expose_text() {
            Some(text) if is_variable(name) && !text.contains('\0') => command.env(name, text),
            _ => return wrong("an environment variable is not acceptable".to_owned()),
        };
    }
    if let Some(cwd) = program.cwd {
        command.current_dir(cwd);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    #[cfg(unix)]
    command.process_group(0);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return wrong(format!("`{shown}` does not start: {error}")),
    };
    let streams = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let process = Process::of(child);
    match streams {
        (Some(stdin), Some(stdout), Some(stderr)) => Ok(Started { process, stdin, stdout, stderr }),
        _ => wrong(format!("`{shown}` started without its streams")),
    }
}

/// The one place where the gateway reads its own environment.
fn inherited() -> impl Iterator<Item = (&'static str, OsString)> {
    INHERITED.iter().filter_map(|name| Some((*name, std::env::var_os(name)?)))
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// A process that dies with all that it has started when this is dropped.
pub(super) struct Process {
    child: Child,
    group: Group,
}

impl Process {
    fn of(child: Child) -> Self {
        let group = Group::of(&child);
        Self { child, group }
    }

    /// Waits until the process ends by itself. What it leaves behind dies.
    pub(super) async fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.wait().await.ok();
        self.group.kill();
        status
    }

    /// Ends the process, whose input is closed already: patiently, then less so. What it leaves
    /// behind dies with it.
    pub(super) async fn stop(&mut self) -> Option<ExitStatus> {
        if let Ok(status) = timeout(GRACE, self.ended()).await {
            return status;
        }
        self.group.terminate();
        if let Ok(status) = timeout(MERCY, self.ended()).await {
            return status;
        }
        self.group.kill();
        // Where there are no process groups, at least the process itself.
        let _ = self.child.start_kill();
        self.ended().await
    }
}

/// A process group that is killed when this is dropped, unless it was before.
struct Group {
    #[cfg(unix)]
    leader: Option<rustix::process::Pid>,
}

#[cfg(unix)]
impl Group {
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self { leader: id.and_then(rustix::process::Pid::from_raw) }
    }

    fn terminate(&self) {
        self.signal(rustix::process::Signal::TERM);
    }

    // The number of a group whose leader was waited for may be given to somebody else once the
    // group is empty. So it is used right after the wait, and never again.
    fn kill(&mut self) {
        self.signal(rustix::process::Signal::KILL);
        self.leader = None;
    }

    fn signal(&self, signal: rustix::process::Signal) {
        if let Some(leader) = self.leader {
            // A group that is gone already is what was wanted.
            let _ = rustix::process::kill_process_group(leader, signal);
        }
    }
}

#[cfg(not(unix))]
impl Group {
    fn of(_: &Child) -> Self {
        Self {}
    }

    fn terminate(&self) {}

    fn kill(&mut self) {}
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The last lines that a server wrote to its standard error.
#[derive(Default)]
pub(super) struct Tail {
    lines: Mutex<VecDeque<String>>,
}

impl Tail {
    /// Reads until the stream ends or nobody wants more of it.
    pub(super) async fn follow(
        &self,
        from: ChildStderr,
        secrets: &[Secret],
        over: &CancellationToken,
    ) {
        let mut from = BufReader::new(from);
        loop {
            let read = tokio::select! {
                biased;
                () = over.cancelled() => return,
                read = lines::read(&mut from, LINE, Overlong::Cut) => read,
            };
            match read {
                Ok(Some(line)) => self.keep(&line, secrets),
                Ok(None) | Err(_) => return,
            }
        }
    }

    fn keep(&self, line: &[u8], secrets: &[Secret]) {
        let mut text = String::from_utf8_lossy(line).into_owned();
        for secret in secrets.iter().filter_map(Secret::expose_text) {
            if secret.len() >= 4 && text.contains(secret) {
                text = text.replace(secret, "[secret]");
            }
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() >= KEPT {
            lines.pop_front();
        }
        lines.push_back(neutralise(&text, LINE));
    }

    /// The lines, oldest first.
    pub(super) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// The last line that says anything.
    pub(super) fn last(&self) -> Option<String> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().rev().find(|line| !line.trim().is_empty()).cloned()
    }
}
