//! Where the programs of an installed PostgreSQL are.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

/// Debian and its relatives install servers here, one folder per version, outside of `PATH`.
const VERSIONS: &str = "/usr/lib/postgresql";

const MISSING: &str = "no PostgreSQL server programs (initdb, postgres, pg_isready) found in PATH, \
    by pg_config or below /usr/lib/postgresql: install the package postgresql \
    (apt-get install postgresql, dnf install postgresql-server, brew install postgresql)";

/// The folder with `initdb`, `postgres` and `pg_isready`; empty when they are in `PATH`.
#[derive(Clone, Debug)]
pub(crate) struct Binaries {
    folder: PathBuf,
    version: String,
}

impl Binaries {
    pub(crate) fn find() -> anyhow::Result<Self> {
        let mut folders = vec![PathBuf::new()];
        folders.extend(pg_config());
        folders.extend(versions(Path::new(VERSIONS)));
        folders
            .into_iter()
            .find_map(Self::in_folder)
            .context(MISSING)
    }

    fn in_folder(folder: PathBuf) -> Option<Self> {
        let version = answer(&folder.join("postgres"), "--version")?;
        for program in ["initdb", "pg_isready"] {
            answer(&folder.join(program), "--version")?;
        }
        Some(Self { folder, version })
    }

    /// Empty when they are in `PATH`.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn path(&self, program: &str) -> PathBuf {
        self.folder.join(program)
    }

    /// `postgres (PostgreSQL) 18.1`
    pub(crate) fn version(&self) -> &str {
        &self.version
    }
}

fn pg_config() -> Option<PathBuf> {
    answer(Path::new("pg_config"), "--bindir").map(PathBuf::from)
}

/// The `bin` folders below, newest version first.
fn versions(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let version = entry.file_name().to_string_lossy().parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    found.into_iter().map(|(_, path)| path).collect()
}

/// What a program prints when it is asked this; `None` when it cannot be run.
fn answer(program: &Path, question: &str) -> Option<String> {
    let output = Command::new(program).arg(question).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["9", "17", "14", "common"] {
            fs::create_dir_all(folder.path().join(name).join("bin")).unwrap();
        }

        let found = versions(folder.path());

        let wanted = ["17", "14", "9"].map(|name| folder.path().join(name).join("bin"));
        assert_eq!(found, wanted);
    }

    #[test]
    fn a_folder_without_the_programs_is_none() {
        let folder = tempfile::tempdir().unwrap();

        assert!(Binaries::in_folder(folder.path().to_owned()).is_none());
        assert!(versions(&folder.path().join("missing")).is_empty());
    }
}
