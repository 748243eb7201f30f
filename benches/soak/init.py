"""One wrapper for the whole time: its command makes orphans without end, and it is sent signals without end."""

import collections
import itertools
import mmap
import os
import random
import signal
import time

import lives
from fake import Ports, Sidecar
from lives import Failed, Failures, Life, Minute, told, wait_until
from setup import say
from watch import Watch

NUMBERS, BYTES = 128, 8
STANDARD = [signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGWINCH, signal.SIGIO, signal.SIGPWR]
# Real-time signals are queued, each one: however many are sent, as many come. C libraries keep the first few for themselves.
QUEUED = range(40, 48)
PAUSE, BURST_EVERY, BURST = 0.01, 100, 200
# The command's last exit code, in life.c.
LAST = 42
# A signal or an orphan may cost so many times more at the end than at the beginning. The time of a processor that is busy
# with other things is not exact.
DEARER = 2


class Counters:
    """What the command has counted, in a file that it has mapped."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "counters")
        with open(self.path, "w+b") as file:
            file.truncate(NUMBERS * BYTES)
            self.map = mmap.mmap(file.fileno(), NUMBERS * BYTES)

    def __getitem__(self, number):
        return int.from_bytes(self.map[number * BYTES : (number + 1) * BYTES], "little")

    @property
    def orphans(self):
        return self[0]

    def signals(self):
        """-> how often each has come, of those that have"""
        return {number: count for number in range(1, NUMBERS) if (count := self[number])}


class Signals:
    """Sends them: mostly one by one, where the next waits for the last to be counted, so that each has to come exactly once; and
    now and then many at once, of which the kernel merges those of a kind (but for the queued ones). A second copy of a standard
    signal is seen unless the kernel has merged it: with the first while that is pending, or in a burst; of a queued one, always."""

    def __init__(self, pid, counters, rng):
        self.pid, self.counters, self.rng = pid, counters, rng
        # How often each has to have come. Of a burst it is what has come.
        self.wanted = collections.Counter()
        self.sent, self.single, self.merged, self.slowest = 0, 0, 0, 0.0

    def one(self):
        self.compare()
        began = time.monotonic()
        self.send(self.rng.choice([*STANDARD, *QUEUED]))
        self.slowest = max(self.slowest, time.monotonic() - began)

    def send(self, number):
        """One, and waits for it."""
        os.kill(self.pid, number)
        self.sent, self.single = self.sent + 1, self.single + 1
        self.wanted[number] += 1
        self.wait(number)

    def burst(self):
        self.compare()
        numbers = [self.rng.choice([*STANDARD, *QUEUED]) for _ in range(BURST)]
        for number in numbers:
            os.kill(self.pid, number)
        self.sent, sent = self.sent + BURST, collections.Counter(numbers)
        for number in sorted(sent):
            self.wanted[number] += sent[number] if number in QUEUED else 1
            self.wait(number)
        # Linux gives the lowest pending number first, standard signals before queued ones (signal(7)), to the wrapper as to the
        # command: when this one has been counted, nothing of the burst is pending any more. A standard signal would not do: one
        # of the burst may be pending yet, and merge with it.
        self.send(QUEUED[-1])
        for number in set(STANDARD) & set(sent):
            more = self.counters[number] - self.wanted[number]
            if more >= sent[number]:
                raise Failed(f"{signal.Signals(number).name} was sent {sent[number]} times in a burst and came {more + 1} times")
            self.wanted[number] += more
            self.merged += sent[number] - 1 - more
        self.compare()

    def wait(self, number):
        wait_until(lambda: self.counters[number] >= self.wanted[number], f"signal {number}: count {self.wanted[number]} of it")

    def compare(self):
        """All of them, also those that have not been sent lately: the second copy of one may be late."""
        counted = self.counters.signals()
        for number in sorted({*counted, *self.wanted}):
            if (there := counted.get(number, 0)) != self.wanted[number]:
                raise Failed(f"signal {number} was counted {there} times instead of {self.wanted[number]}")


def run(setting):
    """-> what it has come to"""
    counters, failures, found = Counters(setting.folder), Failures(), {}
    sidecar = Sidecar(Ports("init"), ready=0.5, closes=0.2)
    words = [setting.init, "--sidecar", sidecar.spec(), "--", setting.life, "long", counters.path]
    life = Life(words, setting.namespace, setting.folder)
    try:
        if not life.begun():
            raise Failed(f"the command never began; exit code {life.end('init')[0]}")
        pid = life.pid()
        watch, signals = Watch(pid, setting.every), Signals(pid, counters, random.Random(setting.seed))
        costs = ask_much(setting, watch, signals, failures)
        found = {
            "orphans": counters.orphans, "signals": signals.sent, "merged": signals.merged, "single": signals.single,
            "slowest_signal_ms": round(signals.slowest * 1000, 1), "pid1": life.pid1, **judged(watch, costs, failures),
        }  # fmt: skip
        found["exit_code"] = end(life, pid, sidecar)
        signals.compare()
    except Exception as error:
        failures.append(f"init: {told(error)}")
    finally:
        sidecar.end()
        life.clear()
    return {**found, "failures": list(failures)}


def ask_much(setting, watch, signals, failures):
    """-> what it has cost: the processor's time so far, and how many signals and orphans there were by then"""
    costs = []
    try:
        keep_on(setting, watch, signals, costs)
        if left := still_zombies(watch):
            raise Failed(f"{left} zombies stay")
    except Exception as error:
        failures.append(f"init: {told(error)}")
    finally:
        watch.end()
    return costs


