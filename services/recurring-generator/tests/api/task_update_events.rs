//! `task-update-events`: changes of tasks, which tell where the task stands.

use test_support::TestSuite;
use test_support::fixture::{series, task};

use crate::{announced, parts};

#[tokio::test]
async fn an_update_that_overtakes_the_completion_finishes_the_occurrence() {
    let mut suite = TestSuite::start(parts).await;
    let weekly = series("Water the plants", "FREQ=WEEKLY").started();
    let story = task("Water the plants").occurrence(weekly.state(), "2026-11-23", 1);
    let story = story.created().completed().renamed("Water the flowers");
    suite.deliver(weekly.events()).await;

    suite.deliver_in_order([story.last()]).await;
    suite.run_workers().await;
    assert_eq!(announced(&suite), ["2026-11-30"]);

    suite.deliver(story.events()).await;
    suite.run_workers().await;
    assert_eq!(announced(&suite), ["2026-11-30"]);
    suite.finish().await;
}
