//! Every image says which version it is.

use serde_json::Value;

use crate::k8s::object::Object;

pub(super) fn findings(objects: &[Object]) -> Vec<String> {
    let mut findings = Vec::new();
    for object in objects {
        let mut images = Vec::new();
        named(&object.body, &mut images);
        let sidecar = object.annotation("dapr.io/sidecar-image");
        if object.annotation("dapr.io/enabled") == "true" {
            images.push(sidecar);
        }
        for image in images {
            if !is_pinned(image) {
                findings.push(format!(
                    "{}: the image {image:?} says no version",
                    object.title()
                ));
            }
        }
    }
    findings
}

fn named<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| named(item, found)),
        Value::Object(fields) => {
            found.extend(fields.get("image").and_then(Value::as_str));
            fields.values().for_each(|value| named(value, found));
        }
        _ => {}
    }
}

/// A digest, or a tag that begins with a number: `latest`, `stable` and `edge` are others tomorrow.
pub(crate) fn is_pinned(image: &str) -> bool {
    let name = image.rsplit('/').next().unwrap_or_default();
    let tag = name.split_once(':').map_or("", |(_, tag)| tag);
    let tag = tag.strip_prefix('v').unwrap_or(tag);
    image.contains("@sha256:") || tag.starts_with(|first: char| first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::k8s::rules::fixture::{change, services};

    #[test]
    fn a_version_is_a_number_or_a_digest() {
        for pinned in [
            "postgres:17.6",
            "a.example:5000/daprd:1.18.3",
            "caddy:v2.10.2",
            "a@sha256:00",
        ] {
            assert!(is_pinned(pinned), "{pinned}");
        }
        for floating in [
            "postgres",
            "postgres:latest",
            "a.example:5000/daprd",
            "nginx:stable",
            "",
        ] {
            assert!(!is_pinned(floating), "{floating}");
        }
    }

    #[test]
    fn the_newest_is_no_version() {
        let mut objects = services();
        assert_eq!(findings(&objects), Vec::<String>::new());
        let (image, sidecar) = (
            "/spec/template/spec/containers/0/image",
            "/spec/template/metadata/annotations/dapr.io~1sidecar-image",
        );
        change(
            &mut objects,
            "Deployment",
            "notifier",
            image,
            json!("taskledger/notifier:latest"),
        );
        change(
            &mut objects,
            "Deployment",
            "task-api",
            sidecar,
            json!("daprio/daprd"),
        );
        let found = findings(&objects);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found
                .iter()
                .any(|finding| finding.contains("taskledger/notifier:latest")),
            "{found:?}"
        );
    }
}
