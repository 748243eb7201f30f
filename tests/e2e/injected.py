"""Manifests as people write them (manifests/): they hang, and what `kubectl lastout inject` makes of them completes."""

import json
import os
import subprocess

import cluster
from cluster import Failure, Skip, kubectl
from stage import (
    ROOT, all_gone, as_pod, case, check, container, finished, hang, never_restarted, only, sidecars, spec_of, version,
)  # fmt: skip

TERMINATED_BY_KUBELET = 143  # what Cloud SQL's proxy makes of SIGTERM
NATIVE = ("--kube-version", "1.33")  # of the oldest node
IMAGE_VOLUME = ("--mode", "wrap", "--kube-version", "1.36")


def manifest(file, job):
    """-> a manifest's text, in which the Job has this name"""
    with open(os.path.join(ROOT, "tests", "e2e", "manifests", file), encoding="utf-8") as f:
        return f.read().replace("nightly-report", job)


def inject(stage, text, *options):
    """-> what the plugin, found by kubectl, makes of a manifest"""
    command = ["lastout", "inject", "-", "--image", f"localhost/lastout:{version()}", *options]
    found = {**os.environ, "PATH": f"{stage.images}:{os.environ['PATH']}"}
    done = subprocess.run(
        [cluster.KUBECTL, *command], input=text, env=found, capture_output=True, text=True, timeout=60
    )
    if done.returncode != 0:
        raise Failure(f"kubectl {' '.join(command)}: {done.stderr}")
    check("injected-" in done.stderr, f"nothing was injected: {done.stderr}")
    return done.stdout


def start(stage, file, job, *options):
    """Applies what the plugin makes of a manifest, to the byte. -> the Job's name"""
    stage.apply(inject(stage, manifest(file, job), *options))
    return job


def read(text):
    """-> the object, as kubectl reads it"""
    thing = json.loads(kubectl("create", "--dry-run=client", "-o", "json", "-f", "-", stdin=text))
    thing["metadata"].pop("namespace", None)  # kubectl adds the one of its context
    return thing


def ended(pod, **expected):
    """All containers, native sidecars as well, have ended with these codes; those that are not named with 0."""
    have = {s["name"]: s["state"].get("terminated", {}).get("exitCode") for s in cluster.statuses(pod)}
    want = {name: expected.get(name.replace("-", "_"), 0) for name in have}
    check(have == want, f"exit codes {have}, expected {want}")


def wrapped(stage, pod, *mains):
    """lastout has run these, and has seen their sidecars go."""
    for main in mains or ["main"]:
        check(container(pod, main)["command"][0] == "/.lastout/lastout", f"{main} is not wrapped")
    last = max(mains or ["main"], key=lambda main: finished(pod, main))
    all_gone(stage.report(pod["metadata"]["name"], last))


def completes_wrapped(stage, job, *mains):
    """The Job completes, its containers have ended as they should, and these mains were wrapped. -> its pod"""
    pod = stage.job_ends(job, "Complete")
    ended(pod)
    wrapped(stage, pod, *mains)
    return pod


def told_of(stage, pod, *names):
    """These are the sidecars that lastout was told of."""
    found = sidecars(stage.report(pod["metadata"]["name"])).keys()
    check(found == set(names), f"it was told of {found}")


def native(pod, *names):
    """These are the native sidecars, and nothing else was added; each has ended after main."""
    found = [one["name"] for one in pod["spec"].get("initContainers", []) if one.get("restartPolicy") == "Always"]
    check(found == list(names), f"native sidecars: {found}")
    check(not any(volume["name"] == "lastout" for volume in pod["spec"]["volumes"]), "it is wrapped, too")
    for name in names:
        check(finished(pod, name) >= finished(pod, "main"), f"{name} ended before main")


