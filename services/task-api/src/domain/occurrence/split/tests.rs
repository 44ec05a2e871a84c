use event_schema::{Anchor, TaskTemplate, Trigger};
use uuid::Uuid;

use super::*;
use crate::domain::occurrence::fixtures::{self, date, now};
use crate::domain::occurrence::task_of;
use crate::domain::task::Edit;

fn berlin(text: &str) -> TimeValue {
    TimeValue::Local {
        local: time::local(text).unwrap(),
        time_zone: "Europe/Berlin".to_owned(),
    }
}

fn series(rrule: &str, start: TimeValue) -> Series {
    let mut series = fixtures::series(rrule, start);
    series.template.reminders.clear();
    series
}

fn turn(slot: &str, index: u32) -> Turn {
    Turn {
        slot: slot.parse().unwrap(),
        index,
        missed_count: 0,
    }
}

fn split_at(old: &Series, at: Turn, edit: SeriesEdit) -> Result<Split, Vec<Fault>> {
    let id = SeriesId(Uuid::from_u128(0xd));
    split(old, at, edit, id, old.created_by, now())
}

fn slots_of(split: &Split, count: usize) -> Vec<String> {
    let plan = Plan::of_series(&split.series).unwrap();
    let later = plan.schedule().occurrences_after(split.first.slot);
    let later = later.map(|next| next.slot.to_string());
    std::iter::once(split.first.slot.to_string())
        .chain(later)
        .take(count)
        .collect()
}

#[test]
fn another_title_alone_keeps_the_rhythm_the_day_of_the_month_and_the_count() {
    let old = series("FREQ=MONTHLY;COUNT=4", date("2027-01-31"));
    let edit = SeriesEdit {
        template: TemplatePatch {
            title: Edit::To("Pay the rent".to_owned()),
            ..TemplatePatch::default()
        },
        ..SeriesEdit::default()
    };

    let split = split_at(&old, turn("2027-02-28", 2), edit).unwrap();

    assert_eq!(
        slots_of(&split, 5),
        ["2027-02-28", "2027-03-31", "2027-04-30"]
    );
    assert_eq!(split.first.index, 2);
    assert_eq!(split.series.previous_series_id, Some(old.id));
    assert_eq!(split.series.template.title, "Pay the rent");
}

#[test]
fn another_time_of_the_same_day_moves_every_later_slot_and_exception() {
    let mut old = series("FREQ=MONTHLY", berlin("2027-01-31T09:00"));
    old.exceptions = vec![
        SeriesException::Skip {
            slot: "2027-01-31T09:00".to_owned(),
        },
        SeriesException::Skip {
            slot: "2027-03-31T09:00".to_owned(),
        },
    ];
    let edit = SeriesEdit {
        due: Some(berlin("2027-02-28T18:30")),
        ..SeriesEdit::default()
    };

    let split = split_at(&old, turn("2027-02-28T09:00", 2), edit).unwrap();

    assert_eq!(
        slots_of(&split, 3),
        ["2027-02-28T18:30", "2027-04-30T18:30", "2027-05-31T18:30"]
    );
    assert_eq!(split.series.exceptions.len(), 1);
}

#[test]
fn a_floating_series_goes_on_to_its_local_end_and_keeps_to_it() {
    let floating = |text: &str| TimeValue::Local {
        local: time::local(text).unwrap(),
        time_zone: time::FLOATING.to_owned(),
    };
    let mut old = series(
        "FREQ=DAILY;UNTIL=20270203T090000",
        floating("2027-02-01T09:00"),
    );
    old.home_zone = Some("Asia/Tokyo".to_owned());
    let at = turn("2027-02-02T09:00", 2);
    let to = |due: TimeValue| SeriesEdit {
        due: Some(due),
        ..SeriesEdit::default()
    };

    let same = split_at(&old, at, SeriesEdit::default()).unwrap();
    assert_eq!(slots_of(&same, 3), ["2027-02-02T09:00", "2027-02-03T09:00"]);
    let earlier = split_at(&old, at, to(floating("2027-02-02T08:00"))).unwrap();
    assert_eq!(
        slots_of(&earlier, 3),
        ["2027-02-02T08:00", "2027-02-03T08:00"]
    );
    let later = split_at(&old, at, to(floating("2027-02-02T10:00"))).unwrap();
    assert_eq!(slots_of(&later, 3), ["2027-02-02T10:00"]);
}

