//! The command line of `taskledger dead-letters`.

use std::num::NonZeroU32;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use event_schema::Topic;
use event_store::{DeadLetterFilter, DeadLetterState};

use crate::location::Location;

/// Looks after events that could not be processed. Works beside a running suite.
#[derive(Clone, Debug, Subcommand)]
pub enum DeadLettersCommand {
    /// Lists parked events and those that wait behind them, the oldest first.
    List(ListConfig),
    /// Shows one with its reason, its bytes and what waits behind it.
    Show(ShowConfig),
    /// Lets the service try parked events again, and then those that wait behind them.
    ///
    /// Nothing of a key overtakes anything, and twice is as good as once. An event that fails again is
    /// parked again with its new reason, and what is behind it waits again.
    Replay(ReplayConfig),
    /// Forgets events for good, and lets those go on that wait behind them.
    Drop(DropConfig),
}

/// Which events are meant: those for which everything holds that is said.
#[derive(Clone, Debug, Args)]
pub struct FilterConfig {
    /// Only this topic.
    #[arg(long, value_parser = topic)]
    pub topic: Option<String>,

    /// Only this type of event, such as task.created.v1.
    #[arg(long = "type", value_name = "TYPE", value_parser = NonEmptyStringValueParser::new())]
    pub event_type: Option<String>,

    /// Only this partition key.
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub key: Option<String>,

    /// Only this subject: the task, series or reminder.
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub subject: Option<String>,

    /// Only with this text in the reason, in upper or lower case.
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    pub reason: Option<String>,

    /// Only what came before this time, or longer ago than this: 2026-11-22T10:00:00Z, or 2h.
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    pub before: Option<When>,

    /// Only what came at this time or later, or not longer ago than this: 2026-11-22T10:00:00Z, or 2h.
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    pub after: Option<When>,
}

/// What `dead-letters list` shows.
#[derive(Clone, Debug, Args)]
pub struct ListConfig {
    /// Only this service, by its app id.
    #[arg(long)]
    pub service: Option<String>,

    /// Which events.
    #[command(flatten)]
    pub filter: FilterConfig,

    /// Only in this state: parked, waiting or released.
    #[arg(long, value_parser = state)]
    pub state: Option<DeadLetterState>,

    /// Counts them by state, type and reason, the most frequent first.
    #[arg(long)]
    pub summary: bool,

    /// At most so many rows.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub limit: u32,

    /// Goes on after the row of this number.
    #[arg(long, value_name = "ID", requires = "service")]
    pub after_id: Option<i64>,

    /// One JSON object per line.
    #[arg(long)]
    pub json: bool,

    /// Where the ledgers are.
    #[command(flatten)]
    pub location: Location,
}

/// What `dead-letters show` shows.
#[derive(Clone, Debug, Args)]
pub struct ShowConfig {
    /// Its number, as the list shows it.
    pub id: i64,

    /// The service that could not process it, by its app id.
    #[arg(long)]
    pub service: String,

    /// One JSON object.
    #[arg(long)]
    pub json: bool,

    /// Where the ledgers are.
    #[command(flatten)]
    pub location: Location,
}

/// Which events something is done to: some by their numbers, those of a filter, or all.
#[derive(Clone, Debug, Args)]
pub struct ChoiceConfig {
    /// Their numbers, as the list shows them; they need --service.
    #[arg(value_name = "ID")]
    pub ids: Vec<i64>,

    /// Only this service, by its app id.
    #[arg(long)]
    pub service: Option<String>,

    /// Which events.
    #[command(flatten)]
    pub filter: FilterConfig,

    /// All of them, when there is no number and no filter.
    #[arg(long)]
    pub all: bool,

    /// At most so many, the oldest first; what waits behind them comes on top.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,

    /// Says what would happen, and changes nothing.
    #[arg(long)]
    pub dry_run: bool,

    /// Where the ledgers are.
    #[command(flatten)]
    pub location: Location,
}

/// What `dead-letters replay` does.
#[derive(Clone, Debug, Args)]
pub struct ReplayConfig {
    /// Which events.
    #[command(flatten)]
    pub choice: ChoiceConfig,

    /// At most so many events a second, such as 50/s, those that wait included.
    #[arg(long, value_name = "N/s", value_parser = rate)]
    pub rate: Option<NonZeroU32>,
}

