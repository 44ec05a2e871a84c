//! What Compose itself does not check: that the file fits the topic contract, the secrets that are made and
//! the sidecars' components, and that every container is restricted, limited and looked after.
//!
//! Each rule has a test in which it fails.

mod containers;
mod gateway;
mod images;
mod kafka;
mod secrets;
mod sidecars;

use std::path::Path;

use super::file::ComposeFile;

/// Everything that is wrong with the file.
pub(super) fn findings(root: &Path, file: &ComposeFile) -> anyhow::Result<Vec<String>> {
    let mut findings = containers::findings(file);
    findings.extend(images::findings(root, file)?);
    findings.extend(secrets::findings(root, file)?);
    findings.extend(sidecars::findings(file));
    findings.extend(kafka::findings(root, file)?);
    findings.extend(gateway::findings(root, file)?);
    Ok(findings)
}

/// The sidecar's or the pod's name.
fn beside(app: event_schema::App, part: &str) -> String {
    format!("{}-{part}", app.id())
}

#[cfg(test)]
mod fixture;
