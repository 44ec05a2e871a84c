//! Whatever is wrong with a request is told at once, with its place, and nothing is written.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use test_support::TestSuite;

use crate::{berlin, create, errors, path, suite};

pub(super) async fn refused(suite: &TestSuite, body: Value) -> Value {
    suite
        .post("/v1/tasks", body, StatusCode::UNPROCESSABLE_ENTITY)
        .await
}

async fn nothing_was_written(mut suite: TestSuite) {
    suite.run_workers().await;
    assert_eq!(suite.published_types(), [""; 0]);
    suite.finish().await;
}

#[tokio::test]
async fn every_wrong_field_is_named_in_one_answer() {
    let suite = suite().await;

    let problem = refused(
        &suite,
        json!({
            "id": "550e8400-e29b-41d4-a716-446655440000", "title": " ", "notes": 5, "priority": "top",
            "labels": ["", 7, null, "l".repeat(61), "good"], "start": {"instant": "2027-01-31T08:00:00Z"},
            "due": {"local": "2027-01-31T25:00", "time_zone": "Mars/Olympus", "more": 1},
            "deadline": {"date": "2027-02-30"}, "parent_id": "x",
            "reminders": [{"trigger": {"type": "relative", "to": "end", "offset": "30m", "at": 1}},
                          {"id": "x"}, {"trigger": {"type": "absolute", "at": {"date": "2027-01-01"}}},
                          {"trigger": {"type": "later"}}, 7],
            "recurrence": {"rrule": "FREQ=HOURLY", "month_overflow": "roll", "until": 1},
            "color/~": "red"
        }),
    )
    .await;

    assert_eq!(problem["code"], "validation-failed");
    assert_eq!(
        errors(&problem),
        [
            ("/color~1~0", "unknown_field"),
            ("/deadline/date", "invalid_value"),
            ("/due/more", "unknown_field"),
            ("/id", "invalid_value"),
            ("/labels/0", "empty"),
            ("/labels/1", "wrong_type"),
            ("/labels/2", "missing"),
            ("/labels/3", "too_long"),
            ("/notes", "wrong_type"),
            ("/parent_id", "invalid_value"),
            ("/priority", "wrong_type"),
            ("/recurrence/month_overflow", "wrong_type"),
            ("/recurrence/rrule", "unsupported"),
            ("/recurrence/until", "unknown_field"),
            ("/reminders/0/trigger/at", "unknown_field"),
            ("/reminders/0/trigger/offset", "invalid_value"),
            ("/reminders/0/trigger/to", "invalid_value"),
            ("/reminders/1/id", "invalid_value"),
            ("/reminders/1/trigger", "missing"),
            ("/reminders/2/trigger/at", "invalid_value"),
            ("/reminders/3/trigger/type", "invalid_value"),
            ("/reminders/4", "wrong_type"),
            ("/start", "invalid_value"),
            ("/title", "empty"),
        ]
    );
    nothing_was_written(suite).await;
}

