//! How far a rebuild is, on stderr: a bar on a terminal, a line every few seconds elsewhere.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use event_store::Progress;

/// How often a terminal is drawn on, and how often a line is written elsewhere.
const REDRAW: Duration = Duration::from_millis(100);
const LINE: Duration = Duration::from_secs(2);
const WIDTH: u64 = 30;

/// A bar that fills.
pub(super) struct Bar {
    name: String,
    begun: Instant,
    shown: Option<Instant>,
    terminal: bool,
}

impl Bar {
    pub(super) fn begin(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            begun: Instant::now(),
            shown: None,
            terminal: io::stderr().is_terminal(),
        }
    }

    /// Shows it, unless it was shown just now.
    pub(super) fn show(&mut self, progress: Progress) {
        let every = if self.terminal { REDRAW } else { LINE };
        let done = progress.events >= progress.of;
        if !done && self.shown.is_some_and(|shown| shown.elapsed() < every) {
            return;
        }
        self.shown = Some(Instant::now());
        let text = text(progress, self.begun.elapsed());
        // Nobody may be reading; the rebuild goes on.
        let _ = if self.terminal {
            let bar = bar(progress);
            write!(io::stderr(), "\r{} {bar} {text}\x1b[K", self.name)
        } else {
            writeln!(io::stderr(), "{}: {text}", self.name)
        };
        let _ = io::stderr().flush();
    }

    /// Leaves the line; returns how long it took.
    pub(super) fn end(self) -> Duration {
        if self.terminal && self.shown.is_some() {
            let _ = writeln!(io::stderr());
        }
        self.begun.elapsed()
    }
}

fn bar(progress: Progress) -> String {
    let filled = share(progress) * WIDTH / 100;
    (0..WIDTH)
        .map(|place| if place < filled { '#' } else { '-' })
        .collect()
}

/// In percent.
fn share(progress: Progress) -> u64 {
    let events = progress.events.min(progress.of);
    events * 100 / progress.of.max(1)
}

fn text(progress: Progress, elapsed: Duration) -> String {
    let Progress { events, of } = progress;
    let millis = u64::try_from(elapsed.as_millis())
        .unwrap_or(u64::MAX)
        .max(1);
    let rate = events.saturating_mul(1000) / millis;
    let left = of.saturating_sub(events) / rate.max(1);
    let left = match left {
        0..120 => format!("{left} s"),
        _ => format!("{} min", left.div_ceil(60)),
    };
    format!(
        "{} %, {events} of {of} events, {rate}/s, {left} left",
        share(progress)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_time_left_follow_from_what_was_done() {
        let half = Progress {
            events: 500_000,
            of: 1_000_000,
        };
        assert_eq!(
            text(half, Duration::from_secs(10)),
            "50 %, 500000 of 1000000 events, 50000/s, 10 s left"
        );
        assert_eq!(bar(half), "###############---------------");
        let slow = Progress {
            events: 1,
            of: 1_000,
        };
        assert!(text(slow, Duration::from_secs(1)).ends_with("1/s, 17 min left"));
    }

    #[test]
    fn no_number_is_too_small_or_too_large() {
        let none = Progress { events: 0, of: 0 };
        assert_eq!(
            text(none, Duration::ZERO),
            "0 %, 0 of 0 events, 0/s, 0 s left"
        );
        let ahead = Progress { events: 7, of: 5 };
        assert!(text(ahead, Duration::from_secs(1)).starts_with("100 %"));
    }
}
