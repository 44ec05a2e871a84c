//! Timers that were written by the rules of yesterday become what the states say today.

use database::{on, sqlx};
use futures_util::FutureExt;

use super::{at, create_due};
use crate::fixture::{Fixture, TestTask};

/// By the rules of yesterday the timers of some streams were due elsewhen.
async fn move_timers(fixture: &Fixture, count: u16) {
    let mut tx = fixture.ledger.database().begin().await.unwrap();
    let moved = on!(&mut tx, conn => sqlx::query(
        "update timer set fire_at = $1 where stream_id in
             (select stream_id from stream order by stream_id limit $2 + 0)")
        .bind(at(3_600)).bind(i64::from(count))
        .execute(conn).await.map(|done| done.rows_affected()));
    assert_eq!(moved.unwrap(), u64::from(count));
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn timers_that_are_not_what_the_states_say_are_renewed() {
    for fixture in Fixture::every().await {
        for id in 1..=600 {
            create_due(&fixture, id, 60).await;
        }
        move_timers(&fixture, 300).await; // Every other one.
        fixture.clock.set(at(60));
        let claimed = fixture.ledger.claim_due_timers::<TestTask>(100).await;
        assert_eq!(claimed.unwrap().len(), 100);

        let renew = || fixture.ledger.renew_timers::<TestTask>();
        assert_eq!(renew().await.unwrap(), 300);
        assert_eq!(renew().await.unwrap(), 0);

        let free = fixture.ledger.claim_due_timers::<TestTask>(1_000).await;
        assert_eq!(free.unwrap().len(), 500, "what was claimed stays so");
    }
}

#[tokio::test]
async fn a_renewal_wakes_whoever_waits_when_it_changed_a_timer() {
    for fixture in Fixture::every().await {
        create_due(&fixture, 1, 10).await;
        while fixture.ledger.timers_changed().now_or_never().is_some() {}
        let renew = || fixture.ledger.renew_timers::<TestTask>();

        assert_eq!(renew().await.unwrap(), 0);
        assert!(fixture.ledger.timers_changed().now_or_never().is_none());

        move_timers(&fixture, 1).await;
        assert_eq!(renew().await.unwrap(), 1);
        assert!(fixture.ledger.timers_changed().now_or_never().is_some());
    }
}
