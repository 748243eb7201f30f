"""Plays the kubelet for one story: starts the containers of a pod, watches them end, writes down when.

It is started by `run`, where the machine allows it as PID 1 of a PID namespace and with a network of its
own: the ports are always free then, and whatever happens to this process, the kernel ends the others.
"""

import fcntl
import json
import os
import queue
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

DEADLINE = 60  # seconds that a story may last
PATIENCE = 5  # seconds that a sidecar may outlive lastout before we say that the pod hangs


def loopback_up():
    """Sets IFF_UP on lo, as `ip link set lo up` does; see netdevice(7)."""
    get_flags, set_flags, iff_up = 0x8913, 0x8914, 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        request = fcntl.ioctl(s, get_flags, struct.pack("16sh22x", b"lo", 0))
        flags = struct.unpack("16sh22x", request)[1]
        fcntl.ioctl(s, set_flags, struct.pack("16sh22x", b"lo", flags | iff_up))


def children_of(pid):
    """The processes whose parent is `pid`, as far as /proc shows them."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/stat") as f:
                if entry.isdigit() and int(f.read().rpartition(")")[2].split()[1]) == pid:
                    found.append(int(entry))
        except (OSError, IndexError):
            pass  # ended meanwhile, or no process
    return found


def interrupt_at_end_of_input(thread):
    """The other end of stdin belongs to `run`: when that is gone, however it died, so must we be."""
    os.read(0, 1)
    signal.pthread_kill(thread, signal.SIGINT)


class Pod:
    """The containers, and the facts about them. Times are in seconds since the pod's start."""

    def __init__(self, folder, isolated):
        self.folder = folder
        self.isolated = isolated
        self.events = queue.Queue()  # (time, kind, name, value)
        self.processes = {}
        self.facts = {"started": {}, "ended": {}, "codes": {}, "signalled": None, "last_word": None}
        self.zero = time.monotonic()

    def now(self):
        return time.monotonic() - self.zero

    def start(self, name, argv, streams):
        """Starts a container. `streams` False: its output goes to a file, shown if the story fails."""
        log = subprocess.PIPE if streams else open(os.path.join(self.folder, name + ".log"), "wb")
        self.facts["started"][name] = self.now()
        # A session of its own, so that a Ctrl-C at the terminal reaches this process only.
        child = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, start_new_session=True
        )
        self.processes[name] = child
        self.say("demo", f"started {name}")
        readers = []
        if streams:
            for label, stream in (("job", child.stdout), ("lastout", child.stderr)):
                readers.append(threading.Thread(target=self.read, args=(label, stream), daemon=True))
                readers[-1].start()
        threading.Thread(target=self.wait, args=(name, child, readers), daemon=True).start()

    def read(self, label, stream):
        for line in stream:
            self.events.put((self.now(), "line", label, line.decode(errors="replace").rstrip()))

    def wait(self, name, child, readers):
        code = child.wait()
        at = self.now()
        for reader in readers:
            reader.join(1)  # its last words come before its end
        self.events.put((at, "end", name, code if code >= 0 else 128 - code))

    def say(self, who, what, at=None):
        print(f"  {self.now() if at is None else at:7.3f}  {who:15}  {what}"[:100], flush=True)

    def signal_main(self, number):
        """Signals lastout itself, which is the child of `unshare` where that is used."""
        pid = self.processes["lastout"].pid
        for target in children_of(pid) if self.isolated else [pid]:
            os.kill(target, number)
        self.facts["signalled"] = self.now()
        self.say("demo", f"sent {signal.Signals(number).name} to lastout")

    def watch(self, term_on):
        """Until all have ended, or until nobody will any more. SIGTERM once the job says `term_on`."""
        until = self.zero + DEADLINE
        while len(self.facts["ended"]) < len(self.processes):
            try:
                at, kind, name, value = self.events.get(timeout=max(0, until - time.monotonic()))
            except queue.Empty:
                return
            if kind == "line":
                self.say(name, value, at)
                if name == "job":
                    self.facts["last_word"] = at
                if name == "job" and term_on and value.startswith(term_on):
                    term_on = None
                    self.signal_main(signal.SIGTERM)
            else:
                self.facts["ended"][name], self.facts["codes"][name] = at, value
                self.say("demo", f"{name} ended with exit code {value}", at)
                if name == "lastout":
                    until = min(until, time.monotonic() + PATIENCE)

    def end_all(self):
        """Leaves nobody behind; a no-op when all went well."""
        for child in self.processes.values():
            if child.poll() is None:
                try:
                    os.killpg(child.pid, signal.SIGKILL)
                    child.wait(5)
                except (ProcessLookupError, subprocess.TimeoutExpired):
                    pass


def main():
    plan = json.loads(sys.argv[1])
    threading.Thread(target=interrupt_at_end_of_input, args=(threading.get_ident(),), daemon=True).start()
    if plan["isolated"]:
        loopback_up()
    pod = Pod(plan["folder"], plan["isolated"])
    try:
        for name, argv in plan["sidecars"].items():
            pod.start(name, argv, streams=False)
        pid_one = [shutil.which("unshare"), "--pid", "--fork", "--mount-proc", "--kill-child", "--"]
        pod.start("lastout", (pid_one if plan["isolated"] else []) + plan["main"], streams=True)
        pod.watch(plan["term_on"])
        pod.facts["over"] = pod.now()
        if plan["isolated"]:  # we are PID 1: an orphan of anybody's would be our child now
            running = [child.pid for child in pod.processes.values() if child.poll() is None]
            pod.facts["left"] = [pid for pid in children_of(os.getpid()) if pid not in running]
    finally:
        pod.end_all()
    with open(os.path.join(plan["folder"], "facts.json"), "w") as f:
        json.dump(pod.facts, f)


try:
    main()
except KeyboardInterrupt:
    sys.exit(130)
