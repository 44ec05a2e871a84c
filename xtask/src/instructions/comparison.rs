//! How counts have changed, and whether that is accepted.

use std::collections::BTreeSet;
use std::fmt;

use super::baseline::{Counts, FILE};

/// A count may grow by so many percent. One that shrank by more should become the new measure.
const TOLERANCE: u64 = 5;

/// Every benchmark that was known, was counted, or both.
#[derive(Debug)]
pub(super) struct Comparison(Vec<Row>);

#[derive(Debug)]
struct Row {
    name: String,
    known: Option<u64>,
    counted: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judgment {
    Same,
    Slower,
    Faster,
    /// Not in the file yet.
    New,
    /// In the file, but not counted any more.
    Gone,
}

impl Comparison {
    pub(super) fn of(known: &Counts, counted: &Counts) -> Self {
        let names: BTreeSet<&String> = known.keys().chain(counted.keys()).collect();
        let row = |name: &String| Row {
            name: name.clone(),
            known: known.get(name).copied(),
            counted: counted.get(name).copied(),
        };
        Self(names.into_iter().map(row).collect())
    }

    /// Whether nothing got slower, and the file names exactly what is counted.
    pub(super) fn is_accepted(&self) -> bool {
        let judgments = self.0.iter().map(Row::judgment);
        judgments
            .filter(|judgment| !matches!(judgment, Judgment::Same | Judgment::Faster))
            .count()
            == 0
    }

    /// A table, and what to do about it.
    pub(super) fn lines(&self) -> Vec<String> {
        let width = self.0.iter().map(|row| row.name.len()).max().unwrap_or(0);
        let mut lines = vec![format!(
            "{:width$}  {:>10}  {:>10}  {:>10}",
            "instructions", "known", "counted", "change"
        )];
        for row in &self.0 {
            lines.push(format!(
                "{:width$}  {:>10}  {:>10}  {:>10}{}",
                row.name,
                number(row.known),
                number(row.counted),
                row.change()
                    .map_or_else(String::new, |change| change.to_string()),
                row.judgment().mark()
            ));
        }
        lines.extend(self.advice());
        lines
    }

    fn advice(&self) -> Vec<String> {
        let update = format!("`cargo xtask instructions --update` writes {FILE}");
        let advice = |judgment, text: &str| {
            let count = self.count(judgment);
            (count > 0).then(|| format!("instructions: {count} {text}"))
        };
        let slower = format!(
            "grew by more than {TOLERANCE} %: make the code as fast as it was, or commit the new counts with the reason ({update})"
        );
        let faster = format!("shrank by more than {TOLERANCE} %: keep it that way, {update}");
        let new = format!("not in {FILE}: {update}");
        let gone = format!("in {FILE} but not counted: {update}");
        let all = [
            advice(Judgment::Slower, &slower),
            advice(Judgment::Faster, &faster),
            advice(Judgment::New, &new),
            advice(Judgment::Gone, &gone),
        ];
        all.into_iter().flatten().collect()
    }

    fn count(&self, judgment: Judgment) -> usize {
        let rows = self.0.iter();
        rows.filter(|row| row.judgment() == judgment).count()
    }
}

impl Row {
    fn judgment(&self) -> Judgment {
        match (self.known.map(u128::from), self.counted.map(u128::from)) {
            (None, _) => Judgment::New,
            (_, None) => Judgment::Gone,
            (Some(known), Some(counted)) => {
                let (known, counted) = (known * 100, counted * 100);
                let allowed = known / 100 * u128::from(TOLERANCE);
                if counted > known + allowed {
                    Judgment::Slower
                } else if counted < known - allowed {
                    Judgment::Faster
                } else {
                    Judgment::Same
                }
            }
        }
    }

    fn change(&self) -> Option<Change> {
        let (known, counted) = (i128::from(self.known?), i128::from(self.counted?));
        Some(Change((counted - known) * 10_000 / known.max(1)))
    }
}

impl Judgment {
    fn mark(self) -> &'static str {
        match self {
            Self::Same => "",
            Self::Slower => "  SLOWER",
            Self::Faster => "  faster",
            Self::New => "  NEW",
            Self::Gone => "  GONE",
        }
    }
}

/// Hundredths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Change(i128);

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { '-' } else { '+' };
        let hundredths = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02} %", hundredths / 100, hundredths % 100)
    }
}

fn number(count: Option<u64>) -> String {
    count.map_or_else(|| "-".to_owned(), |count| count.to_string())
}

#[cfg(test)]
mod tests;
