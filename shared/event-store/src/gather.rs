//! Commands that reach the lane at once, because one caller made them at once.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;

use tokio::sync::mpsc::OwnedPermit;

use crate::submission::Submission;

/// A command, and its place in the queue.
type Held = (OwnedPermit<Submission>, Submission);

thread_local! {
    /// What the future that this thread polls has submitted; `None` when it does not gather.
    static HELD: RefCell<Option<Vec<Held>>> = const { RefCell::new(None) };
}

/// Hands over to the lane together what `future` submits in one go, between two waits of it.
///
/// The lane begins with the first command that it sees. A delivery of twenty events, each decoded and
/// submitted for itself, would be two batches: the first event, and while that is flushed the others.
/// Places in the queue are taken at once, so the queue is as bounded as without; of more commands than
/// there are places the rest goes as it would alone.
pub async fn gather<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| {
        let _handed_over = Gathering::begin();
        future.as_mut().poll(context)
    })
    .await
}

/// Puts a command into its place in the queue, now or when what the caller gathers is complete.
pub(crate) fn submit(place: OwnedPermit<Submission>, submission: Submission) {
    HELD.with_borrow_mut(|held| match held {
        Some(held) => held.push((place, submission)),
        None => drop(place.send(submission)),
    });
}

/// From the beginning to the end of one poll, also one that panics.
struct Gathering {
    /// Not inside of another, which will hand everything over.
    outermost: bool,
}

impl Gathering {
    fn begin() -> Self {
        HELD.with_borrow_mut(|held| {
            let outermost = held.is_none();
            held.get_or_insert_default();
            Self { outermost }
        })
    }
}

impl Drop for Gathering {
    fn drop(&mut self) {
        if self.outermost {
            let held = HELD.take().unwrap_or_default();
            for (place, submission) in held {
                place.send(submission);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::task::{Context as TaskContext, Waker};

    use tokio::sync::mpsc;
    use tokio::sync::mpsc::Sender;

    use super::*;

    type Queue = (Sender<Submission>, mpsc::Receiver<Submission>);

    fn submit_to(queue: &Sender<Submission>) {
        submit(
            queue.clone().try_reserve_owned().unwrap(),
            Submission::of_nothing(),
        );
    }

    #[tokio::test]
    async fn what_is_submitted_in_one_go_is_seen_when_all_of_it_is_there() {
        let (queue, lane): Queue = mpsc::channel(9);

        gather(async {
            submit_to(&queue);
            gather(async { submit_to(&queue) }).await;
            assert!(lane.is_empty());

            tokio::task::yield_now().await;
            assert_eq!(lane.len(), 2);
            submit_to(&queue);
            assert_eq!(lane.len(), 2);
        })
        .await;

        assert_eq!(lane.len(), 3);
        submit_to(&queue);
        assert_eq!(lane.len(), 4);
    }

    #[tokio::test]
    async fn the_queue_is_as_bounded_as_without() {
        let (queue, lane): Queue = mpsc::channel(1);

        gather(async {
            submit_to(&queue);
            assert!(queue.clone().try_reserve_owned().is_err());
        })
        .await;

        assert_eq!(lane.len(), 1);
    }

    #[test]
    fn a_panic_hands_over_what_was_submitted_before_it_and_ends_the_gathering() {
        let (queue, lane): Queue = mpsc::channel(9);
        let mut gathering = Box::pin(gather(async {
            submit_to(&queue);
            std::panic::panic_any("a bug")
        }));
        let mut context = TaskContext::from_waker(Waker::noop());

        let polled = catch_unwind(AssertUnwindSafe(|| gathering.as_mut().poll(&mut context)));

        assert!(polled.is_err());
        assert_eq!(lane.len(), 1);
        submit_to(&queue);
        assert_eq!(lane.len(), 2);
    }
}
