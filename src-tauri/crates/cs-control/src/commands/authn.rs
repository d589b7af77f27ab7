//! Who proved who they are, and who did not.

use cs_model::TenantId;
use cs_registry::audit;
use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::command::Command;
use crate::control::Control;
use crate::failure::ControlError;
use crate::view::authn::{AuthnFailure, AuthnMethod, AuthnOverview};
use crate::{names, reasons};

/// How far back it looks.
const HOURS: u32 = 24;

/// The methods, as the log has them.
const METHODS: [&str; 5] = ["api_key", "token", "certificate", "client", "none"];

/// Authentication in the last 24 hours, by method, and failures by reason.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AuthnOverviewOf {
    /// The tenant.
    pub tenant: TenantId,
}

impl Command for AuthnOverviewOf {
    const NAME: &'static str = "authn_overview";
    const NEEDS: Permission = Permission::Look;
    type Answer = AuthnOverview;

    async fn run(self, control: &Control, _: &Caller) -> Result<AuthnOverview, ControlError> {
        let core = control.core()?;
        names::tenant(&core.document(), self.tenant)?;
        let now = core.now();
        let mut db = core.registry.read().await?;
        let proofs = audit::proofs(&mut db, self.tenant, now, HOURS).await?;
        let methods = METHODS.map(|method| {
            let own = || proofs.iter().filter(move |it| it.method == method);
            let sum = |refused: bool| {
                let counts = own().filter(|it| it.reason.is_some() == refused).map(|it| it.count);
                counts.fold(0_u64, u64::saturating_add)
            };
            AuthnMethod {
                method: method.to_owned(),
                accepted: sum(false),
                refused: sum(true),
                last: own().map(|it| it.last).max(),
            }
        });
        Ok(AuthnOverview {
            since: audit::proofs_since(now, HOURS),
            methods: methods.into(),
            failures: failures(&proofs),
        })
    }
}

/// Refusals by reason, over all methods, the most frequent first.
fn failures(proofs: &[audit::Proofs]) -> Vec<AuthnFailure> {
    let mut failures: Vec<AuthnFailure> = Vec::new();
    for refused in proofs {
        let Some(reason) = &refused.reason else { continue };
        let Some(known) = failures.iter_mut().find(|it| it.reason == *reason) else {
            failures.push(AuthnFailure {
                reason: reason.clone(),
                sentence: reasons::words(reason),
                count: refused.count,
                last: refused.last,
                claimed: refused.claimed.clone(),
                client: refused.client.clone(),
            });
            continue;
        };
        known.count = known.count.saturating_add(refused.count);
        if known.last < refused.last {
            known.last = refused.last;
            known.claimed = refused.claimed.clone().or(known.claimed.take());
            known.client = refused.client.clone().or(known.client.take());
        }
    }
    failures.sort_by_key(|it| std::cmp::Reverse((it.count, it.last)));
    failures
}
