//! Why a door fails.

use dapr_client::HandlerError;
use service_kit::ErrorKind;

use reminder_plan::UnknownZone;

/// Why a door fails.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No plan can be made for a task.
    #[error(transparent)]
    Plan(#[from] UnknownZone),
    /// The ledger could not carry it out.
    #[error(transparent)]
    Ledger(#[from] event_store::Error),
    /// A delivered event is not of the shape that its type promises.
    #[error(transparent)]
    Decode(#[from] event_schema::DecodeError),
    /// A delivered event belongs to no stream.
    #[error(transparent)]
    Subject(#[from] event_store::SubjectError),
}

impl Error {
    /// The class that decides what the sidecar is told.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Plan(_) => ErrorKind::Invalid,
            Self::Ledger(error) => error.into(),
            Self::Decode(_) | Self::Subject(_) => ErrorKind::Malformed,
        }
    }
}

impl HandlerError for Error {
    fn is_transient(&self) -> bool {
        self.kind().is_transient()
    }
}