def restarted_once(pod, code):
    """main was, after this code, and nobody else."""
    counts = {s["name"]: s["restartCount"] for s in cluster.statuses(pod)}
    check(counts == {name: int(name == "main") for name in counts}, f"restarts: {counts}")
    [main] = [s for s in cluster.statuses(pod) if s["name"] == "main"]
    check(main["lastState"]["terminated"]["exitCode"] == code, f"its first life: {main['lastState']}")


@case
def the_same_manifests_hang_when_nothing_is_injected(stage):
    # A main that began before its proxy has failed, for nobody made it wait, and that is no way out either. Not those
    # that are restarted: how often they are is a matter of luck.
    jobs = {"plain.yaml": ["main"], "two-mains.yaml": ["import", "report"]}
    if stage.has_image("istio-proxy"):
        jobs["mesh.yaml"] = ["main"]
    hanging = {f"plain-{number}": mains for number, mains in enumerate(jobs.values())}
    for file, job in zip(jobs, hanging):
        stage.apply(manifest(file, job))
    hang(stage, hanging)
    kubectl("-n", stage.namespace, "delete", "job", *hanging, "--wait=false")


@case
def injected_by_an_init_container_completes(stage):
    pod = stage.job_ends(start(stage, "plain.yaml", "injected-init"), "Complete")
    ended(pod)
    never_restarted(pod)
    wrapped(stage, pod)
    log = stage.log(pod["metadata"]["name"], "main")
    check("report for yesterday" in log, f"main has its arguments and variables: {log}")


@case
def injected_by_an_image_volume_completes(stage):
    pod = stage.job_ends(
        stage.with_image_volume(lambda: start(stage, "plain.yaml", "injected-image", *IMAGE_VOLUME)), "Complete"
    )
    check("initContainers" not in pod["spec"], "nothing is copied")
    ended(pod)
    never_restarted(pod)
    wrapped(stage, pod)


@case
def injected_as_native_sidecars_completes(stage):
    pod = stage.job_ends(start(stage, "plain.yaml", "injected-native", *NATIVE), "Complete")
    ended(pod, cloud_sql_proxy=TERMINATED_BY_KUBELET)
    never_restarted(pod)
    native(pod, "cloud-sql-proxy", "envoy")


@case
def injected_json_fails_with_the_exit_code_of_main(stage):
    job = read(manifest("two-mains.yaml", "injected-exit-5"))
    only(job, "report", "cloud-sql-proxy")
    container(job, "report")["args"] = ["--exit", "5"]
    stage.apply(inject(stage, json.dumps(job)))
    pod = stage.job_ends("injected-exit-5", "Failed")
    ended(pod, report=5)
    wrapped(stage, pod, "report")


@case
def injected_group_of_two_mains_completes(stage):
    pod = stage.job_ends(start(stage, "two-mains.yaml", "injected-two"), "Complete")
    ended(pod)
    never_restarted(pod)
    check(finished(pod, "import") < finished(pod, "report"), "the first main left at once")
    check(finished(pod, "cloud-sql-proxy") >= finished(pod, "report") - 1, "the proxy stayed for the second one")
    wrapped(stage, pod, "import", "report")


@case
def injected_where_the_pod_is_roots_and_one_main_another_users_completes(stage):
    text = manifest("two-mains.yaml", "injected-users")
    text = text.replace("Never\n", "Never\n            securityContext: {runAsUser: 0}\n", 1)
    text = text.replace("name: import\n", "name: import\n                  securityContext: {runAsUser: 4711}\n", 1)
    stage.apply(inject(stage, text))
    pod = stage.job_ends("injected-users", "Complete")
    ended(pod)
    check(container(pod, "lastout")["securityContext"].get("runAsUser") == 65532, "the init container is not root's")
    wrapped(stage, pod, "import", "report")


@case
def injected_on_failure_restarts_main_beside_its_sidecar(stage):
    pod = stage.job_ends(start(stage, "on-failure.yaml", "injected-retry"), "Complete")
    ended(pod)
    restarted_once(pod, 5)
    wrapped(stage, pod)


