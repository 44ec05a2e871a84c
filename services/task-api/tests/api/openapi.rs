//! The description of the interface is the interface.

use http::StatusCode;
use serde_json::Value;

use crate::suite;

const PATHS: [(&str, &[&str]); 26] = [
    ("/v1/about", &["get"]),
    ("/v1/me/preferences", &["get", "patch"]),
    ("/v1/recurrence/preview", &["post"]),
    ("/v1/reminders", &["get"]),
    ("/v1/reminders/{reminder_id}", &["delete", "get", "patch"]),
    ("/v1/reminders/{reminder_id}/acknowledge", &["post"]),
    ("/v1/reminders/{reminder_id}/dismiss", &["post"]),
    ("/v1/reminders/{reminder_id}/snooze", &["post"]),
    ("/v1/series", &["get", "post"]),
    ("/v1/series/{series_id}", &["delete", "get", "patch"]),
    ("/v1/series/{series_id}/end", &["post"]),
    ("/v1/series/{series_id}/exceptions", &["post"]),
    ("/v1/series/{series_id}/occurrences", &["get"]),
    ("/v1/series/{series_id}/pause", &["post"]),
    ("/v1/series/{series_id}/resume", &["post"]),
    ("/v1/tasks", &["get", "post"]),
    ("/v1/tasks/{task_id}", &["delete", "get", "patch"]),
    ("/v1/tasks/{task_id}/cancel", &["post"]),
    ("/v1/tasks/{task_id}/complete", &["post"]),
    ("/v1/tasks/{task_id}/history", &["get"]),
    ("/v1/tasks/{task_id}/preview", &["post"]),
    ("/v1/tasks/{task_id}/reminders", &["get", "post"]),
    ("/v1/tasks/{task_id}/reopen", &["post"]),
    ("/v1/tasks/{task_id}/reschedule", &["post"]),
    ("/v1/tasks/{task_id}/restore", &["post"]),
    ("/v1/tasks/{task_id}/skip", &["post"]),
];

fn names(object: &Value) -> Vec<&str> {
    let mut names: Vec<_> = object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    names
}

/// Every `$ref` below a value.
fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members
                .values()
                .for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn every_path_is_described_with_its_answers() {
    let suite = suite().await;
    let document = suite.get("/openapi.json", StatusCode::OK).await;

    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(document["info"]["title"], "Taskledger");
    assert_eq!(names(&document["paths"]), PATHS.map(|(path, _)| path));
    for (path, methods) in PATHS {
        assert_eq!(names(&document["paths"][path]), methods);
        for method in methods {
            let operation = &document["paths"][path][method];
            assert!(operation["summary"].is_string(), "{method} {path}");
            let responses = operation["responses"].as_object().unwrap();
            for status in refusals(method, path) {
                assert!(responses.contains_key(status), "{method} {path} {status}");
            }
            let refusals = responses
                .iter()
                .filter(|(status, _)| status.starts_with(['4', '5']));
            for (status, refusal) in refusals {
                let content = &refusal["content"]["application/problem+json"];
                assert!(
                    content["schema"]["$ref"].is_string(),
                    "{method} {path} {status}"
                );
            }
            if *method == "post" || *method == "patch" {
                assert!(operation["requestBody"].is_object(), "{method} {path}");
            }
        }
    }
    suite.finish().await;
}

/// What an operation may refuse.
fn refusals(method: &str, path: &str) -> Vec<&'static str> {
    let mut statuses = vec!["400", "401", "403", "503"];
    let is_on_one = path.contains("_id}");
    if is_on_one {
        statuses.push("404");
    }
    if is_on_one && method != "get" {
        statuses.extend(["412", "422"]);
    }
    if method == "post" || method == "patch" {
        statuses.extend(["413", "415", "422"]);
    }
    let is_never_in_conflict = path == "/v1/recurrence/preview" || path.ends_with("/end");
    if !is_never_in_conflict && (method == "post" || method == "patch") {
        statuses.push("409");
    }
    statuses
}

#[tokio::test]
async fn a_change_in_the_history_has_any_json_value() {
    let suite = suite().await;
    let document = suite.get("/openapi.json", StatusCode::OK).await;
    let change = &document["components"]["schemas"]["FieldChange"]["properties"];
    for side in ["from", "to"] {
        assert!(change[side].is_object());
        assert_eq!(change[side]["type"], Value::Null, "{side}");
    }
    suite.finish().await;
}

#[tokio::test]
async fn a_rule_is_described_in_both_forms() {
    let suite = suite().await;
    let document = suite.get("/openapi.json", StatusCode::OK).await;
    let schemas = &document["components"]["schemas"];
    let mut described = members(&schemas["RecurrenceInput"], schemas);
    described.sort_unstable();
    let expected = [
        "anchor",
        "auto_skip_when_late",
        "by_month",
        "by_month_day",
        "by_set_pos",
        "by_weekday",
        "catch_up",
        "catch_up_limit",
        "copy",
        "dst_gap",
        "ends",
        "exceptions",
        "freq",
        "generation",
        "interval",
        "lead_time",
        "max_open",
        "month_overflow",
        "rrule",
        "week_start",
    ];
    assert_eq!(described, expected);
    assert_eq!(
        names(&schemas["WeekdayInput"]["properties"]),
        ["day", "nth"]
    );
    assert_eq!(
        names(&schemas["EndsInput"]["properties"]),
        ["count", "never", "until"]
    );
    suite.finish().await;
}

/// The members of a schema, those of all that it is made of included.
fn members<'a>(schema: &'a Value, schemas: &'a Value) -> Vec<&'a str> {
    let own = schema["properties"].as_object().into_iter().flatten();
    let mut found: Vec<&str> = own.map(|(name, _)| name.as_str()).collect();
    for part in schema["allOf"].as_array().into_iter().flatten() {
        let named = part["$ref"]
            .as_str()
            .and_then(|name| name.rsplit('/').next());
        found.extend(members(named.map_or(part, |name| &schemas[name]), schemas));
    }
    found
}

#[tokio::test]
async fn every_schema_that_is_named_is_there() {
    let suite = suite().await;
    let document = suite.get("/openapi.json", StatusCode::OK).await;
    let mut found = Vec::new();
    references(&document, &mut found);
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    suite.finish().await;
}

#[tokio::test]
async fn a_task_has_the_members_that_are_described() {
    let suite = suite().await;
    let document = suite.get("/openapi.json", StatusCode::OK).await;
    let task = crate::create(&suite, serde_json::json!({"title": "x"})).await;
    let described = &document["components"]["schemas"]["Task"]["properties"];
    assert_eq!(names(&task), names(described));
    suite.finish().await;
}

#[tokio::test]
async fn nobody_has_to_be_known_to_read_it() {
    let suite = suite().await;
    for path in ["/openapi.json", "/docs/"] {
        let answer = suite
            .request(http::Method::GET, path)
            .anonymous()
            .send()
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
    }
    suite.finish().await;
}
