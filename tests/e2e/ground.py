"""Ground for policies: namespaces of one test's own, the policies that `kubectl lastout policy` prints, bound to them alone
(tests run side by side, and policies are the whole cluster's), and a webhook that injects after them."""

import base64
import contextlib
import http.server
import json
import os
import ssl
import subprocess
import tempfile
import threading
import time

import cluster
from cluster import Failure, Skip, Watch, kubectl
from stage import Stage, version

INJECT = "lastout.dev/inject"
NAMESPACE = "kubernetes.io/metadata.name"
# A pod that lastout is put into, where it is asked for.
SIDES = [{"name": "main", "command": ["/app"]}, {"name": "istio-proxy"}]


def plugin(stage, *words, stdin=None):
    """-> what the plugin, found by kubectl, prints"""
    found = {**os.environ, "PATH": f"{stage.images}:{os.environ['PATH']}"}
    command = [cluster.KUBECTL, "lastout", *words, "--image", f"localhost/lastout:{version()}"]
    done = subprocess.run(command, input=stdin, env=found, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)}: {done.stderr}")
    return done.stdout


def objects(text):
    """-> the objects of a manifest, as kubectl reads them"""
    made = kubectl("create", "--dry-run=client", "-o", "json", "-f", "-", stdin=text)
    found, rest, decoder = [], made.strip(), json.JSONDecoder()
    while rest:
        thing, end = decoder.raw_decode(rest)
        found += thing["items"] if thing["kind"] == "List" else [thing]
        rest = rest[end:].strip()
    return found


def supported():
    if "mutatingadmissionpolicies" not in kubectl("api-resources", "--api-group=admissionregistration.k8s.io", "-o", "name"):
        raise Skip("no MutatingAdmissionPolicy here: it comes with Kubernetes 1.36")


@contextlib.contextmanager
def namespace(stage, suffix, labels=None):
    """A namespace of this test's own. -> the stage in it"""
    name = f"{stage.namespace}-{suffix}"
    baseline = {"pod-security.kubernetes.io/enforce": "baseline", "app.kubernetes.io/part-of": "lastout-e2e"}
    kubectl("create", "-f", "-", stdin={
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {**baseline, **(labels or {})}},
    })  # fmt: skip
    watch = Watch(name)
    try:
        wait(lambda: kubectl("-n", name, "get", "serviceaccount", "default", "--ignore-not-found", "-o", "name"), "an account")
        there = Stage(watch, stage.images, stage.others)
        try:
            yield there
        except Failure as failure:
            raise Failure(f"{failure}\n{cluster.describe_failure(name, list(there.pods.values()))}") from failure
    finally:
        watch.close()
        if os.environ.get("LASTOUT_E2E_KEEP") != "1":
            kubectl("delete", "namespace", name, "--wait=false", check=False)


@contextlib.contextmanager
def policies(stage, namespaces, *options, seen_gone=True):
    """What is printed, under names of its own and for these namespaces alone, until the end of the block; with `seen_gone` until
    the API server no longer goes by it, which a new one needs 80 s for."""
    supported()
    named, suffix = [], stage.namespace.removeprefix("lastout-e2e-") + "-" + namespaces[0].rsplit("-", 1)[-1]
    for thing in objects(plugin(stage, "policy", *options)):
        thing["metadata"]["name"] += f".{suffix}"
        spec = thing["spec"]
        if "policyName" in spec:
            spec["policyName"] += f".{suffix}"
        else:
            spec["matchConstraints"]["namespaceSelector"]["matchExpressions"].append(
                {"key": NAMESPACE, "operator": "In", "values": list(namespaces)}
            )
        named.append(thing)
    listed = {"apiVersion": "v1", "kind": "List", "items": named}
    # The API server reads policies and bindings by watching them: it learns of each, and of its end, a moment later, and of one
    # binding before the other. So each is tried: that for pods that ask, and that for pods whose namespace does.
    probes = [(where, {INJECT: "true"}) for where in namespaces]
    probes += [(where, {}) for where in namespaces if labels_of(where).get(INJECT) == "enabled"]

    def changed():
        return [would_be_marked(where, asking) for where, asking in probes]

    try:
        kubectl("apply", "-f", "-", stdin=listed)
        wait(lambda: all(changed()), "the policy")
        yield
    finally:
        kubectl("delete", "-f", "-", check=False, stdin=listed)
        if seen_gone:
            wait(lambda: not any(changed()), "the policy's end")


