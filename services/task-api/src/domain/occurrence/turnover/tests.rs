use event_schema::{Recurrence, Status};

use super::*;
use crate::domain::occurrence::fixtures::{self, date};
use crate::domain::occurrence::tests::task;

fn series(rrule: &str) -> Series {
    fixtures::series(rrule, date("2027-01-31"))
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn weekly() -> SeriesEdit {
    SeriesEdit {
        recurrence: Some((Recurrence::of("FREQ=WEEKLY;BYDAY=WE"), Vec::new())),
        ..SeriesEdit::default()
    }
}

/// A series with these open slots; those with a star are touched.
fn scene(series: &Series, open: &[&str], today: &str) -> Scene {
    let standing = |text: &&str| {
        let slot = text.trim_end_matches('*');
        Standing {
            task: task(series, slot),
            slot: slot.parse().unwrap(),
            is_touched: text.ends_with('*'),
        }
    };
    let open: Vec<Standing> = open.iter().map(standing).collect();
    Scene {
        newest: open.last().map(|one| (one.task.id, one.slot)),
        open,
        finished: None,
        turn: None,
        today: day(today),
    }
}

fn slots(tasks: &[Task]) -> Vec<&str> {
    tasks
        .iter()
        .filter_map(|task| task.slot.as_deref())
        .collect()
}

#[test]
fn nothing_touched_is_replaced_from_today_on() {
    let series = series("FREQ=MONTHLY");
    for (today, from) in [("2027-01-20", "2027-01-31"), ("2027-03-22", "2027-03-22")] {
        let scene = scene(&series, &["2027-01-31"], today);
        let over = turn_over(&series, scene, None, &weekly()).unwrap();
        assert_eq!(slots(&over.goes), ["2027-01-31"]);
        assert!(over.leads.is_empty() && over.at.after.is_none());
        assert_eq!((over.at.from, over.at.counts_from), (day(from), day(from)));
    }
}

#[test]
fn what_stays_leads_over_and_has_its_day_for_itself() {
    let series = series("FREQ=MONTHLY");
    let scene = scene(&series, &["2027-01-31*"], "2027-01-20");
    let over = turn_over(&series, scene, None, &weekly()).unwrap();
    assert_eq!(slots(&over.stays), ["2027-01-31"]);
    assert_eq!(over.leads, [over.stays[0].id]);
    assert_eq!(over.at.from, day("2027-02-01"));
    assert_eq!(over.at.counts_from, day("2027-01-31"));
}

#[test]
fn of_several_the_newest_leads_over_and_on_schedule_all_do() {
    let mut series = series("FREQ=DAILY");
    let open = ["2027-01-31*", "2027-02-01", "2027-02-02*"];
    for (mode, leads) in [
        (GenerationMode::OnCompletion, 1),
        (GenerationMode::OnSchedule, 2),
    ] {
        series.generation.mode = mode;
        let over = turn_over(
            &series,
            scene(&series, &open, "2027-01-20"),
            None,
            &weekly(),
        );
        let over = over.unwrap();
        assert_eq!(slots(&over.stays), ["2027-01-31", "2027-02-02"]);
        assert_eq!(slots(&over.goes), ["2027-02-01"]);
        assert_eq!(over.leads.len(), leads);
        assert_eq!(over.leads.last(), Some(&over.stays[1].id));
        assert_eq!(over.at.after.unwrap().0, over.stays[1].id);
    }
}

#[test]
fn another_zone_is_another_time() {
    let at = |time_zone: &str| event_schema::TimeValue::Local {
        local: "2027-01-31T09:00:00".parse().unwrap(),
        time_zone: time_zone.to_owned(),
    };
    let series = fixtures::series("FREQ=MONTHLY", at("Europe/Berlin"));
    for (zone, stays) in [("Europe/Berlin", 1), ("Asia/Tokyo", 0)] {
        let edit = SeriesEdit {
            due: Some(at(zone)),
            ..SeriesEdit::default()
        };
        let scene = scene(&series, &["2027-01-31T09:00"], "2027-01-20");
        let over = turn_over(&series, scene, None, &edit).unwrap();
        assert_eq!(over.stays.len(), stays, "{zone}");
    }
}

#[test]
fn a_paused_series_waits_for_its_newest_whatever_became_of_it() {
    let mut series = series("FREQ=MONTHLY");
    series.status = SeriesStatus::Paused;
    let open = turn_over(
        &series,
        scene(&series, &["2027-01-31"], "2027-03-22"),
        None,
        &weekly(),
    );
    assert_eq!(slots(&open.unwrap().stays), ["2027-01-31"]);

    let done = Task {
        status: Status::Completed,
        ..task(&series, "2027-01-31")
    };
    let finished: Slot = "2027-01-31".parse().unwrap();
    let nothing_open = Scene {
        newest: Some((done.id, finished)),
        finished: Some(finished),
        turn: Some(Turn {
            slot: "2027-02-28".parse().unwrap(),
            index: 2,
            missed_count: 0,
        }),
        ..scene(&series, &[], "2027-02-10")
    };
    let over = turn_over(&series, nothing_open, None, &weekly()).unwrap();
    assert_eq!(
        (over.leads, over.at.from),
        (vec![done.id], day("2027-02-28"))
    );
}
