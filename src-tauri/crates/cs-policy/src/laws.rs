//! Laws that hold for every policy, tried on random ones.
//!
//! Both tenants use the same ids, so that a look-up which forgets the tenant finds the wrong row
//! and not none.

use std::collections::BTreeMap;

use cs_model::document::{Document, RoleDoc, ServerDoc, TenantDoc};
use cs_model::state::Standing;
use cs_model::{AgentId, Digest, Grant, Kind, Passes, RoleId, ServerId, TaskId, ToolId, ToolName};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::fixture::{
    ACME, GLOBEX, MET, NOON, UNMET, agent, best_call, call, compiled, condition, level, name, role,
    session, task, tool,
};
use crate::{
    Deny, Gate, Session, Snapshot, Verdict, decide, diff, explain, explain_for, explain_in, visible,
};

const SERVERS: u8 = 2;
const TOOLS: u8 = 4;
const ROLES: u8 = 3;
const TASKS: u8 = 2;
const AGENTS: u8 = 2;
const NAMES: [&str; 3] = ["read", "write", "send"];

fn server_id(n: u8) -> ServerId {
    ServerId::from_random([n; 16])
}

fn tool_id(n: u8) -> ToolId {
    ToolId::from_random([n; 16])
}

fn role_id(n: u8) -> RoleId {
    RoleId::from_random([n; 16])
}

fn task_id(n: u8) -> TaskId {
    TaskId::from_random([n; 16])
}

fn agent_id(n: u8) -> AgentId {
    AgentId::from_random([n; 16])
}

/// Usually true, so that most calls get past the first gates.
fn mostly() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.85)
}

fn standing() -> impl Strategy<Value = Standing> {
    mostly().prop_map(|active| if active { Standing::Active } else { Standing::Suspended })
}

fn some_of<T: Clone + std::fmt::Debug + 'static>(all: Vec<T>) -> impl Strategy<Value = Vec<T>> {
    let most = all.len();
    prop::sample::subsequence(all, 0..=most)
}

fn tool_ids() -> Vec<ToolId> {
    (0..TOOLS).map(tool_id).collect()
}

prop_compose! {
    fn some_tenant()(
        standing in standing(),
        servers in prop::collection::vec(mostly(), usize::from(SERVERS)),
        tools in prop::collection::vec(
            (0..SERVERS, mostly(), 0..2_u8, select(Kind::ALL.to_vec())),
            usize::from(TOOLS),
        ),
        cells in prop::collection::vec(
            prop::collection::vec(
                (
                    prop::option::of(select(vec![Grant::Deny, Grant::Token, Grant::Allow])),
                    prop::option::of((
                        select(vec![MET, UNMET]),
                        select(vec![Grant::Deny, Grant::Token]),
                    )),
                ),
                usize::from(TOOLS),
            ),
            usize::from(ROLES),
        ),
        tasks in prop::collection::vec(some_of(tool_ids()), usize::from(TASKS)),
        agents in prop::collection::vec(
            (
                self::standing(),
                some_of((0..ROLES).map(role_id).collect()),
                some_of((0..TASKS).map(task_id).collect()),
            ),
            usize::from(AGENTS),
        ),
    ) -> TenantDoc {
        let numbered = |n: u8, text: &str| name(&format!("{text}{n}"));
        TenantDoc {
            id: ACME,
            name: name("acme"),
            standing,
            servers: (0..).zip(servers).map(|(n, enabled)| {
                ServerDoc { id: server_id(n), name: numbered(n, "s"), enabled, passes: Passes::default() }
            }).collect(),
            tools: (0..).zip(tools).map(|(n, (server, enabled, definition, kind))| {
                // Tools of one server have names of their own; tools of two may share one.
                let text = NAMES.get(usize::from(n)).copied().unwrap_or(NAMES[0]);
                let clash = n == 3 && server == 0;
                let mut doc = tool(tool_id(n), server_id(server), if clash { "erase" } else { text });
                if n == 3 && server == 1 { doc.name = tool(doc.id, doc.server, "other").name; }
                doc.name = match kind {
                    Kind::Prompt | Kind::Tool => doc.name,
                    Kind::Resource => ToolName::of(kind, &format!("r:/n{n}")).unwrap(),
                    Kind::Template => ToolName::of(kind, &format!("t:/n{n}/{{x}}")).unwrap(),
                };
                doc.kind = kind;
                doc.fingerprint = Digest::of(&[n, definition, kind as u8]);
                doc.enabled = enabled;
                doc
            }).collect(),
            roles: (0..).zip(cells).map(|(n, cells)| {
                let granted: Vec<_> = tool_ids().into_iter().zip(&cells)
                    .filter_map(|(tool, (grant, _))| Some((tool, (*grant)?))).collect();
                let mut doc = role(role_id(n), &format!("r{n}"), &granted);
                doc.conditions = tool_ids().into_iter().zip(cells)
                    .filter_map(|(tool, (grant, when))| {
                        let (schema, otherwise) = when?;
                        (otherwise < grant?).then(|| (tool, condition(schema, otherwise)))
                    })
                    .collect();
                doc
            }).collect(),
            tasks: (0..).zip(tasks)
                .map(|(n, tools)| task(task_id(n), &format!("t{n}"), &tools)).collect(),
            agents: (0..).zip(agents).map(|(n, (standing, roles, tasks))| {
                let mut doc = agent(agent_id(n), &format!("a{n}"), &roles, &tasks);
                doc.standing = standing;
                doc
            }).collect(),
            providers: Vec::new(),
            issuer: None,
            lifecycle: cs_model::Lifecycle::default(),
        }
    }
}

