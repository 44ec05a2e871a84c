//! A migration says why before it says what.

use super::finding::Finding;
use super::tree::{Tree, has_extension};

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let migrations = tree.texts().filter(|(path, _)| {
        path.split('/').any(|part| part == "migrations") && has_extension(path, "sql")
    });
    migrations
        .filter_map(|(path, text)| comment(path, text))
        .collect()
}

fn comment(path: &str, text: &str) -> Option<Finding> {
    let first = text.lines().next().unwrap_or_default();
    let said = first
        .strip_prefix("--")
        .is_some_and(|comment| !comment.trim().is_empty());
    (!said).then(|| Finding::of(path, "begin with a comment: `-- <what the tables are for>`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::lines;

    #[test]
    fn a_migration_without_a_comment_is_found() {
        let tree = Tree::from([
            (
                "services/a/migrations/sqlite/0001_a.sql",
                "-- Tasks.\ncreate table a (b text);",
            ),
            (
                "services/a/migrations/sqlite/0002_b.sql",
                "create table a (b text); -- Tasks.",
            ),
            (
                "services/a/migrations/sqlite/0003_c.sql",
                "--\ncreate table a (b text);",
            ),
            ("services/a/migrations/sqlite/0004_d.sql", ""),
            ("docs/example.sql", "select 1"),
        ]);

        let found: Vec<_> = ["0002_b", "0003_c", "0004_d"]
            .map(|name| format!("services/a/migrations/sqlite/{name}.sql:1"))
            .into();
        assert_eq!(lines(&check(&tree)), found);
    }
}
