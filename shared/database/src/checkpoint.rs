//! Copying SQLite's log into its file, beside the writer.
//!
//! Left to itself SQLite copies in the middle of a commit: once in a few thousand pages a command waits
//! for all of them, and for the flush of the file. Here a reader's connection does that while the writer
//! goes on, and the writer copies only what was committed meanwhile, between two transactions. Then all
//! of the log is in the file, and the next transaction begins the log anew.

use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnection, SqlitePool};
use tokio::task::AbortHandle;
use tracing::warn;

/// Pages that are worth a copy, 32 MiB: one that many transactions change is copied once, and the
/// flushes of a copy are paid less often.
const WORTH: u32 = 8192;
/// Pages at which SQLite does copy in the middle of a commit, so that the log does not grow for ever
/// when nobody else gets to it.
pub(crate) const MOST: u32 = 4 * WORTH;
/// How soon a copy may follow the last one.
const SOONEST: Duration = Duration::from_millis(250);
/// How late it follows at the latest: no writer fills a log meanwhile that was empty.
const LATEST: Duration = Duration::from_secs(2);

/// Copies from time to time until the last of its clones is dropped.
#[derive(Clone, Debug)]
pub struct Checkpoints {
    _task: Arc<Task>,
}

#[derive(Debug)]
struct Task(AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Checkpoints {
    pub(crate) fn start(writer: &SqlitePool, readers: &SqlitePool) -> Self {
        let running = tokio::spawn(run(writer.clone(), readers.clone()));
        Self {
            _task: Arc::new(Task(running.abort_handle())),
        }
    }
}

/// Ends when the pools are closed, of which the readers' is the first.
async fn run(writer: SqlitePool, readers: SqlitePool) {
    let mut closed = readers.close_event();
    let copying = copy_again_and_again(&writer, &readers);
    let _closed: sqlx::Result<()> = closed.do_until(copying).await;
}

async fn copy_again_and_again(writer: &SqlitePool, readers: &SqlitePool) {
    let (mut rest, mut length, mut failed) = (SOONEST, 0, false);
    loop {
        tokio::time::sleep(rest).await;
        match copy(writer, readers).await {
            Ok(now) => {
                rest = until_worth(if now == length { 0 } else { now }, rest);
                (length, failed) = (now, false);
            }
            Err(error) => {
                if !failed {
                    warn!("cannot copy the log of SQLite, which grows meanwhile: {error}");
                }
                (rest, failed) = (LATEST, true);
            }
        }
    }
}

/// Copies what is in the log; returns how many pages it had.
async fn copy(writer: &SqlitePool, readers: &SqlitePool) -> sqlx::Result<u32> {
    let pages = checkpoint(&mut *readers.acquire().await?).await?;
    checkpoint(&mut *writer.acquire().await?).await?;
    Ok(pages)
}

/// As far as it goes without waiting for anybody; returns how long the log is, in pages.
async fn checkpoint(conn: &mut SqliteConnection) -> sqlx::Result<u32> {
    let passive = "pragma wal_checkpoint(passive)";
    let (_busy, length, _copied): (i64, i64, i64) = sqlx::query_as(passive).fetch_one(conn).await?;
    Ok(u32::try_from(length).unwrap_or_default())
}

/// After how long there will be as many pages as are worth a copy, if there were so many after `rest`.
fn until_worth(pages: u32, rest: Duration) -> Duration {
    let worth = rest.mul_f64(f64::from(WORTH) / f64::from(pages.max(1)));
    worth.clamp(SOONEST, LATEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_copy_comes_when_it_is_worth_it() {
        let after = |pages| until_worth(pages, Duration::from_secs(1));
        assert_eq!(after(WORTH), Duration::from_secs(1));
        assert_eq!(after(2 * WORTH), Duration::from_millis(500));
        assert_eq!(after(u32::MAX), SOONEST);
        assert_eq!(after(0), LATEST);
    }
}
