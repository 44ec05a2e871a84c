//! Problems, request ids, and the answers that no handler gives.

use super::*;

const TASK: &str = "/v1/tasks/0198c0de-0000-7000-8000-000000000001";

#[tokio::test]
async fn a_domain_error_becomes_a_problem() {
    let answer = send(app(), post_json(&format!("{TASK}/complete"), "{}")).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(
        answer.body,
        json!({
            "type": "/problems/conflict",
            "title": "Its state does not allow this",
            "status": 409,
            "detail": "task 0198c0de-0000-7000-8000-000000000001 is already completed",
            "code": "conflict",
            "instance": answer.header("x-request-id"),
            "trace_id": answer.header("x-request-id").replace('-', ""),
        })
    );
}

#[tokio::test]
async fn our_own_faults_tell_nothing_about_us() {
    for (path, status) in [("/v1/database", 503), ("/v1/panic", 500)] {
        let answer = get_from(app(), path).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.body["detail"], Value::Null);
        assert!(!answer.body.to_string().contains("secret"));
        assert_eq!(answer.body["instance"], answer.header("x-request-id"));
        assert_eq!(
            answer.header("retry-after"),
            if status == 503 { "1" } else { "" }
        );
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let answer = get_from(app(), "/v1/unknown").await;
    assert_eq!(
        (answer.status, answer.code()),
        (StatusCode::NOT_FOUND, "not-found")
    );
    let answer = send(
        app(),
        request("DELETE", "/v1/tasks").body(Body::empty()).unwrap(),
    )
    .await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.code(), "method-not-allowed");
    assert_eq!(answer.header("allow"), "GET,HEAD,POST");
}

#[tokio::test]
async fn an_id_that_cannot_be_one_is_answered_like_an_unknown_one() {
    let unknown = get_from(app(), "/v1/unknown").await;
    for path in ["/v1/tasks/7", "/v1/tasks/%00", "/v1/tasks/%ff"] {
        let answer = get_from(app(), path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert_eq!(answer.body["title"], unknown.body["title"]);
        assert_eq!(answer.code(), unknown.code());
    }
}

#[tokio::test]
async fn a_wrong_query_names_the_parameter() {
    for (query, pointer) in [
        ("limit=0", "/limit"),
        ("limit=x", "/limit"),
        ("color=red", "/color"),
        ("limit=1&limit=2", "/limit"),
    ] {
        let answer = get_from(app(), &format!("/v1/tasks?{query}")).await;
        assert_eq!(
            (answer.status, answer.code()),
            (StatusCode::BAD_REQUEST, "malformed-query")
        );
        assert_eq!(answer.pointers(), [pointer], "{query}");
    }
    for (query, code) in [
        ("cursor=x", "cursor-invalid"),
        ("cursor=%00", "malformed-query"),
    ] {
        let answer = get_from(app(), &format!("/v1/tasks?{query}")).await;
        assert_eq!(
            (answer.status, answer.code()),
            (StatusCode::BAD_REQUEST, code)
        );
    }
    assert_eq!(get_from(app(), "/v1/tasks").await.body["limit"], 50);
}

#[tokio::test]
async fn a_sane_request_id_comes_back() {
    let id = "0198c0de-0000-7000-8000-00000000abcd";
    let request = request("GET", TASK)
        .header("x-request-id", id)
        .body(Body::empty())
        .unwrap();
    assert_eq!(send(app(), request).await.header("x-request-id"), id);
    let minted = get_from(app(), TASK).await;
    assert_eq!(
        Uuid::parse_str(minted.header("x-request-id"))
            .unwrap()
            .get_version_num(),
        7
    );
}

#[tokio::test]
async fn a_known_version_is_not_sent_again() {
    let request = request("GET", TASK).header("if-none-match", r#""v3""#);
    let answer = send(app(), request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::NOT_MODIFIED);
    assert_eq!(answer.header("etag"), r#""v3""#);
    assert_eq!(answer.header("cache-control"), "private, no-cache");
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_given_up() {
    let app = kit(&["--http-request-timeout", "20ms"]).public_layers(routes());
    let answer = get_from(app, "/v1/hang").await;
    assert_eq!(
        (answer.status, answer.code()),
        (StatusCode::SERVICE_UNAVAILABLE, "timed-out")
    );
    assert_eq!(answer.header("retry-after"), "1");
}

#[tokio::test]
async fn the_current_state_can_travel_in_a_problem() {
    let problem = Problem::new(ErrorKind::PreconditionFailed, "version-conflict")
        .member("current", json!({"version": 4}))
        .member("status", 200);
    let answer = read_answer(problem.into_response()).await;
    assert_eq!(answer.body["current"]["version"], 4);
    assert_eq!(answer.body["status"], 412);
}

#[tokio::test]
async fn several_services_share_one_edge() {
    let other = Router::new().route("/v1/notifications", get(async || "none"));
    let kit = kit(&[]);
    let merged = kit
        .service_layers(routes())
        .merge(kit.service_layers(other));
    let app = kit.edge_layers(merged);
    assert_eq!(
        get_from(app.clone(), "/v1/notifications").await.status,
        StatusCode::OK
    );
    assert_eq!(get_from(app.clone(), TASK).await.status, StatusCode::OK);
    assert_eq!(get_from(app, "/v1/unknown").await.code(), "not-found");
}
