//! Words that must not stand in a file, or only in some.

use super::Text;

/// What no file may contain, and why. Written in halves, or this file would contain it too.
const NOWHERE: &[(&str, &str)] = &[
    (concat!("TO", "DO"), "what is left to do is an issue, or done"),
    (concat!("FIX", "ME"), "what is broken is an issue, or repaired"),
    (concat!("todo", "!("), "what is left to do is an issue, or done"),
    (concat!("/wo", "rk/"), "a path of one machine"),
    (concat!("/ro", "ot/"), "a path of one machine"),
    (concat!("#[all", "ow("), "a lint is overridden by `#[expect(.., reason = \"..\")]`"),
    (concat!("#![all", "ow("), "a lint is overridden by `#![expect(.., reason = \"..\")]`"),
    (concat!("#[ign", "ore"), "a test that does not run is no test"),
    (concat!("<<<<", "<<< "), "a conflict was left in"),
];

/// The folders and files whose code may look inside a secret: where secrets are kept, sealed,
/// opened or used to sign, and the single places that hand one on.
const MAY_EXPOSE: &[&str] = &[
    "src-tauri/crates/cs-control/src/adapters/desk.rs",
    "src-tauri/crates/cs-control/src/anchor.rs",
    "src-tauri/crates/cs-control/src/moving.rs",
    "src-tauri/crates/cs-control/src/operators.rs",
    "src-tauri/crates/cs-control/src/scan.rs",
    "src-tauri/crates/cs-control/src/secret_text.rs",
    "src-tauri/crates/cs-control/src/vault.rs",
    "src-tauri/crates/cs-gateway/src/errand/handle.rs",
    "src-tauri/crates/cs-gateway/src/fetch.rs",
    "src-tauri/crates/cs-gateway/src/issuers/introspection.rs",
    "src-tauri/crates/cs-gateway/src/renewal.rs",
    "src-tauri/crates/cs-gateway/src/state.rs",
    "src-tauri/crates/cs-gateway/src/upstream/child.rs",
    "src-tauri/crates/cs-gateway/src/upstream/http.rs",
    "src-tauri/crates/cs-model/src/secret.rs",
    "src-tauri/crates/cs-secrets/",
    "src-tauri/crates/cs-trust/",
];

/// The folders whose code may speak SQL: the registry, and the sample server with its own sample.
const MAY_QUERY: &[&str] = &["src-tauri/crates/cs-registry/", "src-tauri/crates/cs-workbench/"];

/// The one file that may ask `jsonwebtoken`, and for a signature alone: what it would make of a
/// whole token is not what we accept.
const MAY_CHECK_SIGNATURES: &[&str] = &["src-tauri/crates/cs-trust/src/jws/engine.rs"];

/// Says which words of a file do not belong into it.
pub(super) fn judge(text: &Text, problems: &mut Vec<String>) {
    if text.path.ends_with("package-lock.json") || text.path == "LICENSE" {
        return;
    }
    for (number, line) in (1_usize..).zip(text.content.lines()) {
        for (word, why) in NOWHERE.iter().filter(|(word, _)| line.contains(word)) {
            problems.push(format!("{}:{number}: `{word}`: {why}", text.path));
        }
    }
    if !text.path.ends_with(".rs") || text.is_test() || text.path.contains("/xtask/") {
        return;
    }
    let own = |folders: &[&str]| folders.iter().any(|folder| text.path.starts_with(folder));
    for (number, line) in (1_usize..).zip(text.without_tests().lines()) {
        if !own(MAY_EXPOSE) && (line.contains(".expose()") || line.contains(".expose_text()")) {
            problems.push(format!("{}:{number}: may not look inside a secret", text.path));
        }
        let asks = line.contains("sqlx::") || line.contains("query!(");
        if !own(MAY_QUERY) && asks && !line.trim_start().starts_with("//") {
            problems.push(format!("{}:{number}: only cs-registry speaks SQL", text.path));
        }
        if !own(MAY_CHECK_SIGNATURES) && line.contains("jsonwebtoken::") {
            problems.push(format!("{}:{number}: only one file asks `jsonwebtoken`", text.path));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(path: &str, content: &str) -> Vec<String> {
        let mut problems = Vec::new();
        judge(&Text { path: path.to_owned(), content: content.to_owned() }, &mut problems);
        problems
    }

    #[test]
    fn what_is_left_to_do_does_not_stay_in_a_file() {
        let line = concat!("fn a() {}\n// TO", "DO: later");
        assert_eq!(judged("ui/src/a.ts", line).len(), 1);
    }

    #[test]
    fn a_secret_is_looked_into_only_where_that_is_somebodys_task() {
        let code = "let key = secret.expose();";
        assert_eq!(judged("src-tauri/crates/cs-gateway/src/a.rs", code).len(), 1);
        assert_eq!(judged("src-tauri/crates/cs-trust/src/a.rs", code), Vec::<String>::new());
        let tested = format!("#[cfg(test)]\nmod tests {{\n{code}\n}}");
        assert_eq!(judged("src-tauri/crates/cs-gateway/src/a.rs", &tested), Vec::<String>::new());
    }

    #[test]
    fn sql_stands_in_the_registry_alone() {
        let code = "sqlx::query(\"SELECT 1\")";
        assert_eq!(judged("src-tauri/crates/cs-control/src/a.rs", code).len(), 1);
        let registry = judged("src-tauri/crates/cs-registry/src/a.rs", code);
        assert_eq!(registry, Vec::<String>::new());
    }

    #[test]
    fn signatures_of_tokens_are_checked_in_one_place() {
        let code = "use jsonwebtoken::decode;";
        assert_eq!(judged("src-tauri/crates/cs-trust/src/token.rs", code).len(), 1);
        let engine = judged("src-tauri/crates/cs-trust/src/jws/engine.rs", code);
        assert_eq!(engine, Vec::<String>::new());
    }
}
