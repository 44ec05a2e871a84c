//! `cargo xtask secrets`: what a deployment keeps secret, made once by chance and kept in files that only
//! their owner can read. Nothing of it is ever in git.

mod compose;
mod plan;
mod random;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;

use crate::root::say;
pub(crate) use compose::{FOLDER, derived};
pub(crate) use plan::planned;
pub(crate) use random::{kafka_id, secret};

/// Which secrets to make, and where.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// What they are for.
    #[arg(long = "for", value_enum, default_value_t = Platform::Kubernetes)]
    platform: Platform,

    /// Where they are kept, a folder per secret and a file per key: `secrets` for Kubernetes,
    /// `compose/secrets` for compose, when nothing is said.
    #[arg(long)]
    dir: Option<PathBuf>,

    /// Host and port of PostgreSQL, as the services reach it.
    #[arg(long, default_value = POSTGRES)]
    postgres: String,

    /// What is put behind the addresses of databases, such as `sslmode=verify-full`.
    #[arg(long, default_value = "")]
    url_query: String,
}

/// In the compose file and the Minikube overlay.
const POSTGRES: &str = "postgres:5432";

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Platform {
    /// For `k8s/secrets.sh`; Kafka's come from Strimzi.
    Kubernetes,
    /// For `docker-compose.yml`, with passwords and certificates of Kafka.
    Compose,
}

pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<ExitCode> {
    let folder = match (&options.dir, options.platform) {
        (Some(folder), _) => root.join(folder),
        (None, Platform::Kubernetes) => root.join("secrets"),
        (None, Platform::Compose) => root.join(FOLDER),
    };
    let mut made = plan::write(&folder, &options.postgres, &options.url_query)?;
    if matches!(options.platform, Platform::Compose) {
        made += compose::write(&folder)?;
    }
    say(&format!(
        "secrets: {made} made, the others kept, in {}",
        folder.display()
    ));
    Ok(ExitCode::SUCCESS)
}

/// Makes what is missing for `docker-compose.yml`.
pub(crate) fn for_compose(root: &Path) -> anyhow::Result<()> {
    let folder = root.join(FOLDER);
    let made = plan::write(&folder, POSTGRES, "")? + compose::write(&folder)?;
    if made > 0 {
        say(&format!("secrets: {made} made, in {}", folder.display()));
    }
    Ok(())
}
