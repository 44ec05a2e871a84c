//! The interface's description.

use service_kit::openapi;
use utoipa::OpenApi;

use super::*;

#[derive(OpenApi)]
#[openapi(components(schemas(Problem, service_kit::page::Page<u32>)))]
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
