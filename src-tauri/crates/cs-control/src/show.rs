//! From what the registry has to what a person is shown.

mod alert;
pub(crate) mod session;

use std::sync::Arc;

use cs_audit::Entry;
use cs_gateway::ports::Meanwhile;
use cs_gateway::upstream::{Health, HealthState};
use cs_model::document::{TenantDoc, ToolDoc};
use cs_model::event::Event;
use cs_model::state::ApprovalState;
use cs_model::{Digest, Grant, Kind, TenantId, Timestamp};
use cs_registry::approval::{Approval, Standing};
use cs_registry::credential::{ClientMethod, Credential, OutsideName, Proof};
use cs_registry::operator::{Operator, PastKey};
use cs_registry::server::Server;
use cs_registry::tenant::{Tally, Tenant};

pub(crate) use alert::{alert, alert_rule};

use crate::core::Core;
use crate::failure::ControlError;
use crate::housekeeper::due;
use crate::names::Names;
use crate::signing::Terms;
use crate::summary;
use crate::view::agent::{ClientMethodView, CredentialView, ProofView};
use crate::view::approval::ApprovalRow;
use crate::view::audit::AuditRow;
use crate::view::operator::{OperatorView, PastKeyView};
use crate::view::server::{ServerHealth, ServerView, ToolClaims, ToolGrant, ToolView};
use crate::view::task::TaskRef;
use crate::view::tenant::TenantView;

pub(crate) fn count(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX)
}

pub(crate) fn operator(found: &Operator, past: &[PastKey]) -> OperatorView {
    let past_keys: Vec<_> = past
        .iter()
        .filter(|it| it.operator == found.id)
        .map(|it| PastKeyView {
            key: Digest::of(&it.public_key),
            since: it.since,
            until: it.until,
            why: it.why,
        })
        .collect();
    OperatorView {
        id: found.id,
        name: found.name.clone(),
        role: found.role,
        created: found.created,
        key: Digest::of(&found.public_key),
        key_since: past_keys.first().map_or(found.created, |it| it.until),
        past_keys,
    }
}

pub(crate) fn tenant(found: &Tenant, tally: &Tally) -> TenantView {
    TenantView {
        id: found.id,
        name: found.name.to_string(),
        standing: found.standing,
        created: found.created,
        agents: tally.agents,
        servers: tally.servers,
        tools: tally.tools,
        tasks: tally.tasks,
        live_sessions: tally.live_sessions,
        starter: found.starter,
    }
}

pub(crate) fn credential(doc: &TenantDoc, found: &Credential, now: Timestamp) -> CredentialView {
    let tasks = found.tasks.as_ref().map(|bound| {
        let bound = doc.tasks.iter().filter(|task| bound.contains(&task.id));
        bound.map(|task| TaskRef { id: task.id, name: task.name.to_string() }).collect()
    });
    CredentialView {
        id: found.id,
        agent: found.agent,
        kind: found.proof.kind(),
        proof: proof(doc, &found.proof),
        key_id: found.key_id.clone(),
        networks: found.networks.clone(),
        tasks,
        state: found.state(now),
        created: found.created,
        expires: found.expires,
        last_used: found.last_used,
        last_from: found.last_from.clone(),
        replaces: found.replaces,
        waits: found.waits(),
        overlap_ends: found.overlap_ends,
        rotates: due::rotates(found, doc.lifecycle, now),
    }
}

fn proof(doc: &TenantDoc, proof: &Proof) -> ProofView {
    match proof {
        Proof::ApiKey => ProofView::ApiKey,
        Proof::Certificate { serial, fingerprint, spiffe, pem } => ProofView::Certificate {
            serial: serial.clone(),
            fingerprint: *fingerprint,
            spiffe: spiffe.clone(),
            pem: pem.clone(),
        },
        Proof::OutsideCertificate { authority, named } => {
            let (fingerprint, spiffe) = match named {
                OutsideName::Fingerprint(fingerprint) => (Some(*fingerprint), None),
                OutsideName::Spiffe(spiffe) => (None, Some(spiffe.clone())),
            };
            ProofView::OutsideCertificate { authority: *authority, fingerprint, spiffe }
        }
        Proof::Client { method } => ProofView::Client {
            method: match method {
                ClientMethod::Assertion { .. } => ClientMethodView::PrivateKeyJwt,
                ClientMethod::Certificate { .. } => ClientMethodView::TlsClientAuth,
                ClientMethod::Secret { .. } => ClientMethodView::ClientSecretBasic,
            },
        },
        Proof::External { provider, subject } => {
            let found = doc.providers.iter().find(|it| it.id == *provider);
            ProofView::External {
                provider: *provider,
                provider_name: found.map(|it| it.name.to_string()).unwrap_or_default(),
                subject: subject.clone(),
            }
        }
    }
}

/// How a server is doing. Nobody needed it where there is no gateway.
pub(crate) fn health(core: &Core, server: &Server) -> Health {
    match core.gateway() {
        Some(gateway) => gateway.server_health(server.tenant, server.id),
        None => Health::default(),
    }
}

