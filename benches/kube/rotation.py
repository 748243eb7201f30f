"""Certificates that change: in files, replaced as a kubelet replaces a mounted Secret, and by the webhook's own authority; and the
clients that look for the new ones, each over new connections and verifying them."""

import os
import shutil
import socket
import ssl
import threading
import time

import apiserver
import setup
from setup import Missing

KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


class Mounted:
    """A folder with tls.crt and tls.key; both come by the link `..data`, so that they are replaced at once."""

    def __init__(self, folder):
        self.folder, self.serial = folder, 0
        self.ca, self.ca_key = os.path.join(folder, "ca.crt"), os.path.join(folder, "ca.key")
        self.cert, self.key = os.path.join(folder, "tls.crt"), os.path.join(folder, "tls.key")
        name = ["-days", "30", "-subj", "/CN=soak CA"]
        setup.output("openssl", "req", "-x509", *KEY, *name, "-keyout", self.ca_key, "-out", self.ca)
        self.replace()
        for path in (self.cert, self.key):
            os.symlink(os.path.join("..data", os.path.basename(path)), path)

    def replace(self):
        """-> the serial number of the new certificate."""
        serial = self.serial + 1
        new, link = os.path.join(self.folder, f"..{serial}"), os.path.join(self.folder, "..data")
        os.mkdir(new)
        by = ["-CA", self.ca, "-CAkey", self.ca_key, "-set_serial", str(serial), "-days", "30", "-subj", "/CN=webhook"]
        to = ["-keyout", os.path.join(new, "tls.key"), "-out", os.path.join(new, "tls.crt")]
        setup.output("openssl", "req", "-x509", *KEY, *by, "-addext", "subjectAltName=IP:127.0.0.1", *to)
        os.symlink(os.path.basename(new), f"{link}_tmp")
        os.rename(f"{link}_tmp", link)
        shutil.rmtree(os.path.join(self.folder, f"..{self.serial}"), ignore_errors=True)
        self.serial = serial
        return serial

    def context(self):
        return ssl.create_default_context(cafile=self.ca)


class Client(threading.Thread):
    """Does `once` each time that it is due, or as soon as the last is done, until the end or the first failure, which the thread
    tells that waits for the end."""

    def __init__(self, server, body, every):
        super().__init__(daemon=True)
        self.server, self.body, self.every = server, body, every
        self.over = threading.Event()
        self.asked, self.failure = 0, None

    def run(self):
        try:
            due = time.monotonic() + self.every
            while not self.over.wait(max(0, due - time.monotonic())):
                due = max(due, time.monotonic() - self.every) + self.every
                self.once()
        except Exception as error:
            self.failure = f"after {self.done()}: {error!r}"

    def ask(self, context, name):
        """An admission over a connection of its own. -> the certificate that it was served."""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=10) as stream:
            with context.wrap_socket(stream, server_hostname=name) as wrapped:
                head = f"POST /mutate?timeout=10s HTTP/1.1\r\nHost: {name}\r\nContent-Type: application/json\r\n"
                head += f"Connection: close\r\nContent-Length: {len(self.body.encode())}\r\n\r\n"
                wrapped.sendall((head + self.body).encode())
                answer = b"".join(iter(lambda: wrapped.recv(65536), b""))
                if not answer.startswith(b"HTTP/1.1 200"):
                    raise Missing(f"answered {answer[:200]}")
                self.asked += 1
                return wrapped.getpeercert()

    def end(self):
        self.over.set()
        self.join()


class Rotation(Client):
    """Replaces the certificate in files, and asks until the new one is served."""

    SEEN_WITHIN = 90

    def __init__(self, mounted, server, body, every):
        super().__init__(server, body, every)
        self.mounted, self.served, self.slowest = mounted, 0, 0.0

    def once(self):
        context, serial, began = self.mounted.context(), self.mounted.replace(), time.monotonic()
        while int(self.ask(context, "127.0.0.1")["serialNumber"], 16) < serial:
            if time.monotonic() > began + self.SEEN_WITHIN:
                raise Missing(f"certificate {serial} is not served {self.SEEN_WITHIN} s after it was put there")
            time.sleep(0.1)
        self.served += 1
        self.slowest = max(self.slowest, time.monotonic() - began)

    def done(self):
        return f"{self.served} certificates in files"


class OwnAuthority(Client):
    """Asks as an API server does: whoever `caBundle` names is trusted, and the name is that of the Service."""

    HOST = f"{apiserver.SERVICE}.{apiserver.NAMESPACE}.svc"

    def __init__(self, store, server, body, every):
        super().__init__(server, body, every)
        self.store, self.certificates, self.bundles = store, set(), set()

    def once(self):
        bundle = self.store.bundle()
        if not bundle:
            raise Missing("there is no caBundle, or the entries have different ones")
        served = self.ask(ssl.create_default_context(cadata=bundle), self.HOST)
        self.certificates.add(served["serialNumber"])
        self.bundles.add(bundle)

    def done(self):
        return f"{len(self.certificates)} certificates of its own authority"
