//! What runs here.

use serde::Serialize;
use service_kit::extract::{Call, Json};
use utoipa::ToSchema;

/// What runs here.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = About)]
pub(super) struct AboutView {
    /// The version of the suite.
    version: &'static str,
    /// The time zone database, such as `2026a`: by its rules wall-clock times become instants.
    tzdb_version: &'static str,
}

/// Tells which version runs, and by which time zone rules.
#[utoipa::path(get, path = "/v1/about", tag = "about",
    responses((status = 200, description = "What runs here", body = AboutView)))]
pub(super) async fn get_about(_call: Call) -> Json<AboutView> {
    Json(AboutView {
        version: env!("CARGO_PKG_VERSION"),
        tzdb_version: recurrence::tzdb_version(),
    })
}
