"""A certificate in files that is replaced as a kubelet replaces a mounted Secret, and a client that looks for the new one."""

import os
import shutil
import socket
import ssl
import threading
import time

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


class Rotation(threading.Thread):
    """Replaces the certificate again and again, and asks with each over a new connection until it is served."""

    SEEN_WITHIN = 90

    def __init__(self, mounted, server, body, every):
        super().__init__(daemon=True)
        self.mounted, self.server, self.body, self.every = mounted, server, body, every
        self.over = threading.Event()
        self.served, self.asked, self.slowest, self.failure = 0, 0, 0.0, None

    def run(self):
        try:
            while not self.over.wait(self.every):
                self.rotate()
        except Exception as error:  # told by the thread that waits for the end
            self.failure = f"after {self.served} rotations: {error!r}"

    def rotate(self):
        context, serial, began = self.mounted.context(), self.mounted.replace(), time.monotonic()
        while True:
            self.server.ask(self.body, context)
            self.asked += 1
            if self.serial_of(context) >= serial:
                break
            if time.monotonic() > began + self.SEEN_WITHIN:
                raise Missing(f"certificate {serial} is not served {self.SEEN_WITHIN} s after it was put there")
            time.sleep(0.1)
        self.served += 1
        self.slowest = max(self.slowest, time.monotonic() - began)

    def serial_of(self, context):
        """Of the certificate that a new connection is served."""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=10) as stream:
            with context.wrap_socket(stream, server_hostname="127.0.0.1") as wrapped:
                return int(wrapped.getpeercert()["serialNumber"], 16)

    def end(self):
        self.over.set()
        self.join()
