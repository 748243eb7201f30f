"""The webhook's certificate of the real cert-manager, whose controllers run beside the tests (tests/e2e/cert-manager): neither
its own admission webhook nor its Roles are there."""

import base64
import contextlib
import datetime
import json
import os
import re
import subprocess
import tempfile

from bundle import (
    NAME, NAMESPACE, Load, answers, asked, evidence, free, job_in, openssl, replicas, tools, trusted, webhook,
)  # fmt: skip
from cluster import Failure, Skip, kubectl
from ground import wait
from injected import completes_wrapped
from outages import restarts
from stage import ROOT, alone, check, version

AUTHORITY = f"{NAME}-authority"
SECRET = f"{NAME}-tls"
# The kubelet brings a changed Secret to a pod within a minute or so.
BROUGHT = 180


@contextlib.contextmanager
def cert_manager(*gates):
    """Its controllers, on the cluster that kubectl talks to, until the end of the block; with these feature gates."""
    program = tools("cert-manager")
    if kubectl("get", "crd", "certificates.cert-manager.io", "--ignore-not-found", "-o", "name"):
        raise Skip("cert-manager is installed here: two would work on the same objects")
    definitions = subprocess.run([program, "crds"], capture_output=True, text=True, check=True).stdout
    with tempfile.TemporaryDirectory() as folder:
        kubeconfig, log = os.path.join(folder, "kubeconfig"), os.path.join(folder, "log")
        with open(kubeconfig, "w", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)) as f:
            f.write(kubectl("config", "view", "--raw", "--flatten", "--minify"))
        try:
            # Not `apply`: the annotation with what was applied would be too long.
            kubectl("create", "-f", "-", stdin=definitions)
            kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f", "-", stdin=definitions)
            with open(log, "w", encoding="utf-8") as output, subprocess.Popen([program, kubeconfig, *gates], stderr=output) as process:
                try:
                    yield
                except Failure as failure:
                    raise Failure(f"{failure}\n{told(log)}") from failure
                finally:
                    ended = process.poll()
                    process.terminate()
            check(ended is None, f"cert-manager has ended by itself, with {ended}: {told(log)}")
        finally:
            kubectl("delete", "--ignore-not-found", "-f", "-", check=False, stdin=definitions)


def told(log):
    with open(log, encoding="utf-8", errors="replace") as f:
        return "cert-manager:\n" + "".join(f.readlines()[-30:])


def objects_of(kind):
    return json.loads(kubectl("-n", NAMESPACE, "get", f"{kind}.cert-manager.io", "-o", "json"))["items"]


def is_ready(thing):
    return any(c["type"] == "Ready" and c["status"] == "True" for c in thing.get("status", {}).get("conditions", []))


def issued(name=SECRET):
    """-> the certificate in a Secret of cert-manager's, or None"""
    data = kubectl("-n", NAMESPACE, "get", "secret", name, "--ignore-not-found", "-o", "jsonpath={.data.tls\\.crt}")
    return base64.b64decode(data).decode() or None


def renew(name, secret):
    """What `cmctl renew` does. -> the new certificate"""
    was = issued(secret)
    status = json.loads(kubectl("-n", NAMESPACE, "get", f"certificate/{name}", "-o", "json"))["status"]
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    asks = {"type": "Issuing", "status": "True", "reason": "ManuallyTriggered", "message": "by a test", "lastTransitionTime": now}
    patch = {"status": {"conditions": [one for one in status["conditions"] if one["type"] != "Issuing"] + [asks]}}
    kubectl("-n", NAMESPACE, "patch", f"certificate/{name}", "--subresource=status", "--type=merge", "-p", json.dumps(patch))
    return wait(lambda: (found := issued(secret)) != was and found, f"a new certificate of {name}", 60)


def lost(secret):
    """Deletes a Secret of cert-manager's. -> the certificate in the new one"""
    was = issued(secret)
    kubectl("-n", NAMESPACE, "delete", "secret", secret)
    return wait(lambda: (found := issued(secret)) != was and found, f"another {secret}", 60)


