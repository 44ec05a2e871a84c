//! What became of reminders is read, and kept by others.

use event_schema::Topic;
use serde_json::json;
use test_support::fixture;

use crate::suite;

#[tokio::test]
async fn a_fired_reminder_changes_nothing_here() {
    let mut suite = suite().await;
    let due = fixture::local("2027-01-31T09:00", "Europe/Berlin");
    let task = fixture::task("Pay rent").due(due).reminder(-600).created();
    let at = fixture::instant("2027-01-31T07:50:00Z");

    let story = fixture::reminders(task.state())
        .scheduled(1, at)
        .fired(1, at);
    suite.deliver(story.events()).await;

    assert_eq!(suite.ledger().last_position().await.unwrap(), 0);
    suite.finish().await;
}

#[tokio::test]
async fn one_that_cannot_be_read_is_parked() {
    let mut suite = suite().await;
    let due = fixture::local("2027-01-31T09:00", "Europe/Berlin");
    let task = fixture::task("Pay rent").due(due).reminder(-600).created();
    let at = fixture::instant("2027-01-31T07:50:00Z");
    let mut event = fixture::reminders(task.state()).scheduled(1, at).last();
    event["data"]["change"] = json!(7);

    suite.expect_dead_letters(1);
    assert_eq!(
        suite.deliver_single(Topic::ReminderEvents, &event).await,
        "SUCCESS"
    );
    suite.finish().await;
}
