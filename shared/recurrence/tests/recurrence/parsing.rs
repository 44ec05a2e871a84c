use chrono::Weekday;
use recurrence::{ByDay, Frequency, Rule, RuleError, RuleParts, Until};

#[test]
fn rules_are_printed_in_one_canonical_order() {
    let cases = [
        ("FREQ=DAILY", "FREQ=DAILY"),
        ("freq=weekly;byday=th,mo,th", "FREQ=WEEKLY;BYDAY=MO,TH"),
        ("WKST=MO;INTERVAL=1;FREQ=DAILY", "FREQ=DAILY"),
        (
            "BYMONTHDAY=-1,31,+01,-31;FREQ=MONTHLY",
            "FREQ=MONTHLY;BYMONTHDAY=1,31,-31,-1",
        ),
        (
            "FREQ=MONTHLY;BYDAY=-1FR,2MO,SU,+1FR",
            "FREQ=MONTHLY;BYDAY=SU,1FR,2MO,-1FR",
        ),
        (
            "FREQ=YEARLY;COUNT=010;BYMONTH=12,2",
            "FREQ=YEARLY;COUNT=10;BYMONTH=2,12",
        ),
        ("UNTIL=20270131;FREQ=DAILY", "FREQ=DAILY;UNTIL=20270131"),
        (
            "FREQ=DAILY;UNTIL=20270131t080000z",
            "FREQ=DAILY;UNTIL=20270131T080000Z",
        ),
        (
            "until=20270131t090000;freq=daily",
            "FREQ=DAILY;UNTIL=20270131T090000",
        ),
        (
            "WKST=SU;BYSETPOS=-1,1;BYDAY=MO;INTERVAL=2;FREQ=MONTHLY",
            "FREQ=MONTHLY;INTERVAL=2;BYDAY=MO;BYSETPOS=1,-1;WKST=SU",
        ),
    ];
    for (text, canonical) in cases {
        let rule = Rule::parse(text).unwrap();
        assert_eq!(rule.to_string(), canonical);
        assert_eq!(Rule::parse(canonical).unwrap(), rule);
    }
}

#[test]
fn the_end_of_a_rule_can_be_read() {
    assert_eq!(Rule::parse("FREQ=DAILY").unwrap().count(), None);
    assert_eq!(
        Rule::parse("FREQ=DAILY;COUNT=9999").unwrap().count(),
        Some(9999)
    );
    let until = |text| Rule::parse(text).unwrap().until().unwrap();
    assert_eq!(
        until("FREQ=DAILY;UNTIL=20270131"),
        Until::Date("2027-01-31".parse().unwrap())
    );
    let instant = "2027-01-31T08:00:00Z".parse().unwrap();
    assert_eq!(
        until("FREQ=DAILY;UNTIL=20270131T080000Z"),
        Until::Instant(instant)
    );
    let local = "2027-01-31T09:00:00".parse().unwrap();
    assert_eq!(
        until("FREQ=DAILY;UNTIL=20270131T090000"),
        Until::Local(local)
    );
}

