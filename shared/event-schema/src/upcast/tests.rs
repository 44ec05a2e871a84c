//! A family with a past of its own, read through the code that every family is read through.

mod broken;
mod chores;
mod properties;

use serde_json::json;

use super::Reading;
use crate::registry::Family;
use crate::{DecodeError, Decoded, decode, decode_state};
use chores::{Chore, ChoreEvent, VERSIONS, envelope, renamed, today};

#[test]
fn a_sound_family_passes() {
    assert_eq!(Family::of::<ChoreEvent>().check(), Ok(()));
}

#[test]
fn the_suite_passes() {
    assert_eq!(crate::check_registry(), Ok(()));
}

#[test]
fn every_older_version_is_read_as_todays_event() {
    for (event_type, version) in VERSIONS {
        let old = renamed(event_type, version);

        let Decoded::Known(data) = decode::<ChoreEvent>(&old).unwrap() else {
            panic!("{event_type} {version}")
        };

        assert_eq!(data.change, today().change, "{event_type} {version}");
        assert_eq!(data.state, today().state, "{event_type} {version}");
        assert_eq!(data.actor, today().actor, "{event_type} {version}");
    }
}

#[test]
fn the_first_event_of_a_stream_is_read_as_todays() {
    let data = json!({
        "actor": today().actor, "change": {},
        "chore": { "id": Chore::ID, "owner_id": Chore::ID, "name": "new" },
    });

    let old = envelope("chore.made.v1", Some("1.0.0"), &data);
    let Decoded::Known(read) = decode::<ChoreEvent>(&old).unwrap() else {
        panic!("unknown")
    };

    assert_eq!(read.change, ChoreEvent::Made(Box::new(today().state)));
}

#[test]
fn a_newer_minor_is_read_as_it_is() {
    let mut newer = renamed("chore.renamed.v2", "2.0.0");
    newer.dataschema = Some("taskledger://schemas/chore.renamed/2.7.0".to_owned());

    let Decoded::Known(data) = decode::<ChoreEvent>(&newer).unwrap() else {
        panic!("unknown")
    };

    assert_eq!(data.change, today().change);
}

#[test]
fn a_newer_minor_of_an_older_major_is_read_as_the_newest_that_is_known() {
    for version in ["1.9.0", "1.2.1", "?", ""] {
        let mut newer = renamed("chore.renamed.v1", "1.2.0");
        newer.dataschema = Some(format!("taskledger://schemas/chore.renamed/{version}"));

        let Decoded::Known(data) = decode::<ChoreEvent>(&newer).unwrap() else {
            panic!("unknown")
        };

        assert_eq!(data.change, today().change, "{version}");
    }
}

#[test]
fn a_newer_major_is_unknown() {
    let mut newer = renamed("chore.renamed.v2", "2.0.0");
    newer.event_type = "chore.renamed.v3".to_owned();
    newer.dataschema = Some("taskledger://schemas/chore.renamed/3.0.0".to_owned());

    assert!(matches!(decode::<ChoreEvent>(&newer), Ok(Decoded::Unknown)));
}

#[test]
fn what_is_not_as_its_version_promised_is_named() {
    let wrong = [
        (
            json!({ "actor": today().actor, "change": [], "chore": {} }),
            "chore",
        ),
        (
            json!({ "actor": today().actor, "change": 1, "chore": today().state }),
            "change",
        ),
        (
            json!({ "actor": "nobody", "change": {}, "chore": {} }),
            "actor",
        ),
    ];
    for (data, part) in wrong {
        let error = decode::<ChoreEvent>(&envelope("chore.renamed.v1", Some("1.2.0"), &data));

        let Err(DecodeError::Shape { field, .. }) = error else {
            panic!("{data}: {error:?}")
        };
        assert_eq!(field, part);
    }
}

#[test]
fn a_state_that_was_written_down_is_brought_to_todays_shape() {
    for (version, json) in (1..).zip(chores::STATES) {
        let state: Chore = decode_state(&json.replace("ID", Chore::ID), version).unwrap();

        assert_eq!(state, today().state, "{version}");
    }
}

#[test]
fn a_state_that_is_newer_than_the_code_is_read_as_it_is() {
    let json = serde_json::to_string(&today().state).unwrap();

    assert_eq!(decode_state::<Chore>(&json, 99).unwrap(), today().state);
}

#[test]
fn todays_version_meets_no_step() {
    for (version, data) in [(Some("2.0.0"), "as it is"), (None, "without a version")] {
        let reading = Reading::of::<ChoreEvent>("chore.renamed.v2", version);

        assert!(matches!(reading, Reading::AsItIs), "{data}");
    }
}

#[test]
fn an_older_type_has_the_properties_of_the_one_it_is_read_as() {
    let family = Family::of::<ChoreEvent>();

    let older = family.event_type_of("chore.renamed.v1").unwrap();

    assert_eq!(older.name, "chore.renamed.v2");
    assert!(older.fact);
    assert_eq!(
        family.state_version_of("chore.renamed.v1", "1.1.0"),
        Some(2)
    );
    assert_eq!(
        family.state_version_of("chore.renamed.v2", "2.0.0"),
        Some(4)
    );
    assert_eq!(family.state_version_of("chore.renamed.v2", "2.1.0"), None);
    assert!(family.event_type_of("chore.renamed.v3").is_none());
}
