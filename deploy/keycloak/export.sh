#!/usr/bin/env bash
# Writes a realm of this Keycloak to a file, without its people and without secrets, for review or to move it. Run it
# beside Keycloak, with the settings that its start has (KC_DB, KC_DB_URL, …). It reads the database, so Keycloak may go
# on running, but not with the database of its development mode.
#
#   export.sh <file>
#   KEYCLOAK_HOME    /opt/keycloak
#   KEYCLOAK_REALM   alfred
set -eu -o pipefail
umask 077

file="${1:?the file to write is missing: export.sh alfred-realm.json}"
home="${KEYCLOAK_HOME:-/opt/keycloak}"
realm="${KEYCLOAK_REALM:-alfred}"
command -v jq > /dev/null || { echo "jq is needed" >&2; exit 2; }
[ -e "$home/bin/kc.sh" ] || { echo "There is no Keycloak in $home: set KEYCLOAK_HOME" >&2; exit 2; }
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
# Optimized: without it Keycloak is built again, with other features than its start has.
bash "$home/bin/kc.sh" export --optimized --realm "$realm" --users skip --dir "$scratch"
# Private keys of the realm and secrets of clients, of providers and of directories stay where they are.
jq 'del(.components["org.keycloak.keys.KeyProvider"])
  | walk(if type == "object"
      then with_entries(select(.key | test("(^bindCredential|secret|password|private.?key)($|[.]creation[.]time$)"; "i") | not))
      else . end)' \
  "$scratch/$realm-realm.json" > "$scratch/clean.json"
mv "$scratch/clean.json" "$file"
echo "$file has the realm $realm"
