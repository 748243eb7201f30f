"""A sidecar of our own: when it becomes ready, and what it does about a quit request, is said beforehand."""

import itertools
import os
import socket
import threading
import time

STEP = 0.02
# Each is a process of its own, and has a share of the ports.
PARTS = ("init", "pods", "groups")
# Below the ports that the kernel gives to those who ask for any; taken in turn, so that a port that has just refused is not
# soon another sidecar's: whoever proves by it that the first is gone would meet the second.
PORTS = (20000, 30000)
NEVER = float("inf")


class Ports:
    """The share of the ports that is one part's."""

    def __init__(self, part):
        first, last = PORTS
        share, place = (last - first) // len(PARTS), PARTS.index(part)
        self.turn = itertools.cycle(range(first + place * share, first + (place + 1) * share))
        # Two runs on one machine begin elsewhere.
        for _ in range(os.getpid() % share):
            next(self.turn)
        self.lock = threading.Lock()

    def bound(self):
        """-> a socket that has one of them; until it listens, connections are refused."""
        while True:
            with self.lock:
                port = next(self.turn)
            it = socket.socket()
            it.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                it.bind(("127.0.0.1", port))
                return it
            except OSError:
                it.close()


class Sidecar(threading.Thread):
    """Refuses until it listens, and answers 503 until it is ready (s from now). Asked to quit it says 200 and closes its port
    some time later (`closes`), or does not say anything and stays (`silent`). `dies`: so long after its first good answer
    its port is closed, whoever asks."""

    def __init__(self, ports, listens=0.0, ready=0.0, closes=0.0, dies=NEVER, silent=False, on_quit=lambda: None):
        super().__init__(daemon=True)
        self.listener, self.over, self.probed = ports.bound(), threading.Event(), threading.Event()
        self.port = self.listener.getsockname()[1]
        self.listens, self.ready = listens, time.monotonic() + ready
        self.closes, self.silent, self.on_quit = closes, silent, on_quit
        self.dies, self.until = dies, NEVER
        self.asked, self.failure, self.held = 0, None, []
        self.start()

    def spec(self, name="envoy"):
        return f"{name}:port={self.port},ready=/ready,quit=/quitquitquit"

    def run(self):
        try:
            self.over.wait(self.listens)
            self.listener.listen()
            self.listener.settimeout(STEP)
            while not self.over.is_set() and time.monotonic() < self.until:
                try:
                    connection, _ = self.listener.accept()
                except TimeoutError:
                    continue
                self.answer(connection)
        except Exception as error:  # Told to whoever waits for this life: a thread has nobody else to tell.
            self.failure = error
        finally:
            self.listener.close()
            for connection in self.held:
                connection.close()

    def answer(self, connection):
        connection.settimeout(1)
        try:
            request = b""
            while b"\r\n\r\n" not in request:
                more = connection.recv(4096)
                if not more:
                    connection.close()
                    return
                request += more
            words = request.split()
            if len(words) < 2:
                raise ValueError(f"a request without a path: {request!r}")
            quit = words[1] == b"/quitquitquit"
            if quit:
                self.asked += 1
                self.on_quit()
                if self.silent:
                    self.held.append(connection)
                    return
                self.until = min(self.until, time.monotonic() + self.closes)
            good = quit or time.monotonic() >= self.ready
            if good:
                self.until = min(self.until, time.monotonic() + self.dies)
            status = b"200 OK" if good else b"503 Service Unavailable"
            connection.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            self.probed.set()
        except OSError:
            pass
        except ValueError:
            # The failure keeps this frame, and with it a connection that is not closed: the asker would wait.
            connection.close()
            raise
        connection.close()

    def end(self):
        self.over.set()
        self.join()
