#!/usr/bin/env bash
# Runs every sign-in of Alfred's realm against a Keycloak, as programs and browsers do it, and prints a line for each.
# Ends with 1 when one fails. Needs curl, jq and openssl. Changes nothing but the sessions of the two users, and locks
# the second one for some minutes.
#
#   KEYCLOAK_URL             https://id.example.com, without /realms
#   KEYCLOAK_REALM           alfred
#   KEYCLOAK_USER, KEYCLOAK_PASSWORD              a person who signs in
#   KEYCLOAK_LOCK_USER, KEYCLOAK_LOCK_PASSWORD    a person who may be locked; left out: the lock is not tried
#   KEYCLOAK_CONSOLE_SECRET, KEYCLOAK_WORKER_SECRET    secrets of the clients alfred-console and alfred-worker
#   ALFRED_URL               an API that trusts this realm; left out: no token is sent to one
#   KEYCLOAK_REDIRECT_URI    a redirect address of alfred-console; default: /auth/callback of ALFRED_URL, or of
#                            http://127.0.0.1:8080
#   KEYCLOAK_MANAGEMENT_URL  for health and metrics, https://keycloak:9000; left out: they are not tried
set -u -o pipefail

: "${KEYCLOAK_URL:?is needed: where Keycloak runs, like https://id.example.com}"
: "${KEYCLOAK_USER:?is needed: a person of the realm}" "${KEYCLOAK_PASSWORD:?is needed: the password of KEYCLOAK_USER}"
: "${KEYCLOAK_CONSOLE_SECRET:?is needed: the secret of alfred-console}"
: "${KEYCLOAK_WORKER_SECRET:?is needed: the secret of alfred-worker}"
for program in curl jq openssl; do
  command -v "$program" > /dev/null || { echo "$program is needed" >&2; exit 2; }
done
realm="${KEYCLOAK_URL%/}/realms/${KEYCLOAK_REALM:-alfred}"
alfred="${ALFRED_URL:-http://127.0.0.1:8080}"
redirect="${KEYCLOAK_REDIRECT_URI:-${alfred%/}/auth/callback}"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
failed=0
count=0

