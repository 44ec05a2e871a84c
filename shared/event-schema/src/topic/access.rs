//! Who may do what on the broker: the least that a service's sidecar needs.

use super::{App, Topic};

/// What a principal does with a resource, by Kafka's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Ask whether it is there, and where.
    Describe,
    /// Consume.
    Read,
    /// Publish.
    Write,
}

/// What access is granted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// A topic.
    Topic(&'static str),
    /// A consumer group.
    Group(&'static str),
}

/// One resource, and what a principal may do with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The topic or the group.
    pub resource: Resource,
    /// Sorted by Kafka's names.
    pub operations: Vec<Operation>,
}

impl Operation {
    /// Kafka's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Describe => "Describe",
            Self::Read => "Read",
            Self::Write => "Write",
        }
    }
}

impl App {
    /// The name that the service's sidecar shows to the broker.
    pub const fn principal(self) -> &'static str {
        self.id()
    }

    /// The topics that its sidecar publishes to: what it produces, and its dead letters.
    pub fn published_topics(self) -> Vec<&'static str> {
        let produced = |topic: &Topic| topic.contract().producers.contains(&self);
        let names = Topic::ALL.into_iter().filter(produced).map(Topic::name);
        names.chain([self.dead_letter_topic()]).collect()
    }

    /// The topics that it subscribes to.
    pub fn subscribed_topics(self) -> Vec<&'static str> {
        let consumed = |topic: &Topic| topic.contract().consumers.contains(&self);
        let names = Topic::ALL.into_iter().filter(consumed).map(Topic::name);
        names.collect()
    }

    /// All that its principal may do. Whatever is not here is refused.
    pub fn grants(self) -> Vec<Grant> {
        let (published, subscribed) = (self.published_topics(), self.subscribed_topics());
        let topics = Topic::ALL.into_iter().map(Topic::name);
        let topics = topics.chain([self.dead_letter_topic()]);
        let granted = topics.filter_map(|name| {
            let mut operations = vec![Operation::Describe];
            operations.extend(subscribed.contains(&name).then_some(Operation::Read));
            operations.extend(published.contains(&name).then_some(Operation::Write));
            (operations.len() > 1).then_some(Grant {
                resource: Resource::Topic(name),
                operations,
            })
        });
        let group = Grant {
            resource: Resource::Group(self.id()),
            operations: vec![Operation::Read],
        };
        granted.chain([group]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(app: App) -> Vec<String> {
        let line = |grant: Grant| {
            let operations = grant.operations.into_iter().map(Operation::name);
            let operations: Vec<_> = operations.collect();
            format!("{:?} {}", grant.resource, operations.join(" "))
        };
        app.grants().into_iter().map(line).collect()
    }

    #[test]
    fn the_notifier_reads_the_others_and_writes_its_own() {
        let expected = [
            "Topic(\"task-events\") Describe Read",
            "Topic(\"task-update-events\") Describe Read",
            "Topic(\"reminder-events\") Describe Read",
            "Topic(\"recurring-events\") Describe Read",
            "Topic(\"notification-events\") Describe Write",
            "Topic(\"notifier.dead-letters\") Describe Write",
            "Group(\"notifier\") Read",
        ];
        assert_eq!(granted(App::Notifier), expected);
    }

    #[test]
    fn who_produces_and_consumes_a_topic_may_do_both() {
        let both = "Topic(\"recurring-events\") Describe Read Write".to_owned();
        assert!(granted(App::RecurringGenerator).contains(&both));
    }

    #[test]
    fn nobody_touches_the_dead_letters_or_the_group_of_another() {
        for app in App::ALL {
            for grant in app.grants() {
                for other in App::ALL.into_iter().filter(|other| *other != app) {
                    assert_ne!(grant.resource, Resource::Group(other.id()));
                    assert_ne!(grant.resource, Resource::Topic(other.dead_letter_topic()));
                }
            }
        }
    }
}
