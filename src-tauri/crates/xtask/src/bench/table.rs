//! The table of the README, made from the report.

use serde_json::Value;

use super::REPORT;
use crate::tidy::Text;

const BEGIN: &str = "<!-- bench: written by `cargo xtask bench` -->\n";
const END: &str = "<!-- bench: end -->";

/// What is wrong with the table, if anything: it says what the report says.
pub(crate) fn in_step(texts: &[Text], problems: &mut Vec<String>) {
    let find = |path: &str| texts.iter().find(|it| it.path == path);
    let Some(readme) = find("README.md") else { return };
    let report = find(REPORT).and_then(|it| serde_json::from_str::<Value>(&it.content).ok());
    let same = report.and_then(|report| put(&readme.content, &report));
    if same.as_ref() != Some(&readme.content) {
        problems.push(format!("README.md: the table is not that of {REPORT}: cargo xtask bench"));
    }
}

/// The README with the table of a report in its place.
pub(super) fn put(readme: &str, report: &Value) -> Option<String> {
    let (before, rest) = readme.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{}\n{END}{after}", of(report)))
}

/// The table.
pub(super) fn of(report: &Value) -> String {
    let mut rows = vec!["| what | measured | target |".to_owned(), "|---|---|---|".to_owned()];
    let mut row = |what: &str, measured: String, target: &str| {
        rows.push(format!("| {what} | {measured} | {target} |"));
    };
    for case in list(report, "/compared") {
        let what = described(case);
        let target = target(case);
        row(&what, spread(case, "/ratio", ""), &target);
        if case.get("connections") == Some(&Value::from(1)) {
            let target = if is_crash(case) { "100 µs at most" } else { "" };
            row("added to the median answer by that", spread(case, "/added_p50_us", " µs"), target);
        }
    }
    for case in list(report, "/paced") {
        let rate = number(case, "/calls_each_second");
        let what = format!(
            "p50 / p99 / p99.9 at {rate} calls a second, {} (proxy: {} / {} / {} µs)",
            survives(case),
            number(case, "/proxy/p50_us"),
            number(case, "/proxy/p99_us"),
            number(case, "/proxy/p999_us"),
        );
        let measured = format!(
            "{} / {} / {} µs",
            number(case, "/gateway/p50_us"),
            number(case, "/gateway/p99_us"),
            number(case, "/gateway/p999_us"),
        );
        row(&what, measured, "");
    }
    let median = |name: &str| {
        let median = report.get("median_ns").and_then(|all| all.get(name)).and_then(Value::as_f64);
        median.map_or_else(|| "not measured".to_owned(), span)
    };
    let large = "10,000 tools x 200 roles x 1,000 tasks of one tenant among 500";
    row(&format!("a decision with {large}"), median("decide/allowed"), "300 ns at most");
    row("the same of a tool that nobody has", median("decide/unheard_of"), "");
    row("compiling that policy", median("decide/compiled"), "1 s at most");
    if let Some(swap) = report.get("swap") {
        let what = format!(
            "calls refused while it is swapped in {} times, of {}",
            number(swap, "/swaps"),
            number(swap, "/calls")
        );
        row(&what, number(swap, "/refused"), "0");
        let measured = format!(
            "{} µs / {} ms (without: {} µs / {} ms)",
            number(swap, "/moved/p99_us"),
            millis(swap, "/moved/most_us"),
            number(swap, "/still/p99_us"),
            millis(swap, "/still/most_us"),
        );
        row("p99 and longest answer meanwhile", measured, "no delay");
    }
    if let Some(sessions) = report.get("sessions") {
        let what = format!("{} idle sessions", number(sessions, "/sessions"));
        row(&what, format!("{} MiB", number(sessions, "/cost_mib")), "64 MiB at most");
    }
    if let Some(click) = report.get("click") {
        let what = "from an approval to the request at the server";
        row(what, spread(click, "/click_to_server_ms", " ms"), "50 ms at most");
    }
    row("a known access token", median("authenticate/known"), "");
    row("one that is seen for the first time", median("authenticate/first_seen"), "");
    rows.push(String::new());
    rows.push(format!(
        "Ratios are the gateway's throughput beside that of a plain reverse proxy in front of the \
         same server: medians of {} alternating rounds, with the least and the most, on {} cores \
         that the load, the server and what is measured share. Written by `cargo xtask bench`.",
        number(report, "/rounds"),
        number(report, "/cores"),
    ));
    rows.push(String::new());
    rows.join("\n")
}

