//! The examples that RFC 5545 publishes for RRULE (section 3.8.5.3), all at 9:00 in New York.

use chrono::{Datelike, NaiveDate};
use chrono_tz::America;
use recurrence::{MonthOverflow, Rule, Slot};

use crate::build;

/// A rule, its start and the dates that the RFC lists. A month is followed by its days; months
/// ascend, and a year is written where it changes. `...` means that the rule goes on.
const EXAMPLES: [(&str, &str, &str); 37] = [
    (
        "FREQ=DAILY;COUNT=10",
        "1997-09-02",
        "1997 Sep 2 3 4 5 6 7 8 9 10 11",
    ),
    (
        "FREQ=DAILY;INTERVAL=10;COUNT=5",
        "1997-09-02",
        "1997 Sep 2 12 22 Oct 2 12",
    ),
    (
        "FREQ=DAILY;INTERVAL=2",
        "1997-09-02",
        "1997 Sep 2 4 6 8 10 12 14 16 18 20 22 24 26 28 30 \
      Oct 2 4 6 8 10 12 14 16 18 20 22 24 26 28 30 \
      Nov 1 3 5 7 9 11 13 15 17 19 21 23 25 27 29 Dec 1 3 ...",
    ),
    (
        "FREQ=WEEKLY;COUNT=10",
        "1997-09-02",
        "1997 Sep 2 9 16 23 30 Oct 7 14 21 28 Nov 4",
    ),
    (
        "FREQ=WEEKLY;UNTIL=19971224T000000Z",
        "1997-09-02",
        "1997 Sep 2 9 16 23 30 Oct 7 14 21 28 Nov 4 11 18 25 Dec 2 9 16 23",
    ),
    (
        "FREQ=WEEKLY;INTERVAL=2;WKST=SU",
        "1997-09-02",
        "1997 Sep 2 16 30 Oct 14 28 Nov 11 25 Dec 9 23 1998 Jan 6 20 Feb 3 17 ...",
    ),
    (
        "FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH",
        "1997-09-02",
        "1997 Sep 2 4 9 11 16 18 23 25 30 Oct 2",
    ),
    (
        "FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH",
        "1997-09-02",
        "1997 Sep 2 4 9 11 16 18 23 25 30 Oct 2",
    ),
    (
        "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR",
        "1997-09-01",
        "1997 Sep 1 3 5 15 17 19 29 Oct 1 3 13 15 17 27 29 31 Nov 10 12 14 24 26 28 Dec 8 10 12 22",
    ),
    (
        "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH",
        "1997-09-02",
        "1997 Sep 2 4 16 18 30 Oct 2 14 16",
    ),
    (
        "FREQ=MONTHLY;COUNT=10;BYDAY=1FR",
        "1997-09-05",
        "1997 Sep 5 Oct 3 Nov 7 Dec 5 1998 Jan 2 Feb 6 Mar 6 Apr 3 May 1 Jun 5",
    ),
    (
        "FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR",
        "1997-09-05",
        "1997 Sep 5 Oct 3 Nov 7 Dec 5",
    ),
    (
        "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
        "1997-09-07",
        "1997 Sep 7 28 Nov 2 30 1998 Jan 4 25 Mar 1 29 May 3 31",
    ),
    (
        "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO",
        "1997-09-22",
        "1997 Sep 22 Oct 20 Nov 17 Dec 22 1998 Jan 19 Feb 16",
    ),
    (
        "FREQ=MONTHLY;BYMONTHDAY=-3",
        "1997-09-28",
        "1997 Sep 28 Oct 29 Nov 28 Dec 29 1998 Jan 29 Feb 26 ...",
    ),
    (
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15",
        "1997-09-02",
        "1997 Sep 2 15 Oct 2 15 Nov 2 15 Dec 2 15 1998 Jan 2 15",
    ),
    (
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
        "1997-09-30",
        "1997 Sep 30 Oct 1 31 Nov 1 30 Dec 1 31 1998 Jan 1 31 Feb 1",
    ),
    (
        "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15",
        "1997-09-10",
        "1997 Sep 10 11 12 13 14 15 1999 Mar 10 11 12 13",
    ),
    (
        "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU",
        "1997-09-02",
        "1997 Sep 2 9 16 23 30 Nov 4 11 18 25 1998 Jan 6 13 20 27 Mar 3 10 17 24 31 ...",
    ),
    (
        "FREQ=YEARLY;COUNT=10;BYMONTH=6,7",
        "1997-06-10",
        "1997 Jun 10 Jul 10 1998 Jun 10 Jul 10 1999 Jun 10 Jul 10 2000 Jun 10 Jul 10 2001 Jun 10 Jul 10",
    ),
    (
        "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3",
        "1997-03-10",
        "1997 Mar 10 1999 Jan 10 Feb 10 Mar 10 2001 Jan 10 Feb 10 Mar 10 2003 Jan 10 Feb 10 Mar 10",
    ),
    (
        "FREQ=YEARLY;BYMONTH=3;BYDAY=TH",
        "1997-03-13",
        "1997 Mar 13 20 27 1998 Mar 5 12 19 26 1999 Mar 4 11 18 25 ...",
    ),
    (
        "FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8",
        "1997-06-05",
        "1997 Jun 5 12 19 26 Jul 3 10 17 24 31 Aug 7 14 21 28 \
      1998 Jun 4 11 18 25 Jul 2 9 16 23 30 Aug 6 13 20 27 \
      1999 Jun 3 10 17 24 Jul 1 8 15 22 29 Aug 5 12 19 26 ...",
    ),
    // The RFC excludes its start, 1997-09-02, by an EXDATE. Ours is no slot unless it is on the rule.
    (
        "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
        "1997-09-02",
        "1998 Feb 13 Mar 13 Nov 13 1999 Aug 13 2000 Oct 13 ...",
    ),
    (
        "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
        "1997-09-13",
        "1997 Sep 13 Oct 11 Nov 8 Dec 13 1998 Jan 10 Feb 7 Mar 7 Apr 11 May 9 Jun 13 ...",
    ),
    (
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
        "1996-11-05",
        "1996 Nov 5 2000 Nov 7 2004 Nov 2 ...",
    ),
    (
        "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3",
        "1997-09-04",
        "1997 Sep 4 Oct 7 Nov 6",
    ),
    (
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
        "1997-09-29",
        "1997 Sep 29 Oct 30 Nov 27 Dec 30 1998 Jan 29 Feb 26 Mar 30 ...",
    ),
    (
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
        "1997-08-05",
        "1997 Aug 5 10 19 24",
    ),
    (
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
        "1997-08-05",
        "1997 Aug 5 17 19 31",
    ),
    (
        "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5",
        "2007-01-15",
        "2007 Jan 15 30 Feb 15 Mar 15 30",
    ),
    // From the sections on RECUR values (3.3.10) and VTIMEZONE (3.6.5).
    (
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        "1997-09-30",
        "1997 Sep 30 Oct 31 Nov 28 Dec 31 1998 Jan 30 Feb 27 ...",
    ),
    (
        "FREQ=DAILY;COUNT=10;INTERVAL=2",
        "1997-09-02",
        "1997 Sep 2 4 6 8 10 12 14 16 18 20",
    ),
    (
        "FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10",
        "1967-10-29",
        "1967 Oct 29 1968 Oct 27 1969 Oct 26 ...",
    ),
    (
        "FREQ=YEARLY;BYDAY=1SU;BYMONTH=4",
        "1987-04-05",
        "1987 Apr 5 1988 Apr 3 1989 Apr 2 ...",
    ),
    (
        "FREQ=YEARLY;BYDAY=2SU;BYMONTH=3",
        "2007-03-11",
        "2007 Mar 11 2008 Mar 9 2009 Mar 8 ...",
    ),
    (
        "FREQ=YEARLY;BYDAY=1SU;BYMONTH=11",
        "2007-11-04",
        "2007 Nov 4 2008 Nov 2 2009 Nov 1 ...",
    ),
];

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

