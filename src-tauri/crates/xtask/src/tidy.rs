//! What a compiler does not look at: sizes, forbidden words, lists that must agree.

mod commands;
mod words;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::bench;
use crate::exec::{capture, command};
use crate::place::Place;

/// Lines that a source file may have, and a file of tests.
const LONGEST: (usize, usize) = (500, 700);

/// What may stand at the top of the repository, beside dotfiles.
const TOP: &[&str] =
    &["Cargo.lock", "Cargo.toml", "LICENSE", "README.md", "icons", "src-tauri", "tests", "ui"];

/// A text file of the repository.
#[derive(Debug)]
pub(crate) struct Text {
    /// Its path from the root.
    pub(crate) path: String,
    /// What is in it.
    pub(crate) content: String,
}

impl Text {
    /// Whether it is a test and nothing else.
    pub(crate) fn is_test(&self) -> bool {
        let path = &self.path;
        path.starts_with("tests/")
            || path.starts_with("ui/e2e/")
            || path.contains("/tests/")
            || path.ends_with("tests.rs")
            || path.contains(".test.")
    }

    /// Whether people write it in a programming language.
    fn is_source(&self) -> bool {
        let ending = Path::new(&self.path).extension().unwrap_or_default().to_string_lossy();
        let written = ["rs", "ts", "tsx", "mjs", "py", "css", "sh", "sql"].contains(&&*ending);
        written && !self.path.ends_with("generated.ts")
    }

    /// The part of a Rust file that is not its test module.
    pub(crate) fn without_tests(&self) -> &str {
        let end = self.content.find("#[cfg(test)]\nmod tests {").unwrap_or(self.content.len());
        self.content.get(..end).unwrap_or_default()
    }
}

/// Everything that is not tidy, one line each.
pub(crate) fn problems(place: &Place) -> Result<Vec<String>> {
    let texts = texts(place)?;
    let mut problems = Vec::new();
    for text in &texts {
        size(text, &mut problems);
        words::judge(text, &mut problems);
    }
    shape(&texts, &mut problems);
    held(&texts, &mut problems);
    bench::in_step(&texts, &mut problems);
    commands::judge(&texts, &mut problems)?;
    Ok(problems)
}

/// All text files that are, or are about to be, part of the repository.
fn texts(place: &Place) -> Result<Vec<Text>> {
    let args = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let list = capture(&mut command(&place.root, "git", &args))?;
    let mut texts = Vec::new();
    for path in list.lines() {
        let file = place.at(path);
        if !file.is_file() {
            continue;
        }
        let bytes = fs::read(&file).with_context(|| format!("could not read {path}"))?;
        if let Ok(content) = String::from_utf8(bytes) {
            texts.push(Text { path: path.to_owned(), content });
        }
    }
    Ok(texts)
}

fn size(text: &Text, problems: &mut Vec<String>) {
    if !text.is_source() {
        return;
    }
    let longest = if text.is_test() { LONGEST.1 } else { LONGEST.0 };
    let lines = text.content.lines().count();
    if lines > longest {
        problems.push(format!("{}: {lines} lines, {longest} at most", text.path));
    }
}

fn shape(texts: &[Text], problems: &mut Vec<String>) {
    for Text { path, content } in texts {
        let top = path.split('/').next().unwrap_or_default();
        if !top.starts_with('.') && !TOP.contains(&top) {
            problems.push(format!("{path}: nothing else belongs at the top of the repository"));
        }
        if path.ends_with("/mod.rs") {
            problems.push(format!("{path}: a module is `name.rs`, its parts are in `name/`"));
        }
        let is_member = path.ends_with("Cargo.toml") && path != "Cargo.toml";
        if is_member && !content.contains("[lints]\nworkspace = true") {
            problems.push(format!("{path}: the workspace's lints are not taken over"));
        }
    }
}

/// The tests that are said to hold the invariants have to be there.
fn held(texts: &[Text], problems: &mut Vec<String>) {
    let Some(said) = texts.iter().find(|it| it.path.ends_with("/ARCHITECTURE.md")) else { return };
    let quoted = said.content.split('`').skip(1).step_by(2);
    let is_test = |name: &&str| {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        name.bytes().all(plain) && name.matches('_').count() > 2
    };
    for name in quoted.filter(is_test) {
        let test = format!("fn {name}(");
        let rust = texts.iter().filter(|it| it.path.ends_with(".rs"));
        if !rust.into_iter().any(|it| it.content.contains(&test)) {
            problems.push(format!("{}: there is no test `{name}`", said.path));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rust(path: &str, content: &str) -> Text {
        Text { path: path.to_owned(), content: content.to_owned() }
    }

    #[test]
    fn the_repository_is_tidy() {
        let place = Place::find().unwrap();
        assert_eq!(problems(&place).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_file_that_grew_too_long_is_named() {
        let mut problems = Vec::new();
        size(&rust("src-tauri/crates/cs-x/src/long.rs", &"\n".repeat(501)), &mut problems);
        assert_eq!(problems, ["src-tauri/crates/cs-x/src/long.rs: 501 lines, 500 at most"]);
        problems.clear();
        size(&rust("src-tauri/crates/cs-x/src/long/tests.rs", &"\n".repeat(700)), &mut problems);
        assert_eq!(problems, Vec::<String>::new());
    }

    #[test]
    fn a_test_that_holds_an_invariant_and_is_gone_is_named() {
        let mut problems = Vec::new();
        let said =
            rust("src-tauri/ARCHITECTURE.md", "`it_is_so_and_not_else`, `xtask/x.rs`, `deny`");
        held(&[said, rust("a.rs", "fn it_is_so_and_not_elsewhere() {}")], &mut problems);
        let expected = "src-tauri/ARCHITECTURE.md: there is no test `it_is_so_and_not_else`";
        assert_eq!(problems, [expected]);
    }

    #[test]
    fn a_new_folder_at_the_top_is_named() {
        let mut problems = Vec::new();
        shape(&[rust("scripts/x.sh", ""), rust(".github/SECURITY.md", "")], &mut problems);
        let expected = "scripts/x.sh: nothing else belongs at the top of the repository";
        assert_eq!(problems, [expected]);
    }
}
