"""Groups and guards: several mains in one pod, killed ones, sidecars that have no endpoint."""

import cluster
from cluster import kubectl
from stage import (
    RESTRICTED, as_pod, case, check, container, ended_with, example, finished, never_restarted, spec_of,
)  # fmt: skip

ENVOY_ANSWERS = ["--fetch", "http://127.0.0.1:9901/ready"]


def everything(policy, restart="Never"):
    """The Job of guard.yaml, with Envoy as a sidecar of both mains: the mains `import` and `report`, of which the
    second one takes longer, `envoy`, and the guarded `log-shipper`."""
    job = example("guard.yaml")
    job["spec"]["backoffLimit"] = 3  # restarts in place count, too
    spec_of(job)["restartPolicy"] = restart
    spec_of(job)["containers"].append(container(example("job.yaml"), "envoy"))
    for name in ("import", "report"):
        main = container(job, name)
        main["command"][1:1] = ["--stop-on", policy, "--sidecar", "envoy"]
        main["args"] = [*ENVOY_ANSWERS, *main["args"], *ENVOY_ANSWERS]
    return job


def restarts(pod):
    return {s["name"]: s["restartCount"] for s in pod["status"].get("containerStatuses", [])}


def only_restarted(pod, name):
    expected = {other: int(other == name) for other in ("import", "report", "envoy", "log-shipper")}
    check(restarts(pod) == expected, f"restarts: {restarts(pod)}")


def fails_first(job):
    container(job, "import")["args"] += ["--fail-once", "/logs/tried", "3", *ENVOY_ANSWERS]
    return job


def out_of_memory(pod, name):
    [main] = [s for s in cluster.statuses(pod) if s["name"] == name]
    check(main["state"]["terminated"]["reason"] == "OOMKilled", f"{name}: {main['state']}")


def shipped(stage, pod, *lines):
    log = stage.log(pod["metadata"]["name"], "log-shipper")
    for line in (*(f"shipped: {line}" for line in lines), f"SIGTERM: {len(lines)} lines shipped"):
        check(line in log, f"the shipper's log lacks {line!r}: {log}")


def sidecars_outlived(pod, *mains):
    end = max(finished(pod, main) for main in mains)
    for name in ("envoy", "log-shipper"):
        check(finished(pod, name) >= end - 1, f"{name} ended {end - finished(pod, name)} s before the last of {mains}")


@case
def last_of_two_mains_stops_the_sidecar(stage):
    pod = stage.job_ends(stage.create(example("group.yaml")), "Complete")
    ended_with(pod)
    check(finished(pod, "import") < finished(pod, "report"), "the first main left at once")
    check(finished(pod, "cloud-sql-proxy") >= finished(pod, "report") - 1, "the proxy stayed for the second one")


@case
def guarded_log_shipper_ends_after_both_mains_and_ships_their_last_lines(stage):
    pod = stage.job_ends(stage.create(example("guard.yaml")), "Complete")
    ended_with(pod)
    shipped(stage, pod, "import is done", "report is done")


def all_four_end(stage, policy):
    pod = stage.job_ends(stage.create(everything(policy), f"all-four-{policy}"), "Complete")
    ended_with(pod)
    never_restarted(pod)
    sidecars_outlived(pod, "import", "report")
    shipped(stage, pod, "import is done", "report is done")


@case
def two_mains_envoy_and_a_guarded_shipper_all_end_under_always(stage):
    all_four_end(stage, "always")


@case
def two_mains_envoy_and_a_guarded_shipper_all_end_under_success(stage):
    all_four_end(stage, "success")


@case
def one_of_two_mains_fails_first_and_finds_its_sidecars_when_it_is_restarted(stage):
    job = fails_first(everything("success", restart="OnFailure"))
    container(job, "import")["args"] += ["--run", "3s", *ENVOY_ANSWERS]
    # The other one begins when the first one has failed, and leaves before that one's second life: by its own policy
    # it is out, by the first one's nothing may be stopped.
    report = container(job, "report")
    report["command"][1:1] = ["--sidecar", "tried:ready=file:/logs/tried,quit=none"]
    report["args"] = [*ENVOY_ANSWERS, "--write", "/logs/app.log", "report is done"]
    pod = stage.job_ends(stage.create(job, "import-fails-first"), "Complete")
    ended_with(pod)
    only_restarted(pod, "import")
    [main] = [s for s in cluster.statuses(pod) if s["name"] == "import"]
    check(main["lastState"]["terminated"]["exitCode"] == 3, f"its first life: {main['lastState']}")
    sidecars_outlived(pod, "import", "report")
    shipped(stage, pod, "import is done", "report is done", "import is done")


