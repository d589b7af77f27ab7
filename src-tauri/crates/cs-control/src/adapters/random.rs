//! The system's randomness.

use cs_gateway::ports::{PortError, Random};

/// The random number generator of AWS-LC, seeded by the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), PortError> {
        aws_lc_rs::rand::fill(bytes)
            .map_err(|_| PortError { doing: "get random bytes from the system", source: None })
    }
}

/// So many random bytes.
pub(crate) fn bytes<const N: usize>(random: &dyn Random) -> Result<[u8; N], PortError> {
    let mut bytes = [0; N];
    random.fill(&mut bytes)?;
    Ok(bytes)
}
