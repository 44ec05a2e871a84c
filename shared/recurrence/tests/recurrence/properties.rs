use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::{America, Europe, Pacific, Tz};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use recurrence::{
    DstGap, English, Language, MonthOverflow, Rule, RuleError, Schedule, Slot, WallTime, wall_time,
};

use crate::{brute_force, slot};

const WEEKDAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

/// What rules are made of, and a little else.
const PIECES: &str = "FREQ DAILY MONTHLY YEARLY WEEKLY INTERVAL COUNT UNTIL BYDAY WKST BYMONTHDAY BYMONTH \
    BYSETPOS BYHOUR = = = ; ; , - + MO SU 0 1 31 99999999999 20270131 T080000Z T Z ä FREQ=DAILY; \
    FREQ=MONTHLY;";

/// Half of all intervals are small, because large ones rarely meet anything.
fn interval() -> impl Strategy<Value = String> {
    prop_oneof![1..4_u32, 1..1000_u32].prop_map(|interval| format!(";INTERVAL={interval}"))
}

fn places(part: &'static str, most: i32) -> impl Strategy<Value = String> {
    let place = (1..=most, any::<bool>()).prop_map(|(place, end)| if end { -place } else { place });
    vec(place, 1..4).prop_map(move |places| list(part, &places))
}

fn list(part: &str, items: &[impl ToString]) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    format!(";{part}={}", items.join(","))
}

fn or_nothing(part: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    option::of(part).prop_map(Option::unwrap_or_default)
}

fn only_if(fits: bool) -> impl Fn(String) -> String {
    move |part| if fits { part } else { String::new() }
}

fn by_month() -> impl Strategy<Value = String> {
    btree_set(1..=12_u32, 1..4).prop_map(|months| list("BYMONTH", &Vec::from_iter(months)))
}

fn by_day(ordinals: bool) -> impl Strategy<Value = String> {
    let ordinal = if ordinals { -5..6_i32 } else { 0..1 };
    let day = (ordinal, select(&WEEKDAYS)).prop_map(|(nth, day)| match nth {
        0 => day.to_owned(),
        nth => format!("{nth}{day}"),
    });
    vec(day, 1..5).prop_map(|days| list("BYDAY", &days))
}

fn week_start() -> impl Strategy<Value = String> {
    select(&WEEKDAYS).prop_map(|day| format!(";WKST={day}"))
}

/// Texts of the profile without an end; a few of them never occur or lack what `BYSETPOS` needs.
fn endless_text() -> impl Strategy<Value = String> {
    select(&["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]).prop_flat_map(|frequency| {
        let per_month = matches!(frequency, "MONTHLY" | "YEARLY");
        (
            or_nothing(interval()),
            or_nothing(by_month()),
            or_nothing(places("BYMONTHDAY", 31)).prop_map(only_if(frequency != "WEEKLY")),
            or_nothing(by_day(per_month)),
            or_nothing(places("BYSETPOS", 12)).prop_map(only_if(per_month)),
            or_nothing(week_start()),
        )
            .prop_map(move |(interval, month, month_day, day, position, week)| {
                format!("FREQ={frequency}{interval}{month}{month_day}{day}{position}{week}")
            })
    })
}

fn ending() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        (1..40_u32).prop_map(|count| format!(";COUNT={count}")),
        date().prop_map(|date| format!(";UNTIL={}T080000Z", date.format("%Y%m%d"))),
    ]
}

/// Ends for starts of all kinds.
fn any_ending() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => ending(),
        1 => date().prop_map(|date| format!(";UNTIL={}", date.format("%Y%m%d"))),
        1 => (date(), 0..86_400_u32).prop_map(|(date, second)| {
            let time = NaiveTime::from_num_seconds_from_midnight_opt(second, 0).unwrap();
            format!(";UNTIL={}", date.and_time(time).format("%Y%m%dT%H%M%S"))
        }),
    ]
}

fn date() -> impl Strategy<Value = NaiveDate> {
    (0..25_000_u64).prop_map(|days| NaiveDate::from_ymd_opt(1990, 1, 1).unwrap() + Days::new(days))
}

fn overflow() -> impl Strategy<Value = MonthOverflow> {
    select(&[MonthOverflow::Clamp, MonthOverflow::Skip])
}

fn zone() -> impl Strategy<Value = Tz> {
    select(&[
        Europe::Berlin,
        America::New_York,
        America::Sao_Paulo,
        Pacific::Apia,
        Tz::UTC,
    ])
}

