//! Writing JSON as the sidecar does: keys sorted, `<`, `>` and `&` escaped, numbers as they came or
//! through a 64-bit float.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// The members of an object, sorted.
pub(crate) type Members<'a> = BTreeMap<Cow<'a, str>, Cow<'a, RawValue>>;

/// What becomes of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// Kept as they were written.
    Exact,
    /// Read as 64-bit floats: integers above 2^53 change. So do both bulk paths.
    Float,
}

/// A document that is nested too deeply or not what it has to be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JsonError {
    #[error("{0}")]
    Malformed(#[from] serde_json::Error),
    #[error("exceeded max depth")]
    TooDeep,
}

/// Deeper documents are refused, so that no document overflows the stack.
const DEEPEST: usize = 128;

/// Reads the members of an object.
pub(crate) fn members(json: &str) -> serde_json::Result<Members<'_>> {
    let members: BTreeMap<Text<'_>, &RawValue> = serde_json::from_str(json)?;
    Ok(members
        .into_iter()
        .map(|(Text(name), raw)| (name, Cow::Borrowed(raw)))
        .collect())
}

/// A key that borrows when it has no escapes.
#[derive(PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// A string as a value of a member.
pub(crate) fn string(text: &str) -> Cow<'static, RawValue> {
    let json = serde_json::Value::from(text).to_string();
    // What serde_json wrote it also reads.
    RawValue::from_string(json).map_or(Cow::Borrowed(RawValue::NULL), Cow::Owned)
}

/// Writes an object.
pub(crate) fn write_members(members: &Members<'_>, numbers: Numbers) -> Result<String, JsonError> {
    let size: usize = members
        .iter()
        .map(|(name, raw)| name.len() + raw.get().len() + 4)
        .sum();
    let mut out = String::with_capacity(size + 16);
    write_sorted(members, numbers, DEEPEST, &mut out)?;
    Ok(out)
}

/// Writes any value.
#[cfg(test)]
fn write(json: &RawValue, numbers: Numbers) -> Result<String, JsonError> {
    let mut out = String::with_capacity(json.get().len() + 16);
    write_value(json, numbers, DEEPEST, &mut out)?;
    Ok(out)
}

fn write_sorted(
    members: &Members<'_>,
    numbers: Numbers,
    depth: usize,
    out: &mut String,
) -> Result<(), JsonError> {
    let depth = depth.checked_sub(1).ok_or(JsonError::TooDeep)?;
    out.push('{');
    for (index, (name, value)) in members.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_text(name, out);
        out.push(':');
        write_value(value, numbers, depth, out)?;
    }
    out.push('}');
    Ok(())
}

fn write_value(
    json: &RawValue,
    numbers: Numbers,
    depth: usize,
    out: &mut String,
) -> Result<(), JsonError> {
    let text = json.get();
    match text.as_bytes().first() {
        Some(b'{') => write_sorted(&members(text)?, numbers, depth, out)?,
        Some(b'[') => write_array(text, numbers, depth, out)?,
        Some(b'"') if is_plain(text) => out.push_str(text),
        Some(b'"') => write_text(&serde_json::from_str::<String>(text)?, out),
        Some(b'-' | b'0'..=b'9') if numbers == Numbers::Float => {
            out.push_str(&float(serde_json::from_str(text)?));
        }
        _ => out.push_str(text),
    }
    Ok(())
}

fn write_array(
    text: &str,
    numbers: Numbers,
    depth: usize,
    out: &mut String,
) -> Result<(), JsonError> {
    let depth = depth.checked_sub(1).ok_or(JsonError::TooDeep)?;
    let values: Vec<&RawValue> = serde_json::from_str(text)?;
    out.push('[');
    for (index, value) in values.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_value(value, numbers, depth, out)?;
    }
    out.push(']');
    Ok(())
}

/// Whether a JSON string is written in the only way the sidecar would.
fn is_plain(text: &str) -> bool {
    !text
        .bytes()
        .any(|byte| matches!(byte, b'\\' | b'<' | b'>' | b'&' | 0xe2))
}

fn write_text(text: &str, out: &mut String) {
    let json = serde_json::Value::from(text).to_string();
    for char in json.chars() {
        match char {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let escaped = format!("\\u{:04x}", u32::from(char));
                out.push_str(&escaped);
            }
            _ => out.push(char),
        }
    }
}

/// A float as Go's encoder writes it.
fn float(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{value:e}");
        return match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => {
                format!("{digits}e+{exponent}")
            }
            _ => text,
        };
    }
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(json: &str, numbers: Numbers) -> String {
        write(serde_json::from_str(json).unwrap(), numbers).unwrap()
    }

    #[test]
    fn keys_are_sorted_at_every_depth() {
        assert_eq!(
            rewritten(
                r#" {"b":{"d":1,"c":[{"z":0,"y":[]}]}, "a":null} "#,
                Numbers::Exact
            ),
            r#"{"a":null,"b":{"c":[{"y":[],"z":0}],"d":1}}"#
        );
    }

    #[test]
    fn angle_brackets_and_ampersands_are_escaped() {
        assert_eq!(
            rewritten(r#"{"<k>":"a & b \u003c é \" \n"}"#, Numbers::Exact),
            "{\"\\u003ck\\u003e\":\"a \\u0026 b \\u003c é \\\" \\n\"}"
        );
    }

    #[test]
    fn numbers_are_exact_or_floats() {
        let json = "[9007199254740993,1.0,1e400,0.10,1e21,-0.0000001]";
        assert_eq!(rewritten(json, Numbers::Exact), json);
        assert_eq!(
            rewritten(
                "[9007199254740993,1.0,0.10,1e21,-0.0000001]",
                Numbers::Float
            ),
            "[9007199254740992,1,0.1,1e+21,-1e-7]"
        );
    }

    #[test]
    fn a_document_that_is_too_deep_is_refused() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let raw: &RawValue = serde_json::from_str(&deep).unwrap();
        assert!(matches!(
            write(raw, Numbers::Exact),
            Err(JsonError::TooDeep)
        ));
    }
}
