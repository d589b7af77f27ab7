//! What is done before anything else, so that whoever starts the console, or another program of
//! the same user, can neither look into it nor drive it.

use std::ffi::OsStr;
use std::process::{Command, ExitCode};

/// Variables that let the one who sets them drive the web view, look into it, or put code of
/// their own into it.
const UNWANTED: &[&str] = &[
    "GTK_DEBUG",
    "GTK_EXE_PREFIX",
    "GTK_MODULES",
    "GTK3_MODULES",
    "GTK_PATH",
    "SSLKEYLOGFILE",
    "TAURI_AUTOMATION",
    "TAURI_WEBVIEW_AUTOMATION",
    "WEBKIT_EXEC_PATH",
    "WEBKIT_INJECTED_BUNDLE_PATH",
    "WEBKIT_INSPECTOR_HTTP_SERVER",
    "WEBKIT_INSPECTOR_SERVER",
    "WEBVIEW2_ADDITIONAL_BROWSER_ARGUMENTS",
    "WEBVIEW2_BROWSER_EXECUTABLE_FOLDER",
    "WEBVIEW2_PIPE_FOR_SCRIPT_DEBUGGER",
    "WEBVIEW2_WAIT_FOR_SCRIPT_DEBUGGER",
];

/// The unwanted ones among these names.
fn unwanted<'a>(names: impl Iterator<Item = &'a OsStr>) -> Vec<&'a OsStr> {
    names.filter(|name| UNWANTED.iter().any(|it| name.eq_ignore_ascii_case(it))).collect()
}

/// Keeps other programs of the same user out of this one's memory, and its memory out of core
/// dumps. What the system refuses is left as it is: there is nothing better to do.
pub(crate) fn close_memory() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{
            DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit,
        };
        let none = Rlimit { current: Some(0), maximum: Some(0) };
        if setrlimit(Resource::Core, none).is_err()
            || set_dumpable_behavior(DumpableBehavior::NotDumpable).is_err()
        {
            tracing::warn!("the memory of this process could not be closed to others");
        }
    }
}

/// Starts this program again without the variables that nobody needs but an attacker, if any is
/// set, and gives the exit code of that.
///
/// A program cannot safely change its own environment once it runs, so it is replaced. Builds for
/// development keep the variables: the tests of the real window drive it with them.
///
/// # Errors
///
/// It could not be started again. It must not go on then.
pub(crate) fn restart_clean() -> std::io::Result<Option<ExitCode>> {
    if cfg!(debug_assertions) {
        return Ok(None);
    }
    let names: Vec<_> = std::env::vars_os().map(|(name, _)| name).collect();
    let unwanted = unwanted(names.iter().map(AsRef::as_ref));
    if unwanted.is_empty() {
        return Ok(None);
    }
    let mut command = Command::new(std::env::current_exe()?);
    command.args(std::env::args_os().skip(1));
    for name in unwanted {
        command.env_remove(name);
    }
    become_it(command).map(Some)
}

#[cfg(unix)]
fn become_it(mut command: Command) -> std::io::Result<ExitCode> {
    use std::os::unix::process::CommandExt as _;
    // It only comes back when it failed.
    Err(command.exec())
}

#[cfg(not(unix))]
fn become_it(mut command: Command) -> std::io::Result<ExitCode> {
    let status = command.status()?;
    let code = status.code().and_then(|it| u8::try_from(it).ok()).unwrap_or(1);
    Ok(code.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d09_variables_that_drive_or_open_the_web_view_are_unwanted_and_others_are_not() {
        let names = [
            "HOME",
            "TAURI_WEBVIEW_AUTOMATION",
            "WEBKIT_INSPECTOR_SERVER",
            "webview2_additional_browser_arguments",
            "DISPLAY",
            "SSLKEYLOGFILE",
        ];
        let found = unwanted(names.iter().map(OsStr::new));
        let expected: Vec<_> =
            names.iter().filter(|it| !["HOME", "DISPLAY"].contains(it)).map(OsStr::new).collect();
        assert_eq!(found, expected);
    }
}
