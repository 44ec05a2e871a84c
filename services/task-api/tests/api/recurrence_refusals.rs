//! Rules that are refused, however they are written: by which problem, where, and with which advice.

use http::StatusCode;
use serde_json::{Value, json};
use test_support::TestSuite;

use crate::{berlin, errors, suite};

async fn refused(suite: &TestSuite, recurrence: Value, start: Value) -> Value {
    let body = json!({"recurrence": recurrence, "start": start});
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    suite.post("/v1/recurrence/preview", body, status).await
}

/// Asserts the problem, the pointer and a part of what is advised.
fn assert_problem(problem: &Value, code: &str, pointer: &str, advice: &str) {
    assert_eq!(problem["code"], code, "{problem}");
    let error = &problem["errors"][0];
    assert_eq!(error["pointer"], pointer, "{problem}");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains(advice), "{advice:?} is not in {message:?}");
    assert!(message.len() < 300, "{message}");
}

#[tokio::test]
async fn an_rrule_outside_the_profile_is_unsupported() {
    let suite = suite().await;
    let ten_kilobytes = format!("FREQ=MONTHLY;BYDAY={}", vec!["1MO"; 2_500].join(","));
    let positions: Vec<String> = (1..=500).map(|place| place.to_string()).collect();
    let positions = format!("FREQ=YEARLY;BYDAY=MO;BYSETPOS={}", positions.join(","));
    for (rrule, advice) in [
        ("FREQ=SECONDLY", "write FREQ=DAILY"),
        ("FREQ=MINUTELY;INTERVAL=5", "write FREQ=DAILY"),
        ("FREQ=HOURLY", "write FREQ=DAILY"),
        ("FREQ=FORTNIGHTLY", "DAILY, WEEKLY, MONTHLY or YEARLY"),
        ("INTERVAL=2", "write FREQ=DAILY"),
        ("", "NAME=VALUE"),
        ("every day", "such as FREQ=DAILY"),
        ("RRULE:FREQ=DAILY", "without RRULE:"),
        (
            "DTSTART:20270101\nRRULE:FREQ=DAILY",
            "without RRULE: or DTSTART",
        ),
        ("FREQ=TÄGLICH", "plain ASCII"),
        ("FREQ=DAILY;FREQ=DAILY", "write it once"),
        ("FREQ=DAILY;INTERVAL=0", "from 1 to 999"),
        ("FREQ=DAILY;INTERVAL=1000", "from 1 to 999"),
        (
            "FREQ=DAILY;INTERVAL=99999999999999999999999999",
            "from 1 to 999",
        ),
        ("FREQ=DAILY;INTERVAL=-1", "write digits"),
        ("FREQ=DAILY;COUNT=0", "from 1 to 9999"),
        ("FREQ=DAILY;COUNT=10000", "from 1 to 9999"),
        (
            "FREQ=DAILY;COUNT=5;UNTIL=20280101T000000Z",
            "keep one of the two",
        ),
        ("FREQ=DAILY;UNTIL=20280101T000000", "with a Z"),
        ("FREQ=DAILY;UNTIL=20280101", "must be in UTC such as"),
        ("FREQ=DAILY;UNTIL=99999999", "must be written 20270131"),
        ("FREQ=DAILY;BYHOUR=9", "leave it out"),
        ("FREQ=DAILY;BYMINUTE=9", "leave it out"),
        ("FREQ=DAILY;BYSECOND=9", "leave it out"),
        ("FREQ=YEARLY;BYWEEKNO=20", "write BYMONTH and BYDAY"),
        ("FREQ=YEARLY;BYYEARDAY=100", "write BYMONTH and BYMONTHDAY"),
        ("FREQ=YEARLY;BYEASTER=0", "a task for each year"),
        ("FREQ=DAILY;EXRULE=1", "use FREQ, INTERVAL"),
        ("FREQ=WEEKLY;BYDAY=MO;BYSETPOS=1", "leave it out"),
        ("FREQ=WEEKLY;BYDAY=2MO", "MO instead of 2MO"),
        (
            "FREQ=WEEKLY;BYMONTHDAY=2",
            "write FREQ=DAILY or FREQ=MONTHLY",
        ),
        ("FREQ=MONTHLY;BYDAY=6MO", "from 1 to 5"),
        ("FREQ=YEARLY;BYDAY=20MO", "from 1 to 5"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "from 1 to 31"),
        ("FREQ=YEARLY;BYMONTH=13", "from 1 to 12"),
        ("FREQ=MONTHLY;BYSETPOS=1", "add BYDAY"),
        (ten_kilobytes.as_str(), "too long"),
        (positions.as_str(), "from 1 to 366"),
    ] {
        let problem = refused(&suite, json!({"rrule": rrule}), berlin("2027-01-31T09:00")).await;
        assert_problem(
            &problem,
            "recurrence-unsupported",
            "/recurrence/rrule",
            advice,
        );
    }
    suite.finish().await;
}

