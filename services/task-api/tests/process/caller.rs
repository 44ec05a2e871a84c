//! Callers: every request under its key, whichever process is there to answer it.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use reqwest::{Client, header};
use tokio::sync::Semaphore;
use tokio::time::{Instant, interval};

use crate::command::{Answer, Command, Outcome};

/// How long anything may take that happens by itself.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// Whoever asks. Clones ask the same processes.
#[derive(Clone)]
pub(crate) struct Caller {
    client: Client,
    bases: Arc<RwLock<Vec<String>>>,
    /// A permit for every acknowledgement.
    pub(crate) answered: Arc<Semaphore>,
}

impl Caller {
    pub(crate) fn new(bases: Vec<String>) -> Self {
        let client = Client::builder()
            .timeout(Duration::from_mins(1)) // Longer than anything the service does.
            .pool_max_idle_per_host(512)
            .build()
            .unwrap();
        Self {
            client,
            bases: Arc::new(RwLock::new(bases)),
            answered: Arc::new(Semaphore::new(0)),
        }
    }

    /// From now on this process is asked in the place of that one.
    pub(crate) fn replace(&self, index: usize, base: &str) {
        let mut bases = self.bases.write().unwrap_or_else(PoisonError::into_inner);
        base.clone_into(&mut bases[index]);
    }

    /// Waits for so many more acknowledgements.
    pub(crate) async fn acknowledged(&self, count: usize) {
        let count = u32::try_from(count).unwrap();
        let permits = self.answered.acquire_many(count);
        let permits = tokio::time::timeout(PATIENCE, permits).await;
        permits.expect("callers are answered").unwrap().forget();
    }

    /// Asks once. A process that does not listen was not asked: then the next one is.
    pub(crate) async fn once(&self, command: &Command, first: usize) -> Outcome {
        let deadline = Instant::now() + PATIENCE;
        let mut tries = interval(BETWEEN_TRIES);
        for index in first.. {
            tries.tick().await;
            match self.send(command, index).await {
                Err(error) if error.is_connect() => {
                    assert!(Instant::now() < deadline, "nobody listens: {error}");
                }
                Err(_) => return Outcome::Unknown,
                Ok(answer) => return self.outcome(answer),
            }
        }
        Outcome::Unknown
    }

    /// Asks under the same key until there is an answer.
    pub(crate) async fn until_answered(&self, command: &Command, first: usize) -> Outcome {
        let deadline = Instant::now() + PATIENCE;
        let mut tries = interval(BETWEEN_TRIES);
        loop {
            tries.tick().await;
            match self.once(command, first).await {
                Outcome::Unknown => {
                    assert!(Instant::now() < deadline, "no answer: {command:?}");
                }
                known => return known,
            }
        }
    }

    async fn send(&self, command: &Command, index: usize) -> reqwest::Result<Answer> {
        let url = {
            let bases = self.bases.read().unwrap_or_else(PoisonError::into_inner);
            format!("{}{}", bases[index % bases.len()], command.path())
        };
        let request = self
            .client
            .request(command.method(), url)
            .header("idempotency-key", command.id.to_string())
            .header("x-request-id", command.id.to_string())
            .json(&command.body());
        let response = request.send().await?;
        let etag = response.headers().get(header::ETAG);
        Ok(Answer {
            status: response.status().as_u16(),
            etag: etag.map(|tag| tag.to_str().unwrap().to_owned()),
            body: response.text().await?,
        })
    }

    fn outcome(&self, answer: Answer) -> Outcome {
        match answer.status {
            200..300 => {
                self.answered.add_permits(1);
                Outcome::Answered(answer)
            }
            503 => Outcome::Unknown,
            _ => Outcome::Refused(answer),
        }
    }
}
