//! The console: windows, a tray icon, notifications, and one door to each command of cs-control.
//!
//! Nothing is decided here. Which window may invoke which command stands in `capabilities/`, what
//! the operator may do is checked by cs-control, and what a window may load by the content
//! security policy in `tauri.conf.json`.
//!
//! Read it in this order: [`start`], then `open` (what is set up), `windows`, `commands`, `follow`.

mod closing;
mod commands;
#[cfg(test)]
mod commands_list;
mod desk;
mod follow;
mod harden;
mod open;
mod options;
mod shortcut;
mod tray;
mod windows;

#[cfg(test)]
mod tests;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use options::{Start, USAGE};

/// Runs what the command line asks for, to its end.
pub fn start() -> ExitCode {
    harden::close_memory();
    match harden::restart_clean() {
        Ok(None) => {}
        Ok(Some(code)) => return code,
        Err(problem) => {
            return refuse(&format!("could not start with a clean environment: {problem}"));
        }
    }
    match options::parse(std::env::args_os().skip(1)) {
        Ok(Start::Console(options)) => match open::console(options) {
            Ok(()) => ExitCode::SUCCESS,
            Err(problem) => {
                open::tell(&problem);
                refuse(&problem.to_string())
            }
        },
        Ok(Start::Help) => {
            // Nobody to read it is no failure.
            let _ = std::io::stdout().write_all(USAGE.as_bytes());
            ExitCode::SUCCESS
        }
        Ok(Start::Workbench { root }) => workbench(root),
        Err(problem) => {
            let _ = writeln!(std::io::stderr(), "countersign-desktop: {problem}\n\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// The starter's sample server is this very program, so that the console brings along all that a
/// first try takes.
fn workbench(root: PathBuf) -> ExitCode {
    let served = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map(|runtime| runtime.block_on(cs_workbench::serve(root)));
    match served {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(problem)) => refuse(&problem.to_string()),
        Err(problem) => refuse(&problem.to_string()),
    }
}

fn refuse(problem: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "countersign-desktop: {problem}");
    ExitCode::FAILURE
}
