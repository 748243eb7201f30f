"""Whole lives of a container beside its sidecar, one after the other, and some at once; each ends in another way."""

import collections
import concurrent.futures
import itertools
import json
import os
import random
import shutil
import signal
import threading
import time
from dataclasses import dataclass

import lives
from fake import NEVER, Ports, Sidecar
from lives import Failed, Failures, Life, Minute, told, wait_until
from setup import say

AT_ONCE = 3
# How the wait and the stop are bounded where they are to run into their bounds, in ms.
SHORT_WAIT, SHORT_STOP = 200, 300
DEADLY = [signal.SIGHUP, signal.SIGINT, signal.SIGABRT, signal.SIGKILL, signal.SIGUSR1, signal.SIGSEGV, signal.SIGTERM]
# What the sidecar does, how often of so many.
SIDECARS = {"none": 3, "good": 10, "late": 4, "dead": 3, "hanging": 2, "never": 2}
ENDS = {"exit": 8, "signal": 4, "caught": 3, "waits": 2, "not found": 1, "cannot execute": 1}


@dataclass
class Plan:
    sidecar: str
    end: str
    number: int
    # The command's duration and the sidecar's, in s.
    lasts: float
    ready: float
    closes: float
    pid1: bool
    leaves: bool
    term_while_waiting: bool

    def kind(self):
        return ("TERM while waiting" if self.term_while_waiting else self.end), self.sidecar

    def code(self):
        """What is promised."""
        if self.term_while_waiting:
            return 128 + signal.SIGTERM
        if self.sidecar == "never":
            return 124
        if self.end in ("not found", "cannot execute"):
            return 127 if self.end == "not found" else 126
        if self.end in ("exit", "caught"):
            return self.number
        return lives.died(self.number, self.pid1)


def plan(rng, namespace):
    pick = lambda table: rng.choices(list(table), table.values())[0]
    sidecar, end = pick(SIDECARS), pick(ENDS)
    number = {"signal": rng.choice(DEADLY), "waits": signal.SIGTERM}.get(end, rng.choice([0, 0, 1, 2, rng.randrange(256)]))
    pid1 = bool(namespace) and rng.random() < 0.7
    # After a stop signal lastout does not wait for what is left behind: then only the end of PID 1 ends it.
    leaves = rng.random() < 0.3 and (pid1 or end not in ("caught", "waits"))
    return Plan(
        sidecar, end, int(number), lasts=rng.uniform(0, 0.06), ready=rng.uniform(0, 0.12), closes=rng.uniform(0, 0.08),
        pid1=pid1, leaves=leaves,
        term_while_waiting=sidecar == "never" and rng.random() < 0.5,
    )  # fmt: skip


class Pods:
    def __init__(self, setting):
        self.setting, self.ports = setting, Ports("pods")
        self.numbers, self.lock = itertools.count(), threading.Lock()
        self.kinds, self.failures, self.slowest = collections.Counter(), Failures(), 0.0
        self.minute = Minute()

    def work(self, worker):
        folder = os.path.join(self.setting.folder, f"pod-{worker}")
        os.mkdir(folder)
        while time.monotonic() < self.setting.until and len(self.failures) < self.setting.enough:
            number = next(self.numbers)
            rng = random.Random(f"{self.setting.seed} {number}")
            it = plan(rng, self.setting.namespace)
            began = time.monotonic()
            try:
                self.live(it, folder)
            except Exception as error:
                self.failures.append(f"pods: life {number} ({it}): {told(error)}")
                shutil.rmtree(folder, ignore_errors=True)
                os.makedirs(folder, exist_ok=True)
            with self.lock:
                self.kinds[it.kind()] += 1
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.tell()

    def tell(self):
        if self.minute.over():
            say(f"pods: {self.kinds.total()} lives, {len(self.failures)} failures")

    def command(self, it):
        if it.end == "not found":
            return ["/there/is/no/such/command"]
        if it.end == "cannot execute":
            return ["/dev/null"]
        return [self.setting.life, "short", str(round(it.lasts * 1000)), it.end, str(it.number), *(["leave"] if it.leaves else [])]

    def sidecar(self, it):
        """-> the sidecar, or None"""
        if it.sidecar == "none":
            return None
        late = it.ready if it.sidecar == "late" else 0
        ready = NEVER if it.sidecar == "never" else late + it.ready
        return Sidecar(
            self.ports, listens=late, ready=ready, closes=it.closes, silent=it.sidecar == "hanging",
            dies=it.lasts / 2 if it.sidecar == "dead" else NEVER,
        )  # fmt: skip

    def live(self, it, folder):
        sidecar, report = self.sidecar(it), os.path.join(folder, "report.json")
        words = [self.setting.lastout, "--report", report]
        if sidecar:
            words += ["--sidecar", sidecar.spec()]
        if it.sidecar == "never":
            words += ["--wait-timeout", "0" if it.term_while_waiting else f"{SHORT_WAIT}ms"]
        if it.sidecar in ("hanging", "never"):
            words += ["--stop-timeout", f"{SHORT_STOP}ms"]
        if it.leaves:
            words += ["--leftovers", "10s"]
        life = Life([*words, "--", *self.command(it)], self.setting.namespace if it.pid1 else None, folder)
        try:
            if it.term_while_waiting:
                wait_until(sidecar.probed.is_set, "the sidecar is asked whether it is ready")
                os.kill(life.pid(), signal.SIGTERM)
            elif it.end in ("caught", "waits") and it.sidecar != "never":
                if not life.begun():
                    raise Failed(f"the command never began; exit code {life.end('life')}")
                os.kill(life.pid(), signal.SIGTERM)
            code, said = life.end("life")
        finally:
            life.clear()
            if sidecar:
                sidecar.end()
        self.judge(it, code, said, sidecar, folder, report)

    def judge(self, it, code, said, sidecar, folder, report):
        if code != it.code():
            raise Failed(f"exit code {code} instead of {it.code()}: {said[-300:]}")
        with open(report, encoding="utf-8") as file:
            reported = json.load(file)["exit_code"]
        if reported != (code if code >= 0 else 128 - code):
            raise Failed(f"exit code {code}, and {reported} in the report")
        os.unlink(report)
        if rest := os.listdir(folder):
            raise Failed(f"files stay: {rest}")
        if not sidecar:
            return
        if sidecar.failure:
            raise Failed(f"the sidecar: {told(sidecar.failure)}")
        if it.sidecar in ("good", "late") and sidecar.asked != 1:
            raise Failed(f"the sidecar was asked to quit {sidecar.asked} times: {said[-300:]}")


def run(setting):
    """-> what it has come to"""
    pods = Pods(setting)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(pods.work, range(AT_ONCE)))
    kinds = [[*kind, count] for kind, count in sorted(pods.kinds.items())]
    return {
        "lives": pods.kinds.total(), "kinds": kinds, "slowest_s": round(pods.slowest, 2),
        "at_once": AT_ONCE, "failures": list(pods.failures),
    }  # fmt: skip
