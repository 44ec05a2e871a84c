//! Each example, of every version ever published, decodes and encodes to the same JSON.

use std::collections::BTreeSet;

use event_schema::{
    App, Decoded, Envelope, EventSet, MissEvent, NotificationEvent, PreferencesEvent,
    ProgressEvent, ReminderEvent, SeriesEvent, State, SummaryEvent, TaskEvent, Topic, WatchEvent,
    all_events, current_form, dataschema, decode, event_type_of, exhausted_event_id, families,
    fired_event_id, occurrence_event_id, withdrawn_event_id,
};
use serde_json::Value;

use crate::files::{current_forms, envelope, golden_value, versions};

/// Decodes as `E` when it is one of its types, and compares what comes out with what went in.
fn round_trip<E: EventSet>(golden: &Value) -> bool {
    let envelope = envelope(golden);
    let Decoded::Known(data) = decode::<E>(&envelope).unwrap() else {
        return false;
    };
    assert_eq!(data.change.event_type().name, envelope.event_type);

    let change: Value = serde_json::from_str(data.change.change_json().unwrap().get()).unwrap();
    assert_eq!(change, golden["data"]["change"], "{}", envelope.event_type);
    let state = serde_json::to_value(&data.state).unwrap();
    assert_eq!(
        state,
        golden["data"][E::State::FIELD],
        "{}",
        envelope.event_type
    );
    assert_eq!(
        serde_json::to_value(data.actor).unwrap(),
        golden["data"]["actor"]
    );
    assert_eq!(serde_json::to_value(&envelope).unwrap(), *golden);
    true
}

#[test]
fn every_example_of_a_current_version_encodes_to_itself() {
    for event_type in all_events() {
        let golden = golden_value(event_type.name);
        let families = [
            round_trip::<TaskEvent>(&golden),
            round_trip::<ReminderEvent>(&golden),
            round_trip::<SeriesEvent>(&golden),
            round_trip::<ProgressEvent>(&golden),
            round_trip::<NotificationEvent>(&golden),
            round_trip::<WatchEvent>(&golden),
            round_trip::<SummaryEvent>(&golden),
            round_trip::<MissEvent>(&golden),
            round_trip::<PreferencesEvent>(&golden),
        ];
        let known = families.iter().filter(|known| **known).count();
        assert_eq!(
            known, 1,
            "{} belongs to exactly one family",
            event_type.name
        );
    }
}

#[test]
fn every_example_ever_published_still_decodes() {
    for (event_type, version, text) in versions("golden") {
        let envelope = Envelope::parse(text.as_bytes()).unwrap();
        assert_eq!(envelope.event_type, event_type);
        assert_eq!(
            envelope.dataschema.as_deref(),
            Some(&*dataschema(&event_type, &version))
        );

        let forms: Vec<Value> = families()
            .iter()
            .filter_map(|family| family.current_form(&envelope).unwrap())
            .collect();

        assert_eq!(
            forms.len(),
            1,
            "{event_type} {version}: belongs to one family"
        );
        let today = event_type_of(&event_type).unwrap();
        assert_eq!(forms[0]["type"], today.name, "{event_type} {version}");
    }
}

#[test]
fn every_example_of_an_older_version_is_read_as_it_says() {
    for (event_type, version, expected) in current_forms() {
        let (_, _, text) = versions("golden")
            .into_iter()
            .find(|(name, of, _)| *name == event_type && *of == version)
            .unwrap();
        let expected: Value = serde_json::from_str(&expected).unwrap();

        let read = current_form(&Envelope::parse(text.as_bytes()).unwrap()).unwrap();

        assert_eq!(read, Some(expected), "{event_type} {version}");
    }
}

#[test]
fn what_is_written_today_is_read_as_it_is() {
    for event_type in all_events() {
        let golden = golden_value(event_type.name);

        let form = current_form(&envelope(&golden)).unwrap().unwrap();

        for member in ["type", "dataschema", "data"] {
            assert_eq!(form[member], golden[member], "{}", event_type.name);
        }
    }
}

#[test]
fn examples_have_the_source_and_the_key_of_their_topic() {
    for event_type in all_events() {
        let envelope = envelope(&golden_value(event_type.name));
        assert_eq!(
            envelope.source,
            event_type.producer.source(),
            "{}",
            event_type.name
        );
        if event_type.topic == Some(Topic::NotificationEvents) {
            assert_ne!(
                envelope.partitionkey, envelope.subject,
                "the key is the user"
            );
        } else {
            assert_eq!(
                envelope.partitionkey, envelope.subject,
                "{}",
                event_type.name
            );
        }
    }
}

#[test]
fn examples_of_facts_have_their_derived_ids() {
    let due = golden_value("occurrence.due.v1");
    let series = due["subject"].as_str().unwrap().parse().unwrap();
    let slot = due["data"]["change"]["slot"].as_str().unwrap();
    assert_eq!(due["id"], occurrence_event_id(series, slot).to_string());

    let exhausted = golden_value("series.exhausted.v1");
    let last_slot = exhausted["data"]["change"]["last_slot"].as_str().unwrap();
    assert_eq!(
        exhausted["id"],
        exhausted_event_id(series, last_slot).to_string()
    );

    let fired = golden_value("reminder.fired.v1");
    let change = &fired["data"]["change"];
    let reminder = change["reminder_id"].as_str().unwrap().parse().unwrap();
    let scheduled_for = change["scheduled_for"].as_str().unwrap().parse().unwrap();
    assert_eq!(
        fired["id"],
        fired_event_id(reminder, scheduled_for).to_string()
    );

    let withdrawn = golden_value("reminder.withdrawn.v1");
    assert_eq!(
        withdrawn["id"],
        withdrawn_event_id(reminder, scheduled_for).to_string()
    );
}

#[test]
fn examples_fit_the_properties_of_their_schema() {
    for event_type in all_events() {
        let schema = event_type.json_schema();
        let golden = golden_value(event_type.name);
        let data: BTreeSet<_> = golden["data"].as_object().unwrap().keys().collect();
        let properties: BTreeSet<_> = schema["properties"].as_object().unwrap().keys().collect();
        assert_eq!(data, properties, "{}", event_type.name);
    }
}

#[test]
fn only_the_producer_of_a_topic_writes_to_it() {
    for event_type in all_events() {
        let Some(topic) = event_type.topic else {
            continue;
        };
        assert!(
            topic.contract().producers.contains(&event_type.producer),
            "{}",
            event_type.name
        );
    }
    for topic in Topic::ALL {
        for app in App::ALL
            .iter()
            .filter(|app| topic.contract().producers.contains(app))
        {
            assert!(
                all_events().any(|known| known.topic == Some(topic) && known.producer == *app),
                "{} may publish to {} and never does",
                app.id(),
                topic.name(),
            );
        }
    }
}
