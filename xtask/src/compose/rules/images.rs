//! Every image says its version, and the sidecar's is that of Kubernetes.

use std::path::Path;

use anyhow::Context;

use crate::compose::file::{ComposeFile, with_defaults};
use crate::k8s::is_pinned;

const DEPLOYMENT: &str = "k8s/service/deployment.yaml";
const SIDECAR: &str = "dapr.io/sidecar-image: ";

pub(super) fn findings(root: &Path, file: &ComposeFile) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(root.join(DEPLOYMENT)).context(DEPLOYMENT)?;
    let sidecar = text
        .lines()
        .find_map(|line| line.trim().strip_prefix(SIDECAR));
    Ok(compared(file, sidecar.unwrap_or_default()))
}

fn compared(file: &ComposeFile, sidecar: &str) -> Vec<String> {
    let mut findings = Vec::new();
    for (name, service) in file.services() {
        let image = with_defaults(service["image"].as_str().unwrap_or_default());
        if !is_pinned(&image) {
            findings.push(format!("{name}: the image {image:?} says no version"));
        }
        if name.ends_with("-daprd") && image != sidecar {
            findings.push(format!("{name}: is {image}, on Kubernetes it is {sidecar}"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::compose::rules::fixture::broken;
    use crate::root::workspace_root;

    fn all(file: &ComposeFile) -> Vec<String> {
        findings(&workspace_root(), file).unwrap()
    }

    #[test]
    fn an_image_without_a_version_is_found() {
        for (pointer, image, expected) in [
            (
                "/services/kafka/image",
                "apache/kafka:latest",
                "kafka: the image \"apache/kafka:latest\"",
            ),
            (
                "/services/gateway/image",
                "haproxy",
                "gateway: the image \"haproxy\"",
            ),
            (
                "/services/notifier/image",
                "taskledger/notifier:${TAG}",
                "notifier: the image",
            ),
            (
                "/services/task-api-daprd/image",
                "daprio/daprd:1.18.0",
                "on Kubernetes it is",
            ),
        ] {
            broken(all, pointer, json!(image), expected);
        }
    }
}
