//! Entity tags: a resource's version, strongly, as `"v17"`.
//!
//! What a resource shows may change without anybody having changed it. Then its version stays, so that
//! whoever has read it may still change it, and its tag goes on as `"v17.1"`: `If-None-Match` sees the
//! difference, `If-Match` does not.

use axum::http::header::{ETAG, IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::error::ErrorKind;
use crate::problem::Problem;

/// The tag of a version.
pub fn format(version: u64) -> String {
    format!("\"v{version}\"")
}

/// The tag of a version that has shown so many other things since.
fn format_shown(version: u64, shown: u64) -> String {
    match shown {
        0 => format(version),
        _ => format!("\"v{version}.{shown}\""),
    }
}

/// The version that a tag names, if it is one of ours.
pub fn parse(tag: &str) -> Option<u64> {
    parse_shown(tag).map(|(version, _)| version)
}

fn parse_shown(tag: &str) -> Option<(u64, u64)> {
    let numbers = tag.strip_prefix("\"v")?.strip_suffix('"')?;
    match numbers.split_once('.') {
        None => Some((number(numbers)?, 0)),
        Some((version, shown)) => {
            let shown = number(shown).filter(|shown| *shown > 0)?;
            Some((number(version)?, shown))
        }
    }
}

fn number(digits: &str) -> Option<u64> {
    let canonical = !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'));
    if canonical { digits.parse().ok() } else { None }
}

/// The `ETag` header of a version, for a response's tuple.
pub fn header(version: u64) -> [(HeaderName, String); 1] {
    [(ETAG, format(version))]
}

/// The version that `If-Match` demands. `*` demands only that the thing exists, which every update
/// demands anyway.
pub fn if_match(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let mut wanted = None;
    for tag in tags(headers, &IF_MATCH)? {
        if tag == "*" {
            continue;
        }
        let version = parse(tag).ok_or_else(|| {
            malformed(r#"If-Match must be a strong entity tag such as "v17", as answered in ETag"#)
        })?;
        if wanted.is_some_and(|other| other != version) {
            return Err(malformed("If-Match must name one version"));
        }
        wanted = Some(version);
    }
    Ok(wanted)
}

/// Whether `If-None-Match` says that the caller has this already.
fn is_known(headers: &HeaderMap, version: u64, shown: u64) -> bool {
    let Ok(known) = tags(headers, &IF_NONE_MATCH) else {
        return false;
    };
    // The comparison is weak for GET (RFC 9110 §13.1.2): a cache may have weakened our tag.
    known.iter().any(|tag| {
        *tag == "*" || parse_shown(tag.trim_start_matches("W/")) == Some((version, shown))
    })
}

/// Answers a GET of one resource: 304 when the caller has this version, else what `body` gives.
pub fn conditional<R: IntoResponse>(
    headers: &HeaderMap,
    version: u64,
    body: impl FnOnce() -> R,
) -> Response {
    conditional_shown(headers, version, 0, body)
}

/// The same of a resource that has shown so many other things since it got its version.
pub fn conditional_shown<R: IntoResponse>(
    headers: &HeaderMap,
    version: u64,
    shown: u64,
    body: impl FnOnce() -> R,
) -> Response {
    let tag = [(ETAG, format_shown(version, shown))];
    if is_known(headers, version, shown) {
        return (StatusCode::NOT_MODIFIED, tag).into_response();
    }
    (tag, body()).into_response()
}

fn tags<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Vec<&'a str>, Problem> {
    let text = |value: &'a HeaderValue| {
        value
            .to_str()
            .map_err(|_| malformed(format!("{name} holds bytes that are not text")))
    };
    let mut tags = Vec::new();
    for value in headers.get_all(name) {
        tags.extend(text(value)?.split(',').map(str::trim));
    }
    Ok(tags)
}

fn malformed(detail: impl Into<String>) -> Problem {
    Problem::new(ErrorKind::Malformed, "malformed-header").detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &HeaderName, values: &[&str]) -> HeaderMap {
        values
            .iter()
            .map(|value| (name.clone(), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    #[test]
    fn a_tag_is_read_as_it_was_written() {
        for version in [0, 1, 17, u64::MAX] {
            assert_eq!(parse(&format(version)), Some(version));
        }
    }

    #[test]
    fn what_is_shown_differently_is_another_tag_of_the_same_version() {
        let known = headers(&IF_NONE_MATCH, &[r#""v3.1""#]);
        let answer = |version, shown| conditional_shown(&known, version, shown, || "body");
        assert_eq!(answer(3, 1).status(), StatusCode::NOT_MODIFIED);
        assert_eq!(answer(3, 1).headers()[ETAG], r#""v3.1""#);
        for (version, shown) in [(3, 0), (3, 2), (31, 0), (4, 1)] {
            assert_eq!(answer(version, shown).status(), StatusCode::OK);
        }
        assert_eq!(parse(r#""v3.1""#), Some(3));
        for tag in [
            r#""v3.0""#,
            r#""v3.""#,
            r#""v.1""#,
            r#""v3.1.1""#,
            r#""v3.01""#,
        ] {
            assert_eq!(parse(tag), None, "{tag}");
        }
    }

    #[test]
    fn if_match_takes_one_strong_version() {
        let read = |values: &[&str]| if_match(&headers(&IF_MATCH, values)).ok();
        assert_eq!(read(&[]), Some(None));
        assert_eq!(read(&["*"]), Some(None));
        assert_eq!(read(&[r#""v17""#]), Some(Some(17)));
        assert_eq!(read(&[r#""v17" , "v17""#]), Some(Some(17)));
    }

    #[test]
    fn if_match_refuses_weak_foreign_and_several_tags() {
        for tag in [
            r#"W/"v17""#,
            "v17",
            r#""17""#,
            r#""v""#,
            r#""v-1""#,
            r#""v+1""#,
            r#""v017""#,
            r#""v99999999999999999999""#,
            "",
            r#""v1", "v2""#,
        ] {
            let problem = if_match(&headers(&IF_MATCH, &[tag])).unwrap_err();
            assert_eq!(problem.status(), StatusCode::BAD_REQUEST, "{tag}");
        }
    }

    #[test]
    fn a_known_version_is_answered_without_a_body() {
        let known = headers(&IF_NONE_MATCH, &[r#""v3", W/"v4""#]);
        let answer = |version| conditional(&known, version, || "body");
        assert_eq!(answer(4).status(), StatusCode::NOT_MODIFIED);
        assert_eq!(answer(4).headers()[ETAG], r#""v4""#);
        assert_eq!(answer(5).status(), StatusCode::OK);
        assert_eq!(answer(5).headers()[ETAG], r#""v5""#);
    }
}
