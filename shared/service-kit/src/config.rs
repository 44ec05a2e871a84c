//! Settings that every service has. A service flattens these structs into its own `clap::Parser`.

mod parse;

use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, ValueEnum};
use secrecy::{ExposeSecret, SecretString};

pub use parse::{ParseError, duration, size};

/// Where and how the service listens.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "HTTP")]
pub struct HttpConfig {
    /// Address of the public REST interface.
    #[arg(long, env = "LISTEN_ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// Address that the sidecar calls: subscriptions and their deliveries.
    #[arg(long, env = "SIDECAR_LISTEN_ADDRESS", default_value = "127.0.0.1:8081")]
    pub sidecar_listen: SocketAddr,

    /// Address of /healthz, /readyz and /metrics.
    #[arg(long, env = "OPS_LISTEN_ADDRESS", default_value = "127.0.0.1:8082")]
    pub ops_listen: SocketAddr,

    /// Largest body of a public request.
    #[arg(long, env = "HTTP_BODY_LIMIT", default_value = "256KiB", value_parser = size)]
    pub http_body_limit: usize,

    /// Largest body of a delivery from the sidecar.
    #[arg(long, env = "SIDECAR_BODY_LIMIT", default_value = "8MiB", value_parser = size)]
    pub sidecar_body_limit: usize,

    /// How long a client may take to send a request's headers.
    #[arg(long, env = "HTTP_HEADER_TIMEOUT", default_value = "5s", value_parser = duration)]
    pub http_header_timeout: Duration,

    /// How long a request may take until its answer begins.
    #[arg(long, env = "HTTP_REQUEST_TIMEOUT", default_value = "30s", value_parser = duration)]
    pub http_request_timeout: Duration,

    /// How many connections each listener holds at once; more wait in the backlog.
    #[arg(long, env = "HTTP_MAX_CONNECTIONS", default_value_t = 1024,
          value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub http_max_connections: u32,

    /// How long open requests may take to finish at shutdown.
    #[arg(long, env = "HTTP_DRAIN_TIMEOUT", default_value = "10s", value_parser = duration)]
    pub http_drain_timeout: Duration,
}

/// How the service tells what it does.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Telemetry")]
pub struct TelemetryConfig {
    /// Form of the log: `auto` is pretty on a terminal and JSON elsewhere.
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value_t = LogFormat::Auto)]
    pub log_format: LogFormat,

    /// What to log, as comma-separated directives such as `info,sqlx=warn`.
    #[arg(long, env = "RUST_LOG", default_value = "info,opentelemetry=warn")]
    pub log_filter: String,

    /// Address of an OpenTelemetry collector (OTLP over HTTP, without TLS) for traces and metrics,
    /// such as `http://localhost:4318`.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<String>,

    /// Share of the traces started here that are exported, between 0 and 1.
    #[arg(long, env = "OTEL_TRACES_SAMPLER_ARG", default_value_t = 1.0)]
    pub otlp_trace_ratio: f64,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Pretty on a terminal, JSON elsewhere.
    Auto,
    /// One JSON object per line.
    Json,
    /// For people.
    Pretty,
}

/// Who may ask. Without a key everybody on this machine is the one user, and the service refuses to
/// listen on an address that other machines reach.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Authentication")]
pub struct AuthConfig {
    /// Secret key of HS256 bearer tokens, at least 32 bytes.
    #[arg(long, env = "AUTH_JWT_KEY", hide_env_values = true)]
    pub jwt_key: Option<SecretString>,

    /// The only issuer (`iss`) whose tokens are accepted.
    #[arg(long, env = "AUTH_JWT_ISSUER")]
    pub jwt_issuer: Option<String>,

    /// The audience (`aud`) that a token must name.
    #[arg(long, env = "AUTH_JWT_AUDIENCE")]
    pub jwt_audience: Option<String>,
}

// An environment variable that is set to nothing, as compose files do, means what an absent one means.
impl AuthConfig {
    pub(crate) fn key(&self) -> Option<&SecretString> {
        self.jwt_key
            .as_ref()
            .filter(|key| !key.expose_secret().is_empty())
    }

    pub(crate) fn issuer(&self) -> Option<&str> {
        self.jwt_issuer
            .as_deref()
            .filter(|issuer| !issuer.is_empty())
    }

    pub(crate) fn audience(&self) -> Option<&str> {
        self.jwt_audience
            .as_deref()
            .filter(|audience| !audience.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    /// What the service is for.
    #[derive(Parser, Debug)]
    struct Config {
        #[command(flatten)]
        http: HttpConfig,
        #[command(flatten)]
        telemetry: TelemetryConfig,
        #[command(flatten)]
        auth: AuthConfig,
    }

    #[test]
    fn the_structs_can_be_flattened_together() {
        Config::command().debug_assert();
    }

    #[test]
    fn the_help_begins_with_the_services_own_words() {
        let help = Config::command().render_long_help().to_string();
        assert!(help.starts_with("What the service is for"), "{help}");
    }

    #[test]
    fn defaults_listen_on_loopback_only() {
        let config = Config::parse_from(["service"]);
        for address in [
            config.http.listen,
            config.http.sidecar_listen,
            config.http.ops_listen,
        ] {
            assert!(address.ip().is_loopback());
        }
        assert_eq!(config.http.http_body_limit, 256 * 1024);
        assert_eq!(config.telemetry.log_format, LogFormat::Auto);
    }

    #[test]
    fn secrets_show_neither_in_debug_nor_in_help() {
        let config = Config::parse_from(["service", "--jwt-key", "marker-of-the-secret"]);
        assert!(!format!("{config:?}").contains("marker-of-the-secret"));
        let help = Config::command().render_long_help().to_string();
        assert!(!help.contains("[env: AUTH_JWT_KEY="));
    }
}
