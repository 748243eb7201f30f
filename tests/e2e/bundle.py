"""The webhook's bundle in the cluster, as `kubectl lastout manifests` prints it: there is one of each name, so tests with it run
alone. What else the cluster has is not asked about: only namespaces that a test opens with `asked`."""

import base64
import contextlib
import http.client
import json
import os
import subprocess
import threading

import cluster
from cluster import Failure, Skip, kubectl
from ground import INJECT, SIDES, namespace, objects, plugin, pod, wait, would_be_marked
from injected import manifest, read
from stage import ROOT, spec_of, version

NAMESPACE = "lastout"
NAME = "lastout-webhook"
CONFIGURATION = "zz-lastout"
# A label of the namespaces of these tests: the cluster may be in use.
ASKED = "lastout-e2e/webhook"


def images():
    return ["--helper-image", f"localhost/kubectl-lastout:{version()}"]


def printed(stage, *options):
    """-> the bundle's text; `plugin` adds lastout's own image"""
    return plugin(stage, "manifests", *images(), *options)


def free():
    """Nobody else's webhook is touched."""
    for kind, name in (("namespace", NAMESPACE), ("mutatingwebhookconfiguration", CONFIGURATION)):
        wait(
            lambda kind=kind, name=name: not kubectl("get", kind, name, "--ignore-not-found", "-o", "name"),
            f"the cluster has no {kind} {name} (is lastout installed here?)", 90,
        )  # fmt: skip


def only_asked(things):
    """The API server asks about the namespaces of these tests alone."""
    for thing in things:
        for hook in thing.get("webhooks", []):
            hook["namespaceSelector"]["matchExpressions"].append({"key": ASKED, "operator": "Exists"})
    return things


@contextlib.contextmanager
def asked(stage, suffix, labels=None):
    with namespace(stage, suffix, {ASKED: "true", **(labels or {})}) as there:
        yield there


def spec_of_replicas(things):
    """-> the spec of the webhook's pods, to be changed in place"""
    [deployment] = [thing for thing in things if thing["kind"] == "Deployment"]
    return spec_of(deployment)


@contextlib.contextmanager
def webhook(stage, *options, arguments=(), change=lambda things: None):
    """The bundle, applied and ready, until the end of the block. -> its objects"""
    free()
    things = only_asked(objects(printed(stage, *options)))
    spec_of_replicas(things)["containers"][0]["args"] += arguments
    change(things)
    listed = {"apiVersion": "v1", "kind": "List", "items": things}
    try:
        kubectl("apply", "-f", "-", stdin=listed)
        ready()
        yield things
    except Failure as failure:
        raise Failure(f"{failure}\n{evidence()}") from failure
    finally:
        kubectl("delete", "-f", "-", "--ignore-not-found", "--wait=false", check=False, stdin=listed)
        free()


def evidence():
    return "\n".join(
        kubectl("-n", NAMESPACE, *words, check=False)
        for words in (
            ("get", "pods", "-o", "wide"), ("get", "events"),
            ("logs", "-l", "app.kubernetes.io/component=webhook", "--prefix", "--tail=30"),
        )
    )  # fmt: skip


def job_in(there, name, asks=True):
    """Applies what the Job of plain.yaml needs beside itself. -> the Job, whose pods ask for it"""
    beside, text = manifest("plain.yaml", name).split("---\n", 1)
    there.apply(beside)
    job = read(text)
    if asks:
        job["spec"]["template"].setdefault("metadata", {}).setdefault("labels", {})[INJECT] = "true"
    return job


def ready(seconds=90):
    """All replicas are ready, and the API server has been told whom to trust."""
    told = kubectl("-n", NAMESPACE, "rollout", "status", f"deployment/{NAME}", f"--timeout={seconds}s", check=False, timeout=seconds + 30)
    if "successfully rolled out" not in told:
        raise Failure(f"the webhook is not ready: {told}")


