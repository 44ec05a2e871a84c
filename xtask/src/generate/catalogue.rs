//! `docs/events.md`: the topic contract and the event types as tables.

use std::fmt::Write as _;
use std::time::Duration;

use event_schema::topic::{
    Cleanup, Contract, Key, Operation, Profile, Resource, contracts, dead_letter_contract,
};
use event_schema::{App, EventType, Topic, all_events, families};

const INTRODUCTION: &str = "\
<!-- Written by `cargo xtask generate` from shared/event-schema. Do not edit. -->

# Events and topics

Services tell each other things only by publishing and subscribing. Every event is a CloudEvent whose
data holds the `actor`, the `change` and the full state at that version; the CloudEvents `sequence` is
the version. The JSON Schema of each type is in `shared/event-schema/schemas`, an example in
`shared/event-schema/golden`.

## Topics

";

const CLEANUP_NOTE: &str = "\
A compacted topic keeps the newest event of every key for ever, and every event for at least the given
time.";

const KAFKA_NOTE: &str = "\
### On Kafka

`cargo xtask contract` writes these tables, `tools/kafka/create-topics.sh` for a plain Kafka and
`k8s/kafka` for Strimzi from the same lines of code. Set on each topic, beside `max.message.bytes` and
`min.insync.replicas`:

";

const ACCESS_NOTE: &str = "
The principal of a service is its app id, its consumer group too. It may do this and nothing else:

";

const EVENTS_NOTE: &str = "\
## Events

*State* events are ordered by the version they carry: a consumer ignores what is not newer than what
it has seen. *Fact* events are not state: a consumer processes each id once, and where a fact could be
told twice its id is derived from what it is about.
";

const CHANGING: &str = "\
## Changing an event

Events are stored and published as they were written, for ever. Whoever reads one (history, live stream,
subscriber, dead letter, verification, rebuild) calls `event_schema::decode`, which brings an older
version to today's shape; a head of a stream names the version of its state and goes through the same
steps. So a version that was ever published stays readable, and `cargo xtask generate` refuses to change
its schema.

*A field more* is a new minor. It must be optional on the wire (`#[serde(default)]`), because consumers of
yesterday read it; a step may fill it from what is there.

1. Change the type, and raise the minor in the `event_set!` of every type that carries it. A field of a
   state is carried by all types of its family: append a step to `State::STEPS` too (`unchanged` if a
   default is enough).
2. For each of these types add an entry to the list that `upcasts` names in the family's `event_set!`:
   `Upcast { from: \"task.updated.v1/1.0.0\", state: 1, to: \"task.updated.v1/1.1.0\", change: unchanged }`.
   `state` is the version of the state that events of `from` carry.
3. Copy the newest example to the new version and write the new field into it. The old one stays.
4. Run `cargo xtask generate`. It writes the new schema and, beside each old example, what that is read as
   today (`1.0.0.current.json`): read this difference as carefully as code.

*A rename, another type, a value more in an enum* is a new major, because consumers of yesterday cannot
read it. Do as above, but write `task.updated.v2` and `2.0.0`, let the last step of `.v1` lead to it, and
do the work in `change` and in a step of the state. A step is pure, and leaves alone what is not as its
version promised. Consumers answer a major that they do not know with success, so upgrade the consumers
first, then the producer. While replicas of one service are upgraded, an older one answers commands on
streams that a newer one has written with 503.

A state may be part of another (`Series` of `SeriesProgress`): the tests name every type whose schema has
changed. An entry of the list is never removed. A service does not start when a chain has a gap, a fork, a
circle or an end that is not today's version.
";

/// The whole page.
pub(super) fn markdown() -> String {
    let mut page = INTRODUCTION.to_owned();
    page += &topics();
    let _ = write!(
        page,
        "\nReplication in production is {} with `min.insync.replicas={}`; \
         on one machine it is 1.\n{CLEANUP_NOTE}\n\n",
        Profile::Production.replication(),
        Profile::Production.min_insync_replicas()
    );
    page += KAFKA_NOTE;
    page += &settings();
    page += ACCESS_NOTE;
    page += &access();
    let _ = write!(page, "\n{EVENTS_NOTE}");
    for topic in Topic::ALL {
        page += &events(&format!("`{}`", topic.name()), Some(topic));
    }
    page += &events("Only in the ledger of their service", None);
    page += &older_versions();
    page + "\n" + CHANGING
}

fn topics() -> String {
    let mut table = String::from(
        "| topic | partitions (local) | cleanup and retention | key | producers | consumers |\n\
         |---|---|---|---|---|---|\n",
    );
    for topic in Topic::ALL {
        table += &topic_row(topic.contract(), &apps(topic.contract().producers));
    }
    for app in App::ALL {
        let producer = format!("the sidecar of {}", app.id());
        table += &topic_row(&dead_letter_contract(app), &producer);
    }
    table
}

