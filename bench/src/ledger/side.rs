//! One run of one side: a fresh database, a process, a load.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, ensure};
use clock::SharedClock;
use event_store::Verifier;
use task_api::app::catalog;

use super::config::{Config, Relay};
use crate::case::{Load, Side};
use crate::child::{Child, free_address};
use crate::cpu::Meter;
use crate::delivery::Delivery;
use crate::driver::{Requests, Run};
use crate::mix::Mix;
use crate::peers::{Peers, Restate};
use crate::place::{Fresh, Place};
use crate::{ceiling, driver, store};

/// What a normal implementation gives its pool.
const NAIVE_CONNECTIONS: usize = 16;

/// The stand-in sidecar and where it listens; `None` when nothing shall listen.
#[derive(Debug)]
pub(super) struct Sidecar {
    child: Child,
    address: SocketAddr,
}

/// What all runs have in common.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    pub(super) config: &'a Config,
    pub(super) place: &'a Place<'a>,
    pub(super) folder: &'a Path,
    pub(super) sidecar: Option<&'a Sidecar>,
    pub(super) peers: Option<&'a Peers>,
    pub(super) clock: SharedClock,
}

pub(super) async fn sidecar(relay: Relay, folder: &Path) -> anyhow::Result<Option<Sidecar>> {
    if relay == Relay::Off {
        return Ok(None);
    }
    let address = free_address()?;
    let arguments = ["--listen".to_owned(), address.to_string()];
    let child = Child::start("sidecar", &arguments, address, folder).await?;
    Ok(Some(Sidecar { child, address }))
}

impl Sidecar {
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        self.child.stop().await
    }
}

impl Stage<'_> {
    pub(super) async fn run(&self, side: Side, load: Load) -> anyhow::Result<Run> {
        let fresh = self.place.fresh("run").await?;
        let run = match side {
            Side::Ceiling => self.write_directly(&fresh).await?,
            Side::Ledger | Side::Naive | Side::Timers => self.serve(side, load, &fresh).await?,
            Side::PgBoss | Side::GraphileWorker | Side::Restate => {
                self.ask_peer(side, load, &fresh).await?
            }
        };
        if self.config.verify {
            verify(side, &fresh).await?;
        }
        self.place.remove(fresh).await?;
        Ok(run)
    }

    async fn write_directly(&self, fresh: &Fresh) -> anyhow::Result<Run> {
        let database = fresh.connect().await?;
        let meter = self.meter(None);
        let run = ceiling::run(&database, self.config.times(), meter, &self.clock).await?;
        database.close().await;
        Ok(run)
    }

    async fn serve(&self, side: Side, load: Load, fresh: &Fresh) -> anyhow::Result<Run> {
        let address = free_address()?;
        let (name, arguments) = match side {
            Side::Naive => ("naive", naive(fresh, address)),
            Side::Timers => {
                let listen = [("--listen", free_address()?), ("--sidecar-listen", address)];
                ("reminder-scheduler", self.service(fresh, listen)?)
            }
            _ => {
                let listen = [("--listen", address), ("--sidecar-listen", free_address()?)];
                ("task-api", self.service(fresh, listen)?)
            }
        };
        let delivery = Arc::new(Delivery::new(&self.clock)?);
        let requests = |seed| match side {
            Side::Timers => Requests::Deliveries(Arc::clone(&delivery), Arc::clone(&self.clock)),
            _ => Requests::Tasks(Mix::new(seed), Arc::clone(&self.clock)),
        };
        let child = Child::start(name, &arguments, address, self.folder).await?;
        let (times, meter) = (self.config.times(), self.meter(Some(child.id())));
        let mut run = driver::run(address, load, times, meter, requests).await?;
        if matches!(side, Side::Ledger | Side::Timers) {
            run.unpublished = Some(unpublished(fresh).await?);
        }
        child.stop().await?;
        if side == Side::Timers {
            must_have_timers(fresh, run.completed).await?;
        }
        Ok(run)
    }

    async fn ask_peer(&self, side: Side, load: Load, fresh: &Fresh) -> anyhow::Result<Run> {
        let peers = self.peers.context("no peers were installed")?;
        let (times, meter) = (self.config.times(), self.meter(None));
        match side {
            Side::Restate => {
                let restate = Restate::start(peers, self.folder).await?;
                let meter = self.meter(Some(restate.id()));
                let requests = |_| Requests::DelayedSends(Arc::clone(&self.clock));
                driver::run(restate.ingress(), load, times, meter, requests).await
            }
            _ => peers.send_jobs(side, load, &fresh.url, times, meter).await,
        }
    }

    fn meter(&self, service: Option<u32>) -> Meter {
        Meter {
            database: self.place.process(),
            service,
            sidecar: self.sidecar.map(|sidecar| sidecar.child.id()),
        }
    }

    /// The flags of a service of ours that listens at these two addresses.
    fn service(
        &self,
        fresh: &Fresh,
        listen: [(&str, SocketAddr); 2],
    ) -> anyhow::Result<Vec<String>> {
        let sidecar = match self.sidecar {
            Some(sidecar) => sidecar.address,
            None => free_address()?,
        };
        let [public, deliveries] = listen.map(|(flag, address)| (flag, address.to_string()));
        let flags = [
            public,
            deliveries,
            ("--ops-listen", free_address()?.to_string()),
            ("--database-url", fresh.url.clone()),
            ("--database-migrate", "apply".to_owned()),
            ("--dapr-http-port", sidecar.port().to_string()),
        ];
        Ok(arguments(flags))
    }
}

fn naive(fresh: &Fresh, address: SocketAddr) -> Vec<String> {
    arguments([
        ("--listen", address.to_string()),
        ("--database-url", fresh.url.clone()),
        ("--database-migrate", "apply".to_owned()),
        ("--database-max-connections", NAIVE_CONNECTIONS.to_string()),
    ])
}

fn arguments<const N: usize>(flags: [(&str, String); N]) -> Vec<String> {
    let both = |(flag, value): (&str, String)| [flag.to_owned(), value];
    flags.into_iter().flat_map(both).collect()
}

/// How far the relay is behind at the end of a run.
async fn unpublished(fresh: &Fresh) -> anyhow::Result<u64> {
    let database = fresh.connect().await?;
    let mut tx = database.read().await?;
    let count = store::unpublished(&mut tx).await?;
    tx.rollback().await?;
    database.close().await;
    Ok(u64::try_from(count)?)
}

/// What was acknowledged is a timer: otherwise something else was measured.
async fn must_have_timers(fresh: &Fresh, completed: u64) -> anyhow::Result<()> {
    let database = fresh.connect().await?;
    let timers = u64::try_from(store::timers(&database).await?)?;
    database.close().await;
    ensure!(
        timers >= completed,
        "{completed} deliveries made {timers} timers"
    );
    Ok(())
}

/// Whichever side wrote it, it is a ledger: then the same rows were compared.
async fn verify(side: Side, fresh: &Fresh) -> anyhow::Result<()> {
    if !matches!(side, Side::Ledger | Side::Naive | Side::Ceiling) {
        return Ok(());
    }
    let database = fresh.connect().await?;
    if side == Side::Naive {
        let mut tx = database.begin().await?;
        store::number_as_a_ledger(&mut tx).await?;
        tx.commit().await?;
    }
    let found = Verifier::new(&database, &catalog()).run().await?;
    let labels = store::labels(&database).await?;
    database.close().await;
    ensure!(
        found.findings.is_empty() && found.events > 0 && labels > 0,
        "the {side} side wrote {} events and {labels} labels: {:?}",
        found.events,
        found.findings
    );
    Ok(())
}
