//! Asks servers what they have.

use std::path::Path;
use std::sync::Arc;

use cs_gateway::upstream::{HealthState, Target, UpstreamError, Upstreams};
use cs_model::json::{self, Limits};
use cs_model::upstream::Transport;
use cs_model::{Digest, TenantId, ToolName};
use cs_registry::server::Server;
use serde_json::value::RawValue;

use crate::adapters::ports;
use crate::core::Core;
use crate::failure::ControlError;

/// A tool as its server publishes it.
#[derive(Clone, Debug)]
pub(crate) struct Published {
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
    read(&found.map_err(|error| explain(&error))?)
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
    read(&found.map_err(|error| explain(&error))?)
}

#[derive(serde::Deserialize)]
struct Named {
    name: String,
}

fn read(definitions: &[Box<RawValue>]) -> Result<Vec<Published>, ControlError> {
    let unusable = |why: &str| ControlError::Upstream {
        message: format!("the server publishes a tool that cannot be taken in: {why}"),
    };
    let mut tools: Vec<Published> = Vec::with_capacity(definitions.len());
    for raw in definitions {
        let fingerprint = json::canonical_digest(raw, Limits::default())
            .map_err(|error| unusable(&error.to_string()))?;
        let named: Named =
            serde_json::from_str(raw.get()).map_err(|_| unusable("its definition has no name"))?;
        let name = ToolName::parse(&named.name).map_err(|error| unusable(&error.to_string()))?;
        if tools.iter().any(|tool| tool.name == name) {
            return Err(unusable("two tools have the same name"));
        }
        tools.push(Published { name, definition: raw.get().to_owned(), fingerprint });
    }
    Ok(tools)
}

fn explain(error: &UpstreamError) -> ControlError {
    ControlError::Upstream {
        message: format!(
            "{error}; check its command or address, try it by hand, and look at what it writes to \
             its standard error"
        ),
    }
}

/// The transport as it is kept: a program by its full path, looked up once, so that what is
/// started later is what was added.
pub(crate) fn settle(transport: Transport) -> Result<Transport, ControlError> {
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
