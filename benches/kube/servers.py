"""The webhooks that are measured: started, asked, looked at from outside, ended."""

import base64
import http.client
import json
import os
import socket
import ssl
import subprocess
import time

import setup
from setup import Missing

OURS, GO = "kubectl-lastout", "controller-runtime"
IMAGE = "registry.example.com/lastout:1"
READY_WITHIN = 60
TICKS = os.sysconf("SC_CLK_TCK")


def commands(programs):
    """-> the command line of each, without ports and certificate."""
    release = setup.output(programs.ours, "version").split()[1].rstrip(",")
    return {
        OURS: ours(programs),
        GO: [programs.controller_runtime, "--image", IMAGE, "--release", release],
    }


def ours(programs):
    return [programs.ours, "webhook", "--mode", "wrap", "--image", IMAGE]


def certificate(folder):
    """-> a certificate that signs itself, and its key."""
    cert, key = os.path.join(folder, "tls.crt"), os.path.join(folder, "tls.key")
    words = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=webhook"]
    setup.output("openssl", "req", "-x509", *words, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert)
    return cert, key


def free_ports(count):
    """A program that takes 0 for a port would have to tell which one it got; these two have no common way to."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


class Server:
    """One that runs: its ports, how long it took to be ready, and what it uses."""

    def __init__(self, command, *certificate):
        """`certificate`: the files with it and with its key; nothing, where the command says where it comes from."""
        self.port, self.admin = free_ports(2)
        address = "127.0.0.1:{}".format
        where = ["--listen", address(self.port), "--admin-listen", address(self.admin)]
        files = [word for pair in zip(("--tls-cert", "--tls-key"), certificate) for word in pair]
        self.command = [*command, *where, *files]
        began = time.monotonic()
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.wait_until_ready(began + READY_WITHIN)
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        self.started = (time.monotonic() - began) * 1000

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # How either ends is not measured; a webhook that is asked to takes its time.
        self.process.kill()
        self.process.wait()

    def wait_until_ready(self, deadline):
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Missing(f"not ready: {' '.join(self.command)}")
            time.sleep(0.0002)

    def is_ready(self):
        """As a kubelet's probe asks."""
        try:
            with socket.create_connection(("127.0.0.1", self.admin), timeout=5) as stream:
                stream.sendall(b"GET /readyz HTTP/1.1\r\nHost: webhook\r\nConnection: close\r\n\r\n")
                return stream.recv(12).endswith(b" 200")
        except OSError:
            return False

    def ask(self, body, context=None):
        """-> what it answers, and how many bytes that were."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=context or unverified())
        try:
            connection.request("POST", "/mutate?timeout=10s", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200:
                raise Missing(f"{self.command[0]} answered {answer.status}: {text[:200]}")
            return json.loads(text)["response"], len(text)
        finally:
            connection.close()

    # --- what it uses, from /proc ---

    def cpu(self):
        """Seconds, user and system together, of all its threads."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self):
        """MiB that are resident."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            [line] = [line for line in file if line.startswith("VmRSS:")]
        return int(line.split()[1]) / 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


def unverified():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def patch_of(response):
    """-> the operations of an answer; none, where the pod is let through as it is."""
    if not response["allowed"]:
        raise Missing(f"a pod was refused: {response}")
    return json.loads(base64.b64decode(response["patch"])) if response.get("patch") else []
