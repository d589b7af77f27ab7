//! Consoles on other machines: who may work on this gateway from elsewhere.

use cs_model::{ConsoleId, OperatorId, Timestamp};
use cs_registry::console::{self, Console};
use cs_registry::operator;
use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::change::Topic;
use crate::command::Command;
use crate::consoles::joining::{self, Enrolled, MOST_DAYS};
use crate::consoles::links::Link;
use crate::control::Control;
use crate::failure::ControlError;
use crate::operators;
use crate::secret_text::{SecretText, ShownOnce};
use crate::view::console::{ConsoleEnrolled, ConsoleState, ConsoleView};

/// The most characters of a console's name.
const LONGEST_NAME: usize = 100;

/// Every console that was ever enrolled, the latest first.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ConsoleList {}

impl Command for ConsoleList {
    const NAME: &'static str = "console_list";
    const NEEDS: Permission = Permission::Look;
    type Answer = Vec<ConsoleView>;

    async fn run(self, control: &Control, _: &Caller) -> Result<Vec<ConsoleView>, ControlError> {
        let core = control.core()?;
        let mut db = core.registry.read().await?;
        let all = console::list(&mut db).await?;
        let operators = operator::list(&mut db).await?;
        drop(db);
        let (links, now) = (core.consoles.all(), core.now());
        let name = |it: &Console| {
            let whose = operators.iter().find(|operator| operator.id == it.operator);
            whose.map(|operator| operator.name.clone()).unwrap_or_default()
        };
        Ok(all.iter().map(|it| view(it, name(it), &links, now)).collect())
    }
}

/// Enrols a console on another machine, for one operator: with the file that comes of it, and the
/// code that opens the file, it joins this gateway.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ConsoleEnrol {
    /// Whose console it is to be.
    pub operator: OperatorId,
    /// What it is called, as `laptop`.
    pub name: String,
    /// How many days its certificate is valid, at most 90.
    pub days: u32,
    /// The host and port by which it reaches this gateway; where consoles are let in, when absent.
    #[serde(default)]
    #[ts(optional)]
    pub address: Option<String>,
    /// The passphrase of the owner who does it, where the console is not unlocked by them.
    #[serde(default)]
    #[ts(optional)]
    pub owner: Option<SecretText>,
}

impl Command for ConsoleEnrol {
    const NAME: &'static str = "console_enrol";
    const NEEDS: Permission = Permission::Own;
    type Answer = ConsoleEnrolled;

    async fn run(
        self,
        control: &Control,
        caller: &Caller,
    ) -> Result<ConsoleEnrolled, ControlError> {
        let name = self.name.trim();
        let long = name.chars().count();
        if !(1..=LONGEST_NAME).contains(&long) || name.chars().any(cs_model::text::is_deceptive) {
            let rule = "a console's name has 1 to 100 characters, none of them invisible";
            return Err(ControlError::invalid("name", rule));
        }
        if !(1..=MOST_DAYS).contains(&self.days) {
            let rule = format!("a console is enrolled for 1 to {MOST_DAYS} days");
            return Err(ControlError::invalid("days", rule));
        }
        let caller = operators::owner(control, caller, self.owner.as_ref()).await?;
        let core = control.core()?;
        let address = joining::address(control, &core, self.address.as_deref())?;
        let all = operator::list(&mut *core.registry.read().await?).await?;
        let whose = all.into_iter().find(|it| it.id == self.operator && it.removed.is_none());
        let whose = whose.ok_or(ControlError::NotFound { what: "operator" })?;
        let made = joining::enrol(control, &caller, &whose, name, (self.days, address)).await?;
        let Enrolled { console, file, code } = made;
        Ok(ConsoleEnrolled {
            file_name: format!("{}.console.json", console.id),
            console: view(&console, whose.name, &[], core.now()),
            file,
            code: ShownOnce::new(code),
        })
    }
}

/// Revokes a console. It is cut off at once, in the middle of whatever it is told.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ConsoleRevoke {
    /// Which one.
    pub console: ConsoleId,
}

impl Command for ConsoleRevoke {
    const NAME: &'static str = "console_revoke";
    const NEEDS: Permission = Permission::Own;
    type Answer = ();

    async fn run(self, control: &Control, caller: &Caller) -> Result<(), ControlError> {
        let core = control.core()?;
        let mut edit = core.edit(caller).await?;
        let all = console::list(edit.db()).await?;
        let found = all.into_iter().find(|it| it.id == self.console);
        let found = found.ok_or(ControlError::NotFound { what: "console" })?;
        if found.revoked.is_none() {
            let at = edit.at();
            console::revoke(edit.db(), found.id, at).await?;
            edit.say(None, format!("revoked console `{}`", found.name));
            edit.keep().await?;
        }
        core.consoles.cut(|link| link.console == found.id);
        control.changed(Topic::Registry);
        Ok(())
    }
}

fn view(found: &Console, operator_name: String, links: &[Link], now: Timestamp) -> ConsoleView {
    let state = if found.revoked.is_some() {
        ConsoleState::Revoked
    } else if now.secs() > found.expires.secs() {
        ConsoleState::Expired
    } else {
        ConsoleState::InForce
    };
    let own = || links.iter().filter(|it| it.console == found.id);
    ConsoleView {
        id: found.id,
        name: found.name.clone(),
        operator: found.operator,
        operator_name,
        state,
        created: found.created,
        expires: found.expires,
        revoked: found.revoked,
        connected: own().map(|it| it.from.to_string()).collect(),
        unlocked: own().any(|it| it.seat.operator(now).is_some()),
    }
}
