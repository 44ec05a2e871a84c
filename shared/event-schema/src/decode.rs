//! The second step of reading an event: from an envelope of any version to today's change and state.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::upcast::{self, Reading};
use crate::{Actor, Data, Envelope, EventSet, State};

/// An event of a family, or one that this version does not know.
#[derive(Clone, Debug)]
pub enum Decoded<E: EventSet> {
    /// A type we know, in today's shape whatever version it was written in.
    Known(Data<E, E::State>),
    /// Another family's type, an unknown type or a newer major: kept byte for byte, never an error.
    Unknown,
}

/// Data that does not fit the type it claims to be.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// A part of `data` is missing.
    #[error("{event_type}: data has no {field}")]
    Missing {
        /// The event's type.
        event_type: String,
        /// The part.
        field: &'static str,
    },
    /// A part of `data` is of another shape.
    #[error("{event_type}: data.{field}: {source}")]
    Shape {
        /// The event's type.
        event_type: String,
        /// The part.
        field: &'static str,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// No step leads from this older version to today's: [`crate::check_registry`] says why.
    #[error("{version} cannot be brought to today's version")]
    Stranded {
        /// The older version.
        version: &'static str,
    },
}

type Parts = BTreeMap<String, Box<RawValue>>;

/// Decodes the data of an envelope of any version as an event of family `E`. Unknown fields are ignored.
///
/// This is the one place where older versions are brought to today's: everybody who reads events comes
/// here. An event of today's version costs a comparison of its version, and nothing when the family has
/// no older ones.
pub fn decode<E: EventSet>(envelope: &Envelope) -> Result<Decoded<E>, DecodeError> {
    let name = envelope.event_type.as_str();
    let older = match Reading::of::<E>(name, envelope.schema_version()) {
        Reading::AsItIs => None,
        Reading::Older(older) => Some(older),
        Reading::Unknown => return Ok(Decoded::Unknown),
    };
    let parts: Parts = serde_json::from_str(envelope.data.get()).map_err(shape(name, "data"))?;
    let actor = part(&parts, name, "actor")?;
    let actor: Actor = serde_json::from_str(actor.get()).map_err(shape(name, "actor"))?;
    let state = part(&parts, name, E::State::FIELD)?.get();
    let state = match older {
        None => serde_json::from_str(state),
        Some(older) => decode_state(state, older.state),
    };
    let state: E::State = state.map_err(shape(name, E::State::FIELD))?;
    let change = part(&parts, name, "change")?;
    let change = match older {
        None => E::from_change(name, change, &state),
        Some(older) => {
            let today = upcast::destination(E::TYPES, E::UPCASTS, older);
            let version = older.from;
            let today = today.ok_or(DecodeError::Stranded { version })?;
            let change =
                upcast::change(E::UPCASTS, older, change).map_err(shape(name, "change"))?;
            E::from_change(today.name, &change, &state)
        }
    };
    let Some(change) = change else {
        return Ok(Decoded::Unknown);
    };
    let change = change.map_err(shape(name, "change"))?;
    Ok(Decoded::Known(Data {
        actor,
        change,
        state,
    }))
}

/// Decodes a state that was written down in this version of its shape ([`State::VERSION`]).
///
/// One that is newer than this code is read as it is: who would write it back must refuse it first.
pub fn decode_state<S: State>(json: &str, version: usize) -> serde_json::Result<S> {
    if version < S::VERSION {
        upcast::state(json, version)
    } else {
        serde_json::from_str(json)
    }
}

fn part<'a>(
    parts: &'a Parts,
    event_type: &str,
    field: &'static str,
) -> Result<&'a RawValue, DecodeError> {
    let part = parts.get(field).ok_or_else(|| DecodeError::Missing {
        event_type: event_type.to_owned(),
        field,
    });
    part.map(|raw| &**raw)
}

pub(crate) fn shape(
    event_type: &str,
    field: &'static str,
) -> impl FnOnce(serde_json::Error) -> DecodeError {
    move |source| DecodeError::Shape {
        event_type: event_type.to_owned(),
        field,
        source,
    }
}
