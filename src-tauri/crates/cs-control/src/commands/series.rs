//! Series of approvals: one signature for some calls that are alike.

use std::sync::Arc;
use std::time::Duration;

use cs_model::document::TenantDoc;
use cs_model::event::{Event, EventKind};
use cs_model::series::{MOST_CALLS, MOST_SECS, SeriesClaims};
use cs_model::state::ApprovalState;
use cs_model::{
    AgentId, ApprovalId, Digest, Document, SeriesId, SessionId, TaskId, TenantId, Timestamp, ToolId,
};
use cs_registry::approval::{self, Approval};
use cs_registry::series::{self, Ended, NewSeries, Series};
use cs_registry::session;
use serde::Deserialize;
use ts_rs::TS;

use super::approval::{approve, decided, given_reason, signer};
use crate::actor::{Actor, Caller, Permission};
use crate::command::Command;
use crate::control::Control;
use crate::core::Core;
use crate::edit::Edit;
use crate::failure::ControlError;
use crate::names::Names;
use crate::secret_text::SecretText;
use crate::signing::{Terms, Wish};
use crate::unlock::Unlocked;
use crate::view::series::SeriesView;
use crate::{lifecycle, names, show};

/// How long series that are over are listed.
const SHOWN: Duration = Duration::from_secs(24 * 60 * 60);

/// Series of approvals that run, the newest first.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct SeriesList {
    /// Of this tenant; of all, when absent.
    #[serde(default)]
    #[ts(optional)]
    pub tenant: Option<TenantId>,
    /// Whether to list those as well that were signed in the last day and are over.
    #[serde(default)]
    #[ts(optional)]
    pub all: Option<bool>,
}

impl Command for SeriesList {
    const NAME: &'static str = "series_list";
    const NEEDS: Permission = Permission::Look;
    type Answer = Vec<SeriesView>;

    async fn run(
        self,
        control: &Control,
        caller: &Caller,
    ) -> Result<Vec<SeriesView>, ControlError> {
        let core = control.core()?;
        let document = core.document();
        let tenants = match self.tenant {
            Some(tenant) => vec![names::tenant(&document, tenant)?],
            None => document.tenants.iter().collect(),
        };
        let all = self.all.unwrap_or_default();
        let since = if all { core.now().before(SHOWN) } else { Timestamp::from_millis(i64::MAX) };
        let mut db = core.registry.read().await?;
        let known = Names::load(&mut db, &document).await?;
        let mut views = Vec::new();
        for doc in tenants {
            let found = series::list(&mut db, doc.id, since).await?;
            views.extend(found.iter().map(|it| {
                let terms = Terms::of_tool(&core, &document, doc.id, it.new.tool, it.agent);
                let sees = terms.shows_payloads_to(caller.actor);
                let shown = view(&core, &document, it, &known);
                SeriesView { schema: shown.schema.filter(|_| sees), ..shown }
            }));
        }
        Ok(views.into_iter().filter(|it| all || it.running).collect())
    }
}

/// Signs a series of approvals: for a call that waits and more like it, or ahead of any call of a
/// session.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct SeriesSign {
    /// The tenant.
    pub tenant: TenantId,
    /// The waiting call, which is approved with it and does not count.
    #[serde(default)]
    #[ts(optional)]
    pub approval: Option<ApprovalId>,
    /// The digest of that call's arguments that the operator saw; another one is refused.
    #[serde(default)]
    #[ts(optional)]
    pub shown: Option<Digest>,
    /// The session, where no call of it waits.
    #[serde(default)]
    #[ts(optional)]
    pub session: Option<SessionId>,
    /// The tool, where no call of it waits.
    #[serde(default)]
    #[ts(optional)]
    pub tool: Option<ToolId>,
    /// For how many calls it pays, the one that waits not counted.
    pub calls: u8,
    /// How long it lasts, in seconds.
    pub secs: u32,
    /// The JSON Schema that the arguments satisfy; exactly those of the waiting call, when absent.
    #[serde(default)]
    #[ts(optional)]
    pub schema: Option<String>,
    /// Whether any arguments are meant to do.
    #[serde(default)]
    #[ts(optional)]
    pub any_arguments: Option<bool>,
    /// The operator's passphrase, where the console is not unlocked by them.
    #[serde(default)]
    #[ts(optional)]
    pub passphrase: Option<SecretText>,
    /// Why, where a reason is given.
    #[serde(default)]
    #[ts(optional)]
    pub reason: Option<String>,
}