@case
def injected_on_failure_as_native_sidecars_restarts_main_beside_its_sidecar(stage):
    pod = stage.job_ends(start(stage, "on-failure.yaml", "injected-retry-native", *NATIVE), "Complete")
    ended(pod, cloud_sql_proxy=TERMINATED_BY_KUBELET)
    restarted_once(pod, 5)
    native(pod, "cloud-sql-proxy")


@case
def injected_with_a_restart_rule_restarts_main_beside_its_sidecar(stage):
    text = inject(stage, manifest("restart-rule.yaml", "injected-rule"))
    try:
        stage.apply(text)
    except Failure as failure:
        if "restartPolicy" not in str(failure):
            raise
        raise Skip(f"no restart rules of containers here: {failure}") from failure
    if "restartPolicyRules" not in container(stage.pod(stage.pod_of("injected-rule")), "main"):
        raise Skip("no restart rules of containers here: the API server dropped them")
    pod = stage.job_ends("injected-rule", "Complete")
    ended(pod)
    restarted_once(pod, 42)
    wrapped(stage, pod)


@case
def injected_in_a_restricted_namespace_completes(stage):
    stage = stage.restricted()
    for name, options in {"injected-init": (), "injected-native": NATIVE}.items():
        start(stage, "restricted.yaml", name, *options)
    pod = completes_wrapped(stage, "injected-init")
    pod = stage.job_ends("injected-native", "Complete")
    ended(pod, cloud_sql_proxy=TERMINATED_BY_KUBELET)
    native(pod, "cloud-sql-proxy")


@case
def injected_in_a_namespace_with_a_quota_completes_with_inherited_resources(stage):
    stage = stage.others("quota")
    text = manifest("quota.yaml", "injected-quota")
    job, limits = text.split("---\n", 1)
    stage.apply(limits)
    kubectl("-n", stage.namespace, "wait", "--for=jsonpath={.status.hard.pods}=1", "resourcequota/at-most")
    # What the init container asks for by default is less than this namespace lets a container have.
    pod = as_pod(read(inject(stage, job)), "too-little")
    try:
        kubectl("-n", stage.namespace, "create", "--dry-run=server", "-f", "-", stdin=pod)
    except Failure as refused:
        check("minimum cpu usage per Container is 50m" in str(refused), str(refused))
    else:
        raise Failure("the namespace has no least amount of CPU")
    stage.apply(inject(stage, text, "--resources", "inherit"))
    completes_wrapped(stage, "injected-quota")


@case
def injected_cron_job_with_an_annotated_command_completes(stage):
    start(stage, "cronjob.yaml", "injected-cron")
    kubectl("-n", stage.namespace, "create", "job", "injected-cron-run", "--from=cronjob/injected-cron")
    completes_wrapped(stage, "injected-cron-run")


@case
def injected_beside_a_plain_istio_proxy_completes(stage):
    in_the_mesh(stage)
    pod = stage.job_ends(start(stage, "mesh.yaml", "injected-mesh"), "Complete")
    ended(pod)
    never_restarted(pod)
    wrapped(stage, pod)


@case
def injected_before_istio_adds_its_proxy_completes_with_and_without_it(stage):
    in_the_mesh(stage)
    text = inject(stage, manifest("announced.json", "injected-announced"))
    job = read(text)
    proxied = spec_of(read(manifest("mesh.yaml", "mesh")))
    spec_of(job).setdefault("volumes", []).extend(proxied["volumes"])
    spec_of(job)["containers"] += [c for c in proxied["containers"] if c["name"] == "istio-proxy"]
    stage.create(job, "injected-announced-comes")
    stage.apply(text)
    pod = stage.job_ends("injected-announced", "Complete")
    ended(pod)
    check(sidecars(stage.report(pod["metadata"]["name"]))["istio"]["absent"], "istio was taken as absent")
    completes_wrapped(stage, "injected-announced-comes")


def in_the_mesh(stage):
    if not stage.has_image("istio-proxy"):
        raise Skip("no pilot-agent at hand (scripts/sidecars pilot-agent)")