#[tokio::test]
async fn a_rule_without_an_occurrence_never_occurs_whatever_else_it_says() {
    let suite = suite().await;
    for (rrule, start) in [
        ("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30", "2027-01-31T09:00"),
        ("FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=31", "2027-01-31T09:00"),
        (
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;INTERVAL=999",
            "2027-01-31T09:00",
        ),
        (
            "FREQ=DAILY;INTERVAL=999;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO",
            "2027-01-31T09:00",
        ),
        ("FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=31", "2027-01-31T09:00"),
        ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=300", "2027-01-31T09:00"),
        ("FREQ=YEARLY;BYMONTH=1", "9999-12-31T09:00"),
    ] {
        for overflow in ["clamp", "skip"] {
            let recurrence = json!({"rrule": rrule, "month_overflow": overflow});
            let problem = refused(&suite, recurrence, berlin(start)).await;
            let advice = "BYMONTHDAY=-1 is the last day";
            assert_problem(
                &problem,
                "recurrence-never-occurs",
                "/recurrence/rrule",
                advice,
            );
        }
    }
    suite.finish().await;
}

#[tokio::test]
async fn a_structured_rule_is_refused_at_its_member() {
    let suite = suite().await;
    let unsupported = "recurrence-unsupported";
    let never = "recurrence-never-occurs";
    for (recurrence, code, pointer, advice) in [
        (
            json!({"freq": "hourly"}),
            unsupported,
            "/recurrence/freq",
            "daily, weekly",
        ),
        (
            json!({"freq": "daily", "interval": 0}),
            unsupported,
            "/recurrence/interval",
            "from 1 to 999",
        ),
        (
            json!({"freq": "daily", "interval": i64::MAX}),
            unsupported,
            "/recurrence/interval",
            "from 1 to 999",
        ),
        (
            json!({"rrule": "FREQ=DAILY", "freq": "daily"}),
            unsupported,
            "/recurrence/freq",
            "either rrule",
        ),
        (
            json!({"freq": "weekly", "by_weekday": [{"day": "mo", "nth": 2}]}),
            unsupported,
            "/recurrence/by_weekday",
            "MO instead of 2MO",
        ),
        (
            json!({"freq": "monthly", "by_weekday": [{"day": "mo", "nth": 0}]}),
            unsupported,
            "/recurrence/by_weekday",
            "from 1 to 5",
        ),
        (
            json!({"freq": "monthly", "by_month_day": [0]}),
            unsupported,
            "/recurrence/by_month_day",
            "from 1 to 31",
        ),
        (
            json!({"freq": "monthly", "by_month": [-1]}),
            unsupported,
            "/recurrence/by_month",
            "from 1 to 12",
        ),
        (
            json!({"freq": "monthly", "by_set_pos": [1]}),
            unsupported,
            "/recurrence/by_set_pos",
            "add BYDAY",
        ),
        (
            json!({"freq": "monthly", "by_month_day": vec![1; 733]}),
            unsupported,
            "/recurrence/by_month_day",
            "too long",
        ),
        (
            json!({"freq": "monthly", "by_month": [2], "by_month_day": [30]}),
            never,
            "/recurrence",
            "last day",
        ),
    ] {
        let problem = refused(&suite, recurrence, berlin("2027-01-31T09:00")).await;
        assert_problem(&problem, code, pointer, advice);
    }
    suite.finish().await;
}

