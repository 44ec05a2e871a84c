//! The second step of reading an event: from an envelope to a known change and state.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::{Actor, Data, Envelope, EventSet, State};

/// An event of a family, or one that this version does not know.
#[derive(Clone, Debug)]
pub enum Decoded<E: EventSet> {
    /// A type and major version we know.
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
}

/// Decodes the data of an envelope as an event of family `E`. Unknown fields are ignored.
pub fn decode<E: EventSet>(envelope: &Envelope) -> Result<Decoded<E>, DecodeError> {
    let name = envelope.event_type.as_str();
    if !E::TYPES.iter().any(|known| known.name == name) {
        return Ok(Decoded::Unknown);
    }
    let parts: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(envelope.data.get()).map_err(shape(name, "data"))?;
    let part = |field| {
        parts.get(field).ok_or(DecodeError::Missing {
            event_type: name.to_owned(),
            field,
        })
    };
    let actor: Actor = serde_json::from_str(part("actor")?.get()).map_err(shape(name, "actor"))?;
    let state: E::State =
        serde_json::from_str(part(E::State::FIELD)?.get()).map_err(shape(name, E::State::FIELD))?;
    match E::from_change(name, part("change")?, &state) {
        Some(change) => {
            let change = change.map_err(shape(name, "change"))?;
            Ok(Decoded::Known(Data {
                actor,
                change,
                state,
            }))
        }
        None => Ok(Decoded::Unknown),
    }
}

fn shape(event_type: &str, field: &'static str) -> impl FnOnce(serde_json::Error) -> DecodeError {
    move |source| DecodeError::Shape {
        event_type: event_type.to_owned(),
        field,
        source,
    }
}
