//! Topics and users are those of the contract, and nobody gets in without TLS, a password and an ACL.

use event_schema::App;
use event_schema::topic::{Contract, Profile, Resource, contracts};
use serde_json::{Value, json};

use crate::k8s::object::{Object, named, of_kind};

pub(super) fn findings(objects: &[Object], profile: Profile) -> Vec<String> {
    let mut findings = Vec::new();
    for contract in contracts() {
        findings.extend(topic(objects, &contract, profile));
    }
    for object in of_kind(objects, "KafkaTopic") {
        if contracts().all(|contract| contract.name != object.name) {
            findings.push(format!("{}: is not in the topic contract", object.title()));
        }
    }
    for app in App::ALL {
        findings.extend(user(objects, app));
    }
    for cluster in of_kind(objects, "Kafka") {
        findings.extend(ways_in(cluster));
    }
    findings.extend(brokers(objects, profile));
    findings
}

fn topic(objects: &[Object], contract: &Contract, profile: Profile) -> Vec<String> {
    let name = contract.name;
    let Some(object) = named(objects, "KafkaTopic", name) else {
        return vec![format!(
            "KafkaTopic {name}: is missing: run `cargo xtask contract`"
        )];
    };
    let mut wanted = vec![
        (
            "/spec/partitions".to_owned(),
            contract.partitions(profile).to_string(),
        ),
        (
            "/spec/replicas".to_owned(),
            profile.replication().to_string(),
        ),
    ];
    let settings = contract.settings(profile).into_iter();
    wanted.extend(settings.map(|(key, value)| (format!("/spec/config/{key}"), value)));
    let differs = |(pointer, wanted): (String, String)| {
        let found = object.body.pointer(&pointer).map(plain).unwrap_or_default();
        (found != wanted).then(|| {
            format!("KafkaTopic {name}: {pointer} is {found:?}, the contract says {wanted}")
        })
    };
    wanted.into_iter().filter_map(differs).collect()
}

fn user(objects: &[Object], app: App) -> Vec<String> {
    let name = app.principal();
    let Some(object) = named(objects, "KafkaUser", name) else {
        return vec![format!(
            "KafkaUser {name}: is missing: run `cargo xtask contract`"
        )];
    };
    let mut findings = Vec::new();
    if object.text("/spec/authentication/type") != "scram-sha-512" {
        findings.push(format!(
            "KafkaUser {name}: does not show a password by scram-sha-512"
        ));
    }
    let granted = object.items("/spec/authorization/acls");
    let wanted: Vec<_> = app
        .grants()
        .into_iter()
        .map(|grant| {
            let (kind, name) = match grant.resource {
                Resource::Topic(name) => ("topic", name),
                Resource::Group(name) => ("group", name),
            };
            let operations: Vec<_> = grant.operations.iter().map(|one| one.name()).collect();
            json!({"resource": {"type": kind, "name": name, "patternType": "literal"},
               "operations": operations})
        })
        .collect();
    for acl in &wanted {
        if !granted.contains(acl) {
            findings.push(format!("KafkaUser {name}: has no ACL {acl}"));
        }
    }
    for acl in granted {
        if !wanted.contains(acl) {
            findings.push(format!(
                "KafkaUser {name}: may do more than the contract: {acl}"
            ));
        }
    }
    findings
}

fn ways_in(cluster: &Object) -> Vec<String> {
    let mut findings = Vec::new();
    for listener in cluster.items("/spec/kafka/listeners") {
        let secured = listener["tls"] == json!(true)
            && listener.pointer("/authentication/type") == Some(&json!("scram-sha-512"));
        if !secured {
            findings.push(format!(
                "{}: the listener {} has no TLS or no scram-sha-512",
                cluster.title(),
                listener["name"]
            ));
        }
    }
    if cluster.text("/spec/kafka/authorization/type") != "simple" {
        findings.push(format!(
            "{}: asks for no ACLs (authorization)",
            cluster.title()
        ));
    }
    if cluster
        .body
        .pointer("/spec/kafka/config/auto.create.topics.enable")
        != Some(&json!(false))
    {
        findings.push(format!(
            "{}: makes topics that nobody has declared",
            cluster.title()
        ));
    }
    findings
}

