//! CPU time by process tree, from `/proc`. Where there is none, every figure is 0.

use std::collections::BTreeMap;
use std::fs;
use std::ops::{Add, Sub};
use std::path::Path;

use serde::Serialize;

/// Linux tells CPU time in hundredths of a second to every program.
const TICKS_PER_SECOND: f64 = 100.0;
/// `kthreadd`: the kernel's own threads are its children, and work for everybody.
const KERNEL: u32 = 2;

/// Whose CPU time is told apart.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Meter {
    /// The root of the database server's processes.
    pub(crate) database: Option<u32>,
    pub(crate) service: Option<u32>,
    pub(crate) sidecar: Option<u32>,
}

/// Seconds of CPU time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct CpuTime {
    pub(crate) database: f64,
    pub(crate) service: f64,
    pub(crate) sidecar: f64,
    /// This process.
    pub(crate) driver: f64,
    /// Everything on the machine that is not ours.
    pub(crate) foreign: f64,
}

impl Meter {
    /// What has been used so far.
    pub(crate) fn read(&self) -> CpuTime {
        let processes = Processes::read(Path::new("/proc"));
        let this = std::process::id();
        let tree = |root: Option<u32>| root.map_or(0, |root| processes.tree(root));
        CpuTime {
            database: seconds(tree(self.database)),
            service: seconds(tree(self.service)),
            sidecar: seconds(tree(self.sidecar)),
            driver: seconds(processes.of(this)),
            foreign: seconds(processes.all().saturating_sub(processes.tree(this))),
        }
    }
}

/// Processes that others started, by name.
#[derive(Clone, Debug)]
pub(crate) struct Parts(pub(crate) Vec<(String, u32)>);

/// Seconds of CPU time of each of them, of this process without its children, and of everything else.
#[derive(Clone, Debug)]
pub(crate) struct PartsTime {
    pub(crate) parts: Vec<(String, f64)>,
    pub(crate) driver: f64,
    pub(crate) foreign: f64,
}

impl Parts {
    /// What has been used so far.
    pub(crate) fn read(&self) -> PartsTime {
        let processes = Processes::read(Path::new("/proc"));
        let this = std::process::id();
        let trees = self.0.iter().map(|(_, root)| processes.tree(*root));
        let ours: u64 = trees.clone().sum();
        // A child of ours that is a part is told as that.
        let children = self
            .0
            .iter()
            .filter(|(_, root)| processes.is_below(*root, this));
        let twice: u64 = children.map(|(_, root)| processes.tree(*root)).sum();
        let all = processes.all() + twice;
        let names = self.0.iter().map(|(name, _)| name.clone());
        PartsTime {
            parts: names.zip(trees.map(seconds)).collect(),
            driver: seconds(processes.of(this)),
            foreign: seconds(all.saturating_sub(ours + processes.tree(this))),
        }
    }
}

impl PartsTime {
    /// What was used since.
    pub(crate) fn since(self, before: &Self) -> Self {
        let spent = |(now, then): (&(String, f64), &(String, f64))| (now.0.clone(), now.1 - then.1);
        Self {
            parts: self.parts.iter().zip(&before.parts).map(spent).collect(),
            driver: self.driver - before.driver,
            foreign: self.foreign - before.foreign,
        }
    }

    /// Microseconds per operation, by process.
    pub(crate) fn micros_per(&self, operations: f64) -> Vec<(String, f64)> {
        let micros = |seconds: f64| seconds * 1e6 / operations.max(1.0);
        let parts = self.parts.iter();
        let parts = parts.map(|(name, seconds)| (name.clone(), micros(*seconds)));
        let driver = ("driver".to_owned(), micros(self.driver));
        parts.chain([driver]).collect()
    }
}

impl Sub for CpuTime {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            database: self.database - before.database,
            service: self.service - before.service,
            sidecar: self.sidecar - before.sidecar,
            driver: self.driver - before.driver,
            foreign: self.foreign - before.foreign,
        }
    }
}

