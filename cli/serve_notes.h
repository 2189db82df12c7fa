// What the help of `sluice serve` and its manual say beside the options. Constant text.
#pragma once

namespace sluice::cli {

inline constexpr const char* kServeNotes =
    R"(Every option can also be set in the environment (--head-timeout 5s as
SLUICE_HEAD_TIMEOUT=5s) and, except --config and --check, in the file of
--config (head-timeout = "5s"). The command line comes before the environment,
the environment before the file, the file before the default. The values of a
repeatable option all come from the first of these that has any. In the
environment ';' or a new line separates them; in the file they are a list:
["a", "b"]. Relative paths start where sluice is started.

The file is written in TOML. It can have further sites, each with its names:
  [[site]]
  names = ["example.org", "*.example.org"]
  listen = ["http://*:80", "https://*:443"]
  certificate = "/etc/ssl/example.org.pem"
  key = "/etc/ssl/private/example.org.key"
  redirect = "https"
  [[site.mount]]
  at = "/"
  module = "static_sendfile"
  root = "/srv/example"
What a site leaves out is as at the top of the file.

Signals: after TERM, INT and QUIT the server finishes the requests under way
and ends; after a second one it ends at once. After HUP it reads the
environment and the file again. Changed modules need no signal.

Examples:
  sluice serve
  sluice serve --root /srv/site --listen *:80 --user www-data
  sluice serve --mount /docs/=static_sendfile:root=docs
  sluice serve --listen 127.0.0.1:8080 --listen unix:/run/sluice.sock
  sluice serve --config /etc/sluice.toml --check)";

}  // namespace sluice::cli
