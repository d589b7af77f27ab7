//! A key combination that brings the waiting calls to the front from anywhere, where the person at
//! this console wants one. It shows a page, and can do nothing else.
//!
//! Nobody has one to begin with: a combination that is held for everywhere is taken from every
//! other program. What is chosen is kept in a file beside the home's, for this console alone.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cs_control::{ErrorCode, Failure};
use cs_model::CorrelationId;
use serde_json::{Value, json};
use tauri::{AppHandle, Manager, Runtime};
use tauri_plugin_global_shortcut::{
    Builder, Error, GlobalShortcut, GlobalShortcutExt as _, Modifiers, Shortcut, ShortcutState,
};

use crate::windows;

/// The most bytes of the file that are read.
const MOST: usize = 100;

/// The combination of this console.
#[derive(Debug)]
pub(crate) struct Keys {
    file: PathBuf,
    held: Mutex<Held>,
}

/// What is held for this console.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Held {
    /// What the person wants.
    wanted: Option<Shortcut>,
    /// Why it is not held, where it is not.
    problem: Option<String>,
}

impl Keys {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn view(&self) -> Value {
        let Held { wanted, problem } = self.held().clone();
        let place = place(std::env::var_os("WAYLAND_DISPLAY"), std::env::var_os("DISPLAY"));
        json!({ "keys": wanted.map(words), "problem": problem, "impossible": place.err() })
    }
}

/// Takes the combination that was chosen, if there is one. One that cannot be had is told of in
/// the settings.
pub(crate) fn install<R: Runtime>(app: &AppHandle<R>, file: PathBuf) {
    let wanted = match kept(&file) {
        Ok(wanted) => wanted,
        Err(problem) => {
            tracing::warn!(%problem, "the keys of this console cannot be read");
            None
        }
    };
    let problem = wanted.and_then(|it| hold(app, it).err());
    if let Some(problem) = &problem {
        tracing::warn!(problem, "the keys of this console are not held");
    }
    app.manage(Keys { file, held: Mutex::new(Held { wanted, problem }) });
}

/// The combination, and why it is not held where it is not.
pub(crate) fn show<R: Runtime>(app: &AppHandle<R>) -> Value {
    app.try_state::<Keys>().map_or(Value::Null, |keys| keys.view())
}

/// Takes another combination from now on, or none.
///
/// # Errors
///
/// Why it cannot be had. What was held still is.
pub(crate) fn set<R: Runtime>(app: &AppHandle<R>, text: Option<&str>) -> Result<Value, Failure> {
    let wanted = text.map(read).transpose().map_err(|rule| refused(ErrorCode::Invalid, rule))?;
    let keys = app.try_state::<Keys>();
    let keys = keys.ok_or_else(|| refused(ErrorCode::Unavailable, "The console is starting."))?;
    let mut held = keys.held();
    let before = held.wanted.filter(|_| held.problem.is_none());
    if wanted != before {
        if let Some(new) = wanted {
            hold(app, new).map_err(|problem| refused(ErrorCode::Conflict, &problem))?;
        }
        if let Err(problem) = keep(&keys.file, wanted) {
            if let Some(new) = wanted {
                let_go(app, new);
            }
            let told = format!("It could not be kept: {problem}");
            return Err(refused(ErrorCode::Unavailable, &told));
        }
        if let Some(old) = before {
            let_go(app, old);
        }
    }
    *held = Held { wanted, problem: None };
    drop(held);
    Ok(keys.view())
}

/// Reads a combination. One that people type with is nobody's to take.
fn read(text: &str) -> Result<Shortcut, &'static str> {
    let shortcut: Shortcut = text.parse().map_err(|_| "These keys are not known.")?;
    if switches_screens(shortcut) {
        Err("With Ctrl and Alt, these keys switch the screens of this machine.")
    } else if shortcut.mods.intersects(Modifiers::CONTROL | Modifiers::ALT | Modifiers::SUPER) {
        Ok(shortcut)
    } else {
        Err("Hold Ctrl, Alt or Super with it: other keys are typed with.")
    }
}

/// Whether the system has a use of its own for the keys, and tells nobody of them: they could be had
/// and would never be heard.
fn switches_screens(shortcut: Shortcut) -> bool {
    let code = shortcut.key.to_string();
    let function = code.strip_prefix('F').is_some_and(|rest| rest.parse::<u8>().is_ok());
    cfg!(target_os = "linux")
        && function
        && shortcut.mods.contains(Modifiers::CONTROL | Modifiers::ALT)
}

/// A combination as people write it; [`read`] takes it back.
fn words(shortcut: Shortcut) -> String {
    let held = [
        (Modifiers::CONTROL, "Ctrl"),
        (Modifiers::ALT, "Alt"),
        (Modifiers::SHIFT, "Shift"),
        (Modifiers::SUPER, "Super"),
    ];
    let code = shortcut.key.to_string();
    let key = code.strip_prefix("Key").or_else(|| code.strip_prefix("Digit")).unwrap_or(&code);
    let held = held.iter().filter(|(one, _)| shortcut.mods.contains(*one)).map(|(_, word)| *word);
    held.chain([key]).collect::<Vec<_>>().join("+")
}

/// Whether keys can be held for everywhere in this session. What the plugin answers does not say.
fn place(
    wayland: Option<std::ffi::OsString>,
    display: Option<std::ffi::OsString>,
) -> Result<(), &'static str> {
    let is_there = |it: Option<std::ffi::OsString>| it.is_some_and(|it| !it.is_empty());
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    if is_there(wayland) {
        return Err("This session is Wayland’s, which lets no program hear keys that are typed \
                    elsewhere. Give its settings the command `countersign-desktop --inbox`.");
    }
    if is_there(display) { Ok(()) } else { Err("This session has no X server to hold keys.") }
}

