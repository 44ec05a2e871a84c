//! Schemas of one major version understand each other, and the comparison finds what breaks that.

use event_schema::compatibility::{shape, shape_of_part, violations};
use event_schema::{all_events, families};
use serde_json::{Value, json};

use crate::files::{semantic, versions};

#[test]
fn every_schema_understands_the_earlier_ones_of_its_major() {
    let checked_in = versions("schemas");
    for known in all_events() {
        let new = known.json_schema();
        let earlier = checked_in.iter().filter(|(name, version, _)| {
            name == known.name && semantic(version)[0] == semantic(known.schema_version)[0]
        });
        for (name, version, text) in earlier {
            let old: Value = serde_json::from_str(text).unwrap();
            assert_eq!(
                violations(&old, &new),
                Vec::<String>::new(),
                "{name} {version}"
            );
        }
    }
}

/// Heads name the version of their state, so a state cannot change without one.
#[test]
fn a_state_has_one_shape_per_version_of_it() {
    let checked_in = versions("schemas");
    for family in families() {
        let mut shapes = std::collections::BTreeMap::new();
        for (name, version, text) in &checked_in {
            let Some(state_version) = family.state_version_of(name, version) else {
                continue;
            };
            let schema: Value = serde_json::from_str(text).unwrap();
            let shape = shape_of_part(&schema, family.state_field);
            assert!(shape.is_object(), "{name}/{version}");
            let first = shapes.entry(state_version).or_insert_with(|| shape.clone());
            assert_eq!(
                *first, shape,
                "{name}/{version}: `{}` has another shape than other events with its version \
                 {state_version}: add a step to State::STEPS",
                family.state_field,
            );
        }
    }
}

#[test]
fn a_shape_is_what_a_schema_demands_and_not_what_it_says() {
    let told = |pointer: &str, value: Value| {
        let mut new = schema();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = new.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        parent.insert(key.to_owned(), value);
        shape(&new) == shape(&schema())
    };

    assert!(told("/description", json!("better words")));
    assert!(told("/$defs/Inner/properties/color/title", json!("Color")));
    assert!(told("/required", json!(["inner", "name"])));
    assert!(!told("/properties/title", json!({ "type": "string" })));
    assert!(!told("/required", json!(["inner"])));
    assert!(!told("/$defs/Inner/required", json!([])));
    let inner = shape_of_part(&schema(), "inner");
    assert_eq!(inner["required"], json!(["color"]));
    assert_eq!(shape_of_part(&schema(), "nothing"), Value::Null);
}

fn schema() -> Value {
    json!({
        "$id": "taskledger://schemas/thing.changed/1.0.0",
        "type": "object",
        "properties": {
            "name": { "type": "string", "maxLength": 500 },
            "count": { "type": ["integer", "null"], "format": "uint32", "minimum": 0 },
            "inner": { "$ref": "#/$defs/Inner" },
            "list": { "type": "array", "items": { "$ref": "#/$defs/Inner" } },
            "either": { "anyOf": [{ "$ref": "#/$defs/Inner" }, { "type": "null" }] }
        },
        "required": ["name", "inner"],
        "$defs": {
            "Inner": {
                "type": "object",
                "properties": {
                    "color": { "type": "string", "enum": ["red", "green"] },
                    "again": { "$ref": "#/$defs/Inner" }
                },
                "required": ["color"]
            }
        }
    })
}

/// What changing the value at `pointer` is called; `None` removes it.
fn after(pointer: &str, value: Option<Value>) -> Vec<String> {
    let old = schema();
    let mut new = schema();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = new.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => drop(parent.insert(key.to_owned(), value)),
        None => drop(parent.remove(key).unwrap()),
    }
    violations(&old, &new)
}

#[track_caller]
fn assert_found(found: &[String], wanted: &str) {
    assert!(
        found.iter().any(|line| line.contains(wanted)),
        "{wanted:?} not in {found:?}"
    );
}

#[test]
fn equal_schemas_are_compatible_even_when_recursive() {
    assert_eq!(violations(&schema(), &schema()), Vec::<String>::new());
}

#[test]
fn a_new_optional_property_is_compatible() {
    let new = json!({ "type": "string", "default": "" });
    assert_eq!(
        after("/properties/note", Some(new.clone())),
        Vec::<String>::new()
    );
    assert_eq!(
        after("/$defs/Inner/properties/note", Some(new)),
        Vec::<String>::new()
    );
}

