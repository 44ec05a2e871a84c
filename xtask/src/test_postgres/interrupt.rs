//! Ctrl-C and SIGTERM as something to wait for, so that nothing is left running.

use std::io;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Signals that ask this process to end. While one of these exists, they do not end it.
#[derive(Debug)]
pub(super) struct Interrupts {
    signals: Receiver<i32>,
}

impl Interrupts {
    pub(super) fn listen() -> io::Result<Self> {
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
    pub(super) fn wait(&self, longest: Duration) -> bool {
        self.signals.recv_timeout(longest).is_ok()
    }
}
