//! How the gateway serves.

use std::collections::BTreeSet;

use cs_model::serving::{Durability, ServingSettings, TlsVersion};
use cs_registry::serving as table;
use cs_trust::ca;
use cs_trust::tls::OldestTls;
use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::change::Topic;
use crate::command::Command;
use crate::commands::status;
use crate::consoles::listener as consoles;
use crate::control::Control;
use crate::core::Slot;
use crate::failure::ControlError;
use crate::view::serving::{DoorView, ServingView, TlsView};
use crate::{outside, serving};

/// The most names of a gateway.
const MOST_NAMES: usize = 32;

/// How the gateway serves, and how it is to.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ServingShow {}

impl Command for ServingShow {
    const NAME: &'static str = "serving_show";
    const NEEDS: Permission = Permission::Look;
    type Answer = ServingView;

    async fn run(self, control: &Control, _: &Caller) -> Result<ServingView, ControlError> {
        view(control)
    }
}

/// Has the gateway serve otherwise, from now on. One that serves is replaced in place; settings by
/// which it could not start change nothing.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ServingSet {
    /// How it is to serve.
    pub settings: ServingSettings,
}

impl Command for ServingSet {
    const NAME: &'static str = "serving_set";
    const NEEDS: Permission = Permission::Own;
    type Answer = ServingView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<ServingView, ControlError> {
        let settings = judge(self.settings)?;
        let _alone = control.inner().changing.lock().await;
        let core = control.core()?;
        core.anchorage.check()?;
        let before = core.serving_set().unwrap_or_else(serving::usual);
        let successor = serving::prepare(control, &core, &settings).await?;
        let bound = match settings.consoles {
            Some(address) if settings.consoles != before.consoles && is_free(control) => {
                core.vault()?;
                Some(consoles::bind(address).await?)
            }
            Some(_) | None => None,
        };
        if settings != before {
            let mut edit = core.edit(caller).await?;
            let at = edit.at();
            table::save(edit.db(), &settings, at).await?;
            edit.say(None, format!("set the gateway to serve {}", sentence(&settings)));
            edit.keep().await?;
            core.set_serving(Some(settings));
            serving::keep_as_set(&core).await;
        }
        if let Some(successor) = successor {
            successor.take_over(control, &core).await?;
        }
        if core.gateway().is_some() {
            consoles::keep_as_set(control, bound).await;
        }
        control.changed(Topic::Status);
        view(control)
    }
}

/// Whether something serves here, and no flag says where consoles are let in.
fn is_free(control: &Control) -> bool {
    let serves = control.inner().core().is_some_and(|core| core.gateway().is_some());
    serves && control.inner().options.consoles.is_none()
}

/// Says what is wrong with settings, before anything is tried.
fn judge(settings: ServingSettings) -> Result<ServingSettings, ControlError> {
    let ServingSettings { listen, tls, names, oldest, durability, consoles: door } = settings;
    if !tls && !listen.ip().is_loopback() {
        let rule = "without TLS the gateway listens on loopback addresses only, such as 127.0.0.1";
        return Err(ControlError::invalid("listen", rule));
    }
    if names.len() > MOST_NAMES {
        let rule = format!("a gateway has at most {MOST_NAMES} names");
        return Err(ControlError::invalid("names", rule));
    }
    if let Some(wrong) = names.iter().find(|name| !ca::is_server_name(name)) {
        let shown = cs_model::text::neutralise(wrong, 60);
        let rule = format!("`{shown}` is no name of a host in lower case, and no IP address");
        return Err(ControlError::invalid("names", rule));
    }
    if tls && listen.ip().is_unspecified() && names.is_empty() {
        let rule = "name at least one host or address by which other machines reach the gateway";
        return Err(ControlError::invalid("names", rule));
    }
    let mut seen = BTreeSet::new();
    let names = names.into_iter().filter(|name| seen.insert(name.clone())).collect();
    Ok(ServingSettings { listen, tls, names, oldest, durability, consoles: door })
}

/// Settings, after "serve".
fn sentence(settings: &ServingSettings) -> String {
    let ServingSettings { listen, tls, names, oldest, durability, consoles: door } = settings;
    let survives = match durability {
        Durability::Disk => "",
        Durability::Process => ", with records of allowed calls that survive its process only",
    };
    let survives = match door {
        Some(address) => format!("{survives}, with consoles on other machines let in at {address}"),
        None => survives.to_owned(),
    };
    if !tls {
        return format!("at {listen} without TLS{survives}");
    }
    let oldest = match oldest {
        TlsVersion::Tls12 => "1.2",
        TlsVersion::Tls13 => "1.3",
    };
    let names = match names.as_slice() {
        [] => String::new(),
        names => format!(" as {}", names.join(", ")),
    };
    format!("at {listen} with TLS {oldest} or newer{names}{survives}")
}

fn view(control: &Control) -> Result<ServingView, ControlError> {
    let core = control.core()?;
    let options = &control.inner().options;
    let wanted = core.serving_set().unwrap_or_else(serving::usual);
    let found = status::gateway(&core, options.embedded);
    let (gateway, served) = match core.slot() {
        Slot::Serving(gateway, _, served) => (Some(gateway), Some(served)),
        Slot::Failed(_) | Slot::Stopped => (None, None),
    };
    let listen = gateway.as_ref().map_or_else(
        || serving::with_flags(options, wanted.clone()).listen,
        |gateway| gateway.address(),
    );
    let tls = gateway.as_ref().and_then(|gateway| gateway.tls()).and_then(|tls| {
        let serving = tls.serving.borrow();
        Some(TlsView {
            names: tls.names.clone(),
            oldest: match serving.oldest() {
                OldestTls::Tls12 => TlsVersion::Tls12,
                OldestTls::Tls13 => TlsVersion::Tls13,
            },
            certificate: outside::facts(serving.certificate()?),
        })
    });
    Ok(ServingView {
        listen: listen.to_string(),
        origin: found.url,
        state: found.state,
        problem: found.problem,
        tls,
        pending: served.is_some_and(|served| !serving::is_same(&served, &wanted)),
        wanted,
        locked_by_flags: serving::has_flags(options),
        consoles: DoorView {
            listen: core.consoles.address().map(|it| it.to_string()),
            problem: core.consoles.problem(),
            locked_by_flags: options.consoles.is_some(),
        },
    })
}
