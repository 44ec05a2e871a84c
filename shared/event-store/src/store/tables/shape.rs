//! The text that created a table or index, for another name.

use crate::projection::Tables;

/// The same for the tables `into`; `None` when the text is not of the form that SQLite keeps.
pub(super) fn renamed(sql: &str, tables: &[&str], into: Tables, temporary: bool) -> Option<String> {
    if let Some(rest) = sql.strip_prefix("CREATE TABLE ") {
        let (table, body) = identifier(rest)?;
        let body = with_references(body, tables, into);
        let temp = if temporary { "TEMP " } else { "" };
        return Some(format!("CREATE {temp}TABLE \"{}\"{body}", into.name(table)));
    }
    let create = ["CREATE INDEX ", "CREATE UNIQUE INDEX "];
    let create = create.into_iter().find(|create| sql.starts_with(create))?;
    let (index, rest) = identifier(&sql[create.len()..])?;
    let (on, rest) = identifier(rest)?;
    let (table, body) = identifier(rest)?;
    let schema = if temporary { "temp." } else { "" };
    on.eq_ignore_ascii_case("on").then(|| {
        format!(
            "{create}{schema}\"{}\" ON \"{}\"{body}",
            into.name(index),
            into.name(table)
        )
    })
}

pub(super) fn is_unique(sql: &str) -> bool {
    sql.starts_with("CREATE UNIQUE INDEX ")
}

/// The text with references among `tables` turned to their new names.
fn with_references(sql: &str, tables: &[&str], into: Tables) -> String {
    const WORD: &str = "references";
    let mut text = String::with_capacity(sql.len() + 32);
    let mut rest = sql;
    while let Some(at) = rest.to_ascii_lowercase().find(WORD) {
        let (before, after) = rest.split_at(at + WORD.len());
        text.push_str(before);
        rest = after;
        if let Some((table, body)) = identifier(after)
            && tables.contains(&table)
        {
            text.extend([" \"", &into.name(table), "\""]);
            rest = body;
        }
    }
    text.push_str(rest);
    text
}

/// The first word, quoted or not, and what follows it.
fn identifier(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    if let Some(quoted) = text.strip_prefix('"') {
        return quoted.split_once('"');
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(sql: &str) -> Option<String> {
        renamed(sql, &["tasks", "task_labels"], Tables::NEW, false)
    }

    #[test]
    fn a_table_is_renamed_with_its_references() {
        for sql in [
            "CREATE TABLE task_labels (task_id blob references tasks (task_id), o blob REFERENCES x(y)) strict",
            "CREATE TABLE \"task_labels\" (task_id blob references \"tasks\" (task_id), o blob REFERENCES x(y)) strict",
        ] {
            let expected = "CREATE TABLE \"task_labels__new\" (task_id blob references \"tasks__new\" \
                            (task_id), o blob REFERENCES x(y)) strict";
            assert_eq!(new(sql).as_deref(), Some(expected));
        }
    }

    #[test]
    fn an_index_is_renamed_with_its_table() {
        assert_eq!(
            new("CREATE INDEX tasks_due on tasks (due) where due is not null").as_deref(),
            Some("CREATE INDEX \"tasks_due__new\" ON \"tasks__new\" (due) where due is not null")
        );
        let unique = "CREATE UNIQUE INDEX u ON \"tasks\"(due)";
        assert_eq!(
            renamed(unique, &["tasks"], Tables::EXPECTED, true).as_deref(),
            Some("CREATE UNIQUE INDEX temp.\"u__expected\" ON \"tasks__expected\"(due)")
        );
        assert!(is_unique(unique));
    }

    #[test]
    fn another_text_is_not_guessed_at() {
        assert_eq!(new("CREATE VIRTUAL TABLE tasks USING fts5(a)"), None);
        assert_eq!(new("CREATE INDEX a"), None);
    }
}
