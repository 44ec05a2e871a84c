//! Everything about a call but its parameters and body.

use std::fmt;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use uuid::Uuid;

use super::hash;
use crate::auth::Caller;
use crate::context::RequestContext;
use crate::error::ErrorKind;
use crate::etag;
use crate::problem::Problem;

const MAX_KEY: usize = 64;

/// Who is asking, and what came in the headers: what a door hands on with a command.
///
/// Put it after `State` and before the body. It works in routers that have the kit's layers.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who is asking.
    pub caller: Caller,
    /// The caller's name for this request, so that repeating it changes nothing.
    pub idempotency_key: Option<IdempotencyKey>,
    /// The version that the caller wants to change.
    pub if_match: Option<u64>,
    /// The W3C Trace Context that what this call causes carries on.
    pub traceparent: Option<String>,
    /// The id of the request. It is the correlation id of everything this call causes.
    pub request_id: Uuid,
    method: Method,
    path: String,
    context: RequestContext,
}

impl Call {
    /// The identity of a request that has an idempotency key, to be stored with it. Ask after the body
    /// was extracted: it is part of the identity.
    pub fn request_hash(&self) -> [u8; 32] {
        let nothing = [0; 32];
        let body = self.context.body_hash.get().unwrap_or(&nothing);
        hash::combine(&self.method, &self.path, body)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Call {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let context = parts.extensions.get::<RequestContext>().cloned();
        let caller = parts.extensions.get::<Caller>().cloned();
        let (Some(context), Some(caller)) = (context, caller) else {
            // Without the layers nobody was authenticated, so nobody gets in.
            return Err(Problem::new(
                ErrorKind::Unauthenticated,
                ErrorKind::Unauthenticated.code(),
            ));
        };
        Ok(Self {
            caller,
            idempotency_key: IdempotencyKey::read(&parts.headers)?,
            if_match: etag::if_match(&parts.headers)?,
            traceparent: Some(context.traceparent()),
            request_id: context.request_id,
            method: parts.method.clone(),
            path: parts
                .uri
                .path_and_query()
                .map_or("/", |path| path.as_str())
                .to_owned(),
            context,
        })
    }
}

/// A caller's name for a request: 1 to 64 visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Reads a key.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=MAX_KEY).contains(&text.len());
        (fits && text.bytes().all(|byte| byte.is_ascii_graphic())).then(|| Self(text.to_owned()))
    }

    /// The key's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn read(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let mut sent = headers.get_all("idempotency-key").iter();
        let Some(first) = sent.next() else {
            return Ok(None);
        };
        let key = first
            .to_str()
            .ok()
            .and_then(Self::parse)
            .filter(|_| sent.next().is_none());
        key.map(Some).ok_or_else(|| {
            Problem::new(ErrorKind::Malformed, "malformed-header").detail(format!(
                "Idempotency-Key must occur once, with 1 to {MAX_KEY} visible ASCII characters"
            ))
        })
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_key_is_short_and_visible() {
        assert!(IdempotencyKey::parse(&"k".repeat(64)).is_some());
        assert!(IdempotencyKey::parse("8e03978e-40d5-43dd-bc93-6894a57f9324").is_some());
        for text in ["", " ", "a b", "a\tb", "é", &"k".repeat(65)] {
            assert_eq!(IdempotencyKey::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn two_keys_are_refused() {
        let mut headers = HeaderMap::new();
        headers.append("idempotency-key", HeaderValue::from_static("a"));
        assert_eq!(
            IdempotencyKey::read(&headers).unwrap().unwrap().as_str(),
            "a"
        );
        headers.append("idempotency-key", HeaderValue::from_static("a"));
        assert_eq!(IdempotencyKey::read(&headers).unwrap_err().status(), 400);
    }
}
