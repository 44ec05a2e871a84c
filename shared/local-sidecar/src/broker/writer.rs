//! The one writer: whatever queued while a commit was being flushed shares the next transaction.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use super::partition::Partition;
use super::record::NewRecord;
use super::transaction::{Offsets, Transaction};
use super::writing::Writing;

/// What one transaction takes at most.
const LARGEST_BATCH: usize = 4096;
const LARGEST_BATCH_BYTES: usize = 8 * 1024 * 1024;

/// After a failed write the next one, at least a trial, waits so long, unless somebody publishes.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// How far a group has consumed: everything below the offset.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    pub(crate) group: Arc<str>,
    pub(crate) partition_id: i64,
    pub(crate) next_offset: u64,
}

/// Records for one partition each, and the progress that goes with them.
#[derive(Debug)]
pub(super) struct Append {
    pub(super) records: Vec<(Arc<Partition>, NewRecord)>,
    pub(super) timestamp: i64,
    pub(super) progress: Option<Progress>,
    pub(super) done: oneshot::Sender<Result<(), String>>,
}

/// Records to be deleted.
#[derive(Debug)]
pub(super) struct Delete {
    pub(super) positions: Vec<i64>,
    pub(super) done: oneshot::Sender<Result<(), String>>,
}

#[derive(Debug)]
pub(super) enum Job {
    Append(Append),
    /// Durable with the next append, or after a while: losing it redelivers, and that is allowed.
    Advance(Progress),
    Delete(Delete),
}

/// Owns the writing connection. Ends, after writing what is queued, when every sender is gone.
pub(super) struct Writer {
    writing: Writing,
    jobs: mpsc::Receiver<Job>,
    commit_interval: Duration,
    unsaved: Offsets,
    save_at: Option<Instant>,
    /// Whether the last write failed: it may be on disk all the same.
    in_doubt: bool,
    /// Whether the last write was kept.
    writable: watch::Sender<bool>,
}

impl Writer {
    pub(super) fn new(
        writing: Writing,
        jobs: mpsc::Receiver<Job>,
        commit_interval: Duration,
        writable: watch::Sender<bool>,
    ) -> Self {
        let unsaved = Offsets::new();
        Self {
            writing,
            jobs,
            commit_interval,
            unsaved,
            save_at: None,
            in_doubt: false,
            writable,
        }
    }

    pub(super) async fn run(mut self) {
        loop {
            let save_at = self.save_at;
            let due = async {
                match save_at {
                    Some(at) => sleep_until(at).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                biased;
                () = due => self.commit(Vec::new(), Vec::new()).await,
                job = self.jobs.recv() => match job {
                    Some(job) => self.take(job).await,
                    None => break,
                },
            }
        }
        self.commit(Vec::new(), Vec::new()).await;
        if let Err(error) = self.writing.close().await {
            tracing::warn!("closing the broker's file failed: {error}");
        }
    }

    /// Takes the job and everything that queued behind it.
    async fn take(&mut self, first: Job) {
        let mut appends = Vec::new();
        let mut deletes = Vec::new();
        let (mut count, mut bytes) = (0, 0);
        let mut next = Some(first);
        while let Some(job) = next {
            match job {
                Job::Append(append) => {
                    count += append.records.len();
                    bytes += append
                        .records
                        .iter()
                        .map(|(_, record)| size(record))
                        .sum::<usize>();
                    appends.push(append);
                }
                Job::Advance(progress) => {
                    count += 1;
                    self.unsaved.note(progress);
                    self.save_at
                        .get_or_insert_with(|| Instant::now() + self.commit_interval);
                }
                Job::Delete(delete) => {
                    count += delete.positions.len();
                    deletes.push(delete);
                }
            }
            let full = count >= LARGEST_BATCH || bytes >= LARGEST_BATCH_BYTES;
            next = if full {
                None
            } else {
                self.jobs.try_recv().ok()
            };
        }
        if !(appends.is_empty() && deletes.is_empty()) {
            self.commit(appends, deletes).await;
        }
    }

    async fn commit(&mut self, mut appends: Vec<Append>, deletes: Vec<Delete>) {
        let mut offsets = self.unsaved.clone();
        for progress in appends
            .iter_mut()
            .filter_map(|append| append.progress.take())
        {
            offsets.note(progress);
        }
        let transaction = Transaction {
            appends: &appends,
            offsets: &offsets,
            deletes: &deletes,
            in_doubt: self.in_doubt,
        };
        let outcome = match self.writing.connection().await {
            Ok(connection) => transaction.run(connection).await,
            Err(error) => Err(error),
        }
        .map_err(|error| error.to_string());
        self.in_doubt = outcome.is_err();
        self.writable.send_replace(outcome.is_ok());
        match &outcome {
            Ok(ends) => {
                self.unsaved = Offsets::new();
                self.save_at = None;
                ends.publish();
            }
            Err(error) => {
                tracing::error!("the broker could not write: {error}");
                self.save_at = Some(Instant::now() + AFTER_FAILURE);
                self.writing.discard().await;
            }
        }
        let answers = appends.into_iter().map(|append| append.done);
        for done in answers.chain(deletes.into_iter().map(|delete| delete.done)) {
            // Whoever asked may have gone away.
            let _gone = done.send(outcome.as_ref().map(|_| ()).map_err(Clone::clone));
        }
    }
}

fn size(record: &NewRecord) -> usize {
    record.value.as_ref().map_or(0, bytes::Bytes::len)
}

#[cfg(test)]
mod tests {
    use sqlx::AssertSqlSafe;
    use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};

