"""The API server is restarted beneath what watches it or is asked by it."""

import os
import shlex
import subprocess
import time

from cluster import Failure, Skip
from ground import INJECT, namespace, policies
from helper import start, stopped
from injected import ended, manifest, wrapped
from stage import alone, check, finished




def restart_api_server():
    """-> when it was ready again"""
    command = os.environ.get("LASTOUT_E2E_RESTART_API")
    if not command:
        raise Skip("LASTOUT_E2E_RESTART_API names no command that restarts the API server")
    done = subprocess.run(shlex.split(command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise Failure(f"{command} failed:\n{done.stdout}")
    return time.time()


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
        done = there.job_ends("policy-restarted", "Complete")
        ended(done)
        wrapped(there, done)
