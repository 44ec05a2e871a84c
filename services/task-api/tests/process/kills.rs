//! `kill -9` of the only writer, again and again, while 64 callers ask.

use std::time::Instant;

use database::testing::TestDatabase;

use crate::audit::audit;
use crate::caller::Caller;
use crate::command::{Command, Outcome};
use crate::load::{Dice, Load};
use crate::process;
use crate::scale::scaled;
use crate::sidecar::Sidecar;

/// Of the answers that are asked for once more at the end.
const REPEATED: usize = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_of_the_writer_under_full_load_lose_repeat_and_make_up_nothing() {
    let kills = scaled("TASKLEDGER_TEST_KILLS", 8);
    for test in TestDatabase::every(&[]).await {
        let begun = Instant::now();
        let sidecar = Sidecar::default();
        let (_, address) = sidecar.door().await;
        let endpoint = format!("http://{address}");
        let mut process = process::start(&test.config, &endpoint).await;
        let caller = Caller::new(vec![process.base.clone()]);
        let load = Load::start(&caller);
        let mut dice = Dice::new(kills);
        for _ in 0..kills {
            // Somewhere in a batch, never at the same place.
            caller.acknowledged(150 + dice.roll(200)).await;
            process.kill().await;
            process = process::start(&test.config, &endpoint).await;
            caller.replace(0, &process.base);
        }
        caller.acknowledged(150).await;
        let commands = load.finish().await;

        check_keys(&caller, &commands).await;
        let found = audit(&test, &commands, &sidecar).await;

        let (name, took) = (test.name(), begun.elapsed());
        eprintln!("{name}: {kills} kills in {took:.0?}: {found}");
        process.kill().await;
    }
}

/// The same key is answered the same, byte for byte, whichever process answered it first.
async fn check_keys(caller: &Caller, commands: &[Command]) {
    let answered: Vec<&Command> = commands
        .iter()
        .filter(|command| command.answer().is_some())
        .collect();
    let step = (answered.len() / REPEATED).max(1);
    for command in answered.into_iter().step_by(step) {
        let again = caller.once(command, 0).await;
        assert_eq!(again, command.outcome, "{:?}", command.id);
    }
    let refused = commands
        .iter()
        .filter(|command| matches!(command.outcome, Outcome::Refused(_)));
    assert!(refused.count() > 0, "the load has refusals as well");
}
