//! Every crate says what it is; the four services say it under the same headings.

use event_schema::App;

use super::finding::Finding;
use super::tree::Tree;

const HEADINGS: [&str; 5] = ["Owns", "HTTP", "Subscribes", "Publishes", "Runs"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found: Vec<_> = tree
        .packages()
        .filter_map(|folder| crate_doc(tree, folder))
        .collect();
    for app in App::ALL {
        let path = format!("services/{}/README.md", app.id());
        found.extend(tree.text(&path).and_then(|text| headings(&path, text)));
    }
    found
}

fn crate_doc(tree: &Tree, folder: &str) -> Option<Finding> {
    let readme = format!("{folder}/README.md");
    if tree.text(&readme).is_none_or(|text| text.trim().is_empty()) {
        return Some(Finding::of(
            &readme,
            "missing: say what the crate is, promises and does not do",
        ));
    }
    let mut roots = ["lib.rs", "main.rs"]
        .map(|file| format!("{folder}/src/{file}"))
        .into_iter();
    let root = roots.find(|root| tree.contains(root))?;
    let included = tree
        .text(&root)?
        .contains("#![doc = include_str!(\"../README.md\")]");
    (!included).then(|| {
        Finding::of(
            &root,
            "begin the crate with #![doc = include_str!(\"../README.md\")]",
        )
    })
}

fn headings(path: &str, text: &str) -> Option<Finding> {
    let all: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .collect();
    let ours: Vec<_> = all
        .into_iter()
        .filter(|heading| HEADINGS.contains(heading))
        .collect();
    (ours != HEADINGS).then(|| {
        let wanted = HEADINGS.map(|heading| format!("## {heading}")).join(", ");
        Finding::of(
            path,
            format!("a service's README has the headings {wanted}, in this order"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::lines;

    const ROOT: &str = "#![doc = include_str!(\"../README.md\")]";

    #[test]
    fn each_crate_has_a_readme_that_is_its_doc() {
        let tree = Tree::from([
            ("Cargo.toml", "[workspace]"),
            ("shared/a/Cargo.toml", "[package]"),
            ("shared/a/README.md", "# a"),
            ("shared/a/src/lib.rs", ROOT),
            ("shared/b/Cargo.toml", "[package]"),
            ("shared/b/README.md", " \n"),
            ("shared/b/src/lib.rs", ROOT),
            ("shared/c/Cargo.toml", "[package]"),
            ("shared/c/README.md", "# c"),
            ("shared/c/src/main.rs", "fn main() {}"),
        ]);

        assert_eq!(
            lines(&check(&tree)),
            ["shared/b/README.md:1", "shared/c/src/main.rs:1"]
        );
    }

    #[test]
    fn services_have_the_five_headings_in_order() {
        let good = "# x\n## Owns\n## HTTP\n## Subscribes\n## Example\n## Publishes\n## Runs\n";
        let tree = Tree::from([
            ("services/task-api/README.md", good),
            (
                "services/notifier/README.md",
                &good.replace("## Runs\n", ""),
            ),
            (
                "services/reminder-scheduler/README.md",
                &good.replace("Owns", "Has"),
            ),
            ("services/taskledger/README.md", "# the operator's binary"),
        ]);

        let found = [
            "services/reminder-scheduler/README.md:1",
            "services/notifier/README.md:1",
        ];
        assert_eq!(lines(&check(&tree)), found);
    }
}
