//! Which dead letters an operator means.

use std::fmt;

use chrono::{DateTime, Utc};

/// Which dead letters are meant: those for which everything holds that is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeadLetterFilter {
    /// The topic they came from.
    pub topic: Option<String>,
    /// CloudEvents `type`.
    pub event_type: Option<String>,
    /// The partition key.
    pub key: Option<String>,
    /// CloudEvents `subject`.
    pub subject: Option<String>,
    /// A part of the reason, in upper or lower case.
    pub reason: Option<String>,
    /// The state they are in.
    pub state: Option<DeadLetterState>,
    /// They came before this time.
    pub before: Option<DateTime<Utc>>,
    /// They came at this time or later.
    pub since: Option<DateTime<Utc>>,
}

/// What is to become of a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadLetterState {
    /// It could not be processed; an operator has to decide.
    Parked,
    /// It comes after a parked one in its key.
    Waiting,
    /// The service delivers it to itself, as soon as it is the first of its key.
    Released,
}

impl DeadLetterState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Parked, Self::Waiting, Self::Released];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Parked => "parked",
            Self::Waiting => "waiting",
            Self::Released => "released",
        }
    }
}

impl fmt::Display for DeadLetterState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl DeadLetterFilter {
    /// The same, for one state only.
    #[must_use]
    pub fn in_state(&self, state: DeadLetterState) -> Self {
        Self {
            state: Some(state),
            ..self.clone()
        }
    }
}
