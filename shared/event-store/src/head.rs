//! The streams a batch works on, read once and folded in memory.

use std::any::Any;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;

use event_schema::{State, decode_state};
use uuid::Uuid;

use crate::{Aggregate, Error, StateOf, Timer};

/// A stream: its kind and its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamRef {
    /// [`Aggregate::KIND`]
    pub kind: &'static str,
    /// Such as a task's id.
    pub stream_id: Uuid,
}

impl StreamRef {
    /// The stream of this kind and id.
    pub fn of<A: Aggregate>(stream_id: impl Into<Uuid>) -> Self {
        Self {
            kind: A::KIND,
            stream_id: stream_id.into(),
        }
    }
}

/// A state whose type the lane does not know.
pub(crate) trait Snapshot: Send + Sync {
    fn as_any(&self) -> &dyn Any;
    fn owner(&self) -> Uuid;
    /// The version of its shape, as it is written today.
    fn state_version(&self) -> i32;
    fn has_timers(&self) -> bool;
    fn timers(&self) -> Vec<Timer>;
}

pub(crate) struct Typed<A: Aggregate> {
    pub(crate) state: StateOf<A>,
    aggregate: PhantomData<A>,
}

impl<A: Aggregate> Typed<A> {
    pub(crate) fn new(state: StateOf<A>) -> Self {
        Self {
            state,
            aggregate: PhantomData,
        }
    }
}

impl<A: Aggregate> Snapshot for Typed<A> {
    fn as_any(&self) -> &dyn Any {
        &self.state
    }

    fn owner(&self) -> Uuid {
        self.state.owner().as_uuid()
    }

    fn state_version(&self) -> i32 {
        i32::try_from(StateOf::<A>::VERSION).unwrap_or(i32::MAX)
    }

    fn has_timers(&self) -> bool {
        A::HAS_TIMERS
    }

    fn timers(&self) -> Vec<Timer> {
        A::timers(&self.state)
    }
}

/// A stream as far as the batch has come: version 0 without a state when it does not exist.
#[derive(Clone, Default)]
pub(crate) struct Head {
    pub(crate) version: u64,
    pub(crate) json: Option<Arc<str>>,
    /// In which version of its shape `json` was read from the table.
    state_version: i32,
    pub(crate) snapshot: Option<Arc<dyn Snapshot>>,
    /// Once the batch has changed it: the state before, as far as somebody looked at it.
    stored: Option<Arc<dyn Snapshot>>,
    is_changed: bool,
}

impl Head {
    pub(crate) fn stored(version: u64, json: String, state_version: i32) -> Self {
        Self {
            version,
            json: Some(json.into()),
            state_version,
            ..Self::default()
        }
    }

    /// The head after an event of this process.
    pub(crate) fn evolved<A: Aggregate>(version: u64, json: Box<str>, state: StateOf<A>) -> Self {
        let snapshot = Typed::<A>::new(state);
        Self {
            version,
            json: Some(json.into()),
            state_version: snapshot.state_version(),
            snapshot: Some(Arc::new(snapshot)),
            stored: None,
            is_changed: true,
        }
    }

    /// Takes the place of what the batch knew of the stream.
    pub(crate) fn after(self, before: Option<&Self>) -> Self {
        let stored = before.and_then(Self::stored_state).cloned();
        Self { stored, ..self }
    }

    /// The state that the tables were made from, if the stream was there and its state was looked at.
    pub(crate) fn stored_state(&self) -> Option<&Arc<dyn Snapshot>> {
        if self.is_changed {
            self.stored.as_ref()
        } else {
            self.snapshot.as_ref()
        }
    }

    /// The typed state in today's shape, parsed at the first look.
    pub(crate) fn state<A: Aggregate>(&mut self) -> Result<Option<&StateOf<A>>, Error> {
        if self.snapshot.is_none() {
            let Some(json) = &self.json else {
                return Ok(None);
            };
            let written = usize::try_from(self.state_version).unwrap_or_default();
            let known = StateOf::<A>::VERSION;
            if written > known {
                // Read as it is, what this code does not know would be lost with the next event.
                let versions =
                    format!("stream.state has version {written}, this code knows {known}");
                return Err(Error::Outdated(versions));
            }
            let state: StateOf<A> = decode_state(json, written)
                .map_err(|error| Error::Bug(format!("stream.state: {error}")))?;
            self.snapshot = Some(Arc::new(Typed::<A>::new(state)));
        }
        let state = self
            .snapshot
            .as_ref()
            .and_then(|state| state.as_any().downcast_ref());
        match state {
            Some(state) => Ok(Some(state)),
            None => Err(Error::Bug(format!(
                "stream kind {} is used with two types",
                A::KIND
            ))),
        }
    }
}

/// Every stream the batch has looked at.
pub(crate) type Heads = HashMap<StreamRef, Head>;
