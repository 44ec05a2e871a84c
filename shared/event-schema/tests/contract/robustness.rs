//! No bytes make a reader panic.

use event_schema::{
    Envelope, MissEvent, NotificationEvent, PreferencesEvent, ProgressEvent, ReminderEvent,
    SeriesEvent, SummaryEvent, TaskEvent, WatchEvent, all_events, decode,
};
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_oneof, proptest};
use proptest::sample::{Index, select};
use serde_json::Value;

use crate::files::{golden_text, golden_value};

fn read(bytes: &[u8]) {
    let Ok(envelope) = Envelope::parse(bytes) else {
        return;
    };
    let _ = decode::<TaskEvent>(&envelope);
    let _ = decode::<ReminderEvent>(&envelope);
    let _ = decode::<SeriesEvent>(&envelope);
    let _ = decode::<ProgressEvent>(&envelope);
    let _ = decode::<NotificationEvent>(&envelope);
    let _ = decode::<WatchEvent>(&envelope);
    let _ = decode::<SummaryEvent>(&envelope);
    let _ = decode::<MissEvent>(&envelope);
    let _ = decode::<PreferencesEvent>(&envelope);
}

fn any_type() -> impl Strategy<Value = &'static str> {
    select(
        all_events()
            .map(|event_type| event_type.name)
            .collect::<Vec<_>>(),
    )
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        select(vec![
            Value::Null,
            true.into(),
            0.into(),
            u64::MAX.into(),
            i64::MIN.into()
        ]),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        select(vec![
            "9999-12-31T23:59:60Z",
            "-0001-01-01T00:00:00Z",
            "2027-01-31T24:00",
            "user:"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| vec(inner, 0..4).prop_map(Value::from))
}

/// Every place in a document, in one order.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(map) => {
            map.iter()
                .for_each(|(key, inner)| pointers(inner, &format!("{at}/{key}"), found));
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(i, inner)| pointers(inner, &format!("{at}/{i}"), found));
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..512)) {
        read(&bytes);
    }

    #[test]
    fn an_example_with_changed_bytes_is_read_or_refused(
        name in any_type(),
        changes in vec((any::<Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = golden_text(name).into_bytes();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        read(&bytes);
    }

    #[test]
    fn an_example_cut_short_is_refused(name in any_type(), length in any::<Index>()) {
        let text = golden_text(name);
        let bytes = text.trim_end().as_bytes();
        let cut = &bytes[..length.index(bytes.len())];
        assert!(Envelope::parse(cut).is_err());
    }

    #[test]
    fn an_example_with_any_value_anywhere_is_read_or_refused(
        name in any_type(),
        place in any::<Index>(),
        wrong in any_json(),
    ) {
        let mut value = golden_value(name);
        let mut places = Vec::new();
        pointers(&value, "", &mut places);
        if let Some(target) = value.pointer_mut(&places[place.index(places.len())]) {
            *target = wrong;
        }
        read(value.to_string().as_bytes());
    }
}

#[test]
fn nesting_without_end_is_read_or_refused() {
    let deep = "[".repeat(200_000);
    read(deep.as_bytes());
    let balanced = format!("{deep}{}", "]".repeat(200_000));
    read(balanced.as_bytes());
    for name in ["task.completed.v1", "task.teleported.v1"] {
        let mut value = golden_value("task.completed.v1");
        value["type"] = name.into();
        value["data"]["task"] = "PLACE".into();
        read(value.to_string().replace("\"PLACE\"", &balanced).as_bytes());
    }
}
