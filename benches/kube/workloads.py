"""What is run, how often, and what each run must have found."""

import json
import os
import random
import subprocess

import manifests
import tools
import webhook
from setup import Missing

OURS, CONFTEST, ROUNDTRIP = "kubectl-lastout", "conftest", "Go round trip"
# What is asked of one run, and how it is called.
MEASURES = ("wall", "cpu", "memory")
CHECKED, INJECTED = 5000, 1000
# Every document a Job with a plain sidecar: the most that `inject` can have to do.
WORST = {"kinds": (("Job", 1),), "hang": 1, "native": 0}


def at_level(level):
    return f"{OURS}, opt-level {level}"


class Bench:
    def __init__(self, programs, folder, share):
        self.programs, self.folder, self.share = programs, folder, share
        self.rng = random.Random(1)

    def rounds(self, count):
        return max(5, round(count * self.share))

    def ours(self, *words):
        """-> our command line, of each build."""
        builds = {OURS: self.programs.ours}
        builds |= {at_level(level): path for level, path in self.programs.levels.items()}
        return {name: [path, *words] for name, path in builds.items()}

    def run(self, command, out=os.devnull, codes=(0,)):
        """-> {measure: value} of one run: ms, ms, MiB."""
        told = subprocess.run([self.programs.usage, out, *command], capture_output=True, text=True, check=True)
        wall, cpu, memory, code = map(int, told.stdout.split())
        if code not in codes:
            raise Missing(f"{' '.join(command[:2])} ended with {code}")
        return {"wall": wall / 1000, "cpu": cpu / 1000, "memory": memory / 1024}

    def interleave(self, key, commands, rounds, codes=(0,)):
        """-> {key_measure: {name: samples}}: each once in a round, every round in another order, after one to warm up."""
        found = {f"{key}_{measure}": {name: [] for name in commands} for measure in MEASURES}
        for number in range(rounds + 1):
            for name in self.rng.sample(list(commands), len(commands)):
                used = self.run(commands[name], os.path.join(self.folder, "out"), codes)
                for measure in MEASURES if number else ():
                    found[f"{key}_{measure}"][name].append(used[measure])
        return found

    def write(self, name, count, **options):
        folder = os.path.join(self.folder, name)
        hanging, size, files = manifests.write(folder, count, **options)
        return folder, hanging, {f"{name}_mib": round(size / 2**20, 1), f"{name}_files": files}


def check(bench):
    """All findings as JSON, of both; both must find what the generator has put there."""
    folder, hanging, facts = bench.write("checked", CHECKED)
    commands = bench.ours("check", "-o", "json", folder)
    commands[CONFTEST] = [bench.programs.conftest, "test", "--policy", tools.RULE, "-o", "json", folder]
    out = os.path.join(bench.folder, "out")
    for name, command in commands.items():
        bench.run(command, out, codes=(1,))
        with open(out, encoding="utf-8") as file:
            found = offenders(name, json.load(file))
        if found != hanging:
            raise Missing(f"{name} found {found} plain sidecars of {hanging}: no comparison")
    return bench.interleave("check", commands, bench.rounds(15), codes=(1,)), facts | {"hanging": hanging}


def offenders(name, report):
    if name == CONFTEST:
        return sum(len(file.get("failures") or []) for file in report)
    return sum(finding["rule"] == "hangs" for finding in report["findings"])


def inject(bench):
    found, facts = {}, {}
    for key, options in (("inject", {}), ("worst", WORST)):
        folder, hanging, said = bench.write(key, INJECTED, **options)
        commands = bench.ours("inject", folder)
        commands[ROUNDTRIP] = [bench.programs.roundtrip, folder]
        found |= bench.interleave(key, commands, bench.rounds(25))
        facts |= said | {f"{key}_hanging": hanging}
    return found, facts


def cold(bench):
    """One Job with a plain sidecar, as a file."""
    folder, _, _ = bench.write("cold", 1, **WORST)
    return bench.interleave("cold", bench.ours("check", folder), bench.rounds(200), codes=(1,)), {}


def size(bench):
    return {"size": {name: [os.path.getsize(words[0])] for name, words in bench.ours().items()}}, {}


FIGURES = {"size": size, "check": check, "inject": inject, "cold": cold} | webhook.FIGURES
