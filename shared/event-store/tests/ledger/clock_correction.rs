//! Replicas agree on the time, because each follows the database they share.

use chrono::TimeDelta;
use clock::SystemClock;
use event_store::correct_clock;

use crate::fixture::Fixture;

#[tokio::test]
async fn a_clock_that_is_an_hour_ahead_follows_the_database_it_shares() {
    for fixture in Fixture::every().await {
        let clock = SystemClock::new();
        clock.set_offset(TimeDelta::hours(1));

        let corrected = correct_clock(fixture.ledger.database(), &clock)
            .await
            .unwrap();

        // A SQLite file is shared with nobody: its process's clock is right by definition.
        let shared = matches!(fixture.ledger.database(), database::Database::Postgres(_));
        let expected = if shared {
            TimeDelta::zero()
        } else {
            TimeDelta::hours(1)
        };
        assert!(
            (clock.offset() - expected).abs() < TimeDelta::seconds(5),
            "{corrected}"
        );
    }
}
