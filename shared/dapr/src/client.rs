//! The publishing half: one keep-alive HTTP client of the sidecar.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Response, Url, redirect};
use secrecy::ExposeSecret;
use tracing::Instrument;

use crate::metrics::{Durations, Ending};
use crate::{ClientError, Config, Metadata, MetadataError, PublishError, Refusal, token};

pub(crate) const CLOUD_EVENT: &str = "application/cloudevents+json";
pub(crate) const JSON: &str = "application/json";

/// Idle connections kept; the relay has 16 lanes.
const IDLE_CONNECTIONS: usize = 64;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const HEALTH_TIMEOUT: Duration = Duration::from_secs(1);
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Talks with one sidecar. Clones share the connections.
#[derive(Clone, Debug)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    http: reqwest::Client,
    endpoint: Url,
    pubsub: String,
    durations: Durations,
    /// Whether the sidecar is one that knows bulk publish only by its alpha path.
    alpha: AtomicBool,
}

/// An event to publish.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Names the event within a bulk call: the ledger's position. Unique in the call.
    pub position: u64,
    /// The partition key. Only one publish per key may be in flight, or their order is lost.
    pub key: &'a str,
    /// The CloudEvent as JSON, published as it is.
    pub envelope: &'a str,
}

impl Client {
    /// A client that has not connected yet.
    pub fn new(config: &Config) -> Result<Self, ClientError> {
        let endpoint = config.endpoint();
        let endpoint = match Url::parse(&endpoint) {
            Ok(url) if !url.cannot_be_a_base() && url.scheme().starts_with("http") => url,
            _ => return Err(ClientError::Endpoint { endpoint }),
        };
        let http = reqwest::Client::builder()
            .default_headers(token_header(config)?)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(config.publish_timeout)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .redirect(redirect::Policy::none())
            .no_proxy() // The sidecar is beside us, whatever the environment says about proxies.
            .build()
            .map_err(ClientError::Http)?;
        Ok(Self(Arc::new(Inner {
            http,
            endpoint,
            pubsub: config.pubsub_name.clone(),
            durations: Durations::of_publishing(),
            alpha: AtomicBool::new(false),
        })))
    }

    /// Publishes one event. `Ok` means that the broker has it durably.
    pub async fn publish(&self, topic: &str, message: &Message<'_>) -> Result<(), PublishError> {
        let mut url = self.publish_url(&["v1.0", "publish"], topic);
        url.query_pairs_mut()
            .append_pair("metadata.partitionKey", message.key);
        self.publish_body(topic, url, CLOUD_EVENT, message.envelope.to_owned())
            .await
    }

    /// Publishes a tombstone: a compacted topic forgets the key.
    pub async fn publish_tombstone(&self, topic: &str, key: &str) -> Result<(), PublishError> {
        let mut url = self.publish_url(&["v1.0", "publish"], topic);
        url.query_pairs_mut()
            .append_pair("metadata.partitionKey", key)
            .append_pair("metadata.rawPayload", "true");
        self.publish_body(topic, url, JSON, "null".to_owned()).await
    }

    /// Whether the sidecar can publish. It can long before its subscriptions stand.
    pub async fn outbound_ready(&self) -> bool {
        let url = self.url(&["v1.0", "healthz", "outbound"]);
        let answer = self.0.http.get(url).timeout(HEALTH_TIMEOUT).send().await;
        answer.is_ok_and(|answer| answer.status() == http::StatusCode::NO_CONTENT)
    }

    /// Completes when the sidecar can publish; tries for ever, so race it with the stop signal.
    pub async fn wait_until_ready(&self) {
        let mut wait = FIRST_WAIT;
        while !self.outbound_ready().await {
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// What the sidecar says about itself; readiness compares the subscriptions.
    pub async fn metadata(&self) -> Result<Metadata, MetadataError> {
        let url = self.url(&["v1.0", "metadata"]);
        let answer = self
            .0
            .http
            .get(url)
            .send()
            .await
            .map_err(MetadataError::Unreachable)?;
        if answer.status() != http::StatusCode::OK {
            return Err(MetadataError::Refused(answer.status().as_u16()));
        }
        answer.json().await.map_err(MetadataError::Unreachable)
    }

    pub(crate) fn alpha(&self) -> &AtomicBool {
        &self.0.alpha
    }

    pub(crate) fn publish_url(&self, prefix: &[&str], topic: &str) -> Url {
        let mut url = self.url(prefix);
        if let Ok(mut path) = url.path_segments_mut() {
            path.push(&self.0.pubsub).push(topic);
        }
        url
    }

    pub(crate) async fn post(
        &self,
        url: Url,
        content_type: &'static str,
        body: impl Into<reqwest::Body>,
    ) -> Result<Response, PublishError> {
        let request = self
            .0
            .http
            .post(url)
            .header(CONTENT_TYPE, content_type)
            .body(body);
        request.send().await.map_err(PublishError::Unreachable)
    }

    /// Runs one publish call in its span and measures it.
    pub(crate) async fn measured<T>(
        &self,
        topic: &str,
        messages: usize,
        call: impl Future<Output = Result<T, PublishError>>,
    ) -> Result<T, PublishError> {
        let span = tracing::debug_span!(
            "publish",
            otel.name = format!("publish {topic}"),
            messaging.operation.type = "send",
            messaging.destination.name = topic,
            messaging.batch.message_count = messages,
        );
        let started = Instant::now();
        let outcome = call.instrument(span).await;
        let ending = match &outcome {
            Ok(_) => Ending::Success,
            Err(error) if error.is_permanent() => Ending::Parked,
            Err(_) => Ending::Retry,
        };
        self.0.durations.record(topic, ending, started.elapsed());
        outcome
    }

    async fn publish_body(
        &self,
        topic: &str,
        url: Url,
        content_type: &'static str,
        body: String,
    ) -> Result<(), PublishError> {
        self.measured(topic, 1, async {
            let answer = self.post(url, content_type, body).await?;
            if answer.status().is_success() {
                return Ok(());
            }
            Err(refused(answer).await)
        })
        .await
    }

    fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.0.endpoint.clone();
        // `new` refuses the URLs that have no path.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }
}

/// Reads why the sidecar refused.
pub(crate) async fn refused(answer: Response) -> PublishError {
    let status = answer.status().as_u16();
    match answer.bytes().await {
        Ok(body) => PublishError::Refused(Refusal::new(status, &body)),
        Err(error) => PublishError::Unreachable(error),
    }
}

fn token_header(config: &Config) -> Result<HeaderMap, ClientError> {
    let mut headers = HeaderMap::new();
    if let Some(shown) = &config.dapr_api_token {
        let mut value =
            HeaderValue::from_str(shown.expose_secret()).map_err(|_| ClientError::Token)?;
        value.set_sensitive(true);
        headers.insert(token::HEADER, value);
    }
    Ok(headers)
}
