//! The checked-in schemas and examples, as the tests read them.

use std::fs;
use std::path::{Path, PathBuf};

use event_schema::{Envelope, EventType, all_events};
use serde_json::Value;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Every file `<folder>/<type>/<version>.json` as (type, version, text).
pub(crate) fn versions(name: &str) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder(name)).unwrap() {
        let event_type = entry.unwrap().path();
        for file in fs::read_dir(&event_type).unwrap() {
            let path = file.unwrap().path();
            assert_eq!(
                path.extension().unwrap(),
                "json",
                "{}: not a JSON file",
                path.display()
            );
            let version = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let event_type = event_type.file_name().unwrap().to_str().unwrap().to_owned();
            found.push((event_type, version, fs::read_to_string(&path).unwrap()));
        }
    }
    found.sort();
    found
}

pub(crate) fn golden_text(event_type: &str) -> String {
    let known = all_events().find(|known| known.name == event_type).unwrap();
    let path = folder("golden")
        .join(known.name)
        .join(format!("{}.json", known.schema_version));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn golden_value(event_type: &str) -> Value {
    serde_json::from_str(&golden_text(event_type)).unwrap()
}

pub(crate) fn envelope(value: &Value) -> Envelope {
    Envelope::parse(value.to_string().as_bytes()).unwrap()
}

#[test]
fn every_type_has_a_schema_and_an_example() {
    for name in ["schemas", "golden"] {
        let versions = versions(name);
        for EventType {
            name: event_type,
            schema_version,
            ..
        } in all_events()
        {
            assert!(
                versions
                    .iter()
                    .any(|(found, version, _)| found == event_type && version == schema_version),
                "{name}/{event_type}/{schema_version}.json is missing: run `cargo xtask generate`",
            );
        }
    }
}

#[test]
fn no_schema_and_no_example_is_orphaned() {
    for name in ["schemas", "golden"] {
        for (event_type, version, _) in versions(name) {
            let known = all_events().find(|known| known.name == event_type);
            let known = known.unwrap_or_else(|| panic!("{name}/{event_type} belongs to no type"));
            assert!(
                semantic(&version) <= semantic(known.schema_version),
                "{name}/{event_type}/{version}.json is newer than its type",
            );
        }
    }
}

#[test]
fn the_major_of_a_schema_is_the_suffix_of_its_type() {
    for (event_type, version, _) in versions("schemas") {
        let major = event_type.rsplit_once(".v").unwrap().1;
        assert_eq!(
            major,
            semantic(&version)[0].to_string(),
            "{event_type} {version}"
        );
    }
}

#[test]
fn checked_in_schemas_are_what_the_types_say() {
    for known in all_events() {
        let (_, _, text) = versions("schemas")
            .into_iter()
            .find(|(name, version, _)| name == known.name && version == known.schema_version)
            .unwrap();
        let checked_in: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            checked_in,
            known.json_schema(),
            "{}: run `cargo xtask generate`",
            known.name
        );
    }
}

pub(crate) fn semantic(version: &str) -> Vec<u32> {
    let numbers: Vec<u32> = version
        .split('.')
        .map(|part| part.parse().unwrap())
        .collect();
    assert_eq!(numbers.len(), 3, "{version} is not a semantic version");
    numbers
}
