//! Every public path of the service.

mod command;
mod tasks;

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
    OpenApiRouter::with_openapi(Description::openapi()).routes(routes!(tasks::get_task))
}
