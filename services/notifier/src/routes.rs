//! Every public path of the service.

mod notifications;
mod stream;

use axum::Router;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::AppState;

#[derive(OpenApi)]
#[openapi(info(title = "Taskledger"))]
struct Description;

/// The routes, without layers.
pub fn router(state: AppState) -> Router {
    table().with_state(state).into()
}

/// The description of the routes.
pub fn openapi() -> utoipa::openapi::OpenApi {
    table().into_openapi()
}

fn table() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(notifications::list_notifications))
        .routes(routes!(notifications::count_notifications))
        .routes(routes!(stream::stream_notifications))
        .routes(routes!(notifications::get_notification))
        .routes(routes!(notifications::read_notification))
}
