//! Each service has a sidecar that speaks to Kafka over TLS, as its own principal, and may do what the
//! topic contract says.

use event_schema::App;
use event_schema::topic::contracts;
use serde_json::json;

use crate::k8s::object::{Object, named, of_kind};
use crate::stack::GARBAGE;

const PUBSUB: &str = "pubsub";
const SECURED: [(&str, &str); 2] = [("authType", "password"), ("saslMechanism", "SHA-512")];
const OPENED: [&str; 3] = ["disableTls", "skipVerify", "consumerGroup"];

pub(super) fn findings(objects: &[Object]) -> Vec<String> {
    let mut findings = Vec::new();
    match named(objects, "Component", PUBSUB) {
        Some(component) => findings.extend(connection(component)),
        None => findings.push(format!("Component {PUBSUB}: is missing")),
    }
    for app in App::ALL {
        let mut of_app =
            deployments(objects).filter(|one| one.annotation("dapr.io/app-id") == app.id());
        match (of_app.next(), of_app.next()) {
            (Some(deployment), None) => findings.extend(sidecar(objects, deployment, app)),
            (None, _) => findings.push(format!("no Deployment has the app id {}", app.id())),
            _ => findings.push(format!(
                "more than one Deployment has the app id {}",
                app.id()
            )),
        }
        for object in objects
            .iter()
            .filter(|one| ["Component", "Resiliency"].contains(&one.kind.as_str()))
        {
            if !object.items("/scopes").contains(&json!(app.id())) {
                findings.push(format!(
                    "{}: {} is not in its scopes",
                    object.title(),
                    app.id()
                ));
            }
        }
    }
    findings
}

fn deployments(objects: &[Object]) -> impl Iterator<Item = &Object> {
    of_kind(objects, "Deployment").filter(|one| one.annotation("dapr.io/enabled") == "true")
}

/// Of the component that all share.
fn connection(component: &Object) -> Vec<String> {
    let mut findings = Vec::new();
    for (key, wanted) in SECURED {
        if metadata(component, key) != Some(wanted) {
            findings.push(format!("{}: {key} is not {wanted}", component.title()));
        }
    }
    for key in OPENED {
        if item(component, key).is_some() {
            findings.push(format!("{}: must not say {key}", component.title()));
        }
    }
    for key in ["saslPassword", "caCert"] {
        let from_outside = item(component, key)
            .is_some_and(|item| item.get("secretKeyRef").or(item.get("envRef")).is_some());
        if !from_outside {
            findings.push(format!(
                "{}: {key} has to come from a secret",
                component.title()
            ));
        }
    }
    let all: Vec<_> = contracts()
        .map(|contract| contract.name.to_owned())
        .collect();
    for (key, wanted) in [
        ("publishingScopes", per_app(App::published_topics)),
        ("subscriptionScopes", per_app(App::subscribed_topics)),
        ("protectedTopics", all.join(",")),
    ] {
        let found = metadata(component, key)
            .unwrap_or_default()
            .replace(' ', "");
        if found != wanted {
            findings.push(format!(
                "{}: {key} is {found}, the contract says {wanted}",
                component.title()
            ));
        }
    }
    findings
}

fn per_app(topics: fn(App) -> Vec<&'static str>) -> String {
    let lines = App::ALL.map(|app| format!("{}={}", app.id(), topics(app).join(",")));
    lines.join(";")
}

fn item<'a>(component: &'a Object, key: &str) -> Option<&'a serde_json::Value> {
    let items = component.items("/spec/metadata");
    items.iter().find(|item| item["name"] == key)
}

fn metadata<'a>(component: &'a Object, key: &str) -> Option<&'a str> {
    item(component, key)?["value"].as_str()
}

