//! The comparison itself, for a moment: it counts what was done, and says nothing of how fast.

use std::io;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn bench(arguments: &[&str], folder: &Path) -> io::Result<Output> {
    Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(arguments)
        .arg("--folder")
        .arg(folder)
        .output()
}

#[test]
fn every_side_carries_out_commands_and_writes_a_ledger_without_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let arguments = [
        "ledger",
        "--database=sqlite",
        "--only=c4,r50",
        "--pairs=1",
        "--warm-up=0.1",
        "--seconds=0.4",
        // Tests run beside each other.
        "--foreign-limit=1000",
        "--verify",
        "--json",
        file.to_str().unwrap(),
    ];

    let output = bench(&arguments, folder.path()).unwrap();

    let table = String::from_utf8_lossy(&output.stdout);
    let progress = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{progress}");
    assert!(table.contains("ledger / naive, commands/s: "), "{table}");
    let report: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let run = |case: usize, side: &str| report["cases"][case]["rounds"][0]["runs"][side].clone();
    let sides = [
        (0, "ledger"),
        (0, "naive"),
        (0, "ceiling"),
        (1, "ledger"),
        (1, "naive"),
    ];
    for (case, side) in sides {
        let run = run(case, side);
        assert!(run["completed"].as_u64() > Some(0), "{side}: {run}");
        assert_eq!(run["refused"], 0, "{side}: {run}");
    }
    assert!(run(1, "ceiling").is_null(), "the ceiling knows no rate");
    // Twenty of the open loop are within the measured time, whether or not they were in time.
    assert_eq!(run(1, "ledger")["offered_per_second"], 50.0);
    let names: Vec<_> = report["cases"][0]["ratios"]
        .as_array()
        .unwrap()
        .iter()
        .map(|ratio| ratio["name"].as_str().unwrap())
        .collect();
    assert!(names.contains(&"ledger / ceiling, commands/s"), "{names:?}");
}

#[test]
fn a_load_that_nobody_knows_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let output = bench(&["ledger", "--only=x5"], folder.path()).unwrap();
    assert!(!output.status.success());
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(complaint.contains("c64 for 64 clients"), "{complaint}");
}
