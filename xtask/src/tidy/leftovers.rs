//! Nothing half done: what is missing has an issue, or is done.

use super::finding::Finding;
use super::tree::{Tree, has_extension};

const MACROS: [&str; 2] = ["todo!", "unimplemented!"];
const MARKS: [&str; 3] = ["TODO", "FIXME", "XXX"];
const CONFIGURATION: [&str; 5] = ["sql", "toml", "yaml", "yml", "sh"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, source) in tree.sources() {
        for (line, code) in source.lines() {
            for name in MACROS.iter().filter(|name| code.contains(**name)) {
                found.push(Finding::new(
                    path,
                    line,
                    format!("`{name}`: write it, or leave it out"),
                ));
            }
        }
        for (line, comment) in &source.comments {
            found.extend(marks(path, *line, comment));
        }
    }
    for (path, text) in tree.texts() {
        let script = path.starts_with(".ci/");
        if script
            || CONFIGURATION
                .iter()
                .any(|extension| has_extension(path, extension))
        {
            found.extend(marks(path, 1, text));
        }
    }
    found
}

/// Marks without an issue; `TODO(#12)` is the only form that may stay.
fn marks<'a>(path: &'a str, first: usize, text: &'a str) -> impl Iterator<Item = Finding> + 'a {
    text.lines().enumerate().filter_map(move |(offset, line)| {
        let mark = MARKS.iter().find(|mark| is_open(line, mark))?;
        let advice = format!("`{mark}` without an issue: do it, or write `TODO(#<issue>)`");
        Some(Finding::new(path, first + offset, advice))
    })
}

fn is_open(line: &str, mark: &str) -> bool {
    line.match_indices(mark).any(|(start, _)| {
        let (before, after) = (&line[..start], &line[start + mark.len()..]);
        let is_word = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
            && !after.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        is_word && !(mark == "TODO" && has_issue(after))
    })
}

fn has_issue(after: &str) -> bool {
    let number = after
        .strip_prefix("(#")
        .and_then(|rest| rest.split_once(')'));
    number.is_some_and(|(digits, _)| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::lines;

    #[test]
    fn unfinished_code_is_found_and_text_about_it_is_not() {
        let tree = Tree::from([(
            "a/src/lib.rs",
            "fn a() { todo!() }\nfn b() { unimplemented!(\"later\") }\nlet c = \"todo!\"; // todo!\n",
        )]);

        assert_eq!(lines(&check(&tree)), ["a/src/lib.rs:1", "a/src/lib.rs:2"]);
    }

    #[test]
    fn marks_need_an_issue() {
        let tree = Tree::from([
            (
                "a/src/lib.rs",
                "// TODO later\n// TODO(#12) with an issue\n// TODO(#x)\n/* a\nFIXME */\n// TODOS\n",
            ),
            ("a/migrations/sqlite/0001.sql", "-- x\n-- TODO\n"),
            (".ci/run", "# XXX\n"),
            ("docs/a.md", "TODO is a word here"),
        ]);

        let found = [
            "a/src/lib.rs:1",
            "a/src/lib.rs:3",
            "a/src/lib.rs:5",
            ".ci/run:1",
            "a/migrations/sqlite/0001.sql:2",
        ];
        assert_eq!(lines(&check(&tree)), found);
    }
}
