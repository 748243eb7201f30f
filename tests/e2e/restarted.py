"""The API server is restarted beneath what watches it or is asked by it."""

from cluster import restart_api_server
from ground import INJECT, namespace, policies
from helper import start, stopped
from injected import completes_wrapped, ended, manifest
from stage import alone, check, finished


@alone
def a_helper_sees_mains_end_through_a_new_api_server(stage):
    job = start(stage, "plain.yaml", "helped-through", args=["--run", "40s"])
    stage.until_state(stage.pod_of(job), "main", "running")
    ready = restart_api_server()
    pod = stage.job_ends(job, "Complete")
    check(finished(pod, "main") > ready, "main ended before the API server was there again: nothing is shown")
    ended(pod)
    stopped(stage, pod, "main")


@alone
def a_policy_changes_the_first_pod_that_a_new_api_server_takes(stage):
    with (
        namespace(stage, "restarted", {INJECT: "enabled"}) as there,
        policies(stage, [there.namespace], seen_gone=False),
    ):
        restart_api_server()
        there.apply(manifest("plain.yaml", "policy-restarted"))
        completes_wrapped(there, "policy-restarted")
