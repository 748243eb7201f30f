"""What every part of the soak needs: starting a wrapper as PID 1 or as an ordinary process, and seeing that all of it has ended."""

import os
import select
import signal
import subprocess
import time
import traceback

from figures import ENVIRONMENT
from setup import say

# Seconds. Other work runs beside the soak: this is for what hangs, not for what is slow.
LIMIT, MINUTE = 60, 60
# A process namespace of its own, with its /proc, which ends with whoever started it.
UNSHARE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "--"]
AS_ROOT_THERE = ["unshare", "--user", "--map-root-user", *UNSHARE[1:]]


class Failed(Exception):
    """Something that lastout promises did not hold; the text says what."""


def told(error):
    """In a line. Whatever is raised in a part is a failure of it, a fault of the soak's own too: an hour's other results are not
    lost with it."""
    if isinstance(error, Failed):
        return str(error)
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"{error!r} in {os.path.basename(where.filename)}, line {where.lineno}"


class Failures(list):
    """Each is told when it is found, and all of them again at the end."""

    def append(self, text):
        say(text)
        super().append(text)


class Minute:
    """Says once a minute that one is over."""

    def __init__(self):
        self.began = time.monotonic()

    def over(self):
        if time.monotonic() - self.began < MINUTE:
            return False
        self.began = time.monotonic()
        return True


def namespace():
    """-> the words that make a command PID 1, or None where the kernel refuses all of them."""
    for words in (UNSHARE, AS_ROOT_THERE):
        try:
            if subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0:
                return words
        except OSError:
            return None
    return None


def wait_until(true, what, limit=LIMIT):
    """Looks again and again, in steps that grow to 20 ms."""
    deadline, step = time.monotonic() + limit, 0.0005
    while not true():
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not within {limit} s")
        time.sleep(step)
        step = min(step * 2, 0.02)


class Life:
    """One run of the wrapper. Its pipes end when all of its processes have."""

    def __init__(self, words, namespace, folder, variables=None):
        """namespace: the words that make it PID 1; none, and it is an ordinary process."""
        self.process = subprocess.Popen(
            [*(namespace or []), *words],
            env={**ENVIRONMENT, "TMPDIR": folder, **(variables or {})},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
        self.pid1, self.program = bool(namespace), os.path.basename(words[0])

    def pid(self):
        """-> of the wrapper, when it has been executed."""
        if not self.pid1:
            return self.process.pid
        path, found = f"/proc/{self.process.pid}/task/{self.process.pid}/children", []

        def executed():
            if self.process.poll() is not None:
                raise Failed(f"the wrapper has ended with {self.process.returncode}, before it could be seen")
            with open(path, encoding="ascii") as file:
                found[:] = file.read().split()
            return found and name_of(found[0]) == self.program[:15]

        wait_until(executed, "the wrapper as PID 1")
        return int(found[0])

    def begun(self):
        """Waits for the byte that the command writes first; -> False when there will be none."""
        pipe = self.process.stdout.fileno()
        if not select.select([pipe], [], [], LIMIT)[0]:
            raise Failed(f"the command has not begun within {LIMIT} s")
        return bool(os.read(pipe, 1))

    def kill(self):
        """As a runtime ends a container: a KILL to its PID 1, which takes all of it along. Not to unshare: it may have forked
        and not yet told the kernel that the child is to end with it."""
        os.kill(self.pid(), signal.SIGKILL)

    def end(self, what):
        """Waits until all of it has ended; -> exit code (negative: the signal), what it said on stderr"""
        try:
            _, said = self.process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            code = self.process.poll()
            state = "still runs" if code is None else f"has ended with {code} and left processes behind"
            self.end_group()
            raise Failed(f"{what}: after {LIMIT} s it {state}") from None
        said = said.decode(errors="replace")
        if "panicked" in said:
            raise Failed(f"{what}: it panicked: {said[-300:]}")
        return self.process.returncode, said

    def clear(self):
        """Whatever has become of it, nothing of it stays."""
        if self.process.poll() is None:
            self.end_group()
            self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()

    def end_group(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
            return file.read().rstrip("\n")
    except OSError:
        return ""


def died(number, pid1):
    """How a wrapper ends whose command was killed by this signal."""
    return 128 + number if pid1 else -number
