"""An API server with two objects, the webhook's Secret and its configuration: lists, watches, conflicts and patches, as far as a
webhook that keeps its certificates itself asks for them. Only for loopback: it asks nobody who he is."""

import base64
import http.server
import json
import os
import threading
import time
import urllib.parse

NAMESPACE, SERVICE = "lastout", "lastout-webhook"
SECRETS = f"/api/v1/namespaces/{NAMESPACE}/secrets"
CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
# Whoever has seen none of the latest changes is told to list again.
KEPT = 100
# A watch ends after so many seconds at the latest, as at a real one, after minutes.
LONGEST_WATCH = 60


def configuration():
    service = {"name": SERVICE, "namespace": NAMESPACE, "path": "/mutate", "port": 443}
    hooks = [{"name": f"{which}.webhook.lastout.dev", "clientConfig": {"service": service}} for which in ("pods", "namespaces")]
    return {
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "zz-lastout"}, "webhooks": hooks,
    }  # fmt: skip


def patched(thing, operations):
    """A copy of it after these operations (RFC 6902: test, add, replace, remove), or None where a test fails."""
    thing = json.loads(json.dumps(thing))
    for operation in operations:
        *way, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
        inner = thing
        for part in way:
            inner = inner[int(part) if isinstance(inner, list) else part]
        last = int(last) if isinstance(inner, list) else last
        if operation["op"] == "test":
            there = inner[last] if isinstance(inner, list) else inner.get(last)
            if there != operation.get("value"):
                return None
        elif operation["op"] == "remove":
            del inner[last]
        else:
            inner[last] = operation["value"]
    return thing


class Store:
    def __init__(self):
        self.changed = threading.Condition()
        self.version, self.objects, self.events = 0, {}, []  # events: version, folder, kind, object
        self.put(CONFIGURATIONS, configuration())

    def put(self, folder, thing):
        with self.changed:
            self.version += 1
            thing["metadata"]["resourceVersion"] = str(self.version)
            kind = "MODIFIED" if folder in self.objects else "ADDED"
            self.objects[folder] = thing
            self.events = [*self.events, (self.version, folder, kind, thing)][-KEPT:]
            self.changed.notify_all()
        return thing

    def answer(self, method, folder, body):
        """-> code and object"""
        with self.changed:
            now = self.objects.get(folder)
            if method == "GET":
                items = [now] if now else []
                return 200, {"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": str(self.version)}, "items": items}
            if (method == "POST") == bool(now):
                return (409 if now else 404), None
            if method == "PATCH":
                new = patched(now, json.loads(body))
            else:
                new = json.loads(body)
                if now and new["metadata"].get("resourceVersion") != now["metadata"]["resourceVersion"]:
                    new = None
            return (200, self.put(folder, new)) if new else (409, None)

    def news(self, folder, since, deadline):
        """Waits. -> events, and what has been seen by then; no events: it has been long enough. None: `since` is too old."""
        with self.changed:
            while True:
                if self.events and since < self.events[0][0] - 1:
                    return None
                found = [event for event in self.events if event[0] > since and event[1] == folder]
                left = deadline - time.monotonic()
                if found or left <= 0:
                    return found, self.version
                self.changed.wait(left)

    def bundle(self):
        """-> the authorities in `caBundle`, PEM, or None where the entries differ or have none."""
        with self.changed:
            hooks = self.objects[CONFIGURATIONS]["webhooks"]
            [found, *more] = {hook["clientConfig"].get("caBundle") for hook in hooks}
        return None if more or not found else base64.b64decode(found).decode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def handle_all(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        folder = next((folder for folder in (SECRETS, CONFIGURATIONS) if url.path.startswith(folder)), None)
        if folder is None:
            self.reply(404, None)
        elif query.get("watch") in ("true", "1"):
            self.watch(folder, query)
        else:
            self.reply(*self.server.store.answer(self.command, folder, body))

    do_GET = do_POST = do_PUT = do_PATCH = handle_all

    def reply(self, code, thing):
        refused = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": str(code), "metadata": {}}
        text = json.dumps(refused if thing is None else thing).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def watch(self, folder, query):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        since = int(query["resourceVersion"])
        deadline = time.monotonic() + min(int(query.get("timeoutSeconds") or LONGEST_WATCH), LONGEST_WATCH)
        while (found := self.server.store.news(folder, since, deadline)) is not None:
            events, since = found
            for _, _, kind, thing in events:
                self.wfile.write(json.dumps({"type": kind, "object": thing}).encode() + b"\n")
            if not events:
                return
        gone = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 410, "reason": "Expired", "message": "too old"}
        self.wfile.write(json.dumps({"type": "ERROR", "object": gone}).encode() + b"\n")


class ApiServer:
    """One that runs until the end of the block."""

    def __init__(self, folder):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.store = self.server.store = Store()
        self.kubeconfig = os.path.join(folder, "kubeconfig")
        cluster = {"server": f"http://127.0.0.1:{self.server.server_port}"}
        context = {"cluster": "soak", "user": "soak", "namespace": NAMESPACE}
        whole = {
            "apiVersion": "v1", "kind": "Config", "current-context": "soak",
            "clusters": [{"name": "soak", "cluster": cluster}], "contexts": [{"name": "soak", "context": context}],
            "users": [{"name": "soak", "user": {}}],
        }  # fmt: skip
        with open(self.kubeconfig, "w", encoding="utf-8") as file:
            json.dump(whole, file)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
