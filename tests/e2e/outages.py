"""What happens when the webhook, its certificates or the API server fail."""

import base64
import json
import os
import subprocess
import tempfile
import time

from bundle import (
    CONFIGURATION, NAME, NAMESPACE, Load, answers, asked, is_changed, job_in, openssl, ready, replicas,
    scale, spec_of_replicas, trusted, webhook,
)  # fmt: skip
from cluster import Failure, kubectl, restart_api_server
from ground import INJECT, wait
from injected import completes_wrapped, ended, manifest
from stage import alone, check

ENABLED = {INJECT: "enabled"}
SECRET = "lastout-webhook-ca"


@alone
def webhook_away_pods_that_ask_are_created_when_it_is_back(stage):
    with asked(stage, "fail") as there, webhook(stage):
        answers(there.namespace)
        scale(0)
        there.create(job_in(there, "patient"))

        def told():
            events = kubectl("-n", there.namespace, "get", "events", "--field-selector=reason=FailedCreate", "-o", "jsonpath={.items[*].message}")
            return "pods.webhook.lastout.dev" in events and events

        check("failed calling webhook" in wait(told, "an event tells why there is no pod", 60), "the event")
        check(kubectl("-n", there.namespace, "get", "pods", "-o", "name") == "", "no pod without it")
        scale(2)
        completes_wrapped(there, "patient")


@alone
def webhook_away_pods_of_labelled_namespaces_go_on_without_and_doctor_tells(stage):
    with asked(stage, "ignore", ENABLED) as there, webhook(stage):
        answers(there.namespace)
        scale(0)
        started = time.monotonic()
        there.apply(manifest("plain.yaml", "impatient"))
        made = there.pod(there.pod_of("impatient"))
        check(time.monotonic() - started < 15, "it took long to go on without")
        check(not is_changed(made), "nobody was there")
        there.until_state(made["metadata"]["name"], "main", "terminated")

        def listed():
            program = os.path.join(stage.images, "kubectl-lastout")
            done = subprocess.run([program, "doctor", "-n", there.namespace], capture_output=True, text=True, timeout=60)
            return "impatient" in done.stdout and done.returncode == 1

        wait(listed, "doctor tells of the Job that hangs", 60)
        scale(2)
        answers(there.namespace)


@alone
def webhook_replicas_are_replaced_without_a_failed_admission(stage):
    with asked(stage, "killed") as there, webhook(stage):
        answers(there.namespace)
        with Load(there.namespace) as load:
            for _ in range(2):
                kubectl("-n", NAMESPACE, "rollout", "restart", f"deployment/{NAME}")
                ready()
                load.at_least(50)
        load.without_failure()


@alone
def webhook_replica_killed_under_load_costs_a_moment_and_no_job(stage):
    """SIGKILL: it says good-bye to nobody, and the API server goes on asking it until its endpoint is gone."""
    with asked(stage, "dies") as there, webhook(stage, change=share_processes):
        answers(there.namespace)
        victim = replicas()[0]["metadata"]["name"]
        before = sum(restarts().values())
        with Load(there.namespace) as load:
            load.at_least(50)
            kubectl("-n", NAMESPACE, "debug", victim, "--profile=restricted", "--image=localhost/report:1", "--", "/app/report", "--kill", "kubectl-lastout")
            there.create(job_in(there, "meanwhile"))
            wait(lambda: sum(restarts().values()) > before, "the kubelet starts it again", 60)
            ready()
            failed = len(load.failures)
            load.at_least(200)
        check(all("failed calling webhook" in one for one in load.failures[:failed]), f"another failure: {load.failures[:3]}")
        check(len(load.failures) == failed, f"failures after it was back: {load.failures[failed:][:3]}")
        print(f"e2e: {failed} of {load.done} admissions failed, as one of two replicas was killed", flush=True)
        completes_wrapped(there, "meanwhile")


def share_processes(things):
    """One container of the pod sees the processes of the other."""
    spec_of_replicas(things)["shareProcessNamespace"] = True


@alone
def webhook_rotates_its_certificates_ten_times_under_load(stage):
    lives = ["--certificate-lifetime=6s", "--ca-lifetime=24s"]
    with asked(stage, "rotated") as there, webhook(stage, arguments=lives):
        answers(there.namespace)
        before = {one["metadata"]["uid"]: 0 for one in replicas()}
        with Load(there.namespace) as load:
            seen = authorities()
            started = time.monotonic()
            while len(seen) < 11:
                seen |= authorities()
                if time.monotonic() - started > 400:
                    raise Failure(f"only {len(seen)} authorities within 400 s")
                time.sleep(0.2)
            load.at_least(50)
        load.without_failure()
        print(f"e2e: {load.done} admissions over {len(seen) - 1} new authorities, {time.monotonic() - started:.0f} s", flush=True)
        check(restarts() == before, f"restarts: {restarts()}")


