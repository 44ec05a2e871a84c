//! Rebuilds the projections whose rows an older version of them made, while the service serves.

use std::time::Duration;

use event_store::{Catalog, Error, Ledger, Progress, Rebuild, RebuildError, Stale};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

/// How soon it looks whether another replica, which is at it, is done.
const POLL: Duration = Duration::from_secs(5);
/// Between two tries.
const BACK_OFF: Duration = Duration::from_secs(30);
/// How often the log says how far a rebuild is.
const REPORT: Duration = Duration::from_secs(10);

/// What it takes to rebuild projections.
#[derive(Clone, Debug)]
pub struct Projections {
    ledger: Ledger,
    catalog: Catalog,
}

impl Projections {
    /// Those of this ledger.
    pub(super) fn new(ledger: &Ledger, catalog: &Catalog) -> Self {
        Self {
            ledger: ledger.clone(),
            catalog: catalog.clone(),
        }
    }

    /// Rebuilds until nothing is left to do, and then waits for `stop`.
    pub(super) async fn run(self, stop: CancellationToken) {
        let rebuilding = async {
            while let Err(error) = self.run_once().await {
                let wait = match error {
                    RebuildError::AlreadyRunning => {
                        debug!("another process rebuilds a projection of this ledger");
                        POLL
                    }
                    error => {
                        warn!(
                            %error,
                            "a projection cannot be rebuilt: {error}; if this service may not make tables, \
                             `taskledger ledger migrate` does it"
                        );
                        BACK_OFF
                    }
                };
                tokio::time::sleep(wait).await;
            }
        };
        stop.run_until_cancelled(rebuilding).await;
        stop.cancelled().await;
    }

    /// Rebuilds what is not as this code makes it; returns how many projections that were.
    pub async fn run_once(&self) -> Result<usize, RebuildError> {
        let mut rebuilt = 0;
        loop {
            let stale = self.look().await?;
            let Some(one) = stale.first() else {
                return Ok(rebuilt);
            };
            rebuilt += usize::from(self.rebuild(one.projection).await?);
        }
    }

    /// What is to be rebuilt; nobody reads rows that were never made.
    pub(super) async fn look(&self) -> Result<Vec<Stale>, Error> {
        let stale = self.rebuilding().stale().await?;
        let unfilled = stale.iter().filter(|one| one.is_unfilled);
        self.ledger
            .set_unfilled(unfilled.map(|one| one.projection).collect());
        Ok(stale)
    }

    async fn rebuild(&self, name: &'static str) -> Result<bool, RebuildError> {
        info!(
            projection = name,
            "the rows of {name} are made anew from the log"
        );
        let mut told = Instant::now();
        let progress = |Progress { events, of }| {
            if told.elapsed() >= REPORT {
                told = Instant::now();
                info!(
                    projection = name,
                    events, of, "{name}: {events} of {of} events"
                );
            }
        };
        let Some(done) = self.rebuilding().refresh(name, progress).await? else {
            return Ok(false);
        };
        let (events, waited) = (done.events, done.switch.as_millis());
        info!(
            projection = name,
            events, "{name} is made anew from {events} events; commands waited {waited} ms for it"
        );
        Ok(true)
    }

    fn rebuilding(&self) -> Rebuild<'_> {
        Rebuild::new(self.ledger.database(), &self.catalog)
    }
}
