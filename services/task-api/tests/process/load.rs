//! Full load: callers who ask again as soon as they are answered.

use clock::{Clock, SystemClock};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::caller::Caller;
use crate::command::{Command, Kind, Outcome};

pub(crate) const CLIENTS: usize = 64;

/// Callers at work.
pub(crate) struct Load {
    clients: JoinSet<Vec<Command>>,
    stop: CancellationToken,
}

impl Load {
    pub(crate) fn start(caller: &Caller) -> Self {
        let stop = CancellationToken::new();
        let mut clients = JoinSet::new();
        for number in 0..CLIENTS {
            clients.spawn(drive(caller.clone(), number, stop.clone()));
        }
        Self { clients, stop }
    }

    /// Lets every caller finish what they asked for, and gives all that was asked.
    pub(crate) async fn finish(self) -> Vec<Command> {
        self.stop.cancel();
        self.clients.join_all().await.concat()
    }
}

/// Numbers that look random and are the same in every run.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: usize) -> Self {
        Self((seed as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// Below `sides`.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }
}

/// What one caller knows of their tasks.
#[derive(Default)]
struct Tasks {
    open: Vec<Uuid>,
    completed: Vec<Uuid>,
}

impl Tasks {
    /// 60 % create, 25 % rename, 15 % complete, some of them what is completed already.
    fn next(&mut self, dice: &mut Dice, clock: &SystemClock) -> Command {
        let (open, completed) = (self.open.len(), self.completed.len());
        let (kind, task) = match dice.roll(100) {
            0..25 if open > 0 => (Kind::Rename, self.open[dice.roll(open)]),
            25..37 if open > 0 => (Kind::Complete, self.open.swap_remove(dice.roll(open))),
            37..40 if completed > 0 => (Kind::Complete, self.completed[dice.roll(completed)]),
            _ => (Kind::Create, clock.new_id()),
        };
        Command::new(clock.new_id(), kind, task)
    }

    fn learn(&mut self, command: &Command) {
        match (command.kind, &command.outcome) {
            (Kind::Create, Outcome::Answered(_)) => self.open.push(command.task),
            (Kind::Complete, Outcome::Answered(_)) => self.completed.push(command.task),
            _ => {}
        }
    }
}

/// Half of the callers repeat what was not answered, under its key; the others never learn.
async fn drive(caller: Caller, number: usize, stop: CancellationToken) -> Vec<Command> {
    let (mut dice, clock) = (Dice::new(number), SystemClock::new());
    let (mut tasks, mut commands) = (Tasks::default(), Vec::new());
    while !stop.is_cancelled() {
        let mut command = tasks.next(&mut dice, &clock);
        command.outcome = caller.once(&command, number).await;
        if command.outcome == Outcome::Unknown && number.is_multiple_of(2) {
            command.outcome = caller.until_answered(&command, number + 1).await;
        }
        tasks.learn(&command);
        commands.push(command);
    }
    commands
}
