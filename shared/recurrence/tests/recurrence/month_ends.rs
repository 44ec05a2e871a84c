use recurrence::{MonthOverflow, Rule, RuleError, Schedule};

use crate::{build, schedule, slot, slots};

#[test]
fn a_short_month_has_its_last_day_and_the_next_one_remembers() {
    let cases = [
        (
            "FREQ=MONTHLY",
            "2027-01-31",
            "2027-01-31 2027-02-28 2027-03-31 2027-04-30 2027-05-31",
        ),
        (
            "FREQ=MONTHLY",
            "2028-01-30",
            "2028-01-30 2028-02-29 2028-03-30 2028-04-30 2028-05-30",
        ),
        (
            "FREQ=MONTHLY;INTERVAL=3",
            "2027-11-30",
            "2027-11-30 2028-02-29 2028-05-30 2028-08-30",
        ),
        (
            "FREQ=YEARLY",
            "2028-02-29",
            "2028-02-29 2029-02-28 2030-02-28 2031-02-28 2032-02-29",
        ),
        (
            "FREQ=YEARLY;BYMONTH=2,4,5",
            "2027-01-31",
            "2027-02-28 2027-04-30 2027-05-31 2028-02-29",
        ),
        (
            "FREQ=MONTHLY;BYMONTH=2",
            "2027-01-31",
            "2027-02-28 2028-02-29 2029-02-28",
        ),
    ];
    for (rule, start, expected) in cases {
        let limit = expected.split(' ').count();
        assert_eq!(
            slots(&schedule(rule, start), limit),
            expected,
            "{rule} from {start}"
        );
    }
}

#[test]
fn short_months_have_no_slot_on_request() {
    let cases = [
        (
            "FREQ=MONTHLY",
            "2027-01-31",
            "2027-01-31 2027-03-31 2027-05-31 2027-07-31",
        ),
        (
            "FREQ=YEARLY",
            "2096-02-29",
            "2096-02-29 2104-02-29 2108-02-29",
        ),
        (
            "FREQ=YEARLY;BYMONTH=2,4,5",
            "2027-01-31",
            "2027-05-31 2028-05-31",
        ),
    ];
    for (rule, start, expected) in cases {
        let limit = expected.split(' ').count();
        let schedule = build(rule, start, None, MonthOverflow::Skip);
        assert_eq!(slots(&schedule, limit), expected, "{rule} from {start}");
    }
}

#[test]
fn a_day_written_in_the_rule_keeps_its_rfc_meaning() {
    let cases = [
        (
            "FREQ=MONTHLY;BYMONTHDAY=31",
            "2027-01-31 2027-03-31 2027-05-31",
        ),
        (
            "FREQ=MONTHLY;BYMONTHDAY=-1",
            "2027-01-31 2027-02-28 2027-03-31",
        ),
        (
            "FREQ=MONTHLY;BYMONTHDAY=-31",
            "2027-03-01 2027-05-01 2027-07-01",
        ),
        (
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
            "2028-02-29 2032-02-29 2036-02-29",
        ),
        (
            "FREQ=YEARLY;BYMONTHDAY=31",
            "2027-01-31 2027-03-31 2027-05-31",
        ),
        ("FREQ=MONTHLY;BYDAY=5SU", "2027-01-31 2027-05-30 2027-08-29"),
    ];
    for (rule, expected) in cases {
        for overflow in [MonthOverflow::Clamp, MonthOverflow::Skip] {
            let schedule = build(rule, "2027-01-31", None, overflow);
            assert_eq!(slots(&schedule, 3), expected, "{rule}, {overflow:?}");
        }
    }
}

