//! The gateway as a whole: what its owner can start, ask and stop.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};

use cs_model::event::{Actor, Event, EventKind};
use cs_model::state::SessionEnd;
use cs_model::upstream::Transport;
use cs_model::{AgentId, Rate, ServerId, SessionId, TenantId, ToolId};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use crate::config::Config;
use crate::gate::{Gate, Outbound, Parts};
use crate::listener;
use crate::ports::{PortError, Ports};
use crate::rates::{Counted, Usage};
use crate::session::{self, SessionSummary};
use crate::tls::TlsSettings;
use crate::upstream::{Health, Published, Target, UpstreamError, Upstreams};
use crate::world::World;

/// A gateway that serves. Dropping it stops it without waiting for anything.
#[derive(Debug)]
pub struct Gateway {
    pub(crate) gate: Arc<Gate>,
    address: SocketAddr,
    upstreams: Upstreams,
    stop: watch::Sender<bool>,
    /// Where connections come in, for a gateway that takes over; nothing once it stops.
    socket: std::sync::Mutex<Option<std::net::TcpListener>>,
    /// Whether the end is on record, or about to be.
    ended: AtomicBool,
    /// Ends when the last task of the gateway has ended.
    tasks: tokio::sync::Mutex<mpsc::Receiver<()>>,
}

/// Where connections come in.
#[derive(Debug)]
pub struct Socket {
    listener: std::net::TcpListener,
    address: SocketAddr,
}

impl Socket {
    /// Takes an address. Port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// [`StartError::Listen`].
    pub async fn bind(address: SocketAddr) -> Result<Self, StartError> {
        let refused = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(Self { listener: listener.into_std().map_err(refused)?, address })
    }

    /// Where it is.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be had.
    #[error("could not listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The address can be reached from other machines.
    #[error("{address} is not a loopback address; without TLS the gateway listens on no other")]
    NotLoopback {
        /// The address.
        address: SocketAddr,
    },
    /// Something the gateway depends on is not there.
    #[error(transparent)]
    Port(#[from] PortError),
}

impl Gateway {
    /// Starts a gateway. When this returns it takes requests, and goes on with the sessions that
    /// were under way.
    ///
    /// `world` has to hold what is in force already: a session whose credential it does not know
    /// is over.
    ///
    /// # Errors
    ///
    /// When the address cannot be had, or is not a loopback one and there is no TLS, or when the start cannot be put
    /// on record.
    pub async fn start(
        config: Config,
        ports: Ports,
        world: watch::Receiver<Arc<World>>,
    ) -> Result<Self, StartError> {
        check_reach(&config)?;
        let socket = Socket::bind(config.listen).await?;
        Self::start_on(socket, config, ports, world).await
    }

    /// The same on a socket that is there already, such as that of a gateway which this one
    /// follows.
    ///
    /// # Errors
    ///
    /// The same, but for the address.
    pub async fn start_on(
        socket: Socket,
        config: Config,
        ports: Ports,
        world: watch::Receiver<Arc<World>>,
    ) -> Result<Self, StartError> {
        let upstreams = Upstreams::new(&ports, config.limits.upstream.clone());
        let outbound = Arc::new(upstreams.clone());
        Self::start_with(socket, config, ports, world, upstreams, outbound).await
    }

