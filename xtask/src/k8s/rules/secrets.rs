//! Every secret that is asked for exists: made by `cargo xtask secrets`, by Strimzi, or by who runs the
//! gateway. None is in git.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::k8s::object::{Object, of_kind};
use crate::secrets::planned;

/// The gateway's certificate: by cert-manager, Azure Key Vault or a person (docs/deploy.md).
const FROM_OUTSIDE: [(&str, &[&str]); 1] = [("gateway-tls", &["tls.crt", "tls.key"])];
/// Dapr's word for the only key of a token.
const TOKEN: &str = "token";

type Secrets = BTreeSet<(String, String)>;

pub(super) fn findings(objects: &[Object]) -> Vec<String> {
    let there = provided(objects);
    let mut findings = Vec::new();
    for object in objects {
        if object.kind == "Secret" {
            findings.push(format!("{}: a secret must not be in git", object.title()));
        }
        let mut wanted = Secrets::new();
        references(&object.body, &mut wanted);
        annotated(object, &mut wanted);
        for (name, key) in wanted {
            if !there.contains(&(name.clone(), key.clone())) {
                findings.push(format!(
                    "{}: nobody makes the secret {name} with the key {key:?}",
                    object.title()
                ));
            }
        }
    }
    findings
}

fn provided(objects: &[Object]) -> Secrets {
    let mut all = Secrets::new();
    let mut add = |name: &str, keys: &[&str]| {
        // A volume or a certificate may take a secret as a whole.
        let keys = keys.iter().copied().chain([""]);
        all.extend(keys.map(|key| (name.to_owned(), key.to_owned())));
    };
    for secret in planned() {
        add(&secret.name, secret.keys);
    }
    for user in of_kind(objects, "KafkaUser") {
        add(&user.name, &["password", "sasl.jaas.config"]);
    }
    for cluster in of_kind(objects, "Kafka") {
        add(&format!("{}-cluster-ca-cert", cluster.name), &["ca.crt"]);
    }
    for (name, keys) in FROM_OUTSIDE {
        add(name, keys);
    }
    all
}

/// Every `secretKeyRef`, `secretTargetRef`, `secretName` and `secret` of a projected volume, wherever it stands.
fn references(value: &Value, found: &mut Secrets) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Object(fields) => {
            for (field, value) in fields {
                match field.as_str() {
                    "secretKeyRef" => found.extend(reference(value, value["key"].as_str())),
                    // KEDA's.
                    "secretTargetRef" => {
                        let items = value.as_array().into_iter().flatten();
                        found
                            .extend(items.filter_map(|item| reference(item, item["key"].as_str())));
                    }
                    "secretName" => {
                        found.extend(value.as_str().map(|name| (name.to_owned(), String::new())));
                    }
                    "secret" => {
                        let items = value["items"].as_array().into_iter().flatten();
                        found.extend(
                            items.filter_map(|item| reference(value, item["key"].as_str())),
                        );
                    }
                    _ => {}
                }
                references(value, found);
            }
        }
        _ => {}
    }
}

fn reference(value: &Value, key: Option<&str>) -> Option<(String, String)> {
    Some((value["name"].as_str()?.to_owned(), key?.to_owned()))
}

/// What Dapr puts into the sidecar.
fn annotated(object: &Object, found: &mut Secrets) {
    for annotation in ["dapr.io/api-token-secret", "dapr.io/app-token-secret"] {
        let name = object.annotation(annotation);
        if !name.is_empty() {
            found.insert((name.to_owned(), TOKEN.to_owned()));
        }
    }
    for part in object.annotation("dapr.io/env-from-secret").split(',') {
        let secret = part.split_once('=').map_or("", |(_, secret)| secret);
        if let Some((name, key)) = secret.split_once(':') {
            found.insert((name.to_owned(), key.to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::k8s::rules::fixture::{change, remove, services};

    fn broken(breaks: impl FnOnce(&mut Vec<Object>), expected: &str) {
        let mut objects = services();
        // By Dapr's own store, where there is no Kubernetes.
        remove(&mut objects, "Component", "pubsub");
        assert_eq!(findings(&objects), Vec::<String>::new());
        breaks(&mut objects);
        let found = findings(&objects);
        assert!(
            found.iter().any(|finding| finding.contains(expected)),
            "{found:?}"
        );
    }

    #[test]
    fn a_secret_that_nobody_makes_is_found() {
        let place = "/spec/template/spec/containers/0/env/2/valueFrom/secretKeyRef";
        let other = json!({"name": "task-api-databse", "key": "url"});
        broken(
            |all| change(all, "Deployment", "task-api", place, other),
            "task-api-databse",
        );
        let other = json!({"name": "task-api-database", "key": "uri"});
        broken(
            |all| change(all, "Deployment", "task-api", place, other),
            "\"uri\"",
        );
    }

    #[test]
    fn the_password_of_a_user_that_is_not_there_is_found() {
        broken(
            |all| remove(all, "KafkaUser", "notifier"),
            "the secret notifier with the key \"password\"",
        );
        broken(|all| remove(all, "Kafka", "tasks"), "tasks-cluster-ca-cert");
    }

    #[test]
    fn a_secret_in_git_is_found() {
        let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: auth}\nstringData: {jwt-key: hunter2}\n";
        broken(
            |all| all.extend(Object::parse(secret).unwrap()),
            "must not be in git",
        );
    }
}
