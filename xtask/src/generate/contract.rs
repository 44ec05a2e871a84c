//! What follows from the topic contract alone: topics, access and scopes for whoever runs the broker.

mod alerts;
mod keda;
mod scopes;
mod script;
mod strimzi;

use std::fs;
use std::path::Path;

use anyhow::Context;
use event_schema::topic::Profile;

const COMPONENTS: &str = "dapr-components";
/// Names the others, for Kubernetes.
const KUSTOMIZATION: &str = "kustomization.yaml";

/// Every file and its wanted text.
pub(super) fn files(root: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let mut files = vec![
        (script::PATH.to_owned(), script::text()),
        (strimzi::USERS.to_owned(), strimzi::users()),
        (keda::PATH.to_owned(), keda::text()),
        (alerts::PATH.to_owned(), alerts::text(root)?),
    ];
    files.extend(Profile::ALL.map(|profile| {
        let path = format!("k8s/kafka/{}/topics.yaml", profile.name());
        (path, strimzi::topics(profile))
    }));
    files.extend(components(root)?);
    Ok(files)
}

/// The sidecars' files, which are written by people but for what follows from the contract.
fn components(root: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(root.join(COMPONENTS)).context(COMPONENTS)? {
        let file = entry?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".yaml") && name != KUSTOMIZATION {
            let path = format!("{COMPONENTS}/{name}");
            let text = fs::read_to_string(root.join(&path)).with_context(|| path.clone())?;
            let text = scopes::scoped(&path, &text)?;
            files.push((path, text));
        }
    }
    Ok(files)
}
