"""Manifests as Helm and kustomize write them, the same ones for the same seed, and how many plain sidecars hang in them.

`helm template --output-dir` writes a file for each template: a `# Source:` comment, indented lists, quotes. `kustomize
build` writes one stream: sorted keys, lists that are not indented. Half of the documents are in either shape.
"""

import os
import random

SEED = 14
# Container, image, arguments.
SIDECARS = (
    ("istio-proxy", "docker.io/istio/proxyv2:1.27.1", ["proxy", "sidecar", "--domain", "$(POD_NAMESPACE).svc.cluster.local"]),
    ("cloud-sql-proxy", "gcr.io/cloud-sql-connectors/cloud-sql-proxy:2.18.2", ["--quitquitquit", "shop:europe-west1:main"]),
    ("linkerd-proxy", "cr.l5d.io/linkerd/proxy:edge-25.9.1", []),
    ("daprd", "docker.io/daprio/daprd:1.16.0", ["--app-id", "worker", "--dapr-http-port", "3500"]),
    ("envoy", "docker.io/envoyproxy/envoy:v1.35.3", ["-c", "/etc/envoy/envoy.yaml", "--log-level", "warning"]),
)
NAMES = tuple(name for name, _, _ in SIDECARS)
KINDS = (("Deployment", 26), ("Job", 20), ("CronJob", 14), ("Service", 20), ("ConfigMap", 20))
WORDS = "billing cart export feed import index ledger mail orders prices refund report search stock sync users".split()


class Generator:
    """A seeded stream of documents; `hanging` counts what is to be found in them."""

    def __init__(self, seed=SEED, kinds=KINDS, hang=0.4, native=0.2):
        self.rng = random.Random(seed)
        self.kinds, self.hang, self.native = kinds, hang, native
        self.hanging = 0

    def document(self, number):
        names, weights = zip(*self.kinds)
        kind = self.rng.choices(names, weights)[0]
        name = f"{self.rng.choice(WORDS)}-{self.rng.choice(WORDS)}-{number}"
        labels = {
            "helm.sh/chart": "shop-4.2.1",
            "app.kubernetes.io/name": name,
            "app.kubernetes.io/instance": "shop",
            "app.kubernetes.io/version": "2.10",
            "app.kubernetes.io/managed-by": "Helm",
        }
        meta = {"name": name, "namespace": self.rng.choice(("shop", "shop-jobs", "default")), "labels": labels}
        return getattr(self, kind.lower())(meta)

    def deployment(self, meta):
        selector = {"app.kubernetes.io/name": meta["name"]}
        sidecars = self.some(0.3)
        spec = {
            "replicas": self.rng.randint(1, 6),
            "selector": {"matchLabels": selector},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}},
            "template": {"metadata": {"labels": dict(selector)}, "spec": self.pod(meta["name"], sidecars, "Always")},
        }
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}

    def job(self, meta):
        return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": self.job_spec(meta["name"])}

    def cronjob(self, meta):
        spec = {
            "schedule": f"{self.rng.randint(0, 59)} {self.rng.randint(0, 23)} * * *",
            "concurrencyPolicy": "Forbid",
            "failedJobsHistoryLimit": 3,
            "jobTemplate": {"spec": self.job_spec(meta["name"])},
        }
        return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": meta, "spec": spec}

    def job_spec(self, name):
        sidecars = self.some(self.hang)
        native = self.rng.random() < self.native
        if not native:
            self.hanging += len(sidecars)
        pod = self.pod(name, sidecars, self.rng.choice(("Never", "Never", "OnFailure")), native)
        return {
            "backoffLimit": self.rng.randint(0, 6),
            "activeDeadlineSeconds": 3600,
            "template": {"metadata": {"labels": {"app.kubernetes.io/name": name}}, "spec": pod},
        }

    def some(self, share):
        if self.rng.random() >= share:
            return []
        return self.rng.sample(SIDECARS, 2 if self.rng.random() < 0.1 else 1)

    def pod(self, name, sidecars, restart, native=False):
        beside = [{"name": sidecar, "image": image, "args": list(args)} for sidecar, image, args in sidecars]
        for container in beside:
            container["resources"] = {"requests": {"cpu": "10m", "memory": "40Mi"}}
        main = {
            "name": "main",
            "image": f"registry.example.com/shop/{name}:2.10.{self.rng.randint(0, 40)}",
            "imagePullPolicy": "IfNotPresent",
            "command": [f"/app/{name.partition('-')[0]}", "--config", "/etc/app/app.yaml"],
            "env": [{"name": f"APP_{self.rng.choice(WORDS).upper()}_{at}", "value": str(self.rng.randint(0, 99))} for at in range(self.rng.randint(1, 9))]
            + [{"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": f"{name}-db", "key": "password"}}}],
            "resources": {"limits": {"memory": "512Mi"}, "requests": {"cpu": "100m", "memory": "256Mi"}},
            "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "runAsNonRoot": True},
            "volumeMounts": [{"name": "config", "mountPath": "/etc/app", "readOnly": True}],
        }
        if restart == "Always":
            main["ports"] = [{"name": "http", "containerPort": 8080}]
            main["readinessProbe"] = {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 5}
        pod = {"serviceAccountName": name}
        if native and beside:
            pod["initContainers"] = [dict(container, restartPolicy="Always") for container in beside]
            beside = []
        pod["containers"] = [main, *beside] if self.rng.random() < 0.7 else [*beside, main]
        pod["restartPolicy"] = restart
        pod["volumes"] = [{"name": "config", "configMap": {"name": f"{name}-config", "defaultMode": 420}}]
        return pod

    def service(self, meta):
        ports = [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}]
        spec = {"type": "ClusterIP", "ports": ports, "selector": {"app.kubernetes.io/name": meta["name"]}}
        return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}

    def configmap(self, meta):
        lines = [f"{self.rng.choice(WORDS)}_{at}: {self.rng.randint(0, 9999)}" for at in range(self.rng.randint(5, 60))]
        data = {"app.yaml": "\n".join(lines) + "\n", "LOG_LEVEL": "info", "WORKERS": str(self.rng.randint(1, 16))}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


