//! The system's time.

use std::time::{Duration, SystemTime};

use cs_gateway::ports::Clock;
use cs_model::Timestamp;

/// The clock of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Timestamp::default().after(since)
    }

    // Linux says how long it has been up, sleep included. Elsewhere what the standard library has
    // either stands still while the machine sleeps or may, and a machine that slept would look
    // like one whose clock was set.
    #[cfg(target_os = "linux")]
    fn steady(&self) -> Option<Duration> {
        let text = std::fs::read_to_string("/proc/uptime").ok()?;
        let seconds: f64 = text.split_whitespace().next()?.parse().ok()?;
        Duration::try_from_secs_f64(seconds).ok()
    }
}
