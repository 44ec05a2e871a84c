//! What would have to change on disk, worked out before anything is written.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context;
use event_schema::{Envelope, EventType, all_events, compatibility, current_form, families};
use serde_json::Value;

use super::{catalogue, contract};

const SCHEMAS: &str = "shared/event-schema/schemas";
const GOLDEN: &str = "shared/event-schema/golden";
/// What the name of an older example's present form ends with.
const CURRENT: &str = ".current";
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
        for older in families().iter().flat_map(|family| family.upcasts) {
            plan.compare_older(root, older.from)?;
        }
        plan.want_contract(root)?;
        for folder in [SCHEMAS, GOLDEN] {
            plan.find_orphans(root, folder)?;
        }
        Ok(plan)
    }

    /// Compares only what follows from the topic contract.
    pub(super) fn compare_contract(root: &Path) -> anyhow::Result<Self> {
        let mut plan = Self::default();
        plan.want_contract(root)?;
        Ok(plan)
    }

    fn want_contract(&mut self, root: &Path) -> anyhow::Result<()> {
        let page = (CATALOGUE.to_owned(), catalogue::markdown());
        for (path, text) in contract::files(root)?.into_iter().chain([page]) {
            let existing = read(root, &path)?;
            self.want(path, text, existing.as_deref());
        }
        Ok(())
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
            self.refuse_change(&path, &checked_in, &schema);
        }
        self.want(path, pretty(&schema)?, existing.as_deref());
        Ok(())
    }

    /// A checked-in schema may get better words. What it demands is what stored events were written by.
    fn refuse_change(&mut self, path: &str, checked_in: &Value, schema: &Value) {
        let violations = compatibility::violations(checked_in, schema);
        for violation in &violations {
            self.refused.push(format!(
                "{path}: {violation}: keep the old shape or begin a new major \
                 (--unreleased rewrites a version that nobody has published)"
            ));
        }
        if violations.is_empty() && compatibility::shape(checked_in) != compatibility::shape(schema)
        {
            self.refused.push(format!(
                "{path}: the data has changed: raise the minor and add the step that leads there \
                 (--unreleased rewrites a version that nobody has published)"
            ));
        }
    }

    /// An older version keeps its schema and its example for ever. Beside the example stands what it is
    /// read as today, so that a reviewer sees what a step does.
    fn compare_older(&mut self, root: &Path, version: &str) -> anyhow::Result<()> {
        let schema = format!("{SCHEMAS}/{version}.json");
        if read(root, &schema)?.is_none() {
            self.refused.push(format!(
                "{schema}: missing: an older version keeps its schema"
            ));
        }
        let example = format!("{GOLDEN}/{version}.json");
        let Some(text) = read(root, &example)? else {
            self.refused.push(format!(
                "{example}: missing: an older version keeps its example"
            ));
            return Ok(());
        };
        let envelope = Envelope::parse(text.as_bytes()).with_context(|| example.clone())?;
        let Some(form) = current_form(&envelope).with_context(|| example.clone())? else {
            self.refused
                .push(format!("{example}: is not of the version it stands under"));
            return Ok(());
        };
        let path = format!("{GOLDEN}/{version}{CURRENT}.json");
        let existing = read(root, &path)?;
        self.want(path, pretty(&form)?, existing.as_deref());
        Ok(())
    }

    fn want(&mut self, path: String, text: String, existing: Option<&str>) {
        if existing == Some(text.as_str()) {
            self.fresh += 1;
        } else {
            self.stale.insert(path, text);
        }
    }

    /// Files of types and versions that nobody can read. Older versions are known by their steps.
    fn find_orphans(&mut self, root: &Path, folder: &str) -> anyhow::Result<()> {
        for name in names(&root.join(folder))? {
            if !known(&name, None) {
                self.orphans.push(format!(
                    "{folder}/{name}: no event type has this name: remove it"
                ));
                continue;
            }
            for file in names(&root.join(folder).join(&name))? {
                let version = file.strip_suffix(".json").unwrap_or(&file);
                let version = version.strip_suffix(CURRENT).unwrap_or(version);
                if !known(&name, Some(version)) {
                    self.orphans.push(format!(
                        "{folder}/{name}/{file}: no step leads from this version to today's: add one"
                    ));
                }
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

/// Whether the type exists, today or in an older version, and this version of it.
fn known(event_type: &str, version: Option<&str>) -> bool {
    let mut versions = families().iter().flat_map(event_schema::Family::versions);
    versions.any(|(name, of)| name == event_type && version.is_none_or(|version| version == of))
}

/// The names in a folder; none when there is no folder.
fn names(folder: &Path) -> anyhow::Result<Vec<String>> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(Vec::new());
    };
    entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect()
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
