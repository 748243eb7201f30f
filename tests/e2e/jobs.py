"""Real Jobs: each example does what its first lines say, and the same pod without lastout hangs."""

import cluster
from cluster import Skip, kubectl
from stage import (
    all_gone, case, check, codes, container, ended_with, example, hang, never_restarted, only, sidecars, spec_of,
)  # fmt: skip


@case
def job_with_init_container_completes(stage):
    job = stage.create(example("job.yaml"))
    pod = stage.job_ends(job, "Complete")
    ended_with(pod)
    never_restarted(pod)
    all_gone(stage.report(pod["metadata"]["name"]))
    check("connected to 127.0.0.1:5432" in stage.log(pod["metadata"]["name"], "main"), "the proxy was of use")


@case
def job_with_image_volume_completes(stage):
    pod = stage.job_ends(stage.with_image_volume(lambda: stage.create(example("image-volume.yaml"))), "Complete")
    ended_with(pod)
    all_gone(stage.report(pod["metadata"]["name"]))


@case
def job_with_baked_image_completes(stage):
    pod = stage.job_ends(stage.create(example("baked-image.yaml")), "Complete")
    ended_with(pod)
    all_gone(stage.report(pod["metadata"]["name"]))


@case
def same_pod_without_lastout_hangs(stage):
    job = example("job.yaml")
    container(job, "main").update(command=["/app/report"], args=["--day", "yesterday"])
    [pod] = hang(stage, {stage.create(job, "without-lastout"): ["main"]}).values()
    check(codes(pod)["main"] == 0, f"main ended with {codes(pod)}")


@case
def exit_code_5_fails_the_job_and_is_in_the_status(stage):
    job = example("job.yaml")
    container(job, "main")["args"] = ["--day", "yesterday", "--exit", "5"]
    pod = stage.job_ends(stage.create(job, "exit-5"), "Failed")
    ended_with(pod, main=5)
    all_gone(stage.report(pod["metadata"]["name"]))


@case
def cron_job_run_completes(stage):
    stage.create(example("cronjob.yaml"))
    kubectl("-n", stage.namespace, "create", "job", "nightly-run", "--from=cronjob/nightly-report")
    ended_with(stage.job_ends("nightly-run", "Complete"))


@case
def on_failure_restarts_main_in_place_and_never_the_sidecars(stage):
    pod = stage.job_ends(stage.create(example("on-failure.yaml")), "Complete")
    ended_with(pod)
    never_restarted(pod, "envoy", "cloud-sql-proxy")
    [main] = [s for s in cluster.statuses(pod) if s["name"] == "main"]
    check(main["restartCount"] == 1, f"main was restarted {main['restartCount']} times")
    check(main["lastState"]["terminated"]["exitCode"] == 5, f"its first life: {main['lastState']}")


@case
def optional_mesh_sidecar_may_be_missing(stage):
    pod = stage.job_ends(stage.create(example("cloud-sql-and-istio.yaml")), "Complete")
    ended_with(pod)
    check(sidecars(stage.report(pod["metadata"]["name"]))["istio"]["absent"], "istio was taken as absent")


@case
def database_proxy_is_stopped_before_the_mesh(stage):
    if not stage.has_image("istio-proxy"):
        raise Skip("no pilot-agent at hand (scripts/sidecars pilot-agent)")
    job = example("cloud-sql-and-istio.yaml")
    spec = spec_of(job)  # what Istio's injector would add
    spec["volumes"].append({"name": "istio-envoy", "emptyDir": {}})
    mount = {"name": "istio-envoy", "mountPath": "/etc/istio/proxy"}
    spec["containers"].append({"name": "istio-proxy", "image": "localhost/istio-proxy:1", "volumeMounts": [mount]})
    pod = stage.job_ends(stage.create(job, "in-the-mesh"), "Complete")
    ended_with(pod)
    report = stage.report(pod["metadata"]["name"])
    all_gone(report)
    told = sidecars(report)
    check(told["cloud-sql-proxy"]["gone_ms"] <= told["istio"]["asked_ms"], f"the order: {told}")


@case
def native_sidecar_is_left_to_the_kubelet(stage):
    pod = stage.job_ends(stage.create(example("native-sidecar.yaml")), "Complete")
    ended_with(pod)
    never_restarted(pod)
    report = sidecars(stage.report(pod["metadata"]["name"]))
    check(report["envoy"]["asked_ms"] is None, f"it was asked: {report}")


@case
def sidecar_that_starts_five_seconds_late_is_waited_for(stage):
    job = example("job.yaml")
    only(job, "main", "envoy")
    main, envoy = container(job, "main"), container(job, "envoy")
    main["command"] = ["/shared/lastout", "--sidecar", "envoy", "--", "/app/report"]
    main["args"] = ["--fetch", "http://127.0.0.1:9901/ready"]
    # An optional sidecar that is never there: a wait of five seconds in an image without a shell.
    late = ["/shared/lastout", "--stop-on", "never", "--sidecar", "nobody?:ready=tcp://127.0.0.1:1,quit=none,absent=5s", "--"]
    envoy |= {"command": late + ["/usr/local/bin/envoy"], "volumeMounts": main["volumeMounts"]}
    pod = stage.job_ends(stage.create(job, "late-envoy"), "Complete")
    ended_with(pod)
    never_restarted(pod)
    ready = sidecars(stage.report(pod["metadata"]["name"]))["envoy"]["ready_ms"]
    check(ready > 4000, f"envoy was ready after {ready} ms")


@case
def sidecar_that_crashes_meanwhile_is_restarted_and_then_stopped(stage):
    job = example("on-failure.yaml")
    only(job, "main", "envoy")
    spec_of(job)["shareProcessNamespace"] = True  # so that main can play the crash; lastout is not PID 1 then
    main = container(job, "main")
    main["command"] = ["/shared/lastout", "--stop-on", "success", "--sidecar", "envoy", "--", "/app/report"]
    main["args"] = ["--kill", "envoy", "--run", "8s", "--fetch", "http://127.0.0.1:9901/ready"]
    pod = stage.job_ends(stage.create(job, "crashing-envoy"), "Complete")
    ended_with(pod)
    [envoy] = [s for s in cluster.statuses(pod) if s["name"] == "envoy"]
    check(envoy["restartCount"] == 1, f"envoy was restarted {envoy['restartCount']} times")
    check(envoy["lastState"]["terminated"]["exitCode"] == 137, f"its first life: {envoy['lastState']}")
    all_gone(stage.report(pod["metadata"]["name"]))
