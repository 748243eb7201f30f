#!/usr/bin/env bash
# Finding: under qemu-user a failed posix_spawn() of glibc is reported as a success.
#
# Good expectation: posix_spawn(3) of a path that is not there fails with ENOENT, as it does without an emulator (glibc,
# sysdeps/unix/sysv/linux/spawni.c: the child shares the parent's memory by CLONE_VM | CLONE_VFORK and writes the errno
# there). What is seen: qemu-user carries such a clone out as a plain fork (linux-user/syscall.c, do_fork), so that the
# errno stays in the child's copy; the call returns 0 with a pid, and that child ends with 127. Whoever runs an image of
# another architecture by binfmt_misc meets this.
#
# Downloads qemu-user-static as pinned below from the Debian archive that apt is set up for, into a temporary folder; the
# caller is this machine's own python3. Exit 0: as described; 1: it has changed; 2: it cannot be tried here.
set -euo pipefail

package=qemu-user-static version='1:7.2+dfsg-7+deb12u18+b3'

cannot() { printf 'cannot be tried here: %s\n' "$*" >&2; exit 2; }

[ "$(uname -m)" = x86_64 ] || cannot "written for x86_64"
for tool in apt-get dpkg-deb /usr/bin/python3; do command -v "$tool" >/dev/null || cannot "no $tool"; done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download "$package=$version" >/dev/null 2>&1 || cannot "apt-get has no $package $version (apt-get update?)"
dpkg-deb -x ./*.deb .

cat >spawn.py <<'PYTHON'
import os
try:
    pid = os.posix_spawn("/no/such/program", ["program"], {})
except OSError as error:
    print("it failed:", error.strerror)
else:
    print("it returned a pid, which ended with", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PYTHON

qemu=usr/bin/qemu-x86_64-static
"$qemu" --version | head -n 1
/usr/bin/python3 -c 'import platform; print("Python", platform.python_version(), *platform.libc_ver())'
native=$(/usr/bin/python3 spawn.py)
emulated=$("$qemu" /usr/bin/python3 spawn.py)
printf 'posix_spawn of a path that is not there\n  on this machine: %s\n  under qemu-user: %s\n' "$native" "$emulated"
[ "$native" = 'it failed: No such file or directory' ] && [ "$emulated" = 'it returned a pid, which ended with 127' ]
