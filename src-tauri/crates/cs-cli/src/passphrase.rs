//! A passphrase: typed on the terminal without being shown, or read from a file. Never an
//! argument, never a variable of the environment.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::args::Everywhere;

/// The most bytes of a passphrase file that are read.
const MOST: u64 = 64 * 1024;

/// The operator's passphrase.
pub(crate) fn ask(everywhere: &Everywhere, prompt: &str) -> Result<String> {
    match &everywhere.passphrase_file {
        Some(file) => from_file(file),
        None => Ok(typed(&[prompt])?.concat()),
    }
}

/// A new passphrase, typed twice so that it is the one that was meant.
pub(crate) fn ask_new(everywhere: &Everywhere, prompt: &str) -> Result<String> {
    match &everywhere.passphrase_file {
        Some(file) => from_file(file),
        None => typed_new(prompt),
    }
}

/// A passphrase that is typed twice, whatever `--passphrase-file` says.
pub(crate) fn typed_new(prompt: &str) -> Result<String> {
    let typed = typed(&[prompt, "Once more: "])?;
    match typed.as_slice() {
        [first, second] if first == second => Ok(first.clone()),
        _ => bail!("the two passphrases are not the same"),
    }
}

/// A text that is typed once without being shown.
pub(crate) fn typed_once(prompt: &str) -> Result<String> {
    Ok(typed(&[prompt])?.concat())
}

/// The first line of a file, without its end.
pub(crate) fn from_file(path: &Path) -> Result<String> {
    let shown = path.display();
    let file = File::open(path).with_context(|| format!("could not open {shown}"))?;
    let mut text = String::new();
    file.take(MOST).read_to_string(&mut text).with_context(|| format!("could not read {shown}"))?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        Some(_) | None => bail!("the first line of {shown} is empty: it has to be the passphrase"),
    }
}

fn typed(prompts: &[&str]) -> Result<Vec<String>> {
    let terminal = File::options().read(true).write(true).open("/dev/tty").context(
        "there is no terminal to type the passphrase on; give it with `--passphrase-file FILE`",
    )?;
    let _quiet = Quiet::on(&terminal)?;
    let mut lines = BufReader::new(&terminal).lines();
    let mut answers = Vec::new();
    for prompt in prompts {
        write!(&terminal, "{prompt}").and_then(|()| (&terminal).flush())?;
        let line =
            lines.next().context("nothing was typed")?.context("could not read the terminal")?;
        writeln!(&terminal)?;
        if line.is_empty() {
            bail!("nothing was typed");
        }
        answers.push(line);
    }
    Ok(answers)
}

/// The terminal, not showing what is typed, until this is dropped.
struct Quiet<'t> {
    terminal: &'t File,
    before: Termios,
}

impl<'t> Quiet<'t> {
    fn on(terminal: &'t File) -> Result<Self> {
        let before = tcgetattr(terminal).context("the terminal cannot be asked how it is set")?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(terminal, OptionalActions::Flush, &quiet)
            .context("the terminal cannot be quiet")?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        // There is nobody to tell, and the next program sets the terminal as it needs it.
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_passphrase_is_the_first_line_of_its_file_to_the_letter() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("passphrase");
        std::fs::write(&file, " correct horse \r\nbattery\n").unwrap();
        assert_eq!(from_file(&file).unwrap(), " correct horse ");
        std::fs::write(&file, "\n").unwrap();
        assert!(from_file(&file).is_err());
    }
}