    use super::*;

    async fn writer(file: &std::path::Path) -> (Writer, Arc<Partition>) {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal);
        let mut writing = Writing::open(options).await.unwrap();
        let schema = concat!(
            include_str!("schema.sql"),
            "insert into partitions (partition_id, topic, partition) values (1, 't', 0)"
        );
        let connection = writing.connection().await.unwrap();
        sqlx::raw_sql(schema).execute(connection).await.unwrap();
        let partition = Partition {
            id: 1,
            topic: "t".to_owned(),
            number: 0,
            end: watch::Sender::new(0),
        };
        let (_, jobs) = mpsc::channel(1);
        let writable = watch::Sender::new(true);
        let writer = Writer::new(writing, jobs, Duration::from_secs(1), writable);
        (writer, Arc::new(partition))
    }

    async fn append(
        writer: &mut Writer,
        partition: &Arc<Partition>,
        size: usize,
    ) -> Result<(), String> {
        let record = NewRecord {
            value: Some(vec![b'x'; size].into()),
            ..NewRecord::default()
        };
        let (done, appended) = oneshot::channel();
        let append = Append {
            records: vec![(Arc::clone(partition), record)],
            timestamp: 0,
            progress: None,
            done,
        };
        writer.commit(vec![append], Vec::new()).await;
        appended.await.unwrap()
    }

    /// Holds for every connection from now on.
    async fn limit_pages(writer: &mut Writer, pages: &'static str) {
        let options = writer.writing.options.clone();
        writer.writing.options = options.pragma("max_page_count", pages);
        let connection = writer.writing.connection().await.unwrap();
        let pragma = format!("pragma max_page_count = {pages}");
        sqlx::query(AssertSqlSafe(pragma))
            .execute(connection)
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn a_full_disk_heals_without_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let (mut writer, partition) = writer(&directory.path().join("broker.db")).await;
        limit_pages(&mut writer, "1").await; // As many as there are.
        for _ in 0..2 {
            let full = append(&mut writer, &partition, 1024 * 1024).await;
            assert!(full.unwrap_err().contains("full"));
            assert!(!*writer.writable.borrow());
        }

        limit_pages(&mut writer, "100000").await;
        append(&mut writer, &partition, 1).await.unwrap();
        append(&mut writer, &partition, 1024 * 1024).await.unwrap();

        assert_eq!(partition.end(), 2);
        assert!(*writer.writable.borrow());
    }
}
