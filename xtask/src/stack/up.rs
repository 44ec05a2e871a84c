//! `cargo xtask stack up`: everything started in order, each part when what it needs is there.

use std::path::Path;
use std::time::Instant;

use anyhow::ensure;

use super::layout::Layout;
use super::tools::Tools;
use super::{certificates, daprd, kafka, postgres, services};
use crate::cache::CacheOptions;
use crate::root::say;

/// How the stack shall be.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct UpOptions {
    /// Brokers: one, or three with the partitions and copies of production.
    #[arg(long, value_parser = brokers)]
    brokers: Option<u16>,

    /// Runs optimized binaries of the services.
    #[arg(long)]
    release: bool,

    /// Takes the services as they were built last, whatever has changed in the sources since.
    #[arg(long)]
    no_build: bool,

    #[command(flatten)]
    cache: CacheOptions,
}

pub(super) fn run(root: &Path, directory: &Path, options: &UpOptions) -> anyhow::Result<Layout> {
    let started = Instant::now();
    let cache = options.cache.folder()?;
    let tools = Tools::prepare(root, &cache)?;
    let layout = layout(directory, options, &tools)?;
    if !options.no_build {
        services::build(root, &layout)?;
    }
    certificates::make(&layout)?;
    kafka::start(&layout, &tools.kafka)?;
    postgres::start(&layout, &tools.postgres)?;
    postgres::make_ready(&layout, root, &tools.postgres)?;
    kafka::make_ready(&layout, root)?;
    daprd::start(&layout, root, &tools.daprd)?;
    services::start(&layout)?;
    services::wait(&layout)?;
    say(&format!(
        "stack: ready after {} s",
        started.elapsed().as_secs()
    ));
    Ok(layout)
}

/// The one that is there, or a new one.
fn layout(directory: &Path, options: &UpOptions, tools: &Tools) -> anyhow::Result<Layout> {
    let Some(layout) = Layout::load(directory)? else {
        let (programs, brokers) = (
            (tools.daprd.as_path(), tools.postgres.folder()),
            options.brokers.unwrap_or(1),
        );
        return Layout::create(directory, programs, brokers, options.release);
    };
    let wanted = options.brokers.unwrap_or(layout.brokers);
    ensure!(
        wanted == layout.brokers,
        "the stack in {} has {} broker(s): run `cargo xtask stack down` first",
        directory.display(),
        layout.brokers
    );
    ensure!(
        layout.release || !options.release,
        "the stack in {} runs binaries that are not optimized: run `cargo xtask stack down` first",
        directory.display()
    );
    Ok(layout)
}

/// Two would be no better than one: when either is away, no majority is left.
fn brokers(text: &str) -> Result<u16, &'static str> {
    match text {
        "1" => Ok(1),
        "3" => Ok(3),
        _ => Err("it has to be 1 or 3"),
    }
}