/// What differs between topics.
fn settings() -> String {
    let mut table = String::from("| topic | settings |\n|---|---|\n");
    for contract in contracts() {
        let own = contract.settings(Profile::Production).into_iter();
        let own =
            own.filter(|(name, _)| !["max.message.bytes", "min.insync.replicas"].contains(name));
        let own: Vec<_> = own
            .map(|(name, value)| format!("`{name}={value}`"))
            .collect();
        let _ = writeln!(table, "| `{}` | {} |", contract.name, own.join(", "));
    }
    table
}

fn access() -> String {
    let mut table = String::from("| principal | on | may |\n|---|---|---|\n");
    for app in App::ALL {
        for grant in app.grants() {
            let on = match grant.resource {
                Resource::Topic(name) => format!("topic `{name}`"),
                Resource::Group(name) => format!("group `{name}`"),
            };
            let may: Vec<_> = grant.operations.into_iter().map(Operation::name).collect();
            let _ = writeln!(
                table,
                "| `{}` | {on} | {} |",
                app.principal(),
                may.join(", ")
            );
        }
    }
    table
}

fn topic_row(contract: &Contract, producers: &str) -> String {
    let cleanup = match contract.cleanup {
        Cleanup::Compact { lag } => format!("compact, all for {}", days(lag)),
        Cleanup::Delete { retention } => format!("delete after {}", days(retention)),
    };
    let key = match contract.key {
        Key::Task => "task id",
        Key::Series => "series id",
        Key::User => "user id",
        Key::AsReceived => "as received",
    };
    format!(
        "| `{}` | {} ({}) | {cleanup} | {key} | {producers} | {} |\n",
        contract.name,
        contract.production_partitions,
        contract.local_partitions,
        apps(contract.consumers),
    )
}

fn events(heading: &str, topic: Option<Topic>) -> String {
    let mut section = format!(
        "\n### {heading}\n\n| type | schema | kind | producer | what it says |\n|---|---|---|---|---|\n"
    );
    for event_type in all_events().filter(|event_type| event_type.topic == topic) {
        section += &event_row(event_type);
    }
    section
}

/// What stands in ledgers and is no longer written.
fn older_versions() -> String {
    let mut rows = String::new();
    for older in families().iter().flat_map(|family| family.upcasts) {
        let folder = "../shared/event-schema";
        let (from, to) = (older.from, older.to);
        let _ = writeln!(
            rows,
            "| [`{from}`]({folder}/golden/{from}.json) | [schema]({folder}/schemas/{from}.json) \
             | `{to}` | [today]({folder}/golden/{from}.current.json) |"
        );
    }
    if rows.is_empty() {
        return "\n### Older versions\n\nNone: every type is at its first version.\n".to_owned();
    }
    format!(
        "\n### Older versions\n\n| version | schema | next version | read as |\n|---|---|---|---|\n{rows}"
    )
}

fn event_row(event_type: &EventType) -> String {
    let EventType {
        name,
        schema_version,
        ..
    } = event_type;
    let folder = "../shared/event-schema";
    format!(
        "| [`{name}`]({folder}/golden/{name}/{schema_version}.json) \
         | [{schema_version}]({folder}/schemas/{name}/{schema_version}.json) | {} | {} | {} |\n",
        if event_type.fact { "fact" } else { "state" },
        event_type.producer.id(),
        sentence(event_type),
    )
}

/// The doc without the producer, which has a column of its own.
fn sentence(event_type: &EventType) -> String {
    let from = format!("From {}; ", event_type.producer.id());
    match event_type.doc.trim().split_once(&from) {
        Some((says, rest)) => {
            let (first, rest) = rest.split_at(rest.len().min(1));
            format!("{says}{}{rest}", first.to_uppercase())
        }
        None => event_type.doc.trim().to_owned(),
    }
}

fn apps(apps: &[App]) -> String {
    let ids: Vec<_> = apps.iter().map(|app| app.id()).collect();
    if ids.is_empty() {
        "–".to_owned()
    } else {
        ids.join(", ")
    }
}

fn days(duration: Duration) -> String {
    match duration.as_secs() / 86_400 {
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_every_topic_and_every_type() {
        let page = markdown();

        for topic in Topic::ALL {
            assert!(page.contains(&format!("| `{}` |", topic.name())));
        }
        for app in App::ALL {
            assert!(page.contains(app.dead_letter_topic()));
        }
        for event_type in all_events() {
            assert!(page.contains(&format!("[`{}`]", event_type.name)));
        }
    }
}