pub(crate) fn server(
    found: &Server,
    health: &Health,
    tenant: &TenantDoc,
    now: Timestamp,
) -> ServerView {
    let tools = || tenant.tools.iter().filter(|tool| tool.server == found.id);
    ServerView {
        id: found.id,
        tenant: found.tenant,
        name: found.name.to_string(),
        enabled: found.enabled,
        transport: found.transport.clone(),
        passes: found.passes.clone(),
        health: match health.state {
            HealthState::Failing => ServerHealth::Failing,
            HealthState::Idle => ServerHealth::Idle,
            HealthState::Ready => ServerHealth::Ready,
            HealthState::Starting => ServerHealth::Starting,
        },
        since: health.since.map(|span| now.before(span)),
        problem: health.problem.clone(),
        restarts: u64::from(health.restarts),
        tools: count(tools().count()),
        enabled_tools: count(tools().filter(|tool| tool.enabled).count()),
    }
}

/// What a tool's definition says of it.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) title: Option<String>,
    pub(crate) description: String,
    pub(crate) claims: ToolClaims,
}

/// Reads what a tool's definition says of it. Nothing of it is to be trusted.
pub(crate) fn said(definition: &str) -> Said {
    let Ok(value) = serde_json::from_str::<serde_json::Value>(definition) else {
        return Said::default();
    };
    let hints = value.get("annotations");
    let text = |value: Option<&serde_json::Value>| value?.as_str().map(str::to_owned);
    let hint = |name: &str| hints?.get(name)?.as_bool();
    Said {
        title: text(value.get("title")).or_else(|| text(hints?.get("title"))),
        description: text(value.get("description")).unwrap_or_default(),
        claims: ToolClaims {
            read_only: hint("readOnlyHint"),
            destructive: hint("destructiveHint"),
            open_world: hint("openWorldHint"),
        },
    }
}

/// What a tool's own claims suggest. Only a suggestion: a liar would claim to be harmless.
/// Where nothing can be claimed, reading is what is done.
pub(crate) fn suggest(kind: Kind, claims: &ToolClaims) -> Grant {
    if kind != Kind::Tool {
        return Grant::Token;
    }
    match (claims.read_only, claims.open_world) {
        (Some(true), Some(false)) => Grant::Allow,
        (Some(true), _) | (Some(false) | None, _) => Grant::Token,
    }
}

pub(crate) fn tool(
    core: &Core,
    tenant: &TenantDoc,
    tool: &ToolDoc,
    drift: Option<String>,
) -> ToolView {
    let Said { title, description, claims } = said(&tool.definition);
    let server = tenant.servers.iter().find(|server| server.id == tool.server);
    ToolView {
        id: tool.id,
        server: tool.server,
        server_name: server.map(|server| server.name.to_string()).unwrap_or_default(),
        kind: tool.kind,
        name: tool.name.to_string(),
        title,
        description,
        definition: tool.definition.clone(),
        fingerprint: tool.fingerprint,
        enabled: tool.enabled,
        drift,
        problem: core.examined.problem(tool.kind, &tool.definition, tool.fingerprint),
        claims,
        scopes: tool.scopes.iter().cloned().collect(),
        data_system: tool.data_system.clone(),
        introspect: tool.introspect,
        rate: tool.rate,
        signing: tool.signing.clone(),
        effects: tool.effects,
        grants: tenant
            .roles
            .iter()
            .map(|role| ToolGrant {
                role: role.id,
                role_name: role.name.to_string(),
                grant: role.grants.get(&tool.id).copied().unwrap_or_default(),
            })
            .collect(),
    }
}

pub(crate) fn approval(
    core: &Core,
    found: &Approval,
    tenant_name: String,
    standing: &Standing,
) -> ApprovalRow {
    let new = &found.new;
    let pending = found.state == ApprovalState::Pending;
    let meanwhile = core.waiters.meanwhile(new.id).filter(|_| pending);
    let rule = Terms::of(core, &core.document(), found).rule;
    ApprovalRow {
        id: new.id,
        tenant: new.tenant,
        tenant_name,
        agent_name: found.agent_name.clone(),
        task_name: found.task_name.clone(),
        server_name: found.server_name.clone(),
        tool_name: found.tool_name.clone(),
        state: found.state,
        requested: new.requested,
        expires: found.expires(),
        held: meanwhile.is_some(),
        goes_on: meanwhile == Some(Meanwhile::Asks),
        signed: standing.signed.get(&new.id).copied().unwrap_or_default(),
        approvers: rule.approvers(),
        broke_glass: standing.glass.contains(&new.id),
    }
}

pub(crate) fn audit(entry: &Entry, names: &Names) -> Result<AuditRow, ControlError> {
    let event =
        entry.event().map_err(|source| ControlError::internal("read an audit event", source))?;
    Ok(row(entry, &event, names))
}

fn row(entry: &Entry, event: &Event, names: &Names) -> AuditRow {
    AuditRow {
        seq: entry.seq,
        at: event.at,
        kind: event.kind.as_str().to_owned(),
        tenant: event.tenant,
        tenant_name: event.tenant.and_then(|id| names.tenant(id)),
        who: summary::who(event, names),
        session: event.session,
        tool: summary::tool(event, names),
        decision: event.decision,
        reason: event.reason.clone(),
        summary: summary::summary(event, names),
        outcome: event.outcome,
        policy_version: event.policy_version,
        correlation: event.correlation,
        approval: event.approval,
        client: event.client.clone(),
        hash: entry.hash,
    }
}

/// The name of a tenant, or its id when it is gone.
pub(crate) fn tenant_name(core: &Arc<Core>, id: TenantId) -> String {
    let document = core.document();
    let found = document.tenants.iter().find(|tenant| tenant.id == id);
    found.map_or_else(|| id.to_string(), |tenant| tenant.name.to_string())
}
