"""What a test works with: the manifests of examples/, and the pods that came of them."""

import copy
import datetime
import json
import os
import re
import threading
import time

import cluster
from cluster import Failure, Skip, kubectl

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# What the restricted profile asks of a container, and a read-only root file system besides.
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
PATIENCE = 10  # seconds after which a pod whose mains have ended counts as hanging
CASES, ALONE = [], set()
_examples, _reading = {}, threading.Lock()


def case(function):
    """Registers a test; its name is a sentence of the specification."""
    CASES.append(function)
    return function


def alone(function):
    """The same for a test that changes what all others see: it is run when they are over."""
    ALONE.add(function)
    return case(function)


def example(name):
    """-> a copy of the object in examples/NAME, with only the image names replaced."""
    with _reading:
        if name not in _examples:
            with open(os.path.join(ROOT, "examples", name), encoding="utf-8") as f:
                text = f.read().replace("REGISTRY/", "localhost/")
            text = re.sub(r"localhost/lastout:[0-9.]+", f"localhost/lastout:{version()}", text)
            _examples[name] = json.loads(kubectl("create", "--dry-run=client", "-o", "json", "-f", "-", stdin=text))
    thing = copy.deepcopy(_examples[name])
    thing["metadata"].pop("namespace", None)
    return thing


def version():
    with open(os.path.join(ROOT, "Cargo.toml"), encoding="utf-8") as f:
        return re.search(r'^version = "(.*)"', f.read(), re.M)[1]


def spec_of(thing):
    """-> the pod's spec inside a Job, a Deployment or a Pod, to be changed in place."""
    return thing["spec"] if thing["kind"] == "Pod" else thing["spec"]["template"]["spec"]


def container(thing, name):
    spec = spec_of(thing)
    [found] = [c for c in spec.get("initContainers", []) + spec["containers"] if c["name"] == name]
    return found


def only(thing, *names):
    """Leaves only these containers."""
    spec = spec_of(thing)
    spec["containers"] = [c for c in spec["containers"] if c["name"] in names]


def as_pod(thing, name):
    """-> the pod of a Job, without the Job."""
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec_of(thing)}


class Stage:
    """One test's part of the namespace."""

    def __init__(self, watch, images=None, others=None):
        self.watch, self.namespace, self.pods = watch, watch.namespace, {}
        self.images, self.others = images, others

    def restricted(self):
        """-> the same for the namespace that enforces the restricted profile"""
        return self.others("restricted")

    def has_image(self, name):
        return os.path.exists(os.path.join(self.images, name + ".tar"))

    def create(self, thing, name=None):
        """Creates an object, under another name if one is given. -> its name"""
        if name:
            thing["metadata"]["name"] = name
        kubectl("-n", self.namespace, "create", "-f", "-", stdin=thing)
        return thing["metadata"]["name"]

    def apply(self, text):
        """Applies a manifest as it stands."""
        kubectl("-n", self.namespace, "apply", "-f", "-", stdin=text)

    def with_image_volume(self, create):
        """-> the Job that `create` makes, where the cluster has image volumes"""
        try:
            job = create()
        except Failure as failure:
            if "volumes[" not in str(failure):
                raise
            raise Skip(f"no image volumes here: {failure}") from failure
        if not any("image" in volume for volume in self.pod(self.pod_of(job))["spec"]["volumes"]):
            raise Skip("no image volumes here: the API server dropped the volume")
        return job

    def note(self, pod):
        self.pods[pod["metadata"]["name"]] = pod
        return pod

    def pod(self, name):
        """-> the pod's latest state, its last one when it is gone."""
        key = ("pods", name)
        return self.note(self.watch.objects.get(key) or self.watch.gone[key])

    def pod_of(self, job, seconds=120):
        """-> the name of the Job's only pod."""

        def find():
            labels = ((p["metadata"]["name"], p["metadata"].get("labels", {})) for p in self.watch.all("pods"))
            return [name for name, label in labels if label.get("job-name", label.get("app")) == job]

        name = self.watch.until(find, seconds, f"{job} has a pod")[0]
        self.pod(name)
        return name

    def job_ends(self, job, condition, seconds=240):
        """Waits until the Job is Complete or Failed, which must be this condition. -> its pod"""

        def conditions():
            status = (self.watch.get("jobs", job) or {}).get("status", {})
            found = {c["type"]: c for c in status.get("conditions", []) if c["status"] == "True"}
            return [found[kind] for kind in ("Complete", "Failed") if kind in found]

        pod = self.pod_of(job)
        [found, *_] = self.watch.until(conditions, seconds, f"{job} is over; {cluster.states(self.pod(pod))}")
        if found["type"] != condition:
            raise Failure(f"{job} is {found['type']} ({found.get('message')}), not {condition}")
        return self.pod(pod)

    def until_state(self, pod, container, kind, seconds=120):
        """Waits until a container is `running`, `terminated` or `waiting`. -> that state"""

        def state():
            there = ("pods", pod) in self.watch.objects or ("pods", pod) in self.watch.gone
            return there and cluster.states(self.pod(pod)).get(container, {}).get(kind)

        # Even a state that says nothing (`running: {}`) is one.
        return self.watch.until(state, seconds, f"{pod}/{container} is {kind}")

    def until_log(self, pod, container, text, seconds=120):
        """Waits until a container has logged `text`: the log is followed, not polled."""
        self.until_state(pod, container, "running", seconds)
        command = [cluster.KUBECTL, "-n", self.namespace, "logs", "-f", pod, "-c", container]
        with cluster.subprocess.Popen(command, stdout=-1, stderr=-2, text=True, errors="replace") as process:
            timer = threading.Timer(seconds, process.kill)
            timer.start()
            try:
                if not any(text in line for line in process.stdout):
                    raise Failure(f"{pod}/{container} did not log {text!r} within {seconds} s")
            finally:
                timer.cancel()
                process.kill()

    def log(self, pod, container):
        return kubectl("-n", self.namespace, "logs", pod, "-c", container)

    def report(self, pod, container="main"):
        """-> lastout's report, which is the last JSON line of the log."""
        lines = [line for line in self.log(pod, container).splitlines() if line.startswith('{"version"')]
        if not lines:
            raise Failure(f"{pod}/{container} has no report in its log")
        return json.loads(lines[-1])

    def delete(self, pod, container="main"):
        """Deletes a pod and waits until it is gone. -> its last state, the seconds that took, a container's whole log."""
        command = [cluster.KUBECTL, "-n", self.namespace, "logs", "-f", pod, "-c", container]
        with cluster.subprocess.Popen(command, stdout=-1, stderr=-2, text=True, errors="replace") as logs:
            started = time.monotonic()
            kubectl("-n", self.namespace, "delete", "pod", pod, "--wait=false")
            self.watch.until(lambda: ("pods", pod) in self.watch.gone, 120, f"{pod} is gone")
            took = time.monotonic() - started
            log = logs.communicate(timeout=20)[0]
        return self.pod(pod), took, log


