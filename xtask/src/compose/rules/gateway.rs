//! The gateway routes by the one table of paths, and only what has public paths has a door to it.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context;
use event_schema::App;
use serde_json::json;

use super::beside;
use crate::compose::file::{ComposeFile, texts};
use crate::paths::{DEFAULT, table};
use crate::secrets::FOLDER;

const SETTINGS: &str = "compose/gateway/haproxy.cfg";
const MOUNT: &str = "./compose/gateway:/etc/taskledger:ro";
const DOOR: &str = "0.0.0.0:8080";

pub(super) fn findings(root: &Path, file: &ComposeFile) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(root.join(SETTINGS)).context(SETTINGS)?;
    let public = public(root)?;
    let mut findings = routes(&text, &public);
    findings.extend(doors(file, &public));
    Ok(findings)
}

fn public(root: &Path) -> anyhow::Result<BTreeSet<String>> {
    let named = table(root)?.into_iter().map(|(_, service)| service);
    Ok(named.chain([DEFAULT.to_owned()]).collect())
}

fn routes(text: &str, public: &BTreeSet<String>) -> Vec<String> {
    let mut lines = vec![format!(
        "use_backend %[path,map_beg(/etc/taskledger/paths.map,{DEFAULT})]"
    )];
    for service in public {
        lines.push(format!("backend {service}"));
        lines.push(format!("server {service} {service}:8080"));
    }
    let missing = lines
        .into_iter()
        .filter(|wanted| text.lines().all(|line| line.trim() != wanted));
    missing
        .map(|line| format!("{SETTINGS}: has no line {line:?}"))
        .collect()
}

fn doors(file: &ComposeFile, public: &BTreeSet<String>) -> Vec<String> {
    let mut findings = Vec::new();
    if !texts(&file.service("gateway")["volumes"]).contains(&MOUNT) {
        findings.push(format!("gateway: does not mount {MOUNT}"));
    }
    for app in App::ALL {
        let (id, is_public) = (app.id(), public.contains(app.id()));
        let service = file.service(id);
        let listens = service["environment"]["LISTEN_ADDRESS"] == json!(DOOR);
        let key = format!("{FOLDER}/env/auth");
        let checks = texts(&service["env_file"]).contains(&key.as_str());
        let reachable = file.service(&beside(app, "pod"))["networks"]
            .get("edge")
            .is_some();
        for (holds, what) in [
            (listens, "listens for the gateway"),
            (checks, "has the key of tokens"),
            (reachable, "is in the network edge"),
        ] {
            match (is_public, holds) {
                (true, false) => findings.push(format!("{id}: has public paths, but not: {what}")),
                (false, true) => findings.push(format!("{id}: has no public paths, but {what}")),
                _ => {}
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::rules::fixture::{broken, found};
    use crate::root::workspace_root;

    fn all(file: &ComposeFile) -> Vec<String> {
        findings(&workspace_root(), file).unwrap()
    }

    #[test]
    fn a_table_that_the_gateway_does_not_read_is_found() {
        let text = std::fs::read_to_string(workspace_root().join(SETTINGS)).unwrap();
        let public = public(&workspace_root()).unwrap();
        let other = text.replace("paths.map,task-api", "paths.map,notifier");
        found(&routes(&other, &public), "has no line \"use_backend");
        let with_another = public.into_iter().chain(["insights".to_owned()]).collect();
        found(
            &routes(&text, &with_another),
            "has no line \"backend insights\"",
        );
        broken(
            all,
            "/services/gateway/volumes",
            json!([]),
            "gateway: does not mount",
        );
    }

    #[test]
    fn a_door_too_many_or_too_few_is_found() {
        let door = "/services/notifier/environment/LISTEN_ADDRESS";
        broken(
            all,
            door,
            json!("127.0.0.1:8080"),
            "notifier: has public paths, but not: listens",
        );
        let key = "/services/notifier/env_file";
        broken(
            all,
            key,
            json!("compose/secrets/env/notifier"),
            "has the key of tokens",
        );
        let networks = json!({"core": {}, "edge": {}});
        let pod = "/services/recurring-generator-pod/networks";
        broken(
            all,
            pod,
            networks,
            "recurring-generator: has no public paths, but is in the network",
        );
    }
}
