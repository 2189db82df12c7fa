// The validated settings of a server, and the grammar of the values that a person writes.
//
// Settings are plain values without behaviour; the command line makes them, the supervisor and the workers read
// them. The functions touch no file, socket or environment, and look
// up no more than names of hosts. Any thread.
#pragma once

#include <sluice/abi.h>
#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "settings/name_service.h"

namespace sluice {

// One address to listen on: "HOST:PORT", "[V6]:PORT" or "unix:PATH"; "http://" may stand before the first two.
struct ListenAddress {
  std::string text;  // as written, without http://
  sockaddr_storage address{};
  socklen_t length = 0;
  std::vector<HostAddresses::One> others = {};  // that a name has, too: "localhost" has one of each family
  bool is_one_of_several = false;               // see every_address

  bool is_unix() const { return address.ss_family == AF_UNIX; }
  void set_port(std::uint16_t port);  // REQUIRES: !is_unix()
};

// One mount as a person wrote it: PREFIX=MODULE[:KEY=VALUE[,KEY=VALUE...]].
struct MountSpec {
  std::string prefix;  // begins and ends with '/'
  std::string module;
  std::optional<std::string> root;  // the option root=DIR, which is the server's own
  // isolate=on,listen=ADDRESS, the server's own, too: a worker of its own answers there, and nobody elsewhere.
  bool isolate = false;
  std::optional<ListenAddress> listen;                       // exactly where it is isolated
  std::vector<std::pair<std::string, std::string>> options;  // the module's, in the order written
};

struct Limits {
  std::uint32_t head_bytes_max = 16 * 1024;         // request line and fields together: 431 above
  std::uint32_t target_bytes_max = 8 * 1024;        // 414 above
  std::uint32_t fields_max = 100;                   // field lines: 431 above
  std::uint64_t body_bytes_max = 64 * 1024 * 1024;  // of a request: 413 above
  std::uint64_t drain_bytes_max = 256 * 1024;       // of a request body that no handler takes
  std::uint64_t body_rate_min = 240;                // bytes a second of a request body, over Timeouts::body_ms
  std::uint32_t connections_max = 20000;            // per worker; accepting waits above
  std::uint32_t turn_bytes_max = 2 * 1024 * 1024;   // sent on one connection in one turn of the loop
};

// All in milliseconds.
struct Timeouts {
  std::uint32_t head_ms = 15'000;  // from a request's first byte (a connection's start) to its head's end
  std::uint32_t body_ms = 30'000;  // between two pieces of a request's body; for the whole of an unwanted one
  std::uint32_t send_ms = 30'000;  // without the client taking a byte
  std::uint32_t keepalive_ms = 65'000;    // idle between two requests
  std::uint32_t handler_ms = 60'000;      // for a deferred answer, and a body that writes nothing
  std::uint32_t linger_ms = 2'000;        // reading on after an answer that closes in mid-request
  std::uint32_t drain_ms = 30'000;        // for what is in flight when the server stops or reloads
  std::uint32_t stream_grace_ms = 5'000;  // for streams without a known end that wait when the server stops
};

// In place of a control socket's path.
inline constexpr std::string_view kOwnControl = "auto";  // one of the server's own in the control folder
inline constexpr std::string_view kNoControl = "off";

// What is done about modules that change, and about those that break.
struct ModulePolicy {
  std::uint32_t quiet_ms = 150;    // a changed file is taken when it has not changed for so long
  std::uint32_t swap_ms = 10'000;  // for a trial of it, and again for the workers to get ready for it
  std::uint32_t faults_max = 3;    // of one module: then it goes back, or is switched off
  std::uint32_t fault_window_ms = 60'000;
  std::uint32_t hang_ms = 5'000;  // in one turn of the loop: the worker is ended; 0 for never
};

struct Settings {
  std::string root = ".";
  std::string plugins = "plugins.d";
  std::vector<ListenAddress> listen;
  std::uint32_t workers = 0;         // 0: one for each processor that may be used
  std::vector<std::string> only;     // --module: just these; empty for all
  std::vector<std::string> without;  // --without
  std::vector<MountSpec> mounts;
  std::string user;  // empty: www-data when started as root, else whoever started it
  LogLevel log_level = LogLevel::info;
  std::uint32_t offload_threads = 4;  // per worker
  bool loop_audit = false;
  std::string control{kNoControl};  // the path of the control socket, or one of the words above
  std::string control_folder;
  Limits limits;
  Timeouts timeouts;
  ModulePolicy policy;
};

// Digits and nothing else; nothing when they say too much.
std::optional<std::uint64_t> parse_decimal(std::string_view text);

// Numeric or named host; a name is looked up (getaddrinfo(3)), which may find several addresses. Port 0 lets
// the kernel choose.
Result<ListenAddress> parse_listen(std::string_view text);

// The addresses that it stands for, each for itself; one that is not one of several is the only one.
std::vector<ListenAddress> every_address(const ListenAddress& address);

// The module and its options are not looked up: their names are checked when the module is loaded.
Result<MountSpec> parse_mount(std::string_view text);

// "65536", "64k", "1M", "2G": bytes.
Result<std::uint64_t> parse_size(std::string_view text);

// "1500ms", "30s", "5m", "1h", "0": milliseconds. Everything but 0 needs its unit.
Result<std::uint64_t> parse_duration_ms(std::string_view text);

// "auto" (0) or 1 to 256.
Result<std::uint32_t> parse_workers(std::string_view text);

Result<LogLevel> parse_log_level(std::string_view text);

// on/off, true/false, yes/no, 1/0.
Result<bool> parse_flag(std::string_view text);

}  // namespace sluice
