//! Bearer tokens: JSON Web Tokens signed with our key.

use std::fmt;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use uuid::Uuid;

use super::{AuthSetupError, Caller, hmac, unauthenticated};
use crate::config::AuthConfig;
use crate::problem::Problem;

/// A longer token is not read.
const MAX_TOKEN: usize = 8 * 1024;
/// How far clocks may differ, in seconds.
const LEEWAY: f64 = 30.0;
/// A shorter HS256 key is weaker than its hash (RFC 7518 §3.2).
const MIN_KEY: usize = 32;

/// Checks tokens and tells whose they are.
pub(super) struct TokenReader {
    key: DecodingKey,
    validation: Validation,
}

/// What we need of a token. A claim of the wrong type makes the token unreadable, never absent.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: f64,
    nbf: Option<f64>,
    #[serde(default)]
    iss: String,
}

impl TokenReader {
    pub(super) fn new(key: &SecretString, config: &AuthConfig) -> Result<Self, AuthSetupError> {
        let key = key.expose_secret().as_bytes();
        if key.len() < MIN_KEY {
            return Err(AuthSetupError::ShortKey(key.len()));
        }
        hmac::install();
        Ok(Self {
            key: DecodingKey::from_secret(key),
            validation: validation(config),
        })
    }

    /// The user that the token names and how long, if it is valid now.
    pub(super) fn caller(&self, token: &str, now: DateTime<Utc>) -> Result<Caller, Problem> {
        // One answer for every fault: which check failed is nobody's business but the log's.
        let refuse = |reason: &str| {
            tracing::debug!(reason, "refused a token: {reason}");
            unauthenticated("the bearer token is not valid")
        };
        if token.len() > MAX_TOKEN {
            return Err(refuse("too long"));
        }
        let read = jsonwebtoken::decode::<Claims>(token, &self.key, &self.validation);
        let read = read.map_err(|error| refuse(&error.to_string()))?;
        check_header(&read.header).map_err(refuse)?;
        check_time(&read.claims, now).map_err(refuse)?;
        let user_id = user_id(&read.claims).ok_or_else(|| refuse("no subject"))?;
        Ok(Caller {
            user_id,
            expires_at: Some(expires_at(&read.claims)),
        })
    }
}

impl fmt::Debug for TokenReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenReader").finish_non_exhaustive()
    }
}

/// The token of the one `Authorization: Bearer` header.
pub(super) fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut sent = headers.get_all(AUTHORIZATION).iter();
    let only = sent
        .next()
        .filter(|_| sent.next().is_none())
        .and_then(|value| value.to_str().ok());
    let parts = only.and_then(|value| value.split_once(' '));
    parts
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(|| unauthenticated("one bearer token is required"))
}

fn validation(config: &AuthConfig) -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    let mut required = vec!["exp", "sub"];
    // Our clock decides about time, not the library's: see `check_time`.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = config.audience().is_some();
    if let Some(issuer) = config.issuer() {
        validation.set_issuer(&[issuer]);
        required.push("iss");
    }
    if let Some(audience) = config.audience() {
        validation.set_audience(&[audience]);
        required.push("aud");
    }
    validation.set_required_spec_claims(&required);
    validation
}

fn check_header(header: &Header) -> Result<(), &'static str> {
    let kind = header.typ.as_deref().unwrap_or("JWT");
    if !kind.eq_ignore_ascii_case("JWT") && !kind.eq_ignore_ascii_case("at+jwt") {
        return Err("typ is not that of an access token");
    }
    if header.crit.is_some() {
        return Err("it demands extensions that we do not know");
    }
    Ok(())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "exact for the next 285 million years"
)]
fn check_time(claims: &Claims, now: DateTime<Utc>) -> Result<(), &'static str> {
    let now = now.timestamp() as f64;
    if now >= claims.exp + LEEWAY {
        return Err("expired");
    }
    if claims.nbf.is_some_and(|nbf| now < nbf - LEEWAY) {
        return Err("not valid yet");
    }
    Ok(())
}

/// The moment from which `check_time` refuses the token.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the cast saturates, and what no calendar holds is the end of time"
)]
fn expires_at(claims: &Claims) -> DateTime<Utc> {
    let seconds = (claims.exp + LEEWAY).ceil() as i64;
    DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// A subject that is a UUID is the user's id; any other becomes one, apart for each issuer.
fn user_id(claims: &Claims) -> Option<Uuid> {
    if claims.sub.is_empty() {
        return None;
    }
    Some(Uuid::try_parse(&claims.sub).unwrap_or_else(|_| {
        let issuer = Uuid::new_v5(&Uuid::NAMESPACE_URL, claims.iss.as_bytes());
        Uuid::new_v5(&issuer, claims.sub.as_bytes())
    }))
}

#[cfg(test)]
mod tests;
