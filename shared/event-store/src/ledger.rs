//! The handle through which doors use the ledger.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use clock::SharedClock;
use database::Database;
use event_schema::App;
use tokio::sync::mpsc::error::{SendTimeoutError, TrySendError};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use uuid::Uuid;

use crate::lane::{Lane, LaneLimits};
use crate::store::{events, idempotency, inbox, streams};
use crate::submission::{Submission, TypedDecision};
use crate::{
    Aggregate, Answer, Context, Error, IdempotencyKey, Inbound, Outcome, Projection, Recorded,
    RecordedEvent, StateOf, StreamRef, Unit, gather, metrics,
};

/// Idempotency keys are kept so long.
const KEY_RETENTION: chrono::TimeDelta = chrono::TimeDelta::days(7);
/// Processed facts are kept longer than any redelivery or replay takes.
const INBOX_RETENTION: chrono::TimeDelta = chrono::TimeDelta::days(30);
/// Rows of a table that are purged in one transaction.
const PURGE_BATCH: u32 = 1_000;
/// How long a delivery waits for its place in a full queue before it is refused.
const DELIVERY_WAIT: std::time::Duration = std::time::Duration::from_secs(2);

/// What lane, relay and handle share.
pub(crate) struct Core {
    pub(crate) app: App,
    pub(crate) database: Database,
    pub(crate) clock: SharedClock,
    pub(crate) projections: Vec<Arc<dyn Projection>>,
    /// The newest position committed by this process.
    pub(crate) position: watch::Sender<i64>,
    /// Buckets with something new to publish, a bit each.
    dirty: AtomicU16,
    pub(crate) relay_wake: Notify,
    pub(crate) timers_changed: Notify,
    /// Projections whose rows are still being made.
    unfilled: RwLock<Vec<&'static str>>,
}

impl Core {
    pub(crate) fn wake_relay(&self, buckets: u16) {
        self.mark_dirty(buckets);
        self.relay_wake.notify_one();
    }

    /// The relay looks at these buckets when it looks next.
    pub(crate) fn mark_dirty(&self, buckets: u16) {
        self.dirty.fetch_or(buckets, Ordering::AcqRel);
    }

    pub(crate) fn take_dirty(&self) -> u16 {
        self.dirty.swap(0, Ordering::AcqRel)
    }
}

/// The ledger of one service. Cheap to clone.
#[derive(Clone)]
pub struct Ledger {
    pub(crate) core: Arc<Core>,
    queue: mpsc::Sender<Submission>,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger")
            .field("app", &self.core.app)
            .finish_non_exhaustive()
    }
}

impl Ledger {
    /// A ledger over a database that has its tables ([`crate::MIGRATIONS`]). Nothing is committed
    /// unless the returned [`Lane`] runs.
    pub fn new(
        app: App,
        database: Database,
        clock: SharedClock,
        projections: Vec<Arc<dyn Projection>>,
        limits: LaneLimits,
    ) -> (Self, Lane) {
        let (sender, receiver) = mpsc::channel(limits.queue.max(1));
        let core = Arc::new(Core {
            app,
            database,
            clock,
            projections,
            position: watch::Sender::new(0),
            dirty: AtomicU16::new(u16::MAX), // Whatever an earlier process left.
            relay_wake: Notify::new(),
            timers_changed: Notify::new(),
            unfilled: RwLock::new(Vec::new()),
        });
        let writer = core.database.writer(events::BEGIN_LANE);
        let lane = Lane::new(Arc::clone(&core), writer, receiver, limits);
        (
            Self {
                core,
                queue: sender,
            },
            lane,
        )
    }

    /// Carries out a caller's command. Returns after the commit: what it says has happened is on disk.
    ///
    /// `decide` is pure and fast; it may be called more than once. `streams` are those it will look
    /// at first. With a key that was answered before, the answer of then is returned instead.
    pub async fn execute<E, F>(
        &self,
        context: Context,
        key: Option<IdempotencyKey>,
        streams: &[StreamRef],
        decide: F,
    ) -> Result<Outcome, E>
    where
        E: From<Error> + Send + 'static,
        F: Fn(&mut Unit<'_>) -> Result<Answer, E> + Send + 'static,
    {
        self.submit(context, key, None, streams, decide).await
    }

    /// Takes a delivered event in: inbox row or version gate, decision and effect are one
    /// transaction. One that was processed before, or is older than one that was, has no effect.
    pub async fn receive<E, F>(
        &self,
        context: Context,
        inbound: Inbound,
        streams: &[StreamRef],
        decide: F,
    ) -> Result<Outcome, E>
    where
        E: From<Error> + Send + 'static,
        F: Fn(&mut Unit<'_>) -> Result<(), E> + Send + 'static,
    {
        let decide = move |unit: &mut Unit<'_>| decide(unit).map(|()| Answer::default());
        self.submit(context, None, Some(inbound), streams, decide)
            .await
    }

    async fn submit<E, F>(
        &self,
        context: Context,
        key: Option<IdempotencyKey>,
        inbound: Option<Inbound>,
        streams: &[StreamRef],
        decide: F,
    ) -> Result<Outcome, E>
    where
        E: From<Error> + Send + 'static,
        F: Fn(&mut Unit<'_>) -> Result<Answer, E> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let decision = Box::new(TypedDecision {
            decide,
            refusal: None,
            reply,
        });
        let submission = Submission {
            context,
            key,
            inbound,
            streams: streams.to_vec(),
            decision,
        };
        self.enqueue(submission).await?;
        answer.await.unwrap_or_else(|_| Err(Error::Stopping.into()))
    }