#[tokio::test]
async fn an_end_is_refused_at_its_member() {
    let suite = suite().await;
    for (recurrence, pointer, advice) in [
        (
            json!({"freq": "daily", "ends": {"count": 0}}),
            "/recurrence/ends/count",
            "from 1 to 9999",
        ),
        (
            json!({"freq": "daily", "ends": {"count": 2, "until": "2028-01-01"}}),
            "/recurrence/ends",
            "must be one of",
        ),
        (
            json!({"freq": "daily", "ends": {}}),
            "/recurrence/ends",
            "must be one of",
        ),
        (
            json!({"freq": "daily", "ends": {"until": "2028-01-01"}}),
            "/recurrence/ends/until",
            "must be in UTC",
        ),
        (
            json!({"freq": "daily", "ends": {"until": "2028-01-01T09:00"}}),
            "/recurrence/ends/until",
            "must be in UTC",
        ),
        (
            json!({"rrule": "FREQ=DAILY;COUNT=2", "ends": {"count": 2}}),
            "/recurrence/ends",
            "leave out one",
        ),
    ] {
        let problem = refused(&suite, recurrence, berlin("2027-01-31T09:00")).await;
        assert_problem(&problem, "recurrence-unsupported", pointer, advice);
    }
    suite.finish().await;
}

#[tokio::test]
async fn an_until_fits_its_start() {
    let suite = suite().await;
    let floating = json!({"local": "2027-01-31T09:00", "time_zone": "floating"});
    for (rrule, start, advice) in [
        (
            "FREQ=DAILY;UNTIL=20280101T000000Z",
            json!({"date": "2027-01-31"}),
            "must be a date such as",
        ),
        (
            "FREQ=DAILY;UNTIL=20280101T000000",
            json!({"date": "2027-01-31"}),
            "must be a date such as",
        ),
        (
            "FREQ=DAILY;UNTIL=20280101T000000Z",
            floating.clone(),
            "must be a local time such as",
        ),
        (
            "FREQ=DAILY;UNTIL=20280101",
            floating,
            "must be a local time such as",
        ),
    ] {
        let problem = refused(&suite, json!({"rrule": rrule}), start).await;
        assert_problem(
            &problem,
            "recurrence-unsupported",
            "/recurrence/rrule",
            advice,
        );
    }
    suite.finish().await;
}

#[tokio::test]
async fn the_last_year_is_reached_and_not_left() {
    let suite = suite().await;
    let body = json!({"recurrence": {"rrule": "FREQ=DAILY;INTERVAL=999"}, "start": {"date": "9999-12-31"}, "limit": 366});
    let found = suite
        .post("/v1/recurrence/preview", body, StatusCode::OK)
        .await;
    assert_eq!(
        found["occurrences"],
        json!([{"slot": "9999-12-31", "instant": null}])
    );
    for start in [
        json!({"date": "10000-01-01"}),
        json!({"date": "0000-01-01"}),
    ] {
        let problem = refused(&suite, json!({"rrule": "FREQ=DAILY"}), start).await;
        assert_problem(
            &problem,
            "validation-failed",
            "/start/date",
            "such as 2027-01-31",
        );
    }
    suite.finish().await;
}

#[tokio::test]
async fn what_surrounds_a_rule_is_read_strictly() {
    let suite = suite().await;
    let recurrence = json!({"rrule": "FREQ=DAILY", "dst_gap": "fall", "month_overflow": "roll", "until": 1,
                            "exceptions": ["2027-02-30", 5, null]});
    let start = json!({"local": "2027-01-31T09:00", "time_zone": "Mars/Olympus"});
    let problem = refused(&suite, recurrence, start).await;
    assert_eq!(
        errors(&problem),
        [
            ("/recurrence/dst_gap", "invalid_value"),
            ("/recurrence/exceptions/0", "invalid_value"),
            ("/recurrence/exceptions/1", "wrong_type"),
            ("/recurrence/exceptions/2", "missing"),
            ("/recurrence/month_overflow", "wrong_type"),
            ("/recurrence/until", "unknown_field"),
            ("/start/time_zone", "invalid_value"),
        ]
    );
    let recurrence = json!({"rrule": "FREQ=DAILY", "exceptions": ["2027-02-01T09:00"]});
    let problem = refused(&suite, recurrence, json!({"date": "2027-01-31"})).await;
    assert_problem(
        &problem,
        "validation-failed",
        "/recurrence/exceptions/0",
        "a date such as",
    );
    let recurrence = json!({"rrule": "FREQ=DAILY", "exceptions": vec!["2027-02-01"; 1_001]});
    let problem = refused(&suite, recurrence, json!({"date": "2027-01-31"})).await;
    assert_problem(
        &problem,
        "validation-failed",
        "/recurrence/exceptions",
        "at most 366",
    );
    suite.finish().await;
}

