//! Forgets old idempotency keys and inbox rows.

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::app::AppState;
use crate::error::Error;

/// How often it looks.
const PERIOD: TimeDelta = TimeDelta::hours(1);

/// Purges now and every hour until `stop`.
pub async fn run(app: AppState, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match run_once(&app).await {
            Ok(0) => {}
            Ok(rows) => info!(rows, "purged {rows} rows"),
            Err(error) => warn!(%error, "cannot purge: {error}"),
        }
        let next = app.clock.now() + PERIOD;
        stop.run_until_cancelled(app.clock.sleep_until(next)).await;
    }
}

/// Purges once; returns how many rows went.
pub async fn run_once(app: &AppState) -> Result<usize, Error> {
    let rows = app.ledger.purge().await?;
    Ok(usize::try_from(rows).unwrap_or(usize::MAX))
}