fn document(tenants: Vec<TenantDoc>) -> Document {
    Document { version: 1, tenants }
}

fn alone(tenant: &TenantDoc) -> Document {
    document(vec![tenant.clone()])
}

fn beside(tenant: &TenantDoc, other: &TenantDoc) -> Document {
    let other = TenantDoc { id: GLOBEX, name: name("globex"), ..other.clone() };
    document(vec![tenant.clone(), other])
}

/// Who asks, and for which task.
fn asking() -> impl Strategy<Value = (AgentId, Option<TaskId>)> {
    let task = prop::option::weighted(0.9, (0..TASKS).prop_map(task_id));
    ((0..AGENTS).prop_map(agent_id), task)
}

/// Every marked name under which any tool could be meant, and some that mean none.
fn names(tenant: &TenantDoc) -> Vec<String> {
    let mut names = vec![String::new(), "nothing".to_owned(), "s0__".to_owned()];
    for tool in &tenant.tools {
        names.push(tool.kind.marked(tool.name.as_str()));
        let prefixed = tenant.servers.iter().map(|it| format!("{}__{}", it.name, tool.name));
        names.extend(prefixed.map(|name| tool.kind.marked(&name)));
    }
    names
}

/// What a session may do with each tool, whatever it is called in it.
fn levels(snapshot: &Snapshot, session: &Session) -> BTreeMap<ToolId, Grant> {
    let mut levels: BTreeMap<_, _> = tool_ids().into_iter().map(|id| (id, Grant::Deny)).collect();
    for (listed, entry) in session.allowlist.iter() {
        let verdict = decide(snapshot, session, &call(listed), NOON);
        levels.insert(entry.tool, level(&verdict));
    }
    levels
}

/// What a cell grants to the arguments of `call`.
fn cell_of(role: &RoleDoc, tool: ToolId) -> Grant {
    let grant = role.grants.get(&tool).copied().unwrap_or_default();
    match role.conditions.get(&tool) {
        Some(condition) if condition.schema == UNMET => condition.otherwise,
        Some(_) | None => grant,
    }
}

