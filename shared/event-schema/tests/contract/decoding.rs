//! What a reader does with events that are newer, older or broken.

use event_schema::{
    DecodeError, Decoded, Envelope, EnvelopeError, NotificationEvent, ProgressEvent, ReminderEvent,
    SeriesEvent, TaskEvent, all_events, decode,
};
use serde_json::{Value, json};

use crate::files::{envelope, golden_value};

#[test]
fn an_unknown_type_is_kept_byte_for_byte() {
    for name in [
        "task.completed.v2",
        "task.teleported.v1",
        "reminder.fired.v1",
        "",
        "💥",
    ] {
        let mut value = golden_value("task.completed.v1");
        value["type"] = name.into();
        value["data"] = json!({ "of": "another", "shape": [1, 2.50, null] });
        let text = value.to_string();

        let envelope = Envelope::parse(text.as_bytes()).unwrap();

        assert!(
            matches!(decode::<TaskEvent>(&envelope), Ok(Decoded::Unknown)),
            "{name}"
        );
        assert!(text.contains(envelope.data.get()));
    }
}

#[test]
fn data_of_an_unknown_type_may_be_no_object_at_all() {
    for data in [
        "null",
        "17",
        r#""text""#,
        "[]",
        "1e999",
        "123456789012345678901234567890",
    ] {
        let text = golden_value("task.completed.v1").to_string();
        let mut value: Value = serde_json::from_str(&text).unwrap();
        value["type"] = "task.teleported.v1".into();
        value["data"] = "PLACE".into();
        let text = value.to_string().replace("\"PLACE\"", data);

        let envelope = Envelope::parse(text.as_bytes()).unwrap();

        assert_eq!(envelope.data.get(), data);
        assert!(matches!(
            decode::<TaskEvent>(&envelope),
            Ok(Decoded::Unknown)
        ));
    }
}

#[test]
fn unknown_fields_are_ignored_at_every_level() {
    for event_type in all_events() {
        let golden = golden_value(event_type.name);
        let mut newer = golden.clone();
        add_unknown_fields(&mut newer);

        let envelope = envelope(&newer);

        assert_eq!(known_data(&envelope), golden["data"], "{}", event_type.name);
    }
}

fn add_unknown_fields(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(add_unknown_fields);
            map.insert(
                "from_the_future".to_owned(),
                json!({ "nested": [1, "two"] }),
            );
        }
        Value::Array(items) => items.iter_mut().for_each(add_unknown_fields),
        _ => {}
    }
}

/// The data as our types understand it.
fn known_data(envelope: &Envelope) -> Value {
    fn read<E: event_schema::EventSet>(envelope: &Envelope) -> Option<Value> {
        let Decoded::Known(data) = decode::<E>(envelope).unwrap() else {
            return None;
        };
        let change: Value = serde_json::from_str(data.change.change_json().unwrap().get()).unwrap();
        let field = <E::State as event_schema::State>::FIELD;
        Some(json!({ "actor": data.actor, "change": change, (field): data.state }))
    }
    read::<TaskEvent>(envelope)
        .or_else(|| read::<ReminderEvent>(envelope))
        .or_else(|| read::<SeriesEvent>(envelope))
        .or_else(|| read::<ProgressEvent>(envelope))
        .or_else(|| read::<NotificationEvent>(envelope))
        .or_else(|| read::<event_schema::WatchEvent>(envelope))
        .or_else(|| read::<event_schema::SummaryEvent>(envelope))
        .or_else(|| read::<event_schema::MissEvent>(envelope))
        .or_else(|| read::<event_schema::PreferencesEvent>(envelope))
        .unwrap()
}

#[test]
fn each_missing_part_of_the_data_is_named() {
    for part in ["actor", "change", "task"] {
        let mut value = golden_value("task.completed.v1");
        value["data"].as_object_mut().unwrap().remove(part);

        let error = decode::<TaskEvent>(&envelope(&value)).unwrap_err();

        let DecodeError::Missing { event_type, field } = error else {
            panic!("{error}")
        };
        assert_eq!((event_type.as_str(), field), ("task.completed.v1", part));
    }
}

#[test]
fn each_part_of_the_wrong_shape_is_named() {
    let broken = [
        ("/actor", json!("user:nobody")),
        ("/actor", json!("service:teapot")),
        ("/change/status", json!({ "from": "open" })),
        ("/change/completed_at/to", json!("yesterday")),
        ("/task", json!([])),
        ("/task/title", json!(null)),
        ("/task/due", json!({ "local": "2027-01-31" })),
        ("/task/missed_count", json!(-1)),
        ("/task/status", json!("half done")),
    ];
    for (pointer, wrong) in broken {
        let mut value = golden_value("task.completed.v1");
        *value["data"].pointer_mut(pointer).unwrap() = wrong;

        let error = decode::<TaskEvent>(&envelope(&value)).unwrap_err();

        let DecodeError::Shape { field, .. } = error else {
            panic!("{pointer}: {error}")
        };
        assert_eq!(Some(field), pointer.split('/').nth(1));
    }
}

#[test]
fn data_of_a_known_type_must_be_an_object() {
    for data in [json!(null), json!(17), json!("text"), json!([])] {
        let mut value = golden_value("task.completed.v1");
        value["data"] = data;

        let error = decode::<TaskEvent>(&envelope(&value)).unwrap_err();

        assert!(
            matches!(error, DecodeError::Shape { field: "data", .. }),
            "{error}"
        );
    }
}

#[test]
fn an_envelope_needs_its_attributes() {
    for attribute in [
        "specversion",
        "id",
        "source",
        "type",
        "subject",
        "time",
        "datacontenttype",
        "partitionkey",
        "sequence",
        "data",
    ] {
        let mut value = golden_value("task.completed.v1");
        value.as_object_mut().unwrap().remove(attribute);

        let error = Envelope::parse(value.to_string().as_bytes()).unwrap_err();

        assert!(
            matches!(error, EnvelopeError::Unreadable(_)),
            "{attribute}: {error}"
        );
    }
}

#[test]
fn extensions_may_be_absent() {
    let mut value = golden_value("task.completed.v1");
    for attribute in [
        "dataschema",
        "correlationid",
        "causationid",
        "traceid",
        "traceparent",
    ] {
        value.as_object_mut().unwrap().remove(attribute);
    }

    assert_eq!(serde_json::to_value(envelope(&value)).unwrap(), value);
}

#[test]
fn another_specversion_is_refused() {
    let mut value = golden_value("task.completed.v1");
    value["specversion"] = "0.3".into();

    let error = Envelope::parse(value.to_string().as_bytes()).unwrap_err();

    assert!(matches!(error, EnvelopeError::SpecVersion(found) if found == "0.3"));
}

#[test]
fn a_sequence_is_a_positive_integer() {
    for wrong in [
        "0",
        "-1",
        "+1",
        " 1",
        "1.0",
        "",
        "one",
        "18446744073709551616",
    ] {
        let mut value = golden_value("task.completed.v1");
        value["sequence"] = wrong.into();

        let error = Envelope::parse(value.to_string().as_bytes()).unwrap_err();

        assert!(matches!(error, EnvelopeError::Sequence(found) if found == wrong));
    }
}

#[test]
fn the_largest_sequence_survives() {
    let mut value = golden_value("task.completed.v1");
    value["sequence"] = u64::MAX.to_string().into();

    assert_eq!(envelope(&value).version(), u64::MAX);
}
