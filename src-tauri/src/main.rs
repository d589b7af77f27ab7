//! The console's program.

use std::process::ExitCode;

fn main() -> ExitCode {
    countersign_desktop::start()
}