def brought(certificate):
    """Waits until every replica answers with this certificate, which its end tells from others."""
    [end] = re.findall("notAfter=(.*)", openssl("x509", "-noout", "-enddate", stdin=certificate))
    end = datetime.datetime.strptime(end, "%b %d %H:%M:%S %Y GMT").replace(tzinfo=datetime.timezone.utc).timestamp()

    def served(pod):
        path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod['metadata']['name']}:8080/proxy/metrics"
        found = re.search("^lastout_webhook_certificate_not_after_seconds (.*)", kubectl("get", "--raw", path), re.M)
        return found and float(found[1]) == end

    wait(lambda: all(served(pod) for pod in replicas()), f"the replicas have the certificate until {end}", BROUGHT)


def signed(certificate):
    """Every caBundle trusts this certificate."""
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as leaf:
        leaf.write(certificate)
        leaf.flush()
        for bundle in trusted():
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as authority:
                authority.write(bundle)
                authority.flush()
                openssl("verify", "-CAfile", authority.name, "-verify_hostname", f"{NAME}.{NAMESPACE}.svc", leaf.name)


@alone
def webhook_certificate_of_cert_manager_is_renewed_without_a_failed_admission(stage):
    with asked(stage, "issued") as there, cert_manager(), webhook(stage, "--certificates", "cert-manager") as things:
        answers(there.namespace)
        check(not {"Role", "ClusterRole"} & {thing["kind"] for thing in things}, "it needs no right")
        for kind, count in (("issuers", 2), ("certificates", 2)):
            found = objects_of(kind)
            check(len(found) == count and all(map(is_ready, found)), f"not all of {count} {kind} are ready: {found}")
        signed(issued())
        there.create(job_in(there, "issued"))
        completes_wrapped(there, "issued")
        before = restarts()
        with Load(there.namespace) as load:
            brought(renew(NAME, SECRET))
            lost(AUTHORITY)
            # cert-manager signs nothing again because of a new authority.
            brought(lost(SECRET))
            load.at_least(50)
        load.without_failure()
        signed(issued())
        print(f"e2e: {load.done} admissions over 3 certificates of cert-manager's", flush=True)
        check(restarts() == before, f"restarts: {before}, then {restarts()}")


@alone
def webhook_authority_of_an_older_cert_manager_is_renewed_without_a_failed_admission(stage):
    """Before 1.19 its injector writes the new authority instead of the old one, not beside it: the API server trusts it at once,
    and the replicas answer with what the old one has signed for a minute."""
    with (
        asked(stage, "older") as there,
        cert_manager("CAInjectorMerging=false"),
        webhook(stage, "--certificates", "cert-manager"),
    ):
        answers(there.namespace)
        with Load(there.namespace) as load:
            was = trusted()
            renew(AUTHORITY, AUTHORITY)
            new = renew(NAME, SECRET)
            wait(lambda: trusted() != was, "the new authority is trusted", 60)
            brought(new)
            load.at_least(50)
        load.without_failure()
        check(trusted() == [issued(AUTHORITY)] * len(was), f"not only the new authority is trusted: {trusted()}")
        signed(new)


@alone
def webhook_chart_with_cert_manager_is_installed(stage):
    helm, chart = tools("helm4"), os.path.join(ROOT, "charts", "lastout")
    words = [f"image=localhost/lastout:{version()}", f"helperImage=localhost/kubectl-lastout:{version()}", "certificates.from=cert-manager"]
    with asked(stage, "chart") as there, cert_manager():
        free()
        try:
            done = subprocess.run(
                [helm, "install", "lastout", chart, "-n", NAMESPACE, "--create-namespace", "--wait", "--timeout", "120s"]
                + [word for value in words for word in ("--set", value)],
                capture_output=True, text=True, timeout=180,
            )  # fmt: skip
            check(done.returncode == 0, f"{done.stderr}\n{evidence()}")
            answers(there.namespace)
            signed(issued())
        finally:
            subprocess.run([helm, "uninstall", "lastout", "-n", NAMESPACE, "--wait"], capture_output=True, timeout=180)
            kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false", check=False)
            free()
