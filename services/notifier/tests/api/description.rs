//! What `/openapi.json` says of the service's operations.

use http::{Method, StatusCode};
use serde_json::Value;

use super::suite;

const METHODS: [&str; 5] = ["get", "put", "post", "patch", "delete"];

/// Every operation of the document, named.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, item)| METHODS.map(|method| (format!("{method} {path}"), &item[method])))
        .filter(|(_, operation)| !operation.is_null())
        .collect()
}

fn has_parameter(operation: &Value, place: &str, name: &str) -> bool {
    let parameters = operation["parameters"].as_array();
    parameters.is_some_and(|all| {
        all.iter()
            .any(|one| one["in"] == place && (name.is_empty() || one["name"] == name))
    })
}

#[tokio::test]
async fn every_operation_declares_its_refusals_as_problems() {
    let suite = suite().await;
    let document = suite.get("/openapi.json", StatusCode::OK).await;
    let operations = operations(&document);
    assert_eq!(operations.len(), 5);

    for (name, operation) in operations {
        let mut refusals = vec!["400", "401", "403", "503"];
        if name.contains('{') {
            assert!(
                has_parameter(operation, "path", "notification_id"),
                "{name}"
            );
            refusals.push("404");
        }
        if name.starts_with("post ") {
            assert!(has_parameter(operation, "header", "If-Match"), "{name}");
            assert!(has_parameter(operation, "header", "Idempotency-Key"));
            refusals.extend(["412", "422"]);
        }
        for status in refusals {
            let problem = &operation["responses"][status]["content"]["application/problem+json"];
            let schema = &problem["schema"]["$ref"];
            assert_eq!(schema, "#/components/schemas/Problem", "{name} {status}");
        }
    }
    assert!(document["components"]["schemas"]["Problem"].is_object());
    suite.finish().await;
}

#[tokio::test]
async fn what_is_declared_is_answered() {
    let suite = suite().await;
    for path in ["", "/count", "/stream"] {
        let path = format!("/v1/notifications{path}");
        let request = suite.request(Method::GET, &path).header("if-match", "17");
        let refused = request.send().await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{path}");
    }
    let listed = suite.get("/v1/notifications?type=surprise", StatusCode::BAD_REQUEST);
    assert_eq!(listed.await["errors"][0]["pointer"], "/type");
    suite.finish().await;
}
