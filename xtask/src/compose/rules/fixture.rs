//! The file of the repository, to break.

use serde_json::Value;

use crate::compose::file::ComposeFile;
use crate::root::workspace_root;

type Findings = fn(&ComposeFile) -> Vec<String>;

/// Asserts that the file is right, and that it is found out when a value is put somewhere, or taken away
/// with `null`.
pub(super) fn broken(findings: Findings, pointer: &str, value: Value, expected: &str) {
    let mut file = ComposeFile::read(&workspace_root()).unwrap();
    assert_eq!(findings(&file), Vec::<String>::new());
    *file.body.pointer_mut(pointer).expect(pointer) = value;
    found(&findings(&file), expected);
}

/// Asserts that one of the findings says this.
pub(super) fn found(findings: &[String], expected: &str) {
    let says = |finding: &String| finding.contains(expected);
    assert!(findings.iter().any(says), "{expected}: {findings:?}");
}
