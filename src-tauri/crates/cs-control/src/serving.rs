//! Starting the gateway, and where it listens.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use cs_gateway::{Config, Gateway, StartError, TlsSettings};
use uuid::Uuid;

use crate::adapters::ports;
use crate::change::Topic;
use crate::control::Control;
use crate::core::{Core, Slot};
use crate::failure::{ControlError, Source};
use crate::health;
use crate::tls;

impl Control {
    /// Starts the gateway, unless it serves. Answers with where it listens.
    ///
    /// # Errors
    ///
    /// When the address cannot be had or the secrets are sealed.
    pub async fn start_gateway(&self, listen: SocketAddr) -> Result<SocketAddr, ControlError> {
        let _alone = self.inner().changing.lock().await;
        self.start_alone(listen).await
    }

    pub(crate) async fn start_alone(&self, listen: SocketAddr) -> Result<SocketAddr, ControlError> {
        let core = self.core()?;
        if let Some(gateway) = core.gateway() {
            return Ok(gateway.address());
        }
        core.vault()?;
        health::check(&core)?;
        core.anchorage.check()?;
        let tls = match &self.inner().options.tls {
            Some(asked) => Some(tls::serve(&core, asked, listen).await?),
            None => None,
        };
        match start(self, &core, listen, tls).await {
            Ok((gateway, note)) => {
                let address = gateway.address();
                core.set_slot(Slot::Serving(Arc::new(gateway), note));
                self.changed(Topic::Status);
                Ok(address)
            }
            Err(error) => {
                let message = format!("the gateway did not start: {error}");
                core.set_slot(Slot::Failed(message.clone()));
                self.changed(Topic::Status);
                Err(ControlError::Unavailable { message, source: cause(error) })
            }
        }
    }

    /// Where the gateway listens, while it serves.
    pub fn gateway_address(&self) -> Option<SocketAddr> {
        Some(self.inner().core()?.gateway()?.address())
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

async fn start(
    control: &Control,
    core: &Arc<Core>,
    listen: SocketAddr,
    tls: Option<TlsSettings>,
) -> Result<(Gateway, Option<String>), StartError> {
    let options = &control.inner().options;
    let instance = audience(core);
    let begin = |listen: SocketAddr| {
        let mut config = Config::new(listen, instance.clone());
        config.limits = options.limits.clone();
        config.tls.clone_from(&tls);
        Gateway::start(config, ports(core), core.world.subscribe())
    };
    match begin(listen).await {
        Err(StartError::Listen { address, source })
            if options.embedded
                && address.port() != 0
                && source.kind() == std::io::ErrorKind::AddrInUse =>
        {
            let gateway = begin(SocketAddr::new(address.ip(), 0)).await?;
            let note =
                format!("{address} is in use by another program; agents need the new address");
            Ok((gateway, Some(note)))
        }
        other => other.map(|gateway| (gateway, None)),
    }
}

/// What operation tokens of this installation are made out to.
pub(crate) fn audience(core: &Core) -> String {
    let id: Uuid = core.registry.instance().id;
    format!("countersign:{id}")
}

/// Starts the gateway where the options say. The caller holds `changing`. What goes
/// wrong is shown in the status.
pub(crate) async fn start_if_asked(control: &Control) {
    let Some(listen) = control.inner().options.listen else { return };
    let sealed = control.core().is_ok_and(|core| core.store.is_sealed());
    if !sealed && let Err(error) = control.start_alone(listen).await {
        tracing::error!(%error, "the gateway did not start");
    }
}

/// The origin that agents are given; when nothing serves, of where it would listen.
pub(crate) fn expected_address(control: &Control) -> String {
    let serving = control.inner().core().and_then(|core| core.gateway());
    if let Some(gateway) = serving {
        return gateway.origin();
    }
    let options = &control.inner().options;
    let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, 7411));
    let listen = options.listen.unwrap_or(usual);
    match &options.tls {
        Some(asked) => {
            let names = tls::names(asked, listen);
            format!("https://{}:{}", names.first().map_or("localhost", |it| it), listen.port())
        }
        None => format!("http://{listen}"),
    }
}
