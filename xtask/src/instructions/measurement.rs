//! Running the micro benchmarks and reading what they counted.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};
use serde_json::Value;

use super::baseline::Counts;
use crate::root::cargo;

/// Builds and runs bench/benches/instructions under valgrind.
pub(super) fn count(root: &Path) -> anyhow::Result<Counts> {
    let valgrind = Command::new("valgrind").arg("--version").output();
    if valgrind.is_err() {
        bail!("valgrind is missing; install it from your distribution");
    }
    let output = cargo(root)
        .args(["bench", "--locked", "--package", "bench"])
        .args(["--bench", "instructions", "--", "--output-format=json"])
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo bench")?;
    ensure!(
        output.status.success(),
        "the benchmarks failed; is gungraun-runner installed, in the version that Cargo.lock has of gungraun?"
    );
    let counts = read(&String::from_utf8_lossy(&output.stdout))?;
    ensure!(!counts.is_empty(), "the benchmarks counted nothing");
    Ok(counts)
}

/// The counts in gungraun's output: a JSON object a line.
fn read(output: &str) -> anyhow::Result<Counts> {
    let lines = output.lines().filter(|line| line.starts_with('{'));
    let counts = lines.map(|line| {
        let summary: Value = serde_json::from_str(line).context("gungraun wrote no JSON")?;
        let count = instructions(&summary);
        let count = count.with_context(|| format!("gungraun counted no instructions: {line}"))?;
        Ok((name(&summary), count))
    });
    counts.collect()
}

/// `fold/events_20`.
fn name(summary: &Value) -> String {
    let part = |field: &str| summary[field].as_str().unwrap_or_default();
    format!("{}/{}", part("function_name"), part("id"))
}

fn instructions(summary: &Value) -> Option<u64> {
    // `old` stands beside `new` when this machine has counted before.
    summary["profiles"][0]["data"]["total"]["metrics"]["Ir"]["values"]["new"].as_u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = r#"{"function_name":"fold","id":"events_20","profiles":[{"data":{"total":{"metrics":{"Ir":{"values":{"new":20123}}}}}}]}"#;
    const AGAIN: &str = r#"{"function_name":"stage","id":"patch","profiles":[{"data":{"total":{"metrics":{"Ir":{"values":{"new":31000,"old":30000}}}}}}]}"#;

    #[test]
    fn the_new_count_of_every_line_is_read() {
        let counts = read(&format!("{FIRST}\nnot of ours\n{AGAIN}\n")).unwrap();
        let expected = [("fold/events_20", 20_123), ("stage/patch", 31_000)];
        assert_eq!(
            counts,
            expected
                .map(|(name, count)| (name.to_owned(), count))
                .into()
        );
    }

    #[test]
    fn a_line_without_a_count_is_an_error() {
        assert!(read(r#"{"function_name":"fold","profiles":[]}"#).is_err());
        assert!(read("{").is_err());
    }
}
