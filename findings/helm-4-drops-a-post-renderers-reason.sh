#!/usr/bin/env bash
# Finding: when a post-renderer fails, Helm 4 does not show what it wrote to stderr; Helm 3 does.
#
# Good expectation: a post-renderer that cannot do its work writes why to stderr and exits with another code than 0; whoever ran
# `helm` reads that line. What is seen: Helm 3.22.0 (`--post-renderer PATH`) prints it as part of its own error. Helm 4.3.1
# (`--post-renderer NAME` of a plugin of type postrenderer/v1) fails as well, says that the plugin exited with an error, and the
# line is in neither of its outputs.
#
# Installs both by `go install` into a temporary folder, which takes some minutes, and renders a chart of one ConfigMap with a
# post-renderer that fails. Exit 0: as described; 1: it has changed; 2: it cannot be tried here.
set -euo pipefail

three=v3.22.0
four=v4.3.1
reason='the-reason-why-it-failed'

cannot() { printf 'cannot be tried here: %s\n' "$*" >&2; exit 2; }

command -v go >/dev/null || cannot 'no go'
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
# install MAJOR VERSION
install() {
  GOFLAGS='' CGO_ENABLED=0 GOBIN=$folder/$1 go install "helm.sh/helm/v$1/cmd/helm@$2" >errors 2>&1 ||
    cannot "go install helm $2: $(tail -n 1 errors)"
}
install 3 "$three"
install 4 "$four"

mkdir -p chart/templates home
printf 'apiVersion: v2\nname: chart\nversion: 1.0.0\n' >chart/Chart.yaml
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n' >chart/templates/map.yaml
printf '#!/bin/sh\ncat >/dev/null\necho %s >&2\nexit 3\n' "$reason" >fails
chmod +x fails
mkdir plugin
cat >plugin/plugin.yaml <<EOF
apiVersion: v1
name: fails
version: 1.0.0
type: postrenderer/v1
runtime: subprocess
runtimeConfig:
  platformCommand:
    - command: $folder/fails
EOF

# run MAJOR WORD…: the exit code, and whether the reason is in one of the outputs.
run() {
  local code=0
  HOME=$folder/home HELM_PLUGINS=$folder/plugins-$1 "$folder/$1/helm" template x chart "${@:2}" >"out-$1" 2>&1 || code=$?
  printf 'helm %s: exit code %s, the reason is %s\n' "$1" "$code" "$(grep -q "$reason" "out-$1" && echo shown || echo lost)"
}
mkdir plugins-4
cp -R plugin plugins-4/fails
seen=$(run 3 --post-renderer "$folder/fails"; run 4 --post-renderer fails)
printf '%s\n' "$seen"
sed 's/^/helm 4 says: /' out-4
[ "$seen" = 'helm 3: exit code 1, the reason is shown
helm 4: exit code 1, the reason is lost' ] && grep -q 'exited with error' out-4
