//! Series that run out and series that are ended.

use http::StatusCode;
use test_support::fixture;

use super::{suite, text, titles};

#[tokio::test]
async fn a_series_that_runs_out_and_is_ended_is_told_once() {
    let mut suite = suite().await;
    let series = fixture::series("Water the plants", "FREQ=DAILY;COUNT=2").started();
    let progress = fixture::progress(series.state())
        .occurrence_due("2026-11-24", 2)
        .exhausted("2026-11-24");
    let ended = series.ended();

    let events = [ended.events(), progress.events()].concat();
    suite.deliver(events).await;
    suite.run_workers().await;

    assert_eq!(titles(&suite).await, ["Water the plants"]);
    let page = suite.get("/v1/notifications", StatusCode::OK).await;
    assert_eq!(text(&page["items"][0], "type"), "series.ended");
    let series_id = ended.state().id.to_string();
    assert_eq!(text(&page["items"][0], "series_id"), series_id);
    assert_eq!(suite.published_types(), ["notification.created.v1"]);
    suite.finish().await;
}

#[tokio::test]
async fn who_ends_a_series_is_not_told_of_it() {
    let mut suite = suite().await;
    let series = fixture::series("Water the plants", "FREQ=DAILY").started();

    suite.deliver(series.ended().events()).await;

    assert!(titles(&suite).await.is_empty());
    suite.finish().await;
}

#[tokio::test]
async fn a_series_that_goes_on_is_not_told() {
    let mut suite = suite().await;
    let series = fixture::series("Water the plants", "FREQ=DAILY").started();
    let progress = fixture::progress(series.state()).occurrence_due("2026-11-24", 2);

    suite.deliver(progress.events()).await;
    suite.deliver(series.paused().resumed().events()).await;

    assert!(titles(&suite).await.is_empty());
    suite.finish().await;
}
