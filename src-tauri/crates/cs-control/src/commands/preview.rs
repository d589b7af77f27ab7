//! What revoking or replacing credentials would do, before anything is done.

use std::collections::BTreeMap;

use cs_model::document::TenantDoc;
use cs_model::state::{CredentialKind, CredentialState};
use cs_model::{AgentId, CredentialId, TenantId};
use cs_registry::credential::{self, Credential};
use cs_registry::{approval, session};
use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::command::Command;
use crate::control::Control;
use crate::failure::ControlError;
use crate::view::outlook::{CutOffView, RevokePreviewView, RotatePreviewView};
use crate::{binding, names, show};

/// The most live sessions that are counted.
const MOST_SESSIONS: u32 = 100_000;

/// The most calls that wait that are counted.
const MOST_WAITING: u32 = 100_000;

/// Whose credentials are meant.
#[derive(Clone, Copy, Debug)]
struct Meant {
    agent: Option<AgentId>,
    credential: Option<CredentialId>,
}

impl Meant {
    /// Those that a tenant has of them.
    fn of(self, all: &[Credential]) -> impl Iterator<Item = &Credential> {
        all.iter().filter(move |it| self.includes(it.agent, it.id))
    }

    fn includes(self, agent: AgentId, credential: CredentialId) -> bool {
        self.agent.is_none_or(|it| it == agent) && self.credential.is_none_or(|it| it == credential)
    }

    /// Whether the tenant has what is named.
    fn check(self, doc: &TenantDoc, all: &[Credential]) -> Result<(), ControlError> {
        if let Some(agent) = self.agent {
            binding::agent(doc, agent)?;
        }
        if self.credential.is_some_and(|id| !all.iter().any(|it| it.id == id)) {
            return Err(ControlError::NotFound { what: "credential" });
        }
        Ok(())
    }
}

/// Who would be cut off by revoking one credential, or all that an agent, or a tenant, proves
/// itself with. Nothing is done.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct RevokePreview {
    /// The tenant.
    pub tenant: TenantId,
    /// The agent; all of the tenant's when absent.
    #[serde(default)]
    #[ts(optional)]
    pub agent: Option<AgentId>,
    /// The credential; all of them when absent.
    #[serde(default)]
    #[ts(optional)]
    pub credential: Option<CredentialId>,
}

impl Command for RevokePreview {
    const NAME: &'static str = "revoke_preview";
    const NEEDS: Permission = Permission::Look;
    type Answer = RevokePreviewView;

    async fn run(self, control: &Control, _: &Caller) -> Result<RevokePreviewView, ControlError> {
        let core = control.core()?;
        let document = core.document();
        let doc = names::tenant(&document, self.tenant)?;
        let meant = Meant { agent: self.agent, credential: self.credential };
        let now = core.now();
        let mut db = core.registry.read().await?;
        let all = credential::list(&mut db, self.tenant).await?;
        meant.check(doc, &all)?;
        let live = session::list(&mut db, self.tenant, true, now, MOST_SESSIONS).await?;
        let waiting = approval::waiting(&mut db, Some(self.tenant), now, MOST_WAITING).await?;
        let mut lost: BTreeMap<AgentId, CutOffView> = BTreeMap::new();
        let mut of = |agent: AgentId, change: &dyn Fn(&mut CutOffView)| {
            change(lost.entry(agent).or_insert_with(|| nothing(doc, agent)));
        };
        for it in all.iter().filter(|it| it.state(now) == CredentialState::Active) {
            if meant.includes(it.agent, it.id) {
                of(it.agent, &|own| {
                    own.credentials = own.credentials.saturating_add(1);
                    own.last_used = own.last_used.max(it.last_used);
                });
            }
        }
        for it in live.iter().filter(|it| meant.includes(it.new.agent, it.new.credential)) {
            of(it.new.agent, &|own| own.sessions = own.sessions.saturating_add(1));
        }
        for it in waiting.iter().filter(|it| meant.includes(it.new.agent, it.new.credential)) {
            of(it.new.agent, &|own| own.waiting = own.waiting.saturating_add(1));
        }
        for it in all.iter().filter(|it| it.state(now) == CredentialState::Active && !it.waits()) {
            if let Some(own) = lost.get_mut(&it.agent)
                && !meant.includes(it.agent, it.id)
            {
                own.left = own.left.saturating_add(1);
            }
        }
        let mut agents: Vec<CutOffView> = lost.into_values().collect();
        agents.sort_by(|one, other| one.name.cmp(&other.name));
        let sum = |number: fn(&CutOffView) -> u64| agents.iter().map(number).sum();
        Ok(RevokePreviewView {
            credentials: show::count(meant.of(&all).filter(|it| it.revoked_at.is_none()).count()),
            sessions: sum(|it| it.sessions),
            waiting: sum(|it| it.waiting),
            agents,
        })
    }
}

fn nothing(doc: &TenantDoc, agent: AgentId) -> CutOffView {
    let found = doc.agents.iter().find(|it| it.id == agent);
    CutOffView {
        agent,
        name: found.map(|it| it.name.to_string()).unwrap_or_default(),
        credentials: 0,
        left: 0,
        sessions: 0,
        waiting: 0,
        last_used: None,
    }
}

/// What would be done by replacing one API key, or all of an agent, or of a tenant. Nothing is.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct RotatePreview {
    /// The tenant.
    pub tenant: TenantId,
    /// The agent; all of the tenant's when absent.
    #[serde(default)]
    #[ts(optional)]
    pub agent: Option<AgentId>,
    /// The credential; all of them when absent.
    #[serde(default)]
    #[ts(optional)]
    pub credential: Option<CredentialId>,
}

impl Command for RotatePreview {
    const NAME: &'static str = "rotate_preview";
    const NEEDS: Permission = Permission::Look;
    type Answer = RotatePreviewView;

    async fn run(self, control: &Control, _: &Caller) -> Result<RotatePreviewView, ControlError> {
        let core = control.core()?;
        let document = core.document();
        let doc = names::tenant(&document, self.tenant)?;
        let meant = Meant { agent: self.agent, credential: self.credential };
        let now = core.now();
        let mut db = core.registry.read().await?;
        let all = credential::list(&mut db, self.tenant).await?;
        meant.check(doc, &all)?;
        let is_replaced = |id: CredentialId| {
            all.iter().any(|it| it.revoked_at.is_none() && it.replaces == Some(id))
        };
        let good = meant.of(&all).filter(|it| it.state(now) == CredentialState::Active);
        let (keys, others): (Vec<&Credential>, Vec<&Credential>) =
            good.partition(|it| it.proof.kind() == CredentialKind::ApiKey);
        // A successor that nobody has fetched is no key of anybody yet.
        let (already, keys): (Vec<&Credential>, Vec<&Credential>) = keys
            .into_iter()
            .filter(|it| !it.waits())
            .partition(|it| it.overlap_ends.is_some() || is_replaced(it.id));
        let mut agents: Vec<String> = doc
            .agents
            .iter()
            .filter(|agent| keys.iter().any(|it| it.agent == agent.id))
            .map(|agent| agent.name.to_string())
            .collect();
        agents.sort();
        Ok(RotatePreviewView {
            keys: show::count(keys.len()),
            already: show::count(already.len()),
            others: show::count(others.len()),
            agents,
            first_end: keys.iter().map(|it| it.expires).min(),
            overlap_secs: doc.lifecycle.overlap(),
        })
    }
}
