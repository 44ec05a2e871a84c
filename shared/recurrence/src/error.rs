/// Why a recurrence rule is refused.
///
/// `part` is the name of the offending rule part (`BYHOUR`), `RRULE` for the text as a whole, or
/// `DTSTART` for the start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// The text is not a recurrence rule as RFC 5545 writes one.
    #[error("{part}: {message}")]
    Syntax {
        /// The offending rule part.
        part: String,
        /// What is wrong with it, for a person.
        message: String,
    },
    /// A well-formed rule outside the accepted profile.
    #[error("{part}: {message}")]
    Unsupported {
        /// The offending rule part.
        part: String,
        /// What is wrong with it, for a person.
        message: String,
    },
    /// The rule has no occurrence in twelve years.
    #[error(
        "the rule has no occurrence in 12 years: change BYMONTH, BYMONTHDAY, BYDAY or INTERVAL so that \
         a date fits all of them; BYMONTHDAY=-1 is the last day of any month"
    )]
    NeverOccurs,
}

impl RuleError {
    /// Returns the stable name of the error class, as problem bodies carry it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "recurrence-syntax",
            Self::Unsupported { .. } => "recurrence-unsupported",
            Self::NeverOccurs => "recurrence-never-occurs",
        }
    }

    /// Returns the offending rule part, if one part alone is to blame.
    pub fn part(&self) -> Option<&str> {
        match self {
            Self::Syntax { part, .. } | Self::Unsupported { part, .. } => Some(part),
            Self::NeverOccurs => None,
        }
    }

    pub(crate) fn syntax(part: &str, message: impl Into<String>) -> Self {
        Self::Syntax {
            part: part.to_owned(),
            message: message.into(),
        }
    }

    pub(crate) fn unsupported(part: &str, message: impl Into<String>) -> Self {
        Self::Unsupported {
            part: part.to_owned(),
            message: message.into(),
        }
    }
}
