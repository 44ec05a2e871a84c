use recurrence::{English, Language, MonthOverflow, language};

use crate::{build, schedule};

fn english(rule: &str, start: &str) -> String {
    English.describe(&schedule(rule, start))
}

/// A rule, its start and its text.
const TEXTS: [(&str, &str, &str); 32] = [
    ("FREQ=DAILY", "2027-01-31", "every day"),
    (
        "FREQ=DAILY;INTERVAL=3;COUNT=5",
        "2027-01-31",
        "every 3 days, 5 times",
    ),
    (
        "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR",
        "2027-01-31",
        "every workday",
    ),
    (
        "FREQ=DAILY;INTERVAL=2;BYDAY=MO",
        "2027-01-31",
        "every 2 days, if it is a Monday",
    ),
    (
        "FREQ=DAILY;BYMONTHDAY=1,15;BYMONTH=1,3,5",
        "2027-01-31",
        "every day, if it is the 1st or the 15th in January, March and May",
    ),
    ("FREQ=WEEKLY", "2027-01-31", "every Sunday"),
    (
        "FREQ=WEEKLY;BYDAY=MO,TH;UNTIL=20271231",
        "2027-01-31",
        "every Monday and Thursday, until December 31, 2027",
    ),
    (
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU,WE,TH,FR",
        "2027-01-31",
        "every 2 weeks on workdays",
    ),
    (
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU",
        "2027-01-31",
        "every 2 weeks on Monday and Sunday, with weeks from Sunday",
    ),
    ("FREQ=MONTHLY", "2027-01-15", "every month on the 15th"),
    (
        "FREQ=MONTHLY",
        "2027-01-31",
        "every month on the 31st, or the last day",
    ),
    (
        "FREQ=MONTHLY;COUNT=1",
        "2027-01-31",
        "every month on the 31st, once",
    ),
    (
        "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=1,-1",
        "2027-01-15",
        "every 3 months on the 1st and the last day",
    ),
    (
        "FREQ=MONTHLY;BYMONTHDAY=31",
        "2027-01-31",
        "every month on the 31st, where there is one",
    ),
    (
        "FREQ=MONTHLY;BYMONTHDAY=-2",
        "2027-01-31",
        "every month on the second to last day",
    ),
    (
        "FREQ=MONTHLY;BYMONTH=1,2;BYMONTHDAY=30",
        "2027-01-31",
        "every month on the 30th in January and February, where there is one",
    ),
    (
        "FREQ=MONTHLY;BYDAY=1MO,-1FR",
        "2027-01-31",
        "every month on the first Monday and the last Friday",
    ),
    (
        "FREQ=MONTHLY;BYDAY=TU",
        "2027-01-31",
        "every month on every Tuesday",
    ),
    (
        "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
        "2027-01-31",
        "every month on the 13th, if it is a Friday",
    ),
    (
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        "2027-01-31",
        "every month on the last workday",
    ),
    (
        "FREQ=MONTHLY;BYDAY=TU,WE;BYSETPOS=3",
        "2027-01-31",
        "every month on the third Tuesday or Wednesday",
    ),
    (
        "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1",
        "2027-01-31",
        "every month on the last of these days: the 28th, the 29th, the 30th or the 31st",
    ),
    ("FREQ=YEARLY", "2027-05-12", "every year on May 12"),
    (
        "FREQ=YEARLY",
        "2028-02-29",
        "every year on February 29, or the last day of February",
    ),
    (
        "FREQ=YEARLY;INTERVAL=2;BYMONTH=4,6",
        "2027-01-31",
        "every 2 years on the 31st of April and June, or the last day",
    ),
    (
        "FREQ=YEARLY;BYMONTH=3;BYDAY=2SU",
        "2027-01-31",
        "every year on the second Sunday of March",
    ),
    (
        "FREQ=YEARLY;BYDAY=-1MO",
        "2027-01-31",
        "every year on the last Monday of the year",
    ),
    (
        "FREQ=YEARLY;BYMONTHDAY=1",
        "2027-01-31",
        "every year on the 1st of every month",
    ),
    (
        "FREQ=YEARLY;BYDAY=TU,WE",
        "2027-01-31",
        "every year on every Tuesday and Wednesday of the year",
    ),
    (
        "FREQ=MONTHLY;BYDAY=1MO,2TU;BYSETPOS=-1",
        "2027-01-31",
        "every month on the last of these days: the first Monday or the second Tuesday",
    ),
    (
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
        "2027-01-31",
        "every year on the 29th of February, where there is one",
    ),
    (
        "FREQ=YEARLY;BYMONTH=1,6;BYSETPOS=-1",
        "2027-01-15",
        "every year on the 15th of January and June, only the last of these",
    ),
];

#[test]
fn rules_read_as_people_say_them() {
    for (rule, start, text) in TEXTS {
        assert_eq!(english(rule, start), text, "{rule} from {start}");
    }
}

#[test]
fn months_that_are_left_out_are_named() {
    let skipping = build("FREQ=MONTHLY", "2027-01-31", None, MonthOverflow::Skip);
    assert_eq!(
        English.describe(&skipping),
        "every month on the 31st, where there is one"
    );
}

#[test]
fn an_end_is_told_in_the_zone_of_the_series() {
    let zone = Some(chrono_tz::Asia::Tokyo);
    let rule = "FREQ=DAILY;UNTIL=20270131T200000Z";
    let schedule = build(rule, "2027-01-01T09:00", zone, MonthOverflow::Clamp);
    assert_eq!(
        English.describe(&schedule),
        "every day, until February 1, 2027"
    );
}

#[test]
fn a_local_end_is_told_as_it_is_written() {
    let schedule = schedule("FREQ=DAILY;UNTIL=20270131T200000", "2027-01-01T09:00");
    for reader in [None, Some(chrono_tz::Asia::Tokyo)] {
        assert_eq!(
            English.describe(&schedule.clone().read_in(reader)),
            "every day, until January 31, 2027"
        );
    }
}

#[test]
fn a_language_is_chosen_by_its_tag() {
    let daily = schedule("FREQ=DAILY", "2027-01-31");
    for tag in ["en", "en-GB", "EN_us", "tlh", ""] {
        assert_eq!(language(tag).describe(&daily), "every day", "{tag}");
    }
}
