//! `taskledger ledger rebuild`: the tables of a projection, made anew from the log.

use std::io::{self, Write};

use anyhow::Context as _;
use event_schema::App;
use event_store::Rebuild;

use super::catalog;
use super::progress::Bar;
use crate::config::RebuildConfig;

pub(super) async fn run(config: &RebuildConfig) -> anyhow::Result<()> {
    let service = owner(config)?;
    let catalog = catalog(service);
    let database = config.location.open(service).await?;
    let mut bar = Bar::begin(&config.projection);
    let rebuilt = Rebuild::new(&database, &catalog)
        .run(&config.projection, |progress| bar.show(progress))
        .await;
    let took = bar.end();
    let rebuilt = rebuilt?;
    database.close().await;
    writeln!(
        io::stdout(),
        "{} of {} is made anew from {} events in {:.1} s; the service waited {} ms for it.\n\
         The tables of before are kept until the next rebuild, with __old behind their names.",
        config.projection,
        service.id(),
        rebuilt.events,
        took.as_secs_f64(),
        rebuilt.switch.as_millis()
    )?;
    Ok(())
}

/// The service that was named, or the one that has the projection.
fn owner(config: &RebuildConfig) -> anyhow::Result<App> {
    let services = config.location.services(config.service.as_deref())?;
    let has = |service: &App| {
        let names = catalog(*service).projection_names();
        names.contains(&config.projection.as_str())
    };
    let owner = services.iter().copied().find(has);
    owner.with_context(|| {
        let all = services.iter().flat_map(|service| {
            let names = catalog(*service).projection_names().into_iter();
            names.map(|name| format!("{name} of {}", service.id()))
        });
        let all: Vec<String> = all.collect();
        let known = if all.is_empty() {
            "none".to_owned()
        } else {
            all.join(", ")
        };
        format!(
            "there is no projection {} here; there are: {known}",
            config.projection
        )
    })
}
