//! How a console on another machine is enrolled: the certificate, and the file that takes it there.

use std::net::SocketAddr;
use std::time::Duration;

use cs_model::{ConsoleId, Secret};
use cs_registry::console::{self, Console};
use cs_registry::operator::Operator;
use cs_trust::ca;
use cs_trust::console::{ConsoleCard, ConsoleIdentity, code, seal};

use super::listener;
use crate::actor::Caller;
use crate::authority;
use crate::change::Topic;
use crate::control::Control;
use crate::core::Core;
use crate::failure::ControlError;

/// How many days a console's certificate is valid at most.
pub(crate) const MOST_DAYS: u32 = 90;

/// A console that was enrolled: its file, and the code that opens it.
#[derive(Debug)]
pub(crate) struct Enrolled {
    pub(crate) console: Console,
    pub(crate) file: String,
    pub(crate) code: Secret,
}

/// Enrols a console of an operator.
pub(crate) async fn enrol(
    control: &Control,
    caller: &Caller,
    operator: &Operator,
    name: &str,
    (days, address): (u32, String),
) -> Result<Enrolled, ControlError> {
    let core = control.core()?;
    core.vault()?;
    let lifetime = Duration::from_secs(u64::from(days).saturating_mul(24 * 60 * 60));
    let id = ConsoleId::from_random(core.random()?);
    let alone = core.hold().await?;
    let signer = authority::of_consoles(&core).await?;
    let mut edit = core.edit_alone(alone, caller).await?;
    let signer = signer.enter(&mut edit).await?;
    let at = edit.at();
    let failed = |source| ControlError::internal("issue the certificate of a console", source);
    let leaf = signer.issue_console(&id.to_string(), core.random()?, at, lifetime);
    let leaf = leaf.map_err(failed)?;
    let key = leaf.key_pem.ok_or(ControlError::NotFound { what: "key" })?;
    let console = Console {
        id,
        operator: operator.id,
        name: name.to_owned(),
        fingerprint: leaf.fingerprint,
        created: at,
        expires: leaf.not_after,
        revoked: None,
    };
    console::create(edit.db(), &console).await?;
    let identity = ConsoleIdentity {
        card: ConsoleCard {
            installation: core.registry.instance().id.to_string(),
            console: id.to_string(),
            name: name.to_owned(),
            operator: operator.name.clone(),
            address,
        },
        authority: signer.certificate_pem().to_owned(),
        certificate: leaf.certificate_pem,
        key,
    };
    let code = code(core.random()?);
    let file = seal(&identity, &code, core.random()?)
        .map_err(|source| ControlError::internal("seal the file of a console", source))?;
    edit.say(None, format!("enrolled console `{name}` of `{}` for {days} days", operator.name));
    edit.keep().await?;
    control.changed(Topic::Registry);
    Ok(Enrolled { console, file, code })
}

/// The address that a console is given: the one that was said, or where consoles are let in.
pub(crate) fn address(
    control: &Control,
    core: &Core,
    said: Option<&str>,
) -> Result<String, ControlError> {
    if let Some(said) = said.map(str::trim).filter(|it| !it.is_empty()) {
        return judge(said).map(|()| said.to_owned());
    }
    let found = core.consoles.address().or_else(|| listener::wanted(control, core));
    match found {
        Some(address) if !address.ip().is_unspecified() && address.port() != 0 => {
            Ok(address.to_string())
        }
        Some(_) => Err(ControlError::invalid(
            "address",
            "say by which host and port the other machine reaches this gateway, as \
             gateway.example:7412",
        )),
        None => Err(ControlError::invalid(
            "address",
            "consoles on other machines are let in nowhere yet; set where first, or say the \
             address",
        )),
    }
}

/// Whether a text is a host and a port.
fn judge(text: &str) -> Result<(), ControlError> {
    let split = text.rsplit_once(':');
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port != 0);
    let is_address = text.parse::<SocketAddr>().is_ok_and(|it| it.port() != 0);
    let is_host = split.is_some_and(|(host, port)| ca::is_server_name(host) && is_port(port));
    if is_address || (is_host && !text.contains('[') && text.matches(':').count() == 1) {
        return Ok(());
    }
    let rule = "an address is a host and a port, as gateway.example:7412 or [2001:db8::1]:7412";
    Err(ControlError::invalid("address", rule))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        for good in ["gateway.example:7412", "10.0.0.7:7412", "[::1]:7412", "localhost:1"] {
            assert!(judge(good).is_ok(), "{good}");
        }
        for bad in
            ["", "gateway", "gateway:0", "gateway:x", ":7412", "::1:7412", "a b:1", "http://a:1"]
        {
            assert!(judge(bad).is_err(), "{bad}");
        }
    }
}
