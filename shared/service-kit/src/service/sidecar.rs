//! Looks whether the sidecar has what its service needs: a service that has nothing to publish would not
//! notice, and wait for events that never come.

use std::time::Duration;

use dapr_client::{Client, MetadataError, advised};
use event_schema::Topic;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// What is missing at two looks is no sidecar that is only starting.
const LOOK: Duration = Duration::from_secs(10);

/// What it takes to look.
pub(super) struct SidecarWatch {
    pub(super) client: Client,
    pub(super) pubsub: String,
    pub(super) topics: Vec<Topic>,
}

impl SidecarWatch {
    /// Looks until `stop`, and says what changes.
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut told = Told::default();
        while !stop.is_cancelled() {
            match told.see(self.lack().await) {
                Some(Word::Lacks(lack)) => warn!("{lack}"),
                Some(Word::Well) => info!("the sidecar has what this service needs"),
                None => {}
            }
            stop.run_until_cancelled(sleep(LOOK)).await;
        }
    }

    async fn lack(&self) -> Option<String> {
        match self.client.metadata().await {
            Ok(metadata) => Some(metadata.lack(&self.pubsub, &self.topics)?.to_string()),
            Err(MetadataError::Unreachable(_)) => Some(advised("no answer from the sidecar")),
            Err(refused @ MetadataError::Refused(_)) => Some(advised(&refused.to_string())),
        }
    }
}

/// What there is to say.
#[derive(Debug, PartialEq, Eq)]
enum Word {
    Lacks(String),
    Well,
}

/// What was seen at the last look, and what the log was told last.
#[derive(Default)]
struct Told {
    seen: Option<String>,
    told: Option<String>,
}

impl Told {
    fn see(&mut self, lack: Option<String>) -> Option<Word> {
        let before = std::mem::replace(&mut self.seen, lack);
        if self.seen != before || self.told == self.seen {
            return None;
        }
        self.told.clone_from(&self.seen);
        Some(self.seen.clone().map_or(Word::Well, Word::Lacks))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_is_told_once_and_its_end_too() {
        let mut told = Told::default();
        let mut see = |lack: Option<&str>| told.see(lack.map(str::to_owned));
        let lacks = |lack: &str| Some(Word::Lacks(lack.to_owned()));

        assert_eq!(see(Some("no answer")), None, "it may only be starting");
        assert_eq!(see(None), None);
        assert_eq!(see(None), None, "nobody was told of anything");
        assert_eq!(see(Some("no answer")), None);
        assert_eq!(see(Some("no answer")), lacks("no answer"));
        assert_eq!(see(Some("no answer")), None);
        assert_eq!(see(Some("no component")), None);
        assert_eq!(see(Some("no component")), lacks("no component"));
        assert_eq!(see(None), None);
        assert_eq!(see(None), Some(Word::Well));
    }
}
