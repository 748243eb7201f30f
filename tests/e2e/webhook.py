"""The admission webhook in a real cluster: its bundle by kubectl and by Helm, which pods, and beside other injectors."""

import base64
import json
import os
import subprocess
import tempfile

import ground
from bundle import (
    NAME, NAMESPACE, answers, asked, evidence, free, is_changed, job_in, openssl, replicas, tools, trusted,
    webhook,
)  # fmt: skip
from cluster import Failure, kubectl
from ground import INJECT, SIDES, documents, dry, dry_all, is_marked, namespace, plugin, pod, policies, wait
from injected import completes_wrapped, manifest, told_of
from policies import comparable, pods_of_manifests
from stage import ROOT, alone, check, container, only, version

ENABLED = {INJECT: "enabled"}


@alone
def webhook_bundle_is_applied_at_once_and_jobs_complete(stage):
    with asked(stage, "label", ENABLED) as by_label, asked(stage, "unlabelled") as silent:
        with webhook(stage):
            answers(silent.namespace)
            by_label.apply(manifest("plain.yaml", "by-namespace"))
            silent.create(job_in(silent, "by-pod"))
            for there, job in ((by_label, "by-namespace"), (silent, "by-pod")):
                completes_wrapped(there, job)


@alone
def webhook_changes_pods_that_ask_or_whose_namespace_does(stage):
    with asked(stage, "enabled", ENABLED) as asks, asked(stage, "mute") as silent, webhook(stage):
        answers(silent.namespace)
        for there, labels, expected in [
            (asks, {}, True), (asks, {INJECT: "true"}, True), (asks, {INJECT: "false"}, False),
            (silent, {}, False), (silent, {INJECT: "true"}, True), (silent, {INJECT: "enabled"}, False),
        ]:  # fmt: skip
            made = dry(there.namespace, pod("x", SIDES, labels))
            check(is_changed(made) == expected, f"{there.namespace}, {labels}: {made['spec']['containers'][0]}")
        bare = pod("x", SIDES, {INJECT: "true"})
        del bare["metadata"]["labels"]["batch.kubernetes.io/job-name"]
        check(not is_changed(dry(asks.namespace, bare)), "it is no Job's")
        check(kubectl("-n", asks.namespace, "get", "pods", "-o", "name") == "", "a dry run leaves nothing")


@alone
def webhook_bundle_applied_again_changes_nothing(stage):
    with asked(stage, "again") as there, webhook(stage) as things:
        answers(there.namespace)
        before, listed = trusted(), {"apiVersion": "v1", "kind": "List", "items": things}
        check(all("BEGIN CERTIFICATE" in bundle for bundle in before), f"caBundle: {before}")
        was = contents(listed)
        kubectl("apply", "-f", "-", stdin=listed)
        check(contents(listed) == was, f"{was}, then {contents(listed)}")
        check(kubectl("diff", "-f", "-", stdin=listed, check=False) == "", "kubectl diff sees a difference")
        for words in (["--server-side", "--field-manager=argocd-controller", "--force-conflicts"], ["--server-side"]):
            kubectl("apply", *words, "-f", "-", stdin=listed)
            check(trusted() == before, "an apply has taken caBundle away")
            check(contents(listed) == was, f"{words}: {was}, then {contents(listed)}")
        answers(there.namespace)


def contents(listed):
    """-> what the API server has of these objects, without what it counts"""
    found = json.loads(kubectl("get", "-f", "-", "-o", "json", stdin=listed))["items"]
    return {
        f"{one['kind']}/{one['metadata']['name']}": {key: value for key, value in one.items() if key not in ("metadata", "status")}
        for one in found
    }  # fmt: skip


@alone
def webhook_chart_is_installed_tested_upgraded_and_taken_away(stage):
    for name in ("helm3", "helm4"):
        helm, chart = tools(name), os.path.join(ROOT, "charts", "lastout")
        free()
        values = [f"image=localhost/lastout:{version()}", f"helperImage=localhost/kubectl-lastout:{version()}"]
        words = [word for value in values for word in ("--set", value)]

        def run(*more):
            done = subprocess.run([helm, *more, "-n", NAMESPACE], capture_output=True, text=True, timeout=180)
            if done.returncode != 0:
                raise Failure(f"{name} {' '.join(more)}: {done.stdout}{done.stderr}\n{evidence()}")
            return done.stdout

        with asked(stage, name) as there:
            try:
                told = run("install", "lastout", chart, *words, "--create-namespace", "--wait", "--timeout", "120s")
                check("the admission webhook, 2 replicas" in told, told)
                answers(there.namespace)
                check("Succeeded" in run("test", "lastout"), "helm test")
                before = trusted()
                run("upgrade", "lastout", chart, *words, "--set", "webhook.replicas=1", "--wait", "--timeout", "120s")
                check(trusted() == before, "an upgrade has taken caBundle away")
                wait(lambda: len(replicas()) == 1, "one replica", 60)
                answers(there.namespace)
            finally:
                subprocess.run([helm, "uninstall", "lastout", "-n", NAMESPACE, "--wait"], capture_output=True, timeout=180)
                kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false", check=False)
            wait(lambda: is_plain(there.namespace), "it is taken away", 30)
            left = kubectl("get", "clusterrole,clusterrolebinding,mutatingwebhookconfiguration", "-l", "app.kubernetes.io/name=lastout", "-o", "name")
            check(left == "", f"left: {left}")


