//! Who is asking.

mod browser;
mod hmac;
mod token;

use std::net::SocketAddr;

use axum::http::{HeaderMap, Uri};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::config::AuthConfig;
use crate::error::ErrorKind;
use crate::problem::Problem;
use token::TokenReader;

/// The one user of single-user mode.
pub const SINGLE_USER: Uuid = Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0001);

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The user, to whom every row they make belongs.
    pub user_id: Uuid,
    /// When their token is accepted no longer, leeway included: an answer that goes on must end then.
    /// `None` in single-user mode.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Finds out who is asking.
#[derive(Debug)]
pub struct Authenticator(Mode);

#[derive(Debug)]
enum Mode {
    Nobody,
    SingleUser,
    Token(Box<TokenReader>),
}

/// Why the service does not start.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthSetupError {
    /// Everybody could read everything.
    #[error(
        "refusing to listen on {0} without authentication: set AUTH_JWT_KEY, or listen on 127.0.0.1"
    )]
    OpenToTheNetwork(SocketAddr),
    /// The key can be guessed.
    #[error("AUTH_JWT_KEY must have at least 32 bytes, and has {0}")]
    ShortKey(usize),
    /// Issuer and audience mean nothing without a key.
    #[error("AUTH_JWT_ISSUER and AUTH_JWT_AUDIENCE need AUTH_JWT_KEY")]
    NoKey,
}

impl Authenticator {
    /// Checks the settings against the address that the service will listen on.
    pub fn new(config: &AuthConfig, listen: SocketAddr) -> Result<Self, AuthSetupError> {
        let wants_tokens = config.issuer().is_some() || config.audience().is_some();
        match config.key() {
            Some(key) => TokenReader::new(key, config)
                .map(Box::new)
                .map(Mode::Token)
                .map(Self),
            None if wants_tokens => Err(AuthSetupError::NoKey),
            None if !listen.ip().is_loopback() => Err(AuthSetupError::OpenToTheNetwork(listen)),
            None => Ok(Self(Mode::SingleUser)),
        }
    }

    /// Refuses everybody: for a service without public routes.
    pub(crate) fn nobody() -> Self {
        Self(Mode::Nobody)
    }

    /// Whether everybody on this machine is the one user.
    pub fn is_single_user(&self) -> bool {
        matches!(self.0, Mode::SingleUser)
    }

    /// Tells who is asking, or refuses with 401 or 403.
    pub fn authenticate(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        now: DateTime<Utc>,
    ) -> Result<Caller, Problem> {
        match &self.0 {
            Mode::Nobody => Err(unauthenticated("this service has no callers")),
            Mode::SingleUser => {
                browser::check_is_local(uri, headers)?;
                Ok(Caller {
                    user_id: SINGLE_USER,
                    expires_at: None,
                })
            }
            Mode::Token(reader) => reader.caller(token::bearer(headers)?, now),
        }
    }
}

fn unauthenticated(detail: &str) -> Problem {
    Problem::new(
        ErrorKind::Unauthenticated,
        ErrorKind::Unauthenticated.code(),
    )
    .detail(detail)
}

fn forbidden(detail: &str) -> Problem {
    Problem::new(ErrorKind::Forbidden, ErrorKind::Forbidden.code()).detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(key: Option<&str>) -> AuthConfig {
        AuthConfig {
            jwt_key: key.map(Into::into),
            jwt_issuer: None,
            jwt_audience: None,
        }
    }

    fn refusal(config: &AuthConfig, listen: &str) -> AuthSetupError {
        Authenticator::new(config, listen.parse().unwrap()).unwrap_err()
    }

    #[test]
    fn single_user_mode_is_for_loopback_only() {
        for listen in ["127.0.0.1:8080", "127.8.0.1:1", "[::1]:8080"] {
            assert!(Authenticator::new(&config(None), listen.parse().unwrap()).is_ok());
        }
        for listen in [
            "0.0.0.0:8080",
            "[::]:8080",
            "192.168.1.2:8080",
            "[::ffff:10.0.0.1]:80",
        ] {
            let refusal = refusal(&config(None), listen);
            assert!(
                refusal.to_string().starts_with("refusing to listen on"),
                "{refusal}"
            );
        }
    }

    #[test]
    fn nobody_is_nobody() {
        let uri = Uri::from_static("http://127.0.0.1/");
        let now = DateTime::UNIX_EPOCH;

        let refused = Authenticator::nobody().authenticate(&uri, &HeaderMap::new(), now);

        assert_eq!(refused.unwrap_err().status(), 401);
    }

    #[test]
    fn a_short_key_is_refused() {
        assert_eq!(
            refusal(&config(Some("secret")), "127.0.0.1:1"),
            AuthSetupError::ShortKey(6)
        );
        assert!(
            Authenticator::new(&config(Some(&"k".repeat(32))), "0.0.0.0:1".parse().unwrap())
                .is_ok()
        );
    }

    #[test]
    fn an_issuer_without_a_key_is_refused() {
        let config = AuthConfig {
            jwt_issuer: Some("https://id.example".into()),
            ..config(None)
        };
        assert_eq!(refusal(&config, "127.0.0.1:1"), AuthSetupError::NoKey);
    }
}