fn fresh(document: &Document, agent: AgentId, task: Option<TaskId>) -> BTreeMap<ToolId, Grant> {
    let snapshot = compiled(document);
    levels(&snapshot, &session(&snapshot, agent, task))
}

fn take<T>(_: Option<T>) {}

/// Takes one thing away: a cell, a tool of a task, a role or a task of an agent, or something's
/// right to be used at all.
fn narrowed(tenant: &TenantDoc, way: u8, which: &Index) -> TenantDoc {
    let mut narrower = tenant.clone();
    let at = |len: usize| which.index(len);
    match way {
        0 => {
            let role = &mut narrower.roles[at(usize::from(ROLES))];
            if let Some((tool, _)) = role.grants.pop_first() {
                role.conditions.remove(&tool);
            }
        }
        1 => take(narrower.tasks[at(usize::from(TASKS))].tools.pop_first()),
        2 => take(narrower.agents[at(usize::from(AGENTS))].roles.pop_first()),
        3 => take(narrower.agents[at(usize::from(AGENTS))].tasks.pop_first()),
        4 => narrower.agents[at(usize::from(AGENTS))].standing = Standing::Suspended,
        5 => narrower.tools[at(usize::from(TOOLS))].enabled = false,
        6 => narrower.servers[at(usize::from(SERVERS))].enabled = false,
        7 => {
            let role = &mut narrower.roles[at(usize::from(ROLES))];
            let granted = role.grants.iter().find(|(_, grant)| **grant != Grant::Deny);
            if let Some((tool, _)) = granted {
                role.conditions.insert(*tool, condition(UNMET, Grant::Deny));
            }
        }
        _ => narrower.standing = Standing::Suspended,
    }
    narrower
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nothing_outside_role_task_and_tenant_is_ever_allowed(
        tenant in some_tenant(), (agent, task) in asking(),
    ) {
        for (id, level) in fresh(&alone(&tenant), agent, task) {
            let doc = tenant.agents.iter().find(|doc| doc.id == agent).unwrap();
            let tool = tenant.tools.iter().find(|tool| tool.id == id).unwrap();
            let granted = tenant.roles.iter().filter(|role| doc.roles.contains(&role.id))
                .map(|role| cell_of(role, id)).max().unwrap_or(Grant::Deny);
            let listed = tenant.tasks.iter()
                .any(|it| Some(it.id) == task && doc.tasks.contains(&it.id) && it.tools.contains(&id));
            let server = tenant.servers.iter().find(|server| server.id == tool.server).unwrap();
            let usable = tool.enabled && server.enabled && tenant.standing == Standing::Active
                && doc.standing == Standing::Active;
            let expected = if listed && usable { granted } else { Grant::Deny };
            prop_assert_eq!(level, expected, "{:?}", id);
        }
    }

    #[test]
    fn taking_something_away_never_allows_more_neither_now_nor_in_a_new_session(
        tenant in some_tenant(), (agent, task) in asking(), way in 0..9_u8, which in any::<Index>(),
    ) {
        let (before, after) = (alone(&tenant), alone(&narrowed(&tenant, way, &which)));
        let had = fresh(&before, agent, task);
        let live = session(&compiled(&before), agent, task);
        for now in [fresh(&after, agent, task), levels(&compiled(&after), &live)] {
            for (tool, level) in now {
                prop_assert!(level <= had[&tool], "{:?}: {:?} after {:?}", tool, level, had[&tool]);
            }
        }
    }

    #[test]
    fn a_condition_never_grants_more_than_its_cell_and_no_less_than_it_says(
        tenant in some_tenant(), (agent, task) in asking(),
    ) {
        let mut free = tenant.clone();
        let mut worst = tenant.clone();
        for role in &mut free.roles {
            role.conditions.clear();
        }
        for role in &mut worst.roles {
            let conditions = std::mem::take(&mut role.conditions);
            role.grants.extend(conditions.into_iter().map(|(tool, it)| (tool, it.otherwise)));
        }
        let (free, worst) = (fresh(&alone(&free), agent, task), fresh(&alone(&worst), agent, task));
        for (tool, level) in fresh(&alone(&tenant), agent, task) {
            prop_assert!(worst[&tool] <= level && level <= free[&tool], "{:?}", tool);
        }
    }

    #[test]
    fn a_condition_that_is_lifted_frees_the_next_session_only(
        tenant in some_tenant(), (agent, task) in asking(),
    ) {
        let mut free = tenant.clone();
        for role in &mut free.roles {
            role.conditions.clear();
        }
        let live = session(&compiled(&alone(&tenant)), agent, task);
        let had = fresh(&alone(&tenant), agent, task);
        prop_assert_eq!(levels(&compiled(&alone(&free)), &live), had);
    }

    #[test]
    fn a_live_session_gets_the_narrower_of_then_and_now(
        then in some_tenant(), now in some_tenant(), (agent, task) in asking(),
    ) {
        let (then, now) = (alone(&then), alone(&now));
        let live = session(&compiled(&then), agent, task);
        let (had, next) = (fresh(&then, agent, task), fresh(&now, agent, task));
        for (tool, level) in levels(&compiled(&now), &live) {
            prop_assert!(level <= had[&tool].min(next[&tool]), "{:?}", tool);
            let definition = |document: &Document| {
                document.tenants[0].tools.iter().find(|it| it.id == tool).unwrap().fingerprint
            };
            if definition(&then) == definition(&now) {
                prop_assert_eq!(level, had[&tool].min(next[&tool]), "{:?}", tool);
            } else {
                prop_assert_eq!(level, Grant::Deny, "{:?} has another definition", tool);
            }
        }
    }

    #[test]
    fn a_decision_in_one_tenant_never_depends_on_another(
        tenant in some_tenant(), other in some_tenant(), (agent, task) in asking(),
    ) {
        let (alone, beside) = (compiled(&alone(&tenant)), compiled(&beside(&tenant, &other)));
        let (one, two) = (session(&alone, agent, task), session(&beside, agent, task));
        prop_assert_eq!(&one, &two);
        for listed in names(&tenant).iter().chain(&names(&other)) {
            prop_assert_eq!(
                decide(&alone, &one, &call(listed), NOON),
                decide(&beside, &one, &call(listed), NOON),
                "{}", listed
            );
        }
    }

    #[test]
    fn a_session_is_worth_nothing_in_another_tenant(
        tenant in some_tenant(), other in some_tenant(), (agent, task) in asking(),
    ) {
        let snapshot = compiled(&beside(&tenant, &other));
        let mine = session(&snapshot, agent, task);
        let theirs = Session { tenant: GLOBEX, ..session(&snapshot, agent, task) };
        let there = levels(&compiled(&document(vec![TenantDoc {
            id: GLOBEX, name: name("globex"), ..other.clone()
        }])), &theirs);
        prop_assert_eq!(levels(&snapshot, &theirs), there);
        let without = document(vec![TenantDoc { id: GLOBEX, name: name("globex"), ..other }]);
        prop_assert!(levels(&compiled(&without), &mine).values().all(|it| *it == Grant::Deny));
    }

    #[test]
    fn what_is_listed_is_exactly_what_can_be_called(
        then in some_tenant(), now in some_tenant(), (agent, task) in asking(),
    ) {
        let live = session(&compiled(&alone(&then)), agent, task);
        let now_doc = alone(&now);
        let snapshot = compiled(&now_doc);
        let seen = visible(&snapshot, &live, NOON);
        for listed in names(&then).iter().chain(&names(&now)) {
            let verdict = decide(&snapshot, &live, &best_call(listed), NOON);
            let shown: Vec<_> = seen.iter()
                .filter(|it| it.tool.kind.marked(it.listed) == *listed).collect();
            match shown.as_slice() {
                [] => prop_assert_eq!(level(&verdict), Grant::Deny, "{}", listed),
                [tool] => prop_assert_eq!(level(&verdict), tool.grant, "{}", listed),
                _ => prop_assert!(false, "{} is listed twice", listed),
            }
        }
        prop_assert!(seen.iter().all(|tool| tool.grant != Grant::Deny));
    }

    #[test]
    fn an_explanation_never_disagrees_with_the_decision(
        tenant in some_tenant(), (agent, task) in asking(),
    ) {
        let snapshot = compiled(&alone(&tenant));
        let fresh = session(&snapshot, agent, task);
        for tool in tool_ids() {
            let entry = fresh.allowlist.iter().find(|(_, entry)| entry.tool == tool);
            let verdict = entry.map(|(listed, _)| decide(&snapshot, &fresh, &best_call(listed), NOON));
            let level = verdict.as_ref().map_or(Grant::Deny, level);
            let explanation = explain(&snapshot, ACME, agent, task, tool);
            prop_assert_eq!(explanation.verdict.unwrap_or(Grant::Deny), level);
            prop_assert_eq!(explanation.listed.is_some(), level != Grant::Deny);
        }
    }

    /// An explanation says what a call comes to, in a session that opens now and in one that is
    /// open under another policy; and the gate that it names is the one that refuses.
    #[test]
    fn an_explanation_never_contradicts_a_decision(
        then in some_tenant(), (agent, task) in asking(), ended in any::<bool>(),
        way in 0..9_u8, which in any::<Index>(),
    ) {
        let now = narrowed(&then, way, &which);
        let (then, now) = (compiled(&alone(&then)), compiled(&alone(&now)));
        let live = Session { ended, ..session(&then, agent, task) };
        for tool in tool_ids() {
            for live in [&session(&now, agent, task), &live] {
                let Some((listed, _)) = live.allowlist.iter().find(|(_, it)| it.tool == tool) else {
                    let found = explain_in(&now, live, tool, None, NOON);
                    prop_assert!(found.verdict.is_err(), "nothing that is not listed is granted");
                    continue;
                };
                for call in [call(listed), best_call(listed)] {
                    let found = explain_in(&now, live, tool, Some(&call.met), NOON);
                    match decide(&now, live, &call, NOON) {
                        Verdict::Deny(deny) => {
                            prop_assert_eq!(found.gate(), Some(deny.gate()));
                            prop_assert_eq!(found.verdict, Err(deny));
                        }
                        other @ (Verdict::Allow(_) | Verdict::Hold(_)) => prop_assert_eq!(found.verdict, Ok(level(&other))),
                    }
                }
            }
            let fresh = session(&now, agent, task);
            let met = call("").met;
            let found = explain_for(&now, ACME, agent, task, tool, Some(&met));
            let listed = fresh.allowlist.iter().find(|(_, it)| it.tool == tool);
            let level = listed.map_or(Grant::Deny, |(it, _)| level(&decide(&now, &fresh, &call(it), NOON)));
            prop_assert_eq!(found.verdict.unwrap_or(Grant::Deny), level);
            prop_assert!(found.verdict != Err(Deny::OpenedBefore) || found.gate() == Some(Gate::Frozen));
        }
    }

    #[test]
    fn two_policies_without_a_difference_decide_alike(
        one in some_tenant(), two in some_tenant(), (agent, task) in asking(),
        way in 0..9_u8, which in any::<Index>(),
    ) {
        let narrower = narrowed(&one, way, &which);
        for (old, new) in [(&one, &two), (&one, &narrower), (&one, &one)] {
            let (old, new) = (alone(old), alone(new));
            let (there, back) = (diff(&old, &new), diff(&new, &old));
            prop_assert_eq!(there.len(), back.len(), "as many differences there as back");
            if fresh(&old, agent, task) != fresh(&new, agent, task) {
                prop_assert!(!there.is_empty());
            }
        }
    }
}
