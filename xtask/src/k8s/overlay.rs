//! Overlays: which there are, and how they are rendered.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use event_schema::topic::Profile;

use super::object::Object;
use crate::cache::{cached, finished};

const SOURCES: &str = "tools/kustomize";

/// Every overlay, and the topics it has to have.
pub(super) const OVERLAYS: [(&str, Profile); 3] = [
    ("minikube", Profile::Local),
    ("aks-strimzi", Profile::Production),
    ("aks-strimzi-keda", Profile::Production),
];

/// `kustomize`, from its published module.
#[derive(Debug)]
pub(super) struct Kustomize(PathBuf);

impl Kustomize {
    pub(super) fn prepare(root: &Path, cache: &Path) -> anyhow::Result<Self> {
        let made = cached(root, cache, SOURCES, &["go.mod", "go.sum"], build)?;
        Ok(Self(made.join("kustomize")))
    }

    /// The objects of a folder, as `kubectl apply -k` would send them.
    pub(super) fn render(&self, root: &Path, folder: &str) -> anyhow::Result<Vec<Object>> {
        let mut command = Command::new(&self.0);
        command.current_dir(root).args(["build", folder]);
        let output = command.output().context("cannot run kustomize")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "kustomize build {folder}: {said}");
        // What it warns of today is an error of tomorrow's version.
        ensure!(said.is_empty(), "kustomize build {folder} warns: {said}");
        Object::parse(std::str::from_utf8(&output.stdout)?).context(folder.to_owned())
    }
}

fn build(sources: &Path, into: &Path) -> anyhow::Result<()> {
    let mut command = Command::new("go");
    command.current_dir(sources).env("CGO_ENABLED", "0");
    command.args(["build", "-mod=readonly", "-trimpath", "-o"]);
    command
        .arg(into.join("kustomize"))
        .arg("sigs.k8s.io/kustomize/kustomize/v5");
    finished(&mut command, "building kustomize")
}
