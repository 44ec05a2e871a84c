//! The workflows of the repository, to break.

use crate::release::workflow::Workflow;
use crate::root::workspace_root;

/// Asserts that the workflows are right, and that one is found out when a piece of its text is another.
pub(super) fn broken(path: &str, right: &str, wrong: &str, expected: &str) {
    let root = workspace_root();
    let mut workflows = Workflow::all(&root).unwrap();
    let findings = super::findings(&root, &workflows).unwrap();
    assert_eq!(findings, Vec::<String>::new());

    let path = format!(".github/workflows/{path}");
    let workflow = workflows.iter_mut().find(|workflow| workflow.path == path);
    let workflow = workflow.expect("a workflow of this name");
    assert!(workflow.text.contains(right), "{path} has no {right:?}");
    *workflow = Workflow::parse(path, workflow.text.replacen(right, wrong, 1)).unwrap();
    let findings = super::findings(&root, &workflows).unwrap();
    let says = |finding: &String| finding.contains(expected);
    assert!(findings.iter().any(says), "{expected}: {findings:?}");
}
