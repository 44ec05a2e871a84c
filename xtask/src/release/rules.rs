//! What a workflow promises: whose code runs, what it may do, and that what it calls is there.
//!
//! Each rule has a test in which it fails.

mod actions;
mod commands;
mod jobs;

use std::path::Path;

use super::workflow::Workflow;

/// Everything that is wrong with the workflows.
pub(super) fn findings(root: &Path, workflows: &[Workflow]) -> anyhow::Result<Vec<String>> {
    let mut findings = Vec::new();
    for workflow in workflows {
        let found = actions::findings(root, workflow)
            .into_iter()
            .chain(jobs::findings(workflow))
            .chain(commands::findings(root, workflow)?);
        findings.extend(found.map(|finding| format!("{}: {finding}", workflow.path)));
    }
    findings.extend(actions::differing(workflows));
    findings.extend(commands::never_run(root, workflows)?);
    Ok(findings)
}

#[cfg(test)]
mod fixture;
