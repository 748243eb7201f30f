"""Who may do what: the restricted profile, other users, little memory; and a terminal."""

import os
import pty
import select
import subprocess
import time

import cluster
from cluster import Failure
from stage import RESTRICTED, as_pod, case, check, container, ended_with, example, only, spec_of


def restrict(thing):
    spec = spec_of(thing)
    for one in spec.get("initContainers", []) + spec["containers"]:
        one["securityContext"] = dict(RESTRICTED)
    return thing


@case
def restricted_namespace_little_memory_and_a_volume_in_memory(stage):
    stage = stage.restricted()
    job = restrict(example("job.yaml"))
    spec_of(job)["volumes"][0]["emptyDir"]["medium"] = "Memory"
    for name in ("lastout", "main"):
        container(job, name)["resources"] = {"limits": {"memory": "16Mi", "cpu": "1"}}
    ended_with(stage.job_ends(stage.create(job), "Complete"))
    # That the namespace enforces anything: the same without the security context is refused.
    try:
        stage.create(as_pod(example("job.yaml"), "unrestricted"))
    except Failure as refused:
        check("restricted" in str(refused), str(refused))
    else:
        raise Failure("the namespace does not enforce the restricted profile")


@case
def installed_by_one_user_and_run_by_another(stage):
    job = example("job.yaml")
    container(job, "lastout")["securityContext"] = {"runAsUser": 4711, "runAsGroup": 4711}
    container(job, "main")["securityContext"] = {"runAsUser": 1000660000, "runAsGroup": 0}
    ended_with(stage.job_ends(stage.create(job, "other-users"), "Complete"))


@case
def ctrl_c_at_a_terminal_arrives_once_and_main_is_in_the_foreground(stage):
    pod = as_pod(example("job.yaml"), "terminal")
    only(pod, "main")
    main = container(pod, "main")
    main |= {"tty": True, "stdin": True, "stdinOnce": True}
    main["command"] = ["/shared/lastout", "--", "/app/report"]
    main["args"] = ["--read", "--run", "600s"]
    stage.create(pod)
    stage.until_state("terminal", "main", "running")
    ours, theirs = pty.openpty()
    attach = [cluster.KUBECTL, "-n", stage.namespace, "attach", "-it", "terminal", "-c", "main"]
    process = subprocess.Popen(attach, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    try:
        # Attached some time after main's first words; a newline ends its `--read` whenever that comes through.
        os.write(ours, b"hello\n")
        expect(ours, b"read: hello", b"working")
        os.write(ours, b"\x03")
        ended = stage.until_state("terminal", "main", "terminated", 20)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    check(ended["exitCode"] == 130, f"Ctrl-C ended main with {ended}")


def expect(terminal, *words, seconds=30):
    """Reads until all the words are there."""
    seen, deadline = b"", time.monotonic() + seconds
    while any(word not in seen for word in words):
        if not select.select([terminal], [], [], max(0, deadline - time.monotonic()))[0]:
            raise Failure(f"the terminal shows {seen!r}, not {words!r}")
        seen += os.read(terminal, 4096)
