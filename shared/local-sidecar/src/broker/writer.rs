//! The one writer: whatever queued while a commit was being flushed shares the next transaction.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use sqlx::{Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::partition::Partition;
use super::record::NewRecord;
use super::transaction::{Offsets, Transaction};

/// What one transaction takes at most.
const LARGEST_BATCH: usize = 4096;
const LARGEST_BATCH_BYTES: usize = 8 * 1024 * 1024;

/// After a failed write the next one waits so long, unless somebody publishes.
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
    connection: SqliteConnection,
    jobs: mpsc::Receiver<Job>,
    commit_interval: Duration,
    unsaved: Offsets,
    save_at: Option<Instant>,
    /// Whether the last write failed: it may be on disk all the same.
    in_doubt: bool,
}

impl Writer {
    pub(super) fn new(
        connection: SqliteConnection,
        jobs: mpsc::Receiver<Job>,
        commit_interval: Duration,
    ) -> Self {
        let unsaved = Offsets::new();
        Self {
            connection,
            jobs,
            commit_interval,
            unsaved,
            save_at: None,
            in_doubt: false,
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
        if let Err(error) = self.connection.close().await {
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
        let outcome = Transaction {
            appends: &appends,
            offsets: &offsets,
            deletes: &deletes,
            in_doubt: self.in_doubt,
        }
        .run(&mut self.connection)
        .await
        .map_err(|error| error.to_string());
        self.in_doubt = outcome.is_err();
        match &outcome {
            Ok(ends) => {
                self.unsaved = Offsets::new();
                self.save_at = None;
                ends.publish();
            }
            Err(error) => {
                tracing::error!("the broker could not write: {error}");
                self.save_at = Some(Instant::now() + AFTER_FAILURE);
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
