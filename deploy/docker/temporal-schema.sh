#!/bin/sh
# Creates Temporal's two databases and updates their schemas. Idempotent: each command skips what exists.
# The tool reads the connection from SQL_PLUGIN, SQL_HOST, SQL_PORT, SQL_USER and SQL_PASSWORD.
set -eu

prepare() {
  temporal-sql-tool --db "$1" create-database
  temporal-sql-tool --db "$1" setup-schema --version 0.0
  temporal-sql-tool --db "$1" update-schema --schema-dir "$2"
}

schemas=${TEMPORAL_SCHEMAS:-/etc/temporal/schema/postgresql/v12}
prepare temporal "$schemas/temporal/versioned"
prepare temporal_visibility "$schemas/visibility/versioned"
