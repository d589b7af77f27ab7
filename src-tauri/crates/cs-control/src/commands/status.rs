//! The installation: how it is doing, the first run, locking and unlocking.

use cs_model::TenantId;
use cs_model::alert::AlertState;
use cs_registry::{alert, approval, audit, operator, rotation, server, tenant};
use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Actor, Caller, Permission};
use crate::command::Command;
use crate::control::Control;
use crate::core::{Core, Slot};
use crate::failure::ControlError;
use crate::names::{self, Names};
use crate::options;
use crate::secret_text::SecretText;
use crate::view::secrets::VaultAt;
use crate::view::status::{
    CountsView, GatewayState, GatewayView, HaltedView, HourView, OverviewView, Phase,
    SecretKeeping, StatusView,
};
use crate::{health, lifecycle, show};

/// How many rows the overview has of a kind.
const FEW: u32 = 8;

/// How the installation is doing.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Status {}

impl Command for Status {
    const NAME: &'static str = "status";
    const NEEDS: Permission = Permission::Knock;
    type Answer = StatusView;

    async fn run(self, control: &Control, _: &Caller) -> Result<StatusView, ControlError> {
        status(control).await
    }
}

/// The first page.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Overview {
    /// The tenant that it is about.
    pub tenant: TenantId,
}

impl Command for Overview {
    const NAME: &'static str = "overview";
    const NEEDS: Permission = Permission::Look;
    type Answer = OverviewView;

    async fn run(self, control: &Control, _: &Caller) -> Result<OverviewView, ControlError> {
        let status = status(control).await?;
        let core = control.core()?;
        let now = control.now();
        let document = core.document();
        let doc = names::tenant(&document, self.tenant)?;
        let mut db = core.registry.read().await?;
        let names = Names::load(&mut db, &document).await?;
        let anomalies = audit::anomalies(&mut db, self.tenant, FEW).await?;
        let anomalies = anomalies.iter().map(|entry| show::audit(entry, &names));
        let open = Some(AlertState::Open);
        let alerts = alert::list(&mut db, Some(self.tenant), open, FEW).await?;
        let waiting = approval::waiting(&mut db, Some(self.tenant), now, FEW).await?;
        let standing = approval::standing(&mut db, now).await?;
        let waiting =
            waiting.iter().map(|it| show::approval(&core, it, doc.name.to_string(), &standing));
        let servers = server::list(&mut db, self.tenant).await?;
        let servers =
            servers.iter().map(|it| show::server(it, &show::health(&core, it), doc, core.now()));
        let hours = audit::hours(&mut db, self.tenant, now, 24).await?.into_iter();
        let tally = tenant::tally(&mut db, self.tenant, now).await?;
        Ok(OverviewView {
            status,
            anomalies: anomalies.collect::<Result<_, _>>()?,
            alerts: alerts.iter().map(|it| show::alert(it, &names)).collect(),
            waiting: waiting.collect(),
            servers: servers.collect(),
            hours: hours
                .map(|it| HourView { from: it.from, allow: it.allow, hold: it.hold, deny: it.deny })
                .collect(),
            counts: CountsView {
                agents: tally.agents,
                tools: tally.tools,
                tasks: tally.tasks,
                live_sessions: tally.live_sessions,
            },
        })
    }
}

/// First run: makes the first owner, unlocks the console, and loads the starter if wanted.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct FirstRun {
    /// The owner's name.
    pub name: String,
    /// The passphrase that seals the owner's key.
    pub passphrase: SecretText,
    /// Whether to load the starter.
    pub starter: bool,
    /// Where secrets are to be kept; in the keychain when absent.
    #[serde(default)]
    #[ts(optional)]
    pub secrets: Option<SecretKeeping>,
    /// Where Vault is, where they are to be kept there.
    #[serde(default)]
    #[ts(optional)]
    pub vault: Option<VaultAt>,
}

impl Command for FirstRun {
    const NAME: &'static str = "first_run";
    const NEEDS: Permission = Permission::Knock;
    type Answer = StatusView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<StatusView, ControlError> {
        let first = options::FirstRun {
            name: self.name,
            passphrase: self.passphrase.into_secret(),
            keeping: self.secrets,
            vault: self.vault.map(VaultAt::place),
            starter: self.starter,
        };
        lifecycle::first_run(control, caller, first).await?;
        status(control).await
    }
}

