//! Prompts, resources and templates: the same gates.

use cs_model::document::TenantDoc;
use cs_model::{Document, Kind};

use super::*;
use crate::Act;

const NOTES: ToolId = ToolId::new(uuid::Uuid::from_u128(21));
const ANY: ToolId = ToolId::new(uuid::Uuid::from_u128(22));
const LOGS: ToolId = ToolId::new(uuid::Uuid::from_u128(23));
const HIDDEN: ToolId = ToolId::new(uuid::Uuid::from_u128(24));
const GREET: ToolId = ToolId::new(uuid::Uuid::from_u128(25));
const ALIEN: ToolId = ToolId::new(uuid::Uuid::from_u128(26));

/// Files has a resource, one that nobody is granted, and two templates that overlap; mail has a
/// prompt of a tool's name, and a template of its own.
fn furnished(more: impl FnOnce(&mut TenantDoc)) -> Document {
    changed(|acme| {
        acme.tools.extend([
            thing(NOTES, FILES, Kind::Resource, "file:///data/notes"),
            thing(HIDDEN, FILES, Kind::Resource, "file:///data/keys"),
            thing(ANY, FILES, Kind::Template, "file:///data/{x}"),
            thing(LOGS, FILES, Kind::Template, "file:///data/log-{x}"),
            thing(GREET, MAIL, Kind::Prompt, "read"),
            thing(ALIEN, MAIL, Kind::Template, "file:///data/mail-{x}"),
        ]);
        let all = [NOTES, ANY, LOGS, GREET, ALIEN];
        acme.tasks[0].tools.extend(all.into_iter().chain([HIDDEN]));
        acme.roles[1].grants.extend(all.map(|id| (id, Grant::Allow)));
        acme.roles[1].grants.insert(LOGS, Grant::Token);
        more(acme);
    })
}

fn reading(uri: &str) -> Call {
    Call { kind: Kind::Resource, ..call(uri) }
}

fn read(snapshot: &Snapshot, session: &Session, uri: &str) -> Verdict {
    decide(snapshot, session, &Call { listed: uri.to_owned(), ..reading(uri) }, NOON)
}

fn refused(snapshot: &Snapshot, session: &Session, call: &Call) -> Option<Deny> {
    match decide(snapshot, session, call, NOON) {
        Verdict::Deny(deny) => Some(deny),
        Verdict::Allow(_) | Verdict::Hold(_) => None,
    }
}

#[test]
fn everything_is_listed_under_the_mark_of_its_kind() {
    let snapshot = compiled(&furnished(|_| {}));
    let session = session(&snapshot, ROBIN, Some(TIDY));
    let listed: Vec<_> = session.allowlist.iter().map(|(marked, _)| marked).collect();
    assert_eq!(
        listed,
        [
            "prompt:read",
            "read",
            "resource:file:///data/notes",
            "template:file:///data/log-{x}",
            "template:file:///data/mail-{x}",
            "template:file:///data/{x}",
            "write",
        ]
    );
    let seen = visible(&snapshot, &session, NOON);
    let seen: Vec<_> = seen.iter().map(|it| it.tool.kind.marked(it.listed)).collect();
    assert_eq!(seen, listed);
}

#[test]
fn x07_what_is_not_granted_cannot_be_reached_as_another_kind() {
    let snapshot = compiled(&furnished(|_| {}));
    let session = session(&snapshot, ROBIN, Some(TIDY));
    let named = |kind, listed: &str| {
        refused(&snapshot, &session, &Call { kind, listed: listed.to_owned(), ..call("x") })
    };
    for listed in ["prompt:read", "resource:file:///data/notes", "template:file:///data/{x}"] {
        assert_eq!(named(Kind::Tool, listed), Some(Deny::ToolUnknown), "{listed}");
    }
    assert_eq!(named(Kind::Prompt, "write"), Some(Deny::ToolUnknown));
    assert_eq!(named(Kind::Prompt, "resource:file:///data/notes"), Some(Deny::ToolUnknown));
    assert_eq!(named(Kind::Resource, "read"), Some(Deny::ToolUnknown));
    assert_eq!(named(Kind::Resource, "file:///data/{x}"), Some(Deny::ToolUnknown));
    assert_eq!(named(Kind::Prompt, "read"), None);
    assert_eq!(named(Kind::Tool, "read"), None);
    let Verdict::Allow(permit) = decide(&snapshot, &session, &call("prompt:read"), NOON) else {
        panic!("the prompt is granted")
    };
    assert_eq!((permit.kind(), permit.tool(), permit.server()), (Kind::Prompt, GREET, MAIL));
}

