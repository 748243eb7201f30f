"""Lives of two to five mains that share a folder, some of them killed with their wrapper; and one group for the whole time,
whose members fail, are killed and are started again, with a guard beside them."""

import collections
import concurrent.futures
import itertools
import os
import random
import shutil
import threading
import time
from dataclasses import dataclass

from fake import Ports, Sidecar
from lives import Failed, Failures, Life, died, wait_until
from pods import DEADLY, MINUTE
from setup import say
from watch import Watch

PART, AT_ONCE = 2, 2
# In the long group.
MEMBERS = 3
# Bytes of a record: its fields are few, and the next life of a container covers it.
RECORD = 256
# Long enough for a member that a busy machine is slow to start.
GROUP_WAIT = "15s"


@dataclass
class Ending:
    """Of one life of a member: by itself so many seconds after its begin, or killed with its wrapper."""

    end: str
    number: int
    lasts: float
    # Killed before it may have registered.
    early: bool = False

    @property
    def killed(self):
        return self.end == "killed"


def ending(rng, kills, good=False):
    if good:
        return Ending("exit", 0, rng.uniform(0, 0.1))
    if rng.random() < kills:
        return Ending("killed", 0, rng.uniform(0, 0.1), early=rng.random() < 0.02)
    if rng.random() < 0.3:
        return Ending("signal", int(rng.choice(DEADLY)), rng.uniform(0, 0.1))
    return Ending("exit", rng.choice([1, 2, 3, 255]), rng.uniform(0, 0.1))


class Group:
    """A folder, its sidecar, and who is in it."""

    def __init__(self, setting, ports, place, size, policy, rng):
        self.setting, self.size, self.policy, self.rng = setting, size, policy, rng
        self.place, self.folder = place, os.path.join(place, "group")
        os.makedirs(self.folder)
        os.makedirs(self.work)
        self.killed, self.kills, self.early, self.failed = set(), 0, [], False
        self.sidecar = Sidecar(ports, ready=rng.uniform(0, 0.1), closes=rng.uniform(0, 0.05), on_quit=self.asked)
        self.common = ["--group", self.folder, "--group-size", str(size)]
        if policy == "always":
            self.common += ["--group-wait", GROUP_WAIT]

    @property
    def work(self):
        return os.path.join(self.place, "work")

    def asked(self):
        """Who is asked to quit while a main still runs was asked too early."""
        if there := [name for name in range(self.size) if not self.over(name)]:
            self.early.append(there)

    def over(self, name):
        return os.path.exists(self.ended(name)) or name in self.killed

    def ended(self, name):
        """The file in which a main tells that its last life is over."""
        return os.path.join(self.work, f"ended-{name}")

    def guard(self, program):
        words = [program, "guard", *self.common, "--sidecar", self.sidecar.spec()]
        return Life(words, self.setting.namespace, self.work)

    def member(self, name, how, last):
        """One life of it."""
        words = [self.setting.lastout, *self.common, "--group-name", f"main-{name}", "--stop-on", self.policy]
        # One that is to be killed does not end before that.
        end, number = ("waits", 0) if how.killed else (how.end, how.number)
        command = [self.setting.life, "short", str(round(how.lasts * 1000)), end, str(number)]
        words += ["--sidecar", self.sidecar.spec(), "--", *command]
        life = Life(words, self.setting.namespace, self.work, {"ENDS": self.ended(name)} if last else None)
        try:
            if how.killed:
                if how.early or life.begun():
                    time.sleep(how.lasts / 2)
                    if last:
                        self.killed.add(name)
                    self.kills += 1
                    life.kill()
            code, said = life.end(f"main-{name}")
        finally:
            life.clear()
        if how.killed:
            # Its code is a runtime's, or that of unshare; nobody but the command was there to give one.
            return
        promised = how.number if how.end == "exit" else died(how.number, life.pid1)
        if code != promised:
            raise Failed(f"main-{name}: exit code {code} instead of {promised} ({how}): {said[-300:]}")

    def files(self):
        """-> how many there are, and how large the largest is. Whatever is there beside those of a group is a failure."""
        names = set(os.listdir(self.folder))
        known = {"lastout-group", *(f"lastout-member-main-{name}" for name in range(self.size))}
        if names - known:
            raise Failed(f"files of others in the group's folder: {sorted(names - known)}")
        largest = max((os.stat(os.path.join(self.folder, name)).st_size for name in names), default=0)
        if largest > RECORD:
            raise Failed(f"a record has {largest} bytes")
        return len(names), largest

    def judge(self, guarded):
        if self.sidecar.failure:
            raise self.sidecar.failure
        if self.early:
            raise Failed(f"the sidecar was asked to quit while mains {self.early} still ran")
        asked = self.sidecar.asked
        # The last one out may be killed before it asks; then nobody does but a guard. Under "success" none of those is killed.
        least = 1 if guarded or self.policy == "success" or not self.kills else 0
        if not least <= asked <= 1 + self.kills:
            raise Failed(f"the sidecar was asked to quit {asked} times, where {self.kills} were killed")

    def clear(self):
        self.sidecar.end()
        shutil.rmtree(self.place)


