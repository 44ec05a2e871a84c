//! What a schema demands, without the words that only describe.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{ANNOTATIONS, reference, resolve};

/// Definitions that contain themselves are followed this deep.
const MAX_DEPTH: usize = 24;

/// What the schema demands: equal for two versions exactly when events of either look the same.
pub fn shape(schema: &Value) -> Value {
    shape_of(schema, schema, 0)
}

/// What the schema demands of one part of `data`, such as the state.
pub fn shape_of_part(schema: &Value, part: &str) -> Value {
    let part = schema.get("properties").and_then(|parts| parts.get(part));
    part.map_or(Value::Null, |part| shape_of(schema, part, 0))
}

fn shape_of(root: &Value, schema: &Value, depth: usize) -> Value {
    if depth > MAX_DEPTH {
        return Value::Null;
    }
    let schema = if reference(schema).is_some() {
        resolve(root, schema)
    } else {
        schema
    };
    match schema {
        Value::Object(words) => {
            let demands = words
                .iter()
                .filter(|(word, _)| !ANNOTATIONS.contains(&word.as_str()));
            let demand = |(word, value): (&String, &Value)| {
                let shape = match value {
                    // Names of ours, which may be called like an annotation.
                    Value::Object(names) if word == "properties" => named(root, names, depth + 1),
                    value => shape_of(root, value, depth + 1),
                };
                (word.clone(), shape)
            };
            sorted(demands.map(demand))
        }
        Value::Array(items) => {
            let mut shapes: Vec<_> = items
                .iter()
                .map(|item| shape_of(root, item, depth + 1))
                .collect();
            shapes.sort_by_key(Value::to_string); // Their order means nothing.
            Value::Array(shapes)
        }
        other => other.clone(),
    }
}

fn named(root: &Value, names: &Map<String, Value>, depth: usize) -> Value {
    let shapes = names
        .iter()
        .map(|(name, schema)| (name.clone(), shape_of(root, schema, depth)));
    sorted(shapes)
}

/// Whether maps keep their order depends on what else is built.
fn sorted(members: impl Iterator<Item = (String, Value)>) -> Value {
    let members: BTreeMap<_, _> = members.collect();
    Value::Object(members.into_iter().collect())
}
