//! From a JSON value to a type, naming all wrong fields at once.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use serde_path_to_error::{Error, Segment};

use super::strict::{MAX_ERRORS, pointer_below};
use super::wording;
use crate::problem::FieldError;

/// How often a body is tried. Only wrong bodies take more than one try.
const MAX_TRIES: usize = 64;

/// Reads `T` from a value, or tells every wrong field with its pointer.
///
/// serde stops at the first mistake. So the mistake is noted, the field is made harmless, and the
/// value is read again, until it can be read or nothing harmless fits.
pub(crate) fn read<T: DeserializeOwned>(mut value: Value) -> Result<T, Vec<FieldError>> {
    // Where it is need not be followed until something is wrong.
    if let Ok(read) = T::deserialize(&value) {
        return Ok(read);
    }
    let mut mistake = match attempt::<T>(&value) {
        Ok(read) => return Ok(read),
        Err(mistake) => mistake,
    };
    let mut errors = Vec::new();
    let mut tries = 1;
    loop {
        let pointer = mistake.pointer.clone();
        // A wrong field that was taken out is missing in the end: that is the same mistake.
        if errors
            .iter()
            .all(|known: &FieldError| known.pointer != pointer)
        {
            errors.push(mistake);
        }
        if errors.len() == MAX_ERRORS {
            return Err(errors);
        }
        match next_mistake::<T>(&mut value, &pointer, &mut tries) {
            Some(next) => mistake = next,
            None => return Err(errors),
        }
    }
}

/// Makes the field at `pointer` harmless and gives the next mistake elsewhere, if there is one.
fn next_mistake<T: DeserializeOwned>(
    value: &mut Value,
    pointer: &str,
    tries: &mut usize,
) -> Option<FieldError> {
    let member = nearest_member(value, pointer)?;
    let substitutes = [
        None,
        Some(Value::Null),
        Some(json!("")),
        Some(json!(0)),
        Some(json!(false)),
    ];
    for substitute in substitutes
        .into_iter()
        .chain([Some(json!([])), Some(json!({}))])
    {
        if *tries == MAX_TRIES {
            return None;
        }
        *tries += 1;
        member.put(value, substitute);
        match attempt::<T>(value) {
            Ok(_) => return None,
            Err(next) if !is_within(&next.pointer, &member.pointer()) => return Some(next),
            Err(_) => {}
        }
    }
    None
}

/// A member of an object in a body.
struct Member {
    object: String,
    name: String,
}

impl Member {
    fn pointer(&self) -> String {
        pointer_below(&self.object, &self.name)
    }

    fn put(&self, value: &mut Value, substitute: Option<Value>) {
        if let Some(Value::Object(members)) = value.pointer_mut(&self.object) {
            match substitute {
                Some(substitute) => drop(members.insert(self.name.clone(), substitute)),
                None => drop(members.remove(&self.name)),
            }
        }
    }
}

/// The innermost object member around the pointer: an array item cannot be taken out alone without
/// renumbering those behind it.
fn nearest_member(value: &Value, pointer: &str) -> Option<Member> {
    let (object, name) = pointer.rsplit_once('/')?;
    match value.pointer(object) {
        Some(Value::Object(_)) => Some(Member {
            object: object.to_owned(),
            name: name.replace("~1", "/").replace("~0", "~"),
        }),
        _ => nearest_member(value, object),
    }
}

fn is_within(pointer: &str, outer: &str) -> bool {
    pointer
        .strip_prefix(outer)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn attempt<T: DeserializeOwned>(value: &Value) -> Result<T, FieldError> {
    serde_path_to_error::deserialize(value).map_err(|error| describe(&error))
}

/// Tells a serde error as a field error.
pub(crate) fn describe<E: std::fmt::Display>(error: &Error<E>) -> FieldError {
    let message = error.inner().to_string();
    let mut pointer = String::new();
    for segment in error.path() {
        match segment {
            Segment::Seq { index } => pointer = pointer_below(&pointer, &index.to_string()),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                pointer = pointer_below(&pointer, key);
            }
            Segment::Unknown => break,
        }
    }
    let quoted = message.split('`').nth(1).unwrap_or_default();
    let (code, message) = wording::told(&message);
    let named = pointer_below("", quoted);
    match code {
        "missing" | "duplicate" => pointer.push_str(&named),
        "unknown_field" if !pointer.ends_with(&named) => pointer.push_str(&named),
        _ => {}
    }
    FieldError::new(pointer, code, message)
}

/// An object in which nothing is said, for bodies that may be left out.
pub(crate) fn nothing() -> Value {
    Value::Object(Map::new())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use uuid::Uuid;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read through serde")]
    struct Body {
        title: String,
        count: u32,
        id: Option<Uuid>,
        #[serde(default)]
        labels: Vec<String>,
        #[serde(default)]
        inner: Vec<Inner>,
        kind: Option<Kind>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read through serde")]
    struct Inner {
        at: u32,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        One,
        #[serde(untagged)]
        #[expect(dead_code, reason = "only read through serde")]
        Other(BTreeMap<String, u32>),
    }

    fn mistakes(value: Value) -> Vec<(String, &'static str)> {
        let errors = read::<Body>(value).unwrap_err();
        errors
            .into_iter()
            .map(|error| (error.pointer, error.code))
            .collect()
    }

    fn expected(list: &[(&str, &'static str)]) -> Vec<(String, &'static str)> {
        list.iter()
            .map(|(pointer, code)| ((*pointer).to_owned(), *code))
            .collect()
    }

    #[test]
    fn a_right_body_is_read() {
        let body = read::<Body>(json!({"title": "a", "count": 1, "kind": "one"})).unwrap();
        assert!(matches!(body.kind, Some(Kind::One)));
        assert_eq!(body.title, "a");
    }

    #[test]
    fn all_wrong_fields_are_told_at_once() {
        let mut found = mistakes(json!({
            "title": 5, "count": "x", "id": "no uuid", "labels": ["a", 2], "extra/one": 1,
            "inner": [{"at": 1}, {"at": -1, "more": true}], "kind": 7
        }));
        found.sort();
        assert_eq!(
            found,
            expected(&[
                ("/count", "wrong_type"),
                ("/extra~1one", "unknown_field"),
                ("/id", "invalid_value"),
                ("/inner/1/at", "invalid_value"),
                ("/inner/1/more", "unknown_field"),
                ("/kind", "invalid_value"),
                ("/labels/1", "wrong_type"),
                ("/title", "wrong_type"),
            ])
        );
    }

    #[test]
    fn all_missing_fields_are_told_at_once() {
        assert_eq!(
            mistakes(json!({})),
            expected(&[("/title", "missing"), ("/count", "missing")])
        );
    }

    #[test]
    fn a_body_of_another_shape_is_told_once() {
        for value in [json!(null), json!(7), json!("text"), json!([])] {
            assert_eq!(mistakes(value).len(), 1);
        }
    }

    #[test]
    fn work_on_a_wrong_body_is_bounded() {
        let many: Map<String, Value> = (0..500).map(|n| (format!("f{n}"), json!(n))).collect();
        assert_eq!(mistakes(Value::Object(many)).len(), MAX_ERRORS);
    }
}