#[test]
fn x07_a_registered_resource_decides_for_its_uri_also_when_it_says_no() {
    let snapshot = compiled(&furnished(|_| {}));
    let session = session(&snapshot, ROBIN, Some(TIDY));
    assert_eq!(level(&read(&snapshot, &session, "file:///data/notes")), Grant::Allow);
    assert_eq!(level(&read(&snapshot, &session, "file:///data/other")), Grant::Allow);
    let keys = reading("file:///data/keys");
    assert_eq!(refused(&snapshot, &session, &keys), Some(Deny::NotGranted));
    let off = compiled(&furnished(|acme| acme.tools[5].enabled = false));
    assert_eq!(refused(&off, &session, &keys), Some(Deny::ToolDisabled));
    let off = compiled(&furnished(|acme| acme.tools[4].enabled = false));
    let notes = reading("file:///data/notes");
    assert_eq!(refused(&off, &session, &notes), Some(Deny::ToolDisabled));
}

#[test]
fn x07_of_several_templates_the_narrowest_grant_counts_and_one_server() {
    let snapshot = compiled(&furnished(|_| {}));
    let session = session(&snapshot, ROBIN, Some(TIDY));
    let Verdict::Hold(held) = read(&snapshot, &session, "file:///data/log-1") else {
        panic!("it needs a signature")
    };
    assert_eq!((held.tool(), held.kind()), (LOGS, Kind::Template));
    let mail = reading("file:///data/mail-1");
    assert_eq!(refused(&snapshot, &session, &mail), Some(Deny::Ambiguous));
    let off = compiled(&furnished(|acme| acme.tools[7].enabled = false));
    let logs = reading("file:///data/log-1");
    assert_eq!(refused(&off, &session, &logs), Some(Deny::ToolDisabled));
    for uri in ["file:///data/a/b", "file:///data/..", "file:///data/%2e%2e", "file:///etc/passwd"]
    {
        assert_eq!(refused(&snapshot, &session, &reading(uri)), Some(Deny::ToolUnknown), "{uri}");
    }
}

#[test]
fn x07_a_completion_needs_the_right_to_what_it_is_for_and_is_never_signed_for() {
    let snapshot = compiled(&furnished(|_| {}));
    let session = session(&snapshot, ROBIN, Some(TIDY));
    let complete = |kind, listed: &str| {
        let call = Call { kind, act: Act::Complete, listed: listed.to_owned(), ..call("x") };
        refused(&snapshot, &session, &call)
    };
    assert_eq!(complete(Kind::Prompt, "read"), None);
    assert_eq!(complete(Kind::Template, "file:///data/{x}"), None);
    assert_eq!(complete(Kind::Template, "file:///data/log-{x}"), Some(Deny::CompletionHeld));
    assert_eq!(complete(Kind::Template, "file:///other/{x}"), Some(Deny::ToolUnknown));
    assert_eq!(complete(Kind::Prompt, "other"), Some(Deny::ToolUnknown));
    let revoked = compiled(&furnished(|acme| {
        acme.roles[1].grants.remove(&GREET);
    }));
    let call = Call { act: Act::Complete, ..call("prompt:read") };
    assert_eq!(refused(&revoked, &session, &call), Some(Deny::NotGranted));
}

