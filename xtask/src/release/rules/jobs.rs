//! A job may do what it has to and no more, says how long it may take and on what it runs.

use serde_json::Value;

use crate::release::workflow::Workflow;

/// Runs with our rights on what a stranger wrote.
const STRANGERS: &str = "pull_request_target";

pub(super) fn findings(workflow: &Workflow) -> Vec<String> {
    let mut findings = Vec::new();
    if workflow.is_triggered_by(STRANGERS) {
        findings.push(format!("{STRANGERS} gives strangers our rights"));
    }
    let all = &workflow.body["permissions"];
    if !all.is_object() || !writes(all).is_empty() {
        findings.push("say `permissions: {contents: read}` for all jobs".to_owned());
    }
    for (name, job) in workflow.jobs() {
        findings.extend(of_job(workflow, job).map(|finding| format!("{name}: {finding}")));
    }
    for (name, _, step) in workflow.steps() {
        findings.extend(of_step(step).map(|finding| format!("{name}: {finding}")));
    }
    findings
}

fn of_job(workflow: &Workflow, job: &Value) -> impl Iterator<Item = String> {
    let mut findings = Vec::new();
    let written = writes(&job["permissions"]);
    if workflow.is_triggered_by("pull_request") && !written.is_empty() {
        findings.push(format!("a pull request may write {written:?}"));
    }
    if job["permissions"].is_string() {
        findings.push("name each permission".to_owned());
    }
    // A job that is another workflow has these there.
    if job["uses"].is_null() {
        if !job["timeout-minutes"].is_number() {
            findings.push("say timeout-minutes".to_owned());
        }
        let machine = job["runs-on"].as_str().unwrap_or_default();
        if machine.is_empty() || machine.ends_with("latest") {
            findings.push(format!("runs-on {machine:?} is no version"));
        }
    }
    findings.into_iter()
}

fn of_step(step: &Value) -> Option<String> {
    let is_checkout = step["uses"].as_str()?.starts_with("actions/checkout@");
    let keeps = step["with"]["persist-credentials"] != Value::Bool(false);
    (is_checkout && keeps).then(|| "say persist-credentials: false".to_owned())
}

fn writes(permissions: &Value) -> Vec<&str> {
    let all = permissions.as_object().into_iter().flatten();
    let written = all.filter(|(_, right)| *right == "write");
    written.map(|(name, _)| name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use crate::release::rules::fixture::broken;

    #[test]
    fn rights_that_nobody_needs_are_found() {
        let of_all = "permissions:\n  contents: read\n";
        for (path, right, wrong, expected) in [
            ("ci.yml", of_all, "", "for all jobs"),
            ("ci.yml", of_all, "permissions: write-all\n", "for all jobs"),
            (
                "release.yml",
                of_all,
                "permissions:\n  contents: write\n",
                "for all jobs",
            ),
            (
                "ci.yml",
                "    timeout-minutes: 120\n",
                "    timeout-minutes: 120\n    permissions: {packages: write}\n",
                "a pull request may write",
            ),
            (
                "release.yml",
                "    permissions:\n      contents: read\n      packages: write\n",
                "    permissions: write-all\n",
                "name each permission",
            ),
            (
                "ci.yml",
                "  pull_request:\n",
                "  pull_request_target:\n",
                "gives strangers our rights",
            ),
            (
                "advisories.yml",
                "          persist-credentials: false\n",
                "          fetch-depth: 0\n",
                "say persist-credentials",
            ),
        ] {
            broken(path, right, wrong, expected);
        }
    }

    #[test]
    fn a_job_without_end_or_without_a_version_of_its_machine_is_found() {
        let limit = "    timeout-minutes: 120\n";
        broken("ci.yml", limit, "", "say timeout-minutes");
        broken("ci.yml", "ubuntu-24.04", "ubuntu-latest", "is no version");
    }
}
