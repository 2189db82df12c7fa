#include "serve_options.h"

#include <fmt/core.h>
#include <algorithm>
#include <iterator>

#include "base/client_counts.h"
#include "base/text.h"
#include "number_kinds.h"
#include "process_options.h"
#include "proxy_options.h"
#include "settings/option_value.h"
#include "settings/written_text.h"
#include "site_options.h"

namespace sluice::cli {
namespace {

constexpr const char* kContent = "What to serve";
constexpr const char* kAddresses = "Where to listen";
constexpr const char* kProxies = "Behind a load balancer (NET: 10.0.0.0/8, 2001:db8::/32, 192.0.2.1 or unix)";
constexpr const char* kTls = "TLS, for addresses that begin with https://";
constexpr const char* kModules = "Modules";
constexpr const char* kTimeouts = "Time-outs (TIME: 500ms, 30s, 5m, 1h or 1d)";
constexpr const char* kLimits = "Limits (SIZE: bytes, or 16k, 1M, 2G in powers of 1024)";
constexpr const char* kProcess = "Process";

constexpr std::string_view kModuleNameBytes =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

template <typename Number>
Result<void> set_number(const NumberKind& kind, const ServeOption& option, Number& number,
                        const std::string& text) {
  const auto value = kind.parse(text);
  if (!value) return Unexpected(value.error());
  if (*value < option.low || *value > option.high) {
    return fail(fmt::format("'{}' is out of range: write {} to {}", text, kind.print(option.low),
                            kind.print(option.high)));
  }
  number = static_cast<Number>(*value);
  return {};
}

template <auto Member, std::uint32_t Least = 10>
constexpr ServeOption timeout(const char* name, const char* help) {
  return {name,
          "TIME",
          kTimeouts,
          Takes::value,
          Given::to_server,
          help,
          [](const ServeOption& option, ServeRequest& request, const std::string& text) {
            return set_number(kDuration, option, request.settings.timeouts.*Member, text);
          },
          [] { return print_duration(Timeouts{}.*Member); },
          Least,
          24 * kHourMs};
}

template <auto Member, const NumberKind& Kind>
constexpr ServeOption limit(const char* name, const char* argument, const char* help, std::uint64_t low,
                            std::uint64_t high) {
  return {name,
          argument,
          kLimits,
          Takes::value,
          Given::to_server,
          help,
          [](const ServeOption& option, ServeRequest& request, const std::string& text) {
            return set_number(Kind, option, request.settings.limits.*Member, text);
          },
          [] { return Kind.print(Limits{}.*Member); },
          low,
          high};
}

template <auto Member, const NumberKind& Kind>
constexpr ServeOption policy(const char* name, const char* argument, const char* help, std::uint64_t low,
                             std::uint64_t high) {
  return {name,
          argument,
          kModules,
          Takes::value,
          Given::to_server,
          help,
          [](const ServeOption& option, ServeRequest& request, const std::string& text) {
            return set_number(Kind, option, request.settings.policy.*Member, text);
          },
          [] { return Kind.print(ModulePolicy{}.*Member); },
          low,
          high};
}

// A path or a name, used as it is written.
template <auto Field>
Result<void> set_text(const ServeOption& option, ServeRequest& request, const std::string& text) {
  if (text.empty()) return fail(std::string("an empty value names nothing: write a ") + option.argument);
  Field(request) = text;
  return {};
}
constexpr auto kRootField = [](ServeRequest& request) -> std::string& { return request.site().root; };
constexpr auto kLogNameField = [](ServeRequest& request) -> std::string& { return request.site().log_name; };
constexpr auto kErrorPagesField = [](ServeRequest& request) -> std::string& {
  return request.site().error_pages;
};
constexpr auto kAccessLogField = [](ServeRequest& request) -> std::string& {
  return request.site().access_log;
};
constexpr auto kClientCaField = [](ServeRequest& request) -> std::string& { return request.site().client_ca; };
constexpr auto kCiphersField = [](ServeRequest& request) -> std::string& {
  return request.settings.tls_ciphers;
};
constexpr auto kGroupsField = [](ServeRequest& request) -> std::string& { return request.settings.tls_groups; };
constexpr auto kUserField = [](ServeRequest& request) -> std::string& { return request.settings.user; };
constexpr auto kControlField = [](ServeRequest& request) -> std::string& { return request.settings.control; };
constexpr auto kPidFileField = [](ServeRequest& request) -> std::string& { return request.settings.pid_file; };
constexpr auto kTicketKeysField = [](ServeRequest& request) -> std::string& {
  return request.settings.ticket_keys_file;
};
constexpr auto kConfigField = [](ServeRequest& request) -> std::string& { return request.config_file; };

Result<void> add_plugins(const ServeOption&, ServeRequest& request, const std::string& text) {
  if (text.empty()) return fail("an empty value names nothing: write a DIR");
  auto& folders = request.settings.plugins;
  if (std::find(folders.begin(), folders.end(), text) != folders.end())
    return fail(in_quotes(text) + " is given twice: name each folder once");
  folders.push_back(text);
  return {};
}

template <auto Member>
Result<void> add_module(const ServeOption&, ServeRequest& request, const std::string& text) {
  if (text.empty() || text.find_first_not_of(kModuleNameBytes) != std::string::npos) {
    return fail(in_quotes(text) + " is not the name of a module: 'sluice modules' lists the names");
  }
  (request.settings.*Member).push_back(text);
  return {};
}

Result<void> set_offload_threads(const ServeOption& option, ServeRequest& request, const std::string& text) {
  return set_number(kCount, option, request.settings.offload_threads, text);
}

Result<void> set_access_log_format(const ServeOption&, ServeRequest& request, const std::string& text) {
  if (text != "combined" && text != "json")
    return fail(in_quotes(text) + " is not a format of the access log: write combined or json");
  request.site().access_log_format = text == "json" ? AccessLogFormat::json : AccessLogFormat::combined;
  return {};
}

Result<void> set_kernel_tls(const ServeOption&, ServeRequest& request, const std::string& text) {
  return parse_flag(text).map([&](bool on) { request.settings.kernel_tls = on; });
}

constexpr ServeOption kOptions[] = {
    {"names", "NAME", kContent, Takes::values, Given::in_site,
     "The names that the site answers to: example.org, or *.example.org for all names one level below. A site "
     "without names answers to all others.",
     add_name, nullptr},
    {"root", "DIR", kContent, Takes::value, Given::to_sites,
     "The folder that confines everything: no request reaches a file outside it.", set_text<kRootField>,
     [] { return std::string("$SLUICE_HOME, else ."); }},
    {"mount", "[NAME]PREFIX=MODULE[:KEY=VALUE,...]", kContent, Takes::values, Given::to_sites,
     "MODULE answers the paths below PREFIX, of the site with this name if there is one. root=DIR is the "
     "folder "
     "below --root that it serves; the other keys are the module's options ('sluice modules' lists them). "
     "Write "
     "a comma in a value as \\,. Repeatable.",
     add_mount_text, [] { return std::string("each module at its own place"); }},
    {"filter", "[NAME]PREFIX=MODULE[:KEY=VALUE,...]", kContent, Takes::values, Given::to_sites,
     "MODULE stands before all that answers below PREFIX: it may answer in its place, and change its answers. "
     "Filters are asked in the order in which they are given. Repeatable.",
     add_mount_text, nullptr},
    {"error-pages", "DIR", kContent, Takes::value, Given::to_sites,
     "A folder with pages in place of the server's own ones for errors: 404.html, 500.html and so on. They are "
     "read when the server starts or reloads.",
     set_text<kErrorPagesField>, nullptr},
    {"access-log", "FILE|stdout|off", kContent, Takes::value, Given::to_sites,
     "A line for each request. A process of its own writes them, so that no disk or reader holds a request up; "
     "what it cannot write in time is dropped and counted. After moving a file away, send USR1 to the server.",
     set_text<kAccessLogField>, [] { return std::string(kNoAccessLog); }},
    {"access-log-format", "combined|json", kContent, Takes::value, Given::to_sites,
     "combined is nginx's; json has the names of Caddy's log.", set_access_log_format,
     [] { return std::string("combined"); }},
    {"log-name", "NAME", kContent, Takes::value, Given::in_site,
     "The site's name in the log and in 'sluice status'.", set_text<kLogNameField>,
     [] { return std::string("its first name"); }},
    {"listen", "ADDRESS", kAddresses, Takes::values, Given::to_sites,
     "HOST:PORT, [V6]:PORT, *:PORT for all IPv4 addresses, or unix:PATH; port 0 lets the system choose. "
     "https:// before it means TLS. Repeatable.",
     add_listen, [] { return std::string(kDefaultListen); }},
    {"protocols", "NAME,...", kAddresses, Takes::values, Given::to_sites,
     "What is spoken: http/1.1 always, h2 to clients that choose it over TLS, h2c to those that begin with "
     "HTTP/2 "
     "in clear text.",
     add_protocols, [] { return std::string("h2,http/1.1"); }},
    {"redirect", "https|off", kAddresses, Takes::value, Given::to_sites,
     "Answer requests in clear text with 308 and the same address with https://, except those below "
     "/.well-known/acme-challenge/.",
     set_redirect, [] { return std::string("off"); }},
    {"proxy-protocol", "NET,...|off", kProxies, Takes::values, Given::to_sites,
     "Connections from these networks begin with a PROXY header, version 1 or 2, which says who the client is. "
     "One without a header is refused. Other connections are served as usual. Repeatable.",
     add_proxy_network, [] { return std::string("off"); }},
    {"trusted-proxies", "NET,...|off", kProxies, Takes::values, Given::to_server,
     "Believe these networks what they tell of their clients in the fields of requests. The client is the last "
     "address of the list that is in none of these networks. Repeatable.",
     add_trusted_network, [] { return std::string("off"); }},
    {"trusted-field", "x-forwarded-for|forwarded", kProxies, Takes::value, Given::to_server,
     "The field in which the trusted proxies tell it: X-Forwarded-For, with X-Forwarded-Proto, or Forwarded "
     "(RFC 7239). The proxies have to write it themselves, because they pass on what clients send.",
     set_trusted_field, [] { return std::string("x-forwarded-for"); }},
    {"certificate", "FILE|self-signed", kTls, Takes::values, Given::to_sites,
     "A certificate in PEM form, with those that lead to a root behind it. self-signed makes one for "
     "development. Repeatable, for keys of several kinds and for several names.",
     add_certificate, nullptr},
    {"key", "FILE", kTls, Takes::values, Given::to_sites,
     "The private key of the certificate: the first one of the first, and so on. Only root need be able to "
     "read it.",
     add_key, nullptr},
    {"hsts", "TIME [subdomains] [preload]|off", kTls, Takes::value, Given::to_sites,
     "Tell browsers to use https:// alone for so long, as in \"365d subdomains\" (Strict-Transport-Security).",
     set_hsts, [] { return std::string("off"); }},
    {"client-certificates", "off|asked|required", kTls, Takes::value, Given::to_sites,
     "Whether clients show certificates of their own. One that is shown has to be signed by --client-ca.",
     set_client_certificates, [] { return std::string("off"); }},
    {"client-ca", "FILE", kTls, Takes::value, Given::to_sites,
     "The certificates, in PEM form, of those who sign the certificates of clients.", set_text<kClientCaField>,
     nullptr},
    {"tls-min", "VERSION", kTls, Takes::value, Given::to_server,
     "The oldest version that is spoken: 1.2 or 1.3.", set_tls_min, [] { return std::string("1.2"); }},
    {"tls-ciphers", "LIST", kTls, Takes::value, Given::to_server,
     "The ciphers in the order of preference, by OpenSSL's names and with ':' between them. Those of TLS 1.3 "
     "begin with TLS_.",
     set_text<kCiphersField>, [] { return std::string("Mozilla's intermediate ones, with forward secrecy"); }},
    {"tls-groups", "LIST", kTls, Takes::value, Given::to_server,
     "The groups for key exchange, in the same form.", set_text<kGroupsField>,
     [] { return std::string("X25519:P-256:P-384"); }},
    {"ticket-keys", "FILE", kTls, Takes::value, Given::to_server,
     "Keys of session tickets that several hosts share: 80 random bytes for each of 1 to 3 keys. The first one "
     "seals, and all open. A changed file is taken while serving.",
     set_text<kTicketKeysField>, [] { return std::string("keys of its own, changed every 12 hours"); }},
    {"ktls", "on|off", kTls, Takes::value, Given::to_server,
     "Have the kernel encrypt what is sent with TLS 1.3, so that files are sent by sendfile(2). Where it has "
     "no TLS, and for HTTP/2, OpenSSL encrypts as usual.",
     set_kernel_tls, [] { return std::string("off"); }},
    {"plugins", "DIR", kModules, Takes::values, Given::to_server,
     "A folder of modules. Changed modules are loaded while serving. A file in the folder that is given first "
     "hides "
     "the files of its name in the others. Repeatable.",
     add_plugins,
     [] {
       return std::string(
           "$SLUICE_HOME/plugins.d, else /etc/sluice/plugins.d, if it is there, and the one installed with "
           "sluice, "
           "else plugins.d");
     }},
    {"module", "NAME", kModules, Takes::values, Given::to_server,
     "Load only this module of the folders. Repeatable.", add_module<&Settings::only>,
     [] { return std::string("all"); }},
    {"without", "NAME", kModules, Takes::values, Given::to_server, "Do not load this module. Repeatable.",
     add_module<&Settings::without>, nullptr},
    policy<&ModulePolicy::quiet_ms, kDuration>(
        "swap-quiet", "TIME", "How long a module's file has to stay unchanged before it is loaded.", 1,
        kHourMs),
    policy<&ModulePolicy::swap_ms, kDuration>(
        "swap-timeout", "TIME", "For trying a changed module, and for the workers to load it.", 100, kHourMs),
    policy<&ModulePolicy::faults_max, kCount>(
        "fault-limit", "NUMBER",
        "After this many faults within --fault-window, a module goes back to its last good generation, or is "
        "switched off.",
        1, 1000),
    policy<&ModulePolicy::fault_window_ms, kDuration>("fault-window", "TIME", "How long a fault counts.", 1000,
                                                      24 * kHourMs),
    policy<&ModulePolicy::hang_ms, kDuration>(
        "hang-limit", "TIME",
        "A module that holds a worker's loop up for longer has a fault, and the worker is ended; 0 for never.",
        0, kHourMs),
    timeout<&Timeouts::head_ms>("head-timeout", "For a request's head, from its first byte to its last."),
    timeout<&Timeouts::body_ms>(
        "body-timeout", "Between two pieces of a request's body; for all of a body that no module reads."),
    timeout<&Timeouts::send_ms>("send-timeout", "While the client takes no byte of its answer."),
    timeout<&Timeouts::keepalive_ms>("keepalive-timeout", "Between two requests of a connection."),
    timeout<&Timeouts::handler_ms>("handler-timeout", "For a module that has deferred its answer."),
    timeout<&Timeouts::linger_ms>(
        "linger-timeout", "For reading on when an answer ended the connection before the request's end."),
    timeout<&Timeouts::tunnel_ms>(
        "tunnel-timeout",
        "While an upgraded connection, such as a WebSocket, moves no byte in either direction."),
    timeout<&Timeouts::lame_duck_ms, 0>(
        "lame-duck", "When told to stop: how long to accept after saying 'not ready'; 0 for not at all."),
    timeout<&Timeouts::drain_ms>("drain-timeout", "For requests under way when the server stops or reloads."),
    timeout<&Timeouts::stream_grace_ms>(
        "stream-grace", "For streams without a known end that wait for their module when the server stops."),
    limit<&Limits::head_bytes_max, kSize>("head-max", "SIZE", "Of a request's head; 431 above.", kKibi, kMebi),
    limit<&Limits::target_bytes_max, kSize>(
        "target-max", "SIZE", "Of a request's target, which is part of the head; 414 above.", 256, kMebi),
    limit<&Limits::fields_max, kCount>("fields-max", "NUMBER", "Field lines of a head; 431 above.", 1, 10'000),
    limit<&Limits::body_bytes_max, kSize>("body-max", "SIZE", "Of a request's body; 413 above.", 0,
                                          kMebi* kMebi),
    limit<&Limits::body_rate_min, kSize>("body-rate-min", "SIZE",
                                         "Of a request's body each second, over each --body-timeout that the "
                                         "server waits for it; 408 below; 0 for no minimum.",
                                         0, kGibi),
    limit<&Limits::send_rate_min, kSize>(
        "send-rate-min", "SIZE",
        "That a client takes of its answer each second, over each --send-timeout that the server waits for it; "
        "the connection, or the stream of HTTP/2, is cut below; 0 for no minimum.",
        0, kGibi),
    limit<&Limits::drain_bytes_max, kSize>(
        "drain-max", "SIZE", "Of a request's body that no module reads; above, the connection closes.", 0,
        kGibi),
    limit<&Limits::connections_max, kCount>(
        "connections-max", "NUMBER", "Connections of a worker. Above, idle ones are closed, or new ones wait.",
        1, 1'000'000),
    limit<&Limits::client_connections_max, kCount>("client-connections-max", "NUMBER",
                                                   "Connections of one client, in all workers together; "
                                                   "further ones are closed. Clients are told apart by "
                                                   "their address, of IPv6 by its first 64 bits. Clients on "
                                                   "this host and trusted proxies have no limit. 0 "
                                                   "for none.",
                                                   0, ClientCounts::kCountMax),
    limit<&Limits::client_handshakes_max, kCount>(
        "client-handshakes-max", "NUMBER",
        "TLS handshakes of one client that are under way, in the same way; further ones are closed.", 0,
        ClientCounts::kCountMax),
    limit<&Limits::client_requests_max, kCount>(
        "client-requests-max", "NUMBER",
        "Requests of one client that are under way, in the same way; further ones get 429.", 0,
        ClientCounts::kCountMax),
    limit<&Limits::turn_bytes_max, kSize>("turn-max", "SIZE", "Sent to one client before it is another's turn.",
                                          16 * kKibi, 64 * kMebi),
    limit<&Limits::worker_bytes_max, kSize>("worker-memory", "SIZE", "Of the data of a worker; 0 for no limit.",
                                            0, 1024 * kGibi),
    {"workers", "NUMBER|auto", kProcess, Takes::value, Given::to_server,
     "Worker processes, 1 to 256; auto: one for each processor, or as many as the quota of a container allows.",
     set_workers, [] { return std::string("auto"); }},
    {"offload-threads", "NUMBER", kProcess, Takes::value, Given::to_server,
     "Threads of a worker for calls that may block, 1 to 64.", set_offload_threads,
     [] { return std::to_string(Settings{}.offload_threads); }, 1, 64},
    {"user", "NAME", kProcess, Takes::value, Given::to_server,
     "Serve as this user; only root can change to another.", set_text<kUserField>,
     [] { return std::string("www-data when started as root"); }},
    {"confine", "auto|on|off", kProcess, Takes::value, Given::to_server,
     "Confine workers to the files, connections and system calls that serving needs: auto as far as the kernel "
     "can, on or not at all. 'sluice status' shows what is in force.",
     set_confine, [] { return std::string("auto"); }},
    {"grant", "NAME=WHAT,...", kProcess, Takes::values, Given::to_server,
     "Let the module NAME do more than serve files: network (connect to other machines), listen, unix (Unix "
     "sockets), exec (execute programs), code (make machine code), read:PATH, write:PATH, env:NAME (a "
     "variable). It holds for the workers in which the module runs. Repeatable.",
     add_grant, nullptr},
    {"core-dumps", "on|off", kProcess, Takes::value, Given::to_server,
     "Let workers that crash leave core dumps, and let their user trace them.", set_core_dumps,
     [] { return std::string("off"); }},
    {"log-level", "LEVEL", kProcess, Takes::value, Given::to_server, "debug, info, warning or error.",
     set_log_level, [] { return std::string("info"); }},
    {"loop-audit", "on|off", kProcess, Takes::value, Given::to_server,
     "Count how often a loop sleeps in a turn, and time its turns without waits for a processor. 'sluice "
     "metrics' shows both. Costs system calls.",
     set_loop_audit, [] { return std::string("off"); }},
    {"control", "PATH|off", kProcess, Takes::value, Given::to_server,
     "The socket by which 'sluice status' and other commands reach the server. They do not read the "
     "configuration file. A reload does not change it.",
     set_text<kControlField>,
     [] { return std::string("PID.sock in $RUNTIME_DIRECTORY, else in /run/sluice or the user's own"); }},
    {"pid-file", "FILE", kProcess, Takes::value, Given::to_server,
     "Write the number of the server's process there while it serves; a reload does not change it.",
     set_text<kPidFileField>, nullptr},
    {"config", "FILE", kProcess, Takes::value, Given::at_start, "Read more options from this file; see below.",
     set_text<kConfigField>, nullptr},
    {"check", nullptr, kProcess, Takes::flag, Given::at_start,
     "Try all settings, print what would be served, and exit.", set_check, nullptr},
};

}  // namespace

std::span<const ServeOption> serve_options() {
  return kOptions;
}

const ServeOption* find_serve_option(std::string_view name) {
  const auto found = std::find_if(std::begin(kOptions), std::end(kOptions),
                                  [&](const ServeOption& option) { return option.name == name; });
  return found == std::end(kOptions) ? nullptr : found;
}

std::string variable_name(const ServeOption& option) {
  std::string result = std::string("SLUICE_") + option.name;
  for (char& byte : result) {
    if (byte == '-') byte = '_';
    if (byte >= 'a' && byte <= 'z') byte = static_cast<char>(byte - 'a' + 'A');
  }
  return result;
}

}  // namespace sluice::cli
