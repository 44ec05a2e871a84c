//! The interface's description: `/openapi.json`, and a readable `/docs`.

mod refusals;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue,
};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use bytes::Bytes;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::Config;

use crate::error::ErrorKind;
use crate::kit::method_not_allowed;
use crate::problem::Problem;

/// Everything comes from us. The page styles its elements one by one, hence `unsafe-inline` there.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'",
);

/// The routes of the description. Nobody has to be known to read it: merge them into a router
/// between `Kit::service_layers` and `Kit::edge_layers`.
///
/// When several services share an address their documents are merged first, with
/// `utoipa::openapi::OpenApi::merge`. What the kit itself refuses is added to every operation.
pub fn router(document: &OpenApi) -> Result<Router, serde_json::Error> {
    let mut document = document.clone();
    refusals::declare(&mut document);
    let json = Bytes::from(serde_json::to_vec(&document)?);
    let pages = Router::new()
        .route("/docs", get(|| async { Redirect::permanent("/docs/") }))
        .route("/docs/", get(index))
        .route("/docs/{file}", get(asset))
        .layer(from_fn(restrict))
        .with_state(Arc::new(Config::from("/openapi.json")));
    let document = get(async move || ([(CONTENT_TYPE, "application/json")], json.clone()));
    Ok(pages
        .route("/openapi.json", document)
        .method_not_allowed_fallback(method_not_allowed))
}

async fn index(State(config): State<Arc<Config<'static>>>) -> Response {
    file("index.html", config)
}

async fn asset(State(config): State<Arc<Config<'static>>>, Path(name): Path<String>) -> Response {
    file(&name, config)
}

async fn restrict(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=3600"));
    response
}

fn file(name: &str, config: Arc<Config<'static>>) -> Response {
    match utoipa_swagger_ui::serve(name, config) {
        Ok(Some(file)) => {
            // Compressed when it was built. Every browser reads gzip.
            let encoding = file.gzpipped.then_some([(CONTENT_ENCODING, "gzip")]);
            let headers = [(CONTENT_TYPE, file.content_type)];
            (StatusCode::OK, headers, encoding, file.bytes.into_owned()).into_response()
        }
        Ok(None) => Problem::new(ErrorKind::NotFound, ErrorKind::NotFound.code()).into_response(),
        Err(error) => {
            tracing::error!(%error, "cannot serve {name} of the documentation: {error}");
            Problem::new(ErrorKind::Internal, ErrorKind::Internal.code()).render()
        }
    }
}
