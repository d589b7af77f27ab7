//! Where the programs are that were built with the tests.

use std::path::{Path, PathBuf};

/// The path of a program of this workspace.
///
/// # Panics
///
/// When it was not built: `cargo build --workspace` does that.
pub fn built(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test is a program");
    let folder = test.ancestors().nth(2).expect("tests are built into `deps`");
    let program = folder.join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(program.exists(), "{} is not built: cargo build --workspace", program.display());
    program
}

/// The folder into which the workspace is built.
///
/// # Panics
///
/// Never in a test.
pub fn target() -> PathBuf {
    let test = std::env::current_exe().expect("a test is a program");
    test.ancestors().nth(3).expect("tests are built into `deps`").to_owned()
}

/// A folder of the repository.
pub fn repository(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder)
}