    pub(crate) async fn start_with(
        socket: Socket,
        config: Config,
        ports: Ports,
        world: watch::Receiver<Arc<World>>,
        upstreams: Upstreams,
        outbound: Arc<dyn Outbound>,
    ) -> Result<Self, StartError> {
        check_reach(&config)?;
        let Socket { listener, address } = socket;
        let refused = |source| StartError::Listen { address, source };
        let kept = listener.try_clone().map_err(refused)?;
        let listener = TcpListener::from_std(listener).map_err(refused)?;

        let (stop, stopping) = watch::channel(false);
        let lasting = match ports.secrets.lasting_key().await {
            Ok(key) => Some(key),
            Err(error) => {
                tracing::warn!(%error, "tasks that clients hold will not outlive this start");
                None
            }
        };
        let parts = Parts { ports, world, outbound, stopping, lasting };
        let gate = Arc::new(Gate::new(config, parts, address.port())?);
        let now = gate.now();
        for stored in gate.ports.sessions.live(now).await? {
            // Which roles its caller acted in is not kept: one that acts in some only opens anew.
            gate.sessions.insert(stored, None);
        }
        session::sweep(&gate).await?;
        let mut started = system_event(&gate, EventKind::GatewayStarted);
        started.detail = Some(format!("listening on {}", gate.origin(&address.to_string())));
        gate.ports.audit.record(vec![started]).await?;

        let (alive, tasks) = mpsc::channel(1);
        tokio::spawn(listener::listen(listener, Arc::clone(&gate), alive.clone()));
        tokio::spawn(listener::watch_over(Arc::clone(&gate), alive));
        Ok(Self {
            gate,
            address,
            upstreams,
            stop,
            socket: std::sync::Mutex::new(Some(kept)),
            ended: AtomicBool::new(false),
            tasks: tokio::sync::Mutex::new(tasks),
        })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How it was set up.
    pub fn config(&self) -> &Config {
        &self.gate.config
    }

    /// How it serves TLS, where it does.
    pub fn tls(&self) -> Option<&TlsSettings> {
        self.gate.config.tls.as_ref()
    }

    /// Its socket, for a gateway that is to follow it. Connections that come in once this one is
    /// [closed](Self::close) wait there for that one.
    pub fn socket(&self) -> Option<Socket> {
        let kept = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        let listener = kept.as_ref()?.try_clone().ok()?;
        Some(Socket { listener, address: self.address })
    }

    /// The origin that agents are given: the scheme, a name of its own and the port.
    pub fn origin(&self) -> String {
        self.gate.origin(&self.gate.host)
    }

    /// Takes no more connections and requests, and lets held calls go. What is under way goes on
    /// until the gateway is [stopped](Self::stop).
    pub fn close(&self) {
        self.stop.send_replace(true);
        self.socket.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Stops: takes no more requests, waits a moment for those under way, and stops the servers
    /// behind it. Sessions stay under way for the next start.
    pub async fn stop(&self) {
        self.close();
        if self.ended.swap(true, Ordering::AcqRel) {
            return;
        }
        let drained = async {
            let mut tasks = self.tasks.lock().await;
            while tasks.recv().await.is_some() {}
        };
        if tokio::time::timeout(self.gate.config.limits.drain, drained).await.is_err() {
            tracing::warn!("some calls were still under way when the gateway stopped");
        }
        self.upstreams.stop_all().await;
        let stopped = system_event(&self.gate, EventKind::GatewayStopped);
        if let Err(error) = self.gate.ports.audit.record(vec![stopped]).await {
            tracing::error!(%error, "the stop of the gateway is not on record");
        }
    }

    /// The sessions that are under way.
    pub fn sessions(&self) -> Vec<SessionSummary> {
        session::summaries(&self.gate, None)
    }

    /// Ends a session: its streams close, its held calls are refused and taken back, and nothing
    /// is done for it any more. Says whether it was under way.
    ///
    /// # Errors
    ///
    /// When the end cannot be written down. The session is over all the same.
    pub async fn end_session(&self, id: SessionId, why: SessionEnd) -> Result<bool, PortError> {
        match self.gate.sessions.get(id) {
            Some(live) => session::end(&self.gate, &live, why).await,
            None => Ok(false),
        }
    }

    /// How much of its limit an agent has used up, for all its calls or for those of a tool.
    pub fn usage(
        &self,
        tenant: TenantId,
        agent: AgentId,
        tool: Option<ToolId>,
        rate: Rate,
    ) -> Usage {
        let counted = match tool {
            None => Counted::Agent(tenant, agent),
            Some(tool) => Counted::Tool(tenant, agent, tool),
        };
        self.gate.rates.usage(counted, rate.into(), self.gate.latest())
    }

    /// How many tool calls came in the last minute.
    pub fn calls_last_minute(&self) -> u64 {
        self.gate.meter.last_minute(self.gate.now())
    }

    /// Starts a server that may not be registered yet, asks for the definitions of all that it
    /// publishes and stops it again.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached or its answer is refused.
    pub async fn discover(
        &self,
        tenant: TenantId,
        transport: &Transport,
    ) -> Result<Vec<Published>, UpstreamError> {
        self.upstreams.probe(tenant, transport).await
    }

    /// Asks a server for the definitions of all that it publishes, over the connection that calls take.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached or its answer is refused.
    pub async fn list_tools(&self, target: Target<'_>) -> Result<Vec<Published>, UpstreamError> {
        self.upstreams.list_tools(target).await
    }

    /// How a server fares.
    pub fn server_health(&self, tenant: TenantId, server: ServerId) -> Health {
        self.upstreams.health(tenant, server)
    }

    /// Stops a server and lets it be started again, also after it was given up.
    pub async fn restart_server(&self, tenant: TenantId, server: ServerId) {
        self.upstreams.restart(tenant, server).await;
    }

    /// Stops a server that is not there any more.
    pub async fn forget_server(&self, tenant: TenantId, server: ServerId) {
        self.upstreams.forget(tenant, server).await;
    }
}

/// Without TLS, the gateway is there for this machine alone (attacks D08).
fn check_reach(config: &Config) -> Result<(), StartError> {
    let address = config.listen;
    if address.ip().is_loopback() || config.tls.is_some() {
        Ok(())
    } else {
        Err(StartError::NotLoopback { address })
    }
}

fn system_event(gate: &Gate, kind: EventKind) -> Event {
    let mut event = Event::new(kind, gate.now());
    event.actor = Some(Actor::System);
    event.policy_version = Some(gate.world().policy.version());
    event
}
