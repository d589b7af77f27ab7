//! A tenant's credentials in pages.

use cs_model::state::{CredentialKind, CredentialOrder, CredentialStage};
use cs_model::{AgentId, CredentialId, TenantId};
use cs_registry::credential::{self, Filter, Page};
use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::command::Command;
use crate::control::Control;
use crate::failure::ControlError;
use crate::housekeeper::due;
use crate::view::inventory::{CredentialPageView, CredentialRow, NextView, StageCount};
use crate::{binding, names, show};

/// The most credentials of one page.
const MOST: u32 = 500;

/// The longest words that are looked for.
const LONGEST_TEXT: usize = 200;

/// Which credentials. What is absent does not narrow.
#[derive(Clone, Debug, Default, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct CredentialFilter {
    /// This one alone.
    #[serde(default)]
    #[ts(optional)]
    pub credential: Option<CredentialId>,
    /// Those of this agent.
    #[serde(default)]
    #[ts(optional)]
    pub agent: Option<AgentId>,
    /// Those of this kind.
    #[serde(default)]
    #[ts(optional)]
    pub kind: Option<CredentialKind>,
    /// Those in this stage of their lives.
    #[serde(default)]
    #[ts(optional)]
    pub stage: Option<CredentialStage>,
    /// Those with these words in what they are recognised by, or in the name of their agent.
    #[serde(default)]
    #[ts(optional)]
    pub text: Option<String>,
}

/// A page of a tenant's credentials: where in its life each is, and what comes next.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct CredentialPage {
    /// The tenant.
    pub tenant: TenantId,
    /// Which of them.
    pub filter: CredentialFilter,
    /// What they are sorted by.
    pub order: CredentialOrder,
    /// Whether the last comes first.
    #[serde(default)]
    #[ts(optional)]
    pub reversed: Option<bool>,
    /// How many to leave out in front.
    #[serde(default)]
    #[ts(optional)]
    pub offset: Option<u32>,
    /// How many, at most: 1 to 500.
    pub limit: u32,
}

impl Command for CredentialPage {
    const NAME: &'static str = "credential_page";
    const NEEDS: Permission = Permission::Look;
    type Answer = CredentialPageView;

    async fn run(self, control: &Control, _: &Caller) -> Result<CredentialPageView, ControlError> {
        if !(1..=MOST).contains(&self.limit) {
            let rule = format!("a page has between 1 and {MOST} credentials");
            return Err(ControlError::invalid("limit", rule));
        }
        let text = self.filter.text.map(|text| text.trim().to_owned());
        if text.as_ref().is_some_and(|text| text.chars().count() > LONGEST_TEXT) {
            let rule = format!("words to look for have at most {LONGEST_TEXT} characters");
            return Err(ControlError::invalid("filter", rule));
        }
        let core = control.core()?;
        let document = core.document();
        let doc = names::tenant(&document, self.tenant)?;
        let (now, terms) = (core.now(), doc.lifecycle);
        let filter = Filter {
            credential: self.filter.credential,
            agent: self.filter.agent,
            kind: self.filter.kind,
            stage: self.filter.stage,
            text: text.filter(|text| !text.is_empty()),
        };
        let page = Page {
            order: self.order,
            is_reversed: self.reversed.unwrap_or_default(),
            offset: self.offset.unwrap_or_default(),
            limit: self.limit,
        };
        let mut db = core.registry.read().await?;
        if let Some(agent) = filter.agent {
            binding::agent(doc, agent)?;
        }
        if let Some(id) = filter.credential {
            credential::find(&mut db, self.tenant, id).await?;
        }
        let stages = credential::stages(&mut db, self.tenant, &filter, (terms, now)).await?;
        let found = credential::page(&mut db, self.tenant, &filter, page, (terms, now)).await?;
        let total = match filter.stage {
            Some(stage) => stages.get(&stage).copied().unwrap_or_default(),
            None => stages.values().sum(),
        };
        let row = |it: &credential::Found| {
            let agent = doc.agents.iter().find(|agent| agent.id == it.credential.agent);
            let over = matches!(it.stage, CredentialStage::Expired | CredentialStage::Revoked);
            let beside = (it.old_ends, it.successor.is_some());
            let next = due::ahead(&it.credential, beside, terms, now).into_iter().next();
            let mut credential = show::credential(doc, &it.credential, now);
            // What has a successor is not replaced once more.
            credential.rotates = credential.rotates.filter(|_| it.successor.is_none());
            CredentialRow {
                credential,
                agent_name: agent.map(|agent| agent.name.to_string()).unwrap_or_default(),
                stage: it.stage,
                successor: it.successor,
                next: next.filter(|_| !over).map(|(at, what)| NextView { at, what }),
                sessions: it.sessions,
            }
        };
        Ok(CredentialPageView {
            rows: found.iter().map(row).collect(),
            total,
            stages: stages
                .into_iter()
                .map(|(stage, credentials)| StageCount { stage, credentials })
                .collect(),
        })
    }
}
