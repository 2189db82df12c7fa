"""The servers, each with one worker and the settings that its own documentation recommends for static files."""

import os
import pathlib
import signal
import socket
import subprocess
import time

SERVER_CPU = "0"
PORT = 8000
START_SECONDS = 10


def listening():
    try:
        socket.create_connection(("127.0.0.1", PORT), 1).close()
        return True
    except OSError:
        return False


def eventually(holds):
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return False


class Server:
    def __init__(self, name, package, command, configuration="", cpus=SERVER_CPU, scheme="http"):
        self.name = name
        self.scheme = scheme
        self.package = package
        self.command = command
        self.configuration = configuration
        self.cpus = cpus
        self.process = None

    def start(self, work, root, repository):
        """Starts it pinned to its CPUs, with all that it starts itself."""
        places = {"work": work, "root": root, "repository": repository, "port": PORT,
                  "configuration": f"{work}/{self.name}.conf"}
        pathlib.Path(places["configuration"]).write_text(fill(self.configuration, places))
        with open(f"{work}/{self.name}.log", "ab") as log:
            self.process = subprocess.Popen(
                ["taskset", "-c", self.cpus, *(fill(word, places) for word in self.command)],
                stdout=log, stderr=log, start_new_session=True)
        if not eventually(listening):
            raise RuntimeError(f"{self.name} does not answer; its log is {work}/{self.name}.log")

    def stop(self):
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process = None
        # The workers may live a moment longer than their parent.
        if not eventually(lambda: not listening()):
            raise RuntimeError(f"{self.name} does not end")

    def processes(self):
        """Measures the whole tree, because workers may have processes and sessions of their own."""
        children = {}
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    stat = (entry / "stat").read_text()
                except OSError:
                    continue
                children.setdefault(int(stat.rsplit(")", 1)[1].split()[1]), []).append(int(entry.name))
        found, todo = [], [self.process.pid]
        while todo:
            process = todo.pop()
            found.append(process)
            todo += children.get(process, [])
        return found


def fill(text, places):
    for name, value in places.items():
        text = text.replace(f"@{name}@", str(value))
    return text


# nginx.org/en/docs/http/ngx_http_core_module.html: sendfile with tcp_nopush, and a cache of open files.
NGINX = """
user root;
worker_processes 1;
worker_rlimit_nofile 60000;
daemon off;
pid @work@/nginx.pid;
error_log @work@/nginx.log crit;
events { worker_connections 20000; }
http {
  include /etc/nginx/mime.types;
  sendfile on;
  tcp_nopush on;
  open_file_cache max=20000 inactive=60s;
  open_file_cache_valid 30s;
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  server {
    listen 127.0.0.1:@port@ backlog=4096;
    root @root@;
    %s
  }
}
"""

# redmine.lighttpd.net, "Performance": higher limits of descriptors and requests; sendfile and the stat cache are its
# defaults. 65535 is the highest number of requests that can be set for a connection.
LIGHTTPD = """
server.document-root = "@root@"
server.bind = "127.0.0.1"
server.port = @port@
server.max-fds = 60000
server.max-connections = 20000
server.max-keep-alive-requests = 65535
server.max-keep-alive-idle = 600
server.max-read-idle = 600
server.listen-backlog = 4096
server.network-backend = "sendfile"
server.errorlog = "@work@/lighttpd.log"
mimetype.assign = ( ".bin" => "application/octet-stream" )
"""

# h2o.examp1e.net, "Configure": one thread, no log.
H2O = """
user: root
num-threads: 1
max-connections: 20000
listen:
  host: 127.0.0.1
  port: @port@
http1-request-timeout: 600
hosts:
  default:
    paths:
      /:
        file.dir: @root@
"""


def sluice(module):
    return ["@repository@/build/release/bin/sluice", "serve", "--root", "@root@", "--plugins",
            "@repository@/plugins.d", "--module", module, "--mount", f"/={module}", "--listen", "127.0.0.1:@port@",
            "--workers", "1", "--user", "root", "--keepalive-timeout", "600s", "--log-level", "error"]


def all_servers():
    return {server.name: server for server in [
        Server("nginx", "nginx-light", ["nginx", "-c", "@configuration@"], NGINX % ""),
        Server("nginx-aio", "nginx-light", ["nginx", "-c", "@configuration@"], NGINX % "aio threads;"),
        Server("lighttpd", "lighttpd", ["lighttpd", "-D", "-f", "@configuration@"], LIGHTTPD),
        Server("h2o", "h2o", ["h2o", "-m", "worker", "-c", "@configuration@"], H2O),
        Server("static", None, sluice("static_sendfile")),
        Server("dynamic", None, sluice("dynamic_aio")),
        Server("floor", None, ["@work@/floor", "@port@", "@root@"]),
    ]}
