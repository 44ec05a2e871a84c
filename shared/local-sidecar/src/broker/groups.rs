//! Consumer groups: how far each has come, and whether anything is left to deliver.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use sqlx::SqliteConnection;
use tokio::sync::watch;

use super::writer::{Job, Progress};
use super::{Broker, Partition, lock};
use crate::Error;

/// How far a group has come in a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupPosition {
    /// The consumer group: the app id.
    pub group: String,
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: u16,
    /// Everything below this offset was answered.
    pub committed: u64,
    /// The offset of the next record; `end - committed` is the lag.
    pub end: u64,
}

#[derive(Debug)]
pub(super) struct Groups {
    state: Mutex<State>,
    /// Changes whenever a record is appended or a group advances.
    activity: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    committed: BTreeMap<(Arc<str>, i64), u64>,
    consumed: Vec<(Arc<str>, Arc<Partition>)>,
    /// Apps whose subscriptions are not known yet.
    undiscovered: usize,
}

impl Groups {
    pub(super) async fn load(connection: &mut SqliteConnection) -> sqlx::Result<Self> {
        let rows: Vec<(String, i64, i64)> =
            sqlx::query_as("select consumer_group, partition_id, next_offset from offsets")
                .fetch_all(connection)
                .await?;
        let committed = rows
            .into_iter()
            .map(|(group, id, next)| ((Arc::from(group), id), next.cast_unsigned()))
            .collect();
        let state = Mutex::new(State {
            committed,
            ..State::default()
        });
        Ok(Self {
            state,
            activity: watch::Sender::new(()),
        })
    }

    pub(super) fn advance(&self, progress: &Progress) {
        let key = (Arc::clone(&progress.group), progress.partition_id);
        lock(&self.state)
            .committed
            .insert(key, progress.next_offset);
        self.changed();
    }

    pub(super) fn changed(&self) {
        self.activity.send_replace(());
    }
}

impl Broker {
    /// Whether every subscribed group has answered everything that was published, and the
    /// subscriptions of every bound app are known.
    pub fn is_idle(&self) -> bool {
        let state = lock(&self.0.groups.state);
        state.undiscovered == 0
            && state
                .consumed
                .iter()
                .all(|(group, partition)| state.committed(group, partition) >= partition.end())
    }

    /// Completes when the broker [is idle](Self::is_idle).
    pub async fn wait_until_idle(&self) {
        let mut activity = self.0.groups.activity.subscribe();
        while !self.is_idle() {
            if activity.changed().await.is_err() {
                return;
            }
        }
    }

    /// How far every group has come.
    pub fn groups(&self) -> Vec<GroupPosition> {
        let state = lock(&self.0.groups.state);
        let position = |(group, partition): &(Arc<str>, Arc<Partition>)| GroupPosition {
            group: group.to_string(),
            topic: partition.topic.clone(),
            partition: partition.number,
            committed: state.committed(group, partition),
            end: partition.end(),
        };
        state.consumed.iter().map(position).collect()
    }

    /// Everything below this offset was answered by the group.
    pub fn committed(&self, group: &str, topic: &str, partition: u16) -> Result<u64, Error> {
        let partition = self.partition(topic, partition)?;
        Ok(lock(&self.0.groups.state).committed(&Arc::from(group), partition))
    }

    pub(crate) fn committed_in(&self, group: &Arc<str>, partition: &Partition) -> u64 {
        lock(&self.0.groups.state).committed(group, partition)
    }

    /// Notes that a group has answered everything below an offset.
    pub(crate) async fn advance(&self, progress: Progress) -> Result<(), Error> {
        self.0.groups.advance(&progress);
        self.send(Job::Advance(progress)).await
    }

    /// Says that an app will subscribe: the broker is not idle before it has.
    pub(crate) fn expect_subscriptions(&self) {
        lock(&self.0.groups.state).undiscovered += 1;
    }

    /// Says what an expected app has subscribed to.
    pub(crate) fn subscribed(&self, group: &Arc<str>, partitions: &[Arc<Partition>]) {
        let mut state = lock(&self.0.groups.state);
        state.undiscovered = state.undiscovered.saturating_sub(1);
        let consumed = partitions
            .iter()
            .map(|partition| (Arc::clone(group), Arc::clone(partition)));
        state.consumed.extend(consumed);
        drop(state);
        self.0.groups.changed();
    }
}

impl State {
    fn committed(&self, group: &Arc<str>, partition: &Partition) -> u64 {
        self.committed
            .get(&(Arc::clone(group), partition.id))
            .copied()
            .unwrap_or(0)
    }
}
