//! A sidecar that only publishes: it writes down what it gets.

mod api;

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use event_schema::Topic;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

/// One event as the sidecar got it.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// The topic's name.
    pub topic: String,
    /// The partition key.
    pub key: String,
    /// The envelope; null for a tombstone.
    pub event: Value,
}

impl Published {
    /// CloudEvents `id`; empty for a tombstone.
    pub fn id(&self) -> &str {
        self.event["id"].as_str().unwrap_or_default()
    }

    /// CloudEvents `type`; empty for a tombstone.
    pub fn event_type(&self) -> &str {
        self.event["type"].as_str().unwrap_or_default()
    }
}

type Refuses = Box<dyn Fn(&Published) -> bool + Send>;

/// How the sidecar answers.
enum Mood {
    Takes,
    Down,
    /// What the broker does not take fails, entry by entry.
    Refuses(Refuses),
}

struct State {
    mood: Mood,
    taken: Vec<Published>,
    /// Entries that were refused.
    refused: usize,
}

/// A sidecar in the test: takes events, writes them down, or fails when told to.
#[derive(Clone)]
pub struct RecordingSidecar {
    state: Arc<Mutex<State>>,
    url: String,
    _serving: Arc<DropGuard>,
}

impl RecordingSidecar {
    /// Listens on a free port of this machine until the last clone is dropped.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let state = Arc::new(Mutex::new(State {
            mood: Mood::Takes,
            taken: Vec::new(),
            refused: 0,
        }));
        let stop = CancellationToken::new();
        let serve = axum::serve(listener, api::router(Arc::clone(&state)));
        let stopped = stop.clone();
        tokio::spawn(async move { stopped.run_until_cancelled(serve.into_future()).await });
        Self {
            state,
            url: format!("http://{address}"),
            _serving: Arc::new(stop.drop_guard()),
        }
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// From now on the broker is away: every call fails as a whole.
    pub fn go_down(&self) {
        self.lock().mood = Mood::Down;
    }

    /// From now on the broker does not take these events, and does take the others.
    pub fn refuse(&self, which: impl Fn(&Published) -> bool + Send + 'static) {
        self.lock().mood = Mood::Refuses(Box::new(which));
    }

    /// From now on everything is taken again.
    pub fn recover(&self) {
        self.lock().mood = Mood::Takes;
    }

    /// Everything it took, repeats included, in the order of arrival.
    pub fn taken(&self) -> Vec<Published> {
        self.lock().taken.clone()
    }

    /// How many events it refused.
    pub fn refused(&self) -> usize {
        self.lock().refused
    }

    /// Everything it took, without repeats and tombstones.
    pub fn distinct(&self) -> Vec<Published> {
        let mut known = HashSet::new();
        let mut taken = self.taken();
        taken.retain(|published| {
            !published.id().is_empty() && known.insert(published.id().to_owned())
        });
        taken
    }

    /// Tombstones it took: topic and key.
    pub fn tombstones(&self) -> Vec<(Topic, String)> {
        let tombstones = self
            .taken()
            .into_iter()
            .filter(|published| published.event.is_null());
        tombstones
            .filter_map(|published| Some((Topic::from_name(&published.topic)?, published.key)))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for RecordingSidecar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordingSidecar")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}
