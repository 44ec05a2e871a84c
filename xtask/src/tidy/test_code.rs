//! Tests that mean something every time: no waiting by the clock, none switched off.

use super::finding::Finding;
use super::tree::Tree;

const REFUSED: [(&str, &str); 3] = [
    (
        "sleep(",
        "a test that sleeps is slow or flaky: advance the clock, or wait for a condition",
    ),
    (
        "#[ignore",
        "a test that does not run proves nothing: make it run, or remove it",
    ),
    (
        "#[should_panic",
        "assert on the error value: nothing here is meant to panic",
    ),
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, source) in tree.sources() {
        for (line, code) in source.lines().filter(|(line, _)| source.is_test(*line)) {
            for (what, advice) in REFUSED.iter().filter(|(what, _)| contains(code, what)) {
                found.push(Finding::new(path, line, format!("`{what}`: {advice}")));
            }
        }
    }
    found
}

/// `sleep(` is a call of `sleep`, not of `wait_without_sleep`.
fn contains(code: &str, what: &str) -> bool {
    code.match_indices(what)
        .any(|(start, _)| !code[..start].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::lines;

    #[test]
    fn sleeping_and_switched_off_tests_are_found() {
        let tree = Tree::from([
            (
                "a/src/lib.rs",
                "fn a() { sleep(b); }\n#[cfg(test)]\nmod tests {\n tokio::time::sleep(x);\n}\n",
            ),
            (
                "a/tests/api/main.rs",
                "#[ignore = \"slow\"]\n#[should_panic]\nfn c() {}\nno_sleep();\nasleep(1);\n",
            ),
            ("tests/src/walk.rs", "std::thread::sleep(d)"),
        ]);

        let found = [
            "a/src/lib.rs:4",
            "a/tests/api/main.rs:1",
            "a/tests/api/main.rs:2",
            "tests/src/walk.rs:1",
        ];
        assert_eq!(lines(&check(&tree)), found);
    }
}
