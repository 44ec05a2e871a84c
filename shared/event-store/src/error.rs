//! Why the ledger itself could not do something.

use crate::StreamRef;

/// Why the ledger itself could not do something; a refusal by a decision is the service's own error.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// More commands are waiting than the queue holds.
    #[error("too many commands are waiting")]
    Overloaded,
    /// The database is away or busy. If it went away during a commit the outcome is unknown, and a
    /// repeat under the same idempotency key settles it.
    #[error("the ledger's database is unavailable: {0}")]
    Unavailable(String),
    /// A newer version of this service wrote the state; another replica can go on with it.
    #[error("this process is older than what it would change: {0}")]
    Outdated(String),
    /// The rows of a projection are being made for the first time.
    #[error("the rows of {0} are being made from the log")]
    Rebuilding(&'static str),
    /// The process is stopping.
    #[error("the ledger is stopping")]
    Stopping,
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// An event of the command would be larger than a broker takes, and so could never be published.
    #[error("the event {event} would have {bytes} bytes, and a broker takes {most} at most")]
    TooLarge {
        /// Its type.
        event: &'static str,
        /// How large its envelope would be.
        bytes: usize,
        /// How large one may be.
        most: usize,
    },
    /// A decision panicked, a row is corrupt, or a statement is wrong: a bug.
    #[error("the ledger cannot go on with this command: {0}")]
    Bug(String),
}

impl Error {
    /// Whether waiting may help.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Overloaded
                | Self::Unavailable(_)
                | Self::Outdated(_)
                | Self::Rebuilding(_)
                | Self::Stopping
        )
    }

    /// The same, with the stream that it is about.
    pub(crate) fn of(self, stream: StreamRef) -> Self {
        let StreamRef { kind, stream_id } = stream;
        match self {
            Self::Bug(fault) => Self::Bug(format!("{fault} ({kind} {stream_id})")),
            Self::Outdated(fault) => Self::Outdated(format!("{fault} ({kind} {stream_id})")),
            other => other,
        }
    }

    pub(crate) fn from_ref(error: &database::Error) -> Self {
        let text = chain(error);
        if error.is_unavailable() {
            Self::Unavailable(text)
        } else {
            Self::Bug(text)
        }
    }
}

impl From<database::Error> for Error {
    fn from(error: database::Error) -> Self {
        Self::from_ref(&error)
    }
}

/// An error with its sources, for the one log line it gets.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