impl Command for SeriesSign {
    const NAME: &'static str = "series_sign";
    const NEEDS: Permission = Permission::Decide;
    type Answer = SeriesView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<SeriesView, ControlError> {
        let core = control.core()?;
        let wish = Wish {
            reason: self.reason.as_deref().map(given_reason).transpose()?,
            presence: self.passphrase.is_some(),
            break_glass: false,
        };
        let lasts = self.bounds()?;
        let signer = signer(control, caller, self.passphrase.as_ref()).await?;
        let by = cs_model::event::Actor::Operator { id: signer.id };
        let mut edit = core.edit_as(by, caller.correlation).await?;
        let (about, waiting) = self.about(&mut edit).await?;
        let document = core.document();
        let terms = Terms::of_tool(&core, &document, self.tenant, about.tool, about.agent);
        terms.check_series(&wish, &signer)?;
        let exactly = waiting.as_ref().map(|it| it.new.arguments.as_str());
        let any = self.any_arguments.unwrap_or_default();
        let schema = crate::series::schema(self.schema.as_deref(), exactly, any)?;
        let claims = self.claims(&core, &about, (&signer, &wish), &schema, edit.at(), lasts)?;
        let token = cs_trust::series::mint(&claims, &signer.key)
            .map_err(|source| ControlError::internal("sign the series", source))?;
        let new = NewSeries {
            id: claims.jti,
            tenant: self.tenant,
            operator: signer.id,
            session: about.session,
            tool: about.tool,
            approval: self.approval,
            schema,
            calls: self.calls,
            signed: edit.at(),
            expires: Timestamp::from_secs(claims.exp),
            token,
            reason: wish.reason.clone(),
            presence: wish.presence,
        };
        if let Some(found) = &waiting {
            approve(&core, &mut edit, found, &signer, wish).await?;
        }
        series::sign(edit.db(), &new).await?;
        let found = series::find(edit.db(), self.tenant, new.id).await?;
        let mut event = event_about(&edit, EventKind::SeriesSigned, &found);
        let reason = new.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        event.detail = Some(format!("up to {} calls in {} s{reason}", self.calls, self.secs));
        edit.tell(event);
        edit.keep().await?;
        decided(&core);
        core.waiters.signed_series();
        one(&core, self.tenant, found.new.id).await
    }
}

/// What a series is about.
struct About {
    agent: AgentId,
    session: SessionId,
    task: TaskId,
    tool: ToolId,
}

impl SeriesSign {
    /// How many seconds it lasts, if it is as bounded as a series has to be.
    fn bounds(&self) -> Result<i64, ControlError> {
        // The call that waits is one of them.
        let waiting = u8::from(self.approval.is_some());
        let most = MOST_CALLS.saturating_sub(waiting);
        if !(1..=most).contains(&self.calls) {
            let rule = format!("a series is for 1 to {most} calls");
            return Err(ControlError::invalid("calls", rule));
        }
        let lasts = i64::from(self.secs);
        if !(1..=MOST_SECS).contains(&lasts) {
            let rule = format!("a series lasts {} minutes at most", MOST_SECS.div_euclid(60));
            return Err(ControlError::invalid("secs", rule));
        }
        Ok(lasts)
    }

