//! Comparing tokens.

use http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

/// The header that carries a token, in either direction.
pub(crate) const HEADER: &str = "dapr-api-token";

/// Whether the request shows the token, if there is one. Takes the same time wherever the first
/// difference is.
pub(crate) fn accepts(expected: Option<&SecretString>, headers: &HeaderMap) -> bool {
    let Some(expected) = expected else {
        return true;
    };
    headers.get(HEADER).is_some_and(|shown| {
        shown
            .as_bytes()
            .ct_eq(expected.expose_secret().as_bytes())
            .into()
    })
}