/// What `dead-letters drop` does.
#[derive(Clone, Debug, Args)]
pub struct DropConfig {
    /// Which events.
    #[command(flatten)]
    pub choice: ChoiceConfig,

    /// In this state: parked, waiting or released. By default those that are parked.
    #[arg(long, value_parser = state, conflicts_with = "ids")]
    pub state: Option<DeadLetterState>,

    /// More than one is meant.
    #[arg(long)]
    pub yes: bool,
}

/// A time, or how long ago it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// This time.
    At(DateTime<Utc>),
    /// So long before now.
    Ago(Duration),
}

impl When {
    fn parse(text: &str) -> Result<Self, String> {
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self::At(at.to_utc()));
        }
        humantime::parse_duration(text).map(Self::Ago).map_err(|_| {
            "it has to be a time such as 2026-11-22T10:00:00Z, or how long ago, such as 2h"
                .to_owned()
        })
    }

    /// Which time that is. The past has no beginning: what is too long ago is 1970.
    fn at(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::At(at) => at,
            Self::Ago(ago) => chrono::TimeDelta::from_std(ago)
                .ok()
                .and_then(|ago| now.checked_sub_signed(ago))
                .map_or(DateTime::UNIX_EPOCH, |at| at.max(DateTime::UNIX_EPOCH)),
        }
    }
}

impl FilterConfig {
    /// Whether nothing is said.
    pub(crate) fn is_empty(&self) -> bool {
        let anything = DeadLetterFilter::default();
        self.before.is_none() && self.after.is_none() && self.at(DateTime::UNIX_EPOCH) == anything
    }

    /// The filter, with the times as they are meant now.
    pub(crate) fn at(&self, now: DateTime<Utc>) -> DeadLetterFilter {
        DeadLetterFilter {
            topic: self.topic.clone(),
            event_type: self.event_type.clone(),
            key: self.key.clone(),
            subject: self.subject.clone(),
            reason: self.reason.clone(),
            state: None,
            before: self.before.map(|when| when.at(now)),
            since: self.after.map(|when| when.at(now)),
        }
    }
}

fn topic(name: &str) -> Result<String, String> {
    let mut names = Topic::ALL.iter().map(|topic| topic.name());
    if names.any(|known| known == name) {
        return Ok(name.to_owned());
    }
    let names: Vec<&str> = Topic::ALL.iter().map(|topic| topic.name()).collect();
    Err(format!(
        "there is no such topic; the topics are {}",
        names.join(", ")
    ))
}

fn state(name: &str) -> Result<DeadLetterState, String> {
    let mut states = DeadLetterState::ALL.into_iter();
    let known = states.find(|state| state.as_str() == name);
    known.ok_or_else(|| "it has to be parked, waiting or released".to_owned())
}

fn rate(text: &str) -> Result<NonZeroU32, String> {
    let number = text.strip_suffix("/s").unwrap_or(text);
    number
        .parse()
        .map_err(|_| "it has to be a number of events a second, 1 or more, such as 50/s".to_owned())
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    #[test]
    fn a_time_is_a_date_or_how_long_ago() {
        let now = Utc.with_ymd_and_hms(2026, 11, 22, 10, 0, 0).unwrap();
        let at = |text| When::parse(text).unwrap().at(now).to_rfc3339();

        assert_eq!(at("2h"), "2026-11-22T08:00:00+00:00");
        assert_eq!(at("1day 12h"), "2026-11-20T22:00:00+00:00");
        assert_eq!(at("2026-11-22T10:00:00+02:00"), "2026-11-22T08:00:00+00:00");
        assert_eq!(at("900years"), "1970-01-01T00:00:00+00:00");
        for refused in [
            "",
            "yesterday",
            "2026-11-22",
            "-2h",
            "99999999999999999999y",
        ] {
            assert!(When::parse(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_rate_is_a_number_a_second() {
        assert_eq!(rate("50/s").unwrap().get(), 50);
        assert_eq!(rate("1").unwrap().get(), 1);
        for refused in ["0/s", "0", "-1", "fast", "5/m", "", "4294967296"] {
            assert!(rate(refused).is_err(), "{refused}");
        }
    }
}
