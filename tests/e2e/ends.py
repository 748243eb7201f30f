"""Pods that are ended from outside: deleted, or out of time."""

from cluster import kubectl
from stage import as_pod, case, check, codes, container, ended_with, example, finished, never_restarted, only

TERMINATED_BY_KUBELET = 143  # what Cloud SQL's proxy makes of SIGTERM
ABSENT = "absent:ready=tcp://127.0.0.1:1,quit=none"
GRACE = 30  # terminationGracePeriodSeconds, when nobody says anything


def nothing_was_killed(pod, took, within):
    check(137 not in codes(pod).values(), f"SIGKILLed: {codes(pod)}")
    check(took < within, f"it took {took:.1f} s of {GRACE} s until the pod was gone")


@case
def deleted_while_running_main_is_told_and_the_pod_goes(stage):
    pod = as_pod(example("job.yaml"), "deleted-running")
    container(pod, "main")["args"] = ["--on-term", "3", "--run", "600s"]
    stage.create(pod)
    stage.until_log("deleted-running", "main", "working")
    pod, took, log = stage.delete("deleted-running")
    check("SIGTERM: exit 3" in log, f"main was not told: {log}")
    # Asked by the kubelet or by lastout, whichever came first.
    proxy = codes(pod)["cloud-sql-proxy"]
    ended_with(pod, main=3, cloud_sql_proxy=proxy if proxy == TERMINATED_BY_KUBELET else 0)
    nothing_was_killed(pod, took, GRACE / 2)


@case
def deleted_while_waiting_main_is_never_started(stage):
    pod = as_pod(example("job.yaml"), "deleted-waiting")
    only(pod, "main", "envoy")
    main = container(pod, "main")
    main["command"] = ["/shared/lastout", "--sidecar", "envoy", "--sidecar", ABSENT, "--", "/app/report"]
    stage.create(pod)
    stage.until_log("deleted-waiting", "main", "still waiting for absent")
    pod, took, log = stage.delete("deleted-waiting")
    check("report for" not in log, f"main was started: {log}")
    ended_with(pod, main=143)
    nothing_was_killed(pod, took, GRACE / 2)


@case
def deleted_while_stopping_main_keeps_its_exit_code(stage):
    pod = as_pod(example("job.yaml"), "deleted-stopping")
    only(pod, "main", "envoy")
    main, stubborn = container(pod, "main"), container(pod, "envoy")
    spec = "stubborn:port=8080,ready=/,quit=/quit"
    main["command"] = ["/shared/lastout", "--stop-timeout", "10m", "--sidecar", spec, "--", "/app/report"]
    main["args"] = ["--exit", "5"]
    stubborn |= {"image": "localhost/report:1", "args": ["--on-term", "0", "--serve", "8080", "stays"]}
    stage.create(pod)
    stage.until_log("deleted-stopping", "envoy", "asked to quit")
    check(codes(stage.pod("deleted-stopping"))["main"] == "running", "lastout still waits for its end")
    pod, took, _ = stage.delete("deleted-stopping")
    ended_with(pod, main=5)
    nothing_was_killed(pod, took, GRACE / 2)


@case
def main_that_ignores_sigterm_is_killed_after_lastouts_grace(stage):
    pod = as_pod(example("job.yaml"), "stubborn-main")
    only(pod, "main", "envoy")
    main = container(pod, "main")
    main["command"] = ["/shared/lastout", "--grace", "2s", "--sidecar", "envoy", "--", "/app/report"]
    main["args"] = ["--on-term", "ignore", "--run", "600s"]
    stage.create(pod)
    stage.until_log("stubborn-main", "main", "working")
    pod, took, log = stage.delete("stubborn-main")
    check("SIGTERM: ignored" in log and '"signal":"KILL"' in log, f"lastout killed main: {log}")
    ended_with(pod, main=137)
    check(took < GRACE / 2, f"it took {took:.1f} s")


@case
def deployment_with_hooks_drains_in_order(stage):
    name = stage.create(example("prestop.yaml"))
    pod = stage.pod_of(name)
    stage.until_log(pod, "main", "working")
    never_restarted(stage.pod(pod))
    kubectl("-n", stage.namespace, "delete", "deployment", name, "--wait=false")
    stage.watch.until(lambda: ("pods", pod) in stage.watch.gone, 120, f"{pod} is gone")
    pod = stage.pod(pod)
    ended_with(pod, main=143)
    check(finished(pod, "envoy") >= finished(pod, "main") + 4, "Envoy outlived main")


@case
def active_deadline_is_the_ordinary_way_out(stage):
    job = example("job.yaml")
    job["spec"]["activeDeadlineSeconds"] = 25
    container(job, "main")["args"] = ["--run", "600s"]
    name = stage.create(job, "out-of-time")
    pod = stage.pod_of(name)
    stage.until_log(pod, "main", "working")
    stage.watch.until(lambda: ("pods", pod) in stage.watch.gone, 120, f"{pod} is gone")
    pod = stage.pod(pod)
    check(codes(pod)["main"] == 143, f"main was told and ended: {codes(pod)}")
    check(137 not in codes(pod).values(), f"SIGKILLed: {codes(pod)}")

    def failed():
        conditions = stage.watch.get("jobs", name)["status"].get("conditions", [])
        return [c["reason"] for c in conditions if c["type"] == "Failed"]

    reasons = stage.watch.until(failed, 30, f"{name} has failed")
    check(reasons == ["DeadlineExceeded"], f"the Job failed because of {reasons}")
