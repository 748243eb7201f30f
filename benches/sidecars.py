"""The figures with a sidecar: one of our own, whose moments are known to the microsecond, and a real Envoy."""

import os
import select
import socket
import struct
import subprocess
import tempfile
import time
from dataclasses import dataclass

from contenders import OURS
from figures import ENVIRONMENT, collect, us
from setup import ROOT, say

VERIFY, ACCEPTED = OURS, f"{OURS}, no proof"
HELPER, HELPER_VERIFY = "bare helper", "bare helper, looks"
LIMIT = 20


@dataclass
class Row:
    name: str
    words: list


def rows(bench):
    """With and without the proof that it is gone (the preset linkerd takes the answer for it), and in C."""
    [ours] = [row.words for row in bench.rows if row.name == OURS]
    paths = "port={port},ready=/ready,quit=/quitquitquit"
    ask = bench.tools["ask"]
    return [
        Row(VERIFY, [ours[0], "--sidecar", f"envoy:{paths}", *ours[1:]]),
        Row(ACCEPTED, [ours[0], "--sidecar", f"linkerd:{paths}", *ours[1:]]),
        Row(HELPER, [ask, "wq", "{port}", "/ready", "/quitquitquit"]),
        Row(HELPER_VERIFY, [ask, "wqv", "{port}", "/ready", "/quitquitquit"]),
    ]


def fake(bench):
    """Beside a sidecar of our own."""
    command = [bench.tools["stamp"], "10ms"]
    lines = bench.run("stops", bench.rounds(100), rows=rows(bench), command=command)
    sure = [(name, words) for name, words in lines if name in (VERIFY, HELPER_VERIFY)]
    return {
        "gate": collect(lines, lambda words: us(words[0])),
        "ask": collect(lines, lambda words: us(words[1])),
        "asked_gone": collect([line for line in lines if line not in sure], lambda words: us(words[2])),
        "refused_gone": collect(sure, lambda words: us(words[3])),
    }


def config(admin, data):
    """The Envoy of the demo, on these ports."""
    with open(os.path.join(ROOT, "demo", "envoy.yaml"), encoding="utf-8") as file:
        text = file.read()
    for default, port in ((9901, admin), (10000, data)):
        [before, after] = text.split(f"port_value: {default} ")
        text = f"{before}port_value: {port} {after}"
    return text


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def stamp_from(pipe, what):
    """One time that a measuring program wrote, in ns."""
    if not select.select([pipe], [], [], LIMIT)[0]:
        raise RuntimeError(f"{what}: nothing within {LIMIT} s")
    data = os.read(pipe.fileno(), 8)
    if len(data) < 8:
        raise RuntimeError(f"{what}: ended without telling")
    return struct.unpack("=q", data)[0]


def ends(processes):
    """Waits until all have ended; -> when each did, in ns."""
    poll, waiting, when = select.poll(), {}, {}
    for process in processes:
        fd = os.pidfd_open(process.pid)
        poll.register(fd, select.POLLIN)
        waiting[fd] = process
    while waiting:
        ready = poll.poll(LIMIT * 1000)
        now = time.monotonic_ns()
        if not ready:
            raise RuntimeError(f"still there after {LIMIT} s: {[process.args[0] for process in waiting.values()]}")
        for fd, _ in ready:
            when[waiting.pop(fd).pid] = now
            poll.unregister(fd)
            os.close(fd)
    return [when[process.pid] for process in processes]


def one_life(bench, envoy, row, folder):
    """Envoy and the wrapper start together, as in a pod; -> the moments of this life."""
    admin, data = free_port(), free_port()
    path = os.path.join(folder, "envoy.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(config(admin, data))
    quiet = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True, "env": ENVIRONMENT}
    flags = ["--concurrency", "1", "--disable-hot-restart", "-l", "off"]
    words = [word.replace("{port}", str(admin)) for word in row.words]
    started = []

    def begin(command, **options):
        started.append(subprocess.Popen(command, **{**quiet, "stdout": subprocess.PIPE, **options}))
        return started[-1]

    try:
        sidecar = begin([envoy, "-c", path, *flags], stdout=subprocess.DEVNULL)
        probe = begin([bench.tools["probe"], str(admin), "/ready"], stdin=subprocess.PIPE)
        main = begin([*words, bench.tools["stamp"], "10ms"])
        ready = stamp_from(probe.stdout, "Envoy's first 200")
        began = stamp_from(main.stdout, f"{row.name}: its command's begin")
        probe.stdin.write(b"x")
        probe.stdin.flush()
        last = stamp_from(main.stdout, f"{row.name}: its command's end")
        gone, left = ends([sidecar, main])
        refused = stamp_from(probe.stdout, "Envoy's port refuses")
        if main.wait() != 0 or sidecar.wait() != 0:
            raise RuntimeError(f"{row.name}: exit codes {main.returncode} and, of Envoy, {sidecar.returncode}")
        return {
            "envoy_gate": (began - ready) / 1e6,
            "envoy_gone": (gone - last) / 1e6,
            "envoy_left": (left - last) / 1e6,
            "envoy_refused_left": (left - refused) / 1e6,
        }
    finally:
        for process in started:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()


def real_envoy(bench, envoy):
    result, failures = {}, 0
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(int(bench.rounds(30))):
            table = rows(bench)
            for place in range(len(table)):
                row = table[(turn + place) % len(table)]
                try:
                    moments = one_life(bench, envoy, row, folder)
                except RuntimeError as error:
                    # A busy machine; or a port that was taken meanwhile.
                    failures += 1
                    if failures > 3:
                        raise
                    say(f"envoy: one life does not count: {error}")
                    continue
                for key, value in moments.items():
                    if key == "envoy_refused_left" and row.name not in (VERIFY, HELPER_VERIFY):
                        continue
                    result.setdefault(key, {}).setdefault(row.name, []).append(value)
    return result
