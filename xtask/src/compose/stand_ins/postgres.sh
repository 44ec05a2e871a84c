#!/bin/sh
# What PostgreSQL's image does on a new volume, as far as docker-compose.yml relies on it.
set -eu

[ "${1-}" = postgres ] || exec "$@"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    # shellcheck disable=SC2086 # These are words.
    initdb --username=postgres --pwfile="$POSTGRES_PASSWORD_FILE" --encoding=UTF8 --locale=C \
        $POSTGRES_INITDB_ARGS --pgdata="$PGDATA"
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
    pg_ctl start --wait --options="-c listen_addresses=''"
    PGPASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
    export POSTGRES_USER=postgres PGHOST=/var/run/postgresql PGPASSWORD
    for script in /docker-entrypoint-initdb.d/*.sh; do
        "$script"
    done
    unset PGHOST PGPASSWORD
    pg_ctl stop --wait --mode=fast
fi
exec "$@"
