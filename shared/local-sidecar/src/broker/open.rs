//! Opening the broker's file.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clock::SharedClock;
use event_schema::topic::{self, Profile};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, SqliteConnection};
use tokio::sync::{mpsc, watch};

use super::groups::Groups;
use super::writer::Writer;
use super::writing::Writing;
use super::{Broker, Inner, Partition};
use crate::Error;

const SCHEMA: &str = include_str!("schema.sql");
const READERS: u32 = 4;
/// Publishers wait when this many jobs are queued.
const QUEUE: usize = 1024;
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

type Partitions = BTreeMap<String, Vec<Arc<Partition>>>;

impl Broker {
    /// Opens the file, and creates it when it is missing. The topics are those of the contract.
    ///
    /// `commit_interval` is how long the progress of a group may stay in memory when nobody
    /// publishes: so much is delivered again after a crash.
    pub async fn open(
        path: &Path,
        clock: SharedClock,
        commit_interval: Duration,
    ) -> Result<Self, Error> {
        let lock = lock(path)?;
        let failed = |source| Error::Open {
            path: path.to_owned(),
            source,
        };
        let options = options(path);
        let for_writing = options
            .clone()
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal);
        let mut writing = Writing::open(for_writing).await.map_err(failed)?;
        let (topics, groups) = prepare(&mut writing).await.map_err(failed)?;
        let readers = readers(options).await.map_err(failed)?;
        let (jobs, queue) = mpsc::channel(QUEUE);
        let (writable, is_writable) = watch::channel(true);
        let writer = Writer::new(writing, queue, commit_interval, writable);
        Ok(Self(Arc::new(Inner {
            topics,
            clock,
            readers,
            jobs: Mutex::new(Some(jobs)),
            writer: Mutex::new(Some(tokio::spawn(writer.run()))),
            is_writable,
            groups,
            next_keyless: AtomicUsize::new(0),
            lock: Mutex::new(Some(lock)),
        })))
    }
}

async fn prepare(writing: &mut Writing) -> sqlx::Result<(Partitions, Groups)> {
    let connection = writing.connection().await?;
    sqlx::raw_sql(SCHEMA).execute(&mut *connection).await?;
    let topics = load_topics(connection).await?;
    Ok((topics, Groups::load(connection).await?))
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging()
}

async fn readers(options: SqliteConnectOptions) -> sqlx::Result<SqlitePool> {
    SqlitePoolOptions::new()
        .max_connections(READERS)
        .connect_with(options.read_only(true))
        .await
}

fn lock(path: &Path) -> Result<File, Error> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let failed = |source| Error::Lock {
        path: path.to_owned(),
        source,
    };
    let file = File::create(PathBuf::from(name)).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse(path.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Partitions of the contract, and those that an earlier contract had: what is in them is still read.
async fn load_topics(connection: &mut SqliteConnection) -> sqlx::Result<Partitions> {
    for (topic, partitions) in contract() {
        for partition in 0..partitions {
            sqlx::query(
                "insert into partitions (topic, partition) values ($1, $2) on conflict do nothing",
            )
            .bind(topic)
            .bind(partition)
            .execute(&mut *connection)
            .await?;
        }
    }
    let rows: Vec<(i64, String, u16, i64)> = sqlx::query_as(
        "select partition_id, topic, partition, next_offset from partitions order by topic, partition",
    )
    .fetch_all(connection)
    .await?;
    let mut topics = Partitions::new();
    for (id, topic, number, end) in rows {
        let end = watch::Sender::new(end.cast_unsigned());
        let partition = Partition {
            id,
            topic: topic.clone(),
            number,
            end,
        };
        topics.entry(topic).or_default().push(Arc::new(partition));
    }
    Ok(topics)
}

fn contract() -> impl Iterator<Item = (&'static str, u16)> {
    topic::contracts().map(|contract| (contract.name, contract.partitions(Profile::Local)))
}
