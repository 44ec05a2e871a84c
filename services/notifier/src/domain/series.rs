//! What is told when a series has no further occurrence.

use event_schema::{EventId, NotificationKind, SeriesProgress, notification_id};

use super::notification::NewNotification;

/// What the owner of a series is told of its progress: that the rule has run out. Who ends a series
/// knows it, so `series.ended` tells nothing.
pub fn exhausted(progress: &SeriesProgress) -> Option<NewNotification> {
    let series = progress.series.as_ref().filter(|_| progress.exhausted)?;
    let (series_id, user_id) = (progress.series_id, progress.owner_id);
    let kind = NotificationKind::SeriesEnded;
    Some(NewNotification {
        // A rule that is changed and runs out again is not told again.
        id: notification_id(EventId(series_id.as_uuid()), user_id, kind.name()),
        user_id,
        kind,
        title: series.template.title.clone(),
        body: "It does not repeat any more.".to_owned(),
        task_id: None,
        series_id: Some(series_id),
        scheduled_for: None,
        missed: None,
    })
}

#[cfg(test)]
mod tests {
    use test_support::fixture;

    use super::*;

    #[test]
    fn only_a_rule_that_has_run_out_is_told() {
        let story = fixture::series("Water the plants", "FREQ=DAILY;COUNT=2").started();
        let progress = fixture::progress(story.state()).occurrence_due("2026-11-24", 2);
        assert_eq!(exhausted(progress.state()), None);

        let told = exhausted(progress.exhausted("2026-11-24").state()).unwrap();

        assert_eq!(told.title, "Water the plants");
        assert_eq!(told.series_id, Some(story.state().id));
    }

    #[test]
    fn a_series_has_one_such_notification() {
        let story = fixture::series("Water the plants", "FREQ=DAILY;COUNT=2").started();
        let told = |last_slot| {
            let progress = fixture::progress(story.state()).exhausted(last_slot);
            exhausted(progress.state()).unwrap().id
        };
        assert_eq!(told("2026-11-24"), told("2026-11-25"));
    }
}
