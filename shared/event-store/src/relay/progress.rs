//! How far one bucket of the log is published, and what of it waits.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use uuid::Uuid;

/// Events that are published ahead of one that waits, nearly. Whoever takes the bucket over publishes
/// them again.
const MOST_AHEAD: usize = 1024;
/// Events that wait, nearly. Only their positions are held.
const MOST_WAITING: usize = 4096;

/// What is known of the events of a bucket behind its cursor, which moves over everything that is
/// published without a gap.
///
/// Every position is looked at once. What cannot be published then is remembered by its position, and
/// read again when its turn has come.
#[derive(Debug)]
pub(super) struct Progress {
    /// The log was looked through so far.
    seen: i64,
    /// Published, although something before them is not.
    ahead: BTreeSet<i64>,
    /// Not published, because their key's turn has not come.
    waiting: BTreeMap<i64, Uuid>,
}

impl Progress {
    /// Nothing is known of what lies behind `cursor`.
    pub(super) fn behind(cursor: i64) -> Self {
        Self {
            seen: cursor,
            ahead: BTreeSet::new(),
            waiting: BTreeMap::new(),
        }
    }

    /// The position behind which nobody has looked yet.
    pub(super) fn seen(&self) -> i64 {
        self.seen
    }

    /// Whether so much waits, or is ahead of what does, that its other keys wait as well.
    pub(super) fn is_full(&self) -> bool {
        self.ahead.len() >= MOST_AHEAD || self.waiting.len() >= MOST_WAITING
    }

    /// Whether something would be published again by another owner of the bucket.
    pub(super) fn has_ahead(&self) -> bool {
        !self.ahead.is_empty()
    }

    /// Whether it is known what became of a position.
    pub(super) fn knows(&self, position: i64) -> bool {
        self.ahead.contains(&position) || self.waiting.contains_key(&position)
    }

    /// What waits, oldest first.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (i64, Uuid)> {
        self.waiting.iter().map(|(position, key)| (*position, *key))
    }

    /// The keys that have something waiting. What else they have waits behind it.
    pub(super) fn keys_waiting(&self) -> HashSet<Uuid> {
        self.waiting.values().copied().collect()
    }

    pub(super) fn count_waiting(&self) -> usize {
        self.waiting.len()
    }

    /// An event has to wait for its key's turn.
    pub(super) fn wait(&mut self, position: i64, key: Uuid) {
        self.waiting.insert(position, key);
    }

    pub(super) fn published(&mut self, position: i64) {
        self.waiting.remove(&position);
        self.ahead.insert(position);
    }

    /// What waits of a parked key is the parked key's business.
    pub(super) fn parked(&mut self, key: Uuid) {
        self.waiting.retain(|_, waiting| *waiting != key);
    }

    /// Everything up to `position` is published, waits, or belongs to a parked key.
    pub(super) fn looked_to(&mut self, position: i64) {
        self.seen = self.seen.max(position);
    }

    /// Forgets what was seen behind `cursor`, to look for what was passed over. What is known stays.
    pub(super) fn look_again_behind(&mut self, cursor: i64) {
        self.seen = cursor;
    }

    /// Moves the cursor as far as everything is done, and tells where it is.
    pub(super) fn advance(&mut self) -> i64 {
        let first_waiting = self.waiting.keys().next();
        let cursor = first_waiting.map_or(self.seen, |first| self.seen.min(first - 1));
        self.ahead = self.ahead.split_off(&cursor.saturating_add(1));
        cursor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Uuid = Uuid::from_u128(1);

    #[test]
    fn the_cursor_stops_before_what_waits_and_then_jumps_over_what_is_ahead() {
        let mut progress = Progress::behind(10);
        progress.wait(13, KEY);
        for position in [11, 12, 14, 17] {
            progress.published(position);
        }
        progress.looked_to(17);

        assert_eq!(progress.advance(), 12);
        assert!(progress.knows(13) && progress.knows(14) && !progress.knows(12));

        progress.published(13);

        assert_eq!(progress.advance(), 17);
        assert!(!progress.has_ahead());
    }

    #[test]
    fn what_was_not_looked_at_is_not_passed_over() {
        let mut progress = Progress::behind(10);
        progress.published(12); // And 11 was not tried.

        assert_eq!(progress.advance(), 10);
        assert!(progress.knows(12));
    }

    #[test]
    fn a_parked_key_holds_nothing_up() {
        let mut progress = Progress::behind(0);
        progress.wait(1, KEY);
        progress.wait(2, Uuid::from_u128(2));
        progress.looked_to(5);

        progress.parked(KEY);

        assert_eq!(progress.advance(), 1);
        assert_eq!(progress.keys_waiting(), HashSet::from([Uuid::from_u128(2)]));
    }

    #[test]
    fn a_key_that_was_released_is_looked_for_again() {
        let mut progress = Progress::behind(0);
        progress.wait(1, Uuid::from_u128(2));
        progress.published(4);
        progress.looked_to(5);
        let cursor = progress.advance();

        progress.look_again_behind(cursor);

        assert_eq!(progress.seen(), 0);
        assert!(progress.knows(1) && progress.knows(4) && !progress.knows(3));
    }

    #[test]
    fn it_is_bounded() {
        let mut progress = Progress::behind(0);
        let fits = |progress: &Progress| !progress.is_full();
        for position in 0..4096 {
            assert!(fits(&progress));
            progress.wait(position, KEY);
        }
        assert!(progress.is_full());

        let mut progress = Progress::behind(0);
        for position in 0..1024 {
            assert!(fits(&progress));
            progress.published(position);
        }
        assert!(progress.is_full());
    }
}
