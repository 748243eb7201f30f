"""Jobs that hang, each for another reason: `doctor` names it, and `rescue` completes those that can be, and only those."""

import json
import os
import subprocess

import cluster
from cluster import Failure, kubectl
from injected import inject, read
from stage import case, check, spec_of, version

ADMIN = "admin: {address: {socket_address: {address: 127.0.0.1, port_value: 9901}}}"
SOCKET = "admin: {address: {pipe: {path: /run/envoy/admin.sock}}}"
ENVOY = {"name": "envoy", "image": "localhost/envoy:1", "args": ["--config-yaml", ADMIN]}
PROXY = {
    "name": "cloud-sql-proxy", "image": "localhost/cloud-sql-proxy:2",
    "args": ["--health-check", "--http-address=0.0.0.0", "project:region:instance"],
}  # fmt: skip
QUITS = {**PROXY, "args": [*PROXY["args"], "--quitquitquit"]}
PATIENCE = 150  # a second main is told of after a minute, and the kubelet's back-off takes its time


def main(*args):
    return {"name": "main", "image": "localhost/report:1", "command": ["/app/report"], "args": list(args or ["--run", "1s"])}


def job(name, *containers, policy="Never", metadata=None, **spec):
    pod = {"restartPolicy": policy, "containers": list(containers), **spec}
    return {
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name},
        "spec": {"backoffLimit": 20, "template": {"metadata": metadata or {}, "spec": pod}},
    }  # fmt: skip


def wrapped(stage, thing):
    return read(inject(stage, json.dumps(thing)))


def jobs(stage):
    """-> {name: (the Job, its standing, its reason, whether it can be completed)}"""
    silent = main()
    del silent["command"]
    untold = wrapped(stage, job("not-told", main(), ENVOY))
    spec_of(untold)["containers"].append(QUITS)
    probe = {"httpGet": {"path": "/ready", "port": 9999}, "periodSeconds": 1, "failureThreshold": 3}
    unready = {**ENVOY, "restartPolicy": "Always", "startupProbe": probe}
    early = job("stop-policy", main("--exit", "5"), ENVOY, policy="OnFailure",
                metadata={"annotations": {"lastout.dev/stop-on": "always"}})  # fmt: skip
    broken = {**ENVOY, "args": ["--config-yaml", "no: such"]}
    nowhere = {"name": "tools", "image": {"reference": "localhost/nowhere:1", "pullPolicy": "Never"}}
    mounted = {**main(), "volumeMounts": [{"name": "tools", "mountPath": "/tools"}]}
    endless = {**main("--run", "900s"), "name": "fluent-bit"}
    shared = [{"name": "run", "mountPath": "/run/envoy"}]
    piped = {**ENVOY, "args": ["--config-yaml", SOCKET], "volumeMounts": shared, "securityContext": {"runAsUser": 4711}}
    by_socket = job("by-socket", main(), piped, volumes=[{"name": "run", "emptyDir": {}}],
                    metadata={"annotations": {"lastout.dev/sidecars": "envoy:socket=/run/envoy/admin.sock"}})  # fmt: skip
    rows = [
        (job("not-wrapped", main(), ENVOY), "hangs", "not-wrapped", True),
        (by_socket, "hangs", "not-wrapped", True),
        (job("no-command", silent, ENVOY), "hangs", "no-command", True),
        (job("opted-out", main(), ENVOY, metadata={"labels": {"lastout.dev/inject": "false"}}), "hangs", "opted-out", True),
        (untold, "hangs", "not-told", True),
        (wrapped(stage, job("not-switched-on", main(), PROXY)), "hangs", "not-switched-on", False),
        (job("no-endpoint", main(), endless), "hangs", "no-endpoint", False),
        (job("sidecar-crashes", main(), broken, policy="OnFailure"), "hangs", "sidecar-crashes", False),
        (wrapped(stage, early), "stuck", "stop-policy", False),
        (job("second-main", main(), {**main("--run", "900s"), "name": "shipper"}, ENVOY), "slow", "second-main", False),
        (job("startup-probe", main(), initContainers=[unready]), "stuck", "startup-probe", False),
        (job("image-missing", mounted, volumes=[{**nowhere}]), "stuck", "image-missing", False),
    ]
    return {thing["metadata"]["name"]: (thing, *rest) for thing, *rest in rows}


