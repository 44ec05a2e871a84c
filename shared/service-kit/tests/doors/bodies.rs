//! Everything that a body can have wrong.

use super::*;

async fn create(body: &str) -> Answer {
    send(app(), post_json("/v1/tasks", body)).await
}

#[tokio::test]
async fn a_right_body_is_taken() {
    let answer = create(r#"{"title":"Pay rent","count":2}"#).await;
    assert_eq!(
        (answer.status, &answer.body["title"]),
        (StatusCode::CREATED, &json!("Pay rent"))
    );
    assert_eq!(answer.header("content-type"), "application/json");
}

#[tokio::test]
async fn an_unreadable_body_is_malformed() {
    for body in [
        "",
        "{",
        "{} {}",
        r#"{"title":"\ud800","count":1}"#,
        r#"{"title":"a","title":"b","count":1}"#,
    ] {
        let answer = create(body).await;
        assert_eq!(
            (answer.status, answer.code()),
            (StatusCode::BAD_REQUEST, "malformed-json"),
            "{body}"
        );
    }
}

#[tokio::test]
async fn all_wrong_fields_are_named_at_once() {
    let answer = create(r#"{"title":7,"count":-1,"user_id":"me"}"#).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.code(), "validation-failed");
    let mut pointers = answer.pointers();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/count", "/title", "/user_id"]);
}

#[tokio::test]
async fn a_nul_character_is_a_wrong_field() {
    let answer = create(r#"{"title":"a\u0000b","count":1}"#).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.pointers(), ["/title"]);
}

#[tokio::test]
async fn only_json_is_read() {
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "",
    ] {
        let request = request("POST", "/v1/tasks").header("content-type", content_type);
        let answer = send(
            app(),
            request
                .body(Body::from(r#"{"title":"a","count":1}"#))
                .unwrap(),
        )
        .await;
        assert_eq!(
            answer.status,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "{content_type}"
        );
    }
    let untyped = request("POST", "/v1/tasks").body(Body::from("{}")).unwrap();
    assert_eq!(
        send(app(), untyped).await.status,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    let typed =
        request("POST", "/v1/tasks").header("content-type", "Application/JSON; charset=utf-8");
    let body = Body::from(r#"{"title":"a","count":1}"#);
    assert_eq!(
        send(app(), typed.body(body).unwrap()).await.status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn a_command_without_fields_may_come_without_a_body() {
    let path = "/v1/tasks/0198c0de-0000-7000-8000-000000000001/complete";
    let answer = send(app(), request("POST", path).body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    let answer = send(
        app(),
        request("POST", "/v1/tasks").body(Body::empty()).unwrap(),
    )
    .await;
    assert_eq!(answer.pointers(), ["/title", "/count"]);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_by_its_announced_and_by_its_real_size() {
    let app = || kit(&["--http-body-limit", "1KiB"]).public_layers(routes());
    let large = format!(r#"{{"title":"{}","count":1}}"#, "a".repeat(1024));
    let announced = request("POST", "/v1/tasks").header("content-length", large.len());
    let announced = send(app(), announced.body(Body::from(large.clone())).unwrap()).await;
    let pieces = futures_util::stream::iter([Ok::<_, std::io::Error>(large)]);
    let streamed = request("POST", "/v1/tasks").header("content-type", "application/json");
    let streamed = send(app(), streamed.body(Body::from_stream(pieces)).unwrap()).await;
    for answer in [announced, streamed] {
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(answer.code(), "payload-too-large");
        assert_eq!(answer.body["detail"], "the body is larger than 1024 bytes");
        assert_eq!(answer.body["limit_bytes"], 1024);
    }
}

#[tokio::test]
async fn a_merge_patch_has_its_own_media_type() {
    for content_type in ["application/merge-patch+json", "application/json"] {
        let request = request("PATCH", "/v1/tasks/0198c0de-0000-7000-8000-000000000001")
            .header("content-type", content_type)
            .header("if-match", r#""v17""#);
        let answer = send(app(), request.body(Body::from(r#"{"due":null}"#)).unwrap()).await;
        assert_eq!(answer.body, json!({"if_match": 17, "due": "Clear"}));
    }
    let patch = request("POST", "/v1/tasks").header("content-type", "application/merge-patch+json");
    let answer = send(app(), patch.body(Body::from("{}")).unwrap()).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn a_body_is_utf_8_and_not_packed() {
    const BODY: &str = r#"{"title":"a","count":1}"#;
    const PLAIN: &str = "application/json";
    for (content_type, encoding, status) in [
        (PLAIN, "identity", 201),
        (r#"application/json; Charset="UTF-8""#, "Identity", 201),
        ("application/json;version=1; charset=utf-8", "identity", 201),
        ("application/json; charset=utf-16", "identity", 415),
        ("application/json; charset=latin1", "identity", 415),
        (
            "application/json; charset=utf-8; charset=x",
            "identity",
            415,
        ),
        (PLAIN, "gzip", 415),
        (PLAIN, "identity, br", 415),
        (PLAIN, "", 415),
    ] {
        let request = request("POST", "/v1/tasks")
            .header("content-type", content_type)
            .header("content-encoding", encoding);
        let answer = send(app(), request.body(Body::from(BODY)).unwrap()).await;
        assert_eq!(answer.status, status, "{content_type} {encoding}");
    }
}
