//! `cargo xtask k8s check`: every overlay is rendered, every object is compared with its schema, and what
//! no schema says is checked by rules of our own.
//!
//! No cluster is asked. What a schema cannot say and only a cluster knows (admission, CEL rules, whether an
//! image exists) is not covered.

mod object;
mod overlay;
mod rules;
mod schemas;

use std::path::Path;
use std::process::ExitCode;

use crate::cache::CacheOptions;
use crate::root::say;
use overlay::{Kustomize, OVERLAYS};
pub(crate) use rules::is_pinned;
use schemas::Schemas;

/// For a cluster with the Prometheus Operator; part of no overlay.
const MONITORING: &str = "monitoring";

/// What to do with the manifests.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: K8sCommand,
}

#[derive(Debug, clap::Subcommand)]
enum K8sCommand {
    /// Renders every overlay and checks every object. Needs Go, Maven and pip once.
    Check(CacheOptions),
}

pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<ExitCode> {
    let K8sCommand::Check(cache) = &options.command;
    check(root, &cache.folder()?)
}

fn check(root: &Path, cache: &Path) -> anyhow::Result<ExitCode> {
    let kustomize = Kustomize::prepare(root, cache)?;
    let schemas = Schemas::prepare(root, cache)?;
    let paths = crate::paths::table(root)?;
    let mut findings = Vec::new();
    for (name, profile) in OVERLAYS {
        let objects = kustomize.render(root, &format!("k8s/overlays/{name}"))?;
        let compared = schemas.findings(&objects)?;
        let found = rules::findings(&objects, profile, &paths);
        say(&format!(
            "k8s: {name}: {} objects, {} compared with schemas of Kubernetes {}, Strimzi, Dapr and KEDA, {} findings",
            objects.len(),
            compared.count,
            schemas::KUBERNETES.join(" and "),
            compared.findings.len() + found.len()
        ));
        let found = compared.findings.into_iter().chain(found);
        findings.extend(found.map(|finding| format!("k8s/overlays/{name}: {finding}")));
    }
    let objects = kustomize.render(root, MONITORING)?;
    let compared = schemas.findings(&objects)?;
    say(&format!(
        "k8s: {MONITORING}: {} objects, {} findings",
        objects.len(),
        compared.findings.len()
    ));
    let found = compared.findings.into_iter();
    findings.extend(found.map(|finding| format!("{MONITORING}: {finding}")));
    for finding in &findings {
        say(finding);
    }
    Ok(if findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
