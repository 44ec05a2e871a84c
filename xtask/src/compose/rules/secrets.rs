//! Every secret that is asked for is made by `cargo xtask secrets --for compose`, and none is in git.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::Context;

use crate::compose::file::{ComposeFile, PATH, texts};
use crate::secrets::{FOLDER, derived};

/// Words at the end of a variable that holds something secret, unless it says where that is.
const SECRET_WORDS: [&str; 5] = ["PASSWORD", "TOKEN", "KEY", "SECRET", "DATABASE_URL"];
const IGNORED: &str = ".gitignore";

pub(super) fn findings(root: &Path, file: &ComposeFile) -> anyhow::Result<Vec<String>> {
    let made: BTreeSet<_> = derived()?
        .into_iter()
        .map(|name| format!("{FOLDER}/{name}"))
        .collect();
    let mut findings = asked_for(file, &made);
    let ignored = fs::read_to_string(root.join(IGNORED)).context(IGNORED)?;
    if ignored.lines().all(|line| line != format!("/{FOLDER}")) {
        findings.push(format!("{IGNORED} has no /{FOLDER}"));
    }
    for path in committed(&root.join("compose"), &root.join(FOLDER))? {
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        findings.extend(inline(&path.display().to_string(), &text));
    }
    findings.extend(inline(PATH, &fs::read_to_string(root.join(PATH))?));
    Ok(findings)
}

fn asked_for(file: &ComposeFile, made: &BTreeSet<String>) -> Vec<String> {
    let mut findings = Vec::new();
    let mut wants = |by: &str, path: &str| {
        if !made.contains(path) {
            findings.push(format!("{by}: nobody makes {path}"));
        }
    };
    let secrets = file.body["secrets"].as_object().into_iter().flatten();
    for (name, _) in secrets {
        wants(name, file.secret_file(name).unwrap_or_default());
    }
    for (name, service) in file.services() {
        for path in texts(&service["env_file"]) {
            wants(name, path);
        }
        for secret in service["secrets"].as_array().into_iter().flatten() {
            let source = secret
                .as_str()
                .or(secret["source"].as_str())
                .unwrap_or_default();
            wants(name, file.secret_file(source).unwrap_or(source));
        }
    }
    for (name, service) in file.services() {
        for (variable, value) in service["environment"].as_object().into_iter().flatten() {
            let holds = SECRET_WORDS.iter().any(|word| variable.ends_with(word));
            if holds && !value.is_null() {
                findings.push(format!("{name}: {variable} has to come from a file"));
            }
        }
    }
    findings
}

fn committed(folder: &Path, secrets: &Path) -> anyhow::Result<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() && path != secrets {
            found.extend(committed(&path, secrets)?);
        } else if path.is_file() {
            found.push(path);
        }
    }
    Ok(found)
}

/// A password in an address or in quotes, or a key. A script may name a variable that holds one.
fn inline(path: &str, text: &str) -> Vec<String> {
    let is_one = |line: &&str| {
        let after = |mark: &str| line.split_once(mark).map_or("", |(_, rest)| rest);
        let address = after("://").split(['/', ' ']).next().unwrap_or_default();
        let password = after("password=").trim_start_matches('"');
        line.contains("PRIVATE KEY")
            || address
                .split_once('@')
                .is_some_and(|(user, _)| user.contains(':'))
            || password.starts_with(|first: char| first.is_ascii_alphanumeric())
                && !password.starts_with("scram-sha-256")
    };
    let found = text.lines().filter(is_one);
    found
        .map(|line| format!("{path}: a secret must not be in git: {line}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::compose::rules::fixture::broken;
    use crate::root::workspace_root;

    fn all(file: &ComposeFile) -> Vec<String> {
        findings(&workspace_root(), file).unwrap()
    }

    #[test]
    fn a_secret_that_nobody_makes_is_found() {
        let unknown = json!(["kafka-ca.pem", "kafka-brokers.pem"]);
        broken(
            all,
            "/services/kafka/secrets",
            unknown,
            "kafka: nobody makes kafka-brokers.pem",
        );
        let elsewhere = json!({"file": "compose/secrets/files/grafana"});
        broken(
            all,
            "/secrets/grafana-password",
            elsewhere,
            "nobody makes compose/secrets/files/grafana",
        );
        let unknown = json!("compose/secrets/env/inbox");
        broken(
            all,
            "/services/notifier/env_file",
            unknown,
            "nobody makes compose/secrets/env/inbox",
        );
    }

    #[test]
    fn a_secret_in_the_file_is_found() {
        let open = json!({"POSTGRES_PASSWORD": "hunter2"});
        broken(
            all,
            "/services/postgres/environment",
            open,
            "POSTGRES_PASSWORD has to come from",
        );
        for line in [
            "url: postgres://task_api:hunter2@postgres/task_api",
            "sasl.jaas.config=… username=\"admin\" password=\"hunter2\";",
            "-----BEGIN PRIVATE KEY-----",
        ] {
            assert_eq!(inline_of(line).len(), 1, "{line}");
        }
        for line in [
            "password=$(cat \"$file\")",
            "http://127.0.0.1:8404/readyz",
            "me@example.org",
        ] {
            assert_eq!(inline_of(line), Vec::<String>::new(), "{line}");
        }
    }

    fn inline_of(line: &str) -> Vec<String> {
        inline("a file", line)
    }
}
