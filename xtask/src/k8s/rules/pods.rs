//! Every pod of ours may do nothing to its node, is limited, and is looked after.

use serde_json::{Value, json};

use crate::k8s::object::{Object, named};

/// What a Deployment of ours goes with, by the same name.
const COMPANIONS: [&str; 4] = [
    "Service",
    "ServiceAccount",
    "NetworkPolicy",
    "PodDisruptionBudget",
];
/// And one of these, which exclude each other.
const AUTOSCALERS: [&str; 2] = ["HorizontalPodAutoscaler", "ScaledObject"];

pub(super) fn findings(objects: &[Object]) -> Vec<String> {
    let mut findings = Vec::new();
    for object in objects {
        let Some(pod) = object.pod() else { continue };
        findings.extend(
            unrestricted(pod)
                .into_iter()
                .map(|what| format!("{}: {what}", object.title())),
        );
        if object.kind == "Deployment" {
            let missing = COMPANIONS
                .iter()
                .filter(|kind| named(objects, kind, &object.name).is_none());
            findings.extend(missing.map(|kind| format!("{}: has no {kind}", object.title())));
            let scaled = AUTOSCALERS
                .iter()
                .filter(|kind| named(objects, kind, &object.name).is_some());
            if scaled.count() != 1 {
                let either = AUTOSCALERS.join(" or ");
                findings.push(format!("{}: has to have one {either}", object.title()));
            }
        }
    }
    findings
}

fn unrestricted(pod: &Value) -> Vec<String> {
    let mut findings = Vec::new();
    let mut demand = |of: &str, value: &Value, pointer: &str, wanted: &Value| {
        if value.pointer(pointer) != Some(wanted) {
            findings.push(format!("{of}: {pointer} is not {wanted}"));
        }
    };
    demand("pod", pod, "/securityContext/runAsNonRoot", &json!(true));
    demand(
        "pod",
        pod,
        "/securityContext/seccompProfile/type",
        &json!("RuntimeDefault"),
    );
    demand("pod", pod, "/automountServiceAccountToken", &json!(false));
    for container in containers(pod, "initContainers").chain(containers(pod, "containers")) {
        let name = container["name"].as_str().unwrap_or_default();
        demand(
            name,
            container,
            "/securityContext/allowPrivilegeEscalation",
            &json!(false),
        );
        demand(
            name,
            container,
            "/securityContext/readOnlyRootFilesystem",
            &json!(true),
        );
        demand(
            name,
            container,
            "/securityContext/capabilities/drop",
            &json!(["ALL"]),
        );
    }
    for container in containers(pod, "containers") {
        for pointer in [
            "/readinessProbe",
            "/resources/limits/memory",
            "/resources/requests/cpu",
        ] {
            if container.pointer(pointer).is_none() {
                findings.push(format!("{}: has no {pointer}", container["name"]));
            }
        }
    }
    findings
}

fn containers<'a>(pod: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    pod[field].as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::k8s::rules::fixture::{change, remove, services};

    fn broken(breaks: impl FnOnce(&mut Vec<Object>), expected: &str) {
        let mut objects = services();
        assert_eq!(findings(&objects), Vec::<String>::new());
        breaks(&mut objects);
        let found = findings(&objects);
        assert!(
            found.iter().any(|finding| finding.contains(expected)),
            "{found:?}"
        );
    }

    #[test]
    fn a_pod_that_may_more_is_found() {
        let context = "/spec/template/spec/containers/0/securityContext";
        for (field, value, expected) in [
            (
                "readOnlyRootFilesystem",
                json!(false),
                "readOnlyRootFilesystem is not true",
            ),
            ("capabilities", json!({}), "capabilities/drop is not"),
            (
                "allowPrivilegeEscalation",
                json!(true),
                "allowPrivilegeEscalation is not false",
            ),
        ] {
            let pointer = format!("{context}/{field}");
            broken(
                |all| change(all, "Deployment", "notifier", &pointer, value),
                expected,
            );
        }
        let root = "/spec/template/spec/securityContext/runAsNonRoot";
        broken(
            |all| change(all, "Deployment", "notifier", root, json!(false)),
            "runAsNonRoot",
        );
    }

    #[test]
    fn a_service_without_budget_or_limit_is_found() {
        broken(
            |all| remove(all, "PodDisruptionBudget", "task-api"),
            "has no PodDisruptionBudget",
        );
        broken(
            |all| remove(all, "HorizontalPodAutoscaler", "task-api"),
            "has to have one HorizontalPodAutoscaler or ScaledObject",
        );
        let limits = "/spec/template/spec/containers/0/resources/limits";
        broken(
            |all| change(all, "Deployment", "task-api", limits, json!({})),
            "has no /resources/limits/memory",
        );
    }
}
