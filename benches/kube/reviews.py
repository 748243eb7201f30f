"""AdmissionReviews as an API server sends them for the pods of Jobs, the same ones for the same seed."""

import json
import random
import uuid

from manifests import SIDECARS, WORDS

SEED = 16
TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount"
# What a list's entries are told apart by, in managedFields.
KEYS = {"containers": "name", "env": "name", "volumes": "name", "volumeMounts": "mountPath", "ownerReferences": "uid"}


class Generator:
    def __init__(self, containers):
        """`containers` of each pod; one of them is a sidecar, unless it is alone."""
        self.containers = containers
        self.rng = random.Random(SEED + containers)

    def review(self):
        pod = self.pod()
        kind = {"group": "", "version": "v1", "kind": "Pod"}
        resource = {"group": "", "version": "v1", "resource": "pods"}
        user = "system:serviceaccount:kube-system:job-controller"
        groups = ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"]
        request = {
            "uid": self.uid(),
            "kind": kind, "resource": resource, "requestKind": kind, "requestResource": resource,
            "namespace": pod["metadata"]["namespace"],
            "operation": "CREATE",
            "userInfo": {"username": user, "uid": self.uid(), "groups": groups},
            "object": pod,
            "oldObject": None,
            "dryRun": False,
            "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
        }  # fmt: skip
        return {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request}

    def uid(self):
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def pod(self):
        """With its defaults, as admission sees it."""
        name, job = f"{self.rng.choice(WORDS)}-{self.rng.choice(WORDS)}", self.uid()
        labels = {
            "app.kubernetes.io/name": name,
            "batch.kubernetes.io/controller-uid": job,
            "batch.kubernetes.io/job-name": name,
            "controller-uid": job,
            "job-name": name,
            "lastout.dev/inject": "true",
        }
        owner = {"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": job}
        owner |= {"controller": True, "blockOwnerDeletion": True}
        meta = {
            "generateName": f"{name}-",
            "namespace": self.rng.choice(("shop", "shop-jobs", "default")),
            "labels": labels,
            "finalizers": ["batch.kubernetes.io/job-tracking"],
            "ownerReferences": [owner],
        }
        beside = [self.rng.choice(SIDECARS)] if self.containers > 1 else []
        mains = [self.main(name, at) for at in range(self.containers - len(beside))]
        namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
        token = {
            "defaultMode": 420,
            "sources": [
                {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
                {"downwardAPI": {"items": [namespace]}},
            ],
        }
        access = f"kube-api-access-{self.uid()[:5]}"
        spec = {
            "volumes": [
                {"name": "config", "configMap": {"name": f"{name}-config", "defaultMode": 420}},
                {"name": access, "projected": token},
            ],
            "containers": mains + [self.sidecar(*row) for row in beside],
            "restartPolicy": self.rng.choice(("Never", "OnFailure")),
            "terminationGracePeriodSeconds": 30,
            "dnsPolicy": "ClusterFirst",
            "serviceAccountName": "default",
            "serviceAccount": "default",
            "securityContext": {},
            "schedulerName": "default-scheduler",
            "tolerations": [
                {"key": f"node.kubernetes.io/{taint}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
                for taint in ("not-ready", "unreachable")
            ],
            "priority": 0,
            "enableServiceLinks": True,
            "preemptionPolicy": "PreemptLowerPriority",
        }
        admission_sets = ("tolerations", "priority", "preemptionPolicy")
        fields = {
            "f:metadata": owned({key: value for key, value in meta.items() if key != "namespace"}),
            "f:spec": owned({key: value for key, value in spec.items() if key not in admission_sets}),
        }
        meta["managedFields"] = [
            {
                "manager": "kube-controller-manager", "operation": "Update", "apiVersion": "v1", "time": "2026-11-28T12:00:00Z",
                "fieldsType": "FieldsV1", "fieldsV1": fields,
            }
        ]  # fmt: skip
        for container in spec["containers"]:
            container["volumeMounts"].append({"name": access, "readOnly": True, "mountPath": TOKEN})
        return {"kind": "Pod", "apiVersion": "v1", "metadata": meta, "spec": spec, "status": {}}

    def main(self, name, at):
        env = [{"name": f"APP_{word.upper()}", "value": str(self.rng.randint(0, 99))} for word in self.rng.sample(WORDS, 5)]
        secret = {"secretKeyRef": {"name": f"{name}-db", "key": "password"}}
        return self.defaults(
            name="main" if at == 0 else f"main-{at}",
            image=f"registry.example.com/shop/{name}:2.10.{self.rng.randint(0, 40)}",
            command=[f"/app/{name.partition('-')[0]}", "--config", "/etc/app/app.yaml"],
            env=env + [{"name": "PASSWORD", "valueFrom": secret}],
            resources={"limits": {"memory": "512Mi"}, "requests": {"cpu": "100m", "memory": "256Mi"}},
            volumeMounts=[{"name": "config", "readOnly": True, "mountPath": "/etc/app"}],
            securityContext={"runAsNonRoot": True, "readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False},
        )

    def sidecar(self, name, image, args):
        container = {"name": name, "image": image, "resources": {"requests": {"cpu": "10m", "memory": "40Mi"}}}
        if args:
            container["args"] = list(args)
        return self.defaults(**container, volumeMounts=[])

    @staticmethod
    def defaults(**container):
        container["terminationMessagePath"] = "/dev/termination-log"
        container["terminationMessagePolicy"] = "File"
        container["imagePullPolicy"] = "IfNotPresent"
        return container


def owned(value, key=None):
    """`value` in the form of a FieldsV1, where the lists of KEYS are told apart by name and all others are one value."""
    if isinstance(value, dict) and value:
        return {f"f:{name}": owned(item, name) for name, item in value.items()}
    if isinstance(value, list) and key in KEYS:
        entries = {}
        for item in value:
            names = json.dumps({KEYS[key]: item[KEYS[key]]}, separators=(",", ":"))
            entries[f"k:{names}"] = {".": {}} | owned(item)
        return entries
    return {}


def bodies(containers, count):
    """-> `count` bodies, a line each."""
    generator = Generator(containers)
    return [json.dumps(generator.review(), separators=(",", ":")) for _ in range(count)]