#[test]
fn a_start_that_begins_or_ceases_to_float_needs_another_end() {
    let floating = TimeValue::Local {
        local: time::local("2027-02-02T09:00").unwrap(),
        time_zone: time::FLOATING.to_owned(),
    };
    let kept = berlin("2027-02-02T09:00");
    for (until, start, due, instead) in [
        ("20270301T080000Z", &kept, &floating, "a local time such as"),
        ("20270301T090000", &floating, &kept, "in UTC: write"),
    ] {
        let mut old = series(&format!("FREQ=DAILY;UNTIL={until}"), start.clone());
        old.home_zone = Some("Asia/Tokyo".to_owned());
        let edit = SeriesEdit {
            due: Some(due.clone()),
            ..SeriesEdit::default()
        };
        let refused = split_at(&old, turn("2027-02-02T09:00", 1), edit).unwrap_err();
        assert_eq!(
            (refused[0].pointer.as_str(), refused[0].code),
            ("/recurrence", "unsupported")
        );
        let message = &refused[0].message;
        assert!(message.contains(instead), "{message}");
    }
}

#[test]
fn another_day_begins_anew_with_what_is_left_of_the_count() {
    let old = series("FREQ=WEEKLY;COUNT=4", date("2027-02-01"));
    let edit = SeriesEdit {
        due: Some(date("2027-02-09")),
        ..SeriesEdit::default()
    };

    let split = split_at(&old, turn("2027-02-08", 2), edit).unwrap();

    assert_eq!(
        slots_of(&split, 5),
        ["2027-02-09", "2027-02-16", "2027-02-23"]
    );
    assert_eq!(split.series.recurrence.rrule, "FREQ=WEEKLY;COUNT=3");
}

#[test]
fn a_day_that_the_rule_does_not_have_needs_another_rule() {
    let old = series("FREQ=WEEKLY;BYDAY=MO", date("2027-02-01"));
    let mut edit = SeriesEdit {
        due: Some(date("2027-02-09")),
        ..SeriesEdit::default()
    };
    let at = turn("2027-02-08", 2);
    let refused = split_at(&old, at, edit.clone()).unwrap_err();
    assert_eq!(
        (refused[0].pointer.as_str(), refused[0].code),
        ("/due", "not_on_the_rule")
    );

    edit.recurrence = Some((Recurrence::of("FREQ=WEEKLY;BYDAY=TU"), Vec::new()));
    let split = split_at(&old, at, edit).unwrap();
    assert_eq!(slots_of(&split, 2), ["2027-02-09", "2027-02-16"]);
    assert_eq!(split.first.index, 1);
}

#[test]
fn what_surrounds_the_due_keeps_its_distance() {
    // A week before the due of 31 January, three days after it.
    let mut old = series("FREQ=MONTHLY", date("2027-01-31"));
    old.template = TaskTemplate {
        start: Some(date("2027-01-24")),
        deadline: Some(date("2027-02-03")),
        ..TaskTemplate::titled("Pay rent")
    };
    let edit = SeriesEdit {
        // Two days after the due of this occurrence.
        template: TemplatePatch {
            deadline: Edit::To(Some(date("2027-03-02"))),
            ..TemplatePatch::default()
        },
        ..SeriesEdit::default()
    };
    let at = turn("2027-02-28", 2);
    let kept = split_at(&old, at, edit.clone()).unwrap();
    let moved = SeriesEdit {
        due: Some(date("2027-03-01")),
        ..edit
    };
    let moved = split_at(&old, at, moved).unwrap();

    let first = |split: &Split| {
        let by = split.series.created_by;
        task_of(&split.series, split.first, None, by, now())
    };
    assert_eq!(first(&kept).start, Some(date("2027-02-21")));
    assert_eq!(first(&kept).deadline, Some(date("2027-03-02")));
    assert_eq!(first(&moved).start, Some(date("2027-02-22")));
    assert_eq!(first(&moved).deadline, Some(date("2027-03-02")));
}

#[test]
fn what_would_break_a_rule_is_told() {
    let old = series("FREQ=DAILY", date("2027-02-01"));
    let reminder = WantedReminder {
        id: None,
        minted: event_schema::ReminderId(Uuid::from_u128(7)),
        trigger: Trigger::Relative {
            to: Anchor::Due,
            offset_seconds: -60,
        },
        terms: event_schema::Terms::default(),
    };
    let edit = SeriesEdit {
        template: TemplatePatch {
            reminders: Edit::To(vec![reminder]),
            ..TemplatePatch::default()
        },
        ..SeriesEdit::default()
    };
    let refused = split_at(&old, turn("2027-02-08", 8), edit).unwrap_err();
    assert_eq!(refused[0].code, "anchor_without_time");

    let ended = SeriesEdit {
        recurrence: Some((Recurrence::of("FREQ=DAILY;UNTIL=20270101"), Vec::new())),
        ..SeriesEdit::default()
    };
    let refused = split_at(&old, turn("2027-02-08", 8), ended).unwrap_err();
    assert_eq!(refused[0].code, "never_occurs");
}
