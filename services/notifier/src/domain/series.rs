//! What is told when a series has no further occurrence.

use event_schema::{
    EventId, NotificationKind, Series, SeriesId, SeriesProgress, SeriesStatus, UserId,
    notification_id,
};

use super::notification::NewNotification;

/// What the owner of a series is told of its state: that it has ended.
pub fn ended(series: &Series) -> Option<NewNotification> {
    (series.status == SeriesStatus::Ended)
        .then(|| notification(series.id, series.owner_id, &series.template.title))
}

/// What the owner of a series is told of its progress: that the rule has run out.
pub fn exhausted(progress: &SeriesProgress) -> Option<NewNotification> {
    let series = progress.series.as_ref().filter(|_| progress.exhausted)?;
    Some(notification(
        progress.series_id,
        progress.owner_id,
        &series.template.title,
    ))
}

/// That the rule has run out and that the series has ended are told by two services, in any order:
/// the id comes from the series, so that both make one notification.
fn notification(series_id: SeriesId, owner_id: UserId, title: &str) -> NewNotification {
    let kind = NotificationKind::SeriesEnded;
    NewNotification {
        id: notification_id(EventId(series_id.as_uuid()), owner_id, kind.name()),
        user_id: owner_id,
        kind,
        title: title.to_owned(),
        body: "It does not repeat any more.".to_owned(),
        task_id: None,
        series_id: Some(series_id),
        scheduled_for: None,
    }
}

#[cfg(test)]
mod tests {
    use test_support::fixture;

    use super::*;

    #[test]
    fn only_an_ended_series_is_told() {
        let story = fixture::series("Water the plants", "FREQ=DAILY;COUNT=2").started();
        assert_eq!(ended(story.state()), None);
        assert_eq!(ended(story.clone().paused().state()), None);
        let told = ended(story.ended().state()).unwrap();
        assert_eq!(told.title, "Water the plants");
    }

    #[test]
    fn running_out_and_ending_are_the_same_notification() {
        let story = fixture::series("Water the plants", "FREQ=DAILY;COUNT=2").started();
        let progress = fixture::progress(story.state()).exhausted("2026-11-24");

        assert_eq!(exhausted(progress.state()), ended(story.ended().state()));
    }
}
