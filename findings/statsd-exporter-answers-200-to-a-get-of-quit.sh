#!/usr/bin/env bash
# Finding: statsd_exporter answers a GET of /-/quit with 200 and goes on; only PUT and POST end it.
#
# Good expectation: a path that ends the program refuses a method by which it does not, as Prometheus and Pushgateway do (405), so
# that `curl -f http://localhost:9102/-/quit` fails visibly. What is seen in v0.31.0, started with --web.enable-lifecycle: the GET
# gets 200 and a page of HTML, whoever asked believes that the exporter ends, and the pod runs on. A POST gets 200 as well, or no
# answer because the program has ended first, and the process ends with 0.
#
# Installs it by `go install` into a temporary folder, which takes a minute. Exit 0: as described; 1: it has changed; 2: it cannot
# be tried here.
set -euo pipefail

version=v0.31.0

cannot() { printf 'cannot be tried here: %s\n' "$*" >&2; exit 2; }

for needed in go curl; do command -v "$needed" >/dev/null || cannot "no $needed"; done
folder=$(mktemp -d)
exporter=
trap '[ -z "$exporter" ] || kill "$exporter" 2>/dev/null || :; rm -rf "$folder"' EXIT
GOFLAGS='' CGO_ENABLED=0 GOBIN=$folder go install "github.com/prometheus/statsd_exporter@$version" >"$folder/errors" 2>&1 ||
  cannot "go install statsd_exporter $version: $(tail -n 1 "$folder/errors")"

printf 'statsd_exporter %s\n' "$version"
port=$((20000 + $$ % 20000))
"$folder/statsd_exporter" --web.enable-lifecycle --web.listen-address="127.0.0.1:$port" --statsd.listen-tcp= --statsd.listen-udp= \
  --statsd.listen-unixgram="$folder/socket" 2>"$folder/log" &
exporter=$!
# ask METHOD PATH: the status, or 000 for none
ask() { curl --silent --output /dev/null --max-time 5 --write-out '%{http_code}' --request "$1" "http://127.0.0.1:$port$2" || :; }
tries=0
until [ "$(ask GET /-/ready)" = 200 ]; do
  kill -0 "$exporter" 2>/dev/null && [ $((tries += 1)) -le 200 ] || cannot "it does not start: $(tail -n 1 "$folder/log")"
  sleep 0.05
done

status=$(ask GET /-/quit)
lives=$(ask GET /-/ready)
printf 'GET /-/quit: %s, and then /-/ready: %s\n' "$status" "$lives"
ask POST /-/quit >/dev/null
code=0
wait "$exporter" || code=$?
exporter=
printf 'POST /-/quit: it ended with %s\n' "$code"
[ "$status $lives $code" = '200 200 0' ]
