//! `cargo xtask tidy`: the conventions of CONTRIBUTING.md as checks.
//!
//! Each check reads the tree in memory, so that its tests give it a small tree that breaks the rule.

mod domain;
mod finding;
mod leftovers;
mod migrations;
mod monitoring;
mod names;
mod readmes;
mod rooms;
mod source;
mod sql;
mod subscribers;
mod test_code;
mod tree;
mod walls;

use std::path::Path;
use std::process::ExitCode;

use crate::root::say;
use finding::Finding;
use tree::Tree;

const CHECKS: [fn(&Tree) -> Vec<Finding>; 10] = [
    names::check,
    leftovers::check,
    test_code::check,
    sql::check,
    readmes::check,
    rooms::check,
    subscribers::check,
    migrations::check,
    domain::check,
    monitoring::check,
];

pub(crate) fn run(root: &Path) -> anyhow::Result<ExitCode> {
    let tree = Tree::load(root)?;
    let mut findings: Vec<Finding> = CHECKS.iter().flat_map(|check| check(&tree)).collect();
    findings.extend(walls::check(&walls::packages(root)?));
    findings.sort();
    for finding in &findings {
        say(&finding.to_string());
    }
    let count = findings.len();
    say(&format!("tidy: {count} findings in {} files", tree.len()));
    Ok(if count == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
