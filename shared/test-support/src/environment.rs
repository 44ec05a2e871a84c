//! What a service under test is configured with.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use chrono::{DateTime, Utc};
use clock::{SharedClock, TestClock};
use service_kit::config::{AuthConfig, HttpConfig, LogFormat, TelemetryConfig};
use service_kit::service::ServiceConfig;

use crate::JWT_KEY;

/// What a service under test is configured with: its own database, a recording sidecar, a clock that
/// stands still, and tokens of [`bearer`](crate::bearer).
#[derive(Clone, Debug)]
pub struct TestEnvironment {
    pub(crate) clock: TestClock,
    pub(crate) database: database::Config,
    pub(crate) sidecar: String,
}

impl TestEnvironment {
    /// The clock that [`TestSuite::advance`](crate::TestSuite::advance) moves.
    pub fn clock(&self) -> SharedClock {
        self.clock.shared()
    }

    /// A fresh database; after a restart the same one.
    pub fn database(&self) -> database::Config {
        self.database.clone()
    }

    /// The recording sidecar.
    pub fn dapr(&self) -> dapr_client::Config {
        dapr_client::Config {
            dapr_http_endpoint: Some(self.sidecar.clone()),
            ..dapr_client::Config::default()
        }
    }

    /// The recording sidecar as an URL, for a [`FaultProxy`](crate::FaultProxy) in between.
    pub fn sidecar_url(&self) -> &str {
        &self.sidecar
    }

    /// Limits as in production; any free port.
    pub fn http(&self) -> HttpConfig {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        HttpConfig {
            listen: any,
            sidecar_listen: any,
            ops_listen: any,
            http_body_limit: 256 * 1024,
            sidecar_body_limit: 8 * 1024 * 1024,
            http_header_timeout: Duration::from_secs(5),
            http_request_timeout: Duration::from_secs(30),
            http_max_connections: 1024,
            http_drain_timeout: Duration::from_secs(10),
        }
    }

    /// Tokens signed with [`JWT_KEY`].
    pub fn auth(&self) -> AuthConfig {
        AuthConfig {
            jwt_key: Some(JWT_KEY.into()),
            jwt_issuer: None,
            jwt_audience: None,
        }
    }

    /// What every service is built from.
    pub fn service(&self) -> ServiceConfig {
        ServiceConfig {
            http: self.http(),
            database: self.database(),
            dapr: self.dapr(),
            telemetry: self.telemetry(),
        }
    }

    /// Nothing is exported.
    pub fn telemetry(&self) -> TelemetryConfig {
        TelemetryConfig {
            log_format: LogFormat::Auto,
            log_filter: "warn".to_owned(),
            otlp_endpoint: None,
            otlp_trace_ratio: 1.0,
        }
    }
}

/// When every test begins: 2026-11-22T10:00:00Z, a Sunday.
pub(crate) fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_341_600, 0).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_begin_on_a_sunday_morning() {
        assert_eq!(start().to_rfc3339(), "2026-11-22T10:00:00+00:00");
    }
}
