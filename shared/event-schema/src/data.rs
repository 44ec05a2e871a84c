//! `data` of every event: who, what happened, and the full state that resulted.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::DeserializeOwned;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use crate::{Actor, Step, UserId};

/// A field's value before and after: undo and history need nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Changed<T> {
    /// The value before the event.
    pub from: T,
    /// The value from the event on.
    pub to: T,
}

/// What happened, in the past tense.
pub trait Change: Serialize + DeserializeOwned + JsonSchema {}
impl<T: Serialize + DeserializeOwned + JsonSchema> Change for T {}

/// The full state that an event carries beside its change.
pub trait State: Serialize + DeserializeOwned + JsonSchema + Clone {
    /// Its name within `data`.
    const FIELD: &'static str;

    /// How its shape has changed, from version 1 on: each step brings it one version further.
    ///
    /// Every change of its JSON is a step, if only [`crate::unchanged`]: the version tells a reader that
    /// there is something that it does not know. States stand in the ledger in every version.
    const STEPS: &'static [Step] = &[];

    /// The version of its shape: 1, and one more with each step.
    const VERSION: usize = Self::STEPS.len() + 1;

    /// Whose it is. Every stream, event and row has an owner.
    fn owner(&self) -> UserId;
}

/// `{"actor": …, "change": …, "<state field>": …}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Data<C, S> {
    /// Who caused the event.
    pub actor: Actor,
    /// What happened.
    pub change: C,
    /// The state at the event's version.
    pub state: S,
}

impl<C: Serialize, S: State> Serialize for Data<C, S> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("actor", &self.actor)?;
        map.serialize_entry("change", &self.change)?;
        map.serialize_entry(S::FIELD, &self.state)?;
        map.end()
    }
}

/// The JSON Schema of an event's `data`.
pub(crate) fn schema<C: JsonSchema, S: State>(generator: &mut SchemaGenerator) -> Schema {
    let actor = generator.subschema_for::<Actor>();
    let change = generator.subschema_for::<C>();
    let state = generator.subschema_for::<S>();
    json_schema!({
        "type": "object",
        "properties": { "actor": actor, "change": change, S::FIELD: state },
        "required": ["actor", "change", S::FIELD],
    })
}
