//! The checked-in schemas and examples, as the tests read them.

use std::fs;
use std::path::{Path, PathBuf};

use event_schema::{Envelope, all_events, families};
use serde_json::Value;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// What the file beside an old example ends with: the example as it is read today.
const CURRENT: &str = ".current";

/// Every file `<folder>/<type>/<version>.json` as (type, version, text).
pub(crate) fn versions(name: &str) -> Vec<(String, String, String)> {
    let mut found = all_files(name);
    found.retain(|(_, version, _)| !version.ends_with(CURRENT));
    found
}

/// What each old example is read as today, as (type, version, text).
pub(crate) fn current_forms() -> Vec<(String, String, String)> {
    let files = all_files("golden").into_iter();
    let forms = files.filter_map(|(event_type, name, text)| {
        let version = name.strip_suffix(CURRENT)?.to_owned();
        Some((event_type, version, text))
    });
    forms.collect()
}

fn all_files(name: &str) -> Vec<(String, String, String)> {
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
fn every_version_of_every_type_has_a_schema_and_an_example() {
    for name in ["schemas", "golden"] {
        let files = versions(name);
        for (event_type, version) in known_versions() {
            assert!(
                files
                    .iter()
                    .any(|(found, of, _)| found == event_type && of == version),
                "{name}/{event_type}/{version}.json is missing: run `cargo xtask generate`",
            );
        }
    }
}

#[test]
fn every_schema_and_every_example_is_of_a_version_that_can_be_read() {
    for name in ["schemas", "golden"] {
        for (event_type, version, _) in versions(name) {
            assert!(
                known_versions().any(|known| known == (&event_type, &version)),
                "{name}/{event_type}/{version}.json: no step leads from it to today's version: \
                 see \"Changing an event\" in docs/events.md",
            );
        }
    }
}

#[test]
fn exactly_the_examples_of_older_versions_say_what_they_are_read_as() {
    let forms = current_forms();
    let said: Vec<_> = forms
        .iter()
        .map(|(name, version, _)| (&**name, &**version))
        .collect();
    let mut older: Vec<_> = families()
        .iter()
        .flat_map(|family| family.upcasts)
        .filter_map(|older| older.from.split_once('/'))
        .collect();
    older.sort_unstable();

    assert_eq!(said, older);
}

fn known_versions() -> impl Iterator<Item = (&'static str, &'static str)> {
    families().iter().flat_map(event_schema::Family::versions)
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
