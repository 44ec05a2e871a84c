//! Older versions of events and states, and how they are brought to today's shape when they are read.
//!
//! Stored bytes never change, so a reader meets every version that was ever written. What is of
//! today's version does not come here: it is recognized by comparing its version.

mod check;

#[cfg(test)]
mod tests;

use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use crate::{EventSet, EventType, State};

pub use check::RegistryError;

/// The members of a part of `data`, in the shape of some version.
pub type Members = Map<String, Value>;

/// Brings a part one version further. Pure, and without an answer: what is not as the older version
/// promised is left alone, and refused when the result is decoded.
pub type Step = fn(&mut Members);

/// An older version of an event type, and the step that leads out of it.
///
/// An entry is never removed: events of its version stand in ledgers for ever.
#[derive(Clone, Copy, Debug)]
pub struct Upcast {
    /// The older version as its files are named, `task.updated.v1/1.0.0`.
    pub from: &'static str,
    /// The version of the state that its events carry; [`State::STEPS`] do the rest.
    pub state: usize,
    /// The next version: one minor higher, or the first one of the next major.
    pub to: &'static str,
    /// What it does to `change`; [`unchanged`] when nothing.
    pub change: Step,
}

/// The step of a version that changed nothing in this part: it only gained what may be absent.
pub fn unchanged(_: &mut Members) {}

impl Upcast {
    fn event_type(&self) -> &'static str {
        split(self.from).0
    }

    fn version(&self) -> &'static str {
        split(self.from).1
    }
}

/// How an event of a family is read.
pub(crate) enum Reading {
    /// As it is: of today's version, or of a newer minor, which only has more.
    AsItIs,
    /// Through the steps that begin here.
    Older(&'static Upcast),
    /// Not by this family.
    Unknown,
}

impl Reading {
    /// How `E` reads a type of this name whose data has this schema version.
    pub(crate) fn of<E: EventSet>(name: &str, version: Option<&str>) -> Self {
        let today = E::TYPES.iter().find(|known| known.name == name);
        if E::UPCASTS.is_empty() {
            return today.map_or(Self::Unknown, |_| Self::AsItIs);
        }
        match today {
            Some(known) if version.is_none_or(|version| version == known.schema_version) => {
                Self::AsItIs
            }
            _ => Self::of_another_version(today, E::UPCASTS, name, version),
        }
    }

    fn of_another_version(
        today: Option<&'static EventType>,
        upcasts: &'static [Upcast],
        name: &str,
        version: Option<&str>,
    ) -> Self {
        let mut older = upcasts.iter().filter(|older| older.event_type() == name);
        let exact = older.clone().find(|older| Some(older.version()) == version);
        match (exact, today) {
            (Some(exact), _) => Self::Older(exact),
            (None, Some(_)) => Self::AsItIs,
            // A minor of an older major that we do not know only has more than the newest that we do.
            (None, None) => match older.next() {
                Some(first) => Self::Older(older.fold(first, newer)),
                None => Self::Unknown,
            },
        }
    }
}

fn newer(one: &'static Upcast, other: &'static Upcast) -> &'static Upcast {
    if numbers(other.version()) > numbers(one.version()) {
        other
    } else {
        one
    }
}

/// The steps from an older version on. As many as there are at most, also when they run in a circle.
fn chain(
    upcasts: &'static [Upcast],
    first: &'static Upcast,
) -> impl Iterator<Item = &'static Upcast> {
    let next = |step: &&'static Upcast| upcasts.iter().find(|next| next.from == step.to);
    std::iter::successors(Some(first), next).take(upcasts.len())
}

/// Today's type that the steps lead to; `None` when they lead nowhere.
pub(crate) fn destination(
    types: &'static [EventType],
    upcasts: &'static [Upcast],
    first: &'static Upcast,
) -> Option<&'static EventType> {
    let last = chain(upcasts, first).last()?;
    types.iter().find(|known| is(known, last.to))
}

fn is(known: &EventType, id: &'static str) -> bool {
    split(id) == (known.name, known.schema_version)
}

/// A change of an older version as today's type has it.
pub(crate) fn change(
    upcasts: &'static [Upcast],
    first: &'static Upcast,
    json: &RawValue,
) -> serde_json::Result<Box<RawValue>> {
    let mut value: Value = serde_json::from_str(json.get())?;
    if let Value::Object(members) = &mut value {
        chain(upcasts, first).for_each(|step| (step.change)(members));
    }
    to_raw_value(&value)
}

/// A state of an older version as today's code has it.
pub(crate) fn state<S: State + DeserializeOwned>(
    json: &str,
    version: usize,
) -> serde_json::Result<S> {
    let mut value: Value = serde_json::from_str(json)?;
    if let Value::Object(members) = &mut value {
        let steps = S::STEPS.iter().skip(version.saturating_sub(1));
        steps.for_each(|step| step(members));
    }
    serde_json::from_value(value)
}

/// The type and the version in `task.updated.v1/1.0.0`.
fn split(id: &'static str) -> (&'static str, &'static str) {
    id.split_once('/').unwrap_or((id, ""))
}

/// A semantic version, to be compared.
fn numbers(version: &str) -> Option<[u32; 3]> {
    let mut parts = version.split('.').map(|part| part.parse().ok());
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}
