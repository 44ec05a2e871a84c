//! The settings of each service when all run in one process.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use event_schema::App;
use secrecy::SecretString;
use service_kit::config::HttpConfig;
use service_kit::service::ServiceConfig;

use crate::config::UpConfig;
use crate::data_directory::DataDirectory;

/// Any free port of this machine.
pub(crate) const ANY_PORT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// The suite is to exit within 10 seconds of a signal, workers and pools included.
const DRAIN: Duration = Duration::from_secs(3);

/// What sidecar and services show each other, fresh at every start.
#[derive(Clone)]
pub(crate) struct Tokens {
    pub(crate) to_sidecar: SecretString,
    pub(crate) to_app: SecretString,
}

pub(crate) fn http(config: &UpConfig) -> HttpConfig {
    HttpConfig {
        listen: config.listen,
        sidecar_listen: ANY_PORT,
        ops_listen: ANY_PORT,
        http_body_limit: 256 * 1024,
        sidecar_body_limit: 8 * 1024 * 1024,
        http_header_timeout: Duration::from_secs(5),
        http_request_timeout: Duration::from_secs(30),
        http_max_connections: 1024,
        http_drain_timeout: DRAIN,
    }
}

pub(crate) fn settings(
    app: App,
    config: &UpConfig,
    directory: &DataDirectory,
    sidecar: SocketAddr,
    tokens: &Tokens,
) -> ServiceConfig {
    ServiceConfig {
        http: http(config),
        database: database::Config::for_url(directory.database_url(app)),
        dapr: dapr_client::Config {
            dapr_http_endpoint: Some(format!("http://{sidecar}")),
            dapr_api_token: Some(tokens.to_sidecar.clone()),
            app_api_token: Some(tokens.to_app.clone()),
            ..dapr_client::Config::default()
        },
        telemetry: config.telemetry(),
    }
}