def dump(value, lists, ordered, indent=""):
    """-> lines of block YAML; `lists` is how far a list stands from its key."""
    if isinstance(value, dict):
        for key, item in sorted(value.items()) if ordered else value.items():
            yield from entry(f"{indent}{key}:", item, lists, ordered, indent)
        return
    for item in value:
        if isinstance(item, (dict, list)):
            first, *rest = dump(item, lists, ordered, indent + "  ")
            yield f"{indent}- {first.lstrip()}"
            yield from rest
        else:
            yield f"{indent}- {scalar(item)}"


def entry(key, item, lists, ordered, indent):
    if item in ({}, []):
        yield f"{key} {item}"
    elif isinstance(item, (dict, list)):
        yield key
        yield from dump(item, lists, ordered, indent + (lists if isinstance(item, list) else "  "))
    elif isinstance(item, str) and "\n" in item:
        yield f"{key} |"
        yield from (f"{indent}  {line}" for line in item.splitlines())
    else:
        yield f"{key} {scalar(item)}"


def scalar(item):
    if isinstance(item, bool):
        return str(item).lower()
    plain = not isinstance(item, str) or (item[:1].isalpha() or item[:1] == "/") and ": " not in item
    return str(item) if plain else f'"{item}"'


def write(folder, count, **options):
    """Writes `count` documents below this folder -> how many sidecars hang in them, how many bytes and files there are."""
    generator = Generator(**options)
    os.makedirs(os.path.join(folder, "helm", "templates"))
    os.makedirs(os.path.join(folder, "kustomize"))
    size, files, stream, left = 0, 0, [], 0
    for number in range(count):
        document = generator.document(number)
        if number % 2 == 0:
            name = f"{document['kind'].lower()}-{number:05}.yaml"
            path = os.path.join(folder, "helm", "templates", name)
            text = "\n".join(["---", f"# Source: shop/templates/{name}", *dump(document, "  ", False), ""])
        else:
            stream.append("\n".join([*dump(document, "", True), ""]))
            left = left or generator.rng.randint(5, 40)
            left -= 1
            if left and number < count - 2:
                continue
            path, text, stream = os.path.join(folder, "kustomize", f"{number:05}.yaml"), "---\n".join(stream), []
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        size, files = size + len(text.encode()), files + 1
    return generator.hanging, size, files