fn list<'r>(report: &'r Value, place: &str) -> &'r [Value] {
    report.pointer(place).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn word<'r>(of: &'r Value, name: &str) -> &'r str {
    of.get(name).and_then(Value::as_str).unwrap_or("?")
}

/// A number as it stands in the report.
fn number(of: &Value, place: &str) -> String {
    let found = of.pointer(place).and_then(Value::as_f64);
    found.map_or_else(|| "?".to_owned(), |number| number.to_string())
}

fn millis(of: &Value, place: &str) -> String {
    let found = of.pointer(place).and_then(Value::as_f64);
    found.map_or_else(|| "?".to_owned(), |number| format!("{:.1}", number / 1e3))
}

fn spread(of: &Value, place: &str, unit: &str) -> String {
    let at = |name: &str| number(of, &format!("{place}/{name}"));
    format!("{}{unit} ({} to {})", at("median"), at("least"), at("most"))
}

fn span(nanoseconds: f64) -> String {
    match nanoseconds {
        ns if ns < 1e3 => format!("{ns:.0} ns"),
        ns if ns < 1e6 => format!("{:.2} µs", ns / 1e3),
        ns => format!("{:.0} ms", ns / 1e6),
    }
}

fn is_crash(case: &Value) -> bool {
    word(case, "durability") == "process"
}

fn survives(case: &Value) -> &'static str {
    if is_crash(case) { "survives its process" } else { "survives a power cut" }
}

fn described(case: &Value) -> String {
    let size = if word(case, "answer") == "large" { "64 KiB" } else { "200 bytes" };
    let era = if word(case, "era") == "legacy" { ", older era" } else { "" };
    let signed = if word(case, "proof") == "signed request" { ", signed requests" } else { "" };
    let connections = match number(case, "/connections").as_str() {
        "1" => "1 connection".to_owned(),
        more => format!("{more} connections"),
    };
    format!("{connections}, {size}{era}{signed}, record {}", survives(case))
}

/// What is aimed at.
fn target(case: &Value) -> String {
    let many = number(case, "/connections") == "64";
    let usual = word(case, "era") == "modern" && word(case, "proof") == "access token";
    let aim = match (word(case, "answer"), is_crash(case)) {
        ("large", true) => "0.8 at least",
        ("small", true) if usual && number(case, "/connections") != "1" => "0.7 at least",
        ("small", false) if usual && many => "0.4 at least",
        _ => "",
    };
    aim.to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn texts(table: &str) -> Vec<Text> {
        let report = json!({"rounds": 3, "cores": 2}).to_string();
        let readme = format!("# X\n{BEGIN}{table}{END}\nY\n");
        let text = |path: &str, content| Text { path: path.to_owned(), content };
        vec![text("README.md", readme), text(REPORT, report)]
    }

    #[test]
    fn a_table_that_says_something_else_than_the_report_is_named() {
        let mut problems = Vec::new();
        in_step(&texts("\n| decisions | 1 ns |\n"), &mut problems);
        assert_eq!(problems.len(), 1, "{problems:?}");
        problems.clear();
        let report = json!({"rounds": 3, "cores": 2});
        in_step(&texts(&format!("\n{}\n", of(&report))), &mut problems);
        assert_eq!(problems, Vec::<String>::new());
    }
}
