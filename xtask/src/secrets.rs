//! `cargo xtask secrets`: what a deployment keeps secret, made once by chance and kept in files that only
//! their owner can read. Nothing of it is ever in git.

mod plan;
mod random;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::root::say;
pub(crate) use plan::planned;
pub(crate) use random::{kafka_id, secret};

/// Which secrets to make, and where.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Where they are kept: a folder per secret, a file per key.
    #[arg(long, default_value = "secrets")]
    dir: PathBuf,

    /// Host and port of PostgreSQL, as the services reach it.
    #[arg(long, default_value = "postgres:5432")]
    postgres: String,

    /// What is put behind the addresses of databases, such as `sslmode=verify-full`.
    #[arg(long, default_value = "")]
    url_query: String,
}

pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<ExitCode> {
    let folder = root.join(&options.dir);
    let made = plan::write(&folder, &options.postgres, &options.url_query)?;
    say(&format!(
        "secrets: {made} made, the others kept, in {}",
        folder.display()
    ));
    Ok(ExitCode::SUCCESS)
}
