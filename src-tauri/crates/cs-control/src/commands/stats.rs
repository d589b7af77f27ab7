//! How approving goes, and which grants that speaks for.

use std::collections::BTreeMap;
use std::time::Duration;

use cs_model::document::TenantDoc;
use cs_model::{Grant, RoleId, TenantId, ToolId};
use cs_registry::approval::{self, Dealt, DealtWith};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::command::Command;
use crate::control::Control;
use crate::failure::ControlError;
use crate::show;
use crate::view::stats::{ApprovalFigures, ApprovalLine, ApprovalStats, Suggestion};

/// The longest span that can be asked about, in days.
const MOST_DAYS: u32 = 365;

/// The span that suggestions are made from, in days.
const SUGGEST_DAYS: u32 = 30;

/// So many calls of a cell have to be approved, and none denied, to speak for letting them pass.
const LEAST_APPROVED: u64 = 20;

/// So many have to be denied, and none approved, to speak for refusing them.
const LEAST_DENIED: u64 = 5;

/// By what to count.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum StatsBy {
    /// By agent.
    Agent,
    /// By tool.
    Tool,
}

/// How approving went: what became of calls, and how long people took, by tool or by agent; and
/// the cells of the matrix that the last 30 days speak for changing. Nothing is changed by it.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ApprovalStatsOf {
    /// In this tenant; in all, when absent.
    #[serde(default)]
    #[ts(optional)]
    pub tenant: Option<TenantId>,
    /// By what.
    pub by: StatsBy,
    /// Over so many days: 1 to 365.
    pub days: u32,
}

impl Command for ApprovalStatsOf {
    const NAME: &'static str = "approval_stats";
    const NEEDS: Permission = Permission::Look;
    type Answer = ApprovalStats;

    async fn run(self, control: &Control, _: &Caller) -> Result<ApprovalStats, ControlError> {
        if !(1..=MOST_DAYS).contains(&self.days) {
            return Err(ControlError::invalid("days", format!("1 to {MOST_DAYS} days")));
        }
        let core = control.core()?;
        let now = core.now();
        let since =
            |days: u32| now.before(Duration::from_secs(u64::from(days).saturating_mul(86_400)));
        let mut db = core.registry.read().await?;
        let found = approval::stats(&mut db, self.tenant, since(self.days)).await?;
        let lately = approval::stats(&mut db, self.tenant, since(SUGGEST_DAYS)).await?;
        drop(db);
        let document = core.document();
        let mut all = Dealt::default();
        found.iter().for_each(|it| all.add(&it.dealt));
        let tenants = document.tenants.iter();
        Ok(ApprovalStats {
            days: self.days,
            all: figures(&all),
            lines: lines(&found, self.by, |tenant| show::tenant_name(&core, tenant)),
            suggestions: tenants.flat_map(|doc| suggestions(doc, &lately)).collect(),
            suggest_days: SUGGEST_DAYS,
            least_approved: LEAST_APPROVED,
            least_denied: LEAST_DENIED,
        })
    }
}

fn figures(dealt: &Dealt) -> ApprovalFigures {
    let secs = |percent| dealt.percentile(percent).map(|millis| millis.div_ceil(1000));
    ApprovalFigures {
        asked: dealt.asked,
        approved: dealt.approved,
        denied: dealt.denied,
        expired: dealt.expired,
        withdrawn: dealt.withdrawn,
        median_seconds: secs(50),
        p90_seconds: secs(90),
    }
}

/// One line for each tool or agent, the most asked first.
fn lines(
    found: &[DealtWith],
    by: StatsBy,
    tenant_name: impl Fn(TenantId) -> String,
) -> Vec<ApprovalLine> {
    let mut lines: BTreeMap<(TenantId, String), (Option<String>, String, Dealt)> = BTreeMap::new();
    for it in found {
        let (key, server, name) = match by {
            StatsBy::Agent => (it.agent.to_string(), None, &it.agent_name),
            StatsBy::Tool => (it.tool.to_string(), Some(it.server_name.clone()), &it.tool_name),
        };
        let line = lines
            .entry((it.tenant, key))
            .or_insert_with(|| (server, name.clone(), Dealt::default()));
        line.2.add(&it.dealt);
    }
    let shown = lines.into_iter().map(|((tenant, _), (server_name, name, dealt))| ApprovalLine {
        tenant_name: tenant_name(tenant),
        server_name,
        name,
        figures: figures(&dealt),
    });
    let mut shown: Vec<ApprovalLine> = shown.collect();
    shown.sort_by(|a, b| b.figures.asked.cmp(&a.figures.asked).then_with(|| a.name.cmp(&b.name)));
    shown
}

/// The cells of a tenant that ask people and got one answer only.
fn suggestions(doc: &TenantDoc, lately: &[DealtWith]) -> Vec<Suggestion> {
    let mut cells: BTreeMap<(RoleId, ToolId), Dealt> = BTreeMap::new();
    for it in lately.iter().filter(|it| it.tenant == doc.id) {
        let Some(agent) = doc.agents.iter().find(|agent| agent.id == it.agent) else { continue };
        let asks = |role: &&cs_model::document::RoleDoc| {
            agent.roles.contains(&role.id) && role.grants.get(&it.tool) == Some(&Grant::Token)
        };
        for role in doc.roles.iter().filter(asks) {
            cells.entry((role.id, it.tool)).or_default().add(&it.dealt);
        }
    }
    let cells = cells.into_iter();
    let mut all: Vec<Suggestion> =
        cells.filter_map(|((role, tool), dealt)| suggestion(doc, role, tool, &dealt)).collect();
    all.sort_by(|a, b| b.decided.cmp(&a.decided).then_with(|| a.tool_name.cmp(&b.tool_name)));
    all
}

/// What a cell speaks for, if it speaks clearly. Whoever asked for more than one plain signature
/// does not want the tool to run without any.
fn suggestion(doc: &TenantDoc, role: RoleId, tool: ToolId, dealt: &Dealt) -> Option<Suggestion> {
    let role = doc.roles.iter().find(|it| it.id == role)?;
    let tool = doc.tools.iter().find(|it| it.id == tool)?;
    let server = doc.servers.iter().find(|it| it.id == tool.server)?;
    let Dealt { approved, denied, .. } = *dealt;
    let median = dealt.percentile(50)?.div_ceil(1000);
    let within = format!("in the last {SUGGEST_DAYS} days");
    let (grant, sentence) = if denied == 0 && approved >= LEAST_APPROVED {
        if !tool.signing.is_default() || !tool.effects.is_default() {
            return None;
        }
        let sentence = format!(
            "approved {approved} of {approved} {within}, median {median} s: consider allow, or \
             allow where the arguments are the usual ones and token otherwise"
        );
        (Grant::Allow, sentence)
    } else if approved == 0 && denied >= LEAST_DENIED {
        (Grant::Deny, format!("denied {denied} of {denied} {within}: consider deny"))
    } else {
        return None;
    };
    Some(Suggestion {
        tenant: doc.id,
        tenant_name: doc.name.to_string(),
        role: role.id,
        role_name: role.name.to_string(),
        tool: tool.id,
        tool_name: tool.kind.marked(tool.name.as_str()),
        server_name: server.name.to_string(),
        grant,
        decided: approved.saturating_add(denied),
        median_seconds: median,
        sentence,
    })
}
