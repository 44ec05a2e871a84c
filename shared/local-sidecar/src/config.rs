//! Settings of the sidecar.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clock::SharedClock;
use secrecy::SecretString;

/// What the sidecar serves and how.
#[derive(Clone, Debug)]
pub struct Config {
    /// The broker's SQLite file; created when it is missing.
    pub data: PathBuf,
    /// The apps it stands beside, one listener each.
    pub apps: Vec<AppBinding>,
    /// Tells the time of records and the ids of wrapped events.
    pub clock: SharedClock,
    /// The name of the pub/sub component.
    pub pubsub_name: String,
    /// How failed deliveries are repeated.
    pub retry: RetryPolicy,
    /// Who may publish and subscribe.
    pub scopes: Scopes,
    /// How long an app may take to answer a delivery.
    pub handler_timeout: Duration,
    /// How long a group's progress may stay in memory while nobody publishes.
    pub commit_interval: Duration,
    /// How often retention runs, by the clock.
    pub retention_interval: Duration,
    /// How long open requests and deliveries may take to finish after the stop.
    pub shutdown_grace: Duration,
    /// Delivers every event twice, as an at-least-once broker sometimes does. For tests.
    pub deliver_twice: bool,
}

/// An app, and the listener that is its sidecar.
#[derive(Clone, Debug)]
pub struct AppBinding {
    /// The Dapr app id; also the consumer group.
    pub app_id: String,
    /// Where the app reaches its sidecar; port 0 takes any.
    pub listen: SocketAddr,
    /// Where the sidecar reaches the app, `http://127.0.0.1:8081`.
    pub app_url: String,
    /// What the app must show to the sidecar.
    pub dapr_api_token: Option<SecretString>,
    /// What the sidecar shows to the app.
    pub app_api_token: Option<SecretString>,
}

/// How failed deliveries are repeated, each blocking its partition only.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// The wait before the second attempt; it doubles from there.
    pub first_backoff: Duration,
    /// The longest wait.
    pub longest_backoff: Duration,
    /// After this many attempts the event goes to the dead-letter topic; `None` never gives up. An
    /// app that does not listen is waited for, which is no attempt.
    pub max_attempts: Option<u32>,
}

/// Who may publish and subscribe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scopes {
    /// The producers and consumers of the topic contract, as in production.
    #[default]
    Contract,
    /// Everybody.
    Open,
}

impl Config {
    /// The defaults, for these apps.
    pub fn new(data: impl Into<PathBuf>, apps: Vec<AppBinding>, clock: SharedClock) -> Self {
        Self {
            data: data.into(),
            apps,
            clock,
            pubsub_name: "pubsub".to_owned(),
            retry: RetryPolicy::default(),
            scopes: Scopes::default(),
            handler_timeout: Duration::from_secs(4),
            commit_interval: Duration::from_millis(100),
            retention_interval: Duration::from_mins(10),
            shutdown_grace: Duration::from_secs(5),
            deliver_twice: false,
        }
    }
}

impl AppBinding {
    /// An app without tokens, with a sidecar on any free port of this machine.
    pub fn new(app_id: impl Into<String>, app_url: impl Into<String>) -> Self {
        Self {
            app_id: app_id.into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            app_url: app_url.into(),
            dapr_api_token: None,
            app_api_token: None,
        }
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            first_backoff: Duration::from_millis(200),
            longest_backoff: Duration::from_secs(5),
            // As `dapr-components/resiliency.yaml`: an app fails only while its database is away.
            max_attempts: None,
        }
    }
}
