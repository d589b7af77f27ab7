#![expect(clippy::needless_pass_by_value, reason = "a test that fails may fail loudly")]

use serde_json::{Value, json};

use super::*;

fn tool(schema: Value) -> String {
    json!({ "name": "t", "inputSchema": schema }).to_string()
}

fn read(schema: Value) -> Result<Schema, SchemaFault> {
    Schema::read(&tool(schema))
}

fn refused(schema: Value) -> String {
    read(schema).expect_err("a fault").to_string()
}

fn misfit(schema: &Value, arguments: Value) -> String {
    match read(schema.clone()).unwrap().check(Some(&arguments.to_string()), None) {
        Err(Misfit::Arguments(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn fits(schema: &Value, arguments: Value) -> bool {
    read(schema.clone()).unwrap().check(Some(&arguments.to_string()), None).is_ok()
}

#[test]
fn p16_arguments_that_do_not_fit_are_told_where() {
    let schema = json!({
        "type": "object",
        "properties": {
            "path": { "type": "string", "maxLength": 5 },
            "options": { "type": "object", "properties": { "depth": { "type": "integer" } } },
        },
        "required": ["path"],
        "additionalProperties": false,
    });
    assert!(fits(&schema, json!({ "path": "a", "options": { "depth": 1 } })));
    let deep = misfit(&schema, json!({ "path": "a", "options": { "depth": "css_canary" } }));
    assert!(deep.contains("`/options/depth`") && deep.contains("integer"), "{deep}");
    assert!(!deep.contains("css_canary"), "{deep}");
    let extra = misfit(&schema, json!({ "path": "a", "mode": 1 }));
    assert!(extra.contains("`/`") && extra.contains("mode"), "{extra}");
    assert!(misfit(&schema, json!({})).contains("path"));
    assert!(misfit(&schema, json!({ "path": "abcdef" })).contains("`/path`"));
    assert!(read(schema).unwrap().check(None, None).is_err(), "no arguments are an empty object");
}

#[test]
fn p16_every_dialect_that_is_known_is_read_by_its_own_rules() {
    let tuple = |dialect: &str, key: &str| {
        let items = json!([{ "type": "string" }]);
        let mut list = json!({ "type": "array" });
        list[key] = items;
        json!({ "$schema": dialect, "type": "object", "properties": { "a": list } })
    };
    let newest = tuple("https://json-schema.org/draft/2020-12/schema", "prefixItems");
    let older = tuple("http://json-schema.org/draft-07/schema#", "items");
    for schema in [newest, older] {
        assert!(fits(&schema, json!({ "a": ["x"] })));
        assert!(!fits(&schema, json!({ "a": [1] })));
    }
    for unknown in ["http://json-schema.org/draft-03/schema#", "https://evil.example/x"] {
        assert!(refused(json!({ "$schema": unknown })).contains("dialect"), "{unknown}");
    }
    assert!(Schema::read(r#"{"name":"t"}"#).is_err());
    assert!(Schema::read(r#"{"name":"t","inputSchema":true}"#).is_err());
}

#[test]
fn p17_nothing_is_fetched_for_a_schema() {
    for reference in [
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "other.json",
        "https://json-schema.org/draft/2020-12/schema",
        "#anchor",
        "#/%24defs/x",
    ] {
        let why = refused(json!({ "properties": { "a": { "$ref": reference } } }));
        assert!(why.contains("nothing is fetched"), "{reference}: {why}");
    }
    // What a schema calls itself does not change where its references lead.
    let schema = json!({
        "$id": "https://json-schema.org/draft/2020-12/schema",
        "$defs": { "a": { "type": "integer" } },
        "properties": { "a": { "$ref": "#/$defs/a" } },
    });
    assert!(fits(&schema, json!({ "a": 1 })) && !fits(&schema, json!({ "a": "x" })));
    assert!(refused(json!({ "properties": { "a": { "$id": "https://x.example/" } } })).len() > 9);
    assert!(refused(json!({ "$dynamicRef": "#x" })).contains("not followed"));
    assert!(refused(json!({ "$ref": "#/$defs/none" })).contains("leads to nothing"));
}

#[test]
fn p17_a_name_within_a_schema_leads_to_its_place_and_nowhere_else() {
    let dialect = |year: &str| format!("https://json-schema.org/draft/{year}/schema");
    for (year, mark, lead) in [
        ("2020-12", "$anchor", "$ref"),
        ("2019-09", "$anchor", "$ref"),
        ("2020-12", "$dynamicAnchor", "$dynamicRef"),
        ("2020-12", "$dynamicAnchor", "$ref"),
    ] {
        let schema = json!({
            "$schema": dialect(year),
            "$defs": { "a/b~c": { mark: "whole", "type": "integer" } },
            // Here it is the name of an argument.
            "properties": { "x": { lead: "#whole" }, mark: { "type": "string" } },
        });
        assert!(fits(&schema, json!({ "x": 1, mark: "y" })), "{schema}");
        assert!(!fits(&schema, json!({ "x": "1" })) && !fits(&schema, json!({ mark: 1 })));
    }
    let tree = |mark: &str, lead: &str, to: &str, said: Value, year: &str| {
        let children = json!({ "items": { lead: to } });
        let properties = json!({ "n": { "type": "integer" }, "in": children });
        json!({ "$schema": dialect(year), mark: said, "properties": properties })
    };
    for schema in [
        tree("$dynamicAnchor", "$dynamicRef", "#node", json!("node"), "2020-12"),
        tree("$recursiveAnchor", "$recursiveRef", "#", json!(true), "2019-09"),
        tree("$anchor", "$ref", "#node", json!("node"), "2020-12"),
    ] {
        assert!(fits(&schema, json!({ "in": [{ "in": [{ "n": 1 }] }] })), "{schema}");
        assert!(!fits(&schema, json!({ "in": [{ "in": [{ "n": "x" }] }] })), "{schema}");
    }
    let anchored = |name: &str| json!({ "$anchor": name, "type": "integer" });
    for schema in [
        json!({ "$defs": { "a": anchored("x"), "b": anchored("x") } }),
        json!({ "$defs": { "a": anchored("https://x.example/") } }),
        json!({ "$defs": { "a": { "$anchor": 1 } } }),
        // A name is of the place where a schema stands, not of data that looks like one.
        json!({ "const": anchored("x"), "properties": { "a": { "$ref": "#x" } } }),
        json!({ "$defs": { "a%25": anchored("x") }, "properties": { "a": { "$ref": "#x" } } }),
        json!({ "properties": { "a": { "$anchor": "x", "allOf": [{ "$ref": "#x" }] } } }),
        json!({ "$ref": "#/$defs/a", "$dynamicRef": "#x", "$defs": { "a": anchored("x") } }),
        json!({ "$schema": "http://json-schema.org/draft-07/schema#",
            "properties": { "a": anchored("x") } }),
        // Found by a path where no schema is looked for.
        json!({ "x-more": { "a": anchored("x") }, "properties": { "a": { "$ref": "#/x-more/a" } } }),
    ] {
        assert!(read(schema.clone()).is_err(), "{schema}");
    }
}

#[test]
fn p17_patterns_take_time_in_proportion_to_the_text() {
    let schema = json!({ "properties": { "a": { "type": "string", "pattern": "^(a+)+$" } } });
    let mut text = "a".repeat(1_000_000);
    assert!(fits(&schema, json!({ "a": text })));
    text.push('!');
    assert!(!fits(&schema, json!({ "a": text })));
    for unsafe_pattern in ["(?=a)b", "(a)\\1", "a{1000}{1000}{1000}"] {
        assert!(read(json!({ "properties": { "a": { "pattern": unsafe_pattern } } })).is_err());
    }
    let many: Map<String, Value> =
        (0..201).map(|it| (format!("^k{it}"), json!({ "type": "string" }))).collect();
    assert!(refused(json!({ "patternProperties": many })).contains("too many patterns"));
}

#[test]
fn p17_what_would_not_end_is_refused() {
    for circle in [
        json!({ "$ref": "#" }),
        json!({ "allOf": [{ "$ref": "#" }] }),
        json!({ "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "not": { "$ref": "#/$defs/a" } } },
            "properties": { "x": { "$ref": "#/$defs/b" } } }),
        // The same part is reached through a property first, and then at the same value.
        json!({ "properties": { "x": { "$ref": "#/$defs/b" } },
            "$ref": "#/$defs/b", "$defs": { "b": { "anyOf": [{ "$ref": "#" }] } } }),
    ] {
        let why = refused(circle.clone());
        assert!(why.contains("without an end"), "{circle}: {why}");
    }
}

#[test]
fn p17_what_doubles_at_every_step_is_refused() {
    let mut defs = Map::new();
    defs.insert("d0".to_owned(), json!({ "type": "string" }));
    for at in 1..25_u32 {
        let before = json!({ "$ref": format!("#/$defs/d{}", at - 1) });
        defs.insert(format!("d{at}"), json!({ "allOf": [before, before] }));
    }
    let why = refused(json!({ "$defs": defs, "properties": { "x": { "$ref": "#/$defs/d24" } } }));
    assert!(why.contains("too often"), "{why}");
    let many: Vec<Value> = (0..100_000).map(|it| json!({ "const": it })).collect();
    assert!(read(json!({ "anyOf": many })).is_err());
}

#[test]
fn p17_a_schema_that_contains_itself_ends_with_the_value() {
    let inner = json!({ "properties": { "in": { "$ref": "#" }, "n": { "type": "integer" } } });
    // Two ways to every inner value, so the naive number of looks doubles at every level.
    for schema in [json!({ "allOf": [inner, inner] }), json!({ "anyOf": [inner, inner] })] {
        for (leaf, fit) in [(json!(1), true), (json!("x"), false)] {
            let mut value = json!({ "n": leaf });
            for _ in 0..100 {
                value = json!({ "in": value, "n": 1 });
            }
            assert_eq!(fits(&schema, value), fit, "{schema}");
        }
    }
}

#[test]
fn p17_the_deepest_that_is_acceptable_fits_a_worker_of_the_runtime() {
    let mut defs = Map::new();
    for at in 0..30_u32 {
        let next = json!({ "$ref": format!("#/$defs/d{}", at + 1) });
        defs.insert(format!("d{at}"), next);
    }
    defs.insert("d30".to_owned(), json!({ "items": { "$ref": "#/$defs/d0" } }));
    let schema = json!({ "$defs": defs, "properties": { "x": { "$ref": "#/$defs/d0" } } });
    let schema = read(schema).unwrap();
    let nested = |deep: usize| format!("{{\"x\":{}1{}}}", "[".repeat(deep), "]".repeat(deep));
    let too_deep = schema.check(Some(&nested(60)), None);
    assert!(matches!(too_deep, Err(Misfit::Arguments(why)) if why.contains("more than can be")));
    // The stack of a worker is 2 MiB, most of which has to stay free.
    let thread = std::thread::Builder::new().stack_size(1024 * 1024);
    let thread = thread.spawn(move || schema.check(Some(&nested(25)), None));
    assert_eq!(thread.unwrap().join().unwrap(), Ok(()));
}

#[test]
fn h06_a_header_that_an_argument_may_not_have_makes_the_tool_unusable() {
    let string = |name: &str| json!({ "type": "string", "x-mcp-header": name });
    assert!(read(json!({ "properties": { "a": string("Region") } })).is_ok());
    for name in ["", "a b", "a\r\nSet-Cookie: x", "a:b", "é"] {
        let why = refused(json!({ "properties": { "a": string(name) } }));
        assert!(why.contains("x-mcp-header"), "{name}: {why}");
    }
    let unusable = [
        json!({ "properties": { "a": { "type": "number", "x-mcp-header": "A" } } }),
        json!({ "properties": { "a": { "type": "object", "x-mcp-header": "A" } } }),
        json!({ "properties": { "a": { "type": ["string", "null"], "x-mcp-header": "A" } } }),
        json!({ "properties": { "a": { "type": "string", "x-mcp-header": 1 } } }),
        json!({ "properties": { "a": string("A"), "b": string("a") } }),
        json!({ "properties": { "a": { "anyOf": [string("A")] } } }),
        json!({ "properties": { "a": { "items": string("A") } } }),
        json!({ "$defs": { "s": string("A") }, "properties": { "a": { "$ref": "#/$defs/s" } } }),
        json!({ "properties": { "a": { "type": "string", "format": "password",
            "x-mcp-header": "A" } } }),
        json!({ "type": "string", "x-mcp-header": "A" }),
    ];
    for schema in unusable {
        assert!(read(schema.clone()).is_err(), "{schema}");
    }
}

#[test]
fn h05_a_header_says_what_its_argument_says() {
    let schema = read(json!({ "properties": {
        "tenant": { "type": "string", "x-mcp-header": "Tenant" },
        "in": { "properties": { "n": { "type": "integer", "x-mcp-header": "Count" } } },
        "dry": { "type": "boolean", "x-mcp-header": "Dry" },
    } }))
    .unwrap();
    let check = |arguments: Value, headers: &[(&str, &str)]| {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| {
                (HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap())
            })
            .collect();
        schema.check(Some(&arguments.to_string()), Some(&headers))
    };
    let fine: &[(Value, &[(&str, &str)])] = &[
        (json!({}), &[]),
        (json!({ "tenant": "B" }), &[("Mcp-Param-Tenant", "B")]),
        (json!({ "tenant": "ü" }), &[("Mcp-Param-Tenant", "=?base64?w7w=?=")]),
        (json!({ "in": { "n": 42 } }), &[("Mcp-Param-Count", "42")]),
        (json!({ "in": { "n": 42.0 } }), &[("Mcp-Param-Count", "42")]),
        (json!({ "in": { "n": -7 } }), &[("Mcp-Param-Count", "-7")]),
        (json!({ "dry": true }), &[("Mcp-Param-Dry", "true")]),
        (json!({}), &[("Mcp-Param-Unknown", "x")]),
    ];
    for (arguments, headers) in fine {
        assert_eq!(check(arguments.clone(), headers), Ok(()), "{arguments} {headers:?}");
        // What is repeated for a server would be found right.
        let text = arguments.to_string();
        let repeated = schema.repeated(Some(&text));
        assert_eq!(schema.check(Some(&text), Some(&repeated)), Ok(()), "{text} {repeated:?}");
    }
    let unsafe_integer = r#"{"in":{"n":9007199254740993},"tenant":null}"#;
    assert_eq!(schema.repeated(Some(unsafe_integer)), []);
    let wrong: &[(Value, &[(&str, &str)])] = &[
        (json!({ "tenant": "B" }), &[("Mcp-Param-Tenant", "A")]),
        (json!({ "tenant": "B" }), &[]),
        (json!({ "tenant": "B" }), &[("Mcp-Param-Tenant", "B"), ("Mcp-Param-Tenant", "B")]),
        (json!({ "tenant": "B" }), &[("Mcp-Param-Tenant", "=?base64?Qg?=")]),
        (json!({ "tenant": "B" }), &[("Mcp-Param-Tenant", "b")]),
        (json!({}), &[("Mcp-Param-Tenant", "B")]),
        (json!({ "in": { "n": 42 } }), &[("Mcp-Param-Count", "42.0")]),
        (json!({ "in": { "n": 42 } }), &[("Mcp-Param-Count", "042")]),
        (json!({ "in": { "n": 42 } }), &[("Mcp-Param-Count", "4e1")]),
        (
            json!({ "in": { "n": 9_007_199_254_740_993_i64 } }),
            &[("Mcp-Param-Count", "9007199254740993")],
        ),
        (json!({ "dry": true }), &[("Mcp-Param-Dry", "True")]),
    ];
    for (arguments, headers) in wrong {
        assert_eq!(
            check(arguments.clone(), headers),
            Err(Misfit::Header),
            "{arguments} {headers:?}"
        );
    }
}
