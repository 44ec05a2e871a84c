//! Each service has its own sidecar in its own network, as its own principal, with the components of
//! `dapr-components`; and its tables are made before it starts, by their owner.

use event_schema::App;
use serde_json::{Value, json};

use super::beside;
use crate::compose::file::{ComposeFile, texts};
use crate::secrets::FOLDER;
use crate::stack::GARBAGE;

const COMPONENTS: [(&str, &str); 4] = [
    ("kafka-pubsub.yaml", "/components/"),
    ("secretstore.yaml", "/components/"),
    ("resiliency.yaml", "/components/"),
    ("config.yaml", "/"),
];
const SETTINGS: [(&str, &str); 2] = [
    ("KAFKA_BROKERS", "kafka:9093"),
    ("SECRETS_FILE", "/run/secrets/kafka.json"),
];

pub(super) fn findings(file: &ComposeFile) -> Vec<String> {
    App::ALL
        .into_iter()
        .flat_map(|app| of_app(file, app))
        .collect()
}

fn of_app(file: &ComposeFile, app: App) -> Vec<String> {
    let (id, pod, daprd) = (app.id(), beside(app, "pod"), beside(app, "daprd"));
    let mut findings = Vec::new();
    for (name, environment) in [(id, id), (&daprd, &daprd)] {
        let service = file.service(name);
        let mut wants = |holds: bool, what: String| {
            if !holds {
                findings.push(format!("{name}: {what}"));
            }
        };
        let network = format!("service:{pod}");
        wants(
            service["network_mode"] == json!(network),
            format!("is not in the network of {pod}"),
        );
        let restarts = &service["depends_on"][&pod]["restart"];
        wants(
            *restarts == json!(true),
            format!("does not restart with {pod}"),
        );
        let environment = format!("{FOLDER}/env/{environment}");
        let files = texts(&service["env_file"]);
        wants(
            files.contains(&environment.as_str()),
            format!("has no env_file {environment}"),
        );
    }
    findings.extend(sidecar(file, app, &daprd));
    findings.extend(tables(file, app));
    findings
}

fn sidecar(file: &ComposeFile, app: App, name: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let service = file.service(name);
    let command = texts(&service["command"]);
    for (flag, wanted) in [
        ("--app-id", app.id()),
        ("--app-port", "8081"),
        ("--dapr-listen-addresses", "127.0.0.1"),
        ("--dapr-internal-grpc-listen-address", "127.0.0.1"),
        ("--resources-path", "/components"),
        ("--config", "/config.yaml"),
    ] {
        if !command.windows(2).any(|pair| pair == [flag, wanted]) {
            findings.push(format!("{name}: its command has no {flag} {wanted}"));
        }
    }
    let mounts = texts(&service["volumes"]);
    for (component, folder) in COMPONENTS {
        let mount = format!("./dapr-components/{component}:{folder}{component}:ro");
        if !mounts.contains(&mount.as_str()) {
            findings.push(format!("{name}: does not mount {mount}"));
        }
    }
    for (variable, wanted) in SETTINGS.into_iter().chain(GARBAGE) {
        if service["environment"][variable] != json!(wanted) {
            findings.push(format!("{name}: {variable} is not {wanted}"));
        }
    }
    let secrets = json!([{"source": format!("{name}.json"), "target": "kafka.json"}]);
    if service["secrets"] != secrets {
        findings.push(format!(
            "{name}: its principal does not come from {name}.json"
        ));
    }
    if !waits_for(service, "topic-init", "service_completed_successfully") {
        findings.push(format!("{name}: does not wait for topic-init"));
    }
    findings
}

fn tables(file: &ComposeFile, app: App) -> Vec<String> {
    let (id, name) = (app.id(), beside(app, "migrate"));
    let mut findings = Vec::new();
    let role = id.replace('-', "_");
    let wanted = ["ledger", "migrate", "--service", id, "--app-role", &role];
    let service = file.service(&name);
    if texts(&service["command"]) != wanted {
        findings.push(format!("{name}: its command is not {}", wanted.join(" ")));
    }
    let environment = format!("{FOLDER}/env/{name}");
    if texts(&service["env_file"]) != [environment.as_str()] {
        findings.push(format!("{name}: its env_file is not {environment}"));
    }
    if !waits_for(file.service(id), &name, "service_completed_successfully") {
        findings.push(format!("{id}: does not wait for {name}"));
    }
    findings
}

fn waits_for(service: &Value, other: &str, condition: &str) -> bool {
    service["depends_on"][other]["condition"] == json!(condition)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::rules::fixture::broken;

    #[test]
    fn a_service_without_its_sidecar_is_found() {
        broken(
            findings,
            "/services/notifier-daprd",
            Value::Null,
            "notifier-daprd: is not in the",
        );
        let other = json!("service:task-api-pod");
        let pointer = "/services/notifier-daprd/network_mode";
        broken(
            findings,
            pointer,
            other,
            "is not in the network of notifier-pod",
        );
        let pointer = "/services/notifier/depends_on/notifier-pod/restart";
        broken(
            findings,
            pointer,
            json!(false),
            "notifier: does not restart with notifier-pod",
        );
    }

    #[test]
    fn a_sidecar_with_other_settings_is_found() {
        let pointer = "/services/notifier-daprd/environment/GOMEMLIMIT";
        let finding = "notifier-daprd: GOMEMLIMIT is not 450MiB";
        broken(findings, pointer, json!("4GiB"), finding);
    }

    #[test]
    fn a_sidecar_that_acts_as_another_or_listens_to_all_is_found() {
        let other = json!([{"source": "task-api-daprd.json", "target": "kafka.json"}]);
        broken(
            findings,
            "/services/notifier-daprd/secrets",
            other,
            "its principal does not come",
        );
        let other = json!("compose/secrets/env/task-api-daprd");
        broken(
            findings,
            "/services/notifier-daprd/env_file",
            other,
            "has no env_file",
        );
        let command = "/services/notifier-daprd/command/6";
        broken(
            findings,
            command,
            json!("0.0.0.0"),
            "has no --dapr-listen-addresses 127.0.0.1",
        );
        let command = "/services/notifier-daprd/command/2";
        broken(
            findings,
            command,
            json!("task-api"),
            "has no --app-id notifier",
        );
    }

    #[test]
    fn a_sidecar_with_other_components_or_another_broker_is_found() {
        let none = json!([]);
        broken(
            findings,
            "/services/notifier-daprd/volumes",
            none,
            "does not mount",
        );
        let broker = "/services/notifier-daprd/environment/KAFKA_BROKERS";
        broken(
            findings,
            broker,
            json!("kafka:9092"),
            "KAFKA_BROKERS is not kafka:9093",
        );
        let waits = "/services/notifier-daprd/depends_on/topic-init";
        broken(findings, waits, Value::Null, "does not wait for topic-init");
    }

    #[test]
    fn tables_that_nobody_makes_are_found() {
        let command = "/services/notifier-migrate/command/3";
        broken(
            findings,
            command,
            json!("task-api"),
            "notifier-migrate: its command is not",
        );
        let environment = "/services/notifier-migrate/env_file";
        broken(
            findings,
            environment,
            json!("compose/secrets/env/notifier"),
            "its env_file is not",
        );
        let waits = "/services/notifier/depends_on/notifier-migrate";
        broken(
            findings,
            waits,
            Value::Null,
            "notifier: does not wait for notifier-migrate",
        );
    }
}
