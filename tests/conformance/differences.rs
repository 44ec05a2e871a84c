//! Where daprd 1.14 and the local sidecar, which is like daprd 1.18, do not do the same.

use std::fmt::Write as _;

use crate::seen::Difference;

pub(crate) const DIFFERENCES: &[Difference] = &[
    Difference {
        rule: "subscriptions to what is forbidden, elsewhere or without a path",
        local: "/bulk PROGRAMMATIC, /single PROGRAMMATIC",
        daprd: "/bulk PROGRAMMATIC, /foreign PROGRAMMATIC, /other PROGRAMMATIC, /single PROGRAMMATIC",
        why: "it lists what it was asked for, and says in its log only what it does not subscribe to",
    },
    Difference {
        rule: "a bulk publish on the stable path",
        local: "204",
        daprd: "404 ERR_PUBSUB_NOT_FOUND DAPR_PUBSUB_NOT_FOUND",
        why: "it came with 1.17; our client then takes the alpha path",
    },
    Difference {
        rule: "no topic",
        local: "404 ERR_TOPIC_NAME_EMPTY DAPR_PUBSUB_TOPIC_NAME_EMPTY",
        daprd: "404 404 page not found",
        why: "such a path is none of its own",
    },
    Difference {
        rule: "a body above 4 MiB",
        local: "500 ERR_PUBSUB_PUBLISH_MESSAGE DAPR_PUBSUB_PUBLISH_MESSAGE",
        daprd: "400 error reading request body: stream too large",
        why: "an error with a code came later",
    },
    Difference {
        rule: "404 to a single delivery",
        local: "1 delivery, a dead letter",
        daprd: "1 delivery, no dead letter",
        why: "dead letters for it came with 1.17; our doors never answer 404",
    },
    Difference {
        rule: "a bulk publish with an entry that the broker does not take",
        local: "204",
        daprd: "500 ERR_PUBSUB_PUBLISH_MESSAGE, failed: 1",
        why: "Kafka has a largest record, 1 MB here; the local broker takes what the sidecar takes",
    },
];

#[test]
fn the_page_has_the_table_of_differences() {
    let page = include_str!("../../docs/kafka.md");
    let mut table =
        String::from("| rule | local sidecar | daprd 1.14 | why |\n|---|---|---|---|\n");
    for one in DIFFERENCES {
        let Difference {
            rule,
            local,
            daprd,
            why,
        } = one;
        let _ = writeln!(table, "| {rule} | {local} | {daprd} | {why} |");
    }
    assert!(page.contains(&table), "docs/kafka.md lacks:\n{table}");
}