impl Add for CpuTime {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self {
            database: self.database + more.database,
            service: self.service + more.service,
            sidecar: self.sidecar + more.sidecar,
            driver: self.driver + more.driver,
            foreign: self.foreign + more.foreign,
        }
    }
}

/// A process: its parent, its own ticks, and those of its children that ended and were waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Process {
    parent: u32,
    own: u64,
    reaped: u64,
}

#[derive(Debug, Default)]
struct Processes(BTreeMap<u32, Process>);

impl Processes {
    fn read(folder: &Path) -> Self {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let processes = entries.filter_map(|entry| {
            let id = entry.file_name().to_str()?.parse().ok()?;
            // It may have ended in between: then its parent has its time.
            let text = fs::read_to_string(entry.path().join("stat")).ok()?;
            Some((id, parse(&text)?))
        });
        Self(processes.collect())
    }

    /// A process without its children.
    fn of(&self, id: u32) -> u64 {
        self.0.get(&id).map_or(0, |process| process.own)
    }

    /// A process with everything it started, as long as each was waited for by its parent.
    fn tree(&self, root: u32) -> u64 {
        let below = |id: &u32| self.is_below(*id, root);
        let tree = self.0.iter().filter(|(id, _)| below(id));
        tree.map(|(_, process)| process.own + process.reaped).sum()
    }

    fn all(&self) -> u64 {
        let ours = |id: &u32| !self.is_below(*id, KERNEL);
        let all = self.0.iter().filter(|(id, _)| ours(id));
        all.map(|(_, process)| process.own + process.reaped).sum()
    }

    fn is_below(&self, mut id: u32, root: u32) -> bool {
        for _ in 0..self.0.len() {
            if id == root {
                return true;
            }
            match self.0.get(&id) {
                Some(process) => id = process.parent,
                None => return false,
            }
        }
        false
    }
}

/// `123 (a name) S 1 …`; the name may hold anything, so what counts begins after its last `)`.
fn parse(stat: &str) -> Option<Process> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Process {
        parent: u32::try_from(number(1)?).ok()?,
        own: number(11)? + number(12)?,
        reaped: number(13)? + number(14)?,
    })
}

fn seconds(ticks: u64) -> f64 {
    u32::try_from(ticks).map_or(f64::MAX, f64::from) / TICKS_PER_SECOND
}

#[cfg(test)]
mod tests {
    use super::*;

    fn processes(list: &[(u32, u32, u64, u64)]) -> Processes {
        let entry = |&(id, parent, own, reaped): &(u32, u32, u64, u64)| {
            let process = Process {
                parent,
                own,
                reaped,
            };
            (id, process)
        };
        Processes(list.iter().map(entry).collect())
    }

    #[test]
    fn a_line_of_the_kernel_is_read_whatever_the_name() {
        let line = "7 (a ) b) S 3 7 7 0 -1 4194304 97 0 0 0 11 22 33 44 20 0 1 0 1176049";
        let wanted = Process {
            parent: 3,
            own: 33,
            reaped: 77,
        };
        assert_eq!(parse(line), Some(wanted));
        assert_eq!(parse("7 (short) S 3"), None);
    }

    #[test]
    fn a_tree_holds_children_that_live_and_children_that_ended() {
        let all = processes(&[
            (1, 0, 5, 0),
            (10, 1, 100, 40),
            (11, 10, 7, 0),
            (12, 11, 3, 1),
        ]);
        assert_eq!(all.tree(10), 151);
        assert_eq!(all.of(10), 100);
        assert_eq!(all.all(), 156);
    }

    #[test]
    fn an_ended_child_moves_its_time_to_its_parent() {
        let before = processes(&[(10, 1, 100, 0), (11, 10, 7, 2)]);
        let after = processes(&[(10, 1, 100, 9)]);
        assert_eq!(before.tree(10), after.tree(10));
    }

    #[test]
    fn the_threads_of_the_kernel_are_nobodys() {
        let all = processes(&[(1, 0, 5, 0), (2, 0, 50, 0), (3, 2, 500, 0)]);
        assert_eq!(all.all(), 5);
    }
}
