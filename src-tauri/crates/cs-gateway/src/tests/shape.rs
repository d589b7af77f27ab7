//! Rules about the source itself.

use std::path::{Path, PathBuf};

/// Every source file of the crate that is not a test, with its text.
fn sources() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.ends_with("tests") || path.ends_with("tests.rs") {
                continue;
            }
            if path.is_dir() {
                walk(&path, found);
            } else {
                found.push((path.clone(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found
}

fn files_with(text: &str) -> Vec<String> {
    let sources = sources();
    let having = sources.iter().flat_map(|(path, source)| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        source.matches(text).map(move |_| name.clone())
    });
    having.collect()
}

/// Attacks O19: there is no way around the gates.
#[test]
fn o19_a_call_leaves_in_one_place_and_its_proofs_are_made_in_one_place_each() {
    assert_eq!(files_with("outbound.call("), ["proxy.rs"]);
    assert_eq!(files_with("outbound.errand("), ["errand.rs"; 2]);
    assert!(files_with("proxy::ask_errand(").iter().all(|file| file == "theirs.rs"));
    assert_eq!(files_with("proxy::forward("), ["tool.rs"]);
    assert_eq!(files_with("outbound.watch("), ["proxy.rs"]);
    assert_eq!(files_with("proxy::watch("), ["watch.rs"]);
    assert_eq!(files_with("Ok(Presented {"), ["authn.rs"]);
    assert!(files_with("Cleared {").iter().all(|file| file == "settle.rs"));
    assert_eq!(files_with("cs_policy::decide("), ["authz.rs"]);
}
