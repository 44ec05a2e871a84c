//! Schemas out of custom resource definitions: an unknown field, which the API server would drop without
//! a word, is an error.

use serde_json::{Map, Value, json};

/// Each version's schema, by `apiVersion/kind`.
pub(super) fn schemas(definition: &Value) -> Vec<(String, Value)> {
    let text = |pointer: &str| definition.pointer(pointer).and_then(Value::as_str);
    let (Some(group), Some(kind)) = (text("/spec/group"), text("/spec/names/kind")) else {
        return Vec::new();
    };
    let versions = definition.pointer("/spec/versions");
    let versions = versions.and_then(Value::as_array).into_iter().flatten();
    let schema = |version: &Value| {
        let name = version["name"].as_str()?;
        let mut schema = version.pointer("/schema/openAPIV3Schema")?.clone();
        close(&mut schema);
        // The API server's own: every object has them, whether or not the definition says so.
        for field in ["apiVersion", "kind"] {
            schema["properties"][field] = json!({"type": "string"});
        }
        schema["properties"]["metadata"] = json!({"type": "object"});
        Some((format!("{group}/{name}/{kind}"), schema))
    };
    versions.filter_map(schema).collect()
}

/// Closes objects whose fields are listed, and turns Kubernetes' words into those of JSON Schema.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            let open = fields.contains_key("additionalProperties")
                || fields.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true));
            if fields.get("properties").is_some_and(Value::is_object) && !open {
                fields.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            int_or_string(fields);
            for value in fields.values_mut() {
                close(value);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

fn int_or_string(fields: &mut Map<String, Value>) {
    if fields.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true)) {
        fields.insert("type".to_owned(), json!(["integer", "string"]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition() -> Value {
        json!({"spec": {
            "group": "example.com",
            "names": {"kind": "Thing"},
            "versions": [{"name": "v1", "schema": {"openAPIV3Schema": {
                "type": "object",
                "required": ["spec"],
                "properties": {"spec": {
                    "type": "object",
                    "properties": {
                        "size": {"x-kubernetes-int-or-string": true},
                        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                    },
                }},
            }}}],
        }})
    }

    fn valid(spec: &Value) -> bool {
        let (key, schema) = schemas(&definition()).remove(0);
        assert_eq!(key, "example.com/v1/Thing");
        let object = json!({"apiVersion": "example.com/v1", "kind": "Thing",
                            "metadata": {"name": "a"}, "spec": spec});
        jsonschema::validator_for(&schema)
            .unwrap()
            .is_valid(&object)
    }

    #[test]
    fn known_fields_are_valid() {
        assert!(valid(&json!({"size": "1Gi", "free": {"anything": [1]}})));
        assert!(valid(&json!({"size": 3})));
    }

    #[test]
    fn unknown_fields_and_wrong_types_are_not() {
        assert!(!valid(&json!({"sise": 3})));
        assert!(!valid(&json!({"size": true})));
        assert!(!valid(&json!([])));
    }
}
