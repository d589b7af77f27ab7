//! What the test runners counted, read from what they print.

/// How many tests passed, failed and were left out.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
    pub(crate) failed_names: Vec<String>,
    pub(crate) skipped_names: Vec<String>,
}

impl Tally {
    /// Adds the counts of another.
    pub(crate) fn add(&mut self, other: &Self) {
        self.passed = self.passed.saturating_add(other.passed);
        self.failed = self.failed.saturating_add(other.failed);
        self.skipped = self.skipped.saturating_add(other.skipped);
        self.failed_names.extend(other.failed_names.iter().cloned());
        self.skipped_names.extend(other.skipped_names.iter().cloned());
    }

    /// Counts the tests of a source file, which are left out for this reason.
    pub(crate) fn leave_out(&mut self, module: &str, source: &str, why: &str) {
        let mut lines = source.lines();
        while lines.by_ref().any(|line| line.trim_start().starts_with("#[tokio::test")) {
            let name = lines.find_map(|line| line.trim_start().strip_prefix("async fn "));
            let name = name.and_then(|rest| rest.split('(').next()).unwrap_or("?");
            self.skipped = self.skipped.saturating_add(1);
            self.skipped_names.push(format!("{module}::{name}: {why}"));
        }
    }

    /// Reads a line of `cargo test`.
    pub(crate) fn read_cargo(&mut self, line: &str) {
        if let Some(counts) = line.strip_prefix("test result: ") {
            let counts = counts.split_once(". ").map_or(counts, |(_, counts)| counts);
            for count in counts.split("; ") {
                self.read_count(count);
            }
        } else if let Some(test) = line.strip_prefix("test ") {
            match test.split_once(" ... ") {
                Some((name, "FAILED")) => self.failed_names.push(name.to_owned()),
                Some((name, how)) if how.starts_with("ignored") => {
                    self.skipped_names.push(name.to_owned());
                }
                Some(_) | None => {}
            }
        }
    }

    /// Reads a line of Vitest: `Tests  1 failed | 12 passed | 2 skipped (15)`.
    pub(crate) fn read_vitest(&mut self, line: &str) {
        let line = line.trim();
        if let Some(counts) = line.strip_prefix("Tests ") {
            let counts = counts.split(" (").next().unwrap_or_default();
            for count in counts.split('|') {
                self.read_count(count.trim());
            }
        } else if let Some(name) = line.strip_prefix("FAIL ") {
            self.failed_names.push(name.trim().to_owned());
        } else if let Some(name) = line.strip_prefix("\u{2193} ") {
            self.skipped_names.push(name.trim().to_owned());
        }
    }

    /// Reads a line of Node.js' own runner in its TAP form.
    pub(crate) fn read_tap(&mut self, line: &str) {
        let line = line.trim();
        if let Some((count, what)) = line.strip_prefix("# ").and_then(|rest| {
            let (what, count) = rest.split_once(' ')?;
            Some((count.parse::<u64>().ok()?, what))
        }) {
            match what {
                "pass" => self.passed = self.passed.saturating_add(count),
                "fail" | "cancelled" => self.failed = self.failed.saturating_add(count),
                "skipped" | "todo" => self.skipped = self.skipped.saturating_add(count),
                _ => {}
            }
        } else if let Some(name) = line.strip_prefix("not ok ") {
            self.failed_names.push(name.to_owned());
        } else if line.starts_with("ok ") && line.contains("# SKIP") {
            self.skipped_names.push(line.to_owned());
        }
    }

    fn read_count(&mut self, count: &str) {
        let Some((number, what)) = count.split_once(' ') else { return };
        let Ok(number) = number.parse::<u64>() else { return };
        match what.trim() {
            "passed" => self.passed = self.passed.saturating_add(number),
            "failed" => self.failed = self.failed.saturating_add(number),
            "ignored" | "skipped" | "todo" => self.skipped = self.skipped.saturating_add(number),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_of_cargo_are_read() {
        let mut tally = Tally::default();
        for line in [
            "test decide::tests::unknown_is_denied ... ok",
            "test wire::tests::slow ... ignored, needs a network",
            "test wire::tests::broken ... FAILED",
            "test result: FAILED. 12 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s",
            "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        ] {
            tally.read_cargo(line);
        }
        assert_eq!((tally.passed, tally.failed, tally.skipped), (15, 1, 1));
        assert_eq!(tally.failed_names, ["wire::tests::broken"]);
        assert_eq!(tally.skipped_names, ["wire::tests::slow"]);
    }

    #[test]
    fn tests_that_are_left_out_are_counted_and_named() {
        let mut tally = Tally::default();
        let source = "fn a() {}\n#[tokio::test(flavor = \"x\")]\nasync fn one() {\n}\n\
                      #[tokio::test]\nasync fn two() {}\nasync fn three() {}\n";
        tally.leave_out("peer", source, "it is not here");
        assert_eq!(tally.skipped, 2);
        assert_eq!(tally.skipped_names, ["peer::one: it is not here", "peer::two: it is not here"]);
    }

    #[test]
    fn the_counts_of_vitest_are_read() {
        let mut tally = Tally::default();
        tally.read_vitest(" Test Files  2 passed (2)");
        tally.read_vitest("      Tests  1 failed | 12 passed | 2 skipped (15)");
        assert_eq!((tally.passed, tally.failed, tally.skipped), (12, 1, 2));
    }

    #[test]
    fn the_counts_of_node_are_read() {
        let mut tally = Tally::default();
        let lines = [
            "not ok 2 - matrix",
            "# tests 4",
            "# pass 2",
            "# fail 1",
            "# skipped 1",
            "# cancelled 0",
        ];
        for line in lines {
            tally.read_tap(line);
        }
        assert_eq!((tally.passed, tally.failed, tally.skipped), (2, 1, 1));
        assert_eq!(tally.failed_names, ["2 - matrix"]);
    }
}
