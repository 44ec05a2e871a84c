//! Every container may do nothing to its machine, is limited, and is looked after.

use serde_json::{Value, json};

use crate::compose::file::{ComposeFile, texts, with_defaults};

/// Has nothing that could ask for its health: who uses it says how it is.
const SILENT: [&str; 4] = ["-pod", "-daprd", "collector", "traces"];
const LOOPBACK: &str = "127.0.0.1:";

pub(super) fn findings(file: &ComposeFile) -> Vec<String> {
    let mut findings = Vec::new();
    for (name, service) in file.services() {
        let found = unrestricted(service)
            .into_iter()
            .chain(neglected(name, service));
        findings.extend(found.map(|what| format!("{name}: {what}")));
    }
    findings
}

fn unrestricted(service: &Value) -> Vec<String> {
    let mut findings = Vec::new();
    for (pointer, wanted) in [
        ("/read_only", json!(true)),
        ("/cap_drop", json!(["ALL"])),
        ("/security_opt", json!(["no-new-privileges:true"])),
    ] {
        if service.pointer(pointer) != Some(&wanted) {
            findings.push(format!("{pointer} is not {wanted}"));
        }
    }
    for key in [
        "cap_add",
        "privileged",
        "pid",
        "ipc",
        "userns_mode",
        "devices",
    ] {
        if service.get(key).is_some() {
            findings.push(format!("must not say {key}"));
        }
    }
    let user = service["user"].as_str().unwrap_or_default();
    let (id, _) = user.split_once(':').unwrap_or((user, ""));
    if !id.parse::<u32>().is_ok_and(|id| id > 0) {
        findings.push(format!(
            "its user {user:?} is not the number of one who is not root"
        ));
    }
    for port in texts(&service["ports"]) {
        if !port.starts_with(LOOPBACK) {
            let port = with_defaults(port);
            findings.push(format!(
                "{port} is open to other machines: begin it with {LOOPBACK}"
            ));
        }
    }
    findings
}

fn neglected(name: &str, service: &Value) -> Vec<String> {
    let mut findings = Vec::new();
    for limit in ["cpus", "memory", "pids"] {
        let pointer = format!("/deploy/resources/limits/{limit}");
        if service.pointer(&pointer).is_none_or(Value::is_null) {
            findings.push(format!("has no {pointer}"));
        }
    }
    if service
        .pointer("/logging/options/max-size")
        .is_none_or(Value::is_null)
    {
        findings
            .push("its log grows without bound: it has no /logging/options/max-size".to_owned());
    }
    let restart = service["restart"].as_str().unwrap_or_default();
    let once = restart.starts_with("on-failure:");
    if !once && restart != "unless-stopped" {
        findings.push(format!(
            "its restart {restart:?} is neither unless-stopped nor on-failure:N"
        ));
    }
    let asks = !texts(&service["healthcheck"]["test"]).is_empty();
    let silent = SILENT.iter().any(|end| name.ends_with(end));
    if !once && !asks && !silent {
        findings.push("has no healthcheck".to_owned());
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::rules::fixture::broken;

    #[test]
    fn a_container_that_may_more_is_found() {
        for (pointer, value, expected) in [
            (
                "/services/notifier/read_only",
                json!(false),
                "notifier: /read_only is not true",
            ),
            (
                "/services/kafka/cap_drop",
                json!([]),
                "kafka: /cap_drop is not",
            ),
            (
                "/services/gateway/security_opt",
                Value::Null,
                "gateway: /security_opt is not",
            ),
            (
                "/services/postgres/user",
                json!("0:0"),
                "postgres: its user \"0:0\"",
            ),
            (
                "/services/postgres/user",
                json!("postgres"),
                "postgres: its user",
            ),
            (
                "/services/gateway/ports",
                json!(["8080:8080"]),
                "open to other machines",
            ),
            (
                "/services/gateway",
                json!({"cap_add": ["NET_ADMIN"]}),
                "must not say cap_add",
            ),
        ] {
            broken(findings, pointer, value, expected);
        }
    }

    #[test]
    fn a_container_that_nobody_looks_after_is_found() {
        for (pointer, value, expected) in [
            (
                "/services/notifier/healthcheck",
                Value::Null,
                "notifier: has no healthcheck",
            ),
            (
                "/services/notifier/restart",
                json!("always"),
                "its restart \"always\"",
            ),
            (
                "/services/task-api-daprd/deploy/resources/limits/memory",
                Value::Null,
                "task-api-daprd: has no /deploy/resources/limits/memory",
            ),
            ("/services/kafka/logging", Value::Null, "its log grows"),
        ] {
            broken(findings, pointer, value, expected);
        }
    }
}
