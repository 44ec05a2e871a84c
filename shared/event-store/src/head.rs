//! The streams a batch works on, read once and folded in memory.

use std::any::Any;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;

use event_schema::State;
use uuid::Uuid;

use crate::{Aggregate, StateOf, Timer};

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
    pub(crate) snapshot: Option<Arc<dyn Snapshot>>,
}

impl Head {
    pub(crate) fn stored(version: u64, json: String) -> Self {
        Self {
            version,
            json: Some(json.into()),
            snapshot: None,
        }
    }

    /// The typed state, parsed at the first look.
    pub(crate) fn state<A: Aggregate>(&mut self) -> Result<Option<&StateOf<A>>, String> {
        if self.snapshot.is_none() {
            let Some(json) = &self.json else {
                return Ok(None);
            };
            let state: StateOf<A> =
                serde_json::from_str(json).map_err(|error| format!("stream.state: {error}"))?;
            self.snapshot = Some(Arc::new(Typed::<A>::new(state)));
        }
        let state = self
            .snapshot
            .as_ref()
            .and_then(|state| state.as_any().downcast_ref());
        match state {
            Some(state) => Ok(Some(state)),
            None => Err(format!("stream kind {} is used with two types", A::KIND)),
        }
    }
}

/// Every stream the batch has looked at.
pub(crate) type Heads = HashMap<StreamRef, Head>;
