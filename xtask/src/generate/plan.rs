//! What would have to change on disk, worked out before anything is written.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context;
use event_schema::{EventType, all_events, compatibility};
use serde_json::Value;

use super::catalogue;

const SCHEMAS: &str = "shared/event-schema/schemas";
const GOLDEN: &str = "shared/event-schema/golden";
const CATALOGUE: &str = "docs/events.md";

/// The wanted text of every generated file, and what is wrong with the files as they are.
#[derive(Debug, Default)]
pub(super) struct Plan {
    stale: BTreeMap<String, String>,
    orphans: Vec<String>,
    refused: Vec<String>,
    fresh: usize,
}

impl Plan {
    /// Compares the files below `root` with the types. `unreleased` allows a checked-in
    /// schema to be rewritten incompatibly.
    pub(super) fn compare(root: &Path, unreleased: bool) -> anyhow::Result<Self> {
        let mut plan = Self::default();
        for event_type in all_events() {
            plan.compare_schema(root, event_type, unreleased)?;
            // An example is written by a person, once: it proves that old bytes can still be read.
            let example = file(GOLDEN, event_type);
            if read(root, &example)?.is_none() {
                plan.refused.push(format!(
                    "{example}: missing: write an envelope with realistic values, best from a sibling"
                ));
            }
        }
        let existing = read(root, CATALOGUE)?;
        plan.want(
            CATALOGUE.to_owned(),
            catalogue::markdown(),
            existing.as_deref(),
        );
        for folder in [SCHEMAS, GOLDEN] {
            plan.find_orphans(root, folder)?;
        }
        Ok(plan)
    }

    fn compare_schema(
        &mut self,
        root: &Path,
        event_type: &EventType,
        unreleased: bool,
    ) -> anyhow::Result<()> {
        let path = file(SCHEMAS, event_type);
        let schema = event_type.json_schema();
        let existing = read(root, &path)?;
        if let Some(text) = &existing
            && !unreleased
        {
            let checked_in: Value = serde_json::from_str(text).with_context(|| path.clone())?;
            for violation in compatibility::violations(&checked_in, &schema) {
                self.refused.push(format!(
                    "{path}: {violation}: keep the old shape or add a new major beside it \
                     (--unreleased rewrites a version that nobody has published)"
                ));
            }
        }
        self.want(path, pretty(&schema)?, existing.as_deref());
        Ok(())
    }

    fn want(&mut self, path: String, text: String, existing: Option<&str>) {
        if existing == Some(text.as_str()) {
            self.fresh += 1;
        } else {
            self.stale.insert(path, text);
        }
    }

    /// Files of types that no longer exist; older versions of a type that exists are kept.
    fn find_orphans(&mut self, root: &Path, folder: &str) -> anyhow::Result<()> {
        let Ok(entries) = fs::read_dir(root.join(folder)) else {
            return Ok(());
        };
        for entry in entries {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if !all_events().any(|event_type| event_type.name == name) {
                self.orphans.push(format!(
                    "{folder}/{name}: no event type has this name: remove it"
                ));
            }
        }
        self.orphans.sort();
        Ok(())
    }

    /// Everything in which the files differ from the types.
    pub(super) fn differences(&self) -> Vec<String> {
        let stale = self
            .stale
            .keys()
            .map(|path| format!("{path}: run `cargo xtask generate`"));
        self.refused
            .iter()
            .chain(&self.orphans)
            .cloned()
            .chain(stale)
            .collect()
    }

    /// What must not be written over, or removed by a program.
    pub(super) fn refusals(&self) -> Vec<String> {
        self.refused.iter().chain(&self.orphans).cloned().collect()
    }

    pub(super) fn write(&self, root: &Path) -> anyhow::Result<()> {
        for (path, text) in &self.stale {
            let path = root.join(path);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&path, text).with_context(|| path.display().to_string())?;
        }
        Ok(())
    }

    pub(super) fn summary(&self, check: bool) -> String {
        let written = if check { 0 } else { self.stale.len() };
        format!(
            "generate: {written} files written, {} already fresh",
            self.fresh
        )
    }
}

fn file(folder: &str, event_type: &EventType) -> String {
    format!(
        "{folder}/{}/{}.json",
        event_type.name, event_type.schema_version
    )
}

fn read(root: &Path, path: &str) -> anyhow::Result<Option<String>> {
    match fs::read_to_string(root.join(path)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| path.to_owned()),
    }
}

/// Keys in the order of the value; two spaces; a newline at the end.
fn pretty(value: &Value) -> anyhow::Result<String> {
    let mut sorted = value.clone();
    // Whether maps keep their order depends on what else is built, so the order is made here.
    sorted.sort_all_objects();
    Ok(serde_json::to_string_pretty(&sorted)? + "\n")
}

#[cfg(test)]
mod tests;
