#!/bin/sh
# Starts the broker; a new one first gets its storage, and the principals of compose/secrets.
set -eu

config=/etc/taskledger/server.properties
if [ ! -e /var/lib/kafka/data/log/meta.properties ]; then
    /opt/kafka/bin/kafka-storage.sh format --standalone --config "$config" @/run/secrets/kafka-format
fi
exec /opt/kafka/bin/kafka-server-start.sh "$config"
