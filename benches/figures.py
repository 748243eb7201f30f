"""The figures: what is run, and what the numbers are. Each returns {key: {contender: [samples]}}."""

import os
import re
import select
import shutil
import socket
import subprocess
import threading
import time

import contenders
from contenders import BARE, OURS, PLAIN
from setup import plain_build

# What a pod's main container gets, more or less: wrappers read and copy it.
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "HOSTNAME": "report-7d4b9-x2x7k",
    "KUBERNETES_SERVICE_HOST": "10.96.0.1",
    "KUBERNETES_SERVICE_PORT": "443",
    "KUBERNETES_SERVICE_PORT_HTTPS": "443",
    "KUBERNETES_PORT": "tcp://10.96.0.1:443",
    "KUBERNETES_PORT_443_TCP": "tcp://10.96.0.1:443",
    "KUBERNETES_PORT_443_TCP_PROTO": "tcp",
    "KUBERNETES_PORT_443_TCP_PORT": "443",
    "KUBERNETES_PORT_443_TCP_ADDR": "10.96.0.1",
    "DATABASE_URL": "postgres://report@127.0.0.1:5432/report",
}


class Bench:
    """What every figure needs: the contenders, the measuring programs, where to put a table of them."""

    def __init__(self, rows, tools, folder, scale):
        self.rows, self.tools, self.folder, self.scale = rows, tools, folder, scale

    def rounds(self, count):
        return str(max(2, round(count * self.scale)))

    def run(self, tool, *words, rows, command, one_cpu=False, commands=lambda row: row.words):
        """Runs a measuring program over these contenders; -> its lines, split, the contender's name first."""
        path = contenders.write(rows, os.path.join(self.folder, "contenders"), commands)
        cpu = max(os.sched_getaffinity(0))
        result = subprocess.run(
            [self.tools[tool], *words, path, *command],
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=(lambda: os.sched_setaffinity(0, {cpu})) if one_cpu else None,
        )
        if result.returncode != 0:
            raise RuntimeError(f"{tool} {' '.join(words)}: {result.stderr.strip()[-300:] or result.returncode}")
        lines = [line.split() for line in result.stdout.splitlines()]
        return [(rows[int(line[0])].name, line[1:]) for line in lines]


def collect(lines, pick):
    samples = {}
    for name, words in lines:
        samples.setdefault(name, []).append(pick(words))
    return samples


def us(word):
    return int(word) / 1000


def start(bench):
    """What a wrapper adds around a command that does nothing."""
    result = {}
    for key, mode, one_cpu in (("pid1", "pid1", True), ("pid1_free", "pid1", False), ("plain", "plain", True)):
        rows = bench.rows
        words = (lambda row: row.words) if mode == "pid1" else (lambda row: row.plain_words)
        if mode == "plain":
            # Outside PID 1 pid1-exe becomes its command: there is no wrapper to measure.
            rows = [row for row in rows if row.name != "pid1-exe"]
        command, count = [bench.tools["stamp"]], bench.rounds(400)
        lines = bench.run("start", mode, count, rows=rows, command=command, one_cpu=one_cpu, commands=words)
        result[f"start_{key}"] = collect(lines, lambda words: us(words[2]))
        result[f"faults_{key}"] = collect(lines, lambda words: int(words[3]))
    return result


def leave(bench):
    """The way out, after a command that lived long enough for its wrapper to have come to rest."""
    result = {}
    for key, one_cpu in (("pid1", True), ("pid1_free", False)):
        command = [bench.tools["stamp"], "10ms"]
        lines = bench.run("start", "pid1", bench.rounds(150), rows=bench.rows, command=command, one_cpu=one_cpu)
        result[f"leave_{key}"] = collect(lines, lambda words: us(words[2]) - us(words[1]))
    return result


def forwarders(bench):
    return [row for row in bench.rows if row.forwards]


def signals(bench):
    """Signals on their way to the command, and those that never arrive."""
    rows, answer = forwarders(bench), [bench.tools["answer"]]
    latency = bench.run("signals", "latency", bench.rounds(160), rows=rows, command=answer, one_cpu=True)
    term = bench.run("signals", "term", bench.rounds(80), rows=rows, command=answer, one_cpu=True)
    return {
        "signal": collect(latency, lambda words: us(words[0])),
        "term_arrives": collect(term, lambda words: us(words[0])),
        "term_gone": collect(term, lambda words: us(words[1])),
    }


