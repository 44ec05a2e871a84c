//! What a workflow calls is there: steps of `.ci/run`, commands of xtask, and the programs that have images.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context;
use clap::Parser;

use crate::release::PROGRAMS;
use crate::release::workflow::Workflow;

const CI: &str = ".ci/run";

pub(super) fn findings(root: &Path, workflow: &Workflow) -> anyhow::Result<Vec<String>> {
    let known = steps(root, "STEPS")? + &steps(root, "ON_REQUEST")?;
    let mut findings = Vec::new();
    for command in workflow.commands() {
        for step in asked_for(&command) {
            if !known.split_whitespace().any(|name| name == step) {
                findings.push(format!("{CI} has no step {step}"));
            }
        }
        findings.extend(misunderstood(&command));
    }
    for (name, job, step) in workflow.steps() {
        let script = step["run"].as_str().unwrap_or_default();
        if script.replace("${{ matrix.", "").contains("${{") {
            findings.push(format!(
                "{name}: give a script what it needs by `env`, not by ${{{{ }}}}"
            ));
        }
        if !is_shell(script)? {
            findings.push(format!("{name}: no shell understands {script:?}"));
        }
        let scanned = job["strategy"]["matrix"]["service"].as_array();
        if scanned.is_some_and(|scanned| !scanned.iter().eq(PROGRAMS.iter())) {
            findings.push(format!("{name}: the services are {}", PROGRAMS.join(", ")));
        }
    }
    Ok(findings)
}

/// Steps of `.ci/run` that no pull request runs.
pub(super) fn never_run(root: &Path, workflows: &[Workflow]) -> anyhow::Result<Vec<String>> {
    let of_pulls = workflows
        .iter()
        .filter(|all| all.is_triggered_by("pull_request"));
    let commands: Vec<_> = of_pulls.flat_map(Workflow::commands).collect();
    let run: BTreeSet<_> = commands
        .iter()
        .flat_map(|command| asked_for(command))
        .collect();
    let wanted = steps(root, "STEPS")?;
    let missing = wanted.split_whitespace().filter(|step| !run.contains(step));
    Ok(missing
        .map(|step| format!("no pull request runs `{CI} {step}`"))
        .collect())
}

fn asked_for(command: &str) -> Vec<&str> {
    let words = command.strip_prefix(CI).unwrap_or_default();
    words.split_whitespace().collect()
}

/// Of `readonly STEPS=(format lint …)`.
fn steps(root: &Path, list: &str) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(root.join(CI)).context(CI)?;
    let begin = format!("readonly {list}=(");
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(&begin)?.strip_suffix(')'));
    let line = line.with_context(|| format!("{CI} has no line {begin}…)"))?;
    Ok(format!("{line} "))
}

/// What clap says of a command of ours.
fn misunderstood(command: &str) -> Option<String> {
    let words = command.strip_prefix("cargo xtask ")?;
    let words = words.split_whitespace().map(|word| word.replace('"', ""));
    let parsed = crate::Arguments::try_parse_from(std::iter::once("xtask".to_owned()).chain(words));
    let error = parsed.err()?.to_string();
    let why = error.lines().next().unwrap_or_default();
    Some(format!("`{command}`: {why}"))
}

fn is_shell(script: &str) -> anyhow::Result<bool> {
    let mut shell = Command::new("bash");
    shell.arg("-n").stdin(Stdio::piped()).stderr(Stdio::null());
    let mut shell = shell.spawn().context("cannot run bash")?;
    if let Some(mut input) = shell.stdin.take() {
        input.write_all(script.as_bytes())?;
    }
    Ok(shell.wait()?.success())
}

#[cfg(test)]
mod tests {
    use crate::release::rules::fixture::broken;

    #[test]
    fn what_is_called_and_not_there_is_found() {
        for (path, right, wrong, expected) in [
            (
                "advisories.yml",
                "run advisories",
                "run advice",
                "no step advice",
            ),
            (
                "ci.yml",
                "- tests smoke",
                "- tests smokes",
                "no step smokes",
            ),
            (
                "ci.yml",
                "          - stack\n",
                "",
                "no pull request runs `.ci/run stack`",
            ),
            (
                "release.yml",
                "xtask release check",
                "xtask release verify",
                "unrecognized subcommand",
            ),
            (
                "release.yml",
                "--out release-files",
                "--into release-files",
                "unexpected argument",
            ),
            (
                "release.yml",
                "notifier, taskledger]",
                "notifier]",
                "the services are",
            ),
        ] {
            broken(path, right, wrong, expected);
        }
    }

    #[test]
    fn a_script_that_others_can_write_into_is_found() {
        broken(
            "release.yml",
            "\"$GITHUB_REF_NAME\"",
            "${{ github.ref_name }}",
            "give a script what it needs by `env`",
        );
    }

    #[test]
    fn a_script_that_is_none_is_found() {
        broken(
            "release.yml",
            "          done\n",
            "",
            "no shell understands",
        );
    }
}
