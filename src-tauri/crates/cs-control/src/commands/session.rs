//! Authorization sessions.

use cs_model::{SessionId, TenantId};
use cs_registry::session;
use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::command::Command;
use crate::control::Control;
use crate::failure::ControlError;
use crate::show::session::Sessions;
use crate::view::session::SessionView;
use crate::{names, over};

/// How many sessions are listed at most.
const MOST: u32 = 500;

/// A tenant's sessions, newest first, at most 500.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct SessionList {
    /// The tenant.
    pub tenant: TenantId,
    /// Whether to leave out those that are over.
    pub live_only: bool,
}

impl Command for SessionList {
    const NAME: &'static str = "session_list";
    const NEEDS: Permission = Permission::Look;
    type Answer = Vec<SessionView>;

    async fn run(self, control: &Control, _: &Caller) -> Result<Vec<SessionView>, ControlError> {
        let core = control.core()?;
        names::tenant(&core.document(), self.tenant)?;
        let now = core.now();
        let mut db = core.registry.read().await?;
        let all = session::list(&mut db, self.tenant, self.live_only, now, MOST).await?;
        let shown = Sessions::of(&core, &mut db, self.tenant).await?;
        all.iter().map(|it| shown.show(it)).collect()
    }
}

/// Ends a session, and suspends the credential that opened it until somebody releases it.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct SessionEndNow {
    /// The tenant.
    pub tenant: TenantId,
    /// The session.
    pub session: SessionId,
}

impl Command for SessionEndNow {
    const NAME: &'static str = "session_end";
    const NEEDS: Permission = Permission::Edit;
    type Answer = SessionView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<SessionView, ControlError> {
        let core = control.core()?;
        let (tenant, id) = (self.tenant, self.session);
        let mut edit = core.edit(caller).await?;
        let at = edit.at();
        let found = session::find(edit.db(), tenant, id).await?;
        if !found.is_live(at) {
            return Err(ControlError::conflict("the session is over already"));
        }
        let over = over::cut_off(&mut edit, &found).await?;
        let what = format!(
            "ended a session of `{}` and suspended the key that opened it",
            found.agent_name
        );
        let mut event = edit.admin(tenant, what);
        (event.agent, event.session) = (Some(found.new.agent), Some(id));
        event.credential = Some(found.new.credential);
        edit.tell(event);
        edit.record().await?;
        over.take_effect(&core).await;
        let mut db = core.registry.read().await?;
        let found = session::find(&mut db, tenant, id).await?;
        Sessions::of(&core, &mut db, tenant).await?.show(&found)
    }
}