#[tokio::test]
async fn each_limit_is_kept() {
    let suite = suite().await;
    let reminder =
        json!({"trigger": {"type": "absolute", "at": {"instant": "2027-01-01T00:00:00Z"}}});
    let labels: Vec<String> = (0..51).map(|n| n.to_string()).collect();
    let cases = [
        (json!({}), "/title", "missing"),
        (json!({"title": null}), "/title", "missing"),
        (json!({"title": "é".repeat(501)}), "/title", "too_long"),
        (
            json!({"title": "x", "notes": "n".repeat(65_537)}),
            "/notes",
            "too_long",
        ),
        (
            json!({"title": "x", "labels": labels}),
            "/labels",
            "too_many",
        ),
        (
            json!({"title": "x", "reminders": vec![reminder; 21]}),
            "/reminders",
            "too_many",
        ),
        (
            json!({"title": "x", "due": {"local": "2027-01-31T09:00"}}),
            "/due/time_zone",
            "missing",
        ),
        (json!({"title": "x", "due": {}}), "/due", "invalid_value"),
        (
            json!({"title": "x", "due": {"date": "2027-01-31", "time_zone": "UTC"}}),
            "/due",
            "invalid_value",
        ),
        (
            json!({"title": "x", "due": "2027-01-31"}),
            "/due",
            "wrong_type",
        ),
        (
            json!({"title": "x", "due": {"local": "2027-01-31T09:00Z", "time_zone": "UTC"}}),
            "/due/local",
            "invalid_value",
        ),
        (
            json!({"title": "x", "due": {"date": "+12027-01-31"}}),
            "/due/date",
            "invalid_value",
        ),
        (
            json!({"title": "x", "due": {"local": "2027-01-31T09:00", "time_zone": "Europe/Atlantis"}}),
            "/due/time_zone",
            "invalid_value",
        ),
        (
            relative("due", "-P367D"),
            "/reminders/0/trigger/offset",
            "invalid_value",
        ),
        (
            relative("due", "P1M"),
            "/reminders/0/trigger/offset",
            "invalid_value",
        ),
        (
            relative("start", "PT0S"),
            "/reminders/0/trigger/to",
            "anchor_missing",
        ),
        (
            relative("deadline", "PT0S"),
            "/reminders/0/trigger/to",
            "anchor_without_time",
        ),
    ];
    for (body, pointer, code) in cases {
        let problem = refused(&suite, body.clone()).await;
        assert_eq!(errors(&problem), [(pointer, code)], "{body}");
        assert_eq!(problem["code"], "validation-failed", "{body}");
    }
    nothing_was_written(suite).await;
}

fn relative(to: &str, offset: &str) -> Value {
    json!({"title": "x", "due": berlin("2027-01-31T09:00"), "deadline": {"date": "2027-02-01"},
           "reminders": [{"trigger": {"type": "relative", "to": to, "offset": offset}}]})
}

