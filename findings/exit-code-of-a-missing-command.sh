#!/usr/bin/env bash
# Finding: of three container inits, two say that a command is missing by an exit code that means something else.
#
# Good expectation: 127, as POSIX has it for a shell (XCU 2.8.2), env(1), nohup(1), timeout(1) and docker run, so that a
# Job's podFailurePolicy can tell a broken image from a failed run. What is seen: dumb-init ends with 2, and catatonit with
# 1, which is what most programs end with when they fail; tini ends with 127.
#
# Downloads the inits as pinned below from the Debian archive that apt is set up for, into a temporary folder. Exit 0: as
# described; 1: it has changed; 2: it cannot be tried here.
set -euo pipefail

packages=(tini=0.19.0-1+b3 dumb-init=1.2.5-2 catatonit=0.1.7-1+b2)

cannot() { printf 'cannot be tried here: %s\n' "$*" >&2; exit 2; }

for tool in apt-get dpkg-deb; do command -v "$tool" >/dev/null || cannot "no $tool"; done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download "${packages[@]}" >/dev/null 2>&1 || cannot "apt-get has no ${packages[*]} (apt-get update?)"
for deb in ./*.deb; do dpkg-deb -x "$deb" .; done

seen=
for package in "${packages[@]}"; do
  name=${package%%=*}
  # tini and catatonit want to be PID 1 or the reaper of orphans, which is another matter.
  options=()
  [ "$name" = tini ] && options=(-s)
  code=0
  "usr/bin/$name" "${options[@]}" -- no-such-command >/dev/null 2>&1 || code=$?
  printf '%-10s %-12s exit code %s\n' "$name" "${package#*=}" "$code"
  seen+="$name $code;"
done
[ "$seen" = 'tini 127;dumb-init 2;catatonit 1;' ]
