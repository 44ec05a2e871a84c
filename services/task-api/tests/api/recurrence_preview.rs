//! What a rule would do: its occurrences, its words and its surprises.

use http::StatusCode;
use serde_json::{Value, json};
use test_support::TestSuite;

use crate::{berlin, suite};

async fn preview(suite: &TestSuite, body: Value) -> Value {
    suite
        .post("/v1/recurrence/preview", body, StatusCode::OK)
        .await
}

fn zoned(local: &str, zone: &str) -> Value {
    json!({"local": local, "time_zone": zone})
}

fn slots(preview: &Value) -> Vec<&str> {
    let occurrences = preview["occurrences"].as_array().unwrap().iter();
    occurrences
        .map(|next| next["slot"].as_str().unwrap())
        .collect()
}

fn instants(preview: &Value) -> Vec<&str> {
    let occurrences = preview["occurrences"].as_array().unwrap().iter();
    occurrences
        .map(|next| next["instant"].as_str().unwrap())
        .collect()
}

fn codes(preview: &Value) -> Vec<&str> {
    let warnings = preview["warnings"].as_array().unwrap().iter();
    warnings
        .map(|warning| warning["code"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_rule_is_told_by_its_slots_its_text_and_its_words() {
    let suite = suite().await;
    let body = json!({"recurrence": {"rrule": "interval=1;freq=monthly"}, "start": berlin("2027-01-31T09:00"), "limit": 3});
    let preview = preview(&suite, body).await;
    let expected = json!({
        "occurrences": [
            {"slot": "2027-01-31T09:00", "instant": "2027-01-31T08:00:00Z"},
            {"slot": "2027-02-28T09:00", "instant": "2027-02-28T08:00:00Z"},
            {"slot": "2027-03-31T09:00", "instant": "2027-03-31T07:00:00Z"}
        ],
        "rrule": "FREQ=MONTHLY",
        "structured": {"freq": "monthly", "interval": 1, "by_weekday": [], "by_month_day": [], "by_month": [],
                       "by_set_pos": [], "week_start": "mo", "ends": {"never": true}},
        "text": "every month on the 31st, or the last day",
        "warnings": [{"code": "last_day_used", "message": "months without a day 31 have their last day instead"}]
    });
    assert_eq!(preview, expected);
    suite.finish().await;
}

#[tokio::test]
async fn a_date_has_no_instant() {
    let suite = suite().await;
    let body =
        json!({"recurrence": {"rrule": "FREQ=DAILY;COUNT=2"}, "start": {"date": "2027-01-31"}});
    let preview = preview(&suite, body).await;
    let expected =
        json!([{"slot": "2027-01-31", "instant": null}, {"slot": "2027-02-01", "instant": null}]);
    assert_eq!(preview["occurrences"], expected);
    assert_eq!(codes(&preview), [""; 0]);
    suite.finish().await;
}

#[tokio::test]
async fn a_rule_has_the_same_meaning_in_both_forms() {
    let suite = suite().await;
    for (structured, rrule) in [
        (json!({"freq": "daily"}), "FREQ=DAILY"),
        (
            json!({"freq": "DAILY", "interval": 3, "ends": {"count": 5}}),
            "FREQ=DAILY;INTERVAL=3;COUNT=5",
        ),
        (
            json!({"freq": "weekly", "by_weekday": [{"day": "TH"}, {"day": "mo"}], "week_start": "su",
                   "ends": {"until": "2027-12-31T08:00:00Z"}}),
            "FREQ=WEEKLY;UNTIL=20271231T080000Z;BYDAY=MO,TH;WKST=SU",
        ),
        (
            json!({"freq": "monthly", "by_weekday": [{"day": "fr", "nth": -1}], "ends": {"never": true}}),
            "FREQ=MONTHLY;BYDAY=-1FR",
        ),
        (
            json!({"freq": "monthly", "by_weekday": [{"day": "mo"}, {"day": "tu"}], "by_set_pos": [-1]}),
            "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1",
        ),
        (
            json!({"freq": "yearly", "by_month": [6, 3], "by_month_day": [-1, 1], "interval": 2}),
            "FREQ=YEARLY;INTERVAL=2;BYMONTH=3,6;BYMONTHDAY=1,-1",
        ),
    ] {
        let start = berlin("2027-01-01T09:00");
        let one = preview(&suite, json!({"recurrence": structured, "start": start})).await;
        assert_eq!(one["rrule"], rrule);
        let other = preview(
            &suite,
            json!({"recurrence": {"rrule": rrule}, "start": start}),
        )
        .await;
        assert_eq!(one, other);
        let again = preview(
            &suite,
            json!({"recurrence": other["structured"], "start": start}),
        )
        .await;
        assert_eq!(again, other);
    }
    suite.finish().await;
}

#[tokio::test]
async fn an_end_can_be_given_beside_the_text() {
    let suite = suite().await;
    let start = json!({"date": "2027-01-01"});
    for (ends, rrule, text) in [
        (
            json!({"count": 2}),
            "FREQ=DAILY;COUNT=2",
            "every day, 2 times",
        ),
        (
            json!({"until": "2027-01-03"}),
            "FREQ=DAILY;UNTIL=20270103",
            "every day, until January 3, 2027",
        ),
        (json!({"never": true}), "FREQ=DAILY", "every day"),
    ] {
        let recurrence = json!({"rrule": "FREQ=DAILY", "ends": ends});
        let found = preview(&suite, json!({"recurrence": recurrence, "start": start})).await;
        assert_eq!(
            (&found["rrule"], &found["text"]),
            (&json!(rrule), &json!(text))
        );
        assert_eq!(found["structured"]["ends"], ends);
    }
    suite.finish().await;
}

#[tokio::test]
async fn a_floating_rule_ends_by_a_local_time_in_both_forms() {
    let suite = suite().await;
    let start = zoned("2027-01-01T09:00", "floating");
    let of = |recurrence: Value| json!({"recurrence": recurrence, "start": start});
    let rrule = "FREQ=DAILY;UNTIL=20270102T090000";
    let one = preview(&suite, of(json!({ "rrule": rrule }))).await;
    assert_eq!(slots(&one), ["2027-01-01T09:00", "2027-01-02T09:00"]);
    assert_eq!(
        one["structured"]["ends"],
        json!({"until": "2027-01-02T09:00"})
    );
    assert_eq!(
        (&one["rrule"], &one["text"]),
        (&json!(rrule), &json!("every day, until January 2, 2027"))
    );
    assert_eq!(preview(&suite, of(one["structured"].clone())).await, one);

    // A second earlier: to the second it is told back.
    let ends = json!({"until": "2027-01-02T08:59:59"});
    let earlier = of(json!({"rrule": "FREQ=DAILY", "ends": ends}));
    let earlier = preview(&suite, earlier).await;
    assert_eq!(slots(&earlier), ["2027-01-01T09:00"]);
    assert_eq!(earlier["structured"]["ends"], ends);
    suite.finish().await;
}

#[tokio::test]
async fn up_to_a_year_of_days_is_told() {
    let suite = suite().await;
    let body = json!({"recurrence": {"rrule": "FREQ=DAILY"}, "start": {"date": "2028-01-01"}, "limit": 366});
    let found = preview(&suite, body).await;
    assert_eq!(
        (slots(&found).len(), slots(&found)[365]),
        (366, "2028-12-31")
    );
    let body = json!({"recurrence": {"rrule": "FREQ=DAILY"}, "start": {"date": "2028-01-01"}});
    assert_eq!(slots(&preview(&suite, body).await).len(), 10);
    suite.finish().await;
}

#[tokio::test]
async fn excepted_slots_are_left_out_and_count() {
    let suite = suite().await;
    let recurrence = json!({"rrule": "FREQ=MONTHLY;COUNT=4", "exceptions": ["2027-02-28T09:00", "2027-03-01T09:00"]});
    let body = json!({"recurrence": recurrence, "start": berlin("2027-01-31T09:00")});
    let found = preview(&suite, body).await;
    assert_eq!(
        slots(&found),
        ["2027-01-31T09:00", "2027-03-31T09:00", "2027-04-30T09:00"]
    );
    assert_eq!(codes(&found), ["last_day_used", "exception_unused"]);
    let message = found["warnings"][1]["message"].as_str().unwrap();
    assert!(
        message.starts_with("2027-03-01T09:00 is no slot"),
        "{message}"
    );
    suite.finish().await;
}

#[tokio::test]
async fn the_clocks_of_the_zone_are_told_where_they_matter() {
    let suite = suite().await;
    for (zone, start, gap, expected, warnings) in [
        (
            "Europe/Berlin",
            "2027-03-27T02:30",
            "shift",
            [
                "2027-03-27T01:30:00Z",
                "2027-03-28T01:30:00Z",
                "2027-03-29T00:30:00Z",
            ],
            vec!["gap_shifted"],
        ),
        (
            "Europe/Berlin",
            "2027-03-27T02:30",
            "skip",
            [
                "2027-03-27T01:30:00Z",
                "2027-03-29T00:30:00Z",
                "2027-03-30T00:30:00Z",
            ],
            vec!["gap_skipped"],
        ),
        (
            "Europe/Berlin",
            "2027-10-30T02:30",
            "shift",
            [
                "2027-10-30T00:30:00Z",
                "2027-10-31T00:30:00Z",
                "2027-11-01T01:30:00Z",
            ],
            vec!["ambiguous_time"],
        ),
        (
            "America/Sao_Paulo",
            "2018-11-03T00:00",
            "shift",
            [
                "2018-11-03T03:00:00Z",
                "2018-11-04T03:00:00Z",
                "2018-11-05T02:00:00Z",
            ],
            vec!["gap_shifted"],
        ),
        (
            "Africa/Cairo",
            "2023-04-27T00:00",
            "shift",
            [
                "2023-04-26T22:00:00Z",
                "2023-04-27T22:00:00Z",
                "2023-04-28T21:00:00Z",
            ],
            vec!["gap_shifted"],
        ),
        (
            "Australia/Lord_Howe",
            "2026-10-03T02:15",
            "shift",
            [
                "2026-10-02T15:45:00Z",
                "2026-10-03T15:45:00Z",
                "2026-10-04T15:15:00Z",
            ],
            vec!["gap_shifted"],
        ),
        (
            "Pacific/Apia",
            "2011-12-29T09:00",
            "shift",
            [
                "2011-12-29T19:00:00Z",
                "2011-12-30T19:00:00Z",
                "2011-12-31T19:00:00Z",
            ],
            vec!["days_merged"],
        ),
        (
            "Australia/Sydney",
            "2027-04-03T02:30",
            "skip",
            [
                "2027-04-02T15:30:00Z",
                "2027-04-03T15:30:00Z",
                "2027-04-04T16:30:00Z",
            ],
            vec!["ambiguous_time"],
        ),
    ] {
        let recurrence = json!({"rrule": "FREQ=DAILY", "dst_gap": gap});
        let body = json!({"recurrence": recurrence, "start": zoned(start, zone), "limit": 3});
        let found = preview(&suite, body).await;
        assert_eq!(instants(&found), expected, "{zone} {start} {gap}");
        assert_eq!(codes(&found), warnings, "{zone} {start} {gap}");
    }
    suite.finish().await;
}

#[tokio::test]
async fn a_kind_of_surprise_is_told_once_and_names_its_slot() {
    let suite = suite().await;
    let recurrence = json!({"rrule": "FREQ=DAILY"});
    let body = json!({"recurrence": recurrence, "start": berlin("2027-01-01T02:30"), "limit": 366});
    let found = preview(&suite, body).await;
    assert_eq!(codes(&found), ["gap_shifted", "ambiguous_time"]);
    let message = found["warnings"][0]["message"].as_str().unwrap();
    assert!(
        message.contains("2027-03-28T02:30") && message.contains("2027-03-28T03:30"),
        "{message}"
    );
    suite.finish().await;
}

#[tokio::test]
async fn a_floating_time_is_told_in_utc_with_a_warning() {
    let suite = suite().await;
    let body = json!({"recurrence": {"rrule": "FREQ=DAILY"}, "start": zoned("2027-03-28T02:30", "floating"), "limit": 1});
    let found = preview(&suite, body).await;
    assert_eq!(instants(&found), ["2027-03-28T02:30:00Z"]);
    assert_eq!(codes(&found), ["floating_time"]);
    suite.finish().await;
}

#[tokio::test]
async fn a_start_beside_the_rule_and_an_early_end_are_told() {
    let suite = suite().await;
    let aligned =
        json!({"recurrence": {"rrule": "FREQ=WEEKLY;BYDAY=FR"}, "start": {"date": "2026-11-25"}});
    let aligned = preview(&suite, aligned).await;
    assert_eq!(slots(&aligned)[0], "2026-11-27");
    assert_eq!(codes(&aligned), ["start_aligned"]);

    let ended = json!({"recurrence": {"rrule": "FREQ=DAILY;UNTIL=20200101"}, "start": {"date": "2027-01-31"}});
    let ended = preview(&suite, ended).await;
    assert_eq!((slots(&ended).len(), codes(&ended)), (0, vec!["ended"]));
    suite.finish().await;
}

#[tokio::test]
async fn short_months_are_told_only_when_the_rule_comes_to_one() {
    let suite = suite().await;
    for (rrule, start, overflow, expected) in [
        ("FREQ=MONTHLY;INTERVAL=12", "2027-01-31", "clamp", None),
        ("FREQ=MONTHLY;INTERVAL=12", "2027-01-31", "skip", None),
        ("FREQ=MONTHLY;COUNT=1", "2027-01-31", "clamp", None),
        ("FREQ=MONTHLY;BYMONTH=1,3", "2027-01-31", "clamp", None),
        ("FREQ=YEARLY;INTERVAL=4", "2028-02-29", "clamp", None),
        (
            "FREQ=MONTHLY;INTERVAL=5",
            "2027-01-31",
            "clamp",
            Some("last_day_used"),
        ),
        (
            "FREQ=MONTHLY;INTERVAL=5",
            "2027-01-31",
            "skip",
            Some("months_skipped"),
        ),
        ("FREQ=MONTHLY", "2027-01-29", "clamp", Some("last_day_used")),
        ("FREQ=YEARLY", "2028-02-29", "clamp", Some("last_day_used")),
        (
            "FREQ=YEARLY;BYMONTH=1,6",
            "2027-01-31",
            "skip",
            Some("months_skipped"),
        ),
        (
            "FREQ=MONTHLY;BYMONTHDAY=31",
            "2027-01-31",
            "clamp",
            Some("months_skipped"),
        ),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2027-01-31", "clamp", None),
        (
            "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1",
            "2027-01-31",
            "clamp",
            None,
        ),
    ] {
        let recurrence = json!({"rrule": rrule, "month_overflow": overflow});
        let body = json!({"recurrence": recurrence, "start": {"date": start}});
        let expected: Vec<_> = expected.into_iter().collect();
        assert_eq!(
            codes(&preview(&suite, body).await),
            expected,
            "{rrule} {start} {overflow}"
        );
    }
    suite.finish().await;
}
