// The validated settings of a server, as plain values. The command line makes them; the supervisor and the
// workers read them. Any thread.
#pragma once

#include <sluice/abi.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "settings/networks.h"
#include "settings/permissions.h"
#include "settings/site_settings.h"

namespace sluice {

struct Limits {
  std::uint32_t head_bytes_max = 16 * 1024;         // request line and fields together; larger ones get 431
  std::uint32_t target_bytes_max = 8 * 1024;        // longer ones get 414
  std::uint32_t fields_max = 100;                   // field lines; heads with more get 431
  std::uint64_t body_bytes_max = 64 * 1024 * 1024;  // of a request; larger ones get 413
  std::uint64_t drain_bytes_max = 256 * 1024;       // of a request body that no handler takes
  std::uint64_t body_rate_min = 240;                // bytes a second of a request body, over Timeouts::body_ms
  std::uint64_t send_rate_min = 240;      // bytes a second that a client takes, over Timeouts::send_ms
  std::uint32_t connections_max = 20000;  // per worker; further ones wait to be accepted
  // Of one client, in all workers together; 0: no limit.
  std::uint32_t client_connections_max = 1024;     // further ones are closed
  std::uint32_t client_handshakes_max = 256;       // of TLS, under way; further ones are closed
  std::uint32_t client_requests_max = 2048;        // under way; further ones get 429
  std::uint32_t turn_bytes_max = 2 * 1024 * 1024;  // sent on one connection in one turn of the loop
  std::uint64_t worker_bytes_max = 0;              // of a worker's data; 0: no limit
};

// All in milliseconds.
struct Timeouts {
  std::uint32_t head_ms = 15'000;  // from a request's first byte (or a connection's start) to its head's end
  std::uint32_t body_ms = 30'000;  // between two pieces of a request's body, or for a whole unwanted body
  std::uint32_t send_ms = 30'000;  // while the client acknowledges no byte
  std::uint32_t keepalive_ms = 65'000;    // idle between two requests
  std::uint32_t handler_ms = 60'000;      // for a deferred answer, and for a body that writes nothing
  std::uint32_t linger_ms = 2'000;        // reading on after an answer that closes before the request's end
  std::uint32_t tunnel_ms = 600'000;      // while an upgraded connection moves no byte in either direction
  std::uint32_t drain_ms = 30'000;        // for requests in flight when the server stops or reloads
  std::uint32_t lame_duck_ms = 0;         // from a stop until nothing is accepted any more
  std::uint32_t stream_grace_ms = 5'000;  // for waiting streams without a known end when the server stops
};

// Values of Settings::control other than a path.
inline constexpr std::string_view kOwnControl = "auto";  // a socket of the server's own in the control folder
inline constexpr std::string_view kNoControl = "off";

enum class TlsVersion : std::uint8_t { v1_2, v1_3 };

// How the server treats modules that change, and modules that break.
struct ModulePolicy {
  std::uint32_t quiet_ms = 150;    // a changed file is taken when it has not changed for this time
  std::uint32_t swap_ms = 10'000;  // for a changed file's trial, and again until the workers are ready
  std::uint32_t faults_max = 3;    // of one module, before its last generation returns or it is switched off
  std::uint32_t fault_window_ms = 60'000;
  std::uint32_t hang_ms = 5'000;  // a turn of the loop that takes longer ends the worker; 0: never
};

// The inherited fields set the default site. Other sites take from them what they leave out.
struct Settings : SiteSettings {
  std::vector<SiteSettings> sites;  // besides the default site, see has_default_site
  // The folders of modules: a file of one hides the files of its name in those behind it.
  std::vector<std::string> plugins;
  std::uint32_t workers = 0;         // 0: one for each processor that the server may use
  std::vector<std::string> only;     // --module: only these; empty for all
  std::vector<std::string> without;  // --without
  std::string user;                  // empty: www-data if root starts the server, else the user that starts it
  LogLevel log_level = LogLevel::info;
  std::uint32_t offload_threads = 4;  // per worker
  bool loop_audit = false;
  Confine confine = Confine::automatic;
  std::vector<Grant> grants;
  bool core_dumps = false;
  std::string control{kNoControl};  // the path of the control socket, or kOwnControl, or kNoControl
  std::string control_folder;
  std::string pid_file;  // empty: none
  TlsVersion tls_min = TlsVersion::v1_2;
  std::string ticket_keys_file;  // empty: keys of the server's own
  std::string tls_ciphers;       // by OpenSSL's names, with ':' between them; empty: sound ones
  std::string tls_groups;
  bool kernel_tls = false;  // the kernel makes the records that are sent, where it can
  TrustedProxies trusted_proxies;
  Limits limits;
  Timeouts timeouts;
  ModulePolicy policy;

  // Beside other sites there is a default site only if it has mounts: its other settings are for them to take.
  bool has_default_site() const { return sites.empty() || has_mounts(); }
};

}  // namespace sluice
