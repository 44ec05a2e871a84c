//! Retention: what the contract says may go.

use chrono::{DateTime, TimeDelta, Utc};
use event_schema::topic::{self, Cleanup};
use tokio::sync::oneshot;

use super::writer::{Delete, Job};
use super::{Broker, Partition};
use crate::Error;

/// One run deletes this many records per partition at most; the next run takes the rest.
const LARGEST_RUN: i64 = 50_000;

/// One transaction deletes this many, so that publishers do not wait for long.
const DELETED_AT_ONCE: usize = 500;

impl Broker {
    /// Deletes what the contract no longer keeps, whether it was consumed or not; returns how many.
    pub async fn run_retention(&self, now: DateTime<Utc>) -> Result<usize, Error> {
        let mut deleted = 0;
        for contract in topic::contracts() {
            for partition in self.partitions_of(contract.name)? {
                let positions = self.expired(partition, contract.cleanup, now).await?;
                for chunk in positions.chunks(DELETED_AT_ONCE) {
                    self.delete(chunk.to_vec()).await?;
                }
                deleted += positions.len();
            }
        }
        Ok(deleted)
    }

    async fn expired(
        &self,
        partition: &Partition,
        cleanup: Cleanup,
        now: DateTime<Utc>,
    ) -> Result<Vec<i64>, Error> {
        let (statement, age) = match cleanup {
            Cleanup::Delete { retention } => (
                "select position
                   from records
                  where position between $1 and $2 and timestamp < $3
                  order by position
                  limit $4 + 0",
                retention,
            ),
            // A tombstone has done its work when it is as old as that.
            Cleanup::Compact { lag } => (
                "select position
                   from (select position, timestamp, key, value,
                                max(position) over (partition by key) as newest
                           from records
                          where position between $1 and $2)
                  where timestamp < $3
                    and key is not null
                    and (position < newest or value is null)
                  order by position
                  limit $4 + 0",
                lag,
            ),
        };
        let age = TimeDelta::from_std(age).unwrap_or(TimeDelta::MAX);
        let cutoff = now
            .checked_sub_signed(age)
            .unwrap_or(DateTime::<Utc>::MIN_UTC);
        sqlx::query_scalar(statement)
            .bind(partition.position(0))
            .bind(partition.last_position())
            .bind(cutoff.timestamp_millis())
            .bind(LARGEST_RUN)
            .fetch_all(&self.0.readers)
            .await
            .map_err(Error::Read)
    }

    async fn delete(&self, positions: Vec<i64>) -> Result<(), Error> {
        let (done, deleted) = oneshot::channel();
        self.send(Job::Delete(Delete { positions, done })).await?;
        deleted
            .await
            .map_err(|_| Error::Closed)?
            .map_err(Error::Write)
    }
}
