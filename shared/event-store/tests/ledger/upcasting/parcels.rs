//! Parcels, which had three minors of a first major and have a second one now.
//!
//! 1.1.0 gained `weight`, 1.2.0 renamed `city` to `place`, and the second major has the weight in grams
//! and says by what a parcel was moved.

use database::on;
use event_schema::{
    Actor, App, Attributes, Changed, Data, Envelope, EventId, EventSet, EventType, Members, State,
    Step, Topic, Upcast, UserId, unchanged,
};
use event_store::Aggregate;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fixture::{Fixture, start_of_test, user};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub(super) struct Parcel {
    id: Uuid,
    owner_id: UserId,
    pub(super) place: String,
    weight: Weight,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
struct Weight {
    grams: u64,
}

impl State for Parcel {
    const FIELD: &'static str = "parcel";
    const STEPS: &'static [Step] = &[weight_of_one, city_to_place, weight_in_grams];

    fn owner(&self) -> UserId {
        self.owner_id
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum MovedBy {
    Unknown,
    Truck,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub(super) struct Moved {
    place: Changed<String>,
    by: MovedBy,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ParcelEvent {
    Sent(Box<Parcel>),
    Moved(Moved),
}

pub(super) type Event = Data<ParcelEvent, Parcel>;

const fn event_type(name: &'static str) -> EventType {
    EventType {
        name,
        doc: "A parcel.",
        producer: App::TaskApi,
        topic: Some(Topic::TaskEvents),
        schema_version: "2.0.0",
        fact: false,
        schema: || schemars::schema_for!(Parcel),
    }
}

impl EventSet for ParcelEvent {
    type State = Parcel;
    const TYPES: &'static [EventType] =
        &[event_type("parcel.sent.v2"), event_type("parcel.moved.v2")];
    const UPCASTS: &'static [Upcast] = &[
        step("parcel.sent.v1/1.0.0", 1, "parcel.sent.v1/1.1.0", unchanged),
        step("parcel.sent.v1/1.1.0", 2, "parcel.sent.v1/1.2.0", unchanged),
        step("parcel.sent.v1/1.2.0", 3, "parcel.sent.v2/2.0.0", unchanged),
        step(
            "parcel.moved.v1/1.0.0",
            1,
            "parcel.moved.v1/1.1.0",
            unchanged,
        ),
        step(
            "parcel.moved.v1/1.1.0",
            2,
            "parcel.moved.v1/1.2.0",
            city_to_place,
        ),
        step(
            "parcel.moved.v1/1.2.0",
            3,
            "parcel.moved.v2/2.0.0",
            by_nobody_knows_what,
        ),
    ];

    fn event_type(&self) -> &'static EventType {
        match self {
            Self::Sent(_) => &Self::TYPES[0],
            Self::Moved(_) => &Self::TYPES[1],
        }
    }

    fn change_json(&self) -> serde_json::Result<Box<RawValue>> {
        match self {
            Self::Sent(_) => to_raw_value(&json!({})),
            Self::Moved(change) => to_raw_value(change),
        }
    }

    fn from_change(
        name: &str,
        change: &RawValue,
        state: &Parcel,
    ) -> Option<serde_json::Result<Self>> {
        match name {
            "parcel.sent.v2" => Some(Ok(Self::Sent(Box::new(state.clone())))),
            "parcel.moved.v2" => Some(serde_json::from_str(change.get()).map(Self::Moved)),
            _ => None,
        }
    }
}

const fn step(from: &'static str, state: usize, to: &'static str, change: Step) -> Upcast {
    Upcast {
        from,
        state,
        to,
        change,
    }
}

fn weight_of_one(parcel: &mut Members) {
    parcel.entry("weight").or_insert_with(|| 1.into());
}

fn city_to_place(members: &mut Members) {
    if let Some(city) = members.remove("city") {
        members.insert("place".to_owned(), city);
    }
}

fn weight_in_grams(parcel: &mut Members) {
    if let Some(kilos) = parcel.get("weight").and_then(Value::as_u64) {
        let grams = json!({ "grams": kilos.saturating_mul(1000) });
        parcel.insert("weight".to_owned(), grams);
    }
}

fn by_nobody_knows_what(change: &mut Members) {
    change.insert("by".to_owned(), "unknown".into());
}

#[derive(Debug)]
pub(super) struct Parcels;

impl Aggregate for Parcels {
    const KIND: &'static str = "parcel";
    type Events = ParcelEvent;

    fn evolve(state: Option<Parcel>, event: &ParcelEvent) -> Option<Parcel> {
        match event {
            ParcelEvent::Sent(parcel) => Some((**parcel).clone()),
            ParcelEvent::Moved(moved) => Some(Parcel {
                place: moved.place.to.clone(),
                ..state?
            }),
        }
    }

    fn partition_key(state: &Parcel) -> Uuid {
        state.id
    }
}

pub(super) fn id() -> Uuid {
    Uuid::from_u128(0x9a7c_e100)
}

/// The parcel at a place, as every version of it is read today.
pub(super) fn parcel(place: &str) -> Parcel {
    Parcel {
        id: id(),
        owner_id: user(),
        place: place.to_owned(),
        weight: Weight { grams: 1000 },
    }
}

pub(super) fn moved(from: &str, to: &str, by: MovedBy) -> ParcelEvent {
    ParcelEvent::Moved(Moved {
        place: Changed {
            from: from.to_owned(),
            to: to.to_owned(),
        },
        by,
    })
}

/// The parcel in each version of its shape.
pub(super) fn state_in(version: usize, place: &str) -> Value {
    let (id, owner) = (id(), user());
    match version {
        1 => json!({ "id": id, "owner_id": owner, "city": place }),
        2 => json!({ "id": id, "owner_id": owner, "city": place, "weight": 1 }),
        3 => json!({ "id": id, "owner_id": owner, "place": place, "weight": 1 }),
        _ => json!({ "id": id, "owner_id": owner, "place": place, "weight": { "grams": 1000 } }),
    }
}

/// What older code wrote: type, version, version of the state, change, and the place afterwards.
pub(super) const OLD: [(&str, &str, usize, &str, &str); 3] = [
    ("parcel.sent.v1", "1.0.0", 1, "{}", "Oslo"),
    (
        "parcel.moved.v1",
        "1.1.0",
        2,
        r#"{"city":{"from":"Oslo","to":"Bonn"}}"#,
        "Bonn",
    ),
    (
        "parcel.moved.v1",
        "1.2.0",
        3,
        r#"{"place":{"from":"Bonn","to":"Lyon"}}"#,
        "Lyon",
    ),
];

/// The old envelope of this row, byte for byte.
pub(super) fn envelope(row: usize) -> String {
    let (event_type, schema_version, state_version, change, place) = OLD[row];
    let version = row as u64 + 1;
    let change: Value = serde_json::from_str(change).unwrap();
    let data = json!({
        "actor": Actor::User(user()),
        "change": change,
        "parcel": state_in(state_version, place),
    });
    let attributes = Attributes {
        id: EventId(Uuid::from_u128(0xe0 + u128::from(version))),
        source: App::TaskApi.source(),
        event_type,
        schema_version,
        subject: id(),
        time: start_of_test(),
        partition_key: id(),
        version,
        correlation_id: None,
        causation_id: None,
        traceparent: None,
    };
    serde_json::to_string(&Envelope::new(&attributes, to_raw_value(&data).unwrap())).unwrap()
}

/// Puts the old event of this row into the log, as the lane of then did.
pub(super) async fn insert(fixture: &Fixture, row: usize) {
    let position = i64::try_from(row).unwrap() + 1;
    let envelope = envelope(row);
    let event_id = Envelope::parse(envelope.as_bytes()).unwrap().id.as_uuid();
    let mut tx = fixture.ledger.database().begin().await.unwrap();
    on!(&mut tx, conn => sqlx::query(
        "insert into event (position, kind, stream_id, version, event_id, type, topic, key, bucket,
                            owner_id, envelope, recorded_at)
         values ($1, 'parcel', $2, $1, $3, $4, 'task-events', $2, 3, $5, $6, $7)"
    )
    .bind(position)
    .bind(id())
    .bind(event_id)
    .bind(OLD[row].0)
    .bind(user().as_uuid())
    .bind(&envelope)
    .bind(start_of_test())
    .execute(conn)
    .await
    .map(drop))
    .unwrap();
    on!(&mut tx, conn => sqlx::query("update ledger_position set last_position = $1 where id = 0")
        .bind(position).execute(conn).await.map(drop))
    .unwrap();
    tx.commit().await.unwrap();
}

/// Writes the head after the last old event, as code that knew this version of the state did.
pub(super) async fn head_of(fixture: &Fixture, state_version: usize) {
    let mut tx = fixture.ledger.database().begin().await.unwrap();
    on!(&mut tx, conn => sqlx::query(
        "insert into stream (kind, stream_id, owner_id, version, state, state_version, updated_at)
         values ('parcel', $1, $2, 3, $3, $4, $5)
             on conflict (kind, stream_id) do update
            set state = excluded.state, state_version = excluded.state_version"
    )
    .bind(id())
    .bind(user().as_uuid())
    .bind(state_in(state_version, "Lyon").to_string())
    .bind(i32::try_from(state_version).unwrap())
    .bind(start_of_test())
    .execute(conn)
    .await
    .map(drop))
    .unwrap();
    tx.commit().await.unwrap();
}
