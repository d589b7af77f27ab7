//! Starting the gateway, where it listens, and having it serve otherwise while it serves.
//!
//! What an operator has set is in the registry; flags of the process win over it. A running gateway
//! is replaced in place: everything that can go wrong is tried while the old one still serves, the
//! new one takes over its socket, and then the old one lets its calls end as when it stops.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use cs_gateway::{Config, Gateway, Socket, StartError};
use cs_model::serving::{Durability, ServingSettings, TlsVersion};
use uuid::Uuid;

use crate::adapters::ports;
use crate::change::Topic;
use crate::consoles::listener as consoles;
use crate::control::Control;
use crate::core::{Core, Slot};
use crate::failure::{ControlError, Source};
use crate::options::Options;
use crate::{health, tls};

/// How the gateway serves before anybody sets it otherwise.
pub(crate) fn usual() -> ServingSettings {
    ServingSettings {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7411)),
        tls: false,
        names: Vec::new(),
        oldest: TlsVersion::default(),
        durability: Durability::default(),
        consoles: None,
    }
}

/// Whether a gateway that serves by the one serves by the other: what its records survive is the
/// registry's matter, and consoles are let in by another door.
pub(crate) fn is_same(one: &ServingSettings, other: &ServingSettings) -> bool {
    let ServingSettings { durability, consoles, .. } = *other;
    ServingSettings { durability, consoles, ..one.clone() } == *other
}

/// Has the registry keep what it is set to keep.
pub(crate) async fn keep_as_set(core: &Core) {
    let set = core.serving_set().map(|it| it.durability).unwrap_or_default();
    core.registry.spare_disk(set == Durability::Process).await;
}

/// By what the gateway serves when this is set: flags win.
pub(crate) fn with_flags(options: &Options, set: ServingSettings) -> ServingSettings {
    let mut settings = set;
    if let Some(listen) = options.listen {
        settings.listen = listen;
    }
    if let Some(asked) = &options.tls {
        settings.tls = true;
        settings.oldest = asked.oldest;
        if !asked.names.is_empty() {
            settings.names.clone_from(&asked.names);
        }
    }
    settings
}

/// Whether flags of the process win over what is set.
pub(crate) const fn has_flags(options: &Options) -> bool {
    options.listen.is_some() || options.tls.is_some()
}

fn wanted(control: &Control, core: &Core) -> ServingSettings {
    with_flags(&control.inner().options, core.serving_set().unwrap_or_else(usual))
}

impl Control {
    /// Starts the gateway as it is set, unless it serves. Answers with where it listens.
    ///
    /// # Errors
    ///
    /// When the address cannot be had or the secrets are sealed.
    pub async fn serve(&self) -> Result<SocketAddr, ControlError> {
        let _alone = self.inner().changing.lock().await;
        let address = self.start_alone(wanted(self, &*self.core()?)).await?;
        consoles::keep_as_set(self, None).await;
        Ok(address)
    }

    /// The same at another address.
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn start_gateway(&self, listen: SocketAddr) -> Result<SocketAddr, ControlError> {
        let _alone = self.inner().changing.lock().await;
        let wanted = wanted(self, &*self.core()?);
        self.start_alone(ServingSettings { listen, ..wanted }).await
    }

    async fn start_alone(&self, settings: ServingSettings) -> Result<SocketAddr, ControlError> {
        let core = self.core()?;
        if let Some(gateway) = core.gateway() {
            return Ok(gateway.address());
        }
        core.vault()?;
        health::check(&core)?;
        core.anchorage.check()?;
        match begin(self, &core, &settings).await {
            Ok((gateway, note)) => {
                let address = gateway.address();
                core.set_slot(Slot::Serving(Arc::new(gateway), note, settings));
                self.changed(Topic::Status);
                Ok(address)
            }
            Err(error) => {
                let message = format!("the gateway did not start: {error}");
                core.set_slot(Slot::Failed(message.clone()));
                self.changed(Topic::Status);
                Err(error.told(message))
            }
        }
    }

    /// Where the gateway listens, while it serves.
    pub fn gateway_address(&self) -> Option<SocketAddr> {
        Some(self.inner().core()?.gateway()?.address())
    }
}