    /// Whose calls of what it is for, with the call that waits.
    async fn about(&self, edit: &mut Edit<'_>) -> Result<(About, Option<Approval>), ControlError> {
        let Some(approval) = self.approval else {
            let (Some(session), Some(tool)) = (self.session, self.tool) else {
                let rule = "a series is for a waiting call, or for a session and a tool";
                return Err(ControlError::invalid("approval", rule));
            };
            let found = session::find(edit.db(), self.tenant, session).await?;
            let task = found.new.task.filter(|_| found.is_live(edit.at()));
            let task = task.ok_or_else(|| ControlError::conflict("the session is over"))?;
            return Ok((About { agent: found.new.agent, session, task, tool }, None));
        };
        let found = approval::find(edit.db(), self.tenant, approval).await?;
        if self.shown != Some(found.new.arguments_digest) {
            return Err(ControlError::Stale {
                message: "these are not the arguments that were shown; look at the call again"
                    .to_owned(),
            });
        }
        if found.state != ApprovalState::Pending {
            return Err(ControlError::conflict("the call does not wait any more"));
        }
        let new = &found.new;
        let about =
            About { agent: new.agent, session: new.session, task: new.task, tool: new.tool };
        Ok((about, Some(found)))
    }

    /// What the operator signs.
    fn claims(
        &self,
        core: &Core,
        about: &About,
        (signer, wish): (&Unlocked, &Wish),
        schema: &str,
        at: Timestamp,
        lasts: i64,
    ) -> Result<SeriesClaims, ControlError> {
        let document = core.document();
        let tool = tool_of(names::tenant(&document, self.tenant)?, about.tool);
        let tool = tool.ok_or(ControlError::NotFound { what: "tool" })?;
        let iat = at.secs();
        Ok(SeriesClaims {
            iss: signer.id,
            aud: lifecycle::audience(core),
            sub: about.agent,
            tenant: self.tenant,
            sid: about.session,
            task: about.task,
            server: tool.server,
            tool: tool.id,
            tool_fpr: tool.fingerprint,
            schema: Digest::of(schema.as_bytes()),
            n: self.calls,
            pv: document.version,
            jti: SeriesId::from_random(core.random()?),
            iat,
            exp: iat.saturating_add(lasts),
            rsn: wish.reason.as_deref().map(|reason| Digest::of(reason.as_bytes())),
            prs: wish.presence,
        })
    }
}

/// Takes a series back: it pays for no more calls.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct SeriesRevoke {
    /// The tenant.
    pub tenant: TenantId,
    /// The series.
    pub series: SeriesId,
}

impl Command for SeriesRevoke {
    const NAME: &'static str = "series_revoke";
    const NEEDS: Permission = Permission::Decide;
    type Answer = SeriesView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<SeriesView, ControlError> {
        let core = control.core()?;
        let mut edit = core.edit(caller).await?;
        let by = match caller.actor {
            Actor::Operator { id, .. } => Some(id),
            Actor::Local { .. } | Actor::Nobody => None,
        };
        let found = series::find(edit.db(), self.tenant, self.series).await?;
        let ended = Ended { at: edit.at(), why: "revoked".to_owned(), by };
        if !series::end(edit.db(), self.tenant, self.series, &ended).await? {
            return Err(ControlError::conflict("the series is over already"));
        }
        let mut event = event_about(&edit, EventKind::SeriesRevoked, &found);
        event.detail = Some(format!("{} of {} calls were made", found.used, found.new.calls));
        edit.tell(event);
        edit.keep().await?;
        decided(&core);
        one(&core, self.tenant, self.series).await
    }
}

