//! The log as a file, one sealed event a line, which anybody can check without the registry.

use std::io::{self, BufRead, Read as _};

use cs_audit::{Entry, Verifier};
use cs_model::Digest;

use crate::view::audit::ChainView;

/// The longest line that is read.
const LONGEST: u64 = 16 << 20;

/// Checks every seal of an exported log. It has to begin at the beginning. That events are missing
/// at its end shows only in the head.
///
/// # Errors
///
/// When it cannot be read.
pub fn check(mut file: impl BufRead) -> io::Result<ChainView> {
    let (mut events, mut problem, mut line) = (0_u64, None, String::new());
    let mut verifier = Verifier::new();
    loop {
        line.clear();
        if (&mut file).take(LONGEST).read_line(&mut line)? == 0 {
            break;
        }
        events = events.saturating_add(1);
        if problem.is_some() {
            continue;
        }
        problem = match serde_json::from_str::<Entry>(&line) {
            Ok(entry) => verifier.push(&entry).err().map(|broken| broken.to_string()),
            Err(_) => Some(format!("line {events} is not a sealed event")),
        };
    }
    let head = verifier.head();
    let verified_to = head.map_or(0, |head| head.seq);
    Ok(ChainView {
        events,
        verified_to,
        whole: problem.is_none() && verified_to == events,
        problem,
        head: head.map_or(Digest::from_bytes([0; 32]), |head| head.hash),
    })
}
