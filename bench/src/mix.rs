//! What is asked for: create 60 %, patch 25 %, complete 15 %.

use uuid::Uuid;

const CREATES: u64 = 60;
const PATCHES: u64 = 25;

pub(crate) const LABELS: [&str; 2] = ["home", "balcony"];
pub(crate) const NOTES: &str = "The ferns twice a week, the cactus once a month.";
pub(crate) const DUE_LOCAL: &str = "2027-01-31T09:00";
pub(crate) const TIME_ZONE: &str = "Europe/Berlin";

/// A command on a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Create,
    Patch,
    Complete,
}

/// What one client asks for: always about tasks of its own, so that no answer is a conflict.
#[derive(Clone, Debug)]
pub(crate) struct Mix<T> {
    random: Random,
    open: Vec<T>,
    turn: u64,
}

impl<T> Mix<T> {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            random: Random(seed),
            open: Vec::new(),
            turn: 0,
        }
    }

    /// What to do next, with the task it is done to; that one is [put back](Self::keep) while it is
    /// open.
    pub(crate) fn next(&mut self) -> (Operation, Option<T>) {
        self.turn += 1;
        let operation = match self.random.below(100) {
            n if n < CREATES => Operation::Create,
            n if n < CREATES + PATCHES => Operation::Patch,
            _ => Operation::Complete,
        };
        if operation == Operation::Create || self.open.is_empty() {
            return (Operation::Create, None);
        }
        let count = u64::try_from(self.open.len()).unwrap_or(u64::MAX);
        let index = usize::try_from(self.random.below(count)).unwrap_or_default();
        (operation, Some(self.open.swap_remove(index)))
    }

    /// The task can be changed again.
    pub(crate) fn keep(&mut self, task: T) {
        self.open.push(task);
    }

    /// A title that this client has not used before.
    pub(crate) fn title(&self) -> String {
        format!("Water the plants on the balcony, turn {}", self.turn)
    }
}

/// The body of `POST /v1/tasks`. The driver shares the machine with what it measures, so it makes no
/// tree of values first; nothing in it needs escaping.
pub(crate) fn create_body(id: Uuid, title: &str) -> String {
    let [first, second] = LABELS;
    format!(
        r#"{{"id":"{id}","title":"{title}","notes":"{NOTES}","priority":"medium","labels":["{first}","{second}"],"due":{{"local":"{DUE_LOCAL}","time_zone":"{TIME_ZONE}"}}}}"#
    )
}

/// The body of `PATCH /v1/tasks/{id}`.
pub(crate) fn patch_body(title: &str) -> String {
    format!(r#"{{"title":"{title}"}}"#)
}

/// `SplitMix64`: the same sequence in every run.
#[derive(Clone, Copy, Debug)]
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_are_60_25_and_15() {
        let mut mix = Mix::new(1);
        let mut counts = [0_u32; 3];
        for id in 0..10_000 {
            let (operation, task) = mix.next();
            counts[operation as usize] += 1;
            match operation {
                Operation::Create => mix.keep(id),
                Operation::Patch => mix.keep(task.unwrap()),
                Operation::Complete => assert!(task.is_some()),
            }
        }
        for (count, wanted) in counts.into_iter().zip([6000, 2500, 1500]) {
            assert!(count.abs_diff(wanted) < 200, "{counts:?}");
        }
    }

    #[test]
    fn a_client_begins_with_a_task() {
        for seed in 0..20 {
            assert_eq!(Mix::<Uuid>::new(seed).next(), (Operation::Create, None));
        }
    }
}
