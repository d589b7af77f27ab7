//! What a person is shown of one call that waits.

use std::sync::Arc;
use std::time::Duration;

use cs_model::document::{RoleDoc, TenantDoc, ToolDoc};
use cs_model::{ApprovalId, Document, Grant, TenantId};
use cs_registry::approval::{self, Approval};
use cs_registry::server::{self, Server};
use cs_registry::{SqliteConnection, policy, session};

use crate::actor::Actor;
use crate::commands::matrix;
use crate::core::Core;
use crate::failure::ControlError;
use crate::names::Names;
use crate::signing::Terms;
use crate::view::approval::ApprovalView;
use crate::{show, signing};

/// How far back what an agent did elsewhere is shown with its call.
const LATELY: Duration = Duration::from_secs(24 * 60 * 60);

/// What those are told who are not shown what agents send.
const WITHHELD: &str = "The arguments are shown to those who may sign this call, to owners and to \
                        auditors. Others see that a call waits, and of which tool.";

/// One call that waits, or waited, as this viewer may see it.
pub(crate) async fn view(
    core: &Arc<Core>,
    tenant: TenantId,
    id: ApprovalId,
    viewer: Actor,
) -> Result<ApprovalView, ControlError> {
    let mut db = core.registry.read().await?;
    let found = approval::find(&mut db, tenant, id).await?;
    let standing = approval::standing(&mut db, core.now()).await?;
    let signatures = approval::signatures(&mut db, tenant, id).await?;
    let names = Names::load(&mut db, &core.document()).await?;
    let new = &found.new;
    let session = session::find(&mut db, tenant, new.session).await?;
    let previous =
        approval::previous_arguments(&mut db, tenant, new.agent, new.tool, new.requested).await?;
    let since = core.now().before(LATELY);
    let elsewhere =
        session::anomalies_elsewhere(&mut db, (tenant, new.agent), new.session, since).await?;
    let lost_before = approval::lost_before(&mut db, new, new.requested.before(LATELY)).await?;
    let document = core.document();
    let drift = match server::find(&mut db, tenant, new.server).await {
        Ok(of) => drift(core, &of, &document, &found),
        // It is gone, and its tools with it.
        Err(_) => Some("null".to_owned()),
    };
    let then = pinned(&mut db, &document, &found).await?;
    let now = document.tenants.iter().find(|it| it.id == tenant);
    let roles = now.map(|doc| roles(doc, &found)).unwrap_or_default();
    let (doc, tool) = then
        .as_ref()
        .and_then(|document| at(document, &found))
        .ok_or_else(|| ControlError::NotFound { what: "definition of the tool" })?;
    let why = asked_because(now.unwrap_or(doc), &found);
    let decided = found.decided.as_ref();
    let terms = Terms::of(core, &document, &found);
    let sees = terms.shows_payloads_to(viewer);
    Ok(ApprovalView {
        row: show::approval(core, &found, show::tenant_name(core, tenant), &standing),
        agent: new.agent,
        session: new.session,
        roles,
        session_opened: session.new.opened,
        session_ends: session.new.ends,
        session_anomalies: session.anomalies,
        agent_anomalies: elsewhere,
        tool: show::tool(core, now.unwrap_or(doc), tool, drift),
        arguments: sees.then(|| new.arguments.clone()),
        withheld: (!sees).then(|| WITHHELD.to_owned()),
        arguments_digest: new.arguments_digest,
        arguments_bytes: show::count(new.arguments.len()),
        previous: previous.filter(|_| sees),
        policy_version: new.policy_version,
        asked_because: why,
        signing: signing::view(core, &found, &terms, &signatures, &names, viewer),
        decided_by: decided.map(|it| match it.by {
            Some(id) => names.operator(id),
            None => "command line".to_owned(),
        }),
        decided_at: decided.map(|it| it.at),
        reason: decided.and_then(|it| it.reason.clone()),
        outcome: found.outcome,
        lost_before,
    })
}

/// The policy that has the definition of the tool that was asked for: the one in force, or the
/// one that asked when the tool is gone or another one by now.
async fn pinned(
    db: &mut SqliteConnection,
    document: &Arc<Document>,
    found: &Approval,
) -> Result<Option<Arc<Document>>, ControlError> {
    if at(document, found).is_some() {
        return Ok(Some(Arc::clone(document)));
    }
    let then = policy::document(db, found.new.policy_version).await?;
    Ok(at(&then, found).is_some().then(|| Arc::new(then)))
}

fn at<'d>(document: &'d Document, found: &Approval) -> Option<(&'d TenantDoc, &'d ToolDoc)> {
    let doc = document.tenants.iter().find(|it| it.id == found.new.tenant)?;
    let tool = doc.tools.iter().find(|it| it.id == found.new.tool)?;
    (tool.fingerprint == found.new.fingerprint).then_some((doc, tool))
}

/// The definition that is accepted now, where it is not the one that was asked about, or `null` where
/// there is none or the server publishes another one: the call would be refused.
pub(super) fn drift(
    core: &Core,
    of: &Server,
    document: &Document,
    found: &Approval,
) -> Option<String> {
    let doc = document.tenants.iter().find(|it| it.id == found.new.tenant)?;
    if at(document, found).is_none() {
        let now = doc.tools.iter().find(|it| it.id == found.new.tool);
        return Some(now.map_or_else(|| "null".to_owned(), |it| it.definition.clone()));
    }
    let drifted = matrix::drifted(core, doc, std::slice::from_ref(of));
    drifted.contains(&found.new.tool).then(|| "null".to_owned())
}

fn roles(doc: &TenantDoc, found: &Approval) -> Vec<String> {
    let Some(agent) = doc.agents.iter().find(|agent| agent.id == found.new.agent) else {
        return Vec::new();
    };
    let own = doc.roles.iter().filter(|role| agent.roles.contains(&role.id));
    own.map(|role| role.name.to_string()).collect()
}

fn asked_because(doc: &TenantDoc, found: &Approval) -> String {
    let agent = doc.agents.iter().find(|agent| agent.id == found.new.agent);
    let asks = doc.roles.iter().find(|role| {
        agent.is_some_and(|agent| agent.roles.contains(&role.id))
            && role.grants.get(&found.new.tool) == Some(&Grant::Token)
    });
    let otherwise = |role: &&RoleDoc| {
        let condition = role.conditions.get(&found.new.tool);
        agent.is_some_and(|agent| agent.roles.contains(&role.id))
            && condition.is_some_and(|condition| condition.otherwise == Grant::Token)
    };
    match asks {
        None if let Some(role) = doc.roles.iter().find(otherwise) => format!(
            "Role {} may call {} without asking only with arguments that satisfy its condition, \
             and these do not.",
            role.name, found.tool_name
        ),
        Some(role) => format!(
            "Role {} may call {} only with an operator's signature for each call.",
            role.name, found.tool_name
        ),
        None => format!(
            "When {} asked, its roles allowed {} only with an operator's signature for each call.",
            found.agent_name, found.tool_name
        ),
    }
}