# Names what was tried, and whether the condition that follows holds.
check() {
  local what="$1"
  shift
  count=$((count + 1))
  if "$@" > /dev/null 2>&1; then
    echo "ok      $what"
  else
    echo "FAILED  $what"
    failed=$((failed + 1))
  fi
}
post() { curl --silent --show-error --max-time 30 "$@"; }
# The value of a field of an answer, or nothing.
field() { jq -r "$2 // empty" <<< "$1" 2> /dev/null; }
is() { [ "$1" = "$2" ]; }
differ() { [ -n "$1" ] && [ -n "$2" ] && [ "$1" != "$2" ]; }
filled() { [ -n "$1" ]; }
within() { [ "$1" -gt 0 ] && [ "$1" -le "$2" ]; }
# The claims of a token. Its signature is for the API to verify.
claims() {
  local part
  part="$(cut -d . -f 2 <<< "$1" | tr '_-' '/+')"
  while [ $((${#part} % 4)) -ne 0 ]; do part="$part="; done
  openssl base64 -d -A <<< "$part"
}
# Of a token that is not there nothing holds, and its refusal says nothing.
holds() { [ -n "$1" ] && claims "$1" | jq -e "$2"; }
refuses() { [ -n "$1" ] && [ "$2" = "$3" ]; }
random() { openssl rand -hex 32; }
challenge() { printf %s "$1" | openssl dgst -sha256 -binary | openssl base64 -A | tr '/+' '_-' | tr -d '='; }

discovery="$(post "$realm/.well-known/openid-configuration")"
token_url="$(field "$discovery" .token_endpoint)"
auth_url="$(field "$discovery" .authorization_endpoint)"
device_url="$(field "$discovery" .device_authorization_endpoint)"
logout_url="$(field "$discovery" .end_session_endpoint)"
check "discovery names the issuer $realm" is "$(field "$discovery" .issuer)" "$realm"
if [ -z "$token_url" ]; then
  echo "Keycloak does not answer at $realm, or has no such realm: nothing else was tried." >&2
  exit 1
fi
check "its keys are there" test "$(post "$(field "$discovery" .jwks_uri)" | jq '.keys | length')" -ge 1
check "PKCE is offered with S256" jq -e '.code_challenge_methods_supported | index("S256")' <<< "$discovery"

token() { post "$token_url" "$@"; }
console=(--data-urlencode client_id=alfred-console --data-urlencode "client_secret=$KEYCLOAK_CONSOLE_SECRET")
worker=(--data-urlencode client_id=alfred-worker --data-urlencode "client_secret=$KEYCLOAK_WORKER_SECRET")

answer="$(token -d grant_type=client_credentials "${worker[@]}")"
service="$(field "$answer" .access_token)"
check "client credentials: alfred-worker gets a token" filled "$service"
check "client credentials: it is for alfred-api" holds "$service" '[.aud] | flatten | index("alfred-api")'
check "client credentials: it has the role agent alone of ours" holds "$service" \
  '[.realm_access.roles[] | select(IN("viewer", "operator", "developer", "admin", "agent"))] == ["agent"]'
check "client credentials: it lives five minutes at most" within "$(field "$answer" .expires_in)" 300
check "client credentials: a wrong secret is refused" is \
  "$(field "$(token -d grant_type=client_credentials -d client_id=alfred-worker -d client_secret=wrong)" .error)" \
  unauthorized_client

for client in alfred-cli alfred-console alfred-slack alfred-temporal-ui admin-cli; do
  secret=()
  [ "$client" = alfred-console ] && secret=(--data-urlencode "client_secret=$KEYCLOAK_CONSOLE_SECRET")
  answer="$(token -d grant_type=password -d "client_id=$client" ${secret[@]+"${secret[@]}"} \
    --data-urlencode "username=$KEYCLOAK_USER" --data-urlencode "password=$KEYCLOAK_PASSWORD")"
  check "direct grant: $client gets no token for a password" test -z "$(field "$answer" .access_token)"
done

# What a browser does. `page` keeps cookies in a jar and prints the answer; `action` is where its form goes.
page() {
  local jar="$1"
  shift
  post --cookie "$jar" --cookie-jar "$jar" "$@"
}
action() { sed -n 's/.*<form[^>]*action="\([^"]*\)".*/\1/p' | head -n 1 | sed 's/&amp;/\&/g'; }
location() { page "$@" --output /dev/null --write-out '%{redirect_url}'; }
query() { sed -n "s/.*[?&]$2=\([^&#]*\).*/\1/p" <<< "$1"; }
# Asks for a code as alfred-console does, up to the form. Further arguments are added to the request.
authorize() {
  local jar="$1"
  shift
  page "$jar" --get "$auth_url" -d client_id=alfred-console -d response_type=code -d scope=openid \
    --data-urlencode "redirect_uri=$redirect" -d state=the-state -d nonce=the-nonce "$@"
}
# Signs in by the form, and prints the address that the browser is sent to.
sign_in() {
  local jar="$1" user="$2" password="$3" verifier="$4" form
  form="$(authorize "$jar" -d "code_challenge=$(challenge "$verifier")" -d code_challenge_method=S256 | action)"
  location "$jar" "$form" --data-urlencode "username=$user" --data-urlencode "password=$password"
}
redeem() {
  token -d grant_type=authorization_code "${console[@]}" --data-urlencode "redirect_uri=$redirect" \
    -d "code=$1" -d "code_verifier=$2"
}

if [ -z "$(authorize "$scratch/form" -d "code_challenge=$(challenge "$(random)")" -d code_challenge_method=S256 | action)" ]; then
  echo "FAILED  code: Keycloak shows the form for a sign-in that returns to $redirect"
  echo "alfred-console has no such redirect address: set ALFRED_URL, or KEYCLOAK_REDIRECT_URI. Nothing else was tried." >&2
  exit 1
fi
check "code: without PKCE it is refused" is \
  "$(query "$(location "$scratch/a" --get "$auth_url" -d client_id=alfred-console -d response_type=code -d scope=openid \
    --data-urlencode "redirect_uri=$redirect")" error)" invalid_request
check "code: another redirect address is refused" is \
  "$(post --get "$auth_url" -d client_id=alfred-console -d response_type=code \
    --data-urlencode "redirect_uri=$redirect/../elsewhere" --output /dev/null --write-out '%{http_code}')" 400
verifier="$(random)"
back="$(sign_in "$scratch/b" "$KEYCLOAK_USER" "$KEYCLOAK_PASSWORD" "$verifier")"
check "code: the person comes back with a code and the state" test -n "$(query "$back" code)" -a \
  "$(query "$back" state)" = the-state
check "code: a wrong verifier is refused" refuses "$(query "$back" code)" \
  "$(field "$(redeem "$(query "$back" code)" "$(random)")" .error)" invalid_grant
verifier="$(random)"
back="$(sign_in "$scratch/c" "$KEYCLOAK_USER" "$KEYCLOAK_PASSWORD" "$verifier")"
answer="$(redeem "$(query "$back" code)" "$verifier")"
access="$(field "$answer" .access_token)"
identity="$(field "$answer" .id_token)"
check "code: it is redeemed for tokens" filled "$access"
check "code: the access token is for alfred-api, the ID token is not" eval \
  'holds "$access" "[.aud] | flatten | index(\"alfred-api\")" && ! holds "$identity" "[.aud] | flatten | index(\"alfred-api\")"'
check "code: the ID token has the nonce" holds "$identity" '.nonce == "the-nonce"'
check "code: the access token has roles and groups" holds "$access" '(.realm_access.roles | type) == "array" and (.groups | type) == "array"'
check "code: the access token lives five minutes at most" within "$(field "$answer" .expires_in)" 300
echo "        roles $(claims "$access" | jq -c .realm_access.roles), groups $(claims "$access" | jq -c .groups)"
if [ -n "${ALFRED_URL:-}" ]; then
  me="$(post "${ALFRED_URL%/}/v1/me" -H "Authorization: Bearer $access")"
  check "Alfred takes the access token" test "$(field "$me" .via)" = oidc
  check "Alfred refuses the ID token" is \
    "$(field "$(post "${ALFRED_URL%/}/v1/me" -H "Authorization: Bearer $identity")" .code)" token_type
  check "Alfred takes the token of the service as one" is \
    "$(field "$(post "${ALFRED_URL%/}/v1/me" -H "Authorization: Bearer $service")" .kind)" service
fi

refresh_with() { token -d grant_type=refresh_token "${console[@]}" -d "refresh_token=$1"; }
first="$(field "$answer" .refresh_token)"
answer="$(refresh_with "$first")"
second="$(field "$answer" .refresh_token)"
check "refresh: it gives another refresh token" differ "$first" "$second"
check "refresh: a token that was used is refused" refuses "$second" "$(field "$(refresh_with "$first")" .error)" invalid_grant

verifier="$(random)"
back="$(sign_in "$scratch/d" "$KEYCLOAK_USER" "$KEYCLOAK_PASSWORD" "$verifier")"
answer="$(redeem "$(query "$back" code)" "$verifier")"
check "logout: with the ID token it sends the person back" is \
  "$(location "$scratch/d" --get "$logout_url" --data-urlencode "id_token_hint=$(field "$answer" .id_token)" \
    --data-urlencode "post_logout_redirect_uri=${redirect%/auth/callback}/" -d state=bye)" \
  "${redirect%/auth/callback}/?state=bye"
check "logout: the refresh token counts no more" refuses "$(field "$answer" .refresh_token)" \
  "$(field "$(refresh_with "$(field "$answer" .refresh_token)")" .error)" invalid_grant

# The device flow, as `alfred login` uses it.
check "device: without PKCE it is refused" is \
  "$(field "$(post "$device_url" -d client_id=alfred-cli -d scope=openid)" .error)" invalid_request
verifier="$(random)"
started="$(post "$device_url" -d client_id=alfred-cli -d 'scope=openid offline_access' \
  -d "code_challenge=$(challenge "$verifier")" -d code_challenge_method=S256)"
code="$(field "$started" .device_code)"
device_token() {
  token -d grant_type=urn:ietf:params:oauth:grant-type:device_code -d client_id=alfred-cli -d "device_code=$1" \
    -d "code_verifier=$2"
}
check "device: a code is given" filled "$code"
check "device: before the person decides there is no token" is \
  "$(field "$(device_token "$code" "$verifier")" .error)" authorization_pending
check "device: asking too often is slowed down" is "$(field "$(device_token "$code" "$verifier")" .error)" slow_down
form="$(page "$scratch/e" --location "$(field "$started" .verification_uri_complete)" | action)"
form="$(page "$scratch/e" --location "$form" --data-urlencode "username=$KEYCLOAK_USER" \
  --data-urlencode "password=$KEYCLOAK_PASSWORD" | action)"
page "$scratch/e" --location "${form/#\//${KEYCLOAK_URL%/}/}" -d accept=Yes > /dev/null
interval="$(field "$started" .interval)"
for _ in 1 2 3 4 5 6; do
  sleep "${interval:-5}"
  answer="$(device_token "$code" "$verifier")"
  [ "$(field "$answer" .error)" = slow_down ] || [ "$(field "$answer" .error)" = authorization_pending ] || break
done
check "device: after the person has agreed there is a token" filled "$(field "$answer" .access_token)"
check "device: it is for alfred-api" holds "$(field "$answer" .access_token)" '[.aud] | flatten | index("alfred-api")'
lasting="$(field "$answer" .refresh_token)"
check "device: it lasts (an offline token)" holds "$lasting" '.typ == "Offline"'
post "$(field "$discovery" .revocation_endpoint)" -d client_id=alfred-cli -d "token=$lasting" > /dev/null
check "device: a refresh token that was revoked is refused" refuses "$lasting" \
  "$(field "$(token -d grant_type=refresh_token -d client_id=alfred-cli -d "refresh_token=$lasting")" .error)" \
  invalid_grant

if [ -n "${KEYCLOAK_LOCK_USER:-}" ]; then
  for n in 1 2 3 4 5 6; do
    sign_in "$scratch/f$n" "$KEYCLOAK_LOCK_USER" "wrong-password-$n" "$(random)" > /dev/null
  done
  check "lock: after wrong passwords the right one is refused too" test -z \
    "$(query "$(sign_in "$scratch/g" "$KEYCLOAK_LOCK_USER" "${KEYCLOAK_LOCK_PASSWORD:-}" "$(random)")" code)"
  check "lock: others still sign in" test -n \
    "$(query "$(sign_in "$scratch/h" "$KEYCLOAK_USER" "$KEYCLOAK_PASSWORD" "$(random)")" code)"
fi
if [ -n "${KEYCLOAK_MANAGEMENT_URL:-}" ]; then
  check "health: /health/ready says UP" is "$(field "$(post "$KEYCLOAK_MANAGEMENT_URL/health/ready")" .status)" UP
  check "metrics are there" grep '^# TYPE' <<< "$(post "$KEYCLOAK_MANAGEMENT_URL/metrics")"
fi

echo "$((count - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