def authorities():
    """-> the certificates that the Secret has now"""
    secret = json.loads(kubectl("-n", NAMESPACE, "get", "secret", SECRET, "-o", "json"))
    return certificates(base64.b64decode(secret["data"]["ca.crt"]).decode())


def certificates(text):
    return {part.strip() for part in text.split("-----BEGIN CERTIFICATE-----")[1:]}


def restarts():
    return {one["metadata"]["uid"]: sum(s["restartCount"] for s in one["status"].get("containerStatuses", [])) for one in replicas()}


@alone
def webhook_recovers_from_a_lost_a_damaged_and_an_expired_authority_without_a_restart(stage):
    with asked(stage, "mended") as there, webhook(stage):
        answers(there.namespace)
        before = restarts()
        for harm in (delete, damage, expire, forget):
            harmful, foreign = harm()

            def mended(harmful=harmful, foreign=foreign):
                try:
                    now = authorities()
                except (Failure, KeyError, ValueError):
                    return False
                bundles = [certificates(text) for text in trusted()]
                return now and not now & harmful and all(bundle >= now and not (bundle & foreign) for bundle in bundles)

            wait(mended, f"{harm.__name__}: an authority that the API server trusts", 60)
            answers(there.namespace)
            with Load(there.namespace) as load:
                load.at_least(100)
            load.without_failure()
        check(restarts() == before, f"restarts: {restarts()}, before {before}")


def delete():
    """-> what must not be in the Secret any more, what not in the configuration"""
    there = authorities()
    kubectl("-n", NAMESPACE, "delete", "secret", SECRET)
    return there, set()


def damage():
    harm = "-----BEGIN CERTIFICATE-----\nnonsense\n"
    put(**{"ca.crt": harm})
    return certificates(harm), set()


def put(**texts):
    data = {name: base64.b64encode(text.encode()).decode() for name, text in texts.items()}
    kubectl("-n", NAMESPACE, "patch", "secret", SECRET, "--type=merge", "-p", json.dumps({"data": data}))


def expire():
    """An authority whose days are over takes the place of the one that is there."""
    with tempfile.TemporaryDirectory() as folder:
        here = lambda name: os.path.join(folder, name)  # noqa: E731
        with open(here("settings"), "w", encoding="utf-8") as f:
            f.write(
                f"[ca]\ndefault_ca=old\n[old]\ndatabase={here('index')}\nserial={here('serial')}\nnew_certs_dir={folder}\n"
                "default_md=sha256\npolicy=any\nx509_extensions=authority\n[any]\ncommonName=supplied\n"
                "[authority]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n"
                "[req]\ndistinguished_name=name\n[name]\n"
            )
        open(here("index"), "w").close()
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", here("key"))
        openssl("req", "-new", "-config", here("settings"), "-key", here("key"), "-subj", "/CN=expired", "-out", here("request"))
        openssl(
            "ca", "-batch", "-notext", "-create_serial", "-selfsign", "-config", here("settings"), "-keyfile", here("key"),
            "-in", here("request"), "-startdate", "20240101000000Z", "-enddate", "20240102000000Z", "-out", here("certificate"),
        )  # fmt: skip
        with open(here("certificate"), encoding="utf-8") as certificate, open(here("key"), encoding="utf-8") as key:
            text = certificate.read()
            put(**{"ca.crt": text, "ca.key": key.read()})
    return certificates(text), set()


def forget():
    """Somebody writes another authority into the configuration."""
    text = openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "/dev/null", "-subj", "/CN=foreign")
    foreign = base64.b64encode(text.encode()).decode()
    changes = [{"op": "replace", "path": f"/webhooks/{at}/clientConfig/caBundle", "value": foreign} for at in range(2)]
    kubectl("patch", "mutatingwebhookconfiguration", CONFIGURATION, "--type=json", "-p", json.dumps(changes))
    return set(), certificates(text)


@alone
def webhook_goes_on_after_the_api_server_was_restarted(stage):
    with asked(stage, "restarted", ENABLED) as there, webhook(stage):
        answers(there.namespace)
        before = restarts()
        restart_api_server()
        answers(there.namespace)
        # It watches again: what is taken away now is put back.
        delete()
        wait(lambda: kubectl("-n", NAMESPACE, "get", "secret", SECRET, "--ignore-not-found", "-o", "name"), "the authority", 90)
        there.apply(manifest("plain.yaml", "after"))
        ended(there.job_ends("after", "Complete"))
        check(restarts() == before, f"restarts: {restarts()}, before {before}")
