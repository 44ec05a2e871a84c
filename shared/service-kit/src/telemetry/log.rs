//! The log: one line per event on standard error, for people or as JSON.

use std::io::{self, IsTerminal};

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

use super::TelemetryError;
use super::span_fields::SpanFields;
use crate::config::{LogFormat, TelemetryConfig};

type Output = Box<dyn Layer<Registry> + Send + Sync>;

pub(super) fn init(
    config: &TelemetryConfig,
    tracers: Option<&SdkTracerProvider>,
) -> Result<(), TelemetryError> {
    let filter = EnvFilter::try_new(&config.log_filter).map_err(TelemetryError::Filter)?;
    let output = output(config.log_format).with_filter(filter);
    // What is traced must not depend on what is logged.
    let spans = tracers.map(|provider| {
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("service-kit"));
        layer.with_filter(LevelFilter::INFO)
    });
    tracing_subscriber::registry()
        .with(output)
        .with(spans)
        .try_init()
        .map_err(|_| TelemetryError::AlreadyInitialized)
}

fn output(format: LogFormat) -> Output {
    // Standard output belongs to what a command prints.
    let for_people = match format {
        LogFormat::Auto => io::stderr().is_terminal(),
        LogFormat::Json => false,
        LogFormat::Pretty => true,
    };
    if for_people {
        let colors = io::stderr().is_terminal();
        Box::new(
            fmt::layer()
                .with_writer(io::stderr)
                .with_ansi(colors)
                .with_target(false),
        )
    } else {
        let layer = fmt::layer()
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .fmt_fields(SpanFields);
        Box::new(layer.with_writer(io::stderr))
    }
}
