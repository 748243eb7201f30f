"""What a user meets when something is wrong is told where users look: `kubectl describe`, `kubectl logs`, the exit code."""

from cluster import kubectl, states
from stage import as_pod, case, check, codes, container, ended_with, example, never_restarted, only, spec_of, version

QUIET = [{"name": "LASTOUT_REPORT", "value": ""}]  # the demo image asks for a report


def with_mains(name, commands):
    """A pod with one main for each command: {container: command}."""
    pod = as_pod(example("job.yaml"), name)
    mount = container(pod, "main")["volumeMounts"]
    common = {"image": "localhost/report:1", "volumeMounts": mount, "env": QUIET}
    spec_of(pod)["containers"] = [{"name": n, "command": c, **common} for n, c in commands.items()]
    return pod


@case
def exit_codes_124_to_127_are_explained_by_describe_and_by_one_line_of_log(stage):
    lastout = "/shared/lastout"
    pod = with_mains("explained", {
        "main-124": [lastout, "--wait-timeout", "1s", "--sidecar", "absent:ready=tcp://127.0.0.1:1,quit=none", "--", "/app/report"],
        "main-125": [lastout, "--linger", "5", "--", "/app/report"],
        "main-126": [lastout, "--", "/app"],
        "main-127": [lastout, "--", "/app/reprot"],
    })  # fmt: skip
    stage.create(pod)
    for name in ("main-124", "main-125", "main-126", "main-127"):
        stage.until_state("explained", name, "terminated")
    pod = stage.pod("explained")
    described = kubectl("-n", stage.namespace, "describe", "pod", "explained")
    words = {"main-124": "absent", "main-125": "linger", "main-126": "/app", "main-127": "/app/reprot"}
    for name, word in words.items():
        check(codes(pod)[name] == int(name[-3:]), f"{name} ended with {codes(pod)[name]}")
        message = states(pod)[name]["terminated"].get("message", "").strip()
        check(word in message and "\n" not in message, f"{name}'s termination message: {message!r}")
        check(message in described, f"describe does not show {message!r}:\n{described}")
        log = stage.log("explained", name).strip()
        check(message.removeprefix("lastout: ") in log and "\n" not in log, f"{name}'s log is not that one line: {log!r}")


@case
def typo_fails_the_job_and_does_not_hang_it(stage):
    job = example("job.yaml")
    container(job, "main")["command"].insert(1, "--stop-timout=5s")
    pod = stage.job_ends(stage.create(job, "typo"), "Failed")
    ended_with(pod, main=125)


@case
def misspelt_command_fails_the_job_and_does_not_hang_it(stage):
    job = example("job.yaml")
    container(job, "main")["command"][-1] = "/app/reprot"
    ended_with(stage.job_ends(stage.create(job, "not-found"), "Failed"), main=127)


@case
def sidecar_without_its_quit_endpoint_is_named_with_what_to_switch_on(stage):
    pod = as_pod(example("job.yaml"), "not-switched-on")
    only(pod, "main", "cloud-sql-proxy")
    main = container(pod, "main")
    main["command"] = ["/shared/lastout", "--sidecar", "cloud-sql-proxy", "--", "/app/report"]
    container(pod, "cloud-sql-proxy")["args"].remove("--quitquitquit")
    stage.create(pod)
    ended = stage.until_state("not-switched-on", "main", "terminated")
    check(ended["exitCode"] == 0, f"main's own exit code stands: {ended}")
    check("--quitquitquit" in ended.get("message", ""), f"the termination message: {ended}")
    described = kubectl("-n", stage.namespace, "describe", "pod", "not-switched-on")
    check("--quitquitquit" in described, f"describe: {described}")
    check(codes(stage.pod("not-switched-on"))["cloud-sql-proxy"] == "running", "the proxy still runs")


@case
def install_that_cannot_work_says_why(stage):
    pod = as_pod(example("job.yaml"), "install")
    spec = spec_of(pod)
    spec.pop("initContainers")
    spec["volumes"] = [
        {"name": "good", "emptyDir": {}},
        {"name": "full", "emptyDir": {"medium": "Memory", "sizeLimit": "256Ki"}},
    ]

    def install(container, dest, **mount):
        mounts = [{"mountPath": "/shared", **mount}] if mount else []
        image = f"localhost/lastout:{version()}"
        return {"name": container, "image": image, "args": ["install", dest], "volumeMounts": mounts}

    spec["containers"] = [
        install("twice", "/shared", name="good"),
        install("twice-again", "/shared", name="good"),
        install("as-a-file", "/shared/init", name="good"),
        install("read-only", "/shared", name="good", readOnly=True),
        install("full", "/shared", name="full"),
        install("no-volume", "/shared"),
        install("not-ours", "/lastout"),
    ]
    stage.create(pod)
    for one in spec["containers"]:
        stage.until_state("install", one["name"], "terminated")
    pod = stage.pod("install")
    ended_with(pod, read_only=125, full=125, no_volume=125, not_ours=125)
    for name, words in {"read-only": "Read-only", "full": "full", "no-volume": "cannot write into /"}.items():
        log, state = stage.log("install", name).strip(), states(pod)[name]["terminated"]
        check(words in log and "\n" not in log, f"{name} says: {log!r}")
        check(words in state.get("message", ""), f"{name}'s termination message: {state}")
    never_restarted(pod)
