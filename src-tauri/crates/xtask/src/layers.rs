//! Who may depend on whom. The list is the architecture: a new line in it is a decision.

mod table;

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::exec::{capture, command};
use crate::place::Place;
use table::MAY_USE;

/// Every dependency that the table does not allow.
pub(crate) fn problems(place: &Place) -> Result<Vec<String>> {
    Ok(judge(&dependencies(&place.root)?))
}

/// Each package of the workspace with what it names in `[dependencies]` and
/// `[build-dependencies]`.
fn dependencies(root: &Path) -> Result<Vec<(String, Vec<String>)>> {
    let args = ["metadata", "--no-deps", "--format-version", "1", "--locked", "--offline"];
    let metadata: Value = serde_json::from_str(&capture(&mut command(root, "cargo", &args))?)
        .context("cargo's description of the workspace is not JSON")?;
    let packages = metadata.get("packages").and_then(Value::as_array).context("no packages")?;
    packages.iter().map(of_package).collect()
}

fn of_package(package: &Value) -> Result<(String, Vec<String>)> {
    let name = text(package, "name")?;
    let listed =
        package.get("dependencies").and_then(Value::as_array).context("no dependencies")?;
    let mut used = Vec::new();
    for dependency in listed {
        if dependency.get("kind").and_then(Value::as_str) != Some("dev") {
            used.push(text(dependency, "name")?);
        }
    }
    Ok((name, used))
}

fn text(value: &Value, field: &str) -> Result<String> {
    let found = value.get(field).and_then(Value::as_str);
    Ok(found.with_context(|| format!("no `{field}`"))?.to_owned())
}

fn judge(packages: &[(String, Vec<String>)]) -> Vec<String> {
    let mut problems = Vec::new();
    for (package, used) in packages {
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| name == package) else {
            problems.push(format!("`{package}` is not in the table of xtask/src/layers/table.rs"));
            continue;
        };
        for name in used.iter().filter(|name| !allowed.contains(&name.as_str())) {
            problems.push(format!(
                "`{package}` may not depend on `{name}` (see xtask/src/layers/table.rs)"
            ));
        }
        for name in allowed.iter().filter(|name| !used.iter().any(|one| one == *name)) {
            problems.push(format!(
                "`{package}` no longer uses `{name}`: take it out of xtask/src/layers/table.rs"
            ));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_depends_only_on_what_the_table_allows() {
        let place = Place::find().unwrap();
        assert_eq!(problems(&place).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_dependency_that_is_not_allowed_is_named() {
        let used = vec!["cs-registry".to_owned()];
        let problems = judge(&[("cs-gateway".to_owned(), used)]).join("\n");
        assert!(problems.contains("`cs-gateway` may not depend on `cs-registry`"), "{problems}");
    }

    #[test]
    fn a_package_that_nobody_thought_about_is_named() {
        let problems = judge(&[("cs-utils".to_owned(), Vec::new())]).join("\n");
        assert!(problems.contains("`cs-utils` is not in the table"), "{problems}");
    }
}
