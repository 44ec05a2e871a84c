//! The topic contract: one source for topics, partitions, retention, keys, producers and consumers.
//!
//! Everything else (local sidecar, Dapr scopes, Kafka manifests, docs) is generated from this table
//! or tested equal to it.

mod access;
mod kafka;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use access::{Grant, Operation, Resource};
pub use kafka::{MAX_RECORD_BYTES, Profile};

const DAY: Duration = Duration::from_hours(24);

/// A service, by its Dapr app id.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum App {
    /// Tasks, series and every public command on them.
    TaskApi,
    /// When each reminder fires.
    ReminderScheduler,
    /// Which slot of a series comes next.
    RecurringGenerator,
    /// Notifications.
    Notifier,
}

impl App {
    /// Every service.
    pub const ALL: [Self; 4] = [
        Self::TaskApi,
        Self::ReminderScheduler,
        Self::RecurringGenerator,
        Self::Notifier,
    ];

    /// The Dapr app id; also the Kafka consumer group.
    pub const fn id(self) -> &'static str {
        match self {
            Self::TaskApi => "task-api",
            Self::ReminderScheduler => "reminder-scheduler",
            Self::RecurringGenerator => "recurring-generator",
            Self::Notifier => "notifier",
        }
    }

    /// The service with this app id.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|app| app.id() == id)
    }

    /// The CloudEvents `source` of what this service publishes.
    pub const fn source(self) -> &'static str {
        match self {
            Self::TaskApi => "/task-api",
            Self::ReminderScheduler => "/reminder-scheduler",
            Self::RecurringGenerator => "/recurring-generator",
            Self::Notifier => "/notifier",
        }
    }

    /// Dapr's last net for this subscriber: `<app id>.dead-letters`.
    pub const fn dead_letter_topic(self) -> &'static str {
        match self {
            Self::TaskApi => "task-api.dead-letters",
            Self::ReminderScheduler => "reminder-scheduler.dead-letters",
            Self::RecurringGenerator => "recurring-generator.dead-letters",
            Self::Notifier => "notifier.dead-letters",
        }
    }
}

/// A topic that events are published to.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// The life of a task: created, completed, reopened, …
    TaskEvents,
    /// Changes of a task that keep it what it is.
    TaskUpdateEvents,
    /// Reminders that were scheduled, fired, missed or cancelled.
    ReminderEvents,
    /// Series, and the occurrences that become due.
    RecurringEvents,
    /// What became of a notification.
    NotificationEvents,
}

/// What Kafka does with old records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cleanup {
    /// The newest record per key stays for ever; every record stays at least for the lag.
    Compact {
        /// `min.compaction.lag.ms` and `delete.retention.ms`.
        lag: Duration,
    },
    /// Records older than this go.
    Delete {
        /// `retention.ms`.
        retention: Duration,
    },
}

/// What the partition key of a topic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Events of one task are in order.
    Task,
    /// Events of one series are in order.
    Series,
    /// Events of one user are in order.
    User,
    /// Whatever key the record came with.
    AsReceived,
}

/// One line of the contract.
#[derive(Clone, Copy, Debug)]
pub struct Contract {
    /// The topic's name on the broker.
    pub name: &'static str,
    /// Partitions of the local sidecar.
    pub local_partitions: u16,
    /// Partitions on Kafka. Final: changing it moves keys to other partitions.
    pub production_partitions: u16,
    /// Retention and cleanup policy.
    pub cleanup: Cleanup,
    /// What orders the records.
    pub key: Key,
    /// Who may publish.
    pub producers: &'static [App],
    /// Who may subscribe.
    pub consumers: &'static [App],
}

impl Topic {
    /// Every topic, in the order of the contract.
    pub const ALL: [Self; 5] = [
        Self::TaskEvents,
        Self::TaskUpdateEvents,
        Self::ReminderEvents,
        Self::RecurringEvents,
        Self::NotificationEvents,
    ];

    /// The topic's name on the broker.
    pub const fn name(self) -> &'static str {
        self.contract().name
    }

    /// The topic with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.name() == name)
    }

    /// This topic's line of the contract.
    pub const fn contract(self) -> &'static Contract {
        match self {
            Self::TaskEvents => &CONTRACTS[0],
            Self::TaskUpdateEvents => &CONTRACTS[1],
            Self::ReminderEvents => &CONTRACTS[2],
            Self::RecurringEvents => &CONTRACTS[3],
            Self::NotificationEvents => &CONTRACTS[4],
        }
    }
}

/// Every topic that exists: those that events are published to, and the dead letters of each service.
pub fn contracts() -> impl Iterator<Item = Contract> {
    let topics = Topic::ALL.into_iter().map(|topic| *topic.contract());
    topics.chain(App::ALL.into_iter().map(dead_letter_contract))
}

/// The contract of a subscriber's dead-letter topic. Never compacted: its keys repeat.
pub fn dead_letter_contract(app: App) -> Contract {
    Contract {
        name: app.dead_letter_topic(),
        local_partitions: 1,
        production_partitions: 1,
        cleanup: Cleanup::Delete {
            retention: DAY.saturating_mul(14),
        },
        key: Key::AsReceived,
        producers: &[],
        consumers: &[],
    }
}

const CONTRACTS: [Contract; 5] = [
    Contract {
        name: "task-events",
        local_partitions: 3,
        production_partitions: 6,
        cleanup: Cleanup::Compact {
            lag: DAY.saturating_mul(7),
        },
        key: Key::Task,
        producers: &[App::TaskApi],
        consumers: &[
            App::ReminderScheduler,
            App::RecurringGenerator,
            App::Notifier,
        ],
    },
    Contract {
        name: "task-update-events",
        local_partitions: 2,
        production_partitions: 4,
        cleanup: Cleanup::Compact {
            lag: DAY.saturating_mul(7),
        },
        key: Key::Task,
        producers: &[App::TaskApi],
        consumers: &[
            App::ReminderScheduler,
            App::RecurringGenerator,
            App::Notifier,
        ],
    },
    Contract {
        name: "reminder-events",
        local_partitions: 2,
        production_partitions: 3,
        cleanup: Cleanup::Delete {
            retention: DAY.saturating_mul(3),
        },
        key: Key::Task,
        producers: &[App::ReminderScheduler],
        consumers: &[App::TaskApi, App::Notifier],
    },
    Contract {
        name: "recurring-events",
        local_partitions: 1,
        production_partitions: 2,
        cleanup: Cleanup::Delete {
            retention: DAY.saturating_mul(30),
        },
        key: Key::Series,
        producers: &[App::TaskApi, App::RecurringGenerator],
        consumers: &[App::TaskApi, App::RecurringGenerator, App::Notifier],
    },
    Contract {
        name: "notification-events",
        local_partitions: 2,
        production_partitions: 4,
        cleanup: Cleanup::Delete { retention: DAY },
        key: Key::User,
        producers: &[App::Notifier],
        consumers: &[],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_topic_is_found_by_its_name() {
        for topic in Topic::ALL {
            assert_eq!(Topic::from_name(topic.name()), Some(topic));
        }
    }

    #[test]
    fn serde_names_are_broker_names() {
        for topic in Topic::ALL {
            let json = serde_json::to_value(topic).unwrap();
            assert_eq!(json, topic.name());
        }
    }

    #[test]
    fn each_app_is_found_by_its_id() {
        for app in App::ALL {
            assert_eq!(App::from_id(app.id()), Some(app));
            assert_eq!(app.source(), format!("/{}", app.id()));
            assert_eq!(
                app.dead_letter_topic(),
                format!("{}.dead-letters", app.id())
            );
        }
    }
}
