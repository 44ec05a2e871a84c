//! Event types as data, and the macro that defines a family of them.

use schemars::Schema;
use serde_json::value::RawValue;

use crate::{App, Topic, dataschema};

/// An event type: its wire name, where it is published, and its schema.
#[derive(Clone, Copy, Debug)]
pub struct EventType {
    /// `task.completed.v1`; the suffix is the major version.
    pub name: &'static str,
    /// What it says, who publishes it and who reads it: the doc comment of its variant.
    pub doc: &'static str,
    /// The only service that writes it.
    pub producer: App,
    /// Where it is published; `None` for events that stay in their service's ledger.
    pub topic: Option<Topic>,
    /// Semantic version of the data's schema, `1.0.0`.
    pub schema_version: &'static str,
    /// Whether it is a fact with an id of its own, deduplicated by the inbox, rather than a state
    /// that the version gate orders.
    pub fact: bool,
    /// JSON Schema of `data`.
    pub schema: fn() -> Schema,
}

impl EventType {
    /// The checked-in JSON Schema of `data`, complete with identity and description.
    pub fn json_schema(&self) -> serde_json::Value {
        let mut schema = (self.schema)();
        schema.insert(
            "$schema".to_owned(),
            schemars::consts::meta_schemas::DRAFT2020_12.into(),
        );
        schema.insert(
            "$id".to_owned(),
            dataschema(self.name, self.schema_version).into(),
        );
        schema.insert("title".to_owned(), self.name.into());
        schema.insert("description".to_owned(), self.doc.trim().into());
        schema.to_value()
    }
}

/// A family of events that evolve one kind of state.
pub trait EventSet: Sized + Send + Sync + Clone + std::fmt::Debug + 'static {
    /// The state they carry.
    type State: crate::State;

    /// Every type of the family.
    const TYPES: &'static [EventType];

    /// Every older version of its types. See `docs/events.md` for how one is added.
    const UPCASTS: &'static [crate::Upcast] = &[];

    /// The type of this event.
    fn event_type(&self) -> &'static EventType;

    /// The change as JSON. An event that begins a stream has an empty change: the state says it all.
    fn change_json(&self) -> serde_json::Result<Box<RawValue>>;

    /// Reads a change of the named type; `None` when the family does not know the type.
    fn from_change(
        name: &str,
        change: &RawValue,
        state: &Self::State,
    ) -> Option<serde_json::Result<Self>>;
}

/// Defines a family of events: the enum, its types and both directions of serialization.
///
/// `born` marks the variant that begins a stream; it holds the state itself. `upcasts` names the older
/// versions, once there are some.
macro_rules! event_set {
    (
        $(#[$doc:meta])*
        $vis:vis enum $set:ident of $state:ty, by $producer:ident $(, upcasts $upcasts:path)? {
            $( [born] $(#[doc = $born_doc:literal])* $born:ident = $born_name:literal, $born_topic:expr, $born_schema:literal; )?
            $( $(#[doc = $variant_doc:literal])* $variant:ident($change:ty) = $name:literal, $topic:expr, $schema:literal $(, $fact:ident)?; )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        $vis enum $set {
            $( $(#[doc = $born_doc])* $born(Box<$state>), )?
            $( $(#[doc = $variant_doc])* $variant($change), )*
        }

        impl $crate::EventSet for $set {
            type State = $state;

            const TYPES: &'static [$crate::EventType] = &[
                $( $crate::EventType {
                    name: $born_name, doc: concat!($($born_doc),*),
                    producer: $crate::App::$producer, topic: $born_topic, schema_version: $born_schema, fact: false,
                    schema: $crate::event_type::schema_of::<$crate::event_type::Empty, $state>,
                }, )?
                $( $crate::EventType {
                    name: $name, doc: concat!($($variant_doc),*),
                    producer: $crate::App::$producer, topic: $topic, schema_version: $schema,
                    fact: event_set!(@fact $($fact)?),
                    schema: $crate::event_type::schema_of::<$change, $state>,
                }, )*
            ];

            $( const UPCASTS: &'static [$crate::Upcast] = $upcasts; )?

            fn event_type(&self) -> &'static $crate::EventType {
                let name = match self {
                    $( Self::$born(_) => $born_name, )?
                    $( Self::$variant(_) => $name, )*
                };
                let index = Self::TYPES.iter().position(|known| known.name == name);
                // The name comes from the same macro arm as the table's entry.
                &Self::TYPES[index.unwrap_or_default()]
            }

            fn change_json(&self) -> serde_json::Result<Box<serde_json::value::RawValue>> {
                match self {
                    $( Self::$born(_) => serde_json::value::to_raw_value(&$crate::event_type::Empty {}), )?
                    $( Self::$variant(change) => serde_json::value::to_raw_value(change), )*
                }
            }

            fn from_change(
                name: &str,
                change: &serde_json::value::RawValue,
                state: &Self::State,
            ) -> Option<serde_json::Result<Self>> {
                let _ = state; // A family without a birth does not read it.
                match name {
                    $( $born_name => Some(Ok(Self::$born(Box::new(state.clone())))), )?
                    $( $name => Some(serde_json::from_str(change.get()).map(Self::$variant)), )*
                    _ => None,
                }
            }
        }
    };
    (@fact fact) => { true };
    (@fact) => { false };
}
pub(crate) use event_set;

/// The change of an event that begins a stream.
#[derive(serde::Serialize, schemars::JsonSchema)]
pub(crate) struct Empty {}

pub(crate) fn schema_of<C: schemars::JsonSchema, S: crate::State>() -> Schema {
    let mut generator = schemars::SchemaGenerator::default();
    let mut schema = crate::data::schema::<C, S>(&mut generator);
    let definitions = generator.take_definitions(true);
    if !definitions.is_empty() {
        schema.insert("$defs".to_owned(), serde_json::Value::Object(definitions));
    }
    schema
}
