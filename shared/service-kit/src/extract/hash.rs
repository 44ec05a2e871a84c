//! The identity of a request, for idempotency keys.

use axum::http::Method;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// What must be equal for two requests with one idempotency key to be the same request: method, path
/// with query, and the body's bytes in canonical form.
pub fn request_hash(method: &Method, path: &str, body: &[u8]) -> [u8; 32] {
    combine(method, path, &Sha256::digest(body).into())
}

pub(crate) fn combine(method: &Method, path: &str, body_hash: &[u8; 32]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    // Neither a method nor a path contains a NUL, so the parts cannot run into each other.
    for part in [
        method.as_str().as_bytes(),
        b"\0",
        path.as_bytes(),
        b"\0",
        body_hash,
    ] {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// The hash of a value's canonical form: members sorted, no white space.
pub(crate) fn canonical_hash(value: &Value) -> [u8; 32] {
    let mut text = Vec::new();
    write_canonical(value, &mut text);
    Sha256::digest(&text).into()
}

fn write_canonical(value: &Value, text: &mut Vec<u8>) {
    match value {
        Value::Array(items) => {
            text.push(b'[');
            for item in items {
                write_canonical(item, text);
                text.push(b',');
            }
            text.push(b']');
        }
        Value::Object(members) => {
            // Whether the map keeps its members sorted depends on a feature of serde_json.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            text.push(b'{');
            for (name, member) in members {
                write_scalar(name, text);
                text.push(b':');
                write_canonical(member, text);
                text.push(b',');
            }
            text.push(b'}');
        }
        scalar => write_scalar(scalar, text),
    }
}

fn write_scalar(scalar: &(impl serde::Serialize + ?Sized), text: &mut Vec<u8>) {
    // Writing a scalar to memory cannot fail.
    let _written = serde_json::to_writer(text, scalar);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(text: &str) -> [u8; 32] {
        canonical_hash(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn order_and_white_space_do_not_matter() {
        assert_eq!(
            hash(r#"{"a":1,"b":[2,{}]}"#),
            hash(r#" { "b": [2, {}], "a": 1 } "#)
        );
    }

    #[test]
    fn everything_else_matters() {
        let texts = [
            r#"{"a":1}"#,
            r#"{"a":"1"}"#,
            r#"{"a":[1]}"#,
            r#"{"b":1}"#,
            "{}",
            "[]",
            r#""""#,
        ];
        for (at, text) in texts.iter().enumerate() {
            assert!(
                texts[..at].iter().all(|other| hash(other) != hash(text)),
                "{text}"
            );
        }
        let base = request_hash(&Method::POST, "/v1/tasks", b"{}");
        assert_ne!(base, request_hash(&Method::PUT, "/v1/tasks", b"{}"));
        assert_ne!(base, request_hash(&Method::POST, "/v1/tasks?a=1", b"{}"));
        assert_ne!(base, request_hash(&Method::POST, "/v1/tasks", b"{} "));
    }
}
