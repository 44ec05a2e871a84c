//! A workflow as a rule asks about it: its text, because comments say versions, and what the text means.

use std::fs;
use std::path::Path;

use anyhow::Context;
use serde_json::Value;

const FOLDER: &str = ".github/workflows";

/// One file of `.github/workflows`.
#[derive(Clone, Debug)]
pub(super) struct Workflow {
    /// From the root.
    pub(super) path: String,
    pub(super) text: String,
    pub(super) body: Value,
}

impl Workflow {
    /// Those of the repository, by name.
    pub(super) fn all(root: &Path) -> anyhow::Result<Vec<Self>> {
        let mut all = Vec::new();
        for entry in fs::read_dir(root.join(FOLDER)).context(FOLDER)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let path = format!("{FOLDER}/{name}");
            let text = fs::read_to_string(root.join(&path)).with_context(|| path.clone())?;
            all.push(Self::parse(path, text)?);
        }
        all.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(all)
    }

    pub(super) fn parse(path: String, text: String) -> anyhow::Result<Self> {
        let body = serde_saphyr::from_str(&text).with_context(|| path.clone())?;
        Ok(Self { path, text, body })
    }

    /// Every job by its name.
    pub(super) fn jobs(&self) -> impl Iterator<Item = (&str, &Value)> {
        let all = self.body["jobs"].as_object().into_iter().flatten();
        all.map(|(name, job)| (name.as_str(), job))
    }

    /// Every step with the job it belongs to.
    pub(super) fn steps(&self) -> impl Iterator<Item = (&str, &Value, &Value)> {
        self.jobs().flat_map(|(name, job)| {
            let steps = job["steps"].as_array().into_iter().flatten();
            steps.map(move |step| (name, job, step))
        })
    }

    /// Every command line, with `${{ matrix.… }}` replaced by each of its values.
    pub(super) fn commands(&self) -> Vec<String> {
        let mut commands = Vec::new();
        for (_, job, step) in self.steps() {
            for line in step["run"].as_str().unwrap_or_default().lines() {
                commands.extend(for_each_of_matrix(line.trim(), &job["strategy"]["matrix"]));
            }
        }
        commands
    }

    pub(super) fn is_triggered_by(&self, event: &str) -> bool {
        match &self.body["on"] {
            Value::Object(events) => events.contains_key(event),
            Value::Array(events) => events.iter().any(|item| item == event),
            one => one == event,
        }
    }
}

fn for_each_of_matrix(line: &str, matrix: &Value) -> Vec<String> {
    let Some((before, rest)) = line.split_once("${{ matrix.") else {
        return vec![line.to_owned()];
    };
    let (name, after) = rest.split_once(" }}").unwrap_or((rest, ""));
    let values = matrix[name].as_array().into_iter().flatten();
    let values = values.filter_map(Value::as_str);
    values
        .map(|value| format!("{before}{value}{after}"))
        .collect()
}
