"""The helper container: it watches its pod through the API server, and stops the sidecars after the mains."""

import json

import cluster
from cluster import kubectl
from injected import ended, inject, manifest
from stage import case, check, codes, container, hang, never_restarted, spec_of, version

HELPER = "lastout-helper"


def read(text):
    """-> the objects of a manifest, as kubectl reads them"""
    rest, objects = kubectl("create", "--dry-run=client", "-o", "json", "-f", "-", stdin=text).strip(), []
    while rest:
        thing, end = json.JSONDecoder().raw_decode(rest)
        thing["metadata"].pop("namespace", None)  # kubectl adds the one of its context
        objects.append(thing)
        rest = rest[end:].strip()
    return objects


def account(stage, name, may_watch=True):
    """A service account of its own, with the Role that the plugin prints, or without."""
    kubectl("-n", stage.namespace, "create", "serviceaccount", name)
    if may_watch:
        allow(stage, name)


def allow(stage, name):
    roles = cluster.subprocess.run(
        [f"{stage.images}/kubectl-lastout", "manifests", "--helper", "-n", stage.namespace, "--service-account", name],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    # One binding for each account: the tests run side by side.
    stage.apply(roles.replace("name: lastout-helper", f"name: lastout-helper-{name}"))


def start(stage, file, job, *options, may_watch=True, args=None, change=lambda job: None):
    """A Job whose main is not wrapped, but watched. -> its name"""
    account(stage, job, may_watch)
    image = f"localhost/kubectl-lastout:{version()}"
    *others, thing = read(inject(stage, manifest(file, job), "--mode", "helper", "--helper-image", image, *options))
    for other in others:
        stage.create(other)
    spec_of(thing)["serviceAccountName"] = job
    # Nobody makes this main wait for its proxies, so it does not need them.
    container(thing, "main").update(command=["/app/report"], args=args or ["--run", "1s"])
    change(thing)
    stage.create(thing)
    return job


def stopped(stage, pod, main, code=0):
    log = stage.log(pod["metadata"]["name"], HELPER)
    check(f"{main} ended with {code}: stopping" in log, f"the helper's log: {log}")
    check(container(pod, main).get("command", [""])[0] != "/.lastout/lastout", f"{main} is wrapped")


@case
def a_helper_ends_the_sidecars_of_a_main_that_succeeded(stage):
    pod = stage.job_ends(start(stage, "plain.yaml", "helped"), "Complete")
    ended(pod)
    stopped(stage, pod, "main")


@case
def a_helper_as_native_sidecar_ends_with_the_pod(stage):
    pod = stage.job_ends(start(stage, "plain.yaml", "helped-native", "--kube-version", "1.33"), "Complete")
    check(HELPER not in codes(pod), "it is no plain container")
    ended(pod)
    stopped(stage, pod, "main")


@case
def a_helper_ends_the_sidecars_of_a_main_that_failed_for_good(stage):
    def fails(job):
        job["spec"]["backoffLimit"] = 0

    pod = stage.job_ends(start(stage, "plain.yaml", "helped-5", args=["--exit", "5"], change=fails), "Failed")
    ended(pod, main=5)
    stopped(stage, pod, "main", 5)


@case
def a_helper_waits_for_the_last_try_of_a_main_that_is_restarted(stage):
    args = ["--fail-once", "/state/tried", "5", "--run", "1s"]
    pod = stage.job_ends(start(stage, "on-failure.yaml", "helped-again", args=args), "Complete")
    ended(pod)
    [main] = [status for status in cluster.statuses(pod) if status["name"] == "main"]
    check(main["restartCount"] == 1, f"main was restarted {main['restartCount']} times")
    stopped(stage, pod, "main")


@case
def a_helper_stays_with_a_main_that_fails_for_ever(stage):
    def gives_up(job):
        job["spec"]["backoffLimit"] = 2

    job = start(stage, "on-failure.yaml", "helped-never", args=["--exit", "5"], change=gives_up)
    # The Job's controller ends it: it deletes the pod, whose helper has asked nobody.
    pod = stage.job_ends(job, "Failed")
    [main] = [status for status in cluster.statuses(pod) if status["name"] == "main"]
    check(main["restartCount"] >= 2, f"main was restarted {main['restartCount']} times")
    never_restarted(pod, "cloud-sql-proxy", HELPER)


@case
def a_helper_without_rights_says_so_and_works_when_it_has_them(stage):
    job = start(stage, "plain.yaml", "helped-late", may_watch=False)
    pod = stage.pod_of(job)
    stage.until_log(pod, HELPER, "manifests --helper` prints the Role that it needs")
    hang(stage, {job: ["main"]})
    lines = [line for line in stage.log(pod, HELPER).splitlines() if "forbidden" in line]
    check(len(lines) == 1, f"it says so once: {lines}")
    allow(stage, job)
    stopped(stage, stage.job_ends(job, "Complete"), "main")


@case
def a_helper_has_a_token_where_the_pod_mounts_none(stage):
    def without(job):
        spec_of(job)["automountServiceAccountToken"] = False

    pod = stage.job_ends(start(stage, "plain.yaml", "helped-token", change=without), "Complete")
    stopped(stage, pod, "main")
    mounts = [mount["mountPath"] for mount in container(pod, "main").get("volumeMounts", [])]
    check("/var/run/secrets/kubernetes.io/serviceaccount" not in mounts, f"main has a token: {mounts}")
