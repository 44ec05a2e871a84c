//! What we rely on in Dapr's contract, rule by rule, on the local sidecar or on a real daprd with Kafka.
//!
//! Each rule is a name, what is expected and what was seen. Where the two sidecars differ, both sides and
//! the reason stand in `differences.rs`; nothing is left out on either.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop where it stands"
)]

mod app;
mod bulk;
mod daprd;
mod delivery;
mod differences;
mod failures;
mod local;
mod odd;
mod publish;
mod refusals;
mod restart;
mod seen;
mod stage;

use suite_tests::stack::Stack;

use seen::Seen;
use stage::{Stage, patiently};

#[tokio::test]
async fn the_sidecar_keeps_what_we_rely_on() {
    let stack = Stack::if_real();
    let mut seen = Seen::on(stack.is_some());
    let mut stage = Stage::start(stack).await;

    delivery::observe(&mut stage, &mut seen).await;
    publish::observe(&mut stage, &mut seen).await;
    refusals::observe(&mut stage, &mut seen).await;
    bulk::observe(&mut stage, &mut seen).await;
    failures::observe(&mut stage, &mut seen).await;
    odd::observe(&mut stage, &mut seen).await;
    restart::observe(&mut stage, &mut seen).await;
    stage.stop().await;

    seen.judge();
}
