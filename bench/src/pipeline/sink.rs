//! Subscribers that do nothing: they answer as the services do, and tell how long each event took.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use clap::Args;
use clock::{Clock, SystemClock};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::latency::{Latencies, Millis};

/// The attribute with the microsecond at which an event should have been published.
pub(crate) const SENT: &str = "sentmicros";
const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// Settings of the stand-ins.
#[derive(Args, Clone, Debug)]
pub(crate) struct Config {
    /// Where each of them listens.
    #[arg(long, value_delimiter = ',')]
    listen: Vec<SocketAddr>,
    /// Where what they saw is told.
    #[arg(long)]
    report: SocketAddr,
}

/// What one subscriber was given.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Given {
    pub(crate) events: u64,
    /// When the last one came, in microseconds since 1970.
    pub(crate) last: i64,
    pub(crate) latency: Millis,
}

#[derive(Debug)]
struct Count {
    events: u64,
    last: i64,
    latencies: Latencies,
}

type Counts = Vec<Arc<Mutex<Count>>>;

/// Serves until `stop`.
pub(crate) async fn run(config: Config, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    let mut serving = JoinSet::new();
    let mut counts = Counts::new();
    for address in &config.listen {
        let count = Arc::new(Mutex::new(Count::new()?));
        counts.push(Arc::clone(&count));
        let routes = Router::new()
            .fallback(take)
            .layer(DefaultBodyLimit::max(BODY_LIMIT))
            .with_state(count);
        let listener = TcpListener::bind(address).await?;
        serving.spawn(axum::serve(listener, routes).into_future());
    }
    let routes = Router::new()
        .route("/", get(tell))
        .route("/forget", post(forget))
        .with_state(counts);
    let listener = TcpListener::bind(config.report).await?;
    serving.spawn(axum::serve(listener, routes).into_future());
    stop.await;
    Ok(())
}

impl Count {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            events: 0,
            last: 0,
            latencies: Latencies::new()?,
        })
    }
}

/// Reads no more of a delivery than it must.
async fn take(State(count): State<Arc<Mutex<Count>>>, body: Bytes) -> impl IntoResponse {
    let text = String::from_utf8_lossy(&body);
    let now = SystemClock::new().now().timestamp_micros();
    let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
    for sent in values(&text, SENT).filter_map(|sent| sent.parse::<i64>().ok()) {
        count.events += 1;
        count.last = now;
        let micros = u64::try_from(now - sent).unwrap_or_default();
        count.latencies.record(Duration::from_micros(micros));
    }
    let statuses = values(&text, "entryId")
        .map(|id| format!(r#"{{"entryId":"{id}","status":"SUCCESS"}}"#))
        .collect::<Vec<_>>()
        .join(",");
    let answer = format!(r#"{{"status":"SUCCESS","statuses":[{statuses}]}}"#);
    ([(CONTENT_TYPE, "application/json")], answer)
}

/// The texts that stand behind a name.
fn values<'a>(text: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let before = format!(r#""{name}":""#);
    let found: Vec<_> = text.match_indices(&before).map(|(at, _)| at).collect();
    found.into_iter().filter_map(move |at| {
        let rest = &text[at + before.len()..];
        rest.split('"').next()
    })
}

async fn tell(State(counts): State<Counts>) -> Json<Vec<Given>> {
    let given = counts.iter().map(|count| {
        let count = count.lock().unwrap_or_else(PoisonError::into_inner);
        Given {
            events: count.events,
            last: count.last,
            latency: count.latencies.summary(),
        }
    });
    Json(given.collect())
}

async fn forget(State(counts): State<Counts>) {
    for count in counts {
        if let Ok(fresh) = Count::new() {
            *count.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_wherever_they_are() {
        let text = r#"{"entries":[{"entryId":"0","event":{"sentmicros":"12"}},{"entryId":"1"}]}"#;
        assert_eq!(values(text, "entryId").collect::<Vec<_>>(), ["0", "1"]);
        assert_eq!(values(text, SENT).collect::<Vec<_>>(), ["12"]);
    }
}
