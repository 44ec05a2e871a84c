//! Reading the broker's file beside the process that has it open.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};

use super::partition::Partition;
use super::record::{Record, RecordRow};
use crate::Error;

/// How often the file is looked at while nothing comes. Another process cannot wake us.
const POLL: Duration = Duration::from_millis(100);
/// Records of one partition that a look reads at most.
const PER_LOOK: i64 = 500;

/// Follows the records of some topics, also while another process appends to them.
///
/// It only reads: no group moves, nothing is locked.
#[derive(Debug)]
pub struct Tail {
    connection: SqliteConnection,
    /// Each partition with the offset that is read next.
    cursors: Vec<(Partition, u64)>,
}

impl Tail {
    /// Begins with the next record of each topic, or with the oldest that is kept.
    pub async fn open(path: &Path, topics: &[String], from_start: bool) -> Result<Self, Error> {
        let failed = |source| Error::Open {
            path: path.to_owned(),
            source,
        };
        let options = SqliteConnectOptions::new().filename(path).read_only(true);
        let mut connection = SqliteConnection::connect_with(&options)
            .await
            .map_err(failed)?;
        let rows: Vec<(i64, String, u16, i64)> = sqlx::query_as(
            "select partition_id, topic, partition, next_offset from partitions
              order by topic, partition",
        )
        .fetch_all(&mut connection)
        .await
        .map_err(Error::Read)?;
        let mut cursors = Vec::new();
        for (id, topic, number, next_offset) in rows {
            if topics.contains(&topic) {
                let next = if from_start {
                    0
                } else {
                    next_offset.cast_unsigned()
                };
                let end = tokio::sync::watch::Sender::new(next);
                cursors.push((
                    Partition {
                        id,
                        topic,
                        number,
                        end,
                    },
                    next,
                ));
            }
        }
        Ok(Self {
            connection,
            cursors,
        })
    }

    /// What has come since the last look, in the order of time; empty when nothing has.
    pub async fn next_batch(&mut self) -> Result<Vec<Record>, Error> {
        let mut records = Vec::new();
        for (partition, next) in &mut self.cursors {
            let rows: Vec<RecordRow> = sqlx::query_as(
                "select position, timestamp, key, value, headers
                   from records
                  where position between $1 and $2
                  order by position
                  limit $3 + 0",
            )
            .bind(partition.position(*next))
            .bind(partition.last_position())
            .bind(PER_LOOK)
            .fetch_all(&mut self.connection)
            .await
            .map_err(Error::Read)?;
            let of_partition = rows.into_iter().map(|row| row.into_record(partition));
            let before = records.len();
            records.extend(of_partition);
            if let Some(last) = records[before..].last() {
                *next = last.offset + 1;
            }
        }
        records.sort_by_key(|record| record.timestamp); // Stable: order within a partition stays.
        Ok(records)
    }

    /// Waits before the next look.
    pub async fn wait(&self) {
        tokio::time::sleep(POLL).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use clock::SystemClock;

    use super::*;
    use crate::{Broker, NewRecord};

    async fn publish(broker: &Broker, value: &'static str) {
        let record = NewRecord {
            key: Some("k".to_owned()),
            value: Some(value.into()),
            ..NewRecord::default()
        };
        broker.publish("task-events", vec![record]).await.unwrap();
    }

    async fn values(tail: &mut Tail) -> Vec<String> {
        let records = tail.next_batch().await.unwrap();
        let text = |record: Record| String::from_utf8(record.value.unwrap().to_vec()).unwrap();
        records.into_iter().map(text).collect()
    }

    #[tokio::test]
    async fn a_tail_follows_beside_the_open_broker() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("broker.db");
        let clock = Arc::new(SystemClock::new());
        let broker = Broker::open(&file, clock, Duration::from_millis(1))
            .await
            .unwrap();
        publish(&broker, "before").await;
        let topics = ["task-events".to_owned()];

        let mut all = Tail::open(&file, &topics, true).await.unwrap();
        let mut new = Tail::open(&file, &topics, false).await.unwrap();
        publish(&broker, "after").await;

        assert_eq!(values(&mut all).await, ["before", "after"]);
        assert_eq!(values(&mut new).await, ["after"]);
        assert!(values(&mut all).await.is_empty());
        broker.close().await;
    }
}
