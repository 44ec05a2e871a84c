//! Others' code runs by the commit it was read at, with the version beside it; a tag can be moved.

use std::collections::BTreeMap;
use std::path::Path;

use crate::release::workflow::Workflow;

pub(super) fn findings(root: &Path, workflow: &Workflow) -> Vec<String> {
    let mut findings = Vec::new();
    for used in used(&workflow.text) {
        if let Some(local) = used.strip_prefix("./") {
            if !root.join(local).exists() {
                findings.push(format!("there is no {local}"));
            }
        } else if !is_pinned(used) {
            findings.push(format!(
                "{used}: write the full commit and, as a comment, its version: NAME@COMMIT # v1.2.3"
            ));
        }
    }
    findings
}

/// One action in two versions is one that somebody forgot.
pub(super) fn differing(workflows: &[Workflow]) -> Vec<String> {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    let mut findings = Vec::new();
    for used in workflows.iter().flat_map(|workflow| used(&workflow.text)) {
        let Some((name, version)) = used.split_once('@') else {
            continue;
        };
        let first = seen.entry(name).or_insert(version);
        if *first != version {
            findings.push(format!("{name} is used as {first} and as {version}"));
        }
    }
    findings
}

fn used(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let line = line.trim().trim_start_matches("- ");
        line.strip_prefix("uses: ")
    })
}

fn is_pinned(used: &str) -> bool {
    let Some((commit, version)) = used
        .split_once('@')
        .and_then(|(_, version)| version.split_once(" # v"))
    else {
        return false;
    };
    let numbers: Vec<_> = version.split('.').collect();
    commit.len() == 40
        && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
        && numbers.len() == 3
        && numbers.iter().all(|number| number.parse::<u32>().is_ok())
}

#[cfg(test)]
mod tests {
    use crate::release::rules::fixture::broken;

    const CHECKOUT: &str = "actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2";

    #[test]
    fn an_action_that_can_become_another_is_found() {
        for wrong in [
            "actions/checkout@v6",
            "actions/checkout@v6.0.2",
            "actions/checkout@de0fac2 # v6.0.2",
            "actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd",
            "actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6",
        ] {
            broken("ci.yml", CHECKOUT, wrong, "write the full commit");
        }
    }

    #[test]
    fn one_action_in_two_versions_is_found() {
        let other = "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0";
        broken("ci.yml", CHECKOUT, other, "actions/checkout is used as");
    }

    #[test]
    fn a_workflow_that_is_not_there_is_found() {
        broken(
            "release.yml",
            "./.github/workflows/ci.yml",
            "./.github/workflows/test.yml",
            "there is no",
        );
    }
}
