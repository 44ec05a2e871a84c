#!/bin/sh
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
local)
    topic task-events 3 1 \
        --config cleanup.policy=compact \
        --config delete.retention.ms=604800000 \
        --config max.message.bytes=1048588 \
        --config min.compaction.lag.ms=604800000 \
        --config min.insync.replicas=1 \
        --config segment.bytes=104857600 \
        --config segment.ms=86400000
    topic task-update-events 2 1 \
        --config cleanup.policy=compact \
        --config delete.retention.ms=604800000 \
        --config max.message.bytes=1048588 \
        --config min.compaction.lag.ms=604800000 \
        --config min.insync.replicas=1 \
        --config segment.bytes=104857600 \
        --config segment.ms=86400000
    topic reminder-events 2 1 \
        --config cleanup.policy=delete \
        --config max.message.bytes=1048588 \
        --config min.insync.replicas=1 \
        --config retention.ms=259200000 \
        --config segment.ms=10800000
    topic recurring-events 1 1 \
        --config cleanup.policy=delete \
        --config max.message.bytes=1048588 \
        --config min.insync.replicas=1 \
        --config retention.ms=2592000000 \
        --config segment.ms=86400000
    topic notification-events 2 1 \
        --config cleanup.policy=delete \
        --config max.message.bytes=1048588 \
        --config min.insync.replicas=1 \
        --config retention.ms=86400000 \
        --config segment.ms=3600000
    topic task-api.dead-letters 1 1 \
        --config cleanup.policy=delete \
        --config max.message.bytes=1048588 \
        --config min.insync.replicas=1 \
        --config retention.ms=1209600000 \
        --config segment.ms=50400000
    topic reminder-scheduler.dead-letters 1 1 \
        --config cleanup.policy=delete \
        --config max.message.bytes=1048588 \
        --config min.insync.replicas=1 \
        --config retention.ms=1209600000 \
        --config segment.ms=50400000
    topic recurring-generator.dead-letters 1 1 \
        --config cleanup.policy=delete \
        --config max.message.bytes=1048588 \
        --config min.insync.replicas=1 \
        --config retention.ms=1209600000 \
        --config segment.ms=50400000
    topic notifier.dead-letters 1 1 \
        --config cleanup.policy=delete \
        --config max.message.bytes=1048588 \
        --config min.insync.replicas=1 \
        --config retention.ms=1209600000 \
        --config segment.ms=50400000
    ;;
production)
    topic task-events 6 3 \
        --config cleanup.policy=compact \
        --config delete.retention.ms=604800000 \
        --config max.message.bytes=1048588 \
        --config min.compaction.lag.ms=604800000 \
        --config min.insync.replicas=2 \
        --config segment.bytes=104857600 \
        --config segment.ms=86400000
    topic task-update-events 4 3 \
        --config cleanup.policy=compact \
        --config delete.retention.ms=604800000 \
        --config max.message.bytes=1048588 \
        --config min.compaction.lag.ms=604800000 \
        --config min.insync.replicas=2 \
        --config segment.bytes=104857600 \
        --config segment.ms=86400000
    topic reminder-events 3 3 \
        --config cleanup.policy=delete \
        --config max.message.bytes=1048588 \
        --config min.insync.replicas=2 \
        --config retention.ms=259200000 \
        --config segment.ms=10800000
    topic recurring-events 2 3 \
        --config cleanup.policy=delete \
        --config max.message.bytes=1048588 \
        --config min.insync.replicas=2 \
        --config retention.ms=2592000000 \
        --config segment.ms=86400000
    topic notification-events 4 3 \
        --config cleanup.policy=delete \
        --config max.message.bytes=1048588 \
        --config min.insync.replicas=2 \
        --config retention.ms=86400000 \
        --config segment.ms=3600000
    topic task-api.dead-letters 1 3 \
        --config cleanup.policy=delete \
        --config max.message.bytes=1048588 \
        --config min.insync.replicas=2 \
        --config retention.ms=1209600000 \
        --config segment.ms=50400000
    topic reminder-scheduler.dead-letters 1 3 \
        --config cleanup.policy=delete \
        --config max.message.bytes=1048588 \
        --config min.insync.replicas=2 \
        --config retention.ms=1209600000 \
        --config segment.ms=50400000
    topic recurring-generator.dead-letters 1 3 \
        --config cleanup.policy=delete \
        --config max.message.bytes=1048588 \
        --config min.insync.replicas=2 \
        --config retention.ms=1209600000 \
        --config segment.ms=50400000
    topic notifier.dead-letters 1 3 \
        --config cleanup.policy=delete \
        --config max.message.bytes=1048588 \
        --config min.insync.replicas=2 \
        --config retention.ms=1209600000 \
        --config segment.ms=50400000
    ;;
*)
    echo "usage: create-topics.sh local|production" >&2
    exit 2
    ;;
esac

publishes task-api --topic task-events --topic task-update-events --topic recurring-events --topic task-api.dead-letters
subscribes task-api --topic reminder-events --topic recurring-events
publishes reminder-scheduler --topic reminder-events --topic reminder-scheduler.dead-letters
subscribes reminder-scheduler --topic task-events --topic task-update-events
publishes recurring-generator --topic recurring-events --topic recurring-generator.dead-letters
subscribes recurring-generator --topic task-events --topic task-update-events --topic recurring-events
publishes notifier --topic notification-events --topic notifier.dead-letters
subscribes notifier --topic task-events --topic task-update-events --topic reminder-events --topic recurring-events
