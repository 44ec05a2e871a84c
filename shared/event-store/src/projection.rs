//! Rows made from streams for reading, changed in the transaction of the events.

use std::sync::Arc;

use database::Tx;
use futures_util::future::BoxFuture;
use uuid::Uuid;

use crate::head::Snapshot;
use crate::{Aggregate, StateOf, StreamRef};

/// A stream that a batch changed: once per batch, with its newest state.
pub struct StreamChange {
    /// [`Aggregate::KIND`]
    pub kind: &'static str,
    /// Such as a task's id.
    pub stream_id: Uuid,
    /// The stream's version now.
    pub version: u64,
    pub(crate) snapshot: Arc<dyn Snapshot>,
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
        (self.kind == A::KIND)
            .then(|| self.snapshot.as_any().downcast_ref())
            .flatten()
    }
}

/// Rows made from streams for reading.
///
/// `apply` depends on the changes alone, so that the same rows follow from the log at any time.
pub trait Projection: Send + Sync + 'static {
    /// Its name, for logs and the operator.
    fn name(&self) -> &'static str;

    /// Brings the rows up to the changed streams. It borrows the lane's transaction, never commits,
    /// and hands every error of a statement on.
    fn apply<'a>(
        &'a self,
        tx: &'a mut Tx,
        changes: &'a [StreamChange],
    ) -> BoxFuture<'a, Result<(), database::Error>>;
}
