"""The policies that `kubectl lastout policy` prints, on a real API server: what it makes of pods, and that their Jobs complete."""

import glob
import http.client
import json
import os
import random
import statistics
import subprocess
import time

import cluster
from cluster import Failure, kubectl
from ground import (
    INJECT, SIDES, documents, dry, dry_all, is_marked, namespace, objects, plugin, pod, policies, supported, wait, webhook,
)  # fmt: skip
from injected import TERMINATED_BY_KUBELET, completes_wrapped, ended, manifest, native, read, told_of, wrapped
from stage import ROOT, case, check, container, never_restarted, only, spec_of

ENABLED = {INJECT: "enabled"}
NATIVE = ("--mode", "native")
IMAGE_VOLUME = ("--delivery", "image-volume")


@case
def policies_are_taken_as_they_are_printed(stage):
    supported()
    served = kubectl("get", "--raw", "/apis/admissionregistration.k8s.io/v1beta1", check=False)
    older = [("--api-version", "v1beta1")] if "mutatingadmissionpolicies" in served else []
    for options in [(), IMAGE_VOLUME, NATIVE, *older, ("--namespaces", "all", "--sidecar", "proxy:process=proxy", "--params", "default/own")]:
        told = kubectl("apply", "--dry-run=server", "-f", "-", stdin=plugin(stage, "policy", *options), check=False)
        check("error" not in told.lower() and "mutatingadmissionpolicy" in told, told)


@case
def policy_by_an_init_container_lets_the_job_complete(stage):
    with namespace(stage, "init", ENABLED) as there, policies(stage, [there.namespace]):
        there.apply(manifest("plain.yaml", "policy-init"))
        done = there.job_ends("policy-init", "Complete")
        ended(done)
        never_restarted(done)
        wrapped(there, done)


@case
def policy_by_an_image_volume_lets_the_job_complete(stage):
    with namespace(stage, "volume", ENABLED) as there, policies(stage, [there.namespace], *IMAGE_VOLUME):
        there.apply(manifest("two-mains.yaml", "policy-volume"))
        done = there.job_ends("policy-volume", "Complete")
        check("initContainers" not in done["spec"], "nothing is copied")
        ended(done)
        wrapped(there, done, "import", "report")


@case
def policy_by_native_sidecars_lets_the_job_complete(stage):
    with namespace(stage, "native", ENABLED) as there, policies(stage, [there.namespace], *NATIVE):
        there.apply(manifest("plain.yaml", "policy-native"))
        done = there.job_ends("policy-native", "Complete")
        ended(done, cloud_sql_proxy=TERMINATED_BY_KUBELET)
        never_restarted(done)
        native(done, "cloud-sql-proxy", "envoy")


@case
def policy_works_where_the_pod_or_the_namespace_asks_for_it(stage):
    with namespace(stage, "asks", ENABLED) as asks, namespace(stage, "silent") as silent:
        with policies(stage, [asks.namespace, silent.namespace]):
            for there, labels, expected in [
                (asks, {}, True), (asks, {INJECT: "true"}, True), (asks, {INJECT: "false"}, False),
                (silent, {}, False), (silent, {INJECT: "true"}, True), (silent, {INJECT: "enabled"}, False),
            ]:  # fmt: skip
                made = dry(there.namespace, pod("x", SIDES, labels))
                found = made["spec"]["containers"][0]["command"][0] == "/.lastout/lastout"
                check(found == expected, f"{there.namespace}, {labels}: {made['spec']['containers'][0]}")
            bare = pod("x", SIDES, {INJECT: "true"})
            del bare["metadata"]["labels"]["batch.kubernetes.io/job-name"]
            check(dry(asks.namespace, bare)["spec"]["containers"][0]["command"] == ["/app"], "it is no Job's")


@case
def policy_behind_an_injector_that_comes_later_lets_the_job_complete(stage):
    job = read(manifest("plain.yaml", "policy-late").split("---\n", 1)[1])
    only(job, "main", "cloud-sql-proxy")
    container(job, "main").update(args=["--connect", "127.0.0.1:5432"], env=[])
    proxy = container(job, "cloud-sql-proxy")
    only(job, "main")
    for suffix, options in (("late", ()), ("later", NATIVE)):
        with namespace(stage, suffix, ENABLED) as there, policies(stage, [there.namespace], *options):
            with webhook(stage, there.namespace, [proxy]):
                there.create(job, "policy-late")
                done = there.job_ends("policy-late", "Complete")
                if options == NATIVE:
                    ended(done, cloud_sql_proxy=TERMINATED_BY_KUBELET)
                    native(done, "cloud-sql-proxy")
                else:
                    ended(done)
                    wrapped(there, done)


