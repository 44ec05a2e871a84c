//! Path and query parameters.

use axum::extract::{FromRequestParts, Path as AxumPath};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::typed::describe;
use crate::error::ErrorKind;
use crate::problem::Problem;

/// Path parameters. What cannot be an id is answered exactly like an unknown id: 404.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let not_found = || Problem::new(ErrorKind::NotFound, ErrorKind::NotFound.code());
        if has_nul(parts.uri.path()) {
            return Err(not_found());
        }
        let path = AxumPath::from_request_parts(parts, state).await;
        path.map(|AxumPath(params)| Self(params))
            .map_err(|_| not_found())
    }
}

/// Query parameters. A wrong one is 400 `malformed-query`, named by its pointer.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let malformed = || Problem::new(ErrorKind::Malformed, "malformed-query");
        if has_nul(query) {
            return Err(malformed().detail("the query must not contain the NUL character"));
        }
        let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
        serde_path_to_error::deserialize(pairs)
            .map(Self)
            .map_err(|error| malformed().fields([describe(&error)]))
    }
}

/// No database stores NUL characters, so they are refused before they can fail there.
fn has_nul(encoded: &str) -> bool {
    encoded.contains("%00")
}
