//! Takes commands from the queue and decides them while others are written.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::next::Next;
use crate::submission::Submission;

pub(super) struct Decider {
    pub(super) next: Arc<Next>,
    pub(super) queue: mpsc::Receiver<Submission>,
}

impl Decider {
    /// Works until `stop`, then through what was still queued.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut arrived = Vec::new();
        let mut may_decide = false;
        loop {
            let room = self.next.room().await;
            tokio::select! {
                biased; // Or a queue that is never empty would hide the stop.
                () = stop.cancelled(), if !self.queue.is_closed() => {
                    self.queue.close(); // What is queued is still carried out.
                }
                received = self.queue.recv_many(&mut arrived, room), if room > 0 => {
                    if received == 0 {
                        return self.next.end().await;
                    }
                    self.next.add(arrived.drain(..)).await;
                    may_decide = true;
                }
                () = std::future::ready(()), if may_decide => {
                    may_decide = self.next.decide().await;
                }
                // There is room, or what had to wait for that batch may be decided beside the next.
                () = self.next.taken.notified() => may_decide = true,
            }
        }
    }
}
