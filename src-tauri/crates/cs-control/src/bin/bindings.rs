//! Writes the console's TypeScript to the file that is named.

use std::process::ExitCode;

#[expect(clippy::print_stderr, reason = "a program for developers says what went wrong")]
fn main() -> ExitCode {
    let Some(file) = std::env::args_os().nth(1) else {
        eprintln!("say which file to write");
        return ExitCode::from(2);
    };
    match std::fs::write(&file, cs_control::bindings::typescript()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("could not write {}: {error}", file.display());
            ExitCode::FAILURE
        }
    }
}