class Groups:
    def __init__(self, setting):
        self.setting, self.ports = setting, Ports(PART)
        self.numbers, self.lock = itertools.count(), threading.Lock()
        self.kinds, self.failures, self.minutes = collections.Counter(), Failures(), []
        self.mains = self.kills = self.restarts = self.largest = self.most = 0
        self.began = self.told = time.monotonic()
        self.watch, self.long = None, {}

    def place(self, name):
        return os.path.join(self.setting.tmpfs, name)

    def looked(self, group):
        files, largest = group.files()
        with self.lock:
            self.most, self.largest = max(self.most, files), max(self.largest, largest)

    # --- many short ones ----------------------------------------------------------------------------------

    def work(self, worker):
        while time.monotonic() < self.setting.until and len(self.failures) < self.setting.enough:
            number = next(self.numbers)
            rng = random.Random(f"{self.setting.seed} {number}")
            size, guarded, policy = rng.randint(2, 5), rng.random() < 0.6, rng.choice(["always", "success"])
            group = Group(self.setting, self.ports, self.place(f"{worker}-{number}"), size, policy, rng)
            try:
                self.live(group, guarded, rng)
            except (Failed, OSError, ValueError) as error:
                self.failures.append(f"groups: life {number} ({size} mains, {policy}, {'with' if guarded else 'no'} guard): {error}")
            finally:
                group.clear()
            with self.lock:
                self.kinds[policy, "guard" if guarded else "no guard"] += 1
                self.mains, self.kills = self.mains + size, self.kills + group.kills
                self.tell()

    def tell(self):
        if time.monotonic() - self.told > MINUTE:
            self.told = time.monotonic()
            self.minutes.append((self.told - self.began, self.kinds.total()))
            say(f"groups: {self.kinds.total()} lives, {self.restarts} restarts in one folder, {len(self.failures)} failures")

    def live(self, group, guarded, rng):
        guard = group.guard(self.setting.lastout) if guarded else None
        plans = []
        for _ in range(group.size):
            failing = [ending(rng, kills=0.4) for _ in range(rng.randint(0, 2))] if group.policy == "success" else []
            last = ending(rng, kills=0.25, good=group.policy == "success" or rng.random() < 0.4)
            plans.append((rng.uniform(0, 0.1), [*failing, last]))

        def be(name):
            pause, lives = plans[name]
            time.sleep(pause)
            for how in lives:
                group.member(name, how, how is lives[-1])

        try:
            with concurrent.futures.ThreadPoolExecutor(group.size) as pool:
                list(pool.map(be, range(group.size)))
            if guard and (found := guard.end("guard"))[0] != 0:
                raise Failed(f"the guard's exit code is {found[0]}: {found[1][-300:]}")
        finally:
            if guard:
                guard.clear()
        self.looked(group)
        group.judge(guarded)

    # --- one for the whole time ---------------------------------------------------------------------------

    def live_long(self):
        rng = random.Random(self.setting.seed)
        group = Group(self.setting, self.ports, self.place("long"), MEMBERS, "success", rng)
        guard = group.guard(self.setting.copy("lastout-guard"))
        try:
            self.watch = Watch(guard.pid(), self.setting.every)
            with concurrent.futures.ThreadPoolExecutor(MEMBERS) as pool:
                list(pool.map(lambda name: self.again_and_again(group, name), range(MEMBERS)))
            # Before the last lives have ended it was there; now it ends, and cannot be looked at any more.
            code, said = guard.end("the long group's guard")
            if code != 0:
                raise Failed(f"the guard's exit code is {code}: {said[-300:]}")
            self.looked(group)
            group.judge(guarded=True)
        except (Failed, OSError, ValueError) as error:
            self.failures.append(f"groups: the long one: {error}")
        finally:
            self.kills += group.kills
            guard.clear()
            group.clear()

    def again_and_again(self, group, name):
        rng = random.Random(f"{self.setting.seed} {name}")
        while time.monotonic() < self.setting.until and not group.failed:
            how = ending(rng, kills=0.4)
            how.lasts *= 10
            try:
                group.member(name, how, last=False)
            except Failed:
                group.failed = True
                raise
            self.looked(group)
            if self.watch.failure:
                raise Failed(f"the guard: {self.watch.failure}")
            with self.lock:
                self.restarts += 1
        with self.lock:
            # Whoever comes first to the last lives: its guard is there until all of them are over.
            if self.watch.is_alive():
                self.watch.end()
        group.member(name, ending(rng, 0, good=True), last=True)


def run(setting):
    """-> what it has come to"""
    groups = Groups(setting)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE + 1) as pool:
        jobs = [pool.submit(groups.live_long), *(pool.submit(groups.work, worker) for worker in range(AT_ONCE))]
        for job in jobs:
            job.result()
    failures = list(groups.failures)
    if groups.watch:
        failures += groups.watch.complaints("guard")
    return {
        "lives": groups.kinds.total(), "kinds": [[*kind, count] for kind, count in sorted(groups.kinds.items())],
        "mains": groups.mains, "killed": groups.kills, "restarts": groups.restarts, "minutes": groups.minutes,
        "most_files": groups.most, "largest_record": groups.largest, "figures": groups.watch.figures() if groups.watch else None,
        "samples": groups.watch.samples if groups.watch else [], "failures": failures,
    }  # fmt: skip