#[test]
fn new_words_that_only_describe_are_compatible() {
    let found = after("/properties/name/description", Some("One line.".into()));
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn the_order_of_values_and_alternatives_means_nothing() {
    let enums = after(
        "/$defs/Inner/properties/color/enum",
        Some(json!(["green", "red"])),
    );
    assert_eq!(enums, Vec::<String>::new());
    let either = json!([{ "type": "null" }, { "$ref": "#/$defs/Inner" }]);
    assert_eq!(
        after("/properties/either/anyOf", Some(either)),
        Vec::<String>::new()
    );
}

#[test]
fn a_definition_that_moves_is_compatible() {
    let mut new = schema();
    let inner = new["$defs"]["Inner"].take();
    new["$defs"] = json!({ "Renamed": inner });
    let new = new.to_string().replace("#/$defs/Inner", "#/$defs/Renamed");
    let new: Value = serde_json::from_str(&new).unwrap();
    assert_eq!(violations(&schema(), &new), Vec::<String>::new());
}

#[test]
fn a_removed_property_is_found() {
    assert_found(&after("/properties/count", None), "data.count was removed");
    assert_found(
        &after("/$defs/Inner/properties/again", None),
        "again was removed",
    );
}

#[test]
fn a_retyped_property_is_found() {
    let found = after("/properties/name/type", Some("integer".into()));
    assert_found(&found, "data.name was retyped");
    let found = after("/properties/count/format", Some("uint8".into()));
    assert_found(&found, "data.count was retyped");
    let found = after("/properties/count/type", Some("integer".into()));
    assert_found(&found, "data.count was retyped");
}

#[test]
fn a_property_that_became_another_definition_is_found() {
    let found = after("/properties/inner", Some(json!({ "type": "string" })));
    assert_found(&found, "data.inner was retyped");
}

#[test]
fn a_narrowed_property_is_found() {
    let found = after("/properties/name/maxLength", Some(100.into()));
    assert_found(&found, "data.name was narrowed");
    let found = after("/properties/name/pattern", Some("^a".into()));
    assert_found(&found, "data.name was narrowed");
    let found = after("/$defs/Inner/properties/color/enum", Some(json!(["red"])));
    assert_found(&found, "data.inner.color was narrowed");
    let found = after(
        "/properties/either/anyOf",
        Some(json!([{ "$ref": "#/$defs/Inner" }])),
    );
    assert_found(&found, "data.either was narrowed");
    let found = after("/additionalProperties", Some(false.into()));
    assert_found(&found, "data was narrowed: additionalProperties is new");
}

#[test]
fn a_widened_property_is_found_because_older_readers_refuse_it() {
    let found = after("/properties/name/maxLength", None);
    assert_found(&found, "data.name was widened");
    let found = after(
        "/$defs/Inner/properties/color/enum",
        Some(json!(["red", "green", "blue"])),
    );
    assert_found(&found, "data.inner.color was narrowed or widened");
    let either = json!([{ "$ref": "#/$defs/Inner" }, { "type": "null" }, { "type": "integer" }]);
    assert_found(
        &after("/properties/either/anyOf", Some(either)),
        "data.either was widened",
    );
}

#[test]
fn a_new_requirement_is_found() {
    let found = after("/required", Some(json!(["name", "inner", "count"])));
    assert_found(&found, "data requires count");
    let found = after("/$defs/Inner/required", Some(json!(["color", "again"])));
    assert_found(&found, "data.inner requires again");
}

#[test]
fn a_dropped_requirement_is_found() {
    assert_found(
        &after("/required", Some(json!(["name"]))),
        "data no longer requires inner",
    );
}

#[test]
fn a_changed_item_is_found() {
    let found = after("/properties/list/items", Some(json!({ "type": "string" })));
    assert_found(&found, "data.list[items] was retyped");
    assert_found(
        &after("/properties/list/items", None),
        "data.list was widened",
    );
}

#[test]
fn a_new_property_is_found_where_nothing_new_is_allowed() {
    let mut old = schema();
    old["additionalProperties"] = false.into();
    let mut new = old.clone();
    new["properties"]["note"] = json!({ "type": "string" });
    assert_found(
        &violations(&old, &new),
        "data.note is new where older readers allow nothing new",
    );
}