#[test]
fn days_that_people_ask_for_can_be_written() {
    let cases = [
        (
            "FREQ=WEEKLY;BYDAY=MO,TH",
            "2027-01-04 2027-01-07 2027-01-11",
        ),
        ("FREQ=WEEKLY;INTERVAL=2", "2027-01-01 2027-01-15 2027-01-29"),
        (
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO",
            "2027-01-03 2027-01-11 2027-01-17",
        ),
        (
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU",
            "2027-01-10 2027-01-11 2027-01-24",
        ),
        (
            "FREQ=WEEKLY;BYMONTH=3;BYDAY=MO",
            "2027-03-01 2027-03-08 2027-03-15",
        ),
        ("FREQ=DAILY;INTERVAL=10", "2027-01-01 2027-01-11 2027-01-21"),
        (
            "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR",
            "2027-01-01 2027-01-04 2027-01-05",
        ),
        ("FREQ=MONTHLY;BYDAY=2TU", "2027-01-12 2027-02-09 2027-03-09"),
        (
            "FREQ=MONTHLY;BYDAY=-1FR",
            "2027-01-29 2027-02-26 2027-03-26",
        ),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1",
            "2027-01-01 2027-02-01 2027-03-01",
        ),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            "2027-01-29 2027-02-26 2027-03-31",
        ),
        (
            "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
            "2027-08-13 2028-10-13 2029-04-13",
        ),
        (
            "FREQ=MONTHLY;BYDAY=1MO,WE",
            "2027-01-04 2027-01-06 2027-01-13",
        ),
        (
            "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH",
            "2027-11-25 2028-11-23 2029-11-22",
        ),
        ("FREQ=YEARLY;BYDAY=2MO", "2027-01-11 2028-01-10 2029-01-08"),
        ("FREQ=YEARLY;BYDAY=-5SU", "2027-11-28 2028-12-03 2029-12-02"),
        (
            "FREQ=YEARLY;BYDAY=MO;BYSETPOS=-1",
            "2027-12-27 2028-12-25 2029-12-31",
        ),
    ];
    for (rule, expected) in cases {
        assert_eq!(slots(&schedule(rule, "2027-01-01"), 3), expected, "{rule}");
    }
}

#[test]
fn a_start_off_the_rule_is_aligned_forward() {
    let schedule = schedule("FREQ=WEEKLY;BYDAY=MO", "2027-01-05T09:00");

    let first = schedule.first().unwrap();

    assert_eq!((first.slot, first.index), (slot("2027-01-11T09:00"), 1));
}

#[test]
fn a_rule_without_a_slot_in_twelve_years_is_refused_for_that_start() {
    let cases = [
        (
            "FREQ=YEARLY;INTERVAL=20;BYMONTH=1",
            "2027-06-15",
            MonthOverflow::Clamp,
        ),
        (
            "FREQ=MONTHLY;INTERVAL=12;BYMONTH=3",
            "2027-02-01",
            MonthOverflow::Clamp,
        ),
        ("FREQ=MONTHLY;BYMONTH=4", "2027-01-31", MonthOverflow::Skip),
        (
            "FREQ=DAILY;INTERVAL=7;BYDAY=TU",
            "2027-01-04",
            MonthOverflow::Clamp,
        ),
        (
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO",
            "2028-03-01",
            MonthOverflow::Clamp,
        ),
    ];
    for (rule, start, overflow) in cases {
        let rule = Rule::parse(rule).unwrap();
        let refused = Schedule::new(rule.clone(), slot(start), None, overflow).unwrap_err();
        assert_eq!(refused, RuleError::NeverOccurs, "{rule}");
    }
}

#[test]
fn years_beyond_four_digits_are_refused_or_never_reached() {
    let rule = Rule::parse("FREQ=YEARLY").unwrap();
    let new = |start| Schedule::new(rule.clone(), slot(start), None, MonthOverflow::Clamp);

    assert_eq!(new("+10000-01-01").unwrap_err().part(), Some("DTSTART"));
    assert_eq!(new("0000-12-31").unwrap_err().part(), Some("DTSTART"));
    assert_eq!(new("9998-12-31").unwrap().occurrences().count(), 2);
    assert_eq!(
        new("0001-01-01").unwrap().next_after(slot("+12345-01-01")),
        None
    );
}
