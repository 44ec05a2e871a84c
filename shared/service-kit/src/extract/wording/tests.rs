use std::collections::BTreeMap;
use std::num::NonZeroU8;

use axum::extract::FromRequestParts;
use axum::http::Request;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::{Query, typed};
use crate::problem::FieldError;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only read through serde")]
struct Inner {
    at: u16,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "only read through serde")]
enum Word {
    High,
    Low,
    Other(Inner),
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(dead_code, reason = "only read through serde")]
enum Tagged {
    At { at: u16 },
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "only read through serde")]
enum Either {
    Number(u8),
    Inner(Inner),
}

fn told<T: DeserializeOwned>(value: Value) -> String {
    let errors: Vec<FieldError> = match typed::read::<T>(value) {
        Ok(_) => return "right".to_owned(),
        Err(errors) => errors,
    };
    format!("{} {}", errors[0].code, errors[0].message)
}

#[test]
fn a_wrong_body_is_told_in_plain_words() {
    let whole = "wrong_type must be a whole number";
    let choice = "invalid_value must be one of: high, low, other";
    let object = "wrong_type must be an object";
    for (told, expected) in [
        (told::<String>(json!(5)), "wrong_type must be text"),
        (told::<String>(json!("a")), "right"),
        (told::<u16>(json!("5")), whole),
        (told::<u16>(json!(null)), whole),
        (told::<u16>(json!({})), whole),
        (
            told::<u16>(json!(5.0)),
            "wrong_type must be a whole number without a decimal point",
        ),
        (
            told::<i64>(json!(-0.5)),
            "wrong_type must be a whole number without a decimal point",
        ),
        (
            told::<u16>(json!(-1)),
            "invalid_value must be a whole number between 0 and 65535",
        ),
        (
            told::<i8>(json!(128)),
            "invalid_value must be a whole number between -128 and 127",
        ),
        (
            told::<NonZeroU8>(json!(0)),
            "invalid_value must be a whole number between 1 and 255",
        ),
        (told::<f64>(json!("x")), "wrong_type must be a number"),
        (
            told::<bool>(json!("true")),
            "wrong_type must be true or false",
        ),
        (told::<bool>(json!(1)), "wrong_type must be true or false"),
        (told::<Vec<u8>>(json!("x")), "wrong_type must be a list"),
        (told::<(u8, u8)>(json!(7)), "wrong_type must be a list"),
        (
            told::<(u8, u8)>(json!([7])),
            "invalid_value has the wrong number of items",
        ),
        (told::<BTreeMap<String, u8>>(json!([])), object),
        (told::<Inner>(json!("x")), object),
        (told::<Inner>(json!(null)), object),
        (told::<Tagged>(json!(7)), object),
        (
            told::<Word>(json!(7)),
            "wrong_type must be text or an object",
        ),
        (told::<Word>(json!("urgent")), choice),
        (told::<Word>(json!("`, expected `x`")), choice),
        (
            told::<Tagged>(json!({"type": "x"})),
            "invalid_value must be one of: at",
        ),
        (
            told::<Either>(json!("x")),
            "invalid_value has a form that is not allowed here",
        ),
        (told::<Inner>(json!({})), "missing is required"),
        (
            told::<Inner>(json!({"at": 1, "SECRET": 2})),
            "unknown_field is not known here: known are at",
        ),
        (told::<Uuid>(json!(7)), "wrong_type must be a UUID"),
        (told::<Uuid>(json!("7")), "invalid_value must be a UUID"),
        (
            told::<DateTime<Utc>>(json!("soon")),
            "invalid_value is not a date or time that can be read",
        ),
        (
            told::<DateTime<Utc>>(json!("2027-02-30T00:00:00Z")),
            "invalid_value is not a date or time that can be read",
        ),
        (
            told::<DateTime<Utc>>(json!("2027-02-03T00:00")),
            "invalid_value is not a date or time that can be read",
        ),
        (
            told::<NaiveDate>(json!("2027-02-03x")),
            "invalid_value is not a date or time that can be read",
        ),
    ] {
        assert_eq!(told, expected);
    }
}

#[test]
fn no_type_of_ours_is_named() {
    let values = [
        json!(null),
        json!(7),
        json!(-7),
        json!(7.5),
        json!(true),
        json!("x"),
        json!([]),
        json!([[]]),
        json!({}),
        json!({"at": []}),
        json!({"high": 1}),
        json!({"other": 1}),
    ];
    for value in values {
        for told in [
            told::<Inner>(value.clone()),
            told::<Option<Inner>>(value.clone()),
            told::<Word>(value.clone()),
            told::<Tagged>(value.clone()),
            told::<Either>(value.clone()),
            told::<Vec<Word>>(value.clone()),
            told::<DateTime<Utc>>(value.clone()),
            told::<NaiveDate>(value.clone()),
            told::<char>(value.clone()),
            told::<()>(value.clone()),
        ] {
            for word in [
                "Inner", "Word", "Tagged", "Either", "struct", "enum", "variant", "u16", "`",
                "expected", "::",
            ] {
                assert!(!told.contains(word), "{value}: {told}");
            }
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only read through serde")]
struct Parameters {
    limit: Option<u16>,
    share: Option<f64>,
    #[serde(default)]
    unread: bool,
    word: Option<Word>,
    id: Option<Uuid>,
}

#[tokio::test]
async fn a_wrong_query_is_told_in_plain_words() {
    for (query, expected) in [
        ("limit=x", "must be a whole number"),
        ("limit=", "must be a whole number"),
        ("limit=5.0", "must be a whole number"),
        ("limit=-1", "must be a whole number"),
        ("limit=70000", "is too large a number"),
        ("share=x", "must be a number"),
        ("unread=yes", "must be true or false"),
        ("word=urgent", "must be one of: high, low, other"),
        ("id=7", "must be a UUID"),
        ("limit=1&limit=2", "occurs twice"),
        (
            "colour=red",
            "is not known here: known are limit, share, unread, word, id",
        ),
    ] {
        let request = Request::get(format!("/?{query}")).body(()).unwrap();
        let (mut parts, ()) = request.into_parts();
        let refused = Query::<Parameters>::from_request_parts(&mut parts, &()).await;
        assert_eq!(
            refused.unwrap_err().errors()[0].message,
            expected,
            "{query}"
        );
    }
}
