//! The durable log: topics, partitions, offsets, in one SQLite file.

mod groups;
mod open;
pub(crate) mod partition;
mod record;
mod retention;
mod tail;
mod transaction;
mod writer;
mod writing;

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use clock::SharedClock;
use futures_util::TryStreamExt;
use sqlx::sqlite::SqlitePool;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

pub use groups::GroupPosition;
pub(crate) use partition::Partition;
pub use record::{Headers, NewRecord, Record};
pub use tail::Tail;
pub(crate) use writer::Progress;

use crate::Error;
use groups::Groups;
use record::RecordRow;
use writer::{Append, Job};

/// One read returns about this much at most, though always a record.
const LARGEST_READ: usize = 4 * 1024 * 1024;

/// A handle of the broker. Clones are the same broker.
#[derive(Clone, Debug)]
pub struct Broker(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    topics: BTreeMap<String, Vec<Arc<Partition>>>,
    clock: SharedClock,
    readers: SqlitePool,
    /// `None` once the broker is closed.
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    /// False from a failed write to the next one that is kept.
    is_writable: watch::Receiver<bool>,
    groups: Groups,
    next_keyless: AtomicUsize,
    /// Held while the broker is open: a second process would hand out the same offsets.
    lock: Mutex<Option<File>>,
}

impl Broker {
    /// Appends records to a topic in one transaction. `Ok` means that they are on disk.
    pub async fn publish(&self, topic: &str, records: Vec<NewRecord>) -> Result<(), Error> {
        self.append(topic, records, None).await
    }

    /// Appends records and, in the same transaction, notes how far a group has consumed.
    pub(crate) async fn append(
        &self,
        topic: &str,
        records: Vec<NewRecord>,
        progress: Option<Progress>,
    ) -> Result<(), Error> {
        let partitions = self.partitions_of(topic)?;
        let records = records
            .into_iter()
            .map(|record| {
                (
                    Arc::clone(&partitions[self.choose(&record, partitions.len())]),
                    record,
                )
            })
            .collect();
        let (done, appended) = oneshot::channel();
        let timestamp = self.0.clock.now().timestamp_millis();
        let job = Append {
            records,
            timestamp,
            progress: progress.clone(),
            done,
        };
        self.send(Job::Append(job)).await?;
        appended
            .await
            .map_err(|_| Error::Closed)?
            .map_err(Error::Write)?;
        if let Some(progress) = &progress {
            self.0.groups.advance(progress);
        }
        self.0.groups.changed();
        Ok(())
    }

    /// Reads records from an offset on: at most `limit` of them, and not more than about 4 MiB.
    pub async fn read(
        &self,
        topic: &str,
        partition: u16,
        from: u64,
        limit: u32,
    ) -> Result<Vec<Record>, Error> {
        self.read_partition(self.partition(topic, partition)?, from, limit)
            .await
    }

    pub(crate) async fn read_partition(
        &self,
        partition: &Partition,
        from: u64,
        limit: u32,
    ) -> Result<Vec<Record>, Error> {
        let mut rows = sqlx::query_as::<_, RecordRow>(
            "select position, timestamp, key, value, headers
               from records
              where position between $1 and $2
              order by position
              limit $3 + 0",
        )
        .bind(partition.position(from))
        .bind(partition.last_position())
        .bind(limit)
        .fetch(&self.0.readers);
        let mut records = Vec::new();
        let mut bytes = 0;
        while let Some(row) = rows.try_next().await.map_err(Error::Read)? {
            let record = row.into_record(partition);
            bytes += record.value.as_ref().map_or(0, bytes::Bytes::len);
            if bytes > LARGEST_READ && !records.is_empty() {
                break;
            }
            records.push(record);
        }
        Ok(records)
    }

    /// Whether the last write was kept. After one that failed the next is tried within a second.
    pub fn is_writable(&self) -> bool {
        *self.0.is_writable.borrow()
    }

    /// The names of all topics.
    pub fn topics(&self) -> Vec<&str> {
        self.0.topics.keys().map(String::as_str).collect()
    }

    /// How many partitions a topic has.
    pub fn partitions(&self, topic: &str) -> Result<u16, Error> {
        let count = self.partitions_of(topic)?.len();
        Ok(u16::try_from(count).unwrap_or(u16::MAX))
    }

    /// The offset that the next record of a partition will get.
    pub fn end(&self, topic: &str, partition: u16) -> Result<u64, Error> {
        Ok(self.partition(topic, partition)?.end())
    }

    /// Watches [`end`](Self::end): changes as soon as a record is durable.
    pub fn watch(&self, topic: &str, partition: u16) -> Result<watch::Receiver<u64>, Error> {
        Ok(self.partition(topic, partition)?.end.subscribe())
    }

    /// Stops accepting, writes what is queued and closes the file.
    pub async fn close(&self) {
        drop(lock(&self.0.jobs).take());
        // Readers cannot move the write-ahead log to the file: the writer has to be the last.
        self.0.readers.close().await;
        let writer = lock(&self.0.writer).take();
        if let Some(writer) = writer
            && let Err(error) = writer.await
        {
            tracing::error!("the broker's writer failed: {error}");
        }
        drop(lock(&self.0.lock).take());
    }

    pub(crate) fn partitions_of(&self, topic: &str) -> Result<&[Arc<Partition>], Error> {
        let partitions = self.0.topics.get(topic).map(Vec::as_slice);
        partitions.ok_or_else(|| Error::UnknownTopic(topic.to_owned()))
    }

    fn partition(&self, topic: &str, number: u16) -> Result<&Arc<Partition>, Error> {
        let partitions = self.partitions_of(topic)?;
        partitions
            .get(usize::from(number))
            .ok_or_else(|| Error::UnknownPartition {
                topic: topic.to_owned(),
                partition: number,
            })
    }

    fn choose(&self, record: &NewRecord, partitions: usize) -> usize {
        match &record.key {
            Some(key) => partition::of_key(key, partitions),
            None => self.0.next_keyless.fetch_add(1, Ordering::Relaxed) % partitions.max(1),
        }
    }

    async fn send(&self, job: Job) -> Result<(), Error> {
        let jobs = lock(&self.0.jobs).clone().ok_or(Error::Closed)?;
        jobs.send(job).await.map_err(|_| Error::Closed)
    }
}

/// What these locks protect is replaced whole: a panic cannot leave it half-written.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
