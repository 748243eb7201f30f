"""One group: its folder, its sidecar, and the lives of its members; what has to hold of all three."""

import os
import shutil
import threading
import time
from dataclasses import dataclass

from fake import Sidecar
from lives import Failed, Life, died, told
from pods import DEADLY

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
        self.setting, self.size, self.policy = setting, size, policy
        self.place, self.folder = place, os.path.join(place, "group")
        os.makedirs(self.folder)
        os.makedirs(self.work)
        self.killed, self.kills, self.early, self.failed = set(), 0, [], False
        self.lock = threading.Lock()
        self.sidecar = Sidecar(ports, ready=rng.uniform(0, 0.1), closes=rng.uniform(0, 0.05), on_quit=self.asked)
        self.common = ["--group", self.folder, "--group-size", str(size)]
        if policy == "always":
            self.common += ["--group-wait", GROUP_WAIT]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sidecar.end()
        shutil.rmtree(self.place)

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
                if not (how.early or life.begun()):
                    code, said = life.end(f"main-{name}")
                    raise Failed(f"main-{name}: the command never began; exit code {code} ({how}): {said[-300:]}")
                time.sleep(how.lasts / 2)
                with self.lock:
                    self.kills += 1
                    if last:
                        self.killed.add(name)
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
            raise Failed(f"the sidecar: {told(self.sidecar.failure)}")
        if self.early:
            raise Failed(f"the sidecar was asked to quit while mains {self.early} still ran")
        asked = self.sidecar.asked
        # The last one out may be killed before it asks; then nobody does but a guard. Under "success" none of those is killed.
        least = 1 if guarded or self.policy == "success" or not self.kills else 0
        if not least <= asked <= 1 + self.kills:
            raise Failed(f"the sidecar was asked to quit {asked} times, where {self.kills} were killed")
