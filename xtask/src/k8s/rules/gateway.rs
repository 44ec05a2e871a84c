//! The gateway routes by the one table of paths.

use serde_json::{Value, json};

use crate::k8s::object::{Object, of_kind};
use crate::paths::{DEFAULT, TABLE};

pub(super) fn findings(objects: &[Object], paths: &[(String, String)]) -> Vec<String> {
    let rest = [("/".to_owned(), DEFAULT.to_owned())];
    let rules = paths.iter().chain(&rest).map(rule);
    let wanted: Vec<_> = rules.collect();
    let mut findings = Vec::new();
    for ingress in of_kind(objects, "Ingress") {
        for rule in ingress.items("/spec/rules") {
            if rule["http"]["paths"].as_array() != Some(&wanted) {
                findings.push(format!(
                    "{}: its paths are not those of {TABLE}",
                    ingress.title()
                ));
            }
        }
    }
    findings
}

fn rule((prefix, service): &(String, String)) -> Value {
    json!({
        "path": prefix,
        "pathType": "Prefix",
        "backend": {"service": {"name": service, "port": {"name": "http"}}},
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::table;
    use crate::root::workspace_root;

    #[test]
    fn a_path_that_goes_elsewhere_is_found() {
        let root = workspace_root();
        let paths = table(&root).unwrap();
        let text = std::fs::read_to_string(root.join("k8s/base/gateway.yaml")).unwrap();
        let objects = Object::parse(&text).unwrap();
        assert_eq!(findings(&objects, &paths), Vec::<String>::new());

        let elsewhere = text.replace("{name: notifier,", "{name: task-api,");
        let objects = Object::parse(&elsewhere).unwrap();
        assert_eq!(findings(&objects, &paths).len(), 1);
        let more = [("/v1/channels".to_owned(), "notifier".to_owned())];
        let more: Vec<_> = more.into_iter().chain(paths).collect();
        let objects = Object::parse(&text).unwrap();
        assert_eq!(findings(&objects, &more).len(), 1);
    }
}