#[tokio::test]
async fn a_rule_that_cannot_be_has_its_own_code() {
    let suite = suite().await;
    let with = |rrule: &str| json!({"title": "x", "due": {"date": "2027-01-31"}, "recurrence": {"rrule": rrule}});
    for (rrule, code) in [
        ("FREQ=HOURLY", "recurrence-unsupported"),
        ("FREQ=DAILY;BYHOUR=9", "recurrence-unsupported"),
        ("every day", "recurrence-unsupported"),
        ("", "recurrence-unsupported"),
        (
            "FREQ=DAILY;UNTIL=20280101T000000Z",
            "recurrence-unsupported",
        ),
        ("FREQ=DAILY;INTERVAL=0", "recurrence-unsupported"),
        (
            "FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=31",
            "recurrence-never-occurs",
        ),
        ("FREQ=DAILY;UNTIL=20200101", "recurrence-never-occurs"),
    ] {
        let problem = refused(&suite, with(rrule)).await;
        assert_eq!(problem["code"], code, "{rrule}");
        assert_eq!(
            problem["errors"][0]["pointer"], "/recurrence/rrule",
            "{rrule}"
        );
    }

    let no_due = refused(
        &suite,
        json!({"title": "x", "recurrence": {"rrule": "FREQ=DAILY"}}),
    )
    .await;
    assert_eq!(no_due["code"], "recurring-task-needs-date");
    assert_eq!(errors(&no_due), [("/due", "needs_date")]);

    let mut with_id = with("FREQ=DAILY");
    with_id["id"] = "0198c0de-0000-7000-8000-000000000001".into();
    let with_id = refused(&suite, with_id).await;
    assert_eq!(errors(&with_id), [("/id", "not_with_recurrence")]);
    nothing_was_written(suite).await;
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_malformed() {
    let suite = suite().await;
    let many = format!("{{\"title\":{}", "[".repeat(10_000));
    let cases: [(&[u8], u16); 9] = [
        (b"{\"title\": ", 400),
        (b"", 400),
        (b"{\"title\":\"a\",\"title\":\"b\"}", 400),
        (b"{\"title\":\"a\\u0000b\"}", 422),
        (b"{\"title\":\"\\ud800\"}", 400),
        (b"\xff\xfe{\"title\":1}", 400),
        (many.as_bytes(), 400),
        (b"[]", 422),
        (b"null", 422),
    ];
    for (body, status) in cases {
        let request = suite.request(Method::POST, "/v1/tasks");
        let answer = request
            .bytes("application/json", body.to_vec())
            .send()
            .await;
        let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        assert_eq!(answer.status.as_u16(), status, "{shown}");
        assert!(answer.json()["code"].is_string(), "{shown}");
    }
    let text = suite.request(Method::POST, "/v1/tasks");
    let text = text.bytes("text/plain", "{\"title\":\"a\"}").send().await;
    assert_eq!(text.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let large = suite.request(Method::POST, "/v1/tasks");
    let large = large
        .bytes("application/json", vec![b' '; 300_000])
        .send()
        .await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
    nothing_was_written(suite).await;
}

#[tokio::test]
async fn what_is_not_there_or_not_so_is_a_problem() {
    let suite = suite().await;
    for (method, path, status) in [
        (Method::GET, "/v1/nothing", 404),
        (Method::GET, "/v1/tasks/no-uuid", 404),
        (Method::GET, "/v1/tasks/%00", 404),
        (Method::POST, "/v1/tasks/no-uuid/complete", 404),
        (Method::PUT, "/v1/tasks", 405),
        (Method::DELETE, "/v1/tasks", 405),
    ] {
        let answer = suite.request(method.clone(), path).send().await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    let nobody = suite
        .request(Method::GET, "/v1/tasks")
        .anonymous()
        .send()
        .await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    suite.finish().await;
}

#[tokio::test]
async fn a_patch_is_read_as_strictly() {
    let mut suite = suite().await;
    let task = create(&suite, json!({"title": "x", "due": {"date": "2027-01-31"}})).await;
    for (patch, expected) in [
        (json!({"title": null}), ("/title", "missing")),
        (json!({"id": task["id"]}), ("/id", "unknown_field")),
        (json!({"status": "completed"}), ("/status", "unknown_field")),
        (json!({"recurrence": null}), ("/recurrence", "wrong_scope")),
        (json!({"priority": 3}), ("/priority", "wrong_type")),
        (
            json!({"due": {"date": "2027-13-01"}}),
            ("/due/date", "invalid_value"),
        ),
        (json!({"parent_id": task["id"]}), ("/parent_id", "cycle")),
    ] {
        let problem = suite
            .patch(
                &path(&task, ""),
                patch.clone(),
                StatusCode::UNPROCESSABLE_ENTITY,
            )
            .await;
        assert_eq!(errors(&problem), [expected], "{patch}");
    }
    let tag = suite
        .request(Method::PATCH, &path(&task, ""))
        .header("if-match", "W/\"v1\"");
    let _malformed = tag
        .json(&json!({"title": "y"}))
        .send()
        .await
        .expect(StatusCode::BAD_REQUEST);
    suite.run_workers().await;
    assert_eq!(suite.published_types(), ["task.created.v1"]);
    suite.finish().await;
}

#[tokio::test]
async fn a_command_takes_no_more_than_it_needs() {
    let suite = suite().await;
    let task = create(&suite, json!({"title": "x"})).await;
    for (command, body, expected) in [
        ("/complete", json!({"at": 1}), ("/at", "unknown_field")),
        (
            "/complete",
            json!({"completed_at": "yesterday"}),
            ("/completed_at", "invalid_value"),
        ),
        (
            "/complete",
            json!({"completed_at": "2026-11-22T10:00:00.000001Z"}),
            ("/completed_at", "in_the_future"),
        ),
        (
            "/skip",
            json!({"reason": "r".repeat(501)}),
            ("/reason", "too_long"),
        ),
        ("/reopen", json!({"x": 1}), ("/x", "unknown_field")),
    ] {
        let problem = suite
            .post(
                &path(&task, command),
                body.clone(),
                StatusCode::UNPROCESSABLE_ENTITY,
            )
            .await;
        assert_eq!(errors(&problem), [expected], "{command} {body}");
    }
    suite.finish().await;
}

#[tokio::test]
async fn a_query_is_read_strictly() {
    let suite = suite().await;
    for query in [
        "status=done",
        "due_from=tomorrow",
        "due_to=2027-02-30",
        "parent_id=x",
        "sort=title",
        "limit=0",
        "limit=201",
        "cursor=xyz",
        "color=red",
        "status=open&status=open",
        "label=%00",
    ] {
        let problem = suite
            .get(&format!("/v1/tasks?{query}"), StatusCode::BAD_REQUEST)
            .await;
        assert!(problem["code"].is_string(), "{query}");
    }
    suite.finish().await;
}
