"""Our webhook beside one on controller-runtime: same bodies, same load, same cores, in turn."""

import json
import os
from contextlib import ExitStack

import load
import patching
import reviews
import servers
from servers import GO, OURS, Server
from setup import Missing

# Containers of a pod: one main that needs nothing, a main and its sidecar, as most Jobs' pods are, and larger ones.
USUAL, SIZES = 2, (1, 2, 10, 30)
BODIES = 64
RATE = 1000
# How far answers under load may be from those that were compared, on average: bodies are taken by chance.
ODDS = 0.05
# Seconds.
WARM, FULL, STEADY, SHORT = 1, 3, 5, 2


class Webhooks:
    def __init__(self, bench):
        self.bench, self.programs = bench, bench.programs
        self.commands = servers.commands(bench.programs)
        self.pair = servers.certificate(bench.folder)
        self.files = {size: self.write(size) for size in SIZES}
        self.sizes = self.compare()

    def write(self, size):
        path = os.path.join(self.bench.folder, f"reviews-{size}.ndjson")
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(reviews.bodies(size, BODIES)) + "\n")
        return path

    def bodies(self, size):
        with open(self.files[size], encoding="utf-8") as file:
            return file.read().splitlines()

    def start(self, name):
        return Server(self.commands[name], *self.pair)

    def compare(self):
        """Both make the same pods, or there is no comparison. -> bytes of an answer of each on average, by size."""
        lengths = {}
        with self.start(OURS) as ours, self.start(GO) as theirs:
            for size in SIZES:
                for body in self.bodies(size):
                    answers = {name: server.ask(body) for name, server in ((OURS, ours), (GO, theirs))}
                    pods = [made(body, response) for response, _ in answers.values()]
                    if pods[0] != pods[1]:
                        raise Missing(f"not the same pod:\n{json.dumps(pods[0])}\n{json.dumps(pods[1])}")
                    if (pods[0] == json.loads(body)["request"]["object"]) != (size == 1):
                        raise Missing(f"a pod of {size} containers was wrongly changed, or wrongly left alone: {pods[0]}")
                    for name, (_, length) in answers.items():
                        lengths.setdefault((name, size), []).append(length)
        return {key: sum(found) / len(found) for key, found in lengths.items()}

    def load(self, name, ports, size, seconds, rate=None):
        found = load.run(self.programs.oha, ports, self.files[size], seconds, rate)
        if abs(found.size / self.sizes[name, size] - 1) > ODDS:
            raise Missing(f"{name} answered {found.size:.0f} bytes on average, and {self.sizes[name, size]:.0f} before")
        return found

    def used(self, name, running, size, seconds, rate=None):
        """-> what was found, and µs of CPU time for an admission, of all that run."""
        before = sum(server.cpu() for server in running)
        found = self.load(name, [server.port for server in running], size, seconds, rate)
        spent = sum(server.cpu() for server in running) - before
        return found, spent / found.admissions * 1e6

    def rounds(self, count):
        """Each in each round, every round in another order."""
        for _ in range(count):
            yield from self.bench.rng.sample(list(self.commands), len(self.commands))


def made(body, response):
    """The pod that comes of an answer. Quantities and empty values are those of the patch."""
    return patching.apply(servers.patch_of(response), json.loads(body)["request"]["object"])


class Samples(dict):
    """{figure: {name: samples}}"""

    def add(self, key, name, value):
        self.setdefault(key, {other: [] for other in (OURS, GO)})[name].append(value)


def webhook(bench):
    """Started anew in each round: start, full speed, a fixed rate, and what is resident then."""
    hooks, found = Webhooks(bench), Samples()
    for name in hooks.rounds(bench.rounds(11)):
        with hooks.start(name) as server:
            hooks.load(name, [server.port], USUAL, WARM)
            full, cpu = hooks.used(name, [server], USUAL, FULL)
            steady, steady_cpu = hooks.used(name, [server], USUAL, STEADY, RATE)
            found.add("webhook_rate", name, full.per_second)
            found.add("webhook_cpu", name, cpu)
            found.add("webhook_median", name, steady.median)
            found.add("webhook_p99", name, steady.p99)
            found.add("webhook_steady_cpu", name, steady_cpu)
            found.add("webhook_memory", name, server.memory())
            found.add("webhook_peak", name, server.memory("VmHWM:"))
            found.add("webhook_start", name, server.started)
    return found, {"webhook_rounds": bench.rounds(11)}


def sizes(bench):
    hooks, found = Webhooks(bench), Samples()
    for name in hooks.rounds(bench.rounds(5)):
        with hooks.start(name) as server:
            for size in SIZES:
                hooks.load(name, [server.port], size, WARM)
                full, cpu = hooks.used(name, [server], size, SHORT)
                found.add(f"size{size}_rate", name, full.per_second)
                found.add(f"size{size}_cpu", name, cpu)
    facts = {f"size{size}_bytes": sum(map(len, hooks.bodies(size))) // BODIES for size in SIZES}
    return found, facts


def replicas(bench):
    """One and two of them at a fixed rate, behind one client."""
    hooks, found = Webhooks(bench), Samples()
    for name in hooks.rounds(bench.rounds(5)):
        with ExitStack() as stack:
            running = []
            for count in (1, 2):
                running.append(stack.enter_context(hooks.start(name)))
                hooks.load(name, [server.port for server in running], USUAL, WARM)
                full, _ = hooks.used(name, running, USUAL, FULL)
                steady, cpu = hooks.used(name, running, USUAL, STEADY, RATE)
                found.add(f"replicas{count}_rate", name, full.per_second)
                found.add(f"replicas{count}_p99", name, steady.p99)
                found.add(f"replicas{count}_cpu", name, cpu)
                found.add(f"replicas{count}_memory", name, sum(server.memory() for server in running))
    return found, {}


FIGURES = {"webhook": webhook, "sizes": sizes, "replicas": replicas}