#[test]
fn x07_pages_of_a_server_for_people_never_reach_an_agent() {
    let app = ToolId::from_random([9; 16]);
    let snapshot = compiled(&furnished(|acme| {
        acme.tools.push(thing(app, FILES, Kind::Resource, "UI://app/main"));
        acme.tools[6] = thing(ANY, FILES, Kind::Template, "ui://{x}");
        acme.tasks[0].tools.insert(app);
        acme.roles[1].grants.insert(app, Grant::Allow);
    }));
    let session = session(&snapshot, ROBIN, Some(TIDY));
    assert!(session.allowlist.iter().all(|(marked, _)| !marked.to_lowercase().contains("ui:")));
    for uri in ["UI://app/main", "ui://other"] {
        assert_eq!(level(&read(&snapshot, &session, uri)), Grant::Deny, "{uri}");
    }
    // Nor through a template that stands for more than its server may show.
    let wide = compiled(&furnished(|acme| {
        acme.tools[6] = thing(ANY, FILES, Kind::Template, "ui:{+x}");
    }));
    let mut session = session;
    let entry = session.allowlist.get(Kind::Prompt, "read").unwrap().clone();
    let ui = Entry {
        tool: ANY,
        fingerprint: wide.tenant(ACME).unwrap().tool(ANY).unwrap().fingerprint,
        ..entry
    };
    session.allowlist = Allowlist::new([("template:ui:{+x}".to_owned(), ui)].into());
    assert_eq!(level(&read(&wide, &session, "ui://app")), Grant::Deny);
}

#[test]
fn x07_a_page_that_passes_needs_its_own_grant_and_no_template_stands_for_it() {
    let app = ToolId::from_random([9; 16]);
    let page = |granted: bool, passes: bool| {
        compiled(&furnished(|acme| {
            acme.tools.push(thing(app, FILES, Kind::Resource, "ui://app/main"));
            acme.tools[6] = thing(ANY, FILES, Kind::Template, "ui://{x}");
            acme.tasks[0].tools.insert(app);
            if granted {
                acme.roles[1].grants.insert(app, Grant::Allow);
            }
            if passes {
                for server in &mut acme.servers {
                    server.passes = cs_model::Passes::of([cs_model::Pass::Ui]);
                }
            }
        }))
    };
    for (granted, passes, level_of) in
        [(true, true, Grant::Allow), (true, false, Grant::Deny), (false, true, Grant::Deny)]
    {
        let snapshot = page(granted, passes);
        let session = session(&snapshot, ROBIN, Some(TIDY));
        assert_eq!(level(&read(&snapshot, &session, "ui://app/main")), level_of);
        assert_eq!(level(&read(&snapshot, &session, "ui://other")), Grant::Deny);
    }
    // Turned off, it passes no more, in sessions that are under way too.
    let session = session(&page(true, true), ROBIN, Some(TIDY));
    assert_eq!(level(&read(&page(true, false), &session, "ui://app/main")), Grant::Deny);
}

#[test]
fn x03_no_second_server_stands_in_for_a_uri_that_is_taken() {
    let twin = ToolId::from_random([9; 16]);
    for (kind, name, shadow) in [
        (Kind::Resource, "file:///data/notes", true),
        (Kind::Template, "file:///data/{x}", true),
        (Kind::Prompt, "read", false),
        (Kind::Tool, "read", false),
    ] {
        let second = |enabled| {
            furnished(|acme| {
                acme.tools[8].server = FILES;
                acme.tools
                    .push(cs_model::document::ToolDoc { enabled, ..thing(twin, MAIL, kind, name) });
            })
        };
        let refused = Snapshot::compile(&second(true)).err();
        let is_shadow = matches!(refused, Some(crate::CompileError::Shadow { .. }));
        assert_eq!(is_shadow, shadow, "{kind} {refused:?}");
        assert!(Snapshot::compile(&second(false)).is_ok(), "{kind}");
    }
}

#[test]
fn prompts_of_two_servers_carry_their_names_and_uris_never_do() {
    let snapshot = compiled(&furnished(|acme| {
        acme.tools.push(thing(ToolId::from_random([9; 16]), FILES, Kind::Prompt, "read"));
        acme.tasks[0].tools.insert(ToolId::from_random([9; 16]));
        acme.roles[1].grants.insert(ToolId::from_random([9; 16]), Grant::Allow);
    }));
    let session = session(&snapshot, ROBIN, Some(TIDY));
    let listed: Vec<_> = session.allowlist.iter().map(|(marked, _)| marked).collect();
    assert!(listed.starts_with(&["prompt:files__read", "prompt:mail__read", "read"]), "{listed:?}");
}

#[test]
fn a_thing_whose_name_is_not_of_its_kind_is_refused() {
    let form = furnished(|acme| acme.tools[4].kind = Kind::Tool);
    assert_eq!(
        Snapshot::compile(&form).unwrap_err(),
        crate::CompileError::Form { kind: Kind::Tool, tenant: name("acme") }
    );
}