/// As many as hold a copy.
fn brokers(objects: &[Object], profile: Profile) -> Option<String> {
    let brokers = of_kind(objects, "KafkaNodePool")
        .filter(|pool| pool.items("/spec/roles").contains(&json!("broker")));
    let replicas = brokers.filter_map(|pool| pool.body.pointer("/spec/replicas")?.as_u64());
    let (there, wanted) = (replicas.sum::<u64>(), u64::from(profile.replication()));
    (there < wanted).then(|| format!("KafkaNodePool: {there} brokers for {wanted} copies"))
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::k8s::rules::fixture::{change, kafka, remove};

    #[test]
    fn the_files_of_the_repository_fit() {
        for profile in Profile::ALL {
            assert_eq!(findings(&kafka(profile), profile), Vec::<String>::new());
        }
    }

    fn broken(breaks: impl FnOnce(&mut Vec<Object>), expected: &str) {
        let mut objects = kafka(Profile::Production);
        breaks(&mut objects);
        let found = findings(&objects, Profile::Production);
        assert!(
            found.iter().any(|finding| finding.contains(expected)),
            "{found:?}"
        );
    }

    #[test]
    fn a_missing_topic_or_dead_letter_topic_is_found() {
        broken(
            |all| remove(all, "KafkaTopic", "task-events"),
            "KafkaTopic task-events: is missing",
        );
        broken(
            |all| remove(all, "KafkaTopic", "notifier.dead-letters"),
            "KafkaTopic notifier.dead-letters: is missing",
        );
    }

    #[test]
    fn other_numbers_than_the_contracts_are_found() {
        broken(
            |all| {
                change(
                    all,
                    "KafkaTopic",
                    "task-events",
                    "/spec/partitions",
                    json!(5),
                );
            },
            "/spec/partitions is \"5\", the contract says 6",
        );
        broken(
            |all| {
                change(
                    all,
                    "KafkaTopic",
                    "reminder-events",
                    "/spec/config/retention.ms",
                    json!(1),
                );
            },
            "/spec/config/retention.ms",
        );
        let found = findings(&kafka(Profile::Local), Profile::Production);
        assert!(
            found
                .iter()
                .any(|finding| finding.contains("1 brokers for 3 copies")),
            "{found:?}"
        );
    }

    #[test]
    fn a_missing_acl_and_one_too_many_are_found() {
        broken(
            |all| {
                change(
                    all,
                    "KafkaUser",
                    "notifier",
                    "/spec/authorization/acls/0/operations",
                    json!(["Describe"]),
                );
            },
            "KafkaUser notifier: has no ACL",
        );
        broken(
            |all| {
                change(
                    all,
                    "KafkaUser",
                    "notifier",
                    "/spec/authorization/acls/0/operations",
                    json!(["All"]),
                );
            },
            "may do more than the contract",
        );
        broken(
            |all| remove(all, "KafkaUser", "task-api"),
            "KafkaUser task-api: is missing",
        );
    }

    #[test]
    fn a_way_in_without_tls_password_or_acl_is_found() {
        let listener = "/spec/kafka/listeners/0";
        broken(
            |all| {
                change(
                    all,
                    "Kafka",
                    "tasks",
                    &format!("{listener}/tls"),
                    json!(false),
                );
            },
            "has no TLS",
        );
        broken(
            |all| {
                change(
                    all,
                    "Kafka",
                    "tasks",
                    &format!("{listener}/authentication"),
                    json!(null),
                );
            },
            "no scram-sha-512",
        );
        broken(
            |all| {
                change(
                    all,
                    "Kafka",
                    "tasks",
                    "/spec/kafka/authorization",
                    json!(null),
                );
            },
            "asks for no ACLs",
        );
    }
}
