//! How far the database's clock is from ours.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{Database, Error};

/// Round trips of a measurement: the median leaves out those that something delayed.
const ROUND_TRIPS: usize = 5;

impl Database {
    /// How far PostgreSQL's clock is ahead of `now`, the reader of ours: the median of a few round
    /// trips, each corrected by half of its time. Zero on SQLite, which has no clock of its own.
    ///
    /// Adding it to what `now` shows makes replicas agree about the time.
    pub async fn clock_offset(
        &self,
        now: impl Fn() -> DateTime<Utc> + Send + Sync,
    ) -> Result<TimeDelta, Error> {
        let Self::Postgres(pool) = self else {
            return Ok(TimeDelta::zero());
        };
        let mut connection = pool.acquire().await?;
        let mut offsets = Vec::with_capacity(ROUND_TRIPS);
        for round in 0..=ROUND_TRIPS {
            let sent = now();
            let (there,): (DateTime<Utc>,) = sqlx::query_as("select clock_timestamp()")
                .fetch_one(&mut *connection)
                .await?;
            let answered = now();
            if round > 0 {
                // The first one also prepares the statement.
                offsets.push(there - (sent + (answered - sent) / 2));
            }
        }
        offsets.sort_unstable();
        Ok(offsets[ROUND_TRIPS / 2])
    }
}
