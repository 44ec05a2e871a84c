use chrono::TimeDelta;
use chrono::TimeZone;
use jsonwebtoken::EncodingKey;
use serde_json::{Value, json};

use super::*;

const KEY: &str = "0123456789abcdef0123456789abcdef";
const USER: &str = "0198c0de-0000-7000-8000-000000000001";

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 1, 31, 9, 0, 0).unwrap()
}

fn config() -> AuthConfig {
    AuthConfig {
        jwt_key: None,
        jwt_issuer: None,
        jwt_audience: None,
    }
}

fn strict() -> AuthConfig {
    AuthConfig {
        jwt_key: None,
        jwt_issuer: Some("https://id.example".into()),
        jwt_audience: Some("taskledger".into()),
    }
}

fn reader(config: &AuthConfig) -> TokenReader {
    TokenReader::new(&KEY.into(), config).unwrap()
}

fn token(header: &Header, claims: &Value) -> String {
    hmac::install();
    jsonwebtoken::encode(header, claims, &EncodingKey::from_secret(KEY.as_bytes())).unwrap()
}

fn claims(changes: &Value) -> Value {
    let mut claims = json!({
        "sub": USER, "exp": now().timestamp() + 60,
        "iss": "https://id.example", "aud": ["other", "taskledger"],
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn read(changes: &Value) -> Result<Uuid, Problem> {
    let token = token(&Header::new(Algorithm::HS256), &claims(changes));
    let caller = reader(&strict()).caller(&token, now())?;
    Ok(caller.user_id)
}

#[test]
fn a_valid_token_tells_the_user() {
    assert_eq!(read(&json!({})).unwrap().to_string(), USER);
    assert_eq!(
        read(&json!({"aud": "taskledger", "nbf": now().timestamp()}))
            .unwrap()
            .to_string(),
        USER
    );
    assert_eq!(read(&json!({"exp": 1.9e9})).unwrap().to_string(), USER);
}

#[test]
fn a_subject_that_is_no_uuid_becomes_one_for_each_issuer() {
    let user = |issuer: &str| {
        let token = token(
            &Header::default(),
            &claims(&json!({"sub": "anna", "iss": issuer})),
        );
        reader(&config()).caller(&token, now()).unwrap().user_id
    };
    assert_eq!(user("https://a.example"), user("https://a.example"));
    assert_ne!(user("https://a.example"), user("https://b.example"));
    assert_eq!(user("https://a.example").get_version_num(), 5);
}

#[test]
fn wrong_claims_are_refused() {
    let at = now().timestamp();
    for changes in [
        json!({"exp": at - 30}),
        json!({"exp": (at + 60).to_string()}),
        json!({"exp": null}),
        json!({"nbf": at + 31}),
        json!({"nbf": "0"}),
        json!({"sub": ""}),
        json!({"sub": 7}),
        json!({"iss": "https://evil.example"}),
        json!({"iss": null}),
        json!({"aud": "other"}),
        json!({"aud": null}),
        json!({"aud": []}),
    ] {
        assert_eq!(read(&changes).unwrap_err().status(), 401, "{changes}");
    }
    for missing in ["exp", "sub", "iss", "aud"] {
        let mut claims = claims(&json!({}));
        claims.as_object_mut().unwrap().remove(missing);
        let token = token(&Header::default(), &claims);
        assert!(
            reader(&strict()).caller(&token, now()).is_err(),
            "{missing}"
        );
    }
}

#[test]
fn clocks_may_differ_by_the_leeway() {
    let at = now().timestamp();
    assert!(read(&json!({"exp": at - 29})).is_ok());
    assert!(read(&json!({"nbf": at + 30})).is_ok());
}

#[test]
fn our_clock_decides_when_a_token_expires() {
    let token = token(&Header::default(), &claims(&json!({})));
    let reader = reader(&strict());
    assert!(reader.caller(&token, now()).is_ok());
    assert!(
        reader
            .caller(&token, now() + TimeDelta::minutes(2))
            .is_err()
    );
}

#[test]
fn a_caller_knows_when_the_token_is_refused() {
    let at = now().timestamp();
    for (exp, seconds) in [(json!(at + 60), 90), (json!(at), 30)] {
        let token = token(&Header::default(), &claims(&json!({ "exp": exp })));
        let reader = reader(&strict());
        let end = now() + TimeDelta::seconds(seconds);
        assert_eq!(reader.caller(&token, now()).unwrap().expires_at, Some(end));
        assert!(reader.caller(&token, end).is_err());
        assert!(
            reader
                .caller(&token, end - TimeDelta::microseconds(1))
                .is_ok()
        );
    }
    // No calendar holds this one.
    let token = token(&Header::default(), &claims(&json!({"exp": 1e15})));
    let caller = reader(&strict()).caller(&token, now()).unwrap();
    assert_eq!(caller.expires_at, Some(DateTime::<Utc>::MAX_UTC));
}

#[test]
fn the_algorithm_is_ours_and_not_the_tokens() {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
    let body = BASE64.encode(claims(&json!({})).to_string());
    let signature = token(&Header::default(), &claims(&json!({})));
    let signature = signature.rsplit('.').next().unwrap();
    for header in [
        json!({"alg": "none"}),
        json!({"alg": "None", "typ": "JWT"}),
        json!({"alg": "HS384"}),
        json!({"alg": "RS256"}),
        json!({"typ": "JWT"}),
    ] {
        let header = BASE64.encode(header.to_string());
        for signature in ["", signature] {
            let forged = format!("{header}.{body}.{signature}");
            assert!(reader(&strict()).caller(&forged, now()).is_err());
        }
    }
}

#[test]
fn the_header_must_be_that_of_an_access_token() {
    let with = |change: fn(&mut Header)| {
        let mut header = Header::default();
        change(&mut header);
        reader(&strict()).caller(&token(&header, &claims(&json!({}))), now())
    };
    assert!(with(|header| header.typ = None).is_ok());
    assert!(with(|header| header.typ = Some("at+JWT".into())).is_ok());
    assert!(with(|header| header.typ = Some("secevent+jwt".into())).is_err());
    assert!(with(|header| header.crit = Some(vec!["b64".into()])).is_err());
}

#[test]
fn another_key_and_a_changed_token_are_refused() {
    let token = token(&Header::default(), &claims(&json!({})));
    let other = TokenReader::new(&"k".repeat(32).into(), &strict()).unwrap();
    assert!(other.caller(&token, now()).is_err());
    for end in 0..token.len() {
        assert!(reader(&strict()).caller(&token[..end], now()).is_err());
    }
    for text in ["", ".", "..", "...", "a.b.c", &"a".repeat(1_000_000)] {
        assert!(reader(&strict()).caller(text, now()).is_err());
    }
}

#[test]
fn exactly_one_bearer_token_is_taken() {
    let headers = |values: &[&str]| {
        let mut map = HeaderMap::new();
        for value in values {
            map.append(AUTHORIZATION, value.parse().unwrap());
        }
        map
    };
    assert_eq!(bearer(&headers(&["Bearer abc"])).unwrap(), "abc");
    assert_eq!(bearer(&headers(&["bearer  abc"])).unwrap(), "abc");
    for values in [
        &[][..],
        &["abc"],
        &["Basic abc"],
        &["Bearer abc", "Bearer abc"],
        &["Bearer"],
    ] {
        assert_eq!(bearer(&headers(values)).unwrap_err().status(), 401);
    }
}

#[test]
fn the_reader_does_not_show_its_key() {
    assert!(!format!("{:?}", reader(&config())).contains(KEY));
}
