//! Makes the clocks of replicas agree, by the database they share.

use std::time::Duration;

use chrono::TimeDelta;
use clock::{Clock, SharedClock};
use database::Database;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::{Error, metrics};

/// How often the clock is corrected.
const PERIOD: Duration = Duration::from_mins(1);
/// What a measurement may be wrong by: less is no reason to step the clock.
const TOLERANCE: TimeDelta = TimeDelta::milliseconds(1);
/// A machine whose clock is so wrong wants an operator.
const SUSPICIOUS: TimeDelta = TimeDelta::seconds(1);

/// Corrects the clock so that it shows the time of the database; returns by how much.
///
/// Call it once before the first command, and keep it true with [`keep_clock_correct`]. On SQLite the
/// clock stays as it is.
pub async fn correct_clock(database: &Database, clock: &dyn Clock) -> Result<TimeDelta, Error> {
    // Measured with the clock as it is, so this is what is still missing.
    let missing = database.clock_offset(|| clock.now()).await?;
    metrics::clock_offset(missing);
    if missing.abs() <= TOLERANCE {
        return Ok(TimeDelta::zero());
    }
    clock.correct(missing);
    if missing.abs() > SUSPICIOUS {
        warn!("the clock of this machine was {missing} behind the database's: corrected");
    }
    Ok(missing)
}

/// Corrects the clock every minute until `stop`. A worker of every service.
pub async fn keep_clock_correct(database: Database, clock: SharedClock, stop: CancellationToken) {
    while stop
        .run_until_cancelled(tokio::time::sleep(PERIOD))
        .await
        .is_some()
    {
        if let Err(error) = correct_clock(&database, clock.as_ref()).await {
            warn!("the clock could not be compared with the database's: {error}");
        }
    }
}
