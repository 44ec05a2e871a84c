//! What can go wrong with the sidecar itself.

use std::net::SocketAddr;
use std::path::PathBuf;

/// The sidecar or its broker cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The broker's file cannot be opened.
    #[error("opening the broker's file {} failed", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: sqlx::Error,
    },
    /// The lock beside the broker's file cannot be made.
    #[error("locking the broker's file {} failed", path.display())]
    Lock {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another process has the broker open.
    #[error("the broker's file {} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// An address is not free.
    #[error("listening on {address} for {app_id} failed")]
    Bind {
        /// The app.
        app_id: String,
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A token has characters that no header may have.
    #[error("the token of {0} cannot be sent in a header")]
    Token(String),
    /// The HTTP client that delivers events.
    #[error("building the HTTP client failed")]
    Http(#[source] reqwest::Error),
    /// No app of this id is bound.
    #[error("no app {0} is bound")]
    UnknownApp(String),
    /// The topic contract has no such topic.
    #[error("topic {0} does not exist")]
    UnknownTopic(String),
    /// The topic has fewer partitions.
    #[error("topic {topic} has no partition {partition}")]
    UnknownPartition {
        /// The topic.
        topic: String,
        /// The partition.
        partition: u16,
    },
    /// Reading the broker's file failed.
    #[error("reading the broker's file failed")]
    Read(#[source] sqlx::Error),
    /// Writing the broker's file failed; nothing of the call is stored.
    #[error("writing the broker's file failed: {0}")]
    Write(String),
    /// The broker was closed.
    #[error("the broker is closed")]
    Closed,
    /// A task of the sidecar ended by itself.
    #[error("a task of the sidecar failed: {0}")]
    Task(String),
    /// A listener failed.
    #[error("serving {app_id} failed")]
    Serve {
        /// The app.
        app_id: String,
        /// Why.
        source: std::io::Error,
    },
}