# --- claims ---------------------------------------------------------------------------------------------------


def check(holds, claim):
    if not holds:
        raise Failure(claim)


def codes(pod):
    """-> {container: exit code, or its state's name while it has none}"""
    found = {}
    for status in pod["status"].get("containerStatuses", []):
        [(kind, state)] = status["state"].items()
        found[status["name"]] = state["exitCode"] if kind == "terminated" else kind
    return found


def ended_with(pod, **expected):
    """Every container has ended by itself; those that are not named with 0."""
    have = codes(pod)
    want = {name: expected.get(name.replace("-", "_"), 0) for name in have}
    check(have == want, f"exit codes {have}, expected {want}")


def hang(stage, jobs):
    """These Jobs, {name: its mains}, are active when their mains are over, and stay so; none is to be restarted.
    -> {name: its pod}"""
    names = {job: stage.pod_of(job) for job in jobs}

    def pods():
        return {job: stage.pod(name) for job, name in names.items()}

    def mains_are_over():
        states = {job: cluster.states(pod) for job, pod in pods().items()}
        return all("terminated" in states[job].get(main, {}) for job, mains in jobs.items() for main in mains)

    def over():
        ended = [job for job in jobs if (stage.watch.get("jobs", job) or {}).get("status", {}).get("conditions")]
        return ended + [job for job, pod in pods().items() if "running" not in codes(pod).values()]

    stage.watch.until(mains_are_over, 120, f"the mains of {', '.join(jobs)} are over")
    try:
        found = stage.watch.until(over, PATIENCE, "")
    except Failure:
        for job in jobs:
            check(stage.watch.get("jobs", job)["status"].get("active") == 1, f"{job} is not active any more")
        return pods()
    raise Failure(f"no hang: {found}; nobody would need lastout")


def never_restarted(pod, *names):
    counts = {s["name"]: s["restartCount"] for s in cluster.statuses(pod) if not names or s["name"] in names}
    check(not any(counts.values()), f"restarts: {counts}")


def finished(pod, name):
    """-> when a container ended, in seconds; the API knows no fractions."""
    [status] = [s for s in cluster.statuses(pod) if s["name"] == name]
    at = status["state"]["terminated"]["finishedAt"]
    return datetime.datetime.fromisoformat(at.replace("Z", "+00:00")).timestamp()


def sidecars(report):
    return {sidecar["name"]: sidecar for sidecar in report["sidecars"]}


def all_gone(report):
    verdicts = {name: sidecar["verdict"] for name, sidecar in sidecars(report).items()}
    check(set(verdicts.values()) == {"gone"}, f"lastout's report: {verdicts}")
