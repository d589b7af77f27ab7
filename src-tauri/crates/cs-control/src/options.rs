//! What a process decides when it opens a home.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use cs_gateway::Limits;
use cs_gateway::ports::{Clock, Random};
use cs_model::serving::TlsVersion;
use cs_secrets::{Memory, VaultPlace};

use crate::adapters::clock::SystemClock;
use crate::adapters::random::SystemRandom;
use crate::view::status::SecretKeeping;

/// What a process decides when it opens a home.
#[derive(Clone, Debug)]
pub struct Options {
    /// What a second process is told is in its way, such as "the console".
    pub holder: String,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Where a new installation keeps its secrets, unless the first run says otherwise.
    pub keeping: SecretKeeping,
    /// What takes the keychain's place in tests. Used where secrets are kept in memory.
    pub memory: Arc<Memory>,
    /// Whether the gateway is to start as soon as it can.
    pub serves: bool,
    /// Where the gateway listens, whatever an operator has set.
    pub listen: Option<SocketAddr>,
    /// Where consoles on other machines are let in, whatever an operator has set.
    pub consoles: Option<SocketAddr>,
    /// How the gateway serves TLS, whatever an operator has set.
    pub tls: Option<TlsOptions>,
    /// Whether the gateway lives in a console rather than in `countersign serve`. A console whose
    /// port is taken listens on a free one.
    pub embedded: bool,
    /// What the gateway holds its clients and servers to.
    pub limits: Limits,
    /// The program that answers `workbench --root DIR`: the starter's sample server.
    pub executable: PathBuf,
    /// The address of the session bus, over which the sample server reaches the keychain. A child
    /// process inherits it only if it is told.
    pub session_bus: Option<String>,
}

impl Options {
    /// The system's clock, randomness and keychain, no gateway, and this program as the sample
    /// server.
    pub fn new(holder: &str, executable: PathBuf) -> Self {
        Self {
            holder: holder.to_owned(),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            keeping: SecretKeeping::Keychain,
            memory: Arc::default(),
            serves: false,
            listen: None,
            consoles: None,
            tls: None,
            embedded: true,
            limits: Limits::default(),
            executable,
            session_bus: None,
        }
    }
}

/// How the gateway serves TLS.
#[derive(Clone, Debug, Default)]
pub struct TlsOptions {
    /// The names and addresses by which agents reach it, besides those of this machine itself. The
    /// first is the one that they are given. Those that an operator has set where there are none.
    pub names: Vec<String>,
    /// The oldest version that is spoken.
    pub oldest: TlsVersion,
}

/// What the first run is told.
#[derive(Debug)]
pub struct FirstRun {
    /// The name of the first owner.
    pub name: String,
    /// The passphrase that seals the owner's key.
    pub passphrase: cs_model::Secret,
    /// Where secrets are to be kept, where it is not where [`Options::keeping`] says.
    pub keeping: Option<SecretKeeping>,
    /// Where Vault is, where they are to be kept there.
    pub vault: Option<VaultPlace>,
    /// Whether to set up the starter.
    pub starter: bool,
}