/// Unlocks the console with an operator's passphrase.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Unlock {
    /// The passphrase.
    pub passphrase: SecretText,
}

impl Command for Unlock {
    const NAME: &'static str = "unlock";
    const NEEDS: Permission = Permission::Knock;
    type Answer = StatusView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<StatusView, ControlError> {
        lifecycle::unlock(control, caller, self.passphrase.secret()).await?;
        status(control).await
    }
}

/// Locks the console.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Lock {}

impl Command for Lock {
    const NAME: &'static str = "lock";
    const NEEDS: Permission = Permission::Knock;
    type Answer = StatusView;

    async fn run(self, control: &Control, _: &Caller) -> Result<StatusView, ControlError> {
        lifecycle::lock(control, "asked").await?;
        status(control).await
    }
}

/// Somebody is there: the idle clock starts anew.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Touch {}

impl Command for Touch {
    const NAME: &'static str = "touch";
    const NEEDS: Permission = Permission::Knock;
    type Answer = StatusView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<StatusView, ControlError> {
        // Whoever runs as the user of this system is not somebody in front of the console.
        if matches!(caller.actor, Actor::Operator { .. }) {
            control.seat().touch(control.now());
        }
        status(control).await
    }
}

async fn status(control: &Control) -> Result<StatusView, ControlError> {
    let now = control.now();
    let inner = control.inner();
    let home = control.home().display().to_string();
    let embedded = inner.options.embedded;
    let Some(core) = inner.core() else {
        return Ok(StatusView {
            phase: Phase::FirstRun,
            secret_store: inner.options.keeping,
            home,
            gateway: GatewayView {
                state: GatewayState::Stopped,
                url: None,
                problem: None,
                embedded,
            },
            policy_version: 0,
            doubt: None,
            halted: None,
            calls_per_minute: 0,
            waiting_approvals: 0,
            webhook_problem: None,
            open_alerts: 0,
            open_incidents: 0,
            operator: None,
            locks_at: None,
            attached: None,
            now,
        });
    };
    let mut db = core.registry.read().await?;
    let waiting = approval::waiting(&mut db, None, now, 1000).await?.len();
    let (open_alerts, open_incidents) = alert::open_counts(&mut db).await?;
    let kept = rotation::housekeeping(&mut db).await?;
    let unlocked = control.seat().operator(now);
    let operator = match &unlocked {
        Some((who, _)) => {
            let past = operator::past_keys(&mut db).await?;
            Some(show::operator(&operator::find(&mut db, who.id).await?, &past))
        }
        None => None,
    };
    Ok(StatusView {
        phase: Phase::Ready,
        secret_store: core.keeping().store,
        home,
        gateway: gateway(&core, embedded),
        policy_version: core.document().version,
        doubt: core.anchorage.doubt(),
        halted: kept.halted.map(|(since, why)| HaltedView { since, why }),
        calls_per_minute: core.gateway().map_or(0, |gateway| gateway.calls_last_minute()),
        waiting_approvals: show::count(waiting),
        webhook_problem: core.herald.problem(),
        open_alerts,
        open_incidents,
        operator,
        locks_at: unlocked.map(|(_, until)| until),
        attached: None,
        now,
    })
}

pub(crate) fn gateway(core: &Core, embedded: bool) -> GatewayView {
    let sealed = "the secrets are sealed; unlock the console and it starts";
    let trouble = core.registry.trouble().map(|trouble| health::explain(&trouble));
    let trouble = trouble.or_else(|| core.anchorage.doubt());
    let (state, url, problem) = match core.slot() {
        Slot::Failed(problem) => (GatewayState::Failed, None, Some(problem)),
        Slot::Serving(gateway, note, _) => {
            let url = Some(gateway.origin());
            match trouble {
                Some(trouble) => (GatewayState::Refusing, url, Some(trouble)),
                None => (GatewayState::Serving, url, note),
            }
        }
        Slot::Stopped => match trouble {
            Some(trouble) => (GatewayState::Failed, None, Some(trouble)),
            None => {
                (GatewayState::Stopped, None, core.store.is_sealed().then(|| sealed.to_owned()))
            }
        },
    };
    GatewayView { state, url, problem, embedded }
}
