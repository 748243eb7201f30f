"""docs/tutorial.md: its blocks on a cluster are run in a namespace of their own, and print what the page shows."""

import json
import os
import re
import shlex
import subprocess
import tempfile
import time

import cluster
from cluster import Failure, kubectl
from ground import namespace, supported, wait, would_be_marked
from stage import ROOT, alone, case, check

PAGE = os.path.join(ROOT, "docs", "tutorial.md")
PATIENCE = 60  # a Job of three seconds, ten of doctor's, and the kubelet's own
SHOWS_A_STATE = ("kubectl get ", "kubectl lastout doctor")  # asked again until it is as shown


def blocks():
    """-> [(what stands behind the fence, the lines)] of the page"""
    with open(PAGE, encoding="utf-8") as f:
        return re.findall(r"^```([^\n]*)\n(.*?)^```$", f.read(), re.M | re.S)


def commands(text):
    """-> [(command, the lines that it prints)]"""
    parts = re.split(r"^\$ ", text, flags=re.M)[1:]
    return [(part.split("\n", 1)[0], part.split("\n", 1)[1].splitlines()) for part in parts]


def plain(line, there):
    """A line without what differs from run to run: names of pods and of the namespace, times, widths of columns."""
    line = line.replace(there, "default")
    line = re.sub(r"\breport-[a-z0-9]{5}\b", "report-POD", line)
    line = re.sub(r"\b\d+(\.\d+)?( ms| s|s|m)\b", "TIME", line)
    return re.sub(r"\s+", " ", re.sub(r'" deleted.*', '" deleted', line)).strip()


def as_shown(shown, printed):
    """Whether the lines are those; a line of `…` stands for any number of them."""
    if not shown:
        return not printed
    if shown[0] == "…":
        return any(as_shown(shown[1:], printed[at:]) for at in range(len(printed) + 1))
    return bool(printed) and shown[0] == printed[0] and as_shown(shown[1:], printed[1:])


class Terminal:
    """A folder with the files of the page, and a kubectl whose context has the namespace."""

    def __init__(self, stage, there, folder):
        self.there, self.folder = there, folder
        config = json.loads(kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json"))
        config["contexts"][0]["context"]["namespace"] = there
        path = os.path.join(folder, "kubeconfig")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as f:
            json.dump(config, f)
        self.environment = {**os.environ, "KUBECONFIG": path, "PATH": f"{stage.images}:{os.environ['PATH']}"}
        for info, text in blocks():
            if info.startswith("yaml "):
                with open(os.path.join(folder, info.split()[1]), "w", encoding="utf-8") as f:
                    f.write(text.replace("REGISTRY/", "localhost/"))

    def print(self, command):
        command = command.replace("REGISTRY/", "localhost/").replace("namespace default", f"namespace {self.there}")
        done = subprocess.run(
            ["bash", "-c", f"{{ {command}\n}} 2>&1"], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, text=True, timeout=120,
        )  # fmt: skip
        return [line for line in (plain(line, self.there) for line in done.stdout.splitlines()) if line]

    def run(self, command, shown):
        shown = [plain(line, self.there) for line in shown if line.strip()]
        deadline = time.monotonic() + PATIENCE
        while not as_shown(shown, printed := self.print(command)):
            if time.monotonic() > deadline or not command.startswith(SHOWS_A_STATE):
                raise Failure("\n".join([f"$ {command}", *printed, "the page shows:", *shown]))
            time.sleep(0.5)


def run(stage, there, wanted, after=None):
    """Runs the blocks with this information, and `after` once behind each command."""
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        terminal = Terminal(stage, there.namespace, folder)
        for info, text in blocks():
            for command, shown in commands(text) if info == wanted else []:
                terminal.run(command, shown)
                count += 1
                if after:
                    after(command)
    check(count >= 5, f"the page has only {count} commands in blocks `{wanted}`")


KIND = """#!/bin/sh
case "$1 $2" in
"create cluster") exec kubectl version ;;
"load image-archive") exec {load} "$3" ;;
*) echo "kind: $*?" >&2; exit 2 ;;
esac
"""


@case
def preparation_of_the_tutorial_loads_the_images_and_gives_kubectl_the_plugin(stage):
    [block] = [text for info, text in blocks() if info == "sh cluster"]
    after = 'kubectl lastout version\ntest "$(command -v kubectl-lastout)" = "$PWD/target/e2e/kubectl-lastout"\n'
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "kind")
        with open(path, "w", encoding="utf-8") as f:
            f.write(KIND.format(load=shlex.join(cluster.LOAD)))
        os.chmod(path, 0o755)
        environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
        done = subprocess.run(
            ["bash", "-ec", block + after], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=590,
        )  # fmt: skip
    check(done.returncode == 0, f"it ended with {done.returncode}:\n{done.stdout}")
    check("kubectl-lastout" in done.stdout.splitlines()[-1], done.stdout)


@case
def tutorial_hangs_and_is_mended_by_hand_and_by_inject_as_its_page_shows(stage):
    with namespace(stage, "tutorial") as there:
        run(stage, there, "console cluster")


@alone
def tutorial_is_mended_by_policy_as_its_page_shows(stage):
    supported()
    with namespace(stage, "tutorial-policy") as there:

        def in_force(command):
            # The page says that this takes some seconds.
            if " label namespace " in command:
                wait(lambda: would_be_marked(there.namespace, {}), "the policy is in force")

        try:
            run(stage, there, "console cluster policy", in_force)
        finally:
            kinds = [f"{kind}admissionpolicy{what}" for kind in ("mutating", "validating") for what in ("binding", "")]
            kubectl("delete", ",".join(kinds), "-l", "app.kubernetes.io/name=lastout", "--ignore-not-found", check=False)
