//! JSON read strictly: what two readers could understand differently is refused.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::error::ErrorKind;
use crate::problem::{FieldError, Problem};

/// Deeper bodies are refused: none of ours comes near.
const MAX_DEPTH: usize = 32;
/// Enough to understand what is wrong; a body full of mistakes does not get a bigger answer.
pub(crate) const MAX_ERRORS: usize = 32;

/// Reads one JSON value. Refused are duplicate names, text after the value, lone surrogates, numbers
/// out of range, nesting deeper than 32 (400), and NUL characters (422: no database stores them).
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    let mut findings = Findings::default();
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let read = Strict(&mut findings)
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value));
    let value = read.map_err(|error| malformed().detail(error.to_string()))?;
    if !findings.duplicates.is_empty() {
        return Err(malformed()
            .detail("a name occurs twice")
            .fields(findings.duplicates));
    }
    if !findings.nul.is_empty() {
        return Err(Problem::invalid(findings.nul));
    }
    Ok(value)
}

/// A JSON Pointer one step below another.
pub(crate) fn pointer_below(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn malformed() -> Problem {
    Problem::new(ErrorKind::Malformed, "malformed-json")
}

#[derive(Default)]
struct Findings {
    pointer: String,
    depth: usize,
    duplicates: Vec<FieldError>,
    nul: Vec<FieldError>,
}

impl Findings {
    fn check_text(&mut self, text: &str) {
        if text.contains('\0') && self.nul.len() < MAX_ERRORS {
            let message = "must not contain the NUL character";
            self.nul
                .push(FieldError::new(&self.pointer, "nul_character", message));
        }
    }

    fn duplicate(&mut self) {
        if self.duplicates.len() < MAX_ERRORS {
            self.duplicates
                .push(FieldError::new(&self.pointer, "duplicate", "occurs twice"));
        }
    }

    /// Goes one level down for the time of `inside`.
    fn below<T, E: serde::de::Error>(
        &mut self,
        name: &str,
        inside: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        if self.depth == MAX_DEPTH {
            return Err(E::custom(format_args!(
                "nested deeper than {MAX_DEPTH} levels"
            )));
        }
        let length = self.pointer.len();
        self.pointer = pointer_below(&self.pointer, name);
        self.depth += 1;
        let result = inside(self);
        self.depth -= 1;
        self.pointer.truncate(length);
        result
    }
}

struct Strict<'f>(&'f mut Findings);

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        self.0.check_text(value);
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        self.0.check_text(&value);
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        loop {
            let name = items.len().to_string();
            let item = self
                .0
                .below(&name, |findings| access.next_element_seed(Strict(findings)))?;
            match item {
                Some(item) => items.push(item),
                None => return Ok(Value::Array(items)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        let mut seen = BTreeSet::new();
        while let Some(name) = access.next_key::<String>()? {
            let is_new = seen.insert(name.clone());
            let value = self.0.below(&name, |findings| {
                findings.check_text(&name);
                if !is_new {
                    findings.duplicate();
                }
                access.next_value_seed(Strict(findings))
            })?;
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(text: &str) -> Value {
        parse(text.as_bytes()).unwrap_err().to_json()
    }

    #[test]
    fn a_plain_value_is_read_as_it_is() {
        let text = r#"{"a":[1,-2,2.5,true,null,"é \ud83d\ude00",{}],"big":18446744073709551615}"#;
        assert_eq!(
            parse(text.as_bytes()).unwrap(),
            json!({"a":[1,-2,2.5,true,null,"é 😀",{}],"big":u64::MAX})
        );
    }

    #[test]
    fn unreadable_text_is_refused() {
        for text in [
            "",
            " ",
            "{",
            "{} {}",
            "[1,]",
            "{'a':1}",
            "nul",
            "1e400",
            "NaN",
            "01",
            r#""\ud800""#,
            r#"{"a":"\udc00x"}"#,
            r#"{"\ud800":1}"#,
            "\"\u{1}\"",
            "\u{feff}{}",
        ] {
            let problem = refusal(text);
            assert_eq!(
                (&problem["status"], &problem["code"]),
                (&json!(400), &json!("malformed-json"))
            );
        }
        assert!(parse(b"\"\xff\"").is_err());
    }

    #[test]
    fn every_duplicate_is_named() {
        let problem = refusal(r#"{"a":{"b/c":1,"b/c":2},"d":[{"e":1,"e":1}]}"#);
        assert_eq!(problem["status"], 400);
        assert_eq!(problem["errors"][0]["pointer"], "/a/b~1c");
        assert_eq!(problem["errors"][1]["pointer"], "/d/0/e");
    }

    #[test]
    fn every_nul_is_named() {
        let problem = refusal(r#"{"a":"x\u0000","b":["\u0000"],"c\u0000":1}"#);
        assert_eq!(problem["status"], 422);
        let pointers: Vec<_> = problem["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| &error["pointer"])
            .collect();
        assert_eq!(pointers, ["/a", "/b/0", "/c\0"]);
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parse(nested(32).as_bytes()).is_ok());
        for depth in [33, 34, 200_000] {
            assert_eq!(refusal(&nested(depth))["code"], "malformed-json");
        }
    }
}