@case
def policy_tells_lastout_of_a_sidecar_that_comes_after_it(stage):
    job = read(manifest("plain.yaml", "policy-second").split("---\n", 1)[1])
    container(job, "main").update(args=["--connect", "127.0.0.1:5432", "--fetch", "http://127.0.0.1:9901/ready"], env=[])
    envoy = container(job, "envoy")
    only(job, "main", "cloud-sql-proxy")
    with namespace(stage, "second", ENABLED) as there, policies(stage, [there.namespace]):
        with webhook(stage, there.namespace, [envoy]):
            there.create(job, "policy-second")
            done = completes_wrapped(there, "policy-second")
            told_of(there, done, "cloud-sql-proxy", "envoy")


@case
def policy_leaves_a_pod_without_a_command_alone_and_its_job_is_warned_about(stage):
    sides = [{"name": "main", "image": "x"}, {"name": "istio-proxy", "image": "x"}]
    with namespace(stage, "warned", ENABLED) as there, policies(stage, [there.namespace]):
        made = dry(there.namespace, pod("x", sides))
        check(not is_marked(made), f"it is changed: {made}")
        template = {"spec": {"restartPolicy": "Never", "containers": sides}}
        job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x"}, "spec": {"template": template}}
        cron = {"schedule": "0 0 * * *", "jobTemplate": {"spec": {"template": template}}}
        cron = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "x"}, "spec": cron}

        def answer(thing):
            return kubectl("-n", there.namespace, "create", "--dry-run=server", "-f", "-", stdin=thing, check=False)

        # The API server learns of the policy that warns apart from the one that changes pods.
        wait(lambda: "Warning" in answer(job), "the warning")
        for thing in (job, cron):
            told = answer(thing)
            check("container main has no command: it cannot be wrapped" in told, told)
            check("created" in told, f"a warning refuses nothing: {told}")
        sides[0]["command"] = ["/app"]
        told = answer(job)
        check("Warning" not in told, told)


def pods_of_manifests():
    """-> the pods of all our manifests that may be a Job's, each under a name of its own"""
    files = glob.glob(os.path.join(ROOT, "crates/kube/tests/cases/*.yaml")) + glob.glob(os.path.join(ROOT, "tests/e2e/manifests/*"))
    found = {}
    for file in sorted(files):
        name = os.path.basename(file).split(".")[0]
        for at, thing in enumerate(objects_or_none(file)):
            spec = thing["spec"].get("jobTemplate", thing)["spec"] if thing["kind"] in ("Job", "CronJob") else None
            template = thing if thing["kind"] == "Pod" else spec and spec["template"]
            # What others will add later counts in a manifest, and not in admission.
            if template and not name.startswith(("will-be", "announced")):
                made = pod(f"{name}-{at}", [], {})
                made["metadata"]["labels"].update(template.get("metadata", {}).get("labels", {}))
                if annotations := template.get("metadata", {}).get("annotations"):
                    made["metadata"]["annotations"] = annotations
                made["spec"] = {"automountServiceAccountToken": False, **template["spec"]}
                found[made["metadata"]["name"]] = made
    return found


def objects_or_none(file):
    with open(file, encoding="utf-8") as f:
        text = f.read()
    try:
        return [thing for thing in objects(text) if thing["kind"] in ("Pod", "Job", "CronJob")]
    except Failure:  # kinds that no API server here knows
        return []


def comparable(made):
    """-> what is compared: not what differs from one creation to the next"""
    metadata = {key: made["metadata"].get(key) or {} for key in ("labels", "annotations")}
    return {"metadata": metadata, "spec": made["spec"]}


