//! The services are the same house with different furniture.

use std::collections::BTreeSet;

use event_schema::App;

use super::finding::Finding;
use super::tree::Tree;

/// Rooms that every service has.
const REQUIRED: [&str; 7] = [
    "app.rs",
    "config.rs",
    "domain.rs",
    "error.rs",
    "lib.rs",
    "main.rs",
    "subscribers.rs",
];

/// Rooms that are left out when they would be empty.
const OPTIONAL: [&str; 3] = ["routes.rs", "store.rs", "workers.rs"];

/// Rooms that may have a folder beside them.
const FOLDERS: [&str; 5] = ["domain", "routes", "store", "subscribers", "workers"];

const DIALECTS: [&str; 2] = ["postgres", "sqlite"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let services = App::ALL.map(|app| format!("services/{}", app.id()));
    let existing = services
        .iter()
        .filter(|service| tree.below(service).next().is_some());
    existing
        .flat_map(|service| check_service(tree, service))
        .collect()
}

fn check_service(tree: &Tree, service: &str) -> Vec<Finding> {
    let src = format!("{service}/src");
    let rooms: BTreeSet<&str> = tree.below(&src).map(first).collect();
    let mut found = Vec::new();
    for room in REQUIRED.iter().filter(|room| !rooms.contains(**room)) {
        found.push(Finding::of(
            &format!("{src}/{room}"),
            "missing: every service has this room",
        ));
    }
    for room in rooms {
        let known = REQUIRED.contains(&room) || OPTIONAL.contains(&room) || FOLDERS.contains(&room);
        if !known {
            let advice = "no service has this room: the file belongs into one that all know";
            found.push(Finding::of(&format!("{src}/{room}"), advice));
        }
        if FOLDERS.contains(&room) && !tree.contains(&format!("{src}/{room}.rs")) {
            let advice = format!("a folder without its table of contents: add {room}.rs beside it");
            found.push(Finding::of(&format!("{src}/{room}"), advice));
        }
    }
    found.extend(check_migrations(tree, service));
    found.extend(check_tests(tree, service));
    found
}

fn check_migrations(tree: &Tree, service: &str) -> Vec<Finding> {
    let [postgres, sqlite] = DIALECTS.map(|dialect| {
        let files = tree
            .below(&format!("{service}/migrations/{dialect}"))
            .map(str::to_owned);
        files.collect::<BTreeSet<_>>()
    });
    let mut found = Vec::new();
    for (dialect, has, other) in [
        ("postgres", &postgres, &sqlite),
        ("sqlite", &sqlite, &postgres),
    ] {
        for file in other.difference(has) {
            let path = format!("{service}/migrations/{dialect}/{file}");
            found.push(Finding::of(
                &path,
                "missing: a migration has the same name in both dialects",
            ));
        }
    }
    for path in tree.below(&format!("{service}/migrations")) {
        if !DIALECTS.contains(&first(path)) {
            let path = format!("{service}/migrations/{path}");
            found.push(Finding::of(
                &path,
                "belongs into migrations/postgres or migrations/sqlite",
            ));
        }
    }
    let has_store = tree.contains(&format!("{service}/src/store.rs"));
    if has_store && postgres.is_empty() {
        let path = format!("{service}/migrations");
        found.push(Finding::of(
            &path,
            "missing: src/store.rs has tables, and tables have migrations",
        ));
    }
    if !has_store && !postgres.is_empty() {
        let path = format!("{service}/src/store.rs");
        found.push(Finding::of(
            &path,
            "missing: migrations make tables, and tables belong to a store",
        ));
    }
    found
}

fn check_tests(tree: &Tree, service: &str) -> Vec<Finding> {
    let tests = format!("{service}/tests");
    let mut found = Vec::new();
    if !tree.contains(&format!("{tests}/api/main.rs")) {
        let path = format!("{tests}/api/main.rs");
        found.push(Finding::of(
            &path,
            "missing: a service is tested through its doors",
        ));
    }
    // What only a process of its own can show stands beside what goes through the doors.
    let elsewhere = |path: &&str| !["api", "process"].contains(&first(path));
    for path in tree.below(&tests).filter(elsewhere) {
        let advice = "each test binary costs a link step: move it into tests/api or tests/process";
        found.push(Finding::of(&format!("{tests}/{path}"), advice));
    }
    found
}

fn first(path: &str) -> &str {
    path.split('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::lines;

    const SERVICE: &str = "services/notifier";

    /// A complete service, without `left_out` and with `added`.
    fn house(left_out: &[&str], added: &[&str]) -> Vec<String> {
        let rooms = REQUIRED.iter().map(|room| format!("src/{room}"));
        let more = ["src/store.rs", "src/store/inbox.rs", "tests/api/main.rs"].map(str::to_owned);
        let migrations = DIALECTS.map(|dialect| format!("migrations/{dialect}/0001_inbox.sql"));
        let all = rooms
            .chain(more)
            .chain(migrations)
            .chain(added.iter().map(|path| (*path).to_owned()));
        let kept = all.filter(|path| !left_out.contains(&path.as_str()));
        let tree: Tree = kept.map(|path| (format!("{SERVICE}/{path}"), "")).collect();
        lines(&check(&tree))
            .iter()
            .map(|line| line[SERVICE.len() + 1..].to_owned())
            .collect()
    }

    #[test]
    fn a_complete_house_is_fine() {
        assert_eq!(house(&[], &[]), Vec::<String>::new());
        assert_eq!(
            house(&[], &["src/routes.rs", "src/routes/inbox.rs"]),
            Vec::<String>::new()
        );
        assert_eq!(house(&[], &["tests/process/main.rs"]), Vec::<String>::new());
    }

    #[test]
    fn a_missing_room_is_found() {
        assert_eq!(house(&["src/config.rs"], &[]), ["src/config.rs:1"]);
        assert_eq!(house(&["tests/api/main.rs"], &[]), ["tests/api/main.rs:1"]);
    }

    #[test]
    fn an_unknown_room_is_found() {
        assert_eq!(house(&[], &["src/services/x.rs"]), ["src/services:1"]);
        assert_eq!(house(&[], &["src/models.rs"]), ["src/models.rs:1"]);
        assert_eq!(house(&[], &["tests/other.rs"]), ["tests/other.rs:1"]);
    }

    #[test]
    fn a_folder_needs_its_table_of_contents() {
        assert_eq!(house(&[], &["src/workers/deliver.rs"]), ["src/workers:1"]);
    }

    #[test]
    fn migrations_come_in_pairs() {
        let found = house(&[], &["migrations/sqlite/0002_more.sql"]);
        assert_eq!(found, ["migrations/postgres/0002_more.sql:1"]);
        assert_eq!(
            house(&[], &["migrations/mysql/0001.sql"]),
            ["migrations/mysql/0001.sql:1"]
        );
    }

    #[test]
    fn a_store_has_migrations_and_migrations_have_a_store() {
        let migrations = [
            "migrations/postgres/0001_inbox.sql",
            "migrations/sqlite/0001_inbox.sql",
        ];
        assert_eq!(house(&migrations, &[]), ["migrations:1"]);
        let store = ["src/store.rs", "src/store/inbox.rs"];
        assert_eq!(house(&store, &[]), ["src/store.rs:1"]);
    }
}
