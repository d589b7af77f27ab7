use cs_model::document::{IssuerDoc, TenantDoc};
use cs_model::{Digest, Effects, OperatorId, ToolId};
use expect_test::expect_file;

use super::*;
use crate::fixture::*;

fn sentences(change: impl FnOnce(&mut TenantDoc)) -> Vec<String> {
    diff(&document(), &changed(change)).iter().map(ToString::to_string).collect()
}

#[test]
fn nothing_differs_between_a_document_and_itself_in_whatever_order() {
    assert_eq!(diff(&document(), &document()), []);
    let reordered = sentences(|acme| {
        acme.tools.reverse();
        acme.agents.reverse();
        acme.roles.reverse();
        acme.tasks.reverse();
        acme.servers.reverse();
    });
    assert_eq!(reordered, [""; 0]);
    let spelt_out = sentences(|acme| {
        acme.roles[0].grants.insert(ERASE, Grant::Deny);
        acme.roles[0].grants.remove(&WRITE);
    });
    assert_eq!(spelt_out, [""; 0], "an absent cell is a `deny`");
    let next = Document { version: 13, ..document() };
    assert_eq!(diff(&document(), &next), []);
}

#[test]
fn a_change_is_typed() {
    let changes = diff(
        &document(),
        &changed(|acme| {
            acme.roles[0].grants.insert(WRITE, Grant::Token);
        }),
    );
    let what = What::Grant {
        role: name("reader"),
        tool: "files/write".to_owned(),
        from: Grant::Deny,
        to: Grant::Token,
    };
    assert_eq!(changes, [Change { tenant: ACME, tenant_name: name("acme"), what }]);
    assert_eq!(
        serde_json::to_value(&changes[0].what).unwrap(),
        serde_json::json!({
            "kind": "grant", "role": "reader", "tool": "files/write", "from": "deny", "to": "token",
        })
    );
}

#[test]
fn what_is_removed_comes_alone_and_what_is_added_with_all_that_it_has() {
    let removed = sentences(|acme| {
        acme.tools.remove(3);
        acme.roles.iter_mut().for_each(|role| {
            role.grants.remove(&SEND);
        });
        acme.tasks.iter_mut().for_each(|task| {
            task.tools.remove(&SEND);
        });
    });
    assert_eq!(removed, ["In tenant `acme` tool `mail/send` was removed."]);
    let gone = Document { tenants: vec![tenant(ACME, "acme")], ..document() };
    let gone: Vec<_> = diff(&document(), &gone).iter().map(ToString::to_string).collect();
    assert_eq!(gone, ["Tenant `globex` was removed, and all that it had."]);
}

/// One of each kind of change, for a person to read.
#[test]
fn every_change_has_its_sentence() {
    type Case = fn(&mut TenantDoc);
    let cases: [Case; 25] = [
        |acme| acme.name = name("acme-corp"),
        |acme| acme.standing = Standing::Suspended,
        |acme| acme.servers[0].enabled = false,
        |acme| acme.servers[0].name = name("documents"),
        |acme| acme.tools[0].enabled = false,
        |acme| acme.tools[0].fingerprint = Digest::of(b"other"),
        |acme| acme.tools[0].server = MAIL,
        |acme| acme.tools[0].introspect = true,
        |acme| acme.tools[0].rate = Rate::new(1, 60).ok(),
        |acme| acme.tools[0].signing = Signing::by(2).unwrap(),
        |acme| acme.tools[0].effects = Effects { sends_out: true, destroys: true },
        |acme| acme.tools.push(tool(ToolId::from_random([9; 16]), MAIL, "draft")),
        |acme| {
            acme.roles[0].grants =
                [(READ, Grant::Deny), (WRITE, Grant::Allow), (SEND, Grant::Token)].into();
        },
        |acme| drop(acme.roles[0].conditions.insert(READ, condition(MET, Grant::Token))),
        |acme| {
            acme.roles[0].grants.insert(READ, Grant::Token);
            acme.roles[0].conditions.insert(READ, condition(MET, Grant::Deny));
        },
        |acme| {
            acme.roles.push(role(
                cs_model::RoleId::from_random([9; 16]),
                "analyst",
                &[(READ, Grant::Allow)],
            ))
        },
        |acme| {
            acme.tasks[0].tools = [READ, SEND].into();
            acme.tasks[0].longest_secs = 60;
        },
        |acme| acme.agents[0].standing = Standing::Suspended,
        |acme| acme.agents[0].rate = Rate::new(600, 60).ok(),
        |acme| acme.agents[0].most_waiting = MostWaiting::new(5).ok(),
        |acme| acme.agents[0].responsible = Some(OperatorId::from_random([7; 16])),
        |acme| {
            acme.agents[0].roles = [READER].into();
            acme.agents[1].tasks = [TIDY].into();
        },
        |acme| {
            acme.agents.remove(0);
        },
        |acme| acme.issuer = Some(IssuerDoc { enabled: true, token_secs: 600 }),
        |acme| {
            acme.lifecycle.lifetime_secs = Some(86_400);
            acme.lifecycle.rotate_secs = Some(3600);
        },
    ];
    let mut lines: Vec<String> = cases.into_iter().flat_map(sentences).collect();
    let fresh = Document { version: 1, tenants: vec![tenant(ACME, "acme")] };
    lines.push("From nothing:".to_owned());
    lines.extend(diff(&Document::default(), &fresh).iter().map(ToString::to_string));
    expect_file!["../../golden/diff.txt"].assert_eq(&(lines.join("\n") + "\n"));
}
