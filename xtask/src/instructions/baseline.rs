//! The committed counts.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::toolchain::Toolchain;

/// Where they are.
pub(super) const FILE: &str = "bench/instructions.json";

/// Instructions by the name of the benchmark.
pub(super) type Counts = BTreeMap<String, u64>;

/// Counts and what they were counted with.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Baseline {
    pub(super) toolchain: Toolchain,
    pub(super) instructions: Counts,
}

impl Baseline {
    pub(super) fn new(toolchain: Toolchain, instructions: Counts) -> Self {
        Self {
            toolchain,
            instructions,
        }
    }

    pub(super) fn read(root: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(root.join(FILE))
            .with_context(|| format!("cannot read {FILE}; --update writes it"))?;
        serde_json::from_str(&text).with_context(|| format!("{FILE} is no list of counts"))
    }

    pub(super) fn write(&self, root: &Path) -> anyhow::Result<()> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        fs::write(root.join(FILE), text).with_context(|| format!("cannot write {FILE}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("bench")).unwrap();
        let toolchain = Toolchain {
            rustc: "1.95.0".to_owned(),
            target: "x86_64-unknown-linux-gnu".to_owned(),
        };
        let counts = Counts::from([("fold/events_20".to_owned(), 20_123)]);
        let baseline = Baseline::new(toolchain, counts);

        baseline.write(root.path()).unwrap();

        assert_eq!(Baseline::read(root.path()).unwrap(), baseline);
    }

    #[test]
    fn a_missing_file_says_how_it_is_made() {
        let root = tempfile::tempdir().unwrap();
        let error = Baseline::read(root.path()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot read bench/instructions.json; --update writes it"
        );
    }
}