/// Holds a combination for everywhere.
fn hold<R: Runtime>(app: &AppHandle<R>, shortcut: Shortcut) -> Result<(), String> {
    place(std::env::var_os("WAYLAND_DISPLAY"), std::env::var_os("DISPLAY"))?;
    // Not before it is needed: it looks for keys twenty times a second.
    if app.try_state::<GlobalShortcut<R>>().is_none() {
        app.plugin(Builder::new().build()).map_err(|error| error.to_string())?;
    }
    let keys = app.global_shortcut();
    let pressed =
        |app: &AppHandle<R>, _: &Shortcut, event: tauri_plugin_global_shortcut::ShortcutEvent| {
            if event.state == ShortcutState::Pressed
                && let Err(problem) = windows::show_inbox(app)
            {
                tracing::warn!(%problem, "the waiting calls could not be shown");
            }
        };
    let name = words(shortcut);
    keys.on_shortcut(shortcut, pressed).map_err(|error| taken(&name, &error))?;
    // A system that would give the same keys once more has not given them at all: that is how a
    // screen that cannot be reached looks from here.
    if cfg!(target_os = "linux") && keys.register(shortcut).is_ok() {
        let_go(app, shortcut);
        return Err(format!("{name} could not be had: the screen does not answer."));
    }
    Ok(())
}

fn taken(name: &str, error: &Error) -> String {
    let why = error.to_string();
    if why.contains("already registered") {
        format!("{name} is held by another program or by the system. Choose other keys.")
    } else {
        format!("{name} could not be had: {}", cs_model::text::neutralise(&why, 200))
    }
}

fn let_go<R: Runtime>(app: &AppHandle<R>, shortcut: Shortcut) {
    let keys = app.global_shortcut();
    // An X server hears of it with the next thing that it is asked: asked once, it would go on
    // holding the keys until another combination is chosen.
    let done = keys.unregister(shortcut).and_then(|()| keys.unregister(shortcut));
    if let Err(problem) = done {
        tracing::warn!(%problem, "keys that nobody wants any more are still held");
    }
}

/// What was chosen.
fn kept(file: &Path) -> Result<Option<Shortcut>, String> {
    match std::fs::read_to_string(file) {
        Ok(text) if text.len() <= MOST => read(text.trim()).map(Some).map_err(str::to_owned),
        Ok(_) => Err("it is too long".to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

fn keep(file: &Path, wanted: Option<Shortcut>) -> std::io::Result<()> {
    match wanted {
        Some(shortcut) => {
            let new = file.with_extension("shortcut.new");
            std::fs::write(&new, format!("{}\n", words(shortcut)))?;
            std::fs::rename(&new, file)
        }
        None => match std::fs::remove_file(file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        },
    }
}

fn refused(code: ErrorCode, message: &str) -> Failure {
    Failure {
        code,
        message: message.to_owned(),
        correlation: CorrelationId::from_random([0; 16]),
        field: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_combination_is_read_as_it_is_written() {
        for text in [
            "Ctrl+Shift+F9",
            "Ctrl+Alt+F",
            "Ctrl+Shift+A",
            "Super+1",
            "Alt+Space",
            "Ctrl+Alt+Shift+Super+Comma",
        ] {
            assert_eq!(read(text).map(words), Ok(text.to_owned()));
        }
        assert_eq!(read("shift + control + KeyA").map(words), Ok("Ctrl+Shift+A".to_owned()));
    }

    #[test]
    fn what_people_type_with_is_nobodys_to_take() {
        for text in ["A", "Shift+A", "F9", "Space", "Shift+Enter"] {
            assert!(read(text).unwrap_err().contains("Hold Ctrl"), "{text}");
        }
        for text in ["", "Ctrl", "Ctrl+", "Ctrl+A+B", "A+Ctrl", "Ctrl+Nothing", "Ctrl+Alt"] {
            assert!(read(text).unwrap_err().contains("not known"), "{text}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn keys_that_the_system_keeps_to_itself_are_not_taken() {
        for text in ["Ctrl+Alt+F9", "Ctrl+Alt+Shift+F1"] {
            assert!(read(text).unwrap_err().contains("switch the screens"), "{text}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_session_that_gives_no_keys_says_so() {
        let some = |text: &str| Some(text.into());
        assert_eq!(place(None, some(":0")), Ok(()));
        assert_eq!(place(some(""), some(":0")), Ok(()));
        assert!(place(some("wayland-0"), some(":0")).unwrap_err().contains("Wayland"));
        assert!(place(None, None).unwrap_err().contains("no X server"));
    }

    #[test]
    fn what_was_chosen_is_kept_and_what_cannot_be_read_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("console.shortcut");
        assert_eq!(kept(&file), Ok(None));
        let wanted = read("Ctrl+Alt+K").ok();
        keep(&file, wanted).unwrap();
        assert_eq!(kept(&file), Ok(wanted));
        for _ in 0..2 {
            keep(&file, None).unwrap();
            assert_eq!(kept(&file), Ok(None));
        }
        for text in ["A\n".to_owned(), "x".repeat(1000)] {
            std::fs::write(&file, text).unwrap();
            assert!(kept(&file).is_err());
        }
    }
}
