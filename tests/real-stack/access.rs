//! Who must not get in does not: each refusal beside what is allowed, so that it is not the test that
//! fails.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use suite_tests::stack::{Said, Stack};

/// Bytes that no event has.
const MARK: &str = "written by a test of access";

async fn write(stack: &Stack, principal: &str, topic: &str) -> Said {
    let words = [
        "--topic",
        topic,
        "--sync",
        "--command-property",
        "max.block.ms=10000",
    ];
    stack
        .kafka(
            "kafka-console-producer.sh",
            principal,
            &words,
            &format!("{MARK} as {principal}\n"),
        )
        .await
}

/// Reads one partition from its beginning, without a group, until nothing comes for a while.
async fn read(stack: &Stack, principal: &str, topic: &str) -> Said {
    let words = [
        "--topic",
        topic,
        "--partition",
        "0",
        "--offset",
        "earliest",
        "--timeout-ms",
        "5000",
    ];
    stack
        .kafka("kafka-console-consumer.sh", principal, &words, "")
        .await
}

#[tokio::test]
async fn the_notifier_writes_its_own_topic_and_not_task_events() {
    let stack = Stack::of_environment();
    let own = "notifier.dead-letters";

    let allowed = write(&stack, "notifier", own).await;
    let refused = write(&stack, "notifier", "task-events").await;

    assert!(!allowed.err.contains("Exception"), "{}", allowed.err);
    assert!(read(&stack, "admin", own).await.out.contains(MARK));
    assert!(
        refused.err.contains("TopicAuthorizationException"),
        "{refused:?}"
    );
    for partition in 0..stack.partitions("task-events") {
        let partition = partition.to_string();
        let words = [
            "--topic",
            "task-events",
            "--partition",
            &partition,
            "--offset",
            "earliest",
        ];
        let words = [words.as_slice(), &["--timeout-ms", "3000"]].concat();
        let there = stack
            .kafka("kafka-console-consumer.sh", "admin", &words, "")
            .await;
        assert!(!there.out.contains(MARK), "{}", there.out);
    }
}

#[tokio::test]
async fn a_principal_without_grants_reads_nothing() {
    let stack = Stack::of_environment();

    let allowed = read(&stack, "notifier", "task-events").await;
    let refused = read(&stack, "stranger", "task-events").await;
    let words = [
        "--topic",
        "task-events",
        "--group",
        "stranger",
        "--timeout-ms",
        "5000",
    ];
    let in_a_group = stack
        .kafka("kafka-console-consumer.sh", "stranger", &words, "")
        .await;
    let topics = stack
        .kafka("kafka-topics.sh", "stranger", &["--list"], "")
        .await;

    assert!(
        !allowed.err.contains("AuthorizationException"),
        "{}",
        allowed.err
    );
    for refused in [refused, in_a_group] {
        assert!(
            refused.err.contains("AuthorizationException"),
            "{refused:?}"
        );
        assert_eq!(refused.out.trim(), "");
    }
    assert_eq!(topics.expect_success().trim(), "");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_are_refused_alike() {
    let stack = Stack::of_environment();
    let settings = std::fs::read_to_string(stack.path("secrets/notifier.properties")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let password = stack.secret("kafka:notifier");
    for (wrong, right) in [("wrong", password), ("nobody", "username=\"notifier\"")] {
        let forged = settings.replace(
            right,
            if wrong == "nobody" {
                "username=\"nobody\""
            } else {
                wrong
            },
        );
        assert_ne!(forged, settings);
        let path = folder.path().join(wrong);
        std::fs::write(&path, forged).unwrap();

        let refused = stack
            .kafka_with("kafka-topics.sh", &path, &["--list"], "")
            .await;

        assert!(
            refused.err.contains("SaslAuthenticationException"),
            "{refused:?}"
        );
    }
}

#[test]
fn plain_text_is_refused() {
    let stack = Stack::of_environment();
    // The question for the versions that a broker speaks, which every broker answers to everybody.
    let question = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff];
    let mut stream = TcpStream::connect(stack.broker()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    stream.write_all(&question).unwrap();

    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();

    // Nothing, or TLS telling that this is not TLS.
    assert!(answer.is_empty() || answer[0] == 0x15, "{answer:?}");
}
