#!/bin/sh
# Makes roles and database of every service, with the passwords below SECRETS: `<app id>-database/password`
# and `owner-password`, by the file SERVICE_SQL. PostgreSQL's image runs it once, on a new server.
set -eu

for app in task-api reminder-scheduler recurring-generator notifier; do
    OWNER_PASSWORD=$(cat "$SECRETS/$app-database/owner-password")
    SERVICE_PASSWORD=$(cat "$SECRETS/$app-database/password")
    export OWNER_PASSWORD SERVICE_PASSWORD
    psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname=postgres \
        --set=service="$(echo "$app" | tr - _)" --file="$SERVICE_SQL"
done