def labels_of(where):
    return json.loads(kubectl("get", "namespace", where, "-o", "json"))["metadata"]["labels"]


def would_be_marked(where, labels):
    """Whether lastout would be put into a pod with these labels, created now in this namespace."""
    return is_marked(dry(where, pod("probe", SIDES, labels)))


def is_marked(made):
    """Whether lastout was put into this pod."""
    return "lastout.dev/status" in made["metadata"].get("annotations", {})


def wait(holds, what, seconds=30):
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        if time.monotonic() > deadline:
            raise Failure(f"not within {seconds} s: {what}")
        time.sleep(0.1)
    return found


def pod(name, containers, labels=None, **spec):
    """-> a pod as a Job's controller makes it"""
    containers = [{"image": "localhost/report:1", **container} for container in containers]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"batch.kubernetes.io/job-name": "probe", **(labels or {})}},
        "spec": {"restartPolicy": "Never", "automountServiceAccountToken": False, "containers": containers, **spec},
    }


def dry(where, thing):
    """-> the object as it would be created"""
    return json.loads(kubectl("-n", where, "create", "--dry-run=server", "-o", "json", "-f", "-", stdin=thing))


def documents(things):
    return "\n---\n".join(json.dumps(thing) for thing in things)


def dry_all(where, text):
    """-> {name: the pod as it would be created}, and why others would not"""
    command = [cluster.KUBECTL, "-n", where, "create", "--dry-run=server", "-o", "json", "-f", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=300)
    made, decoder, rest = {}, json.JSONDecoder(), done.stdout.strip()
    while rest:
        thing, end = decoder.raw_decode(rest)
        for one in thing.get("items", [thing]):
            made[one["metadata"]["name"]] = one
        rest = rest[end:].strip()
    return made, done.stderr


@contextlib.contextmanager
def webhook(stage, where, containers, first=""):
    """A webhook that adds these containers to the pods of a namespace, after all policies. They are called in the order of their
    configurations' names, which begin with `first`."""
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = os.path.join(folder, "key"), os.path.join(folder, "certificate")
        made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        made += ["-subj", "/CN=webhook", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate]
        subprocess.run(made, check=True, capture_output=True)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), injector(containers))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        with open(certificate, "rb") as f:
            bundle = base64.b64encode(f.read()).decode()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    name = f"{first}{where}.lastout.dev"
    hook = {
        "name": name, "admissionReviewVersions": ["v1"], "sideEffects": "None", "timeoutSeconds": 5, "failurePolicy": "Fail",
        "clientConfig": {"url": f"https://127.0.0.1:{server.server_port}/", "caBundle": bundle},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
        "namespaceSelector": {"matchLabels": {NAMESPACE: where}},
    }  # fmt: skip
    configuration = {
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": name}, "webhooks": [hook],
    }  # fmt: skip
    try:
        kubectl("create", "-f", "-", stdin=configuration)
        probe = pod("probe", [{"name": "main", "command": ["/app"]}])
        def added():
            try:
                spec = dry(where, probe)["spec"]  # where a policy may have moved it on
                return containers[0]["name"] in [one["name"] for one in spec["containers"] + spec.get("initContainers", [])]
            except Failure as failure:
                if "failed calling webhook" in str(failure):
                    raise Skip(f"the API server does not reach this machine's loopback: {failure}") from failure
                raise

        wait(added, "the webhook")
        yield
    finally:
        kubectl("delete", "mutatingwebhookconfiguration", name, check=False)
        server.shutdown()


def injector(containers):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            patch = [{"op": "add", "path": "/spec/containers/-", "value": container} for container in containers]
            response = {"uid": review["request"]["uid"], "allowed": True, "patchType": "JSONPatch"}
            response["patch"] = base64.b64encode(json.dumps(patch).encode()).decode()
            answer = json.dumps({"apiVersion": review["apiVersion"], "kind": review["kind"], "response": response}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    return Handler
