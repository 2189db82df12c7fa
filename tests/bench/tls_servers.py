"""The servers with TLS 1.3, each with the settings that its own documentation recommends for it, and their certificates."""

import subprocess

from servers import SERVER_CPU, Server, sluice

KEYS = {
    "p256": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "rsa2048": ["-newkey", "rsa:2048"],
    "rsa4096": ["-newkey", "rsa:4096"],
}

# nginx.org/en/docs/http/configuring_https_servers.html: a session cache that the workers share. sendfile and tcp_nopush do
# nothing here.
NGINX = """
user root;
worker_processes @workers@;
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
  ssl_session_cache shared:SSL:10m;
  ssl_session_timeout 10m;
  server {
    listen 127.0.0.1:@port@ ssl http2 backlog=4096;
    ssl_certificate @work@/@key@.crt;
    ssl_certificate_key @work@/@key@.key;
    ssl_protocols TLSv1.3;
    root @root@;
  }
}
"""

# redmine.lighttpd.net, "Docs_SSL". One worker is what lighttpd recommends, and no setting; more are set where a scenario
# has them.
LIGHTTPD = """
server.modules = ( "mod_openssl" )
server.document-root = "@root@"
server.bind = "127.0.0.1"
server.port = @port@
server.max-fds = 60000
server.max-connections = 20000
server.max-keep-alive-requests = 65535
server.max-keep-alive-idle = 600
server.max-read-idle = 600
server.listen-backlog = 4096
server.errorlog = "@work@/lighttpd.log"
mimetype.assign = ( ".bin" => "application/octet-stream" )
ssl.engine = "enable"
ssl.pemfile = "@work@/@key@.crt"
ssl.privkey = "@work@/@key@.key"
ssl.openssl.ssl-conf-cmd = ( "MinProtocol" => "TLSv1.3" )
"""

# h2o.examp1e.net, "Base Directives", listen.ssl. Its workers are threads.
H2O = """
user: root
num-threads: @workers@
max-connections: 20000
listen:
  host: 127.0.0.1
  port: @port@
  ssl:
    certificate-file: @work@/@key@.crt
    key-file: @work@/@key@.key
    minimum-version: TLSv1.3
    ocsp-update-interval: 0
http1-request-timeout: 600
hosts:
  default:
    paths:
      /:
        file.dir: @root@
"""


def make_certificates(work):
    for name, kind in KEYS.items():
        subprocess.run(["openssl", "req", "-x509", *kind, "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", f"{work}/{name}.key", "-out",
                        f"{work}/{name}.crt"], check=True, capture_output=True)


def tls_servers(key="p256", workers=1, cpus=SERVER_CPU):
    """By name: the same names as without TLS."""
    def configured(text):
        return text.replace("@key@", key).replace("@workers@", str(workers))

    def server(name, command, text=""):
        return Server(name, None, command, configured(text), cpus, "https")

    changed = {"127.0.0.1:@port@": "https://127.0.0.1:@port@", "1": str(workers)}
    files = ["--certificate", f"@work@/{key}.crt", "--key", f"@work@/{key}.key", "--tls-min", "1.3"]
    shared = f"server.max-worker = {workers}\n" if workers > 1 else ""
    return {made.name: made for made in [
        server("nginx", ["nginx", "-c", "@configuration@"], NGINX),
        server("lighttpd", ["lighttpd", "-D", "-f", "@configuration@"], LIGHTTPD + shared),
        server("h2o", ["h2o", "-m", "worker", "-c", "@configuration@"], H2O),
        *(server(name, [*(changed.get(word, word) for word in sluice(module)), *files])
          for name, module in (("static", "static_sendfile"), ("dynamic", "dynamic_aio"))),
    ]}
