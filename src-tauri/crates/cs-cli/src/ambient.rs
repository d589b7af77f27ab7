//! What comes from outside and is nobody's parameter: the clock, randomness, the environment.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use cs_model::Timestamp;

/// The clock of this machine.
#[expect(clippy::disallowed_methods, reason = "the one clock of this program")]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A text that nobody has used before: 32 random hexadecimal digits.
pub(crate) fn nonce() -> Result<String> {
    let mut bytes = [0_u8; 16];
    aws_lc_rs::rand::fill(&mut bytes).ok().context("the system gives no random bytes")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A variable of the environment, if it is set to something.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// This program's own file, which is also the sample server.
pub(crate) fn this_program() -> Result<std::path::PathBuf> {
    std::env::current_exe().context("the system does not say where this program is")
}

/// Lets no other process of this user look into this one, and leaves no image of it behind when
/// it breaks.
pub(crate) fn close_to_others() -> Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
        .context("could not close the memory of this process to others")?;
    #[cfg(unix)]
    rustix::process::setrlimit(
        rustix::process::Resource::Core,
        rustix::process::Rlimit { current: Some(0), maximum: Some(0) },
    )
    .context("could not turn off core files")?;
    Ok(())
}