#[tokio::test]
async fn a_structure_is_read_strictly() {
    let suite = suite().await;
    let recurrence = json!({"freq": "weekly", "interval": "2", "by_weekday": ["mo", {"nth": 1}, {"day": "monday", "x": 1}],
                            "by_month": 3, "week_start": "sunday", "ends": {"never": 1, "x": 1}});
    let problem = refused(&suite, recurrence, json!({"date": "2027-01-31"})).await;
    assert_eq!(
        errors(&problem),
        [
            ("/recurrence/by_month", "wrong_type"),
            ("/recurrence/by_weekday/0", "wrong_type"),
            ("/recurrence/by_weekday/1/day", "missing"),
            ("/recurrence/by_weekday/2/day", "invalid_value"),
            ("/recurrence/by_weekday/2/x", "unknown_field"),
            ("/recurrence/ends/never", "wrong_type"),
            ("/recurrence/ends/x", "unknown_field"),
            ("/recurrence/interval", "wrong_type"),
            ("/recurrence/week_start", "invalid_value"),
        ]
    );
    suite.finish().await;
}

#[tokio::test]
async fn a_preview_is_read_strictly() {
    let suite = suite().await;
    let body = json!({"recurrence": {"rrule": "FREQ=SECONDLY"}, "start": {"instant": "2027-01-31T00:00:00Z"}, "limit": 367, "x": 1});
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let problem = suite.post("/v1/recurrence/preview", body, status).await;
    assert_eq!(
        errors(&problem),
        [
            ("/limit", "out_of_range"),
            ("/recurrence/rrule", "unsupported"),
            ("/start", "invalid_value"),
            ("/x", "unknown_field")
        ]
    );
    let empty = suite
        .post("/v1/recurrence/preview", json!({}), status)
        .await;
    assert_eq!(
        errors(&empty),
        [("/recurrence", "missing"), ("/start", "missing")]
    );
    let problem = refused(&suite, json!({}), json!({"date": "2027-01-31"})).await;
    assert_problem(
        &problem,
        "validation-failed",
        "/recurrence/rrule",
        "freq and its parts",
    );
    suite.finish().await;
}

#[tokio::test]
async fn what_is_not_taken_over_is_refused_rather_than_forgotten() {
    let suite = suite().await;
    let body = |copy: &Value| {
        json!({"title": "x", "due": {"date": "2027-01-31"},
               "recurrence": {"rrule": "FREQ=DAILY", "copy": copy}})
    };
    let happens =
        json!({"reminders": true, "subtasks": false, "attachments": false, "assignee": null});
    let task = suite
        .post("/v1/tasks", body(&happens), StatusCode::CREATED)
        .await;
    let series = format!("/v1/series/{}", task["series_id"].as_str().unwrap());
    let patch = json!({"recurrence": {"copy": happens}});
    let same = suite.patch(&series, patch, StatusCode::OK).await;
    assert_eq!(same["version"], 1);

    let wrong = json!({"reminders": false, "subtasks": true, "attachments": true, "assignee": true,
                       "labels": true});
    let expected = [
        ("/recurrence/copy/assignee", "not_supported"),
        ("/recurrence/copy/attachments", "not_supported"),
        ("/recurrence/copy/labels", "unknown_field"),
        ("/recurrence/copy/reminders", "not_supported"),
        ("/recurrence/copy/subtasks", "not_supported"),
    ];
    let invalid = StatusCode::UNPROCESSABLE_ENTITY;
    let refused = suite.post("/v1/tasks", body(&wrong), invalid).await;
    assert_eq!(errors(&refused), expected);
    let patch = json!({"recurrence": {"copy": wrong}});
    let refused = suite.patch(&series, patch, invalid).await;
    assert_eq!(errors(&refused), expected);
    let refused = suite
        .post("/v1/tasks", body(&json!({"subtasks": "all"})), invalid)
        .await;
    assert_eq!(
        errors(&refused),
        [("/recurrence/copy/subtasks", "wrong_type")]
    );
    suite.finish().await;
}
