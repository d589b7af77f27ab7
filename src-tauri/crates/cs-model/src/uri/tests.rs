use super::*;

fn matches(template: &str, uri: &str) -> bool {
    UriTemplate::parse(template).unwrap().matches(uri)
}

#[test]
fn a_template_stands_for_the_uris_that_its_expressions_make() {
    for (template, uri) in [
        ("file:///data/{name}", "file:///data/a.txt"),
        ("file:///data/{name}", "file:///data/a%20b"),
        ("file:///data/{name}", "file:///data/%C3%A9"),
        ("repo://{owner}/{name}/issues", "repo://a/b/issues"),
        ("repo://{owner}-{name}", "repo://a-b-c"),
        ("file:///{+path}", "file:///a/b/c.txt"),
        ("file:///{+path}", "file:///a/...b"),
        ("file://{+path}", "file:///a/b"),
        ("q://find{+query}", "q://find?a=b&c=d"),
    ] {
        assert!(matches(template, uri), "{template} {uri}");
    }
    for (template, uri) in [
        ("file:///data/{name}", "file:///data/"),
        ("file:///data/{name}", "file:///data/a/b"),
        ("file:///data/{name}", "file:///other/a"),
        ("file:///data/{name}", "FILE:///data/a"),
        ("file:///data/{name}", "xfile:///data/a"),
        ("file:///data/{name}", "file:///data/a?b"),
        ("file:///data/{name}", "file:///data/a#b"),
        ("file:///data/{name}.txt", "file:///data/a.md"),
        ("repo://{owner}/{name}/issues", "repo://a/b/c/issues"),
        ("repo://{owner}/{name}/issues", "repo://a//issues"),
        ("file:///{+path}", "file:///"),
    ] {
        assert!(!matches(template, uri), "{template} {uri}");
    }
}

#[test]
fn x07_no_uri_leaves_the_place_that_its_template_names() {
    for template in ["file:///data/{+path}", "file:///data/{path}"] {
        for value in [
            "..",
            ".",
            "../etc/passwd",
            "a/../../etc/passwd",
            "a/..",
            "%2e%2e/etc/passwd",
            ".%2e",
            "%2E%2E",
            "..%2fetc%2fpasswd",
            "..%5cetc",
            "%5cetc",
            "a%2fb",
            "%252e%252e%252f",
            "%252e",
            "%25",
            "..;/etc/passwd",
            "..;x",
            "..%3b",
            "a?../b",
            "a%3fb",
            "/etc/passwd",
            "a//b",
            "%00",
            "a%00.txt",
            "a%0d%0ab",
            "a%7f",
            "%c0%ae%c0%ae/",
            "%c0%af",
            "%ff",
            "a%E2%80%AEb",
            "a%2",
            "a%zz",
            "a b",
            "a\\b",
            "\u{e9}",
            "a\n",
            "{x}",
            "",
        ] {
            let uri = format!("file:///data/{value}");
            assert!(!matches(template, &uri), "{template} {uri}");
        }
    }
}

#[test]
fn only_the_two_simple_kinds_of_expressions_are_known() {
    use UriTemplateError::{Braces, Count, Expression, Scheme};
    for (text, refused) in [
        ("file:///{x}", None),
        ("file:///{+x}", None),
        ("a:{x.y_1}", None),
        ("file:///{/x}", Some(Expression)),
        ("file:///{?x}", Some(Expression)),
        ("file:///{x*}", Some(Expression)),
        ("file:///{x:3}", Some(Expression)),
        ("file:///{x,y}", Some(Expression)),
        ("file:///{x.}", Some(Expression)),
        ("file:///{}", Some(Braces)),
        ("file:///{x", Some(Braces)),
        ("file:///x}", Some(Braces)),
        ("file:///}{x}", Some(Braces)),
        ("file:///x", Some(Count)),
        ("{scheme}://x", Some(Scheme)),
        ("/{x}", Some(Scheme)),
    ] {
        assert_eq!(UriTemplate::parse(text).err(), refused, "{text}");
    }
    assert_eq!(UriTemplate::parse(&format!("a:{}", "{x}".repeat(17))), Err(Count));
    let names = UriTemplate::parse("repo://{owner}/{+path}").unwrap();
    assert_eq!(names.variables().collect::<Vec<_>>(), ["owner", "path"]);
}

#[test]
fn matching_takes_time_in_proportion_to_the_uri() {
    let template = UriTemplate::parse(&format!("a:{}b", "{+x}".repeat(16))).unwrap();
    assert!(!template.matches(&format!("a:{}", "x".repeat(2046))));
    assert!(template.matches(&format!("a:{}b", "x".repeat(2000))));
}

#[test]
fn pages_for_people_are_told_by_their_scheme() {
    assert!(is_interface("ui://app/main") && is_interface("UI://app") && is_interface("ui:x"));
    assert!(!is_interface("uix://app") && !is_interface("file:///ui:") && !is_interface("ui"));
}