def judged(watch, costs, failures):
    """-> the figures of the wrapper, if there are any"""
    for complaint in watch.complaints("init"):
        failures.append(complaint)
    if not watch.samples:
        return {}
    first, last = cost(costs[: max(2, len(costs) // 3)]), cost(costs[-max(2, len(costs) // 3) :])
    if first and last > first * DEARER:
        failures.append(f"init: a signal or an orphan costs {last:.1f} µs instead of {first:.1f}")
    costs = [round(first, 2), round(last, 2)]
    return {"cost_us": costs, "zombies_twice": watch.stuck, "figures": watch.figures(), "samples": watch.samples}


def end(life, pid, sidecar):
    """-> the exit code"""
    os.kill(pid, signal.SIGTERM)
    code, _ = life.end("TERM at the end")
    if code != LAST:
        raise Failed(f"exit code {code} instead of {LAST}")
    if sidecar.failure:
        raise Failed(f"the sidecar: {told(sidecar.failure)}")
    if sidecar.asked != 1 or sidecar.is_alive():
        raise Failed(f"the sidecar was asked {sidecar.asked} times, and is {'there' if sidecar.is_alive() else 'gone'}")
    return code


def keep_on(setting, watch, signals, costs):
    minute = Minute()
    for loop in itertools.count(1):
        if time.monotonic() >= setting.until:
            return
        if loop % BURST_EVERY:
            signals.one()
        else:
            signals.burst()
            costs.append((watch.cpu(), signals.sent + signals.counters.orphans))
        time.sleep(PAUSE)
        if watch.failure:
            raise Failed(watch.failure)
        if watch.samples and minute.over():
            sample = watch.samples[-1]
            say(
                f"init: {signals.counters.orphans} orphans, {signals.sent} signals; "
                f"{sample['rss']} KiB, {sample['descriptors']} descriptors"
            )


def cost(points):
    """-> µs of processor time for each signal and orphan between the first and the last of these points"""
    if len(points) < 2 or points[-1][1] == points[0][1]:
        return 0
    return (points[-1][0] - points[0][0]) * 1e6 / (points[-1][1] - points[0][1])


def still_zombies(watch):
    """The same zombies are not there any more a moment later: new ones come all the time."""
    old = set(watch.zombies())
    try:
        wait_until(lambda: not old & set(watch.zombies()), "old zombies", lives.LIMIT)
    except Failed:
        return len(old & set(watch.zombies()))
    return 0