def plugin(stage, *words):
    """-> exit code, stdout, stderr"""
    found = {**os.environ, "PATH": f"{stage.images}:{os.environ['PATH']}"}
    command = [cluster.KUBECTL, "lastout", *words]
    done = subprocess.run(command, env=found, capture_output=True, text=True, timeout=240, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


def diagnosed(stage):
    """-> what doctor says of each Job of the namespace: {job: what}"""
    code, out, err = plugin(stage, "doctor", "-n", stage.namespace, "-o", "json")
    check(code in (0, 1), f"doctor: {err}")
    return code, {pod["job"]: pod for pod in json.loads(out)["pods"]}


def until_diagnosed(stage, expected):
    """Asks again until all are named as expected: each takes its own time to get where it hangs."""
    deadline = cluster.time.monotonic() + PATIENCE
    while True:
        code, found = diagnosed(stage)
        have = {name: (found[name]["standing"], found[name]["reason"]) for name in expected if name in found}
        if have == expected:
            check(code == 1, f"doctor's exit code is {code}")
            return found
        if cluster.time.monotonic() > deadline:
            wrong = {name: (have.get(name), what) for name, what in expected.items() if have.get(name) != what}
            raise Failure(f"doctor says, and should say: {wrong}")
        cluster.time.sleep(0.5)


@case
def doctor_names_why_each_of_twelve_jobs_hangs_and_rescue_completes_those_that_can_be(stage):
    all_of_them = jobs(stage)
    for thing, *_ in all_of_them.values():
        stage.create(thing)
    try:
        found = until_diagnosed(stage, {name: (row[1], row[2]) for name, row in all_of_them.items()})
        what_doctor_says_is_of_use(stage, found)
        rescued(stage, all_of_them)
    finally:
        kubectl("-n", stage.namespace, "delete", "job", *all_of_them, "--wait=false", check=False)


def what_doctor_says_is_of_use(stage, found):
    mend = f"kubectl lastout rescue -n {stage.namespace} pod/{found['not-wrapped']['pod']}"
    check(found["not-wrapped"]["mend"] == mend, f"mend: {found['not-wrapped']}")
    check("--quitquitquit" in found["not-switched-on"]["message"], f"message: {found['not-switched-on']}")
    check("localhost/nowhere:1" in found["image-missing"]["message"], f"message: {found['image-missing']}")
    check(found["startup-probe"]["containers"] == ["envoy"], f"sidecar: {found['startup-probe']}")
    code, out, _ = plugin(stage, "doctor", "-n", stage.namespace)
    [line] = [line for line in out.splitlines() if line.split()[1:2] == [found["not-wrapped"]["pod"]]]
    check(code == 1 and line.endswith(mend), f"doctor's table:\n{out}")


def rescued(stage, all_of_them):
    names = [f"job/{name}" for name in all_of_them]
    before = {name: stage.pod(stage.pod_of(name))["status"]["containerStatuses"] for name in all_of_them}
    code, out, err = plugin(stage, "rescue", "-n", stage.namespace, "job/not-wrapped")
    check(code == 2 and "--yes" in err and not out, f"without a terminal it is not done: {code} {out} {err}")
    image = f"localhost/lastout:{version()}"
    code, out, err = plugin(stage, "rescue", "-n", stage.namespace, "--yes", "--image", image, *names)
    said = f"{out}{err}"
    check(code == 1, f"rescue's exit code is {code}, and some cannot be completed:\n{said}")
    for name, (_, _, _, completes) in all_of_them.items():
        if completes:
            stage.job_ends(name, "Complete")
            check(f"job/{name}: Complete" in out, f"rescue does not tell how job/{name} ended:\n{said}")
        else:
            check(not stage.watch.get("jobs", name)["status"].get("conditions"), f"{name} has ended:\n{said}")
    for name in ("second-main", "stop-policy", "startup-probe", "image-missing"):
        pod = stage.pod_of(name)
        check(f"pod/{pod} is left alone: main " in err, f"rescue does not say why {name} is left alone:\n{said}")
    running = [s["name"] for s in before["second-main"] if "running" in s["state"]]
    now = stage.pod(stage.pod_of("second-main"))["status"]["containerStatuses"]
    check(running == [s["name"] for s in now if "running" in s["state"]], "a sidecar of a running main was ended")
    check("not switched on" in out, f"rescue does not say why not-switched-on runs on:\n{said}")


@case
def rescue_without_the_right_to_port_forward_asks_by_an_ephemeral_container(stage):
    stage.create(job("forbidden", main(), ENVOY))
    pod = stage.pod_of("forbidden")
    stage.until_state(pod, "main", "terminated")
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "rescuer"}, "rules": [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]},
        {"apiGroups": [""], "resources": ["pods/ephemeralcontainers"], "verbs": ["patch"]},
        {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
    ]}  # fmt: skip
    kubectl("-n", stage.namespace, "create", "-f", "-", stdin=role)
    kubectl("-n", stage.namespace, "create", "rolebinding", "rescuer", "--role=rescuer", "--user=somebody")
    image = f"localhost/lastout:{version()}"
    code, out, err = plugin(
        stage, "rescue", "-n", stage.namespace, "--as", "somebody", "--yes", "--image", image, f"pod/{pod}"
    )
    check(code == 0, f"rescue: {out}{err}")
    stage.job_ends("forbidden", "Complete")
    check("forbidden" in out and "ephemeral container" in out, f"it does not say what it may not do: {out}{err}")
    check(container_of(stage, pod)["args"][0] == "stop", "no ephemeral container did it")


def container_of(stage, pod):
    return stage.pod(pod)["spec"]["ephemeralContainers"][0]


@case
def doctor_tells_once_what_it_may_not_read_and_goes_on(stage):
    stage.create(job("unreadable", main(), ENVOY))
    pod = stage.pod_of("unreadable")
    stage.until_state(pod, "main", "terminated")
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "lister"}, "rules": [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
    ]}  # fmt: skip
    kubectl("-n", stage.namespace, "create", "-f", "-", stdin=role)
    kubectl("-n", stage.namespace, "create", "rolebinding", "lister", "--role=lister", "--user=reader")

    def seen():
        code, out, err = plugin(stage, "doctor", "-n", stage.namespace, "--as", "reader", "-o", "json")
        check(code in (0, 1), f"doctor: {err}")
        found = [one for one in json.loads(out)["pods"] if one["pod"] == pod and one["standing"] == "hangs"]
        return found and (code, err)

    code, err = stage.watch.until(seen, 60, "doctor sees it hang")
    check(code == 1 and err.count("skipped: jobs") == 1, f"{code}: {err}")
    code, _, err = plugin(stage, "doctor", "-A", "--as", "reader")
    check(code == 2 and err.count("\n") == 1 and "forbidden" in err, f"{code}: {err}")
    kubectl("-n", stage.namespace, "delete", "job", "unreadable", "--wait=false")
