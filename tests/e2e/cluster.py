"""The cluster as the tests see it: kubectl, one watch for all of them, and what to show when one fails."""

import json
import os
import shlex
import subprocess
import threading
import time

KUBECTL = "kubectl"
LOAD = []  # the words of the command that loads an image archive into the nodes


class Failure(AssertionError):
    """What the test claims does not hold."""


class Skip(Exception):
    """The test cannot be run on this cluster; the text says why."""


def kubectl(*args, stdin=None, check=True, timeout=60):
    """-> stdout. Objects go in as JSON."""
    text = json.dumps(stdin) if isinstance(stdin, (dict, list)) else stdin
    done = subprocess.run(
        [KUBECTL, *args], input=text, capture_output=True, text=True, timeout=timeout, errors="replace"
    )
    if check and done.returncode != 0:
        raise Failure(f"kubectl {' '.join(args)}: {done.stderr.strip()}")
    return done.stdout + ("" if check else done.stderr)


class Watch:
    """Follows the pods and jobs of a namespace: `until` is woken by each change, so nobody polls."""

    KINDS = ("pods", "jobs")

    def __init__(self, namespace):
        self.namespace = namespace
        self.changed = threading.Condition()
        self.objects, self.gone = {}, {}  # (kind, name) -> the latest, the last one of those that were deleted
        self.processes, self.closed = {}, False
        for kind in self.KINDS:
            threading.Thread(target=self.follow, args=(kind,), daemon=True).start()

    def follow(self, kind):
        command = [KUBECTL, "-n", self.namespace, "get", kind, "-w", "-o", "json", "--output-watch-events"]
        while not self.closed:  # the server ends every watch some time; a new one begins with all that is there
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            self.processes[kind] = process
            for event in documents(process.stdout):
                self.take(kind, event)
            process.wait()

    def take(self, kind, event):
        key = (kind, event["object"]["metadata"]["name"])
        with self.changed:
            if event["type"] == "DELETED":
                self.objects.pop(key, None)
                self.gone[key] = event["object"]
            else:
                self.objects[key] = event["object"]
            self.changed.notify_all()

    def get(self, kind, name):
        return self.objects.get((kind, name))

    def all(self, kind):
        return [thing for (of, _), thing in list(self.objects.items()) if of == kind]

    def until(self, holds, seconds, what):
        """-> what `holds()` returns once that is true; fails after so many seconds."""
        deadline = time.monotonic() + seconds
        with self.changed:
            while not (result := holds()):
                left = deadline - time.monotonic()
                if left <= 0:
                    raise Failure(f"not within {seconds} s: {what}")
                self.changed.wait(left)
            return result

    def close(self):
        self.closed = True
        for process in self.processes.values():
            process.kill()


def restart_api_server():
    """-> when it was ready again"""
    command = os.environ.get("LASTOUT_E2E_RESTART_API")
    if not command:
        raise Skip("LASTOUT_E2E_RESTART_API names no command that restarts the API server")
    done = subprocess.run(shlex.split(command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise Failure(f"{command} failed:\n{done.stdout}")
    return time.time()


def documents(stream):
    """-> the JSON documents of a stream, each as soon as it is whole (kubectl indents all but the outer braces)."""
    lines = []
    for line in stream:
        lines.append(line)
        if line == "}\n" or (line.startswith("{") and line.rstrip().endswith("}")):
            yield json.loads("".join(lines))
            lines = []


def describe_failure(namespace, pods):
    """-> status, events and logs (in which lastout's report is) of these pods, as far as they are still there."""
    text = []
    for pod in pods:
        name = pod["metadata"]["name"]
        text += [f"--- {name}: status", json.dumps(states(pod), indent=1)]
        text += [f"--- {name}: describe", kubectl("-n", namespace, "describe", "pod", name, check=False)]
        log = ("-n", namespace, "logs", name, "--all-containers", "--prefix", "--tail=30")
        text += [f"--- {name}: logs, with lastout's report", kubectl(*log, check=False)]
        if any(status["restartCount"] for status in statuses(pod)):
            text += [f"--- {name}: logs before the restart", kubectl(*log, "--previous", check=False)]
    return "\n".join(text)


def statuses(pod):
    status = pod.get("status", {})
    return status.get("initContainerStatuses", []) + status.get("containerStatuses", [])


def states(pod):
    """-> {container: its state}"""
    return {status["name"]: {**status["state"], "restarts": status["restartCount"]} for status in statuses(pod)}
