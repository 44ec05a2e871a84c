//! Decisions are pure: what a `domain` room may name.

use std::collections::BTreeSet;

use super::finding::Finding;
use super::source::Source;
use super::tree::Tree;

const ALLOWED: [&str; 12] = [
    "event_schema",
    "recurrence",
    "slots",
    "reminder_plan",
    "std",
    "chrono",
    "chrono_tz",
    "serde",
    "thiserror",
    "uuid",
    "super",
    "self",
];

/// What a service says about a kind of stream is pure, and stands beside its `decide`.
const LEDGER: &str = "event_store";
const PURE_OF_LEDGER: [&str; 3] = ["Aggregate", "StateOf", "Timer"];

/// Crates that a path without `use` must not name either.
const OUTSIDE: [&str; 9] = [
    "sqlx",
    "axum",
    "tokio",
    "reqwest",
    "event_store",
    "database",
    "dapr_client",
    "service_kit",
    "clock",
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let domains = tree.sources().filter(|(path, _)| is_domain(path));
    domains
        .flat_map(|(path, source)| check_file(path, source))
        .collect()
}

fn is_domain(path: &str) -> bool {
    let room = path
        .strip_prefix("services/")
        .and_then(|path| path.split_once("/src/"));
    room.is_some_and(|(_, inner)| inner == "domain.rs" || inner.starts_with("domain/"))
}

fn check_file(path: &str, source: &Source) -> Vec<Finding> {
    let modules: BTreeSet<&str> = source
        .lines()
        .filter_map(|(_, line)| module(line))
        .collect();
    let mut found = Vec::new();
    for (line, code) in source.lines().filter(|(line, _)| !source.is_test(*line)) {
        if let Some(used) = used_path(code) {
            if !is_allowed(used, &modules) {
                found.push(Finding::new(
                    path,
                    line,
                    format!("`use {used}`: {}", advice()),
                ));
            }
        } else if let Some(outside) = OUTSIDE.iter().find(|name| names(code, name)) {
            found.push(Finding::new(
                path,
                line,
                format!("`{outside}::`: {}", advice()),
            ));
        }
        if words(code).any(|word| word == "async") {
            let advice =
                "`async` in domain: a decision waits for nothing; time and ids are arguments";
            found.push(Finding::new(path, line, advice));
        }
    }
    found
}

fn advice() -> String {
    let crates = ALLOWED
        .iter()
        .filter(|name| !["super", "self"].contains(name));
    let crates: Vec<_> = crates.copied().collect();
    let (crates, pure) = (crates.join(", "), PURE_OF_LEDGER.join(", "));
    format!("domain is pure and uses {crates}, crate::domain and of {LEDGER} {pure} only")
}

/// The path of a `use` declaration that begins on this line.
fn used_path(code: &str) -> Option<&str> {
    let code = code.trim_start();
    let code = match code.strip_prefix("pub") {
        Some(rest) => rest
            .trim_start_matches(|c| c != ')' && c != ' ')
            .trim_start_matches([')', ' ']),
        None => code,
    };
    let path = code.strip_prefix("use ")?.trim();
    Some(path.trim_end_matches(';').trim_start_matches("::"))
}

fn is_allowed(used: &str, modules: &BTreeSet<&str>) -> bool {
    if used == "crate::domain" || used.starts_with("crate::domain::") {
        return true;
    }
    let mut names = words(used).filter(|word| !word.is_empty());
    let root = names.next().unwrap_or_default();
    // The names after the root; a list that goes on over the line's end is not pure to this check.
    let is_pure = used.ends_with(|c: char| c == '}' || c.is_alphanumeric())
        && names.all(|name| PURE_OF_LEDGER.contains(&name));
    let is_path = used.starts_with(|c: char| c.is_alphabetic() || c == '_');
    is_path && (ALLOWED.contains(&root) || modules.contains(root) || root == LEDGER && is_pure)
}

/// The name of a module that this line declares.
fn module(code: &str) -> Option<&str> {
    let name = code.trim().strip_suffix(';')?.rsplit_once("mod ")?.1;
    name.chars()
        .all(|c| c.is_alphanumeric() || c == '_')
        .then_some(name)
}

fn names(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(start, _)| {
        let before = &code[..start];
        code[start + name.len()..].starts_with("::")
            && !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
    })
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::lines;

    fn domain(text: &str) -> Vec<String> {
        let tree = Tree::from([("services/task-api/src/domain/task.rs", text)]);
        let found = lines(&check(&tree));
        found
            .iter()
            .filter_map(|line| line.rsplit(':').next())
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn pure_code_is_fine() {
        let pure = "mod title;\npub(crate) use title::Title;\nuse std::{fmt, str};\nuse event_schema::Task;\n\
                    use super::series;\nuse crate::domain::task::Task;\nfn f() { task::database(); }\n\
                    #[cfg(test)]\nmod tests {\n use proptest::prelude::*;\n}\n";
        assert_eq!(domain(pure), Vec::<String>::new());
    }

    #[test]
    fn other_crates_and_rooms_are_found() {
        let impure = "use sqlx::Row;\npub use axum::Json;\nuse crate::store::TaskRow;\nuse ::tokio::time;\n\
                      pub(crate) use event_store::Ledger;\nuse {std::fmt, sqlx::Row};\nuse crate::domains::x;\n";
        assert_eq!(domain(impure), ["1", "2", "3", "4", "5", "6", "7"]);
    }

    #[test]
    fn only_what_is_pure_of_the_ledger_may_be_used() {
        let pure = "use event_store::{Aggregate, Timer};\nuse event_store::Aggregate;\n";
        assert_eq!(domain(pure), Vec::<String>::new());
        let impure = "use event_store::{Aggregate, Ledger};\nuse event_store::store;\nuse event_store::{\n    Aggregate,\n    Ledger,\n};\n\
                      use event_store::*;\nuse event_store::Aggregate as A;\n";
        assert_eq!(domain(impure), ["1", "2", "3", "7", "8"]);
    }

    #[test]
    fn paths_without_use_are_found() {
        assert_eq!(
            domain("fn f() { let a = database::Tx; }\nfn g(a: &my::clock::X) {}\n"),
            ["1"]
        );
    }

    #[test]
    fn waiting_is_found() {
        assert_eq!(
            domain("pub async fn decide() {}\nfn asynchronous() {}\n"),
            ["1"]
        );
    }

    #[test]
    fn other_rooms_may_use_what_they_need() {
        let tree = Tree::from([
            ("services/task-api/src/store/tasks.rs", "use sqlx::Row;"),
            ("shared/event-store/src/domain.rs", "use sqlx::Row;"),
        ]);
        assert_eq!(lines(&check(&tree)), Vec::<String>::new());
    }
}
