//! How a gateway is set up.

use std::net::SocketAddr;
use std::time::Duration;

use crate::issuer::IssuerLimits;
use crate::tls::TlsSettings;
use crate::upstream::UpstreamLimits;

/// How a gateway is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it listens: without TLS, a loopback address. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// How it serves TLS, where it does.
    pub tls: Option<TlsSettings>,
    /// Its instance, the `aud` of the operation tokens that it redeems.
    pub instance: String,
    /// Further values of the `Host` header that are its own, exactly as clients send them. The
    /// loopback names with its port always are.
    pub hosts: Vec<String>,
    /// Further values of the `Origin` header that are let in. Its own loopback origins always are.
    pub origins: Vec<String>,
    /// How much, how long and how often.
    pub limits: Limits,
}

impl Config {
    /// The usual settings.
    pub fn new(listen: SocketAddr, instance: String) -> Self {
        let limits = Limits::default();
        Self { listen, tls: None, instance, hosts: Vec::new(), origins: Vec::new(), limits }
    }
}

/// How much, how long and how often.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The most connections at a time. One more is closed at once.
    pub connections: usize,
    /// The most connections of one address at a time, so that there are some for others.
    pub address_connections: usize,
    /// How many handshakes of one address may fail in a minute. Whatever comes from it in the rest
    /// of that minute is closed at once.
    pub address_handshakes: u32,
    /// Whether this machine's own addresses are spared that: they are shared by all its agents.
    pub spare_loopback: bool,
    /// How long a TLS handshake may take.
    pub handshake_time: Duration,
    /// The most bytes in the head of a request.
    pub head_bytes: usize,
    /// How long a head may take.
    pub head_time: Duration,
    /// How long a connection may be idle between requests.
    pub idle_time: Duration,
    /// How long a client may leave unread what is sent to it.
    pub stall_time: Duration,
    /// The most bytes in the body of a request.
    pub body_bytes: usize,
    /// How long a body may take.
    pub body_time: Duration,
    /// In how much time at least [`Limits::body_rate_bytes`] of a body have to come.
    pub body_rate_time: Duration,
    /// See [`Limits::body_rate_time`].
    pub body_rate_bytes: usize,
    /// How often callers from one address may fail to prove who they are before they are turned
    /// away, and how many of these failures it gets back each second.
    pub failures: u32,
    /// See [`Limits::failures`].
    pub failures_each_second: u32,
    /// How many nonces of one credential are remembered in [`Limits::nonce_time`]: one more request
    /// is turned away. What is on disk is bounded by it.
    pub nonces: u32,
    /// See [`Limits::nonces`]. Whole seconds.
    pub nonce_time: Duration,
    /// How long a session lasts at most.
    pub session: Duration,
    /// How many calls of one session may wait for a person at a time.
    pub waiting: usize,
    /// How long a call is held open for a person, in each round.
    pub hold: Duration,
    /// How often a client is asked to come back for a held call, in the newer era.
    pub rounds: u32,
    /// How long a person may take to decide.
    pub decide: Duration,
    /// How long the client of a call may take to answer what the call's server asks.
    pub input: Duration,
    /// How long a server that only wants to be asked again is left alone.
    pub again: Duration,
    /// How often the client of a held call hears that it is still held.
    pub progress: Duration,
    /// How often an idle stream sends a comment.
    pub keep_alive: Duration,
    /// How often ended and expired sessions are looked for.
    pub sweep: Duration,
    /// How long calls under way are waited for when the gateway stops.
    pub drain: Duration,
    /// How often the gateway's own token issuers may be asked.
    pub issuer: IssuerLimits,
    /// What holds for the servers behind the gateway.
    pub upstream: UpstreamLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 768,
            address_connections: 576,
            address_handshakes: 60,
            spare_loopback: true,
            handshake_time: Duration::from_secs(5),
            head_bytes: 16 * 1024,
            head_time: Duration::from_secs(10),
            idle_time: Duration::from_secs(75),
            stall_time: Duration::from_secs(30),
            body_bytes: 4 * 1024 * 1024,
            body_time: Duration::from_secs(30),
            body_rate_time: Duration::from_secs(5),
            body_rate_bytes: 5 * 1024,
            failures: 300,
            failures_each_second: 5,
            nonces: 40_000,
            nonce_time: Duration::from_secs(10),
            session: Duration::from_secs(60 * 60),
            waiting: 5,
            hold: Duration::from_secs(50),
            rounds: 9,
            decide: Duration::from_secs(15 * 60),
            input: Duration::from_secs(5 * 60),
            again: Duration::from_millis(250),
            progress: Duration::from_secs(10),
            keep_alive: Duration::from_secs(15),
            sweep: Duration::from_secs(5),
            drain: Duration::from_secs(5),
            issuer: IssuerLimits::default(),
            upstream: UpstreamLimits::default(),
        }
    }
}
