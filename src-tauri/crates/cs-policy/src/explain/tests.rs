use super::*;
use crate::fixture::*;

fn explained(
    change: impl FnOnce(&mut cs_model::document::TenantDoc),
    agent: AgentId,
    task: Option<TaskId>,
    tool: ToolId,
) -> Explanation {
    explain(&compiled(&changed(change)), ACME, agent, task, tool)
}

#[test]
fn an_explanation_names_the_gate_that_decides() {
    let robin = |tool| explained(|_| {}, ROBIN, Some(TIDY), tool);
    assert_eq!(robin(READ).verdict, Ok(Grant::Allow));
    assert_eq!(robin(READ).listed.as_deref(), Some("read"));
    assert_eq!(robin(WRITE).verdict, Ok(Grant::Token));
    assert_eq!(robin(ERASE).verdict, Err(Deny::NotGranted));
    assert_eq!(robin(SEND).verdict, Err(Deny::NotInTask));
    assert_eq!(robin(ToolId::from_random([9; 16])).verdict, Err(Deny::ToolUnknown));
    assert_eq!(robin(SEND).listed, None);
    let taskless = explained(|_| {}, ROBIN, None, READ);
    assert_eq!(taskless.verdict, Err(Deny::TaskMissing));
    let eve = explained(|_| {}, EVE, Some(TIDY), READ);
    assert_eq!(eve.verdict, Err(Deny::TaskNotAssigned));
    let disabled = explained(|acme| acme.tools[0].enabled = false, ROBIN, Some(TIDY), READ);
    assert_eq!(disabled.verdict, Err(Deny::ToolDisabled));
    let off = explained(|acme| acme.servers[0].enabled = false, ROBIN, Some(TIDY), READ);
    assert_eq!(off.verdict, Err(Deny::ServerDisabled));
    let nowhere = explain(&Snapshot::default(), ACME, ROBIN, Some(TIDY), READ);
    assert_eq!((nowhere.verdict, nowhere.cells), (Err(Deny::TenantUnknown), Vec::new()));
}

#[test]
fn an_explanation_says_which_roles_grant_even_where_the_task_refuses() {
    let both = |acme: &mut cs_model::document::TenantDoc| {
        acme.agents[0].roles.insert(READER);
    };
    let cells = |tool| explained(both, ROBIN, Some(TIDY), tool).cells;
    let cell = |role, grant| Cell { role, grant, otherwise: None, granted: grant };
    assert_eq!(cells(WRITE), [cell(READER, Grant::Deny), cell(EXECUTOR, Grant::Token)]);
    assert_eq!(cells(SEND), [cell(READER, Grant::Deny), cell(EXECUTOR, Grant::Token)]);
    assert_eq!(cells(ERASE), [cell(READER, Grant::Deny), cell(EXECUTOR, Grant::Deny)]);
}

#[test]
fn every_explanation_is_a_sentence() {
    for verdict in [Ok(Grant::Allow), Ok(Grant::Token), Ok(Grant::Deny), Err(Deny::NotInTask)] {
        let sentence = Explanation { verdict, listed: None, cells: Vec::new() }.sentence();
        assert!(sentence.ends_with('.'), "{sentence}");
    }
}

#[test]
fn an_explanation_of_arguments_says_what_each_cell_grants_to_them() {
    let snapshot = compiled(&changed(|acme| {
        acme.roles[1].conditions.insert(READ, condition(UNMET, Grant::Token));
    }));
    let met = Met::from_iter([condition(MET, Grant::Deny).digest()]);
    let found = explain_for(&snapshot, ACME, ROBIN, Some(TIDY), READ, Some(&met));
    assert_eq!(found.verdict, Ok(Grant::Token));
    let cell = Cell {
        role: EXECUTOR,
        grant: Grant::Allow,
        otherwise: Some(Grant::Token),
        granted: Grant::Token,
    };
    assert_eq!(found.cells, [cell]);
    assert_eq!(conditions_of(&snapshot, ACME, None, READ).len(), 1);
    let live = session(&snapshot, ROBIN, Some(TIDY));
    assert_eq!(conditions_of(&snapshot, ACME, Some(&live), READ).len(), 2, "then and now");
    assert_eq!(conditions_of(&snapshot, ACME, Some(&live), WRITE).len(), 0);
}

/// The judge passes the gates in this order, and what it says names the gate that says it.
#[test]
fn every_refusal_belongs_to_a_gate() {
    for deny in Deny::ALL {
        assert!(Gate::ALL.contains(&deny.gate()), "{deny:?}");
    }
    assert!(Gate::ALL.is_sorted());
}
