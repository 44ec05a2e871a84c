//! The interface's description.

use service_kit::openapi;
use utoipa::OpenApi;

use super::*;

#[utoipa::path(patch, path = "/v1/things/{thing_id}", request_body = u32,
    params(("thing_id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200), (status = 404, description = "Lost")))]
#[expect(dead_code, reason = "only described")]
fn change_it() {}

#[utoipa::path(get, path = "/v1/things", responses((status = 200)))]
#[expect(dead_code, reason = "only described")]
fn count_them() {}

#[derive(OpenApi)]
#[openapi(paths(change_it, count_them), components(schemas(service_kit::page::Page<u32>)))]
struct Document;

fn documented() -> Router {
    let kit = kit(&["--jwt-key", "0123456789abcdef0123456789abcdef"]);
    let documents = openapi::router(&Document::openapi()).unwrap();
    kit.edge_layers(kit.service_layers(routes()).merge(documents))
}

#[tokio::test]
async fn the_description_is_open_and_complete() {
    let answer = get_from(documented(), "/openapi.json").await;
    assert_eq!(answer.status, StatusCode::OK);
    let problem = &answer.body["components"]["schemas"]["Problem"]["properties"];
    assert_eq!(problem["code"]["type"], "string");
    assert_eq!(
        problem["errors"]["items"]["$ref"],
        "#/components/schemas/FieldError"
    );
    assert!(answer.body["components"]["schemas"]["FieldError"].is_object());
    assert_eq!(
        get_from(documented(), "/v1/tasks").await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn the_page_needs_nothing_from_elsewhere() {
    let page = get_from(documented(), "/docs").await;
    assert_eq!(
        (page.status.is_redirection(), page.header("location")),
        (true, "/docs/")
    );
    for file in [
        "",
        "swagger-ui-bundle.js",
        "swagger-ui.css",
        "swagger-initializer.js",
    ] {
        let answer = get_from(documented(), &format!("/docs/{file}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{file}");
        assert!(
            answer
                .header("content-security-policy")
                .starts_with("default-src 'none'")
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    for file in ["unknown.js", "..%2fCargo.toml"] {
        assert_eq!(
            get_from(documented(), &format!("/docs/{file}"))
                .await
                .code(),
            "not-found"
        );
    }
}

#[tokio::test]
async fn every_operation_tells_what_is_refused_before_it_runs() {
    let answer = get_from(documented(), "/openapi.json").await;
    let statuses = |path: &str, method: &str| -> Vec<String> {
        let responses = &answer.body["paths"][path][method]["responses"];
        responses.as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(
        statuses("/v1/things", "get"),
        ["200", "400", "401", "403", "503"]
    );
    assert_eq!(
        statuses("/v1/things/{thing_id}", "patch"),
        [
            "200", "400", "401", "403", "404", "408", "412", "413", "415", "422", "503"
        ]
    );
    let change = &answer.body["paths"]["/v1/things/{thing_id}"]["patch"]["responses"];
    assert_eq!(change["404"]["description"], "Lost");
    assert_eq!(
        change["412"]["content"]["application/problem+json"]["schema"]["$ref"],
        "#/components/schemas/Problem"
    );
}

#[tokio::test]
async fn the_description_is_only_read() {
    for path in ["/openapi.json", "/docs", "/docs/", "/docs/swagger-ui.css"] {
        let put = request("PUT", path).body(Body::empty()).unwrap();
        let answer = send(documented(), put).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert_eq!(answer.code(), "method-not-allowed", "{path}");
        assert_eq!(answer.header("allow"), "GET,HEAD");
    }
}
