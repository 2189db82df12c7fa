"""Clients that load pages of the cluster again and again, and retry once when a connection fails, as browsers do."""
import hashlib
import http.client
import random
import re
import socket
import ssl
import threading
import time

NAME = "www.example.org"
SERVICE = "192.0.2.10"
# Longer than a host or balancer that is gone takes to be noticed.
TIMEOUT_S = 20
# Processes of a host that is killed end one after the other.
RETRY_S = 0.3


def tls_context(certificate):
    context = ssl.create_default_context(cafile=certificate)
    context.set_alpn_protocols(["http/1.1"])
    return context


class Client:
    """One connection at a time, which is kept as long as the server keeps it."""

    def __init__(self, certificate, address=SERVICE):
        self.context = tls_context(certificate)
        self.address = address
        self.connection = None
        self.session = None
        self.resumed = False

    def connect(self):
        made = socket.create_connection((self.address, 443), TIMEOUT_S)
        try:
            made = self.context.wrap_socket(made, server_hostname=NAME, session=self.session)
        except BaseException:
            made.close()
            raise
        self.resumed = made.session_reused
        self.connection = http.client.HTTPConnection(NAME)
        self.connection.sock = made
        self.connection.auto_open = False

    def close(self):
        if self.connection is not None:
            self.session = self.connection.sock.session if self.connection.sock else self.session
            self.connection.close()
        self.connection = None

    def try_once(self, path):
        if self.connection is None or self.connection.sock is None:
            self.connect()
        self.connection.request("GET", path, headers={"User-Agent": "cluster"})
        answer = self.connection.getresponse()
        body = answer.read()
        if self.connection.sock is not None:
            self.session = self.connection.sock.session
        return answer, body


class Tally:
    """What all clients have met. `errors` are those that a retry did not hide."""

    def __init__(self):
        self.lock = threading.Lock()
        self.pages = self.requests = self.retries = 0
        self.releases = set()
        self.errors = []

    def add(self, **counts):
        with self.lock:
            for name, count in counts.items():
                setattr(self, name, getattr(self, name) + count)

    def fault(self, text):
        with self.lock:
            self.errors.append(text)


class Load:
    """Threads that load pages, from `with` to its end."""

    def __init__(self, certificate, threads=6):
        self.tally = Tally()
        self.certificate = certificate
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(threads)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def wait_for_pages(self, count, limit_s=60):
        """Until so many more pages have been loaded."""
        end = self.tally.pages + count
        until = time.monotonic() + limit_s
        while self.tally.pages < end and time.monotonic() < until:
            time.sleep(0.05)

    def get(self, client, path):
        for attempt in range(2):
            try:
                answer, body = client.try_once(path)
                self.tally.add(requests=1)
                if answer.status != 200:
                    self.tally.fault(f"{path}: status {answer.status}")
                    return None
                return body
            except (OSError, http.client.HTTPException) as error:
                client.close()
                if attempt == 0:
                    self.tally.add(retries=1)
                    time.sleep(RETRY_S)
                else:
                    self.tally.fault(f"{path}: {type(error).__name__}: {error}")
        return None

    def load_page(self, client, fresh):
        page = self.get(client, "/")
        if page is None:
            return
        with self.tally.lock:
            self.tally.releases.add(re.search(rb"release (\d+)", page).group(1).decode())
        for part, of_hash in re.findall(r'"(/part\.([0-9a-f]{16})\.(?:js|css))"', page.decode()):
            if fresh:
                client.close()
            body = self.get(client, part)
            if body is not None and hashlib.sha256(body).hexdigest()[:16] != of_hash:
                self.tally.fault(f"{part}: other content")
        self.tally.add(pages=1)

    def run(self, index):
        client = Client(self.certificate)
        fresh = index % 2 == 0  # each part may come from another host
        try:
            while not self.over.is_set():
                if fresh and random.random() < 0.3:
                    client.session = None
                if index == 0:
                    body = self.get(client, "/large.bin")
                    if body is not None and len(body) != 8_000_000:
                        self.tally.fault("/large.bin: other content")
                self.load_page(client, fresh)
                if fresh:
                    client.close()
                time.sleep(0.01)
        except Exception as error:  # a mistake of the test's own
            self.tally.fault(f"client {index}: {type(error).__name__}: {error}")
        client.close()
