#!/bin/sh
# Run once by the postgres image, after roles.sql: passwords for the two roles, and the database.
set -eu
psql --set ON_ERROR_STOP=1 --username postgres \
    --set app="$APP_PASSWORD" --set owner="$OWNER_PASSWORD" <<'SQL'
ALTER ROLE gustav_app PASSWORD :'app';
ALTER ROLE gustav_owner PASSWORD :'owner';
CREATE DATABASE gustav OWNER gustav_owner;
REVOKE CONNECT ON DATABASE gustav FROM PUBLIC;
GRANT CONNECT ON DATABASE gustav TO gustav_app;
SQL
