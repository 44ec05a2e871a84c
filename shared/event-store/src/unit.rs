//! What one command sees and stages; all of it happens or nothing does.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use clock::Clock;
use event_schema::{Actor, App, Attributes, Envelope, EventId, EventSet, EventType, State};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use uuid::Uuid;

use crate::head::{Head, Heads};
use crate::{Aggregate, Context, Error, StateOf, StreamRef};

/// The largest envelope. Kafka, its clients and the sidecar take about 1 MiB with key and headers: a
/// larger one would be acknowledged here and never published.
const MOST_BYTES: usize = 960 * 1024;

/// A unit of work: what one command sees and stages.
///
/// A decision may look at any stream. One that was not announced with the command is loaded and the
/// decision made again, so announcing is only faster, never necessary. Hence decisions are pure.
pub struct Unit<'a> {
    heads: &'a mut Heads,
    staged: HashMap<StreamRef, Head>,
    context: &'a Context,
    app: App,
    clock: &'a dyn Clock,
    pub(crate) events: Vec<NewEvent>,
    pub(crate) missing: Vec<StreamRef>,
    pub(crate) fault: Option<Error>,
}

/// An event that has no position yet.
pub(crate) struct NewEvent {
    pub(crate) stream: StreamRef,
    pub(crate) version: u64,
    pub(crate) event_id: Uuid,
    pub(crate) event_type: &'static EventType,
    pub(crate) key: Uuid,
    pub(crate) owner: Uuid,
    pub(crate) envelope: String,
}

/// The data of an event, from parts that are JSON already and are not read once more.
struct Data<'a> {
    actor: &'a Actor,
    change: &'a RawValue,
    /// What the state is called.
    field: &'static str,
    state: &'a RawValue,
}

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(Some(3))?;
        members.serialize_entry("actor", self.actor)?;
        members.serialize_entry("change", self.change)?;
        members.serialize_entry(self.field, self.state)?;
        members.end()
    }
}

impl std::fmt::Debug for Unit<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unit")
            .field("staged_events", &self.events.len())
            .finish_non_exhaustive()
    }
}

impl<'a> Unit<'a> {
    pub(crate) fn new(
        heads: &'a mut Heads,
        context: &'a Context,
        app: App,
        clock: &'a dyn Clock,
    ) -> Self {
        Self {
            heads,
            staged: HashMap::new(),
            context,
            app,
            clock,
            events: Vec::new(),
            missing: Vec::new(),
            fault: None,
        }
    }

    /// The time of the command.
    pub fn now(&self) -> DateTime<Utc> {
        self.context.now
    }

    /// Who wants it and why.
    pub fn context(&self) -> &Context {
        self.context
    }

    /// The state of a stream as this command finds it, its own events included.
    pub fn state<A: Aggregate>(&mut self, id: impl Into<Uuid>) -> Option<StateOf<A>> {
        self.load::<A>(StreamRef::of::<A>(id))
            .map(|(_, state)| state)
    }

    /// The version of a stream as this command finds it; 0 when it does not exist.
    pub fn version<A: Aggregate>(&mut self, id: impl Into<Uuid>) -> u64 {
        self.head(StreamRef::of::<A>(id))
            .map_or(0, |head| head.version)
    }

    /// Appends an event to a stream and folds it into the state that later looks see.
    pub fn append<A: Aggregate>(&mut self, id: impl Into<Uuid>, event: &A::Events) {
        let stream = StreamRef::of::<A>(id);
        let (version, state) = match self.load::<A>(stream) {
            Some((version, state)) => (version, Some(state)),
            None => (0, None),
        };
        if !self.missing.is_empty() || self.fault.is_some() {
            return; // This outcome is discarded anyway.
        }
        let Some(state) = A::evolve(state, event) else {
            let name = event.event_type().name;
            let reason = format!("{name} cannot begin a stream of kind {}", A::KIND);
            self.fault = Some(Error::Bug(reason));
            return;
        };
        self.fault = self.stage::<A>(stream, version + 1, event, state).err();
    }

    fn stage<A: Aggregate>(
        &mut self,
        stream: StreamRef,
        version: u64,
        event: &A::Events,
        state: StateOf<A>,
    ) -> Result<(), Error> {
        let name = event.event_type().name;
        let unwritable = |error| Error::Bug(format!("{name} cannot be serialized: {error}"));
        let state_json = to_raw_value(&state).map_err(unwritable)?;
        let event_id = A::event_id(event, &state).unwrap_or_else(|| EventId(self.clock.new_id()));
        let key = A::partition_key(&state);
        let envelope = self
            .envelope::<A>(stream, version, event_id, key, event, &state_json)
            .map_err(unwritable)?;
        if envelope.len() > MOST_BYTES {
            return Err(Error::TooLarge {
                event: name,
                bytes: envelope.len(),
                most: MOST_BYTES,
            });
        }
        self.events.push(NewEvent {
            stream,
            version,
            event_id: event_id.as_uuid(),
            event_type: event.event_type(),
            key,
            owner: state.owner().as_uuid(),
            envelope,
        });
        let head = Head::evolved::<A>(version, state_json.into(), state);
        self.staged.insert(stream, head);
        Ok(())
    }

    /// The CloudEvent, built once: these bytes are stored and published.
    fn envelope<A: Aggregate>(
        &self,
        stream: StreamRef,
        version: u64,
        id: EventId,
        partition_key: Uuid,
        event: &A::Events,
        state_json: &RawValue,
    ) -> serde_json::Result<String> {
        let data = Data {
            actor: &self.context.actor,
            change: &event.change_json()?,
            field: StateOf::<A>::FIELD,
            state: state_json,
        };
        let event_type = event.event_type();
        let attributes = Attributes {
            id,
            source: self.app.source(),
            event_type: event_type.name,
            schema_version: event_type.schema_version,
            subject: stream.stream_id,
            time: self.context.now,
            partition_key,
            version,
            correlation_id: self.context.correlation_id.as_deref(),
            causation_id: self.context.causation_id.as_deref(),
            traceparent: self.context.traceparent.as_deref(),
        };
        serde_json::to_string(&Envelope::new(&attributes, to_raw_value(&data)?))
    }

    fn load<A: Aggregate>(&mut self, stream: StreamRef) -> Option<(u64, StateOf<A>)> {
        let head = self.head(stream)?;
        let version = head.version;
        match head.state::<A>() {
            Ok(state) => state.map(|state| (version, state.clone())),
            Err(fault) => {
                self.fault = Some(fault.of(stream));
                None
            }
        }
    }

    /// The stream as far as this command has come; one that was not loaded yet is noted.
    fn head(&mut self, stream: StreamRef) -> Option<&mut Head> {
        let head = self.staged.get_mut(&stream);
        let head = head.or_else(|| self.heads.get_mut(&stream));
        if head.is_none() {
            self.missing.push(stream);
        }
        head
    }

    /// What was staged, to be merged into the batch.
    pub(crate) fn into_staged(self) -> (HashMap<StreamRef, Head>, Vec<NewEvent>) {
        (self.staged, self.events)
    }
}
