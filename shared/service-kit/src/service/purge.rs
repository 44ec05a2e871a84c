//! Forgets old idempotency keys and inbox rows.

use chrono::TimeDelta;
use clock::SharedClock;
use event_store::Ledger;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How often it looks.
const PERIOD: TimeDelta = TimeDelta::hours(1);

/// Purges now and every hour until `stop`.
pub(super) async fn run(ledger: Ledger, clock: SharedClock, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match ledger.purge().await {
            Ok(0) => {}
            Ok(rows) => info!(rows, "purged {rows} rows"),
            Err(error) => warn!(%error, "cannot purge: {error}"),
        }
        let next = clock.now() + PERIOD;
        stop.run_until_cancelled(clock.sleep_until(next)).await;
    }
}