#[test]
fn the_published_examples_of_the_profile_are_exact() {
    for (rule, start, listed) in EXAMPLES {
        let (listed, goes_on) = match listed.strip_suffix(" ...") {
            Some(listed) => (dates(listed), true),
            None => (dates(listed), false),
        };
        assert_eq!(
            slots(rule, start, listed.len() + 1).len() > listed.len(),
            goes_on,
            "{rule}"
        );
        assert_eq!(slots(rule, start, listed.len()), listed, "{rule}");
    }
}

#[test]
fn the_published_examples_that_list_every_day_are_exact() {
    let until_christmas = slots("FREQ=DAILY;UNTIL=19971224T000000Z", "1997-09-02", 500);
    let days = NaiveDate::from_ymd_opt(1997, 9, 2).unwrap().iter_days();
    assert_eq!(until_christmas, days.take(113).collect::<Vec<_>>());
    assert_eq!(
        until_christmas.last(),
        NaiveDate::from_ymd_opt(1997, 12, 23).as_ref()
    );

    let januaries: Vec<NaiveDate> = (1998..=2000)
        .flat_map(|year| {
            NaiveDate::from_ymd_opt(year, 1, 1)
                .unwrap()
                .iter_days()
                .take(31)
        })
        .collect();
    for rule in [
        "FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA",
        "FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1",
    ] {
        assert_eq!(slots(rule, "1998-01-01", 500), januaries, "{rule}");
    }
}

#[test]
fn the_published_examples_outside_the_profile_are_refused() {
    for rule in [
        "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200",
        "FREQ=YEARLY;BYDAY=20MO",
        "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
        "FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T170000Z",
        "FREQ=MINUTELY;INTERVAL=15;COUNT=6",
        "FREQ=MINUTELY;INTERVAL=90;COUNT=4",
        "FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40",
        "FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10,11,12,13,14,15,16",
    ] {
        assert_eq!(
            Rule::parse(rule).unwrap_err().code(),
            "recurrence-unsupported",
            "{rule}"
        );
    }
}

/// Returns the dates of the first slots, which must all be at 9:00.
fn slots(rule: &str, start: &str, limit: usize) -> Vec<NaiveDate> {
    let zone = Some(America::New_York);
    let schedule = build(rule, &format!("{start}T09:00"), zone, MonthOverflow::Skip);
    let slots = schedule
        .occurrences()
        .take(limit)
        .map(|next| match next.slot {
            Slot::Timed(local) => {
                assert_eq!(local.time().to_string(), "09:00:00");
                local.date()
            }
            Slot::Date(_) => unreachable!("the series is timed"),
        });
    slots.collect()
}

fn dates(listed: &str) -> Vec<NaiveDate> {
    let mut month = NaiveDate::default();
    let mut found = Vec::new();
    for word in listed.split_whitespace() {
        match (word.parse(), MONTHS.iter().position(|name| *name == word)) {
            (Ok(day), _) if day <= 31 => found.push(month.with_day(day).unwrap()),
            (_, Some(index)) => month = month.with_month0(u32::try_from(index).unwrap()).unwrap(),
            (Ok(year), None) => {
                month = NaiveDate::from_ymd_opt(i32::try_from(year).unwrap(), 1, 1).unwrap();
            }
            (Err(_), None) => panic!("{word}"),
        }
    }
    found
}
