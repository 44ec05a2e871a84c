//! A topic of the contract as Kafka keeps it.

use std::time::Duration;

use super::{Cleanup, Contract};

/// Where the broker runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// One broker on one machine; the partitions of the local sidecar.
    Local,
    /// At least three brokers.
    Production,
}

/// The most bytes of one record with its headers, as the broker counts them: Kafka's own default,
/// written down because the sidecar's `maxMessageBytes` must stay below it.
pub const MAX_RECORD_BYTES: u32 = 1_048_588;

/// Segments of a compacted topic: only closed ones are compacted.
const COMPACTED_SEGMENT_BYTES: u32 = 100 * 1024 * 1024;
/// A segment is closed after a day at the latest, or a quiet topic would never forget anything.
const LONGEST_SEGMENT: Duration = Duration::from_hours(24);
/// The part of its retention that a record may stay too long because its segment is still open.
const SEGMENTS_PER_RETENTION: u32 = 24;

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 2] = [Self::Local, Self::Production];

    /// `local` or `production`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Production => "production",
        }
    }

    /// Brokers that hold a copy of each partition.
    pub const fn replication(self) -> u16 {
        match self {
            Self::Local => 1,
            Self::Production => 3,
        }
    }

    /// Copies that must have a record before it is acknowledged.
    pub const fn min_insync_replicas(self) -> u16 {
        match self {
            Self::Local => 1,
            Self::Production => 2,
        }
    }
}

impl Contract {
    /// Partitions in this profile.
    pub const fn partitions(&self, profile: Profile) -> u16 {
        match profile {
            Profile::Local => self.local_partitions,
            Profile::Production => self.production_partitions,
        }
    }

    /// What is set on the topic, by Kafka's names, sorted. `min.insync.replicas` stands here because
    /// clusters with eligible leader replicas ignore the broker's value.
    pub fn settings(&self, profile: Profile) -> Vec<(&'static str, String)> {
        let mut settings = vec![
            ("max.message.bytes", MAX_RECORD_BYTES.to_string()),
            (
                "min.insync.replicas",
                profile.min_insync_replicas().to_string(),
            ),
            ("segment.ms", millis(self.longest_segment())),
        ];
        settings.extend(match self.cleanup {
            Cleanup::Compact { lag } => vec![
                ("cleanup.policy", "compact".to_owned()),
                ("delete.retention.ms", millis(lag)),
                ("min.compaction.lag.ms", millis(lag)),
                ("segment.bytes", COMPACTED_SEGMENT_BYTES.to_string()),
            ],
            Cleanup::Delete { retention } => vec![
                ("cleanup.policy", "delete".to_owned()),
                ("retention.ms", millis(retention)),
            ],
        });
        settings.sort_unstable();
        settings
    }

    /// The open segment is neither deleted nor compacted, so it is closed in time.
    fn longest_segment(&self) -> Duration {
        match self.cleanup {
            Cleanup::Compact { .. } => LONGEST_SEGMENT,
            Cleanup::Delete { retention } => {
                (retention / SEGMENTS_PER_RETENTION).min(LONGEST_SEGMENT)
            }
        }
    }
}

fn millis(duration: Duration) -> String {
    duration.as_millis().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topic::{Topic, contracts};

    fn setting(contract: &Contract, profile: Profile, wanted: &str) -> Option<String> {
        let settings = contract.settings(profile);
        let found = settings.into_iter().find(|(name, _)| *name == wanted);
        found.map(|(_, value)| value)
    }

    #[test]
    fn production_has_the_partitions_and_copies_of_the_design() {
        let partitions = |profile| Topic::ALL.map(|topic| topic.contract().partitions(profile));

        assert_eq!(partitions(Profile::Production), [6, 4, 3, 2, 4]);
        assert_eq!(partitions(Profile::Local), [3, 2, 2, 1, 2]);
        assert_eq!(Profile::Production.replication(), 3);
        assert_eq!(Profile::Production.min_insync_replicas(), 2);
        assert_eq!(Profile::Local.replication(), 1);
    }

    #[test]
    fn a_compacted_topic_keeps_every_event_for_a_week_and_deletes_none_by_age() {
        let contract = Topic::TaskEvents.contract();
        let of = |name| setting(contract, Profile::Production, name);

        assert_eq!(of("cleanup.policy").as_deref(), Some("compact"));
        assert_eq!(of("min.compaction.lag.ms").as_deref(), Some("604800000"));
        assert_eq!(of("delete.retention.ms").as_deref(), Some("604800000"));
        assert_eq!(of("segment.bytes").as_deref(), Some("104857600"));
        assert_eq!(of("segment.ms").as_deref(), Some("86400000"));
        assert_eq!(of("retention.ms"), None);
    }

    #[test]
    fn a_record_outlives_its_retention_by_little() {
        let contract = Topic::NotificationEvents.contract();
        let of = |name| setting(contract, Profile::Local, name);

        assert_eq!(of("retention.ms").as_deref(), Some("86400000"));
        assert_eq!(of("segment.ms").as_deref(), Some("3600000"));
    }

    #[test]
    fn settings_are_sorted_and_each_is_there_once() {
        for contract in contracts() {
            for profile in Profile::ALL {
                let settings = contract.settings(profile);
                assert!(settings.is_sorted_by(|a, b| a.0 < b.0), "{settings:?}");
                assert_eq!(
                    settings.len(),
                    if settings[0].1 == "compact" { 7 } else { 5 }
                );
            }
        }
    }
}
