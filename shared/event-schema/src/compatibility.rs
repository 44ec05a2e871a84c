//! Whether two versions of a schema understand each other, in both directions.
//!
//! Old readers read new events (a consumer is deployed later) and new readers read old ones (they
//! are stored for ever), so within a major version the only change is a new optional property.

mod shape;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
pub use shape::{shape, shape_of_part};

/// Words that describe and do not constrain.
const ANNOTATIONS: [&str; 8] = [
    "$schema",
    "$id",
    "$defs",
    "title",
    "description",
    "default",
    "examples",
    "$comment",
];

/// Words that are compared by what they contain, not as they stand.
const STRUCTURE: [&str; 7] = [
    "$ref",
    "properties",
    "required",
    "items",
    "oneOf",
    "anyOf",
    "additionalProperties",
];

/// A definition that only refers to another one is followed this often; a circle of them says nothing.
const MAX_HOPS: usize = 16;

/// Why `new` does not understand `old`, or the other way round; empty when they are compatible.
///
/// Each line names the place and the rule that it breaks.
pub fn violations(old: &Value, new: &Value) -> Vec<String> {
    let mut comparison = Comparison {
        old_root: old,
        new_root: new,
        visited: BTreeSet::new(),
        found: Vec::new(),
    };
    comparison.compare("data", old, new);
    comparison.found
}

struct Comparison<'a> {
    old_root: &'a Value,
    new_root: &'a Value,
    // Pairs of definitions that are compared already or right now; schemas may be recursive.
    visited: BTreeSet<(String, String)>,
    found: Vec<String>,
}

impl<'a> Comparison<'a> {
    fn compare(&mut self, at: &str, old: &'a Value, new: &'a Value) {
        if let (Some(old_ref), Some(new_ref)) = (reference(old), reference(new))
            && !self
                .visited
                .insert((old_ref.to_owned(), new_ref.to_owned()))
        {
            return;
        }
        let (old, new) = (resolve(self.old_root, old), resolve(self.new_root, new));
        match (old, new) {
            (Value::Object(old), Value::Object(new)) => self.compare_objects(at, old, new),
            _ if old == new => {}
            _ => self.report(at, "was retyped"),
        }
    }

    fn compare_objects(
        &mut self,
        at: &str,
        old: &'a Map<String, Value>,
        new: &'a Map<String, Value>,
    ) {
        self.compare_constraints(at, old, new);
        self.compare_required(at, old, new);
        self.compare_properties(at, old, new);
        for word in ["items", "additionalProperties"] {
            match (old.get(word), new.get(word)) {
                (Some(old), Some(new)) => self.compare(&format!("{at}[{word}]"), old, new),
                (None, None) => {}
                (None, Some(_)) => self.report(at, &format!("was narrowed: {word} is new")),
                (Some(_), None) => self.report(at, &format!("was widened: {word} is gone")),
            }
        }
        for word in ["oneOf", "anyOf"] {
            self.compare_alternatives(at, word, old.get(word), new.get(word));
        }
    }

    fn compare_constraints(
        &mut self,
        at: &str,
        old: &Map<String, Value>,
        new: &Map<String, Value>,
    ) {
        let words: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for word in words {
            if ANNOTATIONS.contains(&word.as_str()) || STRUCTURE.contains(&word.as_str()) {
                continue;
            }
            let (before, after) = (old.get(word), new.get(word));
            if normal(before) != normal(after) {
                let rule = match word.as_str() {
                    "type" | "format" => "was retyped",
                    _ if before.is_none() => "was narrowed",
                    _ if after.is_none() => "was widened",
                    _ => "was narrowed or widened",
                };
                self.report(
                    at,
                    &format!("{rule}: {word} {} → {}", show(before), show(after)),
                );
            }
        }
    }

    fn compare_required(&mut self, at: &str, old: &Map<String, Value>, new: &Map<String, Value>) {
        let (before, after) = (required(old), required(new));
        for name in after.difference(&before) {
            self.report(
                at,
                &format!("requires {name}, which older events do not have"),
            );
        }
        for name in before.difference(&after) {
            self.report(
                at,
                &format!("no longer requires {name}, which older readers need"),
            );
        }
    }

    fn compare_properties(
        &mut self,
        at: &str,
        old: &'a Map<String, Value>,
        new: &'a Map<String, Value>,
    ) {
        let before: BTreeMap<_, _> = properties(old).into_iter().flatten().collect();
        let after: BTreeMap<_, _> = properties(new).into_iter().flatten().collect();
        for (name, before) in &before {
            match after.get(name) {
                Some(after) => self.compare(&format!("{at}.{name}"), before, after),
                None => self.report(&format!("{at}.{name}"), "was removed"),
            }
        }
        let closed = old.get("additionalProperties") == Some(&Value::Bool(false));
        for name in after
            .keys()
            .filter(|name| closed && !before.contains_key(*name))
        {
            self.report(
                &format!("{at}.{name}"),
                "is new where older readers allow nothing new",
            );
        }
    }

    /// Each alternative needs a compatible one on the other side; their order means nothing.
    fn compare_alternatives(
        &mut self,
        at: &str,
        word: &str,
        old: Option<&'a Value>,
        new: Option<&'a Value>,
    ) {
        let (before, after) = (list(old), list(new));
        let fits = |old: &'a Value, new: &'a Value| {
            let mut inner = Comparison {
                old_root: self.old_root,
                new_root: self.new_root,
                visited: self.visited.clone(),
                found: Vec::new(),
            };
            inner.compare(at, old, new);
            inner.found.is_empty()
        };
        let gone = before
            .iter()
            .any(|old| !after.iter().any(|new| fits(old, new)));
        let added = after
            .iter()
            .any(|new| !before.iter().any(|old| fits(old, new)));
        if gone {
            self.report(
                at,
                &format!("was narrowed: an alternative of {word} is gone or changed"),
            );
        }
        if added && !gone {
            self.report(at, &format!("was widened: an alternative of {word} is new"));
        }
    }

    fn report(&mut self, at: &str, what: &str) {
        self.found.push(format!("{at} {what}"));
    }
}

fn reference(schema: &Value) -> Option<&str> {
    schema.get("$ref").and_then(Value::as_str)
}

/// Follows a local `$ref`; words beside it are annotations in what schemars writes.
fn resolve<'a>(root: &'a Value, mut schema: &'a Value) -> &'a Value {
    for _ in 0..MAX_HOPS {
        let target = reference(schema).and_then(|target| target.strip_prefix('#'));
        match target.and_then(|pointer| root.pointer(pointer)) {
            Some(next) => schema = next,
            None => break,
        }
    }
    schema
}

fn properties(schema: &Map<String, Value>) -> Option<&Map<String, Value>> {
    schema.get("properties").and_then(Value::as_object)
}

fn required(schema: &Map<String, Value>) -> BTreeSet<&str> {
    list(schema.get("required"))
        .iter()
        .filter_map(Value::as_str)
        .collect()
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Lists of types and enum values are sets; `"x"` and `["x"]` say the same.
fn normal(value: Option<&Value>) -> Option<BTreeSet<String>> {
    value.map(|value| match value {
        Value::Array(items) => items.iter().map(Value::to_string).collect(),
        other => BTreeSet::from([other.to_string()]),
    })
}

fn show(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), Value::to_string)
}
