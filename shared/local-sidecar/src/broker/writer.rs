//! The one writer: whatever queued while a commit was being flushed shares the next transaction.

use std::collections::{BTreeMap, HashMap};
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Connection, Sqlite, SqliteConnection, query::Query};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::partition::Partition;
use super::record::NewRecord;

/// What one transaction takes at most.
const LARGEST_BATCH: usize = 4096;
const LARGEST_BATCH_BYTES: usize = 8 * 1024 * 1024;

/// Inserts go by rows of these counts, so that only a few statements are ever prepared.
const ROWS_PER_INSERT: [usize; 3] = [64, 8, 1];

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
    unsaved: BTreeMap<(Arc<str>, i64), u64>,
    save_at: Option<Instant>,
}

impl Writer {
    pub(super) fn new(
        connection: SqliteConnection,
        jobs: mpsc::Receiver<Job>,
        commit_interval: Duration,
    ) -> Self {
        Self {
            connection,
            jobs,
            commit_interval,
            unsaved: BTreeMap::new(),
            save_at: None,
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
                job = self.jobs.recv() => match job {
                    Some(job) => self.take(job).await,
                    None => break,
                },
                () = due => self.commit(Vec::new(), Vec::new()).await,
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
                Job::Advance(progress) => self.note(progress),
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

    fn note(&mut self, progress: Progress) {
        self.unsaved.insert(
            (progress.group, progress.partition_id),
            progress.next_offset,
        );
        self.save_at
            .get_or_insert_with(|| Instant::now() + self.commit_interval);
    }

    async fn commit(&mut self, mut appends: Vec<Append>, deletes: Vec<Delete>) {
        if appends.is_empty() && deletes.is_empty() && self.unsaved.is_empty() {
            return;
        }
        for progress in appends
            .iter_mut()
            .filter_map(|append| append.progress.take())
        {
            self.note(progress);
        }
        let positions: Vec<i64> = deletes
            .iter()
            .flat_map(|delete| &delete.positions)
            .copied()
            .collect();
        let outcome = self
            .transact(&appends, &positions)
            .await
            .map_err(|error| error.to_string());
        match &outcome {
            Ok(ends) => {
                self.unsaved.clear();
                self.save_at = None;
                for (partition, end) in ends.values() {
                    partition.end.send_replace(*end);
                }
            }
            Err(error) => {
                tracing::error!("the broker could not write: {error}");
                self.save_at = Some(Instant::now() + self.commit_interval);
            }
        }
        let answers = appends.into_iter().map(|append| append.done);
        for done in answers.chain(deletes.into_iter().map(|delete| delete.done)) {
            // Whoever asked may have gone away.
            let _gone = done.send(outcome.as_ref().map(|_| ()).map_err(Clone::clone));
        }
    }

    /// One transaction. Returns the new ends of the partitions that grew.
    async fn transact(
        &mut self,
        appends: &[Append],
        positions: &[i64],
    ) -> sqlx::Result<HashMap<i64, (Arc<Partition>, u64)>> {
        let mut ends = HashMap::new();
        let mut rows = Vec::new();
        for append in appends {
            for (partition, record) in &append.records {
                let (_, end) = ends
                    .entry(partition.id)
                    .or_insert_with(|| (Arc::clone(partition), partition.end()));
                rows.push((partition.position(*end), append.timestamp, record));
                *end += 1;
            }
        }

        let mut tx = self.connection.begin_with("begin immediate").await?;
        insert(&mut tx, &rows).await?;
        for (id, (_, end)) in &ends {
            sqlx::query("update partitions set next_offset = $2 where partition_id = $1")
                .bind(id)
                .bind(end.cast_signed())
                .execute(&mut *tx)
                .await?;
        }
        for ((group, partition_id), next_offset) in &self.unsaved {
            sqlx::query(
                "insert into offsets (consumer_group, partition_id, next_offset)
                 values ($1, $2, $3)
                 on conflict (consumer_group, partition_id)
                 do update set next_offset = excluded.next_offset",
            )
            .bind(&**group)
            .bind(partition_id)
            .bind(next_offset.cast_signed())
            .execute(&mut *tx)
            .await?;
        }
        for position in positions {
            sqlx::query("delete from records where position = $1")
                .bind(position)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(ends)
    }
}

type Row<'a> = (i64, i64, &'a NewRecord);

async fn insert(connection: &mut SqliteConnection, rows: &[Row<'_>]) -> sqlx::Result<()> {
    let mut rest = rows;
    for count in ROWS_PER_INSERT {
        while let Some((chunk, later)) = rest.split_at_checked(count) {
            let values = vec!["(?, ?, ?, ?, ?)"; count].join(", ");
            let sql = format!(
                "insert into records (position, timestamp, key, value, headers) values {values}"
            );
            let query = chunk.iter().fold(sqlx::query(AssertSqlSafe(sql)), bind);
            query.execute(&mut *connection).await?;
            rest = later;
        }
    }
    Ok(())
}

fn bind<'a>(
    query: Query<'a, Sqlite, SqliteArguments>,
    (position, timestamp, record): &Row<'a>,
) -> Query<'a, Sqlite, SqliteArguments> {
    let headers = (!record.headers.is_empty())
        .then(|| serde_json::to_string(&record.headers).unwrap_or_default());
    query
        .bind(*position)
        .bind(*timestamp)
        .bind(record.key.as_deref())
        .bind(record.value.as_deref())
        .bind(headers)
}

fn size(record: &NewRecord) -> usize {
    record.value.as_ref().map_or(0, bytes::Bytes::len)
}
