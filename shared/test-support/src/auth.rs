//! Who asks in a test: bearer tokens for any user.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use event_schema::UserId;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;

/// The key that tokens are signed with, and that [`TestEnvironment::auth`](crate::TestEnvironment::auth) configures.
pub const JWT_KEY: &str = "a key of tests only, 32 bytes or more";

/// Who asks unless a request says otherwise; fixtures belong to this user.
pub const USER: UserId = UserId(Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0001));

/// Somebody else, to whom nothing of [`USER`] may show.
pub const OTHER_USER: UserId = UserId(Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0002));

/// The `Authorization` header of a user, valid for a year from `now`.
pub fn bearer(user: UserId, now: DateTime<Utc>) -> String {
    bearer_signed_with(JWT_KEY, user, now)
}

/// The same, for services that were given another key.
pub fn bearer_signed_with(key: &str, user: UserId, now: DateTime<Utc>) -> String {
    let expires = now + TimeDelta::days(365);
    let claims = json!({ "sub": user.to_string(), "exp": expires.timestamp() });
    let header = json!({ "alg": "HS256", "typ": "JWT" });
    let signed = format!("{}.{}", encode(&header), encode(&claims));
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any key length is good for HMAC");
    mac.update(signed.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    format!("Bearer {signed}.{signature}")
}

fn encode(part: &Value) -> String {
    URL_SAFE_NO_PAD.encode(part.to_string())
}

#[cfg(test)]
mod tests {
    use clock::{Clock, SystemClock};
    use http::{HeaderMap, Uri, header::AUTHORIZATION};
    use service_kit::auth::Authenticator;
    use service_kit::config::AuthConfig;

    use super::*;

    #[test]
    fn the_services_accept_the_token_and_know_the_user() {
        let now = SystemClock::new().now();
        let config = AuthConfig {
            jwt_key: Some(JWT_KEY.into()),
            jwt_issuer: None,
            jwt_audience: None,
        };
        let listen = "127.0.0.1:0".parse().unwrap();
        let authenticator = Authenticator::new(&config, listen).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, bearer(OTHER_USER, now).parse().unwrap());

        let caller = authenticator.authenticate(&Uri::from_static("/"), &headers, now);

        assert_eq!(caller.unwrap().user_id, OTHER_USER.as_uuid());
    }
}
