//! Nobody gets into the broker without TLS, a password and an ACL, and its topics are made by what the
//! contract writes.

use std::path::Path;

use anyhow::Context;
use event_schema::topic::Profile;

use crate::compose::file::{ComposeFile, texts};

const SETTINGS: &str = "compose/kafka/server.properties";
const TOPICS: &str = "./tools/kafka/create-topics.sh:/create-topics.sh:ro";
/// What the way in of services has to be.
const WANTED: [(&str, &str); 8] = [
    ("allow.everyone.if.no.acl.found", "false"),
    (
        "authorizer.class.name",
        "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    ),
    ("auto.create.topics.enable", "false"),
    ("listener.name.controller.ssl.client.auth", "required"),
    ("listener.name.internal.ssl.client.auth", "required"),
    (
        "listener.security.protocol.map",
        "SASL_SSL:SASL_SSL,INTERNAL:SSL,CONTROLLER:SSL",
    ),
    ("sasl.enabled.mechanisms", "SCRAM-SHA-512"),
    ("super.users", "User:admin;User:kafka"),
];

pub(super) fn findings(root: &Path, file: &ComposeFile) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(root.join(SETTINGS)).context(SETTINGS)?;
    let mut findings = settings(&text);
    findings.extend(topics(file));
    Ok(findings)
}

fn settings(text: &str) -> Vec<String> {
    let is_there =
        |(name, value): &(&str, &str)| text.lines().any(|line| line == format!("{name}={value}"));
    let missing = WANTED.iter().filter(|setting| !is_there(setting));
    missing
        .map(|(name, value)| format!("{SETTINGS}: {name} is not {value}"))
        .collect()
}

fn topics(file: &ComposeFile) -> Vec<String> {
    let service = file.service("topic-init");
    let mut findings = Vec::new();
    if !texts(&service["volumes"]).contains(&TOPICS) {
        findings.push(format!("topic-init: does not mount {TOPICS}"));
    }
    let run = format!("sh /create-topics.sh {}", Profile::Local.name());
    if !texts(&service["entrypoint"])
        .last()
        .is_some_and(|line| line.ends_with(&run))
    {
        findings.push(format!("topic-init: does not run {run}"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::compose::rules::fixture::{broken, found};
    use crate::root::workspace_root;

    #[test]
    fn a_broker_that_lets_everybody_in_is_found() {
        let text = std::fs::read_to_string(workspace_root().join(SETTINGS)).unwrap();
        assert_eq!(settings(&text), Vec::<String>::new());
        for (right, wrong) in [
            ("acl.found=false", "acl.found=true"),
            ("SASL_SSL:SASL_SSL", "SASL_SSL:SASL_PLAINTEXT"),
            (
                "super.users=User:admin;",
                "super.users=User:admin;User:notifier;",
            ),
            ("mechanisms=SCRAM-SHA-512", "mechanisms=PLAIN"),
        ] {
            let text = text.replace(right, wrong);
            let (name, _) = right.split_once(['=', ':']).unwrap();
            let name = if name == "SASL_SSL" {
                "listener.security.protocol.map"
            } else {
                name
            };
            found(&settings(&text), &format!("{name} is not"));
        }
    }

    #[test]
    fn topics_of_another_source_are_found() {
        broken(
            topics,
            "/services/topic-init/volumes",
            json!([]),
            "topic-init: does not mount",
        );
        let production = json!(["sh", "/create-topics.sh production"]);
        let expected = "does not run sh /create-topics.sh local";
        broken(
            topics,
            "/services/topic-init/entrypoint",
            production,
            expected,
        );
    }
}
