"""Lives of two to five mains that share a folder, some of them killed with their wrapper; and one group for the whole time,
whose members fail, are killed and are started again, with a guard beside them."""

import concurrent.futures
import contextlib
import itertools
import os
import random
import threading
import time

from fake import Ports
from group import Group, ending
from lives import Failed, Failures, Minute, told
from setup import say
from watch import Watch

AT_ONCE = 2
# In the long group.
MEMBERS = 3


class Groups:
    def __init__(self, setting):
        self.setting, self.ports = setting, Ports("groups")
        self.numbers, self.lock = itertools.count(), threading.Lock()
        self.failures, self.minute = Failures(), Minute()
        self.lives = self.mains = self.kills = self.restarts = self.largest = self.most = 0
        self.watch = None

    @contextlib.contextmanager
    def group(self, name, size, policy, rng):
        """A group in a folder of this name; at its end its kills count."""
        with Group(self.setting, self.ports, os.path.join(self.setting.tmpfs, name), size, policy, rng) as group:
            try:
                yield group
            finally:
                with self.lock:
                    self.kills += group.kills

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
            try:
                with self.group(f"{worker}-{number}", size, policy, rng) as group:
                    self.live(group, guarded, rng)
            except Exception as error:
                self.failures.append(f"groups: life {number} ({size} mains, {policy}, {'with' if guarded else 'no'} guard): {told(error)}")
            with self.lock:
                self.lives, self.mains = self.lives + 1, self.mains + size
                self.tell()

    def tell(self):
        if self.minute.over():
            say(f"groups: {self.lives} lives, {self.restarts} restarts in one folder, {len(self.failures)} failures")

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
        try:
            with self.group("long", MEMBERS, "success", random.Random(self.setting.seed)) as group:
                self.live_again_and_again(group)
        except Exception as error:
            self.failures.append(f"groups: the long one: {told(error)}")

    def live_again_and_again(self, group):
        guard = group.guard(self.setting.guard)
        try:
            self.watch = Watch(guard.pid(), self.setting.every)
            with concurrent.futures.ThreadPoolExecutor(MEMBERS) as pool:
                list(pool.map(lambda name: self.again_and_again(group, name), range(MEMBERS)))
            code, said = guard.end("the long group's guard")
            if code != 0:
                raise Failed(f"the guard's exit code is {code}: {said[-300:]}")
            self.looked(group)
            group.judge(guarded=True)
        finally:
            guard.clear()

    def again_and_again(self, group, name):
        rng = random.Random(f"{self.setting.seed} {name}")
        while time.monotonic() < self.setting.until and not group.failed:
            how = ending(rng, kills=0.4)
            how.lasts *= 10
            try:
                group.member(name, how, last=False)
                self.looked(group)
                if self.watch.failure:
                    raise Failed(f"the guard: {self.watch.failure}")
            except Exception:
                group.failed = True
                raise
            with self.lock:
                self.restarts += 1
        with self.lock:
            # Before the first of the last lives: the guard ends with them, and cannot be looked at any more.
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
    failures, samples = list(groups.failures), groups.watch.samples if groups.watch else []
    if groups.watch:
        failures += groups.watch.complaints("guard")
    return {
        "lives": groups.lives, "mains": groups.mains, "killed": groups.kills, "restarts": groups.restarts,
        "most_files": groups.most, "largest_record": groups.largest,
        "figures": groups.watch.figures() if samples else None, "samples": samples, "failures": failures,
    }  # fmt: skip
