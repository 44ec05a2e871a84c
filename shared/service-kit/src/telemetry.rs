//! Logs, traces and metrics.
//!
//! Everything measures through the global meter, `opentelemetry::global::meter("…")`; instruments
//! must be made after `init`. Histograms in seconds get buckets that suit requests and lags.

mod collector;
mod log;
mod span_fields;

use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;

use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::{Context, global};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{
    Aggregation, Instrument, InstrumentKind, SdkMeterProvider, Stream,
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use prometheus::{Registry, TextEncoder};

use crate::config::TelemetryConfig;

/// From a fast request to a lag that somebody must look at.
const SECONDS: [f64; 17] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
    300.0, 1800.0,
];

/// The process has one set of metrics, as it has one global meter.
static REGISTRY: OnceLock<Registry> = OnceLock::new();

/// Logs, traces and metrics of the process, to be flushed at its end.
#[derive(Debug)]
#[must_use = "shut it down at the end, or the last traces are lost"]
pub struct Telemetry {
    meters: SdkMeterProvider,
    tracers: Option<SdkTracerProvider>,
}

/// Why there is no telemetry.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `init` was called twice.
    #[error("telemetry is already initialized")]
    AlreadyInitialized,
    /// `RUST_LOG` cannot be read.
    #[error("RUST_LOG is not a list of log directives")]
    Filter(#[source] tracing_subscriber::filter::ParseError),
    /// The collector's address or client is unusable.
    #[error("cannot export to the collector at {endpoint}: {reason}")]
    Collector {
        /// The address.
        endpoint: String,
        /// What is wrong.
        reason: String,
    },
    /// Metrics cannot be registered.
    #[error("cannot set up metrics: {0}")]
    Metrics(String),
}

/// Starts logs, traces and metrics. Once per process, in a Tokio runtime.
pub fn init(service: &'static str, config: &TelemetryConfig) -> Result<Telemetry, TelemetryError> {
    let resource = Resource::builder().with_service_name(service).build();
    let registry = Registry::new();
    let mut meters = SdkMeterProvider::builder()
        .with_resource(resource.clone())
        .with_view(buckets)
        .with_reader(prometheus_reader(&registry)?);
    let mut tracers = None;
    // The specification reads an empty variable as an absent one.
    let endpoint = config
        .otlp_endpoint
        .as_deref()
        .filter(|endpoint| !endpoint.is_empty());
    if let Some(endpoint) = endpoint {
        meters = meters.with_reader(collector::metrics(endpoint)?);
        tracers = Some(collector::traces(
            endpoint,
            resource,
            config.otlp_trace_ratio,
        )?);
    }
    log::init(config, tracers.as_ref())?;
    let telemetry = Telemetry {
        meters: meters.build(),
        tracers,
    };
    REGISTRY
        .set(registry)
        .map_err(|_| TelemetryError::AlreadyInitialized)?;
    global::set_meter_provider(telemetry.meters.clone());
    Ok(telemetry)
}

impl Telemetry {
    /// Sends what is still waiting. Failures are logged: there is nobody left to handle them.
    pub async fn shutdown(self) {
        // Exporting blocks its thread until the collector answers.
        let flush = tokio::task::spawn_blocking(move || {
            let tracers = self.tracers.map_or(Ok(()), |tracers| tracers.shutdown());
            tracers.and(self.meters.shutdown())
        });
        match flush.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "cannot flush telemetry: {error}"),
            Err(error) => tracing::warn!(%error, "cannot flush telemetry: {error}"),
        }
    }
}

/// All metrics of this process in Prometheus text; empty before `init`.
pub fn metrics_text() -> String {
    let Some(registry) = REGISTRY.get() else {
        return String::new();
    };
    TextEncoder::new()
        .encode_to_string(&registry.gather())
        .unwrap_or_else(|error| {
            tracing::error!(%error, "cannot write metrics: {error}");
            String::new()
        })
}

/// The context that a `traceparent` names, to continue its trace or to link to it.
pub fn remote_context(traceparent: &str) -> Context {
    let carrier = HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
    TraceContextPropagator::new().extract(&carrier)
}

fn prometheus_reader(
    registry: &Registry,
) -> Result<opentelemetry_prometheus::PrometheusExporter, TelemetryError> {
    opentelemetry_prometheus::exporter()
        .with_registry(registry.clone())
        .scope_info_enabled(false)
        .build()
        .map_err(|error| TelemetryError::Metrics(error.to_string()))
}

fn buckets(instrument: &Instrument) -> Option<Stream> {
    let in_seconds = instrument.kind() == InstrumentKind::Histogram && instrument.unit() == "s";
    let histogram = || Aggregation::ExplicitBucketHistogram {
        boundaries: SECONDS.to_vec(),
        record_min_max: false,
    };
    in_seconds
        .then(|| Stream::builder().with_aggregation(histogram()).build().ok())
        .flatten()
}

fn unusable(endpoint: &str, reason: &impl fmt::Display) -> TelemetryError {
    TelemetryError::Collector {
        endpoint: endpoint.to_owned(),
        reason: reason.to_string(),
    }
}
