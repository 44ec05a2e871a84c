//! SQL stands where its conformance tests are: in `store` rooms and the crates that are storage. And it
//! does not limit its rows by a bare parameter.

use super::finding::Finding;
use super::tree::Tree;

const STORAGE: [&str; 4] = [
    "shared/event-store/",
    "shared/database/",
    "shared/local-sidecar/",
    "shared/test-support/",
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = outside_of_a_store(tree);
    found.extend(limited_by_a_bare_parameter(tree));
    found
}

fn outside_of_a_store(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, source) in tree.sources().filter(|(path, _)| !is_storage(path)) {
        for (line, text) in source
            .strings
            .iter()
            .filter(|(line, _)| !source.is_test(*line))
        {
            if is_sql(text) {
                let advice = "SQL outside of a store: move the statement to store/<table>.rs";
                found.push(Finding::new(path, *line, advice));
            }
        }
    }
    found
}

/// SQLite would look at the parameter of a plain `limit $1` to make its plan, and make it anew each time
/// the parameter is bound. At a sum it does not look.
fn limited_by_a_bare_parameter(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, source) in tree.sources() {
        let strings = source.strings.iter();
        for (line, text) in strings.filter(|(line, _)| !source.is_test(*line)) {
            if has_bare_limit(text) {
                let advice = "SQLite plans a statement anew whenever the parameter of its limit is bound: \
                              write `limit $1 + 0`";
                found.push(Finding::new(path, *line, advice));
            }
        }
    }
    found
}

fn has_bare_limit(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut limits = words.windows(2).enumerate().filter(|(_, pair)| {
        pair[0].eq_ignore_ascii_case("limit") && pair[1].starts_with(['$', '?'])
    });
    limits.any(|(at, _)| words.get(at + 2) != Some(&"+"))
}

fn is_storage(path: &str) -> bool {
    STORAGE.iter().any(|folder| path.starts_with(folder))
        || path.ends_with("/store.rs")
        || path
            .split('/')
            .any(|part| part == "store" || part == "migrations")
}

/// A statement: its first word and the word that must follow somewhere.
fn is_sql(text: &str) -> bool {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let has = |wanted: &str| words.iter().any(|word| word == wanted);
    match words.first().map(String::as_str) {
        Some("select" | "delete") => has("from"),
        Some("insert") => has("into"),
        Some("update") => has("set"),
        Some("with") => has("as") && has("select"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::lines;

    #[test]
    fn statements_outside_of_a_store_are_found() {
        let tree = Tree::from([
            (
                "services/a/src/routes.rs",
                "q(\"select title\n from tasks\");\nq(\"INSERT INTO tasks values (1)\");\n\
                 q(r#\"update tasks set a = 1\"#);\nq(\"delete from tasks\");\n\
                 q(\"with a as (select 1) select b\");\n",
            ),
            ("services/a/src/store.rs", "\"select a from b\""),
            ("services/a/src/store/tasks.rs", "\"select a from b\""),
            ("shared/event-store/src/lane.rs", "\"select a from b\""),
            ("services/a/tests/api/main.rs", "\"select a from b\""),
            (
                "services/a/src/domain.rs",
                "\"select a date\" // select a from b\n\"update the task\"",
            ),
        ]);

        let found: Vec<_> = [1, 3, 4, 5, 6]
            .map(|n| format!("services/a/src/routes.rs:{n}"))
            .into();
        assert_eq!(lines(&check(&tree)), found);
    }

    #[test]
    fn a_limit_that_is_a_bare_parameter_is_found() {
        let tree = Tree::from([(
            "shared/event-store/src/store.rs",
            "\"select a from b limit $1\"\n\"select a from b\n limit ?)\"\n\
             \"select a from b limit $1 + 0\"\n\"select a from b limit 1\"\n\"limit $12 {}\"",
        )]);

        let found: Vec<_> = [1, 2, 6]
            .map(|n| format!("shared/event-store/src/store.rs:{n}"))
            .into();
        assert_eq!(lines(&check(&tree)), found);
    }
}