    /// A caller is refused at once when the queue is full. A delivery waits a little: the sidecar sends
    /// no more than it has in flight, and would send everything again.
    async fn enqueue(&self, submission: Submission) -> Result<(), Error> {
        match self.queue.clone().try_reserve_owned() {
            Ok(place) => {
                gather::submit(place, submission);
                return Ok(());
            }
            Err(TrySendError::Closed(_)) => return Err(Error::Stopping),
            Err(TrySendError::Full(_)) => {}
        }
        if submission.inbound.is_some() {
            let sending = self.queue.send_timeout(submission, DELIVERY_WAIT);
            match sending.await {
                Ok(()) => return Ok(()),
                Err(SendTimeoutError::Closed(_)) => return Err(Error::Stopping),
                Err(SendTimeoutError::Timeout(_)) => {}
            }
        }
        metrics::overloaded(self.core.app);
        Err(Error::Overloaded)
    }

    /// The current state of a stream.
    pub async fn state<A: Aggregate>(
        &self,
        id: impl Into<Uuid>,
    ) -> Result<Option<Recorded<StateOf<A>>>, Error> {
        let stream = StreamRef::of::<A>(id);
        let mut tx = self.core.database.read().await?;
        let Some((version, json, state_version)) = streams::find(&mut tx, stream).await? else {
            return Ok(None);
        };
        let found = Recorded::of_head(version, &json, state_version);
        let bug = |error| Error::Bug(format!("stream.state: {error}")).of(stream);
        found.map(Some).map_err(bug)
    }

    /// Events of a stream after a version, oldest first.
    pub async fn events_of<A: Aggregate>(
        &self,
        id: impl Into<Uuid>,
        after_version: u64,
        limit: u32,
    ) -> Result<Vec<RecordedEvent>, Error> {
        let mut tx = self.core.database.read().await?;
        Ok(events::of_stream(&mut tx, StreamRef::of::<A>(id), after_version, limit).await?)
    }

    /// Events of all streams after a position, in the order of commits, without gaps.
    pub async fn events_after(
        &self,
        position: i64,
        limit: u32,
    ) -> Result<Vec<RecordedEvent>, Error> {
        let mut tx = self.core.database.read().await?;
        Ok(events::after(&mut tx, position, limit).await?)
    }

    /// The newest position in the log.
    pub async fn last_position(&self) -> Result<i64, Error> {
        let mut tx = self.core.database.read().await?;
        Ok(events::last_position(&mut tx).await?)
    }

    /// Changes whenever this process has committed events; a reader then looks at the log.
    pub fn committed(&self) -> watch::Receiver<i64> {
        self.core.position.subscribe()
    }

    /// The database, for a service's own reads.
    pub fn database(&self) -> &Database {
        &self.core.database
    }

    /// The database, to read the rows of a projection. Refuses for as long as they are being made for the
    /// first time: who reads them would take for missing what only has no row yet.
    pub fn rows(&self, projection: &'static str) -> Result<&Database, Error> {
        let unfilled = self.core.unfilled.read();
        let unfilled = unfilled.unwrap_or_else(PoisonError::into_inner);
        if unfilled.contains(&projection) {
            return Err(Error::Rebuilding(projection));
        }
        Ok(&self.core.database)
    }

    /// Says which projections are being made for the first time.
    pub fn set_unfilled(&self, projections: Vec<&'static str>) {
        let unfilled = self.core.unfilled.write();
        *unfilled.unwrap_or_else(PoisonError::into_inner) = projections;
    }

    /// The clock of the ledger.
    pub fn clock(&self) -> &SharedClock {
        &self.core.clock
    }

    /// Whose ledger it is.
    pub fn app(&self) -> App {
        self.core.app
    }

    /// Forgets idempotency keys after 7 days and processed facts after 30; returns how many rows went.
    ///
    /// In small transactions, so that however much there is, nobody waits for it for long.
    pub async fn purge(&self) -> Result<u64, Error> {
        let now = self.core.clock.now();
        let mut gone = 0;
        loop {
            let mut tx = self.core.database.begin().await?;
            let keys = idempotency::purge(&mut tx, now - KEY_RETENTION, PURGE_BATCH).await?;
            let facts = inbox::purge(&mut tx, now - INBOX_RETENTION, PURGE_BATCH).await?;
            tx.commit().await?;
            gone += keys + facts;
            if keys.max(facts) < u64::from(PURGE_BATCH) {
                return Ok(gone);
            }
        }
    }
}
