//! Commands through task-api to their effects in every subscriber, on the real stack, and beside it the
//! same events to the same subscribers by a bare driver on the same sidecars.

mod bare;
mod commands;
mod report;
mod sink;
mod store;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Args;
use clock::{Clock, SystemClock};
use event_schema::App;
use suite_tests::stack::Stack;

use crate::cpu::Parts;
use commands::Commands;
use report::Report;
pub(crate) use sink::{Config as SinkConfig, run as sink};
use store::Effects;

/// The services that subscribe to what the commands publish.
const SUBSCRIBERS: [App; 3] = [
    App::ReminderScheduler,
    App::RecurringGenerator,
    App::Notifier,
];

/// Settings of the comparison.
#[derive(Args, Clone, Debug)]
pub(crate) struct Config {
    /// How long the commands at a fixed rate take, and the bare events beside them.
    #[arg(long, default_value_t = 60)]
    seconds: u64,

    /// Commands a second.
    #[arg(long, default_value_t = 1000)]
    rate: u32,

    /// How long as many commands as possible take, and the bare events beside them.
    #[arg(long, default_value_t = 20)]
    saturation_seconds: u64,

    /// The stack's folder, as `cargo xtask stack --dir` has it. One that is there is taken as it is; one
    /// that is not there is started with optimized services, and stopped afterwards.
    #[arg(long, env = "TASKLEDGER_STACK_DIR")]
    stack_dir: Option<PathBuf>,

    /// Where the result goes as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

pub(crate) async fn run(config: Config) -> anyhow::Result<()> {
    ensure!(
        config.seconds > 0 && config.rate > 0,
        "it would measure nothing"
    );
    let folder = match &config.stack_dir {
        Some(folder) => std::path::absolute(folder)?,
        None => target()?.join("pipeline-stack"),
    };
    let was_there = folder.join("stack.json").exists();
    let up: &[&str] = if was_there {
        &["up"]
    } else {
        &["up", "--release"]
    };
    xtask(&folder, up)?;
    let outcome = measure(&config, &Stack::read(&folder)).await;
    if !was_there {
        xtask(&folder, &["down"])?;
    }
    outcome?.write(config.json.as_deref())
}

async fn measure(config: &Config, stack: &Stack) -> anyhow::Result<Report> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let (paced, most) = (
        Duration::from_secs(config.seconds),
        Duration::from_secs(config.saturation_seconds),
    );
    let effects = Effects::connect(stack).await?;
    let commands = Commands::prepare(stack, &clock, &effects, config.rate, paced).await?;
    let ours_paced = commands.paced(&effects, config.rate, paced).await?;
    let ours_most = commands.saturated(&effects, most).await?;

    let sample = effects.sample().await?;
    let services = App::ALL.map(App::id);
    stack.stop(&services).await;
    let bare = bare::measure(stack, &clock, &sample, (config.rate, paced), most).await;
    // They find nothing new: the groups have moved on.
    stack.up().await;
    let (bare_paced, bare_most) = bare?;
    Ok(Report {
        cores: std::thread::available_parallelism()?.get(),
        rate: config.rate,
        seconds: config.seconds,
        paced: [ours_paced, bare_paced],
        saturated: [ours_most, bare_most],
    })
}

/// All processes of the stack.
fn parts(stack: &Stack) -> Parts {
    Parts(stack.processes())
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn xtask(folder: &Path, words: &[&str]) -> anyhow::Result<()> {
    let mut command = Command::new("cargo");
    command.args(["xtask", "stack", "--dir"]).arg(folder);
    let status = command.args(words).status().context("cannot run cargo")?;
    ensure!(status.success(), "cargo xtask stack {words:?}: {status}");
    Ok(())
}

/// The folder that cargo builds into, which this program is in.
fn target() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let folder = program.ancestors().nth(2);
    Ok(folder.context("not in a target folder")?.to_path_buf())
}
