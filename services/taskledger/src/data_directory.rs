//! The directory of everything the suite keeps, held by one process at a time.

use std::fs::{self, File, Metadata, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use event_schema::App;
use tokio::time::{MissedTickBehavior, interval};

/// How often it is looked after. What is written in between goes nowhere.
const LOOK: Duration = Duration::from_secs(1);

/// The directory, locked until this is dropped or the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct DataDirectory {
    path: PathBuf,
    lock: File,
}

/// Tells when the directory is not the one any more that was locked.
#[derive(Debug)]
pub(crate) struct Watch {
    path: PathBuf,
    held: Identity,
}

/// A directory that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataDirectoryError {
    #[error("the data directory {} cannot be used: {cause}; name another with --data-dir", path.display())]
    Unusable {
        path: PathBuf,
        // Told in the sentence, and so not once more as its source.
        cause: io::Error,
    },
    #[error(
        "the data directory {} is in use by another taskledger; stop it, or name another with --data-dir",
        .0.display()
    )]
    InUse(PathBuf),
    #[error(
        "the data directory {} was removed or replaced while the suite was running; nothing can be kept any more",
        .0.display()
    )]
    Gone(PathBuf),
}

impl DataDirectory {
    /// Creates the directory when it is missing, and locks it.
    pub(crate) fn open(path: &Path) -> Result<Self, DataDirectoryError> {
        let unusable = |cause| DataDirectoryError::Unusable {
            path: path.to_owned(),
            cause,
        };
        create_private(path).map_err(unusable)?;
        let path = path.canonicalize().map_err(unusable)?;
        let lock = File::create(lock_file(&path)).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, lock }),
            Err(TryLockError::WouldBlock) => Err(DataDirectoryError::InUse(path)),
            Err(TryLockError::Error(cause)) => Err(unusable(cause)),
        }
    }

    /// Where it is, without symbolic links.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Looks after the directory.
    pub(crate) fn watch(&self) -> io::Result<Watch> {
        Ok(Watch {
            path: self.path.clone(),
            held: identity(&self.lock.metadata()?),
        })
    }

    /// The URL of a service's SQLite file.
    pub(crate) fn database_url(&self, app: App) -> String {
        sqlite_url(&database_file(&self.path, app))
    }
}

/// A service's SQLite file below a data directory.
pub(crate) fn database_file(directory: &Path, app: App) -> PathBuf {
    directory.join(format!("{}.db", app.id()))
}

/// The URL of a SQLite file.
pub(crate) fn sqlite_url(file: &Path) -> String {
    // A question mark or percent sign in a path would be read as part of the URL's syntax.
    let path = file.display().to_string();
    let path = path.replace('%', "%25").replace('?', "%3F");
    format!("sqlite://{}", path.replace('#', "%23"))
}

impl Watch {
    /// Completes when the directory is gone: open files outlive it, but nobody finds them again.
    pub(crate) async fn gone(self) -> DataDirectoryError {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            let still_there = match tokio::fs::metadata(lock_file(&self.path)).await {
                Ok(found) => identity(&found) == self.held,
                // Any other failure may pass.
                Err(error) => {
                    !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
                }
            };
            if !still_there {
                return DataDirectoryError::Gone(self.path);
            }
        }
    }
}

fn lock_file(directory: &Path) -> PathBuf {
    directory.join("taskledger.lock")
}

/// Which file it is, whatever its name.
#[cfg(unix)]
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(file: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    (file.dev(), file.ino())
}

/// Elsewhere an open file cannot be replaced.
#[cfg(not(unix))]
type Identity = ();

#[cfg(not(unix))]
fn identity(_file: &Metadata) -> Identity {}

/// The broker's file below a data directory.
pub(crate) fn broker_file(directory: &Path) -> PathBuf {
    directory.join("broker.db")
}

/// Other users of the machine have no business in it.
#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_refused_until_the_first_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let first = DataDirectory::open(directory.path()).unwrap();

        let second = DataDirectory::open(directory.path());
        assert!(matches!(second, Err(DataDirectoryError::InUse(_))));

        drop(first);
        assert!(DataDirectory::open(directory.path()).is_ok());
    }

    #[test]
    fn a_file_in_its_place_is_named_in_the_refusal() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "not a directory").unwrap();

        let refused = DataDirectory::open(&file).unwrap_err().to_string();

        assert!(
            refused.contains("cannot be used") && refused.contains("--data-dir"),
            "{refused}"
        );
    }
}
