//! A table for a spreadsheet (RFC 4180), in which no cell is a formula.

use crate::view::reference::ReferenceRow;

/// The columns, in order.
const HEADING: [&str; 11] = [
    "tenant",
    "server",
    "tool",
    "enabled",
    "role",
    "grant",
    "condition",
    "otherwise",
    "scopes",
    "introspect",
    "data system",
];

/// Writes the rows of a tenant.
pub(crate) fn csv(tenant: &str, rows: &[ReferenceRow]) -> String {
    let mut text = String::new();
    line(&mut text, &HEADING);
    for row in rows {
        line(
            &mut text,
            &[
                tenant,
                &row.server_name,
                &row.tool_name,
                yes_or_no(row.enabled),
                &row.role_name,
                row.grant.as_str(),
                row.condition.as_ref().map(|it| it.schema.as_str()).unwrap_or_default(),
                row.condition.as_ref().map(|it| it.otherwise.as_str()).unwrap_or_default(),
                &row.scopes.join(" "),
                yes_or_no(row.introspect),
                row.data_system.as_deref().unwrap_or_default(),
            ],
        );
    }
    text
}

const fn yes_or_no(said: bool) -> &'static str {
    if said { "yes" } else { "no" }
}

fn line(text: &mut String, cells: &[&str]) {
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push('"');
        if is_formula(cell) {
            text.push('\'');
        }
        text.push_str(&cell.replace('"', "\"\""));
        text.push('"');
    }
    text.push_str("\r\n");
}

/// Whether a spreadsheet may take a text for a formula: by how it begins, after white space too,
/// and in the wide forms that some take for the same.
fn is_formula(cell: &str) -> bool {
    let controls = cell.starts_with(['\t', '\r', '\n', '\0']);
    let begins = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];
    controls || cell.trim_start().starts_with(begins)
}

#[cfg(test)]
mod tests {
    use cs_model::{Grant, RoleId, ToolId};

    use super::*;
    use crate::view::matrix::ConditionView;

    fn row(scope: &str, data_system: &str) -> ReferenceRow {
        ReferenceRow {
            role: RoleId::from_random([1; 16]),
            role_name: "reader".to_owned(),
            tool: ToolId::from_random([2; 16]),
            tool_name: "read_file".to_owned(),
            server_name: "files".to_owned(),
            enabled: true,
            grant: Grant::Token,
            condition: None,
            scopes: vec![scope.to_owned()],
            introspect: true,
            data_system: Some(data_system.to_owned()),
        }
    }

    #[test]
    fn a_table_is_read_back_as_it_was_meant() {
        let text = csv("acme", &[row("files:read", "the \"big\" one, Köln\r\n2")]);
        let expected = "\"tenant\",\"server\",\"tool\",\"enabled\",\"role\",\"grant\",\
                        \"condition\",\"otherwise\",\"scopes\",\"introspect\",\"data system\"\r\n\
                        \"acme\",\"files\",\"read_file\",\"yes\",\"reader\",\"token\",\"\",\"\",\
                        \"files:read\",\"yes\",\"the \"\"big\"\" one, Köln\r\n2\"\r\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_grant_on_a_condition_is_not_written_as_a_plain_one() {
        let schema = r#"{"maximum":100}"#.to_owned();
        let condition = Some(ConditionView { schema, otherwise: Grant::Deny });
        let row = ReferenceRow { condition, ..row("x", "y") };
        let text = csv("acme", &[row]);
        assert!(text.contains(r#""token","{""maximum"":100}","deny","x""#), "{text}");
    }

    #[test]
    fn u05_no_cell_is_a_formula() {
        for bad in [
            "=HYPERLINK(\"http://evil.example\")",
            "+1+1",
            "-2+3",
            "@SUM(A1)",
            " =1",
            "\t=1",
            "\r=1",
            "\n=1",
            "\u{ff1d}1",
            "\u{ff0b}1",
            "\u{ff0d}1",
            "\u{ff20}A",
        ] {
            let quoted = bad.replace('"', "\"\"");
            let text = csv("acme", &[row("x", bad)]);
            assert!(text.contains(&format!("\"'{quoted}\"")), "{text}");
        }
        let text = csv("acme", &[row("=scope", "plain - text")]);
        assert!(text.contains("\"'=scope\",\"yes\",\"plain - text\""), "{text}");
    }
}