def is_plain(where):
    """The API server asks nobody any more."""
    try:
        return not is_changed(dry(where, pod("x", SIDES, {INJECT: "true"})))
    except Failure:
        return False


@alone
def webhook_with_a_certificate_of_ones_own(stage):
    with tempfile.TemporaryDirectory() as folder, asked(stage, "own") as there:
        key, certificate = os.path.join(folder, "tls.key"), os.path.join(folder, "tls.crt")
        openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=own",
            "-addext", f"subjectAltName=DNS:{NAME}.{NAMESPACE}.svc", "-keyout", key, "-out", certificate,
        )  # fmt: skip
        data = {}
        for name, path in (("tls.crt", certificate), ("tls.key", key)):
            with open(path, "rb") as f:
                data[name] = base64.b64encode(f.read()).decode()
        secret = {
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "data": data,
            "metadata": {"name": "own", "namespace": NAMESPACE},
        }  # fmt: skip
        options = ("--certificates", "secret", "--tls-secret", "own", "--ca-bundle", certificate)
        with webhook(stage, *options, change=lambda things: things.insert(1, secret)) as things:
            answers(there.namespace)
            kinds = {thing["kind"] for thing in things}
            check(not {"Role", "ClusterRole"} & kinds, f"it needs no right: {kinds}")


@alone
def webhook_between_two_injectors_lets_the_job_complete(stage):
    with asked(stage, "between", ENABLED) as there, webhook(stage):
        answers(there.namespace)
        job = job_in(there, "between", asks=False)
        early, late = (container(job, name) for name in ("cloud-sql-proxy", "envoy"))
        only(job, "main")
        with ground.webhook(stage, there.namespace, [early]), ground.webhook(stage, there.namespace, [late], "zzz-"):
            there.create(job, "between")
            done = completes_wrapped(there, "between")
            told_of(there, done, "cloud-sql-proxy", "envoy")


@alone
def webhook_changes_the_pods_of_a_job_from_a_cronjob(stage):
    with asked(stage, "cron", ENABLED) as there, webhook(stage):
        answers(there.namespace)
        cron = {
            "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly"},
            "spec": {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": job_in(there, "nightly", asks=False)["spec"]}},
        }  # fmt: skip
        there.create(cron)
        kubectl("-n", there.namespace, "create", "job", "by-hand", "--from=cronjob/nightly")
        completes_wrapped(there, "by-hand")


@alone
def webhook_makes_the_same_of_each_manifest_as_inject_and_the_policy(stage):
    pods = pods_of_manifests()
    check(len(pods) > 20, f"only {sorted(pods)}")
    text = documents(pods.values())
    with asked(stage, "by-webhook", ENABLED) as there, namespace(stage, "by-inject") as other, namespace(stage, "by-policy", ENABLED) as third:
        for options in [("--mode", "wrap"), ("--mode", "wrap", "--delivery", "image-volume"), ("--mode", "native"), ("--mode", "auto")]:
            expected, _ = dry_all(other.namespace, plugin(stage, "inject", "-", *options, stdin=text))
            with webhook(stage, *options):
                answers(there.namespace)
                found, refused = dry_all(there.namespace, text)
            check(found.keys() == expected.keys(), f"{found.keys() ^ expected.keys()}: {refused}")
            changed = 0
            for name, made in found.items():
                check(comparable(made) == comparable(expected[name]), f"{options}, {name}: {json.dumps(made)}, {json.dumps(expected[name])}")
                changed += is_marked(made)
            check(changed > 5, f"{options}: only {changed} are changed")
            if options[1] == "auto":
                continue
            asked_of_policy = options if options[1] == "native" else options[2:]
            with policies(stage, [third.namespace], *asked_of_policy):
                by_policy, _ = dry_all(third.namespace, text)
            # What a policy cannot do it leaves alone, and policies.py says what that is.
            both = [name for name, made in by_policy.items() if is_marked(made)]
            check(len(both) > 5, f"{options}: the policy changes {both}")
            for name in both:
                check(comparable(by_policy[name]) == comparable(found[name]), f"{options}, {name}: the policy makes another pod")
