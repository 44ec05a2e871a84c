//! Rows made from streams for reading, changed in the transaction of the events.

use std::sync::Arc;

use database::Tx;
use futures_util::future::BoxFuture;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::head::Snapshot;
use crate::{Aggregate, StateOf, StreamRef, Trip};

/// A stream that a batch changed: once per batch, with its newest state.
pub struct StreamChange {
    /// [`Aggregate::KIND`]
    pub kind: &'static str,
    /// Such as a task's id.
    pub stream_id: Uuid,
    /// The stream's version now.
    pub version: u64,
    pub(crate) snapshot: Arc<dyn Snapshot>,
    pub(crate) before: Option<Arc<dyn Snapshot>>,
}

impl std::fmt::Debug for StreamChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} v{}", self.kind, self.stream_id, self.version)
    }
}

impl StreamChange {
    pub(crate) fn stream(&self) -> StreamRef {
        StreamRef {
            kind: self.kind,
            stream_id: self.stream_id,
        }
    }

    /// The state, when it is one of `A`'s streams.
    pub fn state<A: Aggregate>(&self) -> Option<&StateOf<A>> {
        self.read::<A>(&self.snapshot)
    }

    /// The state that the rows were made from, when it is at hand: a row that follows from both alike
    /// stands there already. `None` for a stream that begins, and wherever the log is replayed.
    pub fn before<A: Aggregate>(&self) -> Option<&StateOf<A>> {
        self.read::<A>(self.before.as_ref()?)
    }

    fn read<'a, A: Aggregate>(&self, snapshot: &'a Arc<dyn Snapshot>) -> Option<&'a StateOf<A>> {
        (self.kind == A::KIND)
            .then(|| snapshot.as_any().downcast_ref())
            .flatten()
    }
}

/// Which tables a projection writes: those that the service reads, or others of the same shape, made
/// to be compared or to take their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tables {
    suffix: &'static str,
}

impl Tables {
    /// Those that the service reads.
    pub const LIVE: Self = Self { suffix: "" };
    /// Being made by a rebuild.
    pub(crate) const NEW: Self = Self { suffix: "__new" };
    /// Replaced by a rebuild.
    pub(crate) const OLD: Self = Self { suffix: "__old" };
    /// Made by a verification to compare with.
    pub(crate) const EXPECTED: Self = Self {
        suffix: "__expected",
    };

    /// The SQL for these tables: `{}` stands behind the name of each in `text`, as in
    /// `insert into tasks{} …`. Nothing else is ever put into it, and certainly no value.
    pub fn sql(self, text: &str) -> AssertSqlSafe<String> {
        AssertSqlSafe(text.replace("{}", self.suffix))
    }

    /// What a table, or an index of one, is called here.
    pub(crate) fn name(self, name: &str) -> String {
        format!("{name}{}", self.suffix)
    }
}

/// What the rows of a projection were made by; a later one is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Made<S> {
    pub(crate) version: u32,
    pub(crate) rules: S,
}

impl Made<String> {
    pub(crate) fn as_ref(&self) -> Made<&str> {
        Made {
            version: self.version,
            rules: &self.rules,
        }
    }
}

impl dyn Projection {
    pub(crate) fn made(&self) -> Made<&'static str> {
        Made {
            version: self.version(),
            rules: self.rules(),
        }
    }
}

/// Rows made from streams for reading.
///
/// `apply` depends on the changes alone, and not on how the events were divided into batches, so that
/// the same rows follow from the log at any time. Nothing else follows from it: it may be repeated.
pub trait Projection: Send + Sync + 'static {
    /// Its name, for logs and the operator.
    fn name(&self) -> &'static str;

    /// Its tables, each after those that it refers to. Each has a primary key.
    fn tables(&self) -> &'static [&'static str];

    /// Which rows `apply` makes of the same streams: one more with every change of them. At the next start
    /// the tables are rebuilt.
    fn version(&self) -> u32 {
        1
    }

    /// What else the rows follow from, such as the rules of the time zones, as a version that sorts: with a
    /// later one the tables are rebuilt.
    fn rules(&self) -> &'static str {
        ""
    }

    /// Brings the rows up to the changed streams. Each statement is made by [`Tables::sql`] and becomes
    /// part of the lane's trip: on PostgreSQL together with all others of the batch, so that none sees
    /// what another writes, and no two write the same row. Every error of a statement is handed on.
    fn apply<'a>(
        &'a self,
        trip: &'a mut Trip<'_>,
        into: Tables,
        changes: &'a [StreamChange],
    ) -> BoxFuture<'a, Result<(), database::Error>>;
}

/// Brings rows up to changed streams in a trip of their own.
pub(crate) async fn apply(
    projection: &dyn Projection,
    tx: &mut Tx,
    into: Tables,
    changes: &[StreamChange],
) -> Result<(), database::Error> {
    let mut trip = Trip::on(tx);
    projection.apply(&mut trip, into, changes).await?;
    trip.end().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in_and_nothing_else() {
        let text = "update tasks{} set a = 1 where tasks{}.b in (values {rows})";
        let live = "update tasks set a = 1 where tasks.b in (values {rows})";
        assert_eq!(Tables::LIVE.sql(text).0, live);
        let new = "update tasks__new set a = 1 where tasks__new.b in (values {rows})";
        assert_eq!(Tables::NEW.sql(text).0, new);
    }
}