@case
def one_of_two_mains_out_of_memory_keeps_nobody_from_ending(stage):
    job = everything("always")
    hungry = container(job, "import")
    hungry["args"] += ["--eat", "100"]
    hungry["resources"] = {"limits": {"memory": "32Mi"}}
    job["spec"]["backoffLimit"] = 0
    pod = stage.job_ends(stage.create(job, "import-eats"), "Failed")
    ended_with(pod, **{"import": 137})
    out_of_memory(pod, "import")
    sidecars_outlived(pod, "report")
    shipped(stage, pod, "import is done", "report is done")


def different_users(stage, name, job):
    """Every container another user, none of them root, in the namespace that enforces the restricted profile."""
    stage = stage.restricted()
    spec = spec_of(job)
    spec["securityContext"] = {"fsGroup": 2000}
    for user, one in enumerate(spec["initContainers"] + spec["containers"], 1001):
        one["securityContext"] = RESTRICTED | {"runAsUser": user, "runAsGroup": user}
    # The log is the first one's file; that the second one may not add to it is no concern of ours.
    container(job, "report")["args"] = [*ENVOY_ANSWERS, "--run", "2s", *ENVOY_ANSWERS]
    pod = stage.job_ends(stage.create(job, name), "Complete")
    ended_with(pod)
    sidecars_outlived(pod, "import", "report")
    return stage, pod


@case
def users_may_differ_under_always_with_an_fs_group(stage):
    stage, pod = different_users(stage, "users-always", everything("always"))
    never_restarted(pod)
    shipped(stage, pod, "import is done")


@case
def users_may_differ_when_one_is_restarted_with_an_fs_group(stage):
    stage, pod = different_users(stage, "users-success", fails_first(everything("success", restart="OnFailure")))
    only_restarted(pod, "import")
    shipped(stage, pod, "import is done", "import is done")


@case
def mains_that_restart_for_ever_under_never_keep_their_sidecars(stage):
    pod = as_pod(everything("never", restart="Always"), "for-ever")
    stage.create(pod)

    def lives(name):
        there = stage.watch.get("pods", "for-ever")
        return restarts(stage.note(there)).get(name, 0) if there else 0

    # Each life of a main ends with 0, and the next one waits for the kubelet's back-off: time and again both are out.
    stage.watch.until(lambda: lives("import") >= 2 and lives("report") >= 2, 120, "both mains were restarted twice")
    counts = restarts(stage.pod("for-ever"))
    check((counts["envoy"], counts["log-shipper"]) == (0, 0), f"restarts: {counts}")
    kubectl("-n", stage.namespace, "delete", "pod", "for-ever", "--wait=false")


@case
def deleted_pod_ends_its_mains_before_the_guarded_shipper(stage):
    pod = as_pod(everything("never", restart="Always"), "deleted-group")
    for name in ("import", "report"):
        args = ["--until-term", "--run", "1s", "--write", "/logs/app.log", f"{name} says bye"]
        container(pod, name)["args"] = [*ENVOY_ANSWERS, *args]
    stage.create(pod)
    for name in ("import", "report"):
        stage.until_log("deleted-group", name, "working")
    pod, took, log = stage.delete("deleted-group", "log-shipper")
    check("SIGTERM: 2 lines shipped" in log, f"the shipper outlived both mains: {log}")
    ended_with(pod)
    check(took < 15, f"it took {took:.1f} s")


@case
def main_out_of_memory_leaves_no_sidecar_behind(stage):
    pod = stage.job_ends(stage.create(example("guard-container.yaml")), "Failed")
    ended_with(pod, main=137)
    out_of_memory(pod, "main")


@case
def main_killed_with_its_wrapper_leaves_no_sidecar_behind(stage):
    job = example("guard-container.yaml")
    main = container(job, "main")
    main["args"][main["args"].index("--eat") :] = ["--on-term", "ignore", "--write", "/shared/works", "yes"]
    main["args"] += ["--run", "600s"]
    # Once main works its liveness probe fails, and the kubelet ends the container: SIGTERM, and a second later
    # SIGKILL to all that is in it.
    works = ["/shared/lastout", "wait", "--wait-timeout", "1s", "main:ready=file:/shared/works,quit=none"]
    main["startupProbe"] = {
        "exec": {"command": works}, "periodSeconds": 1, "timeoutSeconds": 5, "failureThreshold": 200,
    }  # fmt: skip
    main["livenessProbe"] = {
        "tcpSocket": {"port": 1}, "periodSeconds": 1, "failureThreshold": 1, "terminationGracePeriodSeconds": 1,
    }  # fmt: skip
    pod = stage.job_ends(stage.create(job, "killed-whole"), "Failed")
    ended_with(pod, main=137)
    name = pod["metadata"]["name"]
    check('{"version"' not in stage.log(name, "main"), "lastout itself was killed, too")
