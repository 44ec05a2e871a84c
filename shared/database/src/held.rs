//! The connection under a PostgreSQL transaction: lent by the pool, or a writer's own.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::{Connection, Executor, PgConnection, PgPool, Postgres, Transaction};
use tokio::time::Instant;

use crate::Error;

/// A connection is kept at most so long, so that a server's memory for it does not grow for ever.
const KEPT_AT_MOST: Duration = Duration::from_mins(30);

/// Statements that stay prepared. A writer gathers what it writes into one, so that there are as many
/// texts as ways to combine the parts; each keeps a plan in the server's memory.
const STATEMENTS: usize = 256;

/// What a writer tells the planner: it finds rows by their keys, a batch at a time. A plan that was
/// made while the tables were new and empty would read them from end to end, and be kept while they
/// grow.
const BY_KEY: &str = "set enable_seqscan = off; set enable_hashjoin = off; \
     set enable_mergejoin = off; set plan_cache_mode = force_generic_plan";

/// Where a connection waits between two transactions of its writer.
pub(crate) type Home = Arc<Mutex<Option<Kept>>>;

/// A connection that closes when it is dropped: one whose transaction did not end is of no use to
/// anybody, and the server rolls back, unless a statement was a transaction by itself and got there.
///
/// It is opened beside the pool and not taken from it, because a socket reports to the runtime in
/// which it was opened: the writer's must not wait for its turn among the requests of another.
#[derive(Debug)]
pub(crate) struct Kept {
    connection: PgConnection,
    since: Instant,
}

impl Kept {
    /// As patient as the pool.
    async fn open(pool: &PgPool) -> sqlx::Result<Self> {
        if pool.is_closed() {
            return Err(sqlx::Error::PoolClosed);
        }
        let server = pool.connect_options().as_ref().clone();
        let server = server.statement_cache_capacity(STATEMENTS);
        let opening = PgConnection::connect_with(&server);
        let opened = tokio::time::timeout(pool.options().get_acquire_timeout(), opening).await;
        let mut connection = opened.map_err(|_elapsed| sqlx::Error::PoolTimedOut)??;
        connection.execute(sqlx::raw_sql(BY_KEY)).await?;
        Ok(Self {
            connection,
            since: Instant::now(),
        })
    }
}

/// A transaction on PostgreSQL, or a connection whose statements need none. It dereferences to the
/// connection.
#[derive(Debug)]
pub struct PgTx(Inner);

#[derive(Debug)]
enum Inner {
    Lent(Transaction<'static, Postgres>),
    Kept(Kept, Home),
    /// No transaction: each statement is one by itself.
    Bare(Kept, Home),
}

impl PgTx {
    pub(crate) fn lent(transaction: Transaction<'static, Postgres>) -> Self {
        Self(Inner::Lent(transaction))
    }

    /// Begins one on the connection kept at `home`, or on a new one.
    pub(crate) async fn kept(
        pool: &PgPool,
        home: &Home,
        begin: &'static str,
    ) -> Result<Self, Error> {
        if let Some(kept) = take(home) {
            match Self::begin(kept, home, begin).await {
                Err(error) if went_away(&error) => {} // Nothing has happened on it yet.
                outcome => return Ok(outcome?),
            }
        }
        Ok(Self::begin(Kept::open(pool).await?, home, begin).await?)
    }

    /// The connection kept at `home`, or a new one, without a transaction.
    pub(crate) async fn bare(pool: &PgPool, home: &Home) -> Result<Self, Error> {
        let kept = match take(home) {
            Some(kept) => kept,
            None => Kept::open(pool).await?,
        };
        Ok(Self(Inner::Bare(kept, Arc::clone(home))))
    }

    async fn begin(mut kept: Kept, home: &Home, begin: &'static str) -> sqlx::Result<Self> {
        kept.connection.execute(sqlx::raw_sql(begin)).await?;
        Ok(Self(Inner::Kept(kept, Arc::clone(home))))
    }

    pub(crate) async fn commit(self) -> sqlx::Result<()> {
        match self.0 {
            Inner::Lent(transaction) => transaction.commit().await,
            Inner::Kept(kept, home) => end(kept, &home, "commit").await,
            Inner::Bare(kept, home) => {
                put(kept, &home);
                Ok(())
            }
        }
    }

    pub(crate) async fn rollback(self) -> sqlx::Result<()> {
        match self.0 {
            Inner::Lent(transaction) => transaction.rollback().await,
            Inner::Kept(kept, home) => end(kept, &home, "rollback").await,
            Inner::Bare(kept, home) => {
                put(kept, &home);
                Ok(())
            }
        }
    }
}

async fn end(mut kept: Kept, home: &Home, statement: &'static str) -> sqlx::Result<()> {
    kept.connection.execute(sqlx::raw_sql(statement)).await?;
    put(kept, home);
    Ok(())
}

/// The connection that is kept, unless it is too old.
fn take(home: &Home) -> Option<Kept> {
    let kept = home.lock().unwrap_or_else(PoisonError::into_inner).take();
    kept.filter(|kept| kept.since.elapsed() < KEPT_AT_MOST)
}

fn put(kept: Kept, home: &Home) {
    *home.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
}

/// The server ended the connection while it was kept, or nobody is there any more.
fn went_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => true,
        // 57P01 to 57P05: ended by an administrator, a crash, or for being idle.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code.starts_with("57P")),
        _ => false,
    }
}

impl Deref for PgTx {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        match &self.0 {
            Inner::Lent(transaction) => transaction,
            Inner::Kept(kept, _) | Inner::Bare(kept, _) => &kept.connection,
        }
    }
}

impl DerefMut for PgTx {
    fn deref_mut(&mut self) -> &mut PgConnection {
        match &mut self.0 {
            Inner::Lent(transaction) => transaction,
            Inner::Kept(kept, _) | Inner::Bare(kept, _) => &mut kept.connection,
        }
    }
}
