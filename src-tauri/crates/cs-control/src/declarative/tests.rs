use super::*;

#[test]
fn a_mistyped_key_is_refused_with_its_place_and_what_was_meant() {
    let text = "tenants:\n  acme:\n    rols: {}\n";
    let refused = read(text).unwrap_err().to_string();
    assert!(refused.contains("line 3"), "{refused}");
    assert!(refused.contains("column 5"), "{refused}");
    assert!(refused.contains("did you mean `roles`?"), "{refused}");
}

#[test]
fn what_means_two_things_is_refused() {
    for text in [
        "tenants: {acme: {}, acme: {}}",
        "tenants: {Acme: {}}",
        "tenants: {acme: {standing: asleep}}",
        "tenants: {acme: {roles: {reader: {files/read: perhaps}}}}",
        "tenants: [acme]",
        "",
    ] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn a_file_reads_back_exactly_as_it_was_written() {
    let definition =
        "{\"name\":\"read\",\n \"description\":\"# no comment: 'x' \\\"y\\\" \\\\n\",\"n\":1.0}  ";
    let text = format!(
        "tenants: {{acme: {{servers: {{files: {{transport: {{kind: stdio, command: /bin/x, args: \
         ['--a: b', '', ' ', 'yes', '1e3', 'null', '~'], env: {{TOKEN: {{secret: t}}, A: 'true'}}}}}}}}, \
         tools: {{files/read: {{definition: {}}}}}}}}}",
        serde_json::to_string(definition).unwrap()
    );
    let first = read(&text).unwrap();
    assert_eq!(first.tenants.values().next().unwrap().tools["files/read"].definition, definition);
    let written = write(&first).unwrap();
    let second = read(&written).unwrap();
    assert_eq!(first, second, "{written}");
    assert_eq!(write(&second).unwrap(), written);
}

#[test]
fn the_distance_of_two_words_is_how_many_characters_differ() {
    let cases = [("", "", 0), ("roles", "rols", 1), ("kitten", "sitting", 3), ("a", "", 1)];
    for (one, other, expected) in cases {
        assert_eq!(distance(one, other), expected, "{one} {other}");
    }
}
