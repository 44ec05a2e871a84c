#!/bin/sh
# Gives every principal the password that compose/secrets has now. To be run in the broker's container:
#
#   docker compose exec kafka sh /etc/taskledger/passwords.sh
set -eu

setting=$(mktemp)
trap 'rm -f "$setting"' EXIT
sed -n 's/^SCRAM-SHA-512=\[name="\(.*\)",password="\(.*\)"\]$/\1 \2/p' /run/secrets/kafka-format |
    while read -r principal password; do
        echo "SCRAM-SHA-512=password=$password" >"$setting"
        # As a file, so that no password is in a list of processes.
        /opt/kafka/bin/kafka-configs.sh --bootstrap-server kafka:9094 \
            --command-config /etc/taskledger/broker.properties --alter --entity-type users \
            --entity-name "$principal" --add-config-file "$setting" </dev/null
    done