/// Ends what runs for the tool and session of a call that somebody denied: whoever says no to one
/// of these calls has not said yes to the next.
pub(super) async fn end_denied(edit: &mut Edit<'_>, found: &Approval) -> Result<(), ControlError> {
    let new = &found.new;
    for running in series::of_tool(edit.db(), new.tenant, new.session, new.tool).await? {
        let ended = Ended { at: edit.at(), why: "call_denied".to_owned(), by: None };
        if series::end(edit.db(), new.tenant, running.new.id, &ended).await? {
            let mut event = event_about(edit, EventKind::SeriesEnded, &running);
            event.reason = Some("call_denied".to_owned());
            edit.tell(event);
        }
    }
    Ok(())
}

fn event_about(edit: &Edit<'_>, kind: EventKind, found: &Series) -> Event {
    let mut event = edit.event(kind, Some(found.new.tenant));
    event.agent = Some(found.agent);
    event.credential = Some(found.credential);
    event.session = Some(found.new.session);
    event.task = found.task;
    event.server = Some(found.server);
    event.tool = Some(found.new.tool);
    event.tool_name = Some(found.tool_name.clone());
    event.approval = found.new.approval;
    event.series = Some(found.new.id);
    event
}

fn tool_of(doc: &TenantDoc, tool: ToolId) -> Option<&cs_model::document::ToolDoc> {
    doc.tools.iter().find(|it| it.id == tool)
}

async fn one(core: &Arc<Core>, tenant: TenantId, id: SeriesId) -> Result<SeriesView, ControlError> {
    let document = core.document();
    let mut db = core.registry.read().await?;
    let found = series::find(&mut db, tenant, id).await?;
    let names = Names::load(&mut db, &document).await?;
    Ok(view(core, &document, &found, &names))
}

fn view(core: &Arc<Core>, document: &Document, found: &Series, names: &Names) -> SeriesView {
    let new = &found.new;
    let running = found.ended.is_none() && core.now() < new.expires;
    let fault = match &found.ended {
        Some(ended) => Some(ended_because(&ended.why)),
        None if running => fault(core, document, found),
        None => Some(ended_because("expired")),
    };
    SeriesView {
        id: new.id,
        tenant: new.tenant,
        tenant_name: show::tenant_name(core, new.tenant),
        agent_name: found.agent_name.clone(),
        task_name: found.task_name.clone(),
        session: new.session,
        tool: new.tool,
        tool_name: found.tool_name.clone(),
        server_name: found.server_name.clone(),
        operator: new.operator,
        operator_name: names.operator(new.operator),
        approval: new.approval,
        schema: Some(new.schema.clone()),
        calls: new.calls,
        used: found.used,
        signed: new.signed,
        expires: new.expires,
        reason: new.reason.clone(),
        running,
        ended: found.ended.as_ref().map(|it| it.at).or((!running).then_some(new.expires)),
        fault,
        ended_by: found.ended.as_ref().and_then(|it| it.by).map(|id| names.operator(id)),
    }
}

/// Why a series that runs would pay for no call now.
fn fault(core: &Core, document: &Document, found: &Series) -> Option<String> {
    let new = &found.new;
    let terms = Terms::of_tool(core, document, new.tenant, new.tool, found.agent);
    if let Some(objection) = terms.objection(new.operator).or_else(|| terms.no_series()) {
        return Some(objection);
    }
    let Ok(verified) = cs_trust::series::verify(&new.token, |id| terms.public_key(id)) else {
        return Some("its operator has another key by now".to_owned());
    };
    let doc = document.tenants.iter().find(|it| it.id == new.tenant);
    let tool = doc.and_then(|doc| tool_of(doc, new.tool));
    let same = tool.is_some_and(|it| it.fingerprint == verified.claims().tool_fpr);
    (!same).then(|| "the tool has another definition by now".to_owned())
}

/// Why a series ended, in words.
fn ended_because(why: &str) -> String {
    let words = match why {
        "call_denied" => "a call of the tool was denied",
        "expired" => "its time was up",
        "revoked" => "it was taken back",
        "session_ended" => "the session ended",
        "used_up" => "all of its calls were made",
        other => return crate::reasons::words(other),
    };
    words.to_owned()
}
