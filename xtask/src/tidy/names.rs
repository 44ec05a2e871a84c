//! File names and lengths: small files, named after what they hold.

use super::finding::Finding;
use super::tree::{Tree, has_extension};

const MAX_LINES: usize = 450;
const EXCUSE: &str = "// tidy: long because ";
const NAMELESS: [&str; 6] = ["util", "utils", "helper", "helpers", "manager", "managers"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let rust = tree.texts().filter(|(path, _)| has_extension(path, "rs"));
    rust.flat_map(|(path, text)| [length(path, text), name(path)])
        .flatten()
        .collect()
}

fn length(path: &str, text: &str) -> Option<Finding> {
    let lines = text.lines().count();
    let excused = text.lines().next().is_some_and(|first| {
        first
            .strip_prefix(EXCUSE)
            .is_some_and(|reason| !reason.trim().is_empty())
    });
    (lines > MAX_LINES && !excused).then(|| {
        Finding::new(
            path,
            lines,
            format!("{lines} lines: split it, or begin it with `{EXCUSE}<reason>`"),
        )
    })
}

fn name(path: &str) -> Option<Finding> {
    let file = path.rsplit('/').next()?;
    if file == "mod.rs" {
        return Some(Finding::of(
            path,
            "no mod.rs: name the file after the module, beside its folder",
        ));
    }
    let mut parts = path.trim_end_matches(".rs").split(['/', '_', '-']);
    let nameless = parts.find(|part| NAMELESS.contains(part))?;
    Some(Finding::of(
        path,
        format!("`{nameless}` says nothing: name the file after what it holds"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::lines;

    #[test]
    fn a_long_file_needs_a_reason() {
        let long = "fn a() {}\n".repeat(451);
        let excused = format!("// tidy: long because it is one table\n{long}");
        let empty_excuse = format!("// tidy: long because \n{long}");
        let tree = Tree::from([
            ("a/src/long.rs", long.as_str()),
            ("a/src/excused.rs", excused.as_str()),
            ("a/src/empty.rs", empty_excuse.as_str()),
            ("a/src/short.rs", &long["fn a() {}\n".len()..]),
        ]);

        assert_eq!(
            lines(&check(&tree)),
            ["a/src/empty.rs:452", "a/src/long.rs:451"]
        );
    }

    #[test]
    fn mod_rs_and_nameless_files_are_found() {
        let tree = Tree::from([
            ("a/src/store/mod.rs", ""),
            ("a/src/utils.rs", ""),
            ("a/src/string_helper.rs", ""),
            ("a/src/managers/task.rs", ""),
            ("a/src/utility.rs", ""),
            ("docs/utils.md", ""),
        ]);

        let found = [
            "a/src/managers/task.rs:1",
            "a/src/store/mod.rs:1",
            "a/src/string_helper.rs:1",
            "a/src/utils.rs:1",
        ];
        assert_eq!(lines(&check(&tree)), found);
    }
}
