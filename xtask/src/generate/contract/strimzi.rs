//! `k8s/kafka`: topics and users of the contract as Strimzi's resources.

use std::fmt::Write as _;

use event_schema::App;
use event_schema::topic::{Contract, Grant, Profile, Resource, contracts};

pub(super) const USERS: &str = "k8s/kafka/cluster/users.yaml";

const HEADER: &str = "# Written by `cargo xtask contract` from shared/event-schema. Do not edit.\n";

/// The `Kafka` resource that the operators work for.
const CLUSTER: &str = "tasks";

pub(super) fn topics(profile: Profile) -> String {
    contracts().fold(HEADER.to_owned(), |text, contract| {
        text + &topic(&contract, profile)
    })
}

pub(super) fn users() -> String {
    App::ALL
        .into_iter()
        .fold(HEADER.to_owned(), |text, app| text + &user(app))
}

fn topic(contract: &Contract, profile: Profile) -> String {
    let mut text = resource("KafkaTopic", contract.name);
    let (partitions, copies) = (contract.partitions(profile), profile.replication());
    let _ = writeln!(
        text,
        "  partitions: {partitions}\n  replicas: {copies}\n  config:"
    );
    for (name, value) in contract.settings(profile) {
        let _ = writeln!(text, "    {name}: {value}");
    }
    text
}

fn user(app: App) -> String {
    let mut text = resource("KafkaUser", app.principal());
    text += "  authentication:\n    type: scram-sha-512\n  authorization:\n    type: simple\n    acls:\n";
    for grant in app.grants() {
        text += &acl(&grant);
    }
    text
}

fn acl(grant: &Grant) -> String {
    let (kind, name) = match grant.resource {
        Resource::Topic(name) => ("topic", name),
        Resource::Group(name) => ("group", name),
    };
    let operations: Vec<_> = grant
        .operations
        .iter()
        .map(|operation| operation.name())
        .collect();
    format!(
        "      - resource: {{type: {kind}, name: {name}, patternType: literal}}\n        \
         operations: [{}]\n",
        operations.join(", ")
    )
}

fn resource(kind: &str, name: &str) -> String {
    format!(
        "---\napiVersion: kafka.strimzi.io/v1\nkind: {kind}\nmetadata:\n  name: {name}\n  \
         labels:\n    strimzi.io/cluster: {CLUSTER}\nspec:\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_has_its_partitions_copies_and_settings() {
        let all = topics(Profile::Production);

        let one = "\
---
apiVersion: kafka.strimzi.io/v1
kind: KafkaTopic
metadata:
  name: reminder-events
  labels:
    strimzi.io/cluster: tasks
spec:
  partitions: 3
  replicas: 3
  config:
    cleanup.policy: delete
    max.message.bytes: 1048588
    min.insync.replicas: 2
    retention.ms: 259200000
    segment.ms: 10800000
";
        assert!(all.contains(one), "{all}");
        assert_eq!(all.matches("kind: KafkaTopic").count(), contracts().count());
    }

    #[test]
    fn a_user_may_what_its_principal_may() {
        let text = user(App::TaskApi);

        for line in [
            "      - resource: {type: topic, name: task-events, patternType: literal}\n        operations: [Describe, Write]\n",
            "      - resource: {type: topic, name: recurring-events, patternType: literal}\n        operations: [Describe, Read, Write]\n",
            "      - resource: {type: group, name: task-api, patternType: literal}\n        operations: [Read]\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
        assert_eq!(
            text.matches("- resource:").count(),
            App::TaskApi.grants().len()
        );
    }
}
