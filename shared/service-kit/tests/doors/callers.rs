//! Who is asking, and what the headers say.

use jsonwebtoken::{EncodingKey, Header};

use super::*;

const KEY: &str = "0123456789abcdef0123456789abcdef";
const USER: &str = "0198c0de-0000-7000-8000-00000000beef";

fn call(headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let mut request = request("POST", "/v1/call").header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(body.to_owned())).unwrap()
}

fn guarded() -> Router {
    kit(&["--jwt-key", KEY, "--listen", "0.0.0.0:8080"]).public_layers(routes())
}

fn token(seconds: i64) -> String {
    let claims = json!({"sub": USER, "exp": start().timestamp() + seconds});
    let key = EncodingKey::from_secret(KEY.as_bytes());
    let token = jsonwebtoken::encode(&Header::default(), &claims, &key).unwrap();
    format!("Bearer {token}")
}

#[tokio::test]
async fn on_loopback_everybody_is_the_one_user() {
    let answer = send(app(), call(&[], "{}")).await;
    assert_eq!(answer.body["user"], "00000000-0000-7000-8000-000000000001");
}

#[tokio::test]
async fn a_page_on_another_site_is_refused() {
    let answer = send(app(), call(&[("origin", "http://evil.example")], "{}")).await;
    assert_eq!(
        (answer.status, answer.code()),
        (StatusCode::FORBIDDEN, "forbidden")
    );
    let rebound = Request::get("/v1/tasks").header("host", "evil.example:8080");
    let answer = send(app(), rebound.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn with_a_key_a_token_is_required() {
    let app = guarded();
    let answer = send(app.clone(), call(&[], "{}")).await;
    assert_eq!(
        (answer.status, answer.code()),
        (StatusCode::UNAUTHORIZED, "unauthenticated")
    );
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    // The kit's clock stands at `start`.
    let answer = send(app.clone(), call(&[("authorization", &token(60))], "{}")).await;
    assert_eq!(answer.body["user"], USER);
    let answer = send(app.clone(), call(&[("authorization", &token(-60))], "{}")).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let twice = [
        ("authorization", &*token(60)),
        ("authorization", &*token(60)),
    ];
    assert_eq!(
        send(app, call(&twice, "{}")).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn a_handler_without_layers_lets_nobody_in() {
    let answer = send(routes(), call(&[], "{}")).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn wrong_headers_are_refused() {
    for header in [
        ("idempotency-key", ""),
        ("idempotency-key", "two words"),
        ("if-match", "W/\"v1\""),
        ("if-match", "17"),
    ] {
        let answer = send(app(), call(&[header], "{}")).await;
        assert_eq!(
            (answer.status, answer.code()),
            (StatusCode::BAD_REQUEST, "malformed-header")
        );
    }
}

#[tokio::test]
async fn a_trace_is_carried_on() {
    let sent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let answer = send(app(), call(&[("traceparent", sent)], "{}")).await;
    assert_eq!(answer.body["traceparent"], sent);
    let answer = send(app(), call(&[("traceparent", "garbage")], "{}")).await;
    let minted = answer.body["traceparent"].as_str().unwrap();
    assert!(
        minted.contains(&answer.header("x-request-id").replace('-', "")),
        "{minted}"
    );
}

#[tokio::test]
async fn the_identity_of_a_request_depends_on_what_it_says_only() {
    let hash = async |body: &str| {
        send(app(), call(&[("idempotency-key", "k")], body))
            .await
            .body["hash"]
            .clone()
    };
    assert_eq!(
        hash(r#"{"a":1,"b":2}"#).await,
        hash("{ \"b\": 2, \"a\": 1 }").await
    );
    assert_ne!(hash(r#"{"a":1}"#).await, hash(r#"{"a":2}"#).await);
    assert_ne!(hash("{}").await, hash("null").await);
}
