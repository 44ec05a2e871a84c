//! `cargo xtask stack restart`: some parts again, with the files of the directory as they are.

use std::path::Path;

use super::layout::Layout;
use super::part::Part;
use super::tools::Tools;
use super::{chosen, daprd, kafka, postgres, services};
use crate::cache::CacheOptions;

/// Which parts.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct RestartOptions {
    /// The parts, by the names that `status` shows.
    #[arg(required = true)]
    parts: Vec<String>,

    #[command(flatten)]
    cache: CacheOptions,
}

/// Stops them in order, users before those they use, and starts them in the other. It builds nothing, writes
/// nothing and waits for nothing: what was changed in the directory is what they start with, also when they
/// cannot.
pub(super) fn run(root: &Path, layout: &Layout, options: &RestartOptions) -> anyhow::Result<()> {
    let tools = Tools::prepare(root, &options.cache.folder()?)?;
    let parts = chosen(layout, &options.parts)?;
    for part in parts.iter().rev() {
        part.stop(layout)?;
    }
    for part in &parts {
        match part {
            Part::Kafka(node, _) => kafka::start_one(layout, &tools.kafka, *node)?,
            Part::Postgres => postgres::start(layout, &tools.postgres)?,
            Part::Daprd(app, _) => daprd::start_one(layout, *app, &tools.daprd)?,
            Part::Service(app) => services::start_one(layout, *app)?,
        }
    }
    Ok(())
}
