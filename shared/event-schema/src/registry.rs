//! Every event type of the suite, in every version that was ever written.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::decode::shape;
use crate::upcast::{self, RegistryError, Upcast};
use crate::{
    DecodeError, Decoded, Envelope, EventSet, EventType, MissEvent, NotificationEvent,
    PreferencesEvent, ProgressEvent, ReminderEvent, SeriesEvent, State, SummaryEvent, TaskEvent,
    WatchEvent, dataschema, decode,
};

/// A family of events as data.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// [`EventSet::TYPES`]
    pub types: &'static [EventType],
    /// [`EventSet::UPCASTS`]
    pub upcasts: &'static [Upcast],
    /// [`State::VERSION`]
    pub state_version: usize,
    /// [`State::FIELD`]
    pub state_field: &'static str,
    pub(crate) current_form: fn(&Envelope) -> Result<Option<Value>, DecodeError>,
}

static FAMILIES: [Family; 9] = [
    Family::of::<TaskEvent>(),
    Family::of::<ReminderEvent>(),
    Family::of::<SeriesEvent>(),
    Family::of::<ProgressEvent>(),
    Family::of::<NotificationEvent>(),
    Family::of::<WatchEvent>(),
    Family::of::<SummaryEvent>(),
    Family::of::<MissEvent>(),
    Family::of::<PreferencesEvent>(),
];

/// Every family of the suite, in the order of the topic contract.
pub fn families() -> &'static [Family] {
    &FAMILIES
}

/// Every event type of the suite as it is written today, in the order of the topic contract.
pub fn all_events() -> impl Iterator<Item = &'static EventType> {
    FAMILIES.iter().flat_map(|family| family.types)
}

/// Today's type that an event of this name is read as; an older major has another name than today's.
pub fn event_type_of(name: &str) -> Option<&'static EventType> {
    FAMILIES
        .iter()
        .find_map(|family| family.event_type_of(name))
}

/// The event as it would be written today, with `type`, `dataschema` and `data`; `None` when its type
/// is not known.
pub fn current_form(envelope: &Envelope) -> Result<Option<Value>, DecodeError> {
    for family in &FAMILIES {
        if let Some(form) = family.current_form(envelope)? {
            return Ok(Some(form));
        }
    }
    Ok(None)
}

/// Checks that events and states of every version that was ever written can be read. Every service
/// does so before it opens its ledger.
pub fn check_registry() -> Result<(), RegistryError> {
    let mut names = BTreeSet::new();
    for family in &FAMILIES {
        family.check()?;
        for name in family.names() {
            if !names.insert(name) {
                return Err(RegistryError {
                    version: name.to_owned(),
                    fault: "belongs to two families".to_owned(),
                });
            }
        }
    }
    Ok(())
}

impl Family {
    /// The family of `E`.
    pub const fn of<E: EventSet>() -> Self {
        Self {
            types: E::TYPES,
            upcasts: E::UPCASTS,
            state_version: E::State::VERSION,
            state_field: E::State::FIELD,
            current_form: form_of::<E>,
        }
    }

    /// Every version ever written, as type and schema version: today's first.
    pub fn versions(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let today = self
            .types
            .iter()
            .map(|known| (known.name, known.schema_version));
        let older = self
            .upcasts
            .iter()
            .filter_map(|older| older.from.split_once('/'));
        today.chain(older)
    }

    /// The version of the state that events of this version carry.
    pub fn state_version_of(&self, event_type: &str, version: &str) -> Option<usize> {
        let id = format!("{event_type}/{version}");
        let older = self.upcasts.iter().find(|older| older.from == id);
        let today = || self.versions().any(|known| known == (event_type, version));
        older
            .map(|older| older.state)
            .or_else(|| today().then_some(self.state_version))
    }

    /// Today's type that an event of this name is read as.
    pub fn event_type_of(&self, name: &str) -> Option<&'static EventType> {
        let today = self.types.iter().find(|known| known.name == name);
        today.or_else(|| {
            let mut older = self.upcasts.iter();
            let older =
                older.find(|older| older.from.split_once('/').is_some_and(|id| id.0 == name))?;
            upcast::destination(self.types, self.upcasts, older)
        })
    }

    /// See [`current_form`]; `None` for an event of another family.
    pub fn current_form(&self, envelope: &Envelope) -> Result<Option<Value>, DecodeError> {
        (self.current_form)(envelope)
    }

    fn names(&self) -> BTreeSet<&'static str> {
        self.versions().map(|(name, _)| name).collect()
    }
}

fn form_of<E: EventSet>(envelope: &Envelope) -> Result<Option<Value>, DecodeError> {
    let Decoded::Known(data) = decode::<E>(envelope)? else {
        return Ok(None);
    };
    let known = data.change.event_type();
    let change = data.change.change_json();
    let change = change.map_err(shape(known.name, "change"))?;
    let state = serde_json::to_value(&data.state);
    Ok(Some(json!({
        "type": known.name,
        "dataschema": dataschema(known.name, known.schema_version),
        "data": {
            "actor": data.actor,
            "change": change,
            (E::State::FIELD): state.map_err(shape(known.name, E::State::FIELD))?,
        },
    })))
}