def answers(where, seconds=60):
    """Waits until a pod that asks for it is changed in this namespace, in whatever mode: the API server reads configurations by
    watching them."""
    last = []

    def marked():
        try:
            return would_be_marked(where, {INJECT: "true"})
        except Failure as failure:
            if "network is unreachable" in str(failure):
                raise Skip(f"the API server has no route to Services here: {failure}") from failure
            last[:] = [str(failure)]
            return False

    try:
        wait(marked, "the webhook answers", seconds)
    except Failure as failure:
        raise Failure(f"{failure} {last}") from failure


def is_changed(made):
    return any(one.get("command", [""])[0] == "/.lastout/lastout" for one in made["spec"]["containers"])


def replicas():
    """-> the webhook's pods"""
    listed = kubectl("-n", NAMESPACE, "get", "pods", "-l", "app.kubernetes.io/component=webhook", "-o", "json")
    return json.loads(listed)["items"]


def scale(count):
    kubectl("-n", NAMESPACE, "scale", f"deployment/{NAME}", f"--replicas={count}")
    if count:
        ready()
    wait(lambda: len(replicas()) == count, f"{count} replicas", 90)


def configuration():
    return json.loads(kubectl("get", "mutatingwebhookconfiguration", CONFIGURATION, "-o", "json"))


def trusted():
    """-> the certificates of each entry's caBundle"""
    bundles = [hook["clientConfig"].get("caBundle", "") for hook in configuration()["webhooks"]]
    return [base64.b64decode(bundle).decode() for bundle in bundles]


class Load:
    """Creates pods that ask for it, without keeping them, one after the other on each of some connections, until the end of the
    block. A pod that is refused, or that is not changed, is a failure."""

    def __init__(self, where, connections=4):
        self.where, self.connections, self.over = where, connections, False
        self.done, self.failures = 0, []
        self.body = json.dumps(pod("load", SIDES, {INJECT: "true"}))

    def __enter__(self):
        self.proxy = subprocess.Popen([cluster.KUBECTL, "proxy", "--port=0"], stdout=subprocess.PIPE, text=True)
        address = self.proxy.stdout.readline().split()[-1]
        self.threads = [threading.Thread(target=self.create, args=(address,)) for _ in range(self.connections)]
        for thread in self.threads:
            thread.start()
        return self

    def create(self, address):
        connection = http.client.HTTPConnection(address, timeout=60)
        path = f"/api/v1/namespaces/{self.where}/pods?dryRun=All"
        while not self.over:
            try:
                connection.request("POST", path, self.body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                body = answer.read().decode(errors="replace")
                if answer.status != 201:
                    self.failures.append(f"{answer.status}: {body[:500]}")
                elif not is_changed(json.loads(body)):
                    self.failures.append("a pod is not changed")
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                connection.close()
            self.done += 1

    def at_least(self, more, seconds=60):
        """Waits until there are so many more."""
        wanted = self.done + more
        wait(lambda: self.done >= wanted, f"{more} more admissions", seconds)

    def __exit__(self, *_):
        self.over = True
        for thread in self.threads:
            thread.join()
        self.proxy.kill()
        self.proxy.wait()

    def without_failure(self):
        if self.failures:
            raise Failure(f"{len(self.failures)} of {self.done} admissions failed: {self.failures[:3]}")
        if self.done < 20:
            raise Failure(f"only {self.done} admissions")


def openssl(*words, stdin=None):
    done = subprocess.run(["openssl", *words], input=stdin, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"openssl {' '.join(words)}: {done.stderr}")
    return done.stdout


def tools(name):
    """-> the program, as scripts/tools has installed it"""
    script = os.path.join(ROOT, "scripts", "tools")
    program = os.path.join(subprocess.run([script, "dir"], capture_output=True, text=True, check=True).stdout.strip(), name)
    if not os.path.exists(program):
        raise Skip(f"{name} is not installed: scripts/tools {name}")
    return program


