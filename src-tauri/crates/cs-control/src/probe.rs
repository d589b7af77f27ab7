//! Asks servers what they have.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use cs_gateway::upstream::{HealthState, Target, UpstreamError, Upstreams};
use cs_gateway::{named, upstream};
use cs_model::json::{self, Limits};
use cs_model::upstream::Transport;
use cs_model::uri::is_interface;
use cs_model::{Digest, Kind, Pass, TenantId, ToolName};
use cs_registry::server::Server;

use crate::adapters::ports;
use crate::core::Core;
use crate::failure::ControlError;

/// A tool, prompt, resource or template as its server publishes it.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    pub(crate) kind: Kind,
    pub(crate) name: ToolName,
    /// The definition, byte for byte.
    pub(crate) definition: String,
    pub(crate) fingerprint: Digest,
}

/// Starts a server that may not be registered yet, asks what it has, and stops it again.
pub(crate) async fn probe(
    core: &Arc<Core>,
    tenant: TenantId,
    transport: &Transport,
) -> Result<Vec<Published>, ControlError> {
    let found = match core.gateway() {
        Some(gateway) => gateway.discover(tenant, transport).await,
        None => {
            let upstreams = Upstreams::new(&ports(core), cs_gateway::Limits::default().upstream);
            let found = upstreams.probe(tenant, transport).await;
            upstreams.stop_all().await;
            found
        }
    };
    read(&found.map_err(|error| explain(&error))?, false)
}

/// Asks a registered server what it has now: over the gateway's own connection where it serves
/// the server, so that what is looked at is what calls reach. One that the gateway does not serve,
/// or has given up, is started beside it and stopped again.
pub(crate) async fn list(
    core: &Arc<Core>,
    server: &Server,
) -> Result<Vec<Published>, ControlError> {
    let target = Target {
        tenant: server.tenant,
        server: server.id,
        server_name: server.name.as_str(),
        transport: &server.transport,
    };
    let served = core.gateway().filter(|gateway| {
        let health = gateway.server_health(server.tenant, server.id);
        server.enabled && health.state != HealthState::Failing
    });
    let found = match served {
        Some(gateway) => gateway.list_tools(target).await,
        None => {
            let upstreams = Upstreams::new(&ports(core), cs_gateway::Limits::default().upstream);
            let found = upstreams.list_tools(target).await;
            upstreams.stop_all().await;
            found
        }
    };
    read(&found.map_err(|error| explain(&error))?, server.passes.has(Pass::Ui))
}

/// Reads what a server publishes. Pages that it has for people are there only when they pass.
fn read(found: &[upstream::Published], pages: bool) -> Result<Vec<Published>, ControlError> {
    let unusable = |why: &str| ControlError::Upstream {
        message: format!("the server publishes something that cannot be taken in: {why}"),
    };
    let mut all: Vec<Published> = Vec::with_capacity(found.len());
    let mut seen = BTreeSet::new();
    for upstream::Published { kind, definition } in found {
        let fingerprint = json::canonical_digest(definition, Limits::default())
            .map_err(|error| unusable(&error.to_string()))?;
        let name = named(*kind, definition.get()).map_err(|error| unusable(&error.to_string()))?;
        if *kind == Kind::Resource && is_interface(name.as_str()) && !pages {
            continue;
        }
        if !seen.insert((*kind, name.clone())) {
            return Err(unusable("two things of one kind have the same name"));
        }
        all.push(Published {
            kind: *kind,
            name,
            definition: definition.get().to_owned(),
            fingerprint,
        });
    }
    Ok(all)
}

fn explain(error: &UpstreamError) -> ControlError {
    ControlError::Upstream {
        message: format!(
            "{error}; check its command or address, try it by hand, and look at what it writes to \
             its standard error"
        ),
    }
}

/// The transport as it is kept: an address that can be one of a server, or a program by its full
/// path, looked up once, so that what is started later is what was added.
pub(crate) fn settle(transport: Transport) -> Result<Transport, ControlError> {
    examine(&transport)?;
    settle_program(transport)
}

/// Checks that a server could be reached like this.
pub(crate) fn examine(transport: &Transport) -> Result<(), ControlError> {
    let Transport::Http { url, .. } = transport else { return Ok(()) };
    upstream::examine_address(url).map_err(|why| ControlError::invalid("transport", why))
}

/// The same for a transport with places in it, of which nobody knows yet what they will say.
pub(crate) fn settle_program(transport: Transport) -> Result<Transport, ControlError> {
    match transport {
        Transport::Stdio { command, args, env, cwd } => {
            let command = look_up(&command)?;
            Ok(Transport::Stdio { command, args, env, cwd })
        }
        http @ Transport::Http { .. } => Ok(http),
    }
}

fn look_up(command: &str) -> Result<String, ControlError> {
    if Path::new(command).is_absolute() {
        return Ok(command.to_owned());
    }
    let missing = || {
        let what = cs_model::text::neutralise(command, 100);
        ControlError::invalid("transport", format!("there is no program `{what}` on the PATH"))
    };
    if command.is_empty() || command.contains(['/', '\\']) {
        let rule = "a program is named by its full path, or by a name that is on the PATH";
        return Err(ControlError::invalid("transport", rule));
    }
    let path = std::env::var_os("PATH").ok_or_else(missing)?;
    let found = std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(command))
        .find(|file| file.is_file())
        .ok_or_else(missing)?;
    found.into_os_string().into_string().map_err(|_| missing())
}
