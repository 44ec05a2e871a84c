//! Chores: three minors of a first major, and a second one.
//!
//! 1.1.0 gained `effort`, which older readers needed not but ours does; 1.2.0 renamed `name`; the second
//! major says minutes instead of units, and wants a reason for a new name.

use chrono::DateTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::to_raw_value;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::event_type::event_set;
use crate::{
    Actor, Attributes, Changed, Data, Envelope, EventId, Members, State, Step, Upcast, UserId,
    unchanged,
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(super) struct Effort {
    pub(super) minutes: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(super) struct Chore {
    pub(super) id: Uuid,
    pub(super) owner_id: UserId,
    pub(super) title: String,
    pub(super) effort: Effort,
}

impl Chore {
    pub(super) const ID: &'static str = "0190a6e0-3c1a-7b52-9d0e-5f2b7a1c0001";
}

impl State for Chore {
    const FIELD: &'static str = "chore";
    const STEPS: &'static [Step] = &[unit_of_effort, name_to_title, effort_in_minutes];

    fn owner(&self) -> UserId {
        self.owner_id
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(super) struct Renamed {
    pub(super) title: Changed<String>,
    pub(super) reason: String,
}

event_set! {
    /// What happens to chores.
    pub(super) enum ChoreEvent of Chore, by TaskApi, upcasts UPCASTS {
        [born]
        /// A chore was made.
        Made = "chore.made.v2", None, "2.0.0";
        /// A chore has another name.
        Renamed(Renamed) = "chore.renamed.v2", None, "2.0.0", fact;
    }
}

const UPCASTS: &[Upcast] = &[
    step("chore.made.v1/1.0.0", 1, "chore.made.v1/1.1.0", unchanged),
    step("chore.made.v1/1.1.0", 2, "chore.made.v1/1.2.0", unchanged),
    step("chore.made.v1/1.2.0", 3, "chore.made.v2/2.0.0", unchanged),
    step(
        "chore.renamed.v1/1.0.0",
        1,
        "chore.renamed.v1/1.1.0",
        unchanged,
    ),
    step(
        "chore.renamed.v1/1.1.0",
        2,
        "chore.renamed.v1/1.2.0",
        name_to_title,
    ),
    step(
        "chore.renamed.v1/1.2.0",
        3,
        "chore.renamed.v2/2.0.0",
        no_reason,
    ),
];

pub(super) const fn step(
    from: &'static str,
    state: usize,
    to: &'static str,
    change: Step,
) -> Upcast {
    Upcast {
        from,
        state,
        to,
        change,
    }
}

fn unit_of_effort(chore: &mut Members) {
    chore.entry("effort").or_insert_with(|| 1.into());
}

fn name_to_title(members: &mut Members) {
    if let Some(name) = members.remove("name") {
        members.insert("title".to_owned(), name);
    }
}

fn effort_in_minutes(chore: &mut Members) {
    if let Some(units) = chore.get("effort").and_then(Value::as_u64) {
        let minutes = json!({ "minutes": units.saturating_mul(30) });
        chore.insert("effort".to_owned(), minutes);
    }
}

fn no_reason(change: &mut Members) {
    change.entry("reason").or_insert_with(|| "not said".into());
}

/// Every version of `chore.renamed`, today's last.
pub(super) const VERSIONS: [(&str, &str); 4] = [
    ("chore.renamed.v1", "1.0.0"),
    ("chore.renamed.v1", "1.1.0"),
    ("chore.renamed.v1", "1.2.0"),
    ("chore.renamed.v2", "2.0.0"),
];

/// One state in each version of its shape.
pub(super) const STATES: [&str; 4] = [
    r#"{"id":"ID","owner_id":"ID","name":"new"}"#,
    r#"{"id":"ID","owner_id":"ID","name":"new","effort":1}"#,
    r#"{"id":"ID","owner_id":"ID","title":"new","effort":1}"#,
    r#"{"id":"ID","owner_id":"ID","title":"new","effort":{"minutes":30}}"#,
];

const CHANGES: [&str; 4] = [
    r#"{"name":{"from":"old","to":"new"}}"#,
    r#"{"name":{"from":"old","to":"new"}}"#,
    r#"{"title":{"from":"old","to":"new"}}"#,
    r#"{"title":{"from":"old","to":"new"},"reason":"not said"}"#,
];

/// The same renaming as each version wrote it.
pub(super) fn renamed(event_type: &str, version: &str) -> Envelope {
    let index = VERSIONS
        .iter()
        .position(|known| *known == (event_type, version))
        .unwrap();
    let parsed =
        |json: &str| -> Value { serde_json::from_str(&json.replace("ID", Chore::ID)).unwrap() };
    let data = json!({
        "actor": today().actor,
        "change": parsed(CHANGES[index]),
        "chore": parsed(STATES[index]),
    });
    envelope(event_type, Some(version), &data)
}

/// What every version of the renaming is read as.
pub(super) fn today() -> Data<ChoreEvent, Chore> {
    let id: Uuid = Chore::ID.parse().unwrap();
    Data {
        actor: Actor::User(UserId(id)),
        change: ChoreEvent::Renamed(Renamed {
            title: Changed {
                from: "old".to_owned(),
                to: "new".to_owned(),
            },
            reason: "not said".to_owned(),
        }),
        state: Chore {
            id,
            owner_id: UserId(id),
            title: "new".to_owned(),
            effort: Effort { minutes: 30 },
        },
    }
}

pub(super) fn envelope(event_type: &str, version: Option<&str>, data: &Value) -> Envelope {
    let id: Uuid = Chore::ID.parse().unwrap();
    let attributes = Attributes {
        id: EventId(id),
        source: "/task-api",
        event_type,
        schema_version: version.unwrap_or_default(),
        subject: id,
        time: DateTime::UNIX_EPOCH,
        partition_key: id,
        version: 7,
        correlation_id: None,
        causation_id: None,
        traceparent: None,
    };
    let mut envelope = Envelope::new(&attributes, to_raw_value(data).unwrap());
    if version.is_none() {
        envelope.dataschema = None;
    }
    envelope
}
