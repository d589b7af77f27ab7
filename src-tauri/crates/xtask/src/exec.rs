//! Starting programs, saying so, and reading along.

use std::ffi::OsStr;
use std::io::BufReader;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;

use anyhow::{Context as _, Result, bail};

/// Says what is about to happen.
pub(crate) fn say(what: &str) {
    println!("==> {what}");
}

/// A program with its arguments, to be run in a folder.
pub(crate) fn command<S: AsRef<OsStr>>(folder: &Path, program: S, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args).current_dir(folder);
    command
}

/// Runs a program to its end; its output goes to the terminal.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    println!("    $ {}", shown(command));
    let status =
        command.status().with_context(|| format!("could not start `{}`", name(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", shown(command));
    }
    Ok(())
}

/// Runs a program to its end and takes what it printed.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let output =
        command.output().with_context(|| format!("could not start `{}`", name(command)))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` failed ({}): {}", shown(command), output.status, said.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a program to its end; its output goes to the terminal, and line by line to `reader`.
/// True when it succeeded.
pub(crate) fn tee(command: &mut Command, reader: &mut dyn FnMut(&str)) -> Result<bool> {
    println!("    $ {}", shown(command));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("could not start `{}`", name(command)))?;
    let (lines, received) = mpsc::channel();
    let out = child.stdout.take().context("no output to read")?;
    let err = child.stderr.take().context("no errors to read")?;
    let to_lines = lines.clone();
    thread::spawn(move || forward(BufReader::new(out), &to_lines));
    thread::spawn(move || forward(BufReader::new(err), &lines));
    for line in received {
        println!("{line}");
        reader(&without_colour(&line));
    }
    Ok(child.wait().context("could not wait for the program")?.success())
}

fn forward(mut from: impl std::io::BufRead, to: &mpsc::Sender<String>) {
    let mut bytes = Vec::new();
    while matches!(from.read_until(b'\n', &mut bytes), Ok(count) if count > 0) {
        let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        bytes.clear();
        if to.send(line).is_err() {
            return;
        }
    }
}

/// The text without the sequences that colour it.
pub(crate) fn without_colour(line: &str) -> String {
    let mut plain = String::new();
    let mut chars = line.chars();
    while let Some(next) = chars.next() {
        if next == '\u{1b}' {
            chars.by_ref().find(|end| end.is_ascii_alphabetic());
        } else {
            plain.push(next);
        }
    }
    plain
}

fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

fn shown(command: &Command) -> String {
    let mut words = vec![name(command)];
    for word in command.get_args() {
        let word = word.to_string_lossy();
        // A whole script as an argument would hide what is going on.
        words.push(match word.lines().count() {
            0 | 1 => word.into_owned(),
            _ => "...".to_owned(),
        });
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_taken_out_of_a_line() {
        assert_eq!(without_colour("\u{1b}[32mok\u{1b}[0m 3 passed"), "ok 3 passed");
    }

    #[test]
    fn both_streams_of_a_program_are_read_and_its_failure_is_told() {
        let mut seen = Vec::new();
        let script = "echo out; echo err >&2; exit 3";
        let ok = tee(&mut command(Path::new("."), "sh", &["-c", script]), &mut |line| {
            seen.push(line.to_owned());
        });
        seen.sort();
        assert!(!ok.unwrap());
        assert_eq!(seen, ["err", "out"]);
    }
}
