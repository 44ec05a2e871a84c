//! Who is scaled by what it is behind is asked about each topic of the contract, as its own user, and has no
//! more replicas than partitions.

use std::collections::BTreeSet;

use event_schema::App;
use event_schema::topic::{Profile, contracts};
use serde_json::Value;

use crate::k8s::object::{Object, named, of_kind};

pub(super) fn findings(objects: &[Object]) -> Vec<String> {
    let mut findings = Vec::new();
    for object in of_kind(objects, "ScaledObject") {
        let Some(app) = App::ALL.into_iter().find(|app| app.id() == object.name) else {
            findings.push(format!("{}: is no service of ours", object.title()));
            continue;
        };
        let found = replicas(object, app)
            .into_iter()
            .chain(triggers(objects, object, app));
        findings.extend(found.map(|what| format!("{}: {what}", object.title())));
    }
    findings
}

fn replicas(object: &Object, app: App) -> Vec<String> {
    let mut findings = Vec::new();
    if object.text("/spec/scaleTargetRef/name") != app.id() {
        findings.push("scales another".to_owned());
    }
    let read = contracts().filter(|contract| contract.consumers.contains(&app));
    let partitions = read.map(|contract| contract.partitions(Profile::Production));
    let (most, all) = (
        object.body["spec"]["maxReplicaCount"]
            .as_u64()
            .unwrap_or(100),
        u64::from(partitions.max().unwrap_or_default()),
    );
    if most > all {
        findings.push(format!("{most} replicas have {all} partitions to read"));
    }
    findings
}

fn triggers(objects: &[Object], object: &Object, app: App) -> Vec<String> {
    let mut findings = Vec::new();
    let all = object.items("/spec/triggers").iter();
    let kafka: Vec<_> = all.filter(|trigger| trigger["type"] == "kafka").collect();
    for trigger in &kafka {
        let metadata = &trigger["metadata"];
        for (key, wanted) in [
            ("consumerGroup", app.id()),
            ("sasl", "scram_sha512"),
            ("tls", "enable"),
        ] {
            if metadata[key] != wanted {
                findings.push(format!("{key} of {} is not {wanted}", metadata["topic"]));
            }
        }
        let user = trigger["authenticationRef"]["name"]
            .as_str()
            .unwrap_or_default();
        if user != app.principal() || named(objects, "TriggerAuthentication", user).is_none() {
            findings.push(format!(
                "{user:?} is not its user in a TriggerAuthentication"
            ));
        }
    }
    let asked = kafka.iter().filter_map(|trigger| topic(trigger));
    let asked: BTreeSet<_> = asked.collect();
    let read = contracts().filter(|contract| contract.consumers.contains(&app));
    let read: BTreeSet<_> = read.map(|contract| contract.name).collect();
    for topic in asked.symmetric_difference(&read) {
        findings.push(format!(
            "{topic}: it has to be read and asked about, or neither"
        ));
    }
    findings
}

fn topic(trigger: &Value) -> Option<&str> {
    trigger["metadata"]["topic"].as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::k8s::rules::fixture::{change, remove, scaled};

    fn broken(breaks: impl FnOnce(&mut Vec<Object>), expected: &str) {
        let mut objects = scaled();
        assert_eq!(findings(&objects), Vec::<String>::new());
        breaks(&mut objects);
        let found = findings(&objects);
        let says = |finding: &String| finding.contains(expected);
        assert!(found.iter().any(says), "{expected}: {found:?}");
    }

    fn changed(pointer: &str, value: Value, expected: &str) {
        broken(
            |all| change(all, "ScaledObject", "notifier", pointer, value),
            expected,
        );
    }

    #[test]
    fn replicas_that_would_stand_idle_are_found() {
        changed(
            "/spec/maxReplicaCount",
            json!(7),
            "7 replicas have 6 partitions",
        );
        changed("/spec/maxReplicaCount", json!(null), "100 replicas have 6");
        changed(
            "/spec/scaleTargetRef/name",
            json!("task-api"),
            "scales another",
        );
    }

    #[test]
    fn lag_that_nobody_may_or_does_ask_about_is_found() {
        let trigger = "/spec/triggers/1/metadata";
        for (field, value, expected) in [
            (
                "topic",
                "notification-events",
                "notification-events: it has to be",
            ),
            ("topic", "tasks", "task-events: it has to be"),
            ("consumerGroup", "task-api", "consumerGroup of"),
            ("sasl", "plaintext", "sasl of"),
            ("tls", "disable", "tls of"),
        ] {
            changed(&format!("{trigger}/{field}"), json!(value), expected);
        }
        let user = "/spec/triggers/1/authenticationRef/name";
        changed(user, json!("task-api"), "is not its user");
        broken(
            |all| remove(all, "TriggerAuthentication", "notifier"),
            "is not its user",
        );
    }

    #[test]
    fn what_is_no_service_is_found() {
        let others = |all: &mut Vec<Object>| {
            let object = all.iter_mut().find(|object| object.kind == "ScaledObject");
            object.unwrap().name = "insights".to_owned();
        };
        broken(others, "is no service of ours");
    }
}
