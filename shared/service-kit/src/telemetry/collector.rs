//! Export to an OpenTelemetry collector.

use std::error::Error;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{MetricExporter, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::PeriodicReader;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tokio::runtime::Handle;

use super::{TelemetryError, unusable};

const TIMEOUT: Duration = Duration::from_secs(5);
const METRICS_EVERY: Duration = Duration::from_secs(15);

pub(super) fn metrics(endpoint: &str) -> Result<PeriodicReader<MetricExporter>, TelemetryError> {
    let exporter = MetricExporter::builder()
        .with_http()
        .with_http_client(Client::new(endpoint)?)
        .with_endpoint(signal(endpoint, "metrics"))
        .with_timeout(TIMEOUT)
        .build()
        .map_err(|error| unusable(endpoint, &error))?;
    Ok(PeriodicReader::builder(exporter)
        .with_interval(METRICS_EVERY)
        .build())
}

pub(super) fn traces(
    endpoint: &str,
    resource: Resource,
    ratio: f64,
) -> Result<SdkTracerProvider, TelemetryError> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Client::new(endpoint)?)
        .with_endpoint(signal(endpoint, "traces"))
        .with_timeout(TIMEOUT)
        .build()
        .map_err(|error| unusable(endpoint, &error))?;
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(ratio)));
    Ok(SdkTracerProvider::builder()
        .with_resource(resource)
        .with_sampler(sampler)
        .with_batch_exporter(exporter)
        .build())
}

fn signal(endpoint: &str, name: &str) -> String {
    format!("{}/v1/{name}", endpoint.trim_end_matches('/'))
}

/// Sends exports on our runtime: the exporters call from threads of their own, which have none.
#[derive(Debug)]
struct Client {
    http: reqwest::Client,
    runtime: Handle,
}

impl Client {
    fn new(endpoint: &str) -> Result<Self, TelemetryError> {
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .no_proxy()
            .build();
        Ok(Self {
            http: http.map_err(|error| unusable(endpoint, &error))?,
            runtime: Handle::try_current().map_err(|error| unusable(endpoint, &error))?,
        })
    }
}

impl HttpClient for Client {
    // What `async_trait` makes of the trait's method.
    fn send_bytes<'s, 'f>(
        &'s self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        let sending = self.runtime.spawn(send(self.http.clone(), request));
        Box::pin(async move { sending.await.map_err(boxed)? })
    }
}

async fn send(
    http: reqwest::Client,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, HttpError> {
    let answer = http
        .execute(request.try_into().map_err(boxed)?)
        .await
        .map_err(boxed)?;
    let status = answer.status();
    let body = answer.bytes().await.map_err(boxed)?;
    Response::builder().status(status).body(body).map_err(boxed)
}

fn boxed(error: impl Error + Send + Sync + 'static) -> HttpError {
    Box::new(error)
}
