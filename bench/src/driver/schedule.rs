//! When each request of an open loop should be sent, whatever became of those before.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

/// Requests are released at most so often: each release wakes the driver, which costs CPU of the
/// machine that is measured. It is in the latencies.
const GRAIN: Duration = Duration::from_micros(200);
/// Whoever paces looks at least so often whether anybody is left to send.
const LONGEST_WAIT: Duration = Duration::from_millis(50);

/// A fixed schedule.
#[derive(Debug)]
pub(crate) struct Schedule {
    begin: Instant,
    rate: u32,
    total: u64,
    taken: AtomicU64,
    due: Semaphore,
}

impl Schedule {
    /// `rate` requests a second from `begin` until `end`.
    pub(crate) fn new(begin: Instant, end: Instant, rate: u32) -> Self {
        Self {
            begin,
            rate,
            total: before(end.saturating_duration_since(begin), rate),
            taken: AtomicU64::new(0),
            due: Semaphore::new(0),
        }
    }

    /// Waits for the next request that is due and nobody has taken; tells when it should have been
    /// sent. `None` after the last.
    pub(crate) async fn next(&self) -> Option<Instant> {
        self.due.acquire().await.ok()?.forget();
        let index = self.taken.fetch_add(1, Ordering::Relaxed);
        (index < self.total).then(|| self.intended(index))
    }

    /// Requests that nobody has taken, by when they should have been sent.
    pub(crate) fn untaken(&self) -> impl Iterator<Item = Instant> + '_ {
        (self.taken.load(Ordering::Relaxed)..self.total).map(|index| self.intended(index))
    }

    fn intended(&self, index: u64) -> Instant {
        self.begin + offset(index, self.rate)
    }

    /// Releases each request when it is due, from a thread of its own: the timers of the runtime
    /// know milliseconds only. Ends with the schedule; `clients` are told that nothing follows.
    pub(crate) fn pace(self: &Arc<Self>, clients: usize) -> thread::JoinHandle<()> {
        let schedule = Arc::downgrade(self);
        thread::spawn(move || {
            let mut released = 0;
            while let Some((now, wait)) = release(&schedule, released, clients) {
                released = now;
                thread::park_timeout(wait.clamp(GRAIN, LONGEST_WAIT));
            }
        })
    }
}

/// Releases what is due; gives how much was released until now, and how long until the next.
/// `None` when all was released, or nobody is left to send.
fn release(schedule: &Weak<Schedule>, released: u64, clients: usize) -> Option<(u64, Duration)> {
    let schedule = schedule.upgrade()?;
    let elapsed = schedule.begin.elapsed();
    let due = due_after(elapsed, schedule.rate).min(schedule.total);
    let more = usize::try_from(due.saturating_sub(released)).ok()?;
    schedule.due.add_permits(more);
    if due == schedule.total {
        schedule.due.add_permits(clients);
        return None;
    }
    let wait = offset(due, schedule.rate).saturating_sub(elapsed);
    Some((due, wait))
}

/// How many requests are due after so long: the first at once, then one per interval.
fn due_after(elapsed: Duration, rate: u32) -> u64 {
    let due = elapsed.as_nanos() * u128::from(rate) / NANOS + 1;
    u64::try_from(due).unwrap_or(u64::MAX)
}

/// How many requests are due before so long has passed.
fn before(elapsed: Duration, rate: u32) -> u64 {
    let last = elapsed.checked_sub(Duration::from_nanos(1));
    last.map_or(0, |last| due_after(last, rate))
}

/// When a request is due, after the begin.
fn offset(index: u64, rate: u32) -> Duration {
    // Rounded up, so that at this time it is due.
    let nanos = (u128::from(index) * NANOS).div_ceil(u128::from(rate.max(1)));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

const NANOS: u128 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_due_at_even_intervals() {
        assert_eq!(offset(0, 5000), Duration::ZERO);
        assert_eq!(offset(1, 5000), Duration::from_micros(200));
        assert_eq!(offset(5000, 5000), Duration::from_secs(1));
        // A third of a second has no end: the sum must not drift.
        assert_eq!(offset(3_000_000, 3), Duration::from_secs(1_000_000));
    }

    #[test]
    fn a_request_is_due_when_its_time_has_come_and_not_before() {
        for rate in [1, 3, 7, 1000, 9999] {
            for index in [0, 1, 2, 500, 12_345] {
                let at = offset(index, rate);
                assert_eq!(due_after(at, rate), index + 1, "{index} at {rate}/s");
                if let Some(before) = at.checked_sub(Duration::from_nanos(1)) {
                    assert_eq!(due_after(before, rate), index, "{index} at {rate}/s");
                }
            }
        }
    }

    #[tokio::test]
    async fn a_late_request_keeps_the_time_it_should_have_been_sent() {
        // All of it lies in the past: whoever asks now is late by what has passed since.
        let end = Instant::now();
        let begin = end.checked_sub(Duration::from_millis(10)).unwrap();
        let schedule = Arc::new(Schedule::new(begin, end, 1000));
        schedule.pace(1).join().unwrap();

        assert_eq!(schedule.next().await, Some(begin));
        assert_eq!(
            schedule.next().await,
            Some(begin + Duration::from_millis(1))
        );
        assert_eq!(schedule.untaken().count(), 8);
        for _ in 0..8 {
            assert!(schedule.next().await.is_some());
        }
        assert_eq!(schedule.next().await, None);
    }
}