fn sidecar(objects: &[Object], deployment: &Object, app: App) -> Vec<String> {
    let mut findings = Vec::new();
    let mut wants = |annotation: &str, wanted: &str| {
        let found = deployment.annotation(annotation);
        if !found.split(',').any(|part| part == wanted) {
            findings.push(format!(
                "{}: {annotation} has no {wanted}",
                deployment.title()
            ));
        }
    };
    let (id, principal) = (app.id(), app.principal());
    wants("dapr.io/api-token-secret", &format!("{id}-dapr-api-token"));
    wants("dapr.io/app-token-secret", &format!("{id}-app-api-token"));
    wants("dapr.io/env", &format!("KAFKA_USERNAME={principal}"));
    for (name, value) in GARBAGE {
        wants("dapr.io/env", &format!("{name}={value}"));
    }
    wants(
        "dapr.io/env-from-secret",
        &format!("KAFKA_PASSWORD={principal}:password"),
    );
    for cluster in of_kind(objects, "Kafka") {
        let name = &cluster.name;
        wants(
            "dapr.io/env",
            &format!("KAFKA_BROKERS={name}-kafka-bootstrap:9093"),
        );
        wants(
            "dapr.io/env-from-secret",
            &format!("KAFKA_CA_CERT={name}-cluster-ca-cert:ca.crt"),
        );
    }
    let config = deployment.annotation("dapr.io/config");
    if named(objects, "Configuration", config).is_none() {
        findings.push(format!(
            "{}: there is no Configuration {config:?}",
            deployment.title()
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::k8s::rules::fixture::{change, remove, services};

    #[test]
    fn the_files_of_the_repository_fit() {
        assert_eq!(findings(&services()), Vec::<String>::new());
    }

    fn broken(breaks: impl FnOnce(&mut Vec<Object>), expected: &str) {
        let mut objects = services();
        breaks(&mut objects);
        let found = findings(&objects);
        assert!(
            found.iter().any(|finding| finding.contains(expected)),
            "{found:?}"
        );
    }

    fn metadata_at(key: &str) -> String {
        let objects = services();
        let component = named(&objects, "Component", PUBSUB).unwrap();
        let place = component
            .items("/spec/metadata")
            .iter()
            .position(|item| item["name"] == key);
        format!("/spec/metadata/{}/value", place.unwrap())
    }

    #[test]
    fn a_wrong_scope_is_found() {
        let scopes = "notifier=task-events";
        broken(
            |all| {
                change(
                    all,
                    "Component",
                    PUBSUB,
                    &metadata_at("subscriptionScopes"),
                    json!(scopes),
                );
            },
            "subscriptionScopes is notifier=task-events",
        );
        broken(
            |all| change(all, "Component", PUBSUB, "/scopes", json!(["task-api"])),
            "notifier is not in its scopes",
        );
    }

    #[test]
    fn a_sidecar_without_tls_or_password_is_found() {
        broken(
            |all| {
                change(
                    all,
                    "Component",
                    PUBSUB,
                    &metadata_at("authType"),
                    json!("none"),
                );
            },
            "authType is not password",
        );
        let insecure = json!([{"name": "skipVerify", "value": "true"}]);
        broken(
            |all| change(all, "Component", PUBSUB, "/spec/metadata", insecure),
            "must not say skipVerify",
        );
        let inline = json!([{"name": "saslPassword", "value": "hunter2"}]);
        broken(
            |all| change(all, "Component", PUBSUB, "/spec/metadata", inline),
            "saslPassword has to come from a secret",
        );
    }

    #[test]
    fn a_service_that_acts_as_another_or_has_other_settings_is_found() {
        let annotation = "/spec/template/metadata/annotations/dapr.io~1env-from-secret";
        let other = json!("KAFKA_PASSWORD=task-api:password");
        broken(
            |all| change(all, "Deployment", "notifier", annotation, other),
            "has no KAFKA_PASSWORD=notifier:password",
        );
        let annotation = "/spec/template/metadata/annotations/dapr.io~1env";
        let other = json!("KAFKA_USERNAME=task-api");
        for missing in ["KAFKA_USERNAME=notifier", "GOMEMLIMIT=450MiB"] {
            let other = other.clone();
            broken(
                |all| change(all, "Deployment", "notifier", annotation, other),
                &format!("has no {missing}"),
            );
        }
        broken(
            |all| remove(all, "Deployment", "notifier"),
            "no Deployment has the app id notifier",
        );
    }
}