/// A timed schedule, with its times near the usual changes of offset.
fn timed_schedule() -> impl Strategy<Value = Schedule> {
    let parts = (
        endless_text(),
        ending(),
        date(),
        0..4_u32,
        zone(),
        overflow(),
    );
    parts.prop_filter_map("never occurs", |(rule, end, date, hour, zone, overflow)| {
        let rule = Rule::parse(&(rule + &end)).ok()?;
        let start = Slot::Timed(date.and_hms_opt(hour, 30, 0)?);
        Schedule::new(rule, start, Some(zone), overflow).ok()
    })
}

/// Text made of the pieces of rules, more often almost right than noise is.
fn almost_a_rule() -> impl Strategy<Value = String> {
    let pieces: Vec<&str> = PIECES.split(' ').collect();
    vec(select(pieces), 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_printed_rule_reads_back_as_itself(text in endless_text(), end in any_ending()) {
        if let Ok(rule) = Rule::parse(&(text + &end)) {
            let printed = rule.to_string();
            prop_assert_eq!(Rule::parse(&printed), Ok(rule.clone()));
            prop_assert_eq!(Rule::parse(&printed.to_lowercase()), Ok(rule.clone()));
            prop_assert_eq!(Rule::new(rule.parts()), Ok(rule));
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(noise in any::<String>(), almost in almost_a_rule()) {
        let _ = Rule::parse(&noise);
        if let Ok(rule) = Rule::parse(&almost) {
            let start = slot("2027-01-31");
            let _ = Schedule::new(rule, start, None, MonthOverflow::Clamp)
                .map(|schedule| schedule.next_after(start));
        }
        let _ = noise.parse::<Slot>();
    }

    #[test]
    fn slots_are_those_of_a_check_day_by_day(
        text in endless_text(), start in date(), overflow in overflow(),
    ) {
        let Ok(rule) = Rule::parse(&text) else { return Ok(()) };
        let end = start + Days::new(366 * 12 + 40);
        let expected = brute_force::dates(&rule, start, overflow, end);
        match Schedule::new(rule, Slot::Date(start), None, overflow) {
            Err(error) => {
                prop_assert_eq!(error, RuleError::NeverOccurs);
                prop_assert!(expected.iter().all(|date| *date > start + Days::new(365 * 12)));
            }
            Ok(schedule) => {
                let found: Vec<NaiveDate> = schedule
                    .occurrences()
                    .map(|next| next.slot.date())
                    .take_while(|date| *date <= end)
                    .collect();
                prop_assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn occurrences_increase_in_slot_index_and_instant(schedule in timed_schedule()) {
        let zone = schedule.time_zone().unwrap();
        let found: Vec<_> = schedule.occurrences().take(100).collect();
        for pair in found.windows(2) {
            prop_assert!(pair[0].slot < pair[1].slot);
            prop_assert!(pair[0].index < pair[1].index);
            prop_assert!(instant(pair[0].slot, zone) < instant(pair[1].slot, zone));
        }
    }

    #[test]
    fn the_next_occurrence_is_the_first_later_one_of_all(
        schedule in timed_schedule(), after in date(), hour in 0..4_u32,
    ) {
        let after = Slot::Timed(after.and_hms_opt(hour, 30, 0).unwrap());
        let expected = schedule.occurrences().find(|next| next.slot > after);
        prop_assert_eq!(schedule.next_after(after), expected);
        if let Some(found) = expected {
            let following = schedule.occurrences().find(|next| next.slot > found.slot);
            prop_assert_eq!(schedule.next_after(found.slot), following);
        }
    }

    #[test]
    fn a_cursor_goes_on_as_the_whole_expansion_does(schedule in timed_schedule(), place in 0..40_usize) {
        let all: Vec<_> = schedule.occurrences().take(60).collect();
        prop_assume!(place < all.len());
        let rest: Vec<_> = schedule.resume(all[place]).take(all.len() - place - 1).collect();
        prop_assert_eq!(&rest[..], &all[place + 1..]);
    }

    #[test]
    fn a_local_end_keeps_the_slots_up_to_it_wherever_they_are_read(
        text in endless_text(), start in date(), hour in 0..4_u32, last in 0..30_usize,
        seconds in -1..=1_i64, home in option::of(zone()),
    ) {
        let start = Slot::Timed(start.and_hms_opt(hour, 30, 0).unwrap());
        let floating = |text: &str| {
            let rule = Rule::parse(text).ok()?;
            let schedule = Schedule::new(rule, start, None, MonthOverflow::Clamp).ok()?;
            Some(schedule.read_in(home))
        };
        let Some(endless) = floating(&text) else { return Ok(()) };
        let slots: Vec<_> = endless.slots().take(31).collect();
        prop_assume!(last < slots.len());
        let until = local(slots[last].slot) + TimeDelta::seconds(seconds);

        let text = format!("{text};UNTIL={}", until.format("%Y%m%dT%H%M%S"));
        let ended = floating(&text).unwrap();
        let expected = &slots[..if seconds < 0 { last } else { last + 1 }];
        prop_assert_eq!(&ended.slots().collect::<Vec<_>>()[..], expected);
        if let Some(cursor) = ended.first() {
            let rest: Vec<_> = ended.resume(cursor).collect();
            prop_assert_eq!(rest, ended.occurrences().skip(1).collect::<Vec<_>>());
        }
    }

    #[test]
    fn civil_time_never_drifts(schedule in timed_schedule()) {
        let zone = schedule.time_zone().unwrap();
        for next in schedule.occurrences().take(60) {
            prop_assert_eq!(next.slot.time(), schedule.start().time());
            let civil = local(next.slot);
            let shown = instant(next.slot, zone).with_timezone(&zone).naive_local();
            let expected = match wall_time(civil, zone) {
                WallTime::Never { shown } => shown,
                WallTime::Once | WallTime::Twice => civil,
            };
            prop_assert_eq!(shown, expected);
        }
    }

    #[test]
    fn a_clamped_day_is_the_day_of_the_start_or_the_last(
        start in date(), interval in 1..30_u32, yearly in any::<bool>(),
    ) {
        let frequency = if yearly { "YEARLY" } else { "MONTHLY" };
        let rule = Rule::parse(&format!("FREQ={frequency};INTERVAL={interval}")).unwrap();
        let schedule = Schedule::new(rule, Slot::Date(start), None, MonthOverflow::Clamp).unwrap();
        for next in schedule.occurrences().take(60) {
            let date = next.slot.date();
            let length = u32::from(date.num_days_in_month());
            prop_assert_eq!(date.day(), start.day().min(length));
        }
    }

    #[test]
    fn exceptions_and_gaps_only_leave_out(schedule in timed_schedule(), places in btree_set(0..30_usize, 0..6)) {
        let all: Vec<_> = schedule.occurrences().take(30).collect();
        let zone = schedule.time_zone().unwrap();
        let excepted: Vec<Slot> = places.iter().filter_map(|place| Some(all.get(*place)?.slot)).collect();
        let expected: Vec<_> = all
            .iter()
            .filter(|next| !excepted.contains(&next.slot))
            .filter(|next| instant(next.slot, zone).with_timezone(&zone).naive_local() == local(next.slot))
            .copied()
            .collect();
        let skipping = schedule.clone().except(excepted).with_dst_gap(DstGap::Skip);
        let found: Vec<_> = skipping.occurrences().take(expected.len()).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn every_schedule_can_be_told(schedule in timed_schedule()) {
        let text = English.describe(&schedule);
        prop_assert!(text.starts_with("every "), "{}", text);
        prop_assert!(!text.contains("  ") && !text.contains(" ,"), "{}", text);
    }

    #[test]
    fn what_follows_a_completion_is_the_first_slot_after_both(
        schedule in timed_schedule(), slot in date(), seconds in 631_152_000..2_800_000_000_i64,
    ) {
        let zone = schedule.time_zone().unwrap();
        let slot = Slot::Timed(slot.and_hms_opt(2, 30, 0).unwrap());
        let finished_at = DateTime::from_timestamp(seconds, 0).unwrap();
        let expected = schedule
            .occurrences()
            .find(|next| next.slot > slot && instant(next.slot, zone) > finished_at);
        let found = schedule.next_after_finish(slot, finished_at);
        prop_assert_eq!(found.map(|next| (next.slot, next.index)), expected.map(|next| (next.slot, next.index)));
    }
}

fn instant(slot: Slot, zone: Tz) -> DateTime<Utc> {
    recurrence::resolve(local(slot), zone)
}

fn local(slot: Slot) -> NaiveDateTime {
    match slot {
        Slot::Timed(civil) => civil,
        Slot::Date(_) => unreachable!("the series is timed"),
    }
}