#[test]
fn rules_outside_the_profile_name_the_offending_part() {
    let cases = [
        ("FREQ=SECONDLY", "FREQ"),
        ("FREQ=MINUTELY", "FREQ"),
        ("FREQ=HOURLY", "FREQ"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL"),
        ("FREQ=DAILY;INTERVAL=1000", "INTERVAL"),
        ("FREQ=DAILY;INTERVAL=99999999999999999999", "INTERVAL"),
        ("FREQ=DAILY;COUNT=0", "COUNT"),
        ("FREQ=DAILY;COUNT=10000", "COUNT"),
        ("FREQ=DAILY;COUNT=1;UNTIL=20270131", "UNTIL"),
        ("FREQ=DAILY;BYHOUR=9", "BYHOUR"),
        ("FREQ=DAILY;BYMINUTE=9", "BYMINUTE"),
        ("FREQ=DAILY;BYSECOND=9", "BYSECOND"),
        ("FREQ=YEARLY;BYWEEKNO=1", "BYWEEKNO"),
        ("FREQ=YEARLY;BYYEARDAY=1", "BYYEARDAY"),
        ("FREQ=YEARLY;BYEASTER=0", "BYEASTER"),
        ("FREQ=YEARLY;RSCALE=CHINESE", "RSCALE"),
        ("FREQ=YEARLY;X-MINE=1", "X-MINE"),
        ("FREQ=YEARLY;BYMONTH=13", "BYMONTH"),
        ("FREQ=YEARLY;BYMONTH=0", "BYMONTH"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY"),
        ("FREQ=WEEKLY;BYDAY=1MO", "BYDAY"),
        ("FREQ=DAILY;BYDAY=-1MO", "BYDAY"),
        ("FREQ=MONTHLY;BYDAY=6MO", "BYDAY"),
        ("FREQ=MONTHLY;BYDAY=0MO", "BYDAY"),
        ("FREQ=WEEKLY;BYDAY=MO;BYSETPOS=1", "BYSETPOS"),
        ("FREQ=DAILY;BYDAY=MO;BYSETPOS=1", "BYSETPOS"),
        ("FREQ=MONTHLY;BYSETPOS=1", "BYSETPOS"),
        ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=0", "BYSETPOS"),
        ("FREQ=YEARLY;BYDAY=MO;BYSETPOS=367", "BYSETPOS"),
    ];
    for (text, part) in cases {
        let error = Rule::parse(text).unwrap_err();
        assert_eq!(
            (error.code(), error.part()),
            ("recurrence-unsupported", Some(part)),
            "{text}"
        );
    }
}

#[test]
fn what_is_no_rule_at_all_is_a_syntax_error() {
    let cases = [
        ("", "RRULE"),
        ("daily", "RRULE"),
        ("FREQ=DAILY;", "RRULE"),
        ("FREQ=TÄGLICH", "RRULE"),
        ("RRULE:FREQ=DAILY", "RRULE"),
        ("DTSTART:20270131\nRRULE:FREQ=DAILY", "RRULE"),
        (" FREQ=DAILY", "RRULE"),
        ("INTERVAL=2", "FREQ"),
        ("FREQ=", "FREQ"),
        ("FREQ=FORTNIGHTLY", "FREQ"),
        ("FREQ=DAILY;FREQ=DAILY", "FREQ"),
        ("FREQ=DAILY;INTERVAL=2;INTERVAL=2", "INTERVAL"),
        ("FREQ=DAILY;INTERVAL=+2", "INTERVAL"),
        ("FREQ=DAILY;INTERVAL=1.5", "INTERVAL"),
        ("FREQ=DAILY;COUNT=", "COUNT"),
        ("FREQ=DAILY;COUNT=-1", "COUNT"),
        ("FREQ=DAILY;BYDAY=", "BYDAY"),
        ("FREQ=DAILY;BYDAY=MO,", "BYDAY"),
        ("FREQ=DAILY;BYDAY=MONDAY", "BYDAY"),
        ("FREQ=MONTHLY;BYDAY=--1MO", "BYDAY"),
        ("FREQ=MONTHLY;BYMONTHDAY=--1", "BYMONTHDAY"),
        ("FREQ=DAILY;WKST=1MO", "WKST"),
        ("FREQ=DAILY;UNTIL=20270230", "UNTIL"),
        ("FREQ=DAILY;UNTIL=2027-01-31", "UNTIL"),
        ("FREQ=DAILY;UNTIL=20270131T0800Z", "UNTIL"),
        ("FREQ=DAILY;UNTIL=20270131T080060Z", "UNTIL"),
        ("FREQ=DAILY;UNTIL=20270131Z", "UNTIL"),
        ("FREQ=DAILY;UNTIL=20270131T", "UNTIL"),
        ("FREQ=DAILY;UNTIL=20270131T0900", "UNTIL"),
        ("FREQ=DAILY;UNTIL=20270131T240000", "UNTIL"),
        ("FREQ=DAILY;UNTIL=20270131T090000+0100", "UNTIL"),
    ];
    for (text, part) in cases {
        let error = Rule::parse(text).unwrap_err();
        assert_eq!(
            (error.code(), error.part()),
            ("recurrence-syntax", Some(part)),
            "{text}"
        );
    }
}

#[test]
fn parts_make_the_rule_that_the_text_makes() {
    let parts = RuleParts {
        interval: 2,
        by_day: vec![
            ByDay {
                ordinal: Some(-1),
                weekday: Weekday::Fri,
            },
            ByDay {
                ordinal: Some(1),
                weekday: Weekday::Mon,
            },
            ByDay {
                ordinal: Some(-1),
                weekday: Weekday::Fri,
            },
        ],
        count: Some(10),
        ..RuleParts::new(Frequency::Monthly)
    };
    let rule = Rule::new(parts).unwrap();
    assert_eq!(
        rule.to_string(),
        "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1MO,-1FR"
    );
    assert_eq!(Rule::new(rule.parts()), Ok(rule));
}

#[test]
fn parts_and_text_have_the_same_ends() {
    for (text, until) in [
        ("20270131", Until::Date("2027-01-31".parse().unwrap())),
        (
            "20270131T080000Z",
            Until::Instant("2027-01-31T08:00:00Z".parse().unwrap()),
        ),
        (
            "20270131T090000",
            Until::Local("2027-01-31T09:00:00".parse().unwrap()),
        ),
    ] {
        let rule = Rule::new(RuleParts {
            until: Some(until),
            ..RuleParts::new(Frequency::Daily)
        })
        .unwrap();
        assert_eq!(rule.to_string(), format!("FREQ=DAILY;UNTIL={text}"));
        assert_eq!(Rule::parse(&rule.to_string()), Ok(rule));
    }
}

#[test]
fn parts_are_checked_as_the_text_is() {
    let monthly = || RuleParts::new(Frequency::Monthly);
    let until = Some(Until::Date("2027-01-31".parse().unwrap()));
    for (parts, part) in [
        (
            RuleParts {
                interval: 0,
                ..monthly()
            },
            "INTERVAL",
        ),
        (
            RuleParts {
                count: Some(0),
                ..monthly()
            },
            "COUNT",
        ),
        (
            RuleParts {
                count: Some(1),
                until,
                ..monthly()
            },
            "UNTIL",
        ),
        (
            RuleParts {
                by_month: vec![13],
                ..monthly()
            },
            "BYMONTH",
        ),
        (
            RuleParts {
                by_month_day: vec![i32::MIN],
                ..monthly()
            },
            "BYMONTHDAY",
        ),
        (
            RuleParts {
                by_set_position: vec![1],
                ..monthly()
            },
            "BYSETPOS",
        ),
    ] {
        let error = Rule::new(parts).unwrap_err();
        assert_eq!(
            (error.code(), error.part()),
            ("recurrence-unsupported", Some(part))
        );
    }
    let never = RuleParts {
        by_month: vec![2],
        by_month_day: vec![30],
        ..monthly()
    };
    assert_eq!(Rule::new(never), Err(RuleError::NeverOccurs));
}

#[test]
fn a_rule_that_can_never_occur_is_refused() {
    let cases = [
        "FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=31",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=-30,-31",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6",
        "FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=8",
        "FREQ=YEARLY;BYMONTHDAY=1;BYSETPOS=13",
    ];
    for text in cases {
        let error = Rule::parse(text).unwrap_err();
        assert_eq!(error, RuleError::NeverOccurs, "{text}");
        assert_eq!(
            (error.code(), error.part()),
            ("recurrence-never-occurs", None)
        );
    }
    Rule::parse("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO").unwrap();
}

#[test]
fn errors_read_as_sentences_and_repeat_little() {
    let message = |text: &str| Rule::parse(text).unwrap_err().to_string();

    assert_eq!(
        message("FREQ=DAILY;INTERVAL=0"),
        "INTERVAL: must be from 1 to 999"
    );
    assert_eq!(
        message("FREQ=DAILY;BYHOUR=9"),
        "BYHOUR: the time of day comes from the start: leave it out"
    );
    assert!(message(&format!("FREQ=DAILY;{}=1", "X".repeat(4000))).len() < 160);
    assert!(message(&"FREQ=DAILY;".repeat(4000)).len() < 80);
}
