//! What is built or fetched once per version and kept: tools that are not ours.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, bail};

use crate::root::say;

/// Where tools are kept.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct CacheOptions {
    /// Where tools are kept once they are built or fetched; `.cache/taskledger` in the home folder when
    /// nothing is said.
    #[arg(long, env = "TASKLEDGER_CACHE_DIR")]
    cache: Option<PathBuf>,
}

impl CacheOptions {
    /// The folder.
    pub(crate) fn folder(&self) -> anyhow::Result<PathBuf> {
        if let Some(cache) = &self.cache {
            return Ok(std::path::absolute(cache)?);
        }
        let home = std::env::home_dir().context("you have no home folder: say --cache")?;
        Ok(home.join(".cache/taskledger"))
    }
}

/// What was made of these sources before, or is made now. Half of it is never taken for the whole.
pub(crate) fn cached(
    root: &Path,
    cache: &Path,
    folder: &str,
    sources: &[&str],
    build: fn(&Path, &Path) -> anyhow::Result<()>,
) -> anyhow::Result<PathBuf> {
    let sources_in = root.join(folder);
    let name = Path::new(folder)
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let made = cache.join(format!(
        "{name}-{:016x}",
        fingerprint(&sources_in, sources)?
    ));
    if made.exists() {
        return Ok(made);
    }
    let started = Instant::now();
    fs::create_dir_all(cache).with_context(|| cache.display().to_string())?;
    let half = tempfile::Builder::new().prefix(&name).tempdir_in(cache)?;
    build(&sources_in, half.path())?;
    match fs::rename(half.path(), &made) {
        // Somebody else has made the same meanwhile.
        Err(_) if made.exists() => {}
        renamed => renamed.with_context(|| made.display().to_string())?,
    }
    say(&format!(
        "{name} is ready after {} s, kept in {}",
        started.elapsed().as_secs(),
        made.display()
    ));
    Ok(made)
}

/// FNV-1a over the sources: they are ours, and nobody wants to forge them.
fn fingerprint(folder: &Path, sources: &[&str]) -> anyhow::Result<u64> {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for source in sources {
        let path = folder.join(source);
        for byte in fs::read(&path).with_context(|| path.display().to_string())? {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    Ok(hash)
}

/// Runs a command with its words on our terminal.
pub(crate) fn finished(command: &mut Command, what: &str) -> anyhow::Result<()> {
    let status = command
        .status()
        .with_context(|| format!("{what}: cannot run {command:?}"))?;
    if status.success() {
        Ok(())
    } else {
        bail!("{what} failed with {status}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(root: &Path, build: fn(&Path, &Path) -> anyhow::Result<()>) -> anyhow::Result<PathBuf> {
        cached(root, &root.join("cache"), "tool", &["source"], build)
    }

    fn works(sources: &Path, into: &Path) -> anyhow::Result<()> {
        fs::copy(sources.join("source"), into.join("made"))?;
        Ok(())
    }

    fn fails(_: &Path, into: &Path) -> anyhow::Result<()> {
        fs::write(into.join("made"), "half")?;
        bail!("no room")
    }

    #[test]
    fn a_tool_is_made_once_per_source_and_never_half() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("tool")).unwrap();
        fs::write(root.path().join("tool/source"), "one").unwrap();

        assert!(made(root.path(), fails).is_err());
        let first = made(root.path(), works).unwrap();
        assert_eq!(fs::read_to_string(first.join("made")).unwrap(), "one");
        assert_eq!(made(root.path(), fails).unwrap(), first);

        fs::write(root.path().join("tool/source"), "two").unwrap();
        assert!(made(root.path(), fails).is_err());
        assert_ne!(made(root.path(), works).unwrap(), first);
    }
}
