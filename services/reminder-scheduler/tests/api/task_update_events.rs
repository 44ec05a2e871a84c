//! `task-update-events`: a changed task is planned anew.

use test_support::TestSuite;
use test_support::fixture::{self, local};

use crate::{CANCELLED, FIRED, SCHEDULED, its_time, parts, rent};

#[tokio::test]
async fn a_task_that_is_moved_fires_at_its_new_time_only() {
    let mut suite = TestSuite::start(parts).await;
    let story = rent().created();
    suite.deliver(story.events()).await;
    suite
        .deliver(story.due(local("2026-11-22T14:00", "UTC")).events())
        .await;

    suite.set_now(its_time());
    suite.run_workers().await;
    assert_eq!(suite.published_types(), [SCHEDULED, SCHEDULED]);

    suite.advance(chrono::TimeDelta::hours(2));
    suite.run_workers().await;
    let fired = suite.published_of(FIRED);
    assert_eq!(
        fired[0]["data"]["change"]["scheduled_for"],
        "2026-11-22T13:50:00Z"
    );
    assert_eq!(fired.len(), 1);
    suite.finish().await;
}

#[tokio::test]
async fn a_notification_shows_the_newest_title() {
    let mut suite = TestSuite::start(parts).await;
    let story = rent().created();
    suite.deliver(story.events()).await;
    suite.deliver(story.renamed("Pay the rent").events()).await;

    suite.set_now(its_time());
    suite.run_workers().await;

    let fired = &suite.published_of(FIRED)[0];
    assert_eq!(fired["data"]["reminders"]["title"], "Pay the rent");
    assert_eq!(suite.published_types(), [SCHEDULED, FIRED]); // The title alone is nobody's news.
    suite.finish().await;
}

#[tokio::test]
async fn a_removed_reminder_is_cancelled() {
    let mut suite = TestSuite::start(parts).await;
    let story = rent().created();
    suite.deliver(story.events()).await;
    suite.deliver(story.without_reminders().events()).await;

    suite.set_now(its_time());
    suite.run_workers().await;

    assert_eq!(suite.published_types(), [SCHEDULED, CANCELLED]);
    suite.finish().await;
}

#[tokio::test]
async fn an_update_that_overtakes_the_creation_makes_the_plan() {
    let mut suite = TestSuite::start(parts).await;
    let story = rent().created().renamed("Pay the rent");

    suite.deliver_in_order([story.last()]).await;
    suite.deliver_in_order(story.events()).await;
    suite.run_workers().await;

    assert_eq!(suite.published_types(), [SCHEDULED]);
    suite.finish().await;
}

#[tokio::test]
async fn what_floats_fires_where_its_owner_is() {
    for mut suite in TestSuite::every(parts).await {
        let story = fixture::task("Pills")
            .due(local("2026-11-22T21:00", "floating"))
            .reminder(-600)
            .created();
        suite.deliver(story.events()).await;
        // At nine in the evening there it is noon in UTC.
        suite.deliver(story.home_zone("Asia/Tokyo").events()).await;

        suite.set_now(its_time());
        suite.run_workers().await;

        let fired = suite.published_of(FIRED);
        assert_eq!(
            fired[0]["data"]["change"]["scheduled_for"],
            "2026-11-22T11:50:00Z"
        );
        suite.advance(chrono::TimeDelta::hours(12));
        suite.run_workers().await;
        assert_eq!(suite.published_of(FIRED).len(), 1);
        suite.finish().await;
    }
}