def loss(bench):
    """The part of the first 6 ms after execve in which a TERM is lost: one sample per sweep, in µs."""
    lines = bench.run("signals", "loss", bench.rounds(2), rows=forwarders(bench), command=[bench.tools["answer"]])
    sweeps = {}
    for name, (delay, lost) in lines:
        sweep = sweeps.setdefault(name, [])
        if delay == "0":
            sweep.append(0)
        sweep[-1] += 20 * int(lost)
    return {"loss": sweeps}


def zombies(bench):
    """Processor time of the wrapper for each orphan that it reaps, and how long that one stayed a zombie."""
    result = {}
    rows = [row for row in bench.rows if row.name != BARE]
    for kind, count, lives in (("trickle", 100, 20), ("burst", 200, 60)):
        command = [bench.tools["orphans"], kind, str(count)]
        lines = bench.run("zombies", bench.rounds(lives), rows=rows, command=command)
        cpu = [(name, words) for name, words in lines if words[0] == "cpu"]
        lag = [(name, words) for name, words in lines if words[0] == "lag"]
        result[f"zombie_{kind}"] = collect(cpu, lambda words, count=count: us(words[1]) / count)
        result[f"lag_{kind}"] = collect(lag, lambda words: us(words[1]))
    return result


def field(path, pattern):
    with open(path, encoding="utf-8") as file:
        match = re.search(pattern, file.read(), re.MULTILINE)
    return int(match[1]) if match else 0


def switches(pid):
    """How often it has been put on a processor."""
    with open(f"/proc/{pid}/schedstat", encoding="utf-8") as file:
        return int(file.read().split()[2])


def fake_sidecar():
    """-> port of a sidecar that is ready at once, for as long as we run."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


class Life:
    """One contender as PID 1 around a command that waits for signals."""

    def __init__(self, bench, name, words):
        read, write = os.pipe()
        self.name = name
        self.process = subprocess.Popen(
            [bench.tools["pid1"], *words, bench.tools["answer"]],
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=write,  # becomes the command's stdout
            text=True,
        )
        os.close(write)
        self.pid = int(self.process.stdout.readline())
        if not select.select([read], [], [], 5)[0]:
            raise RuntimeError(f"{name}: its command does not answer")
        os.close(read)

    def end(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


def idle(bench, seconds=30):
    """Memory, threads and descriptors while the command runs and nothing happens; wake-ups in that time."""
    result = {key: {} for key in ("pss", "uss", "page_tables", "threads", "descriptors", "wakeups")}
    rows = [(row.name, row.words) for row in bench.rows if row.name != BARE]
    [ours] = [row.words for row in bench.rows if row.name == OURS]
    # Of a copy of its own: two processes of one file share its pages, and each would count half of them.
    copy = shutil.copy2(ours[0], os.path.join(bench.folder, "lastout"))
    wait = ["--sidecar", f"fake:port={fake_sidecar()},ready=/,quit=/"]
    rows.append((f"{OURS}, after a wait", [copy, *wait, *ours[1:]]))
    lives = []
    try:
        for name, words in rows:
            lives.append(Life(bench, name, words))
        time.sleep(1)
        before = [switches(life.pid) for life in lives]
        time.sleep(max(1, seconds * min(1, bench.scale)))
        for life, earlier in zip(lives, before):
            here = f"/proc/{life.pid}"
            private = [field(f"{here}/smaps_rollup", rf"^Private_{kind}: +(\d+)") for kind in ("Clean", "Dirty")]
            found = {
                "wakeups": switches(life.pid) - earlier,
                "pss": field(f"{here}/smaps_rollup", r"^Pss: +(\d+)"),
                "uss": sum(private),
                "page_tables": field(f"{here}/status", r"^VmPTE:\s+(\d+)"),
                "threads": field(f"{here}/status", r"^Threads:\s+(\d+)"),
                "descriptors": len(os.listdir(f"{here}/fd")),
            }
            for key, value in found.items():
                result[key][life.name] = [value]
    finally:
        for life in lives:
            life.end()
    return result


def sizes(bench):
    found = {row.name: [row.size] for row in bench.rows if row.name != BARE}
    return {"size": found | {PLAIN: [os.stat(plain_build()).st_size]}}
