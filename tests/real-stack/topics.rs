//! Kafka's own description of topics and access is the contract.

use std::collections::{BTreeMap, BTreeSet};

use event_schema::App;
use event_schema::topic::{Resource, contracts};
use suite_tests::stack::Stack;

/// Partitions, copies and settings of a topic.
type Described = (u16, u16, BTreeMap<String, String>);

/// Reads the lines that begin with `Topic:` and have fields between tabs.
fn described(text: &str) -> BTreeMap<String, Described> {
    let topics = text.lines().filter(|line| line.contains("PartitionCount:"));
    topics
        .map(|line| {
            let fields: BTreeMap<&str, &str> = line
                .split('\t')
                .filter_map(|field| field.trim().split_once(": "))
                .collect();
            let settings = fields["Configs"]
                .split(',')
                .filter_map(|one| one.split_once('='));
            let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let number = |name: &str| fields[name].parse().unwrap();
            let topic = (
                number("PartitionCount"),
                number("ReplicationFactor"),
                settings.collect(),
            );
            (fields["Topic"].to_owned(), topic)
        })
        .collect()
}

#[tokio::test]
async fn every_topic_is_as_the_contract_says_and_there_is_no_other() {
    let stack = Stack::of_environment();
    let said = stack
        .kafka(
            "kafka-topics.sh",
            "admin",
            &["--describe", "--exclude-internal"],
            "",
        )
        .await;

    let found = described(&said.expect_success());

    let profile = stack.profile();
    let wanted: BTreeMap<String, Described> = contracts()
        .map(|contract| {
            let settings = contract.settings(profile).into_iter();
            let settings = settings.map(|(name, value)| (name.to_owned(), value));
            let copies = profile.replication();
            (
                contract.name.to_owned(),
                (contract.partitions(profile), copies, settings.collect()),
            )
        })
        .collect();
    assert_eq!(found, wanted);
}

#[tokio::test]
async fn every_principal_may_what_the_contract_grants_and_nobody_else_anything() {
    let stack = Stack::of_environment();
    let said = stack.kafka("kafka-acls.sh", "admin", &["--list"], "").await;

    let found = listed(&said.expect_success());

    let wanted: BTreeSet<_> = App::ALL
        .into_iter()
        .flat_map(|app| app.grants().into_iter().map(move |grant| (app, grant)))
        .flat_map(|(app, grant)| {
            let on = match grant.resource {
                Resource::Topic(name) => format!("TOPIC {name}"),
                Resource::Group(name) => format!("GROUP {name}"),
            };
            let line = move |operation: &str| {
                let operation = operation.to_uppercase();
                format!("{on}: User:{} {operation} ALLOW", app.principal())
            };
            grant
                .operations
                .into_iter()
                .map(move |operation| line(operation.name()))
        })
        .collect();
    assert_eq!(found, wanted);
}

/// Reads `(principal=User:notifier, host=*, operation=READ, permissionType=ALLOW)` below the line of
/// each resource.
fn listed(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut on = String::new();
    for line in text.lines() {
        let value = |name: &str| {
            let (_, rest) = line.split_once(&format!("{name}="))?;
            rest.split([',', ')']).next().map(str::to_owned)
        };
        if let (Some(kind), Some(name)) = (value("resourceType"), value("name")) {
            assert_eq!(value("patternType").as_deref(), Some("LITERAL"));
            on = format!("{kind} {name}");
        } else if let Some(principal) = value("principal") {
            let (operation, kind) = (
                value("operation").unwrap(),
                value("permissionType").unwrap(),
            );
            found.insert(format!("{on}: {principal} {operation} {kind}"));
        }
    }
    found
}
