//! Processes that share a database.

use database::testing::TestDatabase;
use test_support::{RecordingSidecar, ServiceProcess};

/// Running replicas.
pub(crate) struct Replicas<'a> {
    test: &'a TestDatabase,
    sidecar: &'a RecordingSidecar,
    processes: Vec<ServiceProcess>,
}

impl<'a> Replicas<'a> {
    /// Two, or one where a database is a file: that has one process.
    pub(crate) async fn start(test: &'a TestDatabase, sidecar: &'a RecordingSidecar) -> Self {
        let count = if test.is_postgres() { 2 } else { 1 };
        let mut replicas = Self {
            test,
            sidecar,
            processes: Vec::new(),
        };
        for _ in 0..count {
            let process = replicas.one().await;
            replicas.processes.push(process);
        }
        replicas
    }

    /// Where each of them is delivered to.
    pub(crate) fn doors(&self) -> Vec<String> {
        let doors = self.processes.iter().map(|process| process.base.clone());
        doors.collect()
    }

    /// Kills one of them, another one each time, and starts it again.
    pub(crate) async fn kill(&mut self, turn: usize) {
        let index = turn % self.processes.len();
        self.processes.remove(index).kill().await;
        let process = self.one().await;
        self.processes.insert(index, process);
    }

    async fn one(&self) -> ServiceProcess {
        let program = env!("CARGO_BIN_EXE_recurring-generator");
        let (database, sidecar) = (&self.test.config, self.sidecar.url());
        ServiceProcess::start(program, "sidecar door", database, sidecar).await
    }
}