/// Why a gateway does not start, or not like this.
#[derive(Debug, thiserror::Error)]
enum Unstarted {
    #[error(transparent)]
    Gateway(#[from] StartError),
    /// What it needs could not be prepared.
    #[error(transparent)]
    Prepared(#[from] ControlError),
}

impl Unstarted {
    fn told(self, message: String) -> ControlError {
        match self {
            Self::Gateway(error) => ControlError::Unavailable { message, source: cause(error) },
            Self::Prepared(error) => error,
        }
    }

    /// Whether the address is somebody's already.
    fn is_taken(&self) -> bool {
        let Self::Gateway(StartError::Listen { source, .. }) = self else { return false };
        source.kind() == std::io::ErrorKind::AddrInUse
    }
}

/// What the message does not say yet.
fn cause(error: StartError) -> Option<Source> {
    match error {
        StartError::Listen { source, .. } => Some(source.into()),
        StartError::Port(error) => error.source,
        StartError::NotLoopback { .. } => None,
    }
}

/// How a gateway with these settings is set up.
async fn config(
    control: &Control,
    core: &Arc<Core>,
    settings: &ServingSettings,
) -> Result<Config, ControlError> {
    let mut config = Config::new(settings.listen, audience(core));
    config.limits = control.inner().options.limits.clone();
    if settings.tls {
        config.tls = Some(tls::serve(core, settings).await?);
    }
    Ok(config)
}

/// Starts a gateway. One of a console whose port is taken listens on a free one.
async fn begin(
    control: &Control,
    core: &Arc<Core>,
    settings: &ServingSettings,
) -> Result<(Gateway, Option<String>), Unstarted> {
    let config = config(control, core, settings).await?;
    let start = |config: Config| Gateway::start(config, ports(core), core.world.subscribe());
    let started = start(config.clone()).await.map_err(Unstarted::from);
    let address = settings.listen;
    match started {
        Err(error)
            if control.inner().options.embedded && address.port() != 0 && error.is_taken() =>
        {
            let listen = SocketAddr::new(address.ip(), 0);
            let gateway = start(Config { listen, ..config }).await?;
            let note =
                format!("{address} is in use by another program; agents need the new address");
            Ok((gateway, Some(note)))
        }
        other => other.map(|gateway| (gateway, None)),
    }
}

/// A gateway that is about to serve in another one's place.
#[derive(Debug)]
pub(crate) struct Successor {
    config: Config,
    settings: ServingSettings,
    /// Where it is to listen; nothing when the old one has to leave the port first.
    socket: Option<Socket>,
}

/// Prepares what serves by these settings next; nothing when what serves does so already. What
/// cannot be had is found out here, while nothing has changed yet.
pub(crate) async fn prepare(
    control: &Control,
    core: &Arc<Core>,
    set: &ServingSettings,
) -> Result<Option<Successor>, ControlError> {
    let settings = with_flags(&control.inner().options, set.clone());
    let (old, served) = match core.slot() {
        Slot::Serving(gateway, _, served) if !is_same(&served, &settings) => {
            (Some(gateway), Some(served))
        }
        // What should serve and could not, may now.
        Slot::Failed(_) if core.vault().is_ok() => (None, None),
        Slot::Failed(_) | Slot::Serving(..) | Slot::Stopped => return Ok(None),
    };
    let config = config(control, core, &settings).await?;
    let address = settings.listen;
    let same = served.is_some_and(|it| it.listen == address);
    let socket = match old.as_ref().filter(|_| same).and_then(|gateway| gateway.socket()) {
        Some(socket) => Some(socket),
        None => match Socket::bind(address).await.map_err(Unstarted::from) {
            Ok(socket) => Some(socket),
            // The port is the old one's, at another address.
            Err(error)
                if error.is_taken()
                    && old.is_some_and(|it| it.address().port() == address.port()) =>
            {
                None
            }
            Err(error) => {
                let message = format!("{error}, so nothing was changed");
                return Err(error.told(message));
            }
        },
    };
    Ok(Some(Successor { config, settings, socket }))
}

impl Successor {
    /// Serves from here on, in the old one's place. Calls under way there end as when it stops.
    pub(crate) async fn take_over(
        self,
        control: &Control,
        core: &Arc<Core>,
    ) -> Result<(), ControlError> {
        let Self { config, settings, socket } = self;
        let old = match core.slot() {
            Slot::Serving(gateway, note, served) => Some((gateway, note, served)),
            Slot::Failed(_) | Slot::Stopped => None,
        };
        if let Some((gateway, ..)) = &old {
            gateway.close();
            if socket.is_none() {
                gateway.stop().await;
            }
        }
        let started = async {
            let socket = match socket {
                Some(socket) => socket,
                None => Socket::bind(config.listen).await?,
            };
            Gateway::start_on(socket, config, ports(core), core.world.subscribe()).await
        };
        let done = match started.await {
            Ok(gateway) => {
                core.set_slot(Slot::Serving(Arc::new(gateway), None, settings));
                Ok(())
            }
            Err(error) => {
                let message = format!("the gateway did not start: {error}");
                core.set_slot(restored(core, &old, &message).await);
                Err(Unstarted::from(error).told(message))
            }
        };
        control.changed(Topic::Status);
        if let Some((gateway, ..)) = old {
            gateway.stop().await;
        }
        done
    }
}

/// The old gateway again, or why there is none.
async fn restored(
    core: &Arc<Core>,
    old: &Option<(Arc<Gateway>, Option<String>, ServingSettings)>,
    why: &str,
) -> Slot {
    let Some((gateway, note, served)) = old else { return Slot::Failed(why.to_owned()) };
    gateway.stop().await;
    let again = async {
        let socket = Socket::bind(gateway.address()).await?;
        let config = gateway.config().clone();
        Gateway::start_on(socket, config, ports(core), core.world.subscribe()).await
    };
    match again.await {
        Ok(gateway) => Slot::Serving(Arc::new(gateway), note.clone(), served.clone()),
        Err(_) => Slot::Failed(why.to_owned()),
    }
}

/// What operation tokens of this installation are made out to.
pub(crate) fn audience(core: &Core) -> String {
    let id: Uuid = core.registry.instance().id;
    format!("countersign:{id}")
}

/// Starts the gateway if the options say so. The caller holds `changing`. What goes wrong is shown
/// in the status.
pub(crate) async fn start_if_asked(control: &Control) {
    let Ok(core) = control.core() else { return };
    if !control.inner().options.serves || core.store.is_sealed() {
        return;
    }
    if let Err(error) = control.start_alone(wanted(control, &core)).await {
        tracing::error!(%error, "the gateway did not start");
    }
    consoles::keep_as_set(control, None).await;
}

/// The origin that agents are given; when nothing serves, of where it would listen.
pub(crate) fn expected_address(control: &Control) -> String {
    let core = control.inner().core();
    if let Some(gateway) = core.as_ref().and_then(|core| core.gateway()) {
        return gateway.origin();
    }
    let settings = core.map_or_else(
        || with_flags(&control.inner().options, usual()),
        |core| wanted(control, &core),
    );
    let listen = settings.listen;
    if settings.tls {
        let names = tls::names(&settings);
        format!("https://{}:{}", names.first().map_or("localhost", |it| it), listen.port())
    } else {
        format!("http://{listen}")
    }
}
