"""The clients of tests/soak/run, and what they have found."""
import random
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from pathlib import Path


class Client(threading.Thread):
    """Asks for files, one connection after the other, and compares them."""

    def __init__(self, site, kind, seed, stats):
        super().__init__(daemon=True)
        self.site, self.kind, self.rng, self.stats = site, kind, random.Random(seed), stats
        self.context = ssl.create_default_context()
        self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE

    def connect(self):
        port = self.site.ports[1 if self.kind == "tls" else 0]
        connection = socket.create_connection(("127.0.0.1", port), 20)
        return self.context.wrap_socket(connection) if self.kind == "tls" else connection

    def run(self):
        while not self.stats.ended:
            try:
                with self.connect() as connection:
                    is_kept = False
                    for _ in range(self.rng.randint(1, 40)):
                        if not self.ask(connection, is_kept):
                            break
                        is_kept = True
            except (OSError, EOFError) as error:
                self.stats.broke(f"{self.kind}: {error!r}")
                time.sleep(0.05)

    def ask(self, connection, is_kept):
        """False when the connection is over. A kept one may be closed at the moment when a request is sent."""
        target = self.rng.choice(list(self.site.contents))
        received = b""
        try:
            connection.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            received = self.more(connection)
        except (OSError, EOFError):
            if is_kept:
                return False
            raise
        while b"\r\n\r\n" not in received:
            received += self.more(connection)
        head, _, body = received.partition(b"\r\n\r\n")
        content = self.site.contents[target]
        while len(body) < len(content) and head.startswith(b"HTTP/1.1 200"):
            body += self.more(connection)
        if not head.startswith(b"HTTP/1.1 200") or body != content:
            self.stats.was_wrong(f"{target}: {head[:200]!r}, {len(body)} bytes")
        self.stats.count()
        return b"\r\nConnection: close" not in head

    @staticmethod
    def more(connection):
        piece = connection.recv(1 << 16)
        if not piece:
            raise EOFError("closed within an answer")
        return piece


class Http2Client(threading.Thread):
    """Runs curl again and again: files at once, over one connection."""

    def __init__(self, site, stats):
        super().__init__(daemon=True)
        self.site, self.stats = site, stats

    def run(self):
        with tempfile.TemporaryDirectory(prefix="sluice-soak-curl-") as folder:
            while not self.stats.ended:
                self.fetch(Path(folder))

    def fetch(self, folder):
        targets = [target for target in self.site.contents for _ in range(5)]
        command = ["curl", "-sS", "-k", "--http2", "--parallel", "--max-time", "30"]
        for number, target in enumerate(targets):
            command += ["-o", folder / str(number), f"https://localhost:{self.site.ports[1]}{target}"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            self.stats.broke(f"h2: curl ended with {done.returncode}: {done.stderr[:200]}")
            return
        for number, target in enumerate(targets):
            if (folder / str(number)).read_bytes() != self.site.contents[target]:
                self.stats.was_wrong(f"h2: {target}")
        self.stats.count(len(targets))


class Stats:
    def __init__(self):
        self.lock = threading.Lock()
        self.ended = False
        self.answers, self.wrong, self.broken, self.may_break = 0, [], [], 0

    def count(self, more=1):
        with self.lock:
            self.answers += more

    def was_wrong(self, what):
        with self.lock:
            self.wrong.append(what)

    def broke(self, what):
        with self.lock:
            if time.monotonic() > self.may_break:
                self.broken.append(what)
