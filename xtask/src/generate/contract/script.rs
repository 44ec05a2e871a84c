//! `tools/kafka/create-topics.sh`: topics and access of the contract on any Kafka.

use std::fmt::Write as _;

use event_schema::App;
use event_schema::topic::{Profile, contracts};

pub(super) const PATH: &str = "tools/kafka/create-topics.sh";

const BEGINNING: &str = r#"#!/bin/sh
# Written by `cargo xtask contract` from shared/event-schema. Do not edit.
#
# Creates the topics of the contract, and lets each service's principal do what it needs. What is there
# already is left as it is.
#
#   BOOTSTRAP=kafka:9093 COMMAND_CONFIG=admin.properties sh create-topics.sh production
#
# The profile is `local` (one broker) or `production` (three and more). kafka-topics.sh and kafka-acls.sh
# have to be in PATH. The principals' passwords are not made here.
set -eu

# topic NAME PARTITIONS COPIES SETTINGS
topic() {
    name=$1 partitions=$2 copies=$3
    shift 3
    echo "topic $name"
    kafka-topics.sh --bootstrap-server "$BOOTSTRAP" --command-config "$COMMAND_CONFIG" \
        --create --if-not-exists --topic "$name" --partitions "$partitions" \
        --replication-factor "$copies" "$@" >/dev/null
}

# publishes PRINCIPAL TOPICS
publishes() {
    principal=$1
    shift
    echo "publisher $principal"
    allow "$principal" --operation Describe --operation Write "$@"
}

# subscribes PRINCIPAL TOPICS: Describe and Read on the topics, Read on the group of the same name
subscribes() {
    principal=$1
    shift
    echo "subscriber $principal"
    allow "$principal" --consumer --group "$principal" "$@"
}

allow() {
    principal=$1
    shift
    kafka-acls.sh --bootstrap-server "$BOOTSTRAP" --command-config "$COMMAND_CONFIG" \
        --add --allow-principal "User:$principal" "$@" >/dev/null
}

case ${1-} in
"#;

const NO_PROFILE: &str = "\
*)
    echo \"usage: create-topics.sh local|production\" >&2
    exit 2
    ;;
esac

";

pub(super) fn text() -> String {
    let mut text = BEGINNING.to_owned();
    for profile in Profile::ALL {
        let _ = writeln!(text, "{})", profile.name());
        text += &topics(profile);
        text += "    ;;\n";
    }
    text += NO_PROFILE;
    for app in App::ALL {
        let principal = app.principal();
        let _ = writeln!(
            text,
            "publishes {principal}{}",
            options(&app.published_topics())
        );
        let _ = writeln!(
            text,
            "subscribes {principal}{}",
            options(&app.subscribed_topics())
        );
    }
    text
}

fn topics(profile: Profile) -> String {
    let mut lines = String::new();
    for contract in contracts() {
        let (partitions, copies) = (contract.partitions(profile), profile.replication());
        let _ = write!(lines, "    topic {} {partitions} {copies}", contract.name);
        for (name, value) in contract.settings(profile) {
            let _ = write!(lines, " \\\n        --config {name}={value}");
        }
        lines.push('\n');
    }
    lines
}

fn options(topics: &[&str]) -> String {
    topics
        .iter()
        .fold(String::new(), |line, topic| line + " --topic " + topic)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;
    use std::{env, fs};

    use super::*;

    /// Runs the script with programs that write down how they were called.
    fn calls(profile: &str) -> (bool, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let calls = folder.path().join("calls");
        for program in ["kafka-topics.sh", "kafka-acls.sh"] {
            let path = folder.path().join(program);
            let script = format!("#!/bin/sh\necho {program} \"$@\" >>{}\n", calls.display());
            fs::write(&path, script).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let script = folder.path().join("create-topics.sh");
        fs::write(&script, text()).unwrap();
        let paths = env::join_paths([folder.path(), "/bin".as_ref(), "/usr/bin".as_ref()]).unwrap();
        let output = Command::new("sh")
            .arg(script)
            .args((!profile.is_empty()).then_some(profile))
            .env("PATH", paths)
            .env("BOOTSTRAP", "broker:9093")
            .env("COMMAND_CONFIG", "admin.properties")
            .output()
            .unwrap();
        let calls = fs::read_to_string(calls).unwrap_or_default();
        (
            output.status.success(),
            calls.lines().map(str::to_owned).collect(),
        )
    }

    #[test]
    fn each_topic_is_created_with_its_settings() {
        let (done, calls) = calls("production");

        assert!(done);
        let created = |call: &&String| call.starts_with("kafka-topics.sh");
        assert_eq!(calls.iter().filter(created).count(), contracts().count());
        assert_eq!(
            calls[0],
            "kafka-topics.sh --bootstrap-server broker:9093 --command-config admin.properties \
             --create --if-not-exists --topic task-events --partitions 6 --replication-factor 3 \
             --config cleanup.policy=compact --config delete.retention.ms=604800000 \
             --config max.message.bytes=1048588 --config min.compaction.lag.ms=604800000 \
             --config min.insync.replicas=2 --config segment.bytes=104857600 \
             --config segment.ms=86400000"
        );
    }

    #[test]
    fn each_principal_is_let_do_what_it_needs() {
        let (_, calls) = calls("local");

        let granted: Vec<_> = calls
            .iter()
            .filter(|call| call.contains("User:notifier "))
            .filter_map(|call| call.split_once("User:notifier "))
            .map(|(_, what)| what)
            .collect();
        let expected = [
            "--operation Describe --operation Write --topic notification-events \
             --topic notifier.dead-letters",
            "--consumer --group notifier --topic task-events --topic task-update-events \
             --topic reminder-events --topic recurring-events",
        ];
        assert_eq!(granted, expected);
    }

    #[test]
    fn without_a_profile_nothing_is_done() {
        assert_eq!(calls(""), (false, Vec::new()));
        assert_eq!(calls("staging"), (false, Vec::new()));
    }
}
