//! Signals: sent to processes that we started, and waited for, so that nothing is left running.

use std::io;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

const POLL: Duration = Duration::from_millis(100);
const GRACE: Duration = Duration::from_secs(5);

/// Signals that ask this process to end. While one of these exists, they do not end it.
#[derive(Debug)]
pub(crate) struct Interrupts {
    signals: Receiver<i32>,
}

impl Interrupts {
    pub(crate) fn listen() -> io::Result<Self> {
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        let (sender, receiver) = channel();
        thread::spawn(move || {
            for signal in signals.forever() {
                if sender.send(signal).is_err() {
                    break;
                }
            }
        });
        Ok(Self { signals: receiver })
    }

    /// Waits for a signal, at most so long; says whether one came.
    pub(crate) fn wait(&self, longest: Duration) -> bool {
        self.signals.recv_timeout(longest).is_ok()
    }
}

/// Sends a signal to a process, or to a group when the id is negative. One that is gone is no failure.
pub(crate) fn signal(name: &str, process: &str) -> io::Result<()> {
    let script = format!("kill -s {name} -- {process} 2>/dev/null");
    Command::new("sh").args(["-c", &script]).status().map(drop)
}

/// Waits for a process that leads a group; `None` when a signal came first and the group was stopped.
pub(crate) fn wait_or_stop(
    process: &mut Child,
    interrupts: &Interrupts,
) -> io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = process.try_wait()? {
            return Ok(Some(status));
        }
        if interrupts.wait(POLL) {
            stop_group(process, interrupts)?;
            return Ok(None);
        }
    }
}

fn stop_group(process: &mut Child, interrupts: &Interrupts) -> io::Result<()> {
    let group = format!("-{}", process.id());
    signal("TERM", &group)?;
    let deadline = Instant::now() + GRACE;
    while process.try_wait()?.is_none() && Instant::now() < deadline {
        interrupts.wait(POLL);
    }
    // Whatever is left of the group; nothing is left in most cases, and then this fails.
    signal("KILL", &group)?;
    process.wait().map(drop)
}
