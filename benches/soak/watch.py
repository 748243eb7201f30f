"""Looks at a process that lives long, every few seconds, and says whether it has grown."""

import os
import threading
import time

import stats

# The median of the last third may be above that of the first by this much (KiB; number). The kernel maps pages of the binary by
# 64 KiB around the one that is asked for, so that code which runs for the first time late is up to that much; there are two
# such pieces. Memory that a program takes comes in pages of 4 KiB. A thread or a descriptor that comes and goes moves a median
# by one; those that leak are soon more. benches/benchmarks.in.md says these figures in words.
SLACK = {"rss": 128, "anonymous": 8, "descriptors": 1, "threads": 1}
FIELDS = ("at", "rss", "pss", "anonymous", "descriptors", "threads", "zombies")


class Watch(threading.Thread):
    def __init__(self, pid, every):
        super().__init__(daemon=True)
        self.pid, self.every, self.over = pid, every, threading.Event()
        self.samples, self.failure, self.stuck, self.seen = [], None, 0, set()
        self.began = time.monotonic()
        self.start()

    def run(self):
        try:
            while True:
                self.samples.append(self.look())
                if self.over.wait(self.every):
                    return
        except Exception as error:  # Told by whoever judges it: a thread has nobody else to tell.
            self.failure = f"it cannot be looked at any more: {error!r}"

    def look(self):
        memory = dict(self.memory())
        zombies = set(self.zombies())
        self.stuck += len(zombies & self.seen)
        self.seen = zombies
        values = [time.monotonic() - self.began, memory["Rss"], memory["Pss"], memory["Anonymous"]]
        values += [len(os.listdir(f"/proc/{self.pid}/fd")), len(os.listdir(f"/proc/{self.pid}/task")), len(zombies)]
        return dict(zip(FIELDS, values, strict=True))

    def memory(self):
        with open(f"/proc/{self.pid}/smaps_rollup", encoding="ascii") as file:
            for line in list(file)[1:]:
                name, kib, *_ = line.split()
                yield name.rstrip(":"), int(kib)

    def cpu(self):
        with open(f"/proc/{self.pid}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[0]) / 1e9

    def zombies(self):
        """-> of its children; with the time of their start, as pids come again."""
        with open(f"/proc/{self.pid}/task/{self.pid}/children", encoding="ascii") as file:
            pids = file.read().split()
        for pid in pids:
            try:
                with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                    fields = file.read().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if fields[0] == "Z":
                yield pid, fields[19]

    def end(self):
        self.over.set()
        self.join()

    def figures(self):
        """-> for each figure the medians of the first and the last third, the most, and per hour how much it has grown"""
        begin, end = stats.thirds([sample["at"] for sample in self.samples])
        hours, found = max((end - begin) / 3600, 1e-9), {}
        for name in ("rss", "pss", "anonymous", "descriptors", "threads", "zombies"):
            values = [sample[name] for sample in self.samples]
            first, last = stats.thirds(values)
            found[name] = {"first": first, "last": last, "most": max(values), "per_hour": round((last - first) / hours, 3)}
        return found

    def complaints(self, name):
        if self.failure:
            yield f"{name}: {self.failure}"
        if len(self.samples) < 6:
            yield f"{name}: too few looks, {len(self.samples)}: it needs a minute"
            return
        figures = self.figures()
        for key, slack in SLACK.items():
            one = figures[key]
            if one["last"] > one["first"] + slack:
                yield f"{name}: {key} grew from {one['first']:g} to {one['last']:g}"
        if self.stuck:
            yield f"{name}: {self.stuck} times a zombie was there at two looks in succession"
