//! What a service says about one kind of stream.

use chrono::{DateTime, Utc};
use event_schema::{EventId, EventSet};
use uuid::Uuid;

/// The state of an aggregate's streams.
pub type StateOf<A> = <<A as Aggregate>::Events as EventSet>::State;

/// A kind of stream: its events, how they change its state, and what follows from the state.
///
/// Everything here is pure: no clock, no I/O, no randomness.
pub trait Aggregate: Send + Sync + 'static {
    /// The kind's name in the tables, `task`. Never changed.
    const KIND: &'static str;

    /// The events of the stream and the state they carry.
    type Events: EventSet<State: PartialEq + Send + Sync + 'static>;

    /// The state after the event. `None` before a stream's first event, and only then.
    ///
    /// Cannot fail: the event has already happened.
    fn evolve(state: Option<StateOf<Self>>, event: &Self::Events) -> Option<StateOf<Self>>;

    /// The partition key of the stream's events: what keeps their order on the broker.
    fn partition_key(state: &StateOf<Self>) -> Uuid;

    /// The deterministic id of an event that might be made twice; others get a fresh one.
    fn event_id(_event: &Self::Events, _state: &StateOf<Self>) -> Option<EventId> {
        None
    }

    /// Whether streams of this kind ever have timers. Kinds without do not touch the timer table.
    const HAS_TIMERS: bool = false;

    /// What shall be due, and when. The timer table is a projection of this.
    fn timers(_state: &StateOf<Self>) -> Vec<Timer> {
        Vec::new()
    }
}

/// Something that becomes due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer {
    /// Its identity within the stream.
    pub timer_id: Uuid,
    /// When; it is never claimed earlier.
    pub fire_at: DateTime<Utc>,
}