def dear_pods():
    """-> pods that cost a policy much, and one with resources of its own"""

    def main(name, codes):
        values = [code * 255 // codes for code in range(1, codes + 1)]
        rule = {"action": "Restart", "exitCodes": {"operator": "In", "values": values}}
        return {"name": name, "command": ["/app"], "restartPolicy": "Never", "restartPolicyRules": [rule]}

    proxy, limits = {"name": "istio-proxy"}, {"limits": {"cpu": "1", "memory": "64Mi"}}
    pods = [pod(f"scattered-{codes}", [main("main", codes), proxy]) for codes in (1, 20, 100, 255)]
    pods.append(pod("many-rules", [*(main(f"main-{at}", 2) for at in range(20)), proxy]))
    pods.append(pod("own-resources", [{"name": "main", "command": ["/app"]}, proxy], resources=limits))
    return {thing["metadata"]["name"]: thing for thing in pods}


@case
def policy_makes_the_same_of_each_manifest_as_inject(stage):
    pods = {**pods_of_manifests(), **dear_pods()}
    check(len(pods) > 20, f"only {sorted(pods)}")
    with namespace(stage, "policy", ENABLED) as there, namespace(stage, "inject") as other:
        for options, asked in [
            ((), ("--mode", "wrap")), (IMAGE_VOLUME, ("--mode", "wrap", *IMAGE_VOLUME)), (NATIVE, ("--mode", "native")),
        ]:  # fmt: skip
            text = documents(pods.values())
            expected, _ = dry_all(other.namespace, plugin(stage, "inject", "-", *asked, stdin=text))
            with policies(stage, [there.namespace], *options):
                found, refused = dry_all(there.namespace, text)
            check(found.keys() == expected.keys() and len(found) > 20, f"{found.keys() ^ expected.keys()}: {refused}")
            changed = 0
            for name, made in found.items():
                annotations = pods[name]["metadata"].get("annotations", {})
                mode = annotations.get("lastout.dev/mode")
                others = mode in ("auto", "native", "wrap", "helper") and mode != asked[1]
                is_said = any(key.startswith("lastout.dev/command.") for key in annotations)
                if others or (is_said and options != NATIVE):
                    check(not is_marked(made), f"{name} is no case for it")
                    continue
                check(comparable(made) == comparable(expected[name]), f"{options}, {name}: {json.dumps(made)}, {json.dumps(expected[name])}")
                changed += is_marked(made)
            check(changed > 5, f"{options}: only {changed} are changed")


def odd_pods(count):
    """-> pods with all that a pod may have and much that it may not, the same in each run"""
    chance = random.Random(15)

    def maybe(likely, value):
        return value() if chance.random() < likely else None

    names = ["main", "second", "istio-proxy", "linkerd-proxy", "cloud-sql-proxy", "gke-gcsfuse-sidecar", "pgbouncer", "x" * 63]
    images = ["x", "a/b@sha256:00", ":", "@", "/", "istio/proxyv2:1", "localhost:1/cloud-sql-proxy", "$(X)'\"\\\n"]
    words = [[], [""], ["/app"], ["$(X)", "$$", "'\"\\\n"], ["/.lastout/lastout", "--"], ["a"] * 300]
    texts = ["", ",", "main", "main, second\n", "istio:port=80", "'\"\\$(X)\n\t", "wrap", "native", "é" * 50, "0-", "["]
    annotations = ["mode", "main", "sidecars", "exclude-containers", "stop-on", "status", "command.main", "nonsense"]

    def rules():
        operator = chance.choice(["In", "NotIn"])
        codes = {"operator": operator, "values": chance.sample(range(256), chance.randrange(1, 40))}
        return [{"action": chance.choice(["Restart", "RestartAllContainers"]), "exitCodes": codes}]

    def one(name):
        odd = chance.random() < 0.05
        fields = {
            "name": maybe(0.5, lambda: chance.choice(["lastout", "UPPER", "", "main"])) if odd else name,
            "image": "" if odd else chance.choice(images),
            "command": maybe(0.8, lambda: chance.choice(words)), "args": maybe(0.3, lambda: chance.choice(words)),
            "restartPolicy": maybe(0.1, lambda: chance.choice(["Always", "Never", "OnFailure"])),
            "env": maybe(0.05, lambda: [{"name": "LASTOUT_SIDECAR", "value": "x"}]),
            "volumeMounts": maybe(0.1, lambda: [{"name": "v", "mountPath": chance.choice(["/x", "/.lastout", "/.lastout-group//", "/"])}]),
        }  # fmt: skip
        if chance.random() < 0.1:
            fields.update(restartPolicy="Never", restartPolicyRules=rules())
        return {key: value for key, value in fields.items() if value is not None}

    def some(count):
        few = [f"c{at}" for at in range(count)] if count > len(names) else chance.sample(names, count)
        return [one(name) for name in few]

    def spec():
        fields = {
            "containers": some(chance.choice([0, 1, 2, 2, 2, 3, 3, 4, 70])),
            "initContainers": maybe(0.2, lambda: [{**one("first"), "name": "first"}]),
            "volumes": [{"name": "v"}, *chance.choice([[], [], [], [{"name": "lastout"}], [{"name": "lastout-group"}]])],
            "restartPolicy": maybe(0.9, lambda: chance.choice(["Never", "OnFailure", "Always"])),
            "hostPID": maybe(0.1, lambda: False), "os": maybe(0.1, lambda: {"name": chance.choice(["windows", "linux"])}), "aFieldOfTheFuture": maybe(0.02, dict),
            "nodeSelector": maybe(0.2, lambda: {"kubernetes.io/os": chance.choice(["windows", "linux"])}),
            "securityContext": maybe(0.2, lambda: {"runAsUser": chance.choice([0, 7])}),
            "automountServiceAccountToken": maybe(0.8, lambda: False),
        }  # fmt: skip
        return {key: value for key, value in fields.items() if value is not None}

    pods = []
    for at in range(count):
        made = pod(f"odd-{at}", [], {INJECT: chance.choice(["true", "", "odd"])} if chance.random() < 0.3 else {})
        chosen = chance.sample(annotations, chance.choice([0, 0, 1, 2]))
        made["metadata"]["annotations"] = {f"lastout.dev/{key}": chance.choice(texts) for key in chosen}
        made["spec"] = spec()
        pods.append(made)
    return pods


@case
def no_policy_blocks_a_pod_whatever_the_pod(stage):
    pods = odd_pods(500)
    with namespace(stage, "odd", ENABLED) as there, namespace(stage, "even") as other:
        expected, _ = dry_all(other.namespace, documents(pods))
        check(200 < len(expected) < 500, f"{len(expected)} of the pods are valid")
        for options in ((), IMAGE_VOLUME, NATIVE):
            with policies(stage, [there.namespace], *options):
                found, refused = dry_all(there.namespace, documents(pods))
                check(found.keys() == expected.keys(), f"{options}: {sorted(found.keys() ^ expected.keys())}: {refused}")
                changed = sum(is_marked(made) for made in found.values())
                check(changed > 20, f"{options}: only {changed} are changed")


@case
def policy_adds_little_to_the_time_that_a_pod_takes(stage):
    thing = read(manifest("plain.yaml", "timed").split("---\n", 1)[1])
    text = json.dumps(pod("timed", spec_of(thing)["containers"]))
    with namespace(stage, "timed", ENABLED) as there, namespace(stage, "free") as other, policies(stage, [there.namespace]):
        command = [cluster.KUBECTL, "proxy", "--port=0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as proxy:
            try:
                address = proxy.stdout.readline().split()[-1]
                connection = http.client.HTTPConnection(address)

                def create(where):
                    started = time.perf_counter()
                    path = f"/api/v1/namespaces/{where.namespace}/pods?dryRun=All"
                    connection.request("POST", path, text, {"Content-Type": "application/json"})
                    answer = connection.getresponse()
                    body = answer.read()
                    check(answer.status == 201, f"{answer.status}: {body}")
                    return time.perf_counter() - started

                pairs = [(create(there), create(other)) for _ in range(200)][20:]
            finally:
                proxy.kill()
        with_policy, without = (statistics.median(side) * 1000 for side in zip(*pairs))
        added = statistics.median(a - b for a, b in pairs) * 1000
        print(f"e2e: a pod takes {with_policy:.1f} ms with the policy, {without:.1f} without: {added:.1f} ms more", flush=True)
        check(added < 5 * without, f"the policy adds {added:.1f} ms to the {without:.1f} that a pod takes without it")
