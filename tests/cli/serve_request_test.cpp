#include "serve_request.h"

#include <catch2/catch.hpp>

#include "cli/serve_reading.h"

using namespace sluice;
using namespace sluice::cli;

namespace {

using Catch::Matchers::Contains;

Arguments listen_texts(const Settings& settings) {
  Arguments texts;
  for (const ListenAddress& address : settings.listen) texts.push_back(address.text);
  return texts;
}

TEST_CASE("without any setting the defaults hold") {
  const auto request = read({});
  REQUIRE(request);
  CHECK_FALSE(request->check);
  CHECK(request->config_file.empty());
  const Settings& settings = request->settings;
  CHECK(settings.root == ".");
  CHECK(settings.plugins == std::vector<std::string>{"plugins.d"});
  CHECK(listen_texts(settings) == Arguments{"127.0.0.1:8080"});
  CHECK(settings.workers == 0);
  CHECK(settings.only.empty());
  CHECK(settings.without.empty());
  CHECK(settings.mounts.empty());
  CHECK(settings.user.empty());
  CHECK(settings.log_level == LogLevel::info);
  CHECK(settings.offload_threads == Settings{}.offload_threads);
  CHECK(settings.limits.head_bytes_max == Limits{}.head_bytes_max);
  CHECK(settings.limits.target_bytes_max == Limits{}.target_bytes_max);
  CHECK(settings.timeouts.keepalive_ms == Timeouts{}.keepalive_ms);
}

TEST_CASE("SLUICE_HOME sets the root and the modules, unless options do") {
  CHECK(settings({}, {{"SLUICE_HOME", "/srv"}}).root == "/srv");
  CHECK(settings({}, {{"SLUICE_HOME", "/srv"}}).plugins == std::vector<std::string>{"/srv/plugins.d"});
  CHECK(settings({}, {{"SLUICE_HOME", ""}}).root == ".");
  CHECK(settings({}, {{"SLUICE_HOME", "/srv"}, {"SLUICE_ROOT", "/env"}}).root == "/env");
  CHECK(settings({"--root", "/cli"}, {{"SLUICE_HOME", "/srv"}}).root == "/cli");
  CHECK(settings({"--plugins", "p"}, {{"SLUICE_HOME", "/srv"}}).plugins == std::vector<std::string>{"p"});
  CHECK(settings({"--plugins", "a", "--plugins", "b"}, {}).plugins == std::vector<std::string>{"a", "b"});
}

// One option: how to set it at each level, and how to see which level won.
struct Level {
  const char* option;
  const char* command_line;
  const char* environment;
  const char* file;
  std::string (*seen)(const Settings& settings);
};

template <auto Section, auto Member>
std::string number(const Settings& settings) {
  return std::to_string(settings.*Section.*Member);
}

template <auto Section, auto Member>
std::string time(const Settings& settings) {
  return number<Section, Member>(settings) + "ms";
}

// Which of three addresses it has.
std::string the_network(const Networks& networks) {
  std::string found;
  for (const char* address : {"10.0.0.1", "10.0.0.2", "10.0.0.3"})
    found += networks.has(*PeerAddress::parse(address)) ? address : "";
  return found;
}

const Level kLevels[] = {
    {"root", "c", "e", "f", [](const Settings& s) { return s.root; }},
    {"plugins", "c", "e", "f", [](const Settings& s) { return s.plugins.at(0); }},
    {"user", "c", "e", "f", [](const Settings& s) { return s.user; }},
    {"listen", ":1", ":2", ":3", [](const Settings& s) { return s.listen.at(0).text; }},
    {"proxy-protocol", "10.0.0.1", "10.0.0.2", "10.0.0.3",
     [](const Settings& s) { return the_network(s.proxy_protocol.networks); }},
    {"trusted-proxies", "10.0.0.1", "10.0.0.2", "10.0.0.3",
     [](const Settings& s) { return the_network(s.trusted_proxies.from.networks); }},
    {"trusted-field", "forwarded", "x-forwarded-for", "forwarded",
     [](const Settings& s) {
       return std::string(s.trusted_proxies.field == ForwardedField::forwarded ? "forwarded"
                                                                               : "x-forwarded-for");
     }},
    {"certificate", "c", "e", "f", [](const Settings& s) { return s.certificates.at(0); }},
    {"key", "c", "e", "f", [](const Settings& s) { return s.keys.at(0); }},
    {"error-pages", "c", "e", "f", [](const Settings& s) { return s.error_pages; }},
    {"access-log", "c", "e", "f", [](const Settings& s) { return s.access_log; }},
    {"access-log-format", "json", "combined", "json",
     [](const Settings& s) {
       return std::string(s.access_log_format == AccessLogFormat::json ? "json" : "combined");
     }},
    {"client-ca", "c", "e", "f", [](const Settings& s) { return s.client_ca; }},
    {"tls-ciphers", "c", "e", "f", [](const Settings& s) { return s.tls_ciphers; }},
    {"tls-groups", "c", "e", "f", [](const Settings& s) { return s.tls_groups; }},
    {"ktls", "on", "off", "on", [](const Settings& s) { return std::string(s.kernel_tls ? "on" : "off"); }},
    {"hsts", "1s", "2s", "3s", [](const Settings& s) { return std::to_string(s.hsts.seconds) + "s"; }},
    {"redirect", "https", "off", "https",
     [](const Settings& s) { return std::string(s.redirect == Redirect::https ? "https" : "off"); }},
    {"protocols", "http/1.1", "h2,http/1.1", "h2c,http/1.1",
     [](const Settings& s) {
       return std::string(s.protocols.http2 ? "h2," : "") + (s.protocols.http2_clear ? "h2c," : "") +
              "http/1.1";
     }},
    {"client-certificates", "asked", "required", "asked",
     [](const Settings& s) {
       return std::string(s.client_certificates == ClientCertificates::asked ? "asked" : "required");
     }},
    {"tls-min", "1.3", "1.2", "1.3",
     [](const Settings& s) { return std::string(s.tls_min == TlsVersion::v1_2 ? "1.2" : "1.3"); }},
    {"ticket-keys", "c", "e", "f", [](const Settings& s) { return s.ticket_keys_file; }},
    {"mount", "/c/=m", "/e/=m", "/f/=m", [](const Settings& s) { return s.mounts.at(0).prefix + "=m"; }},
    {"filter", "/c/=m", "/e/=m", "/f/=m",
     [](const Settings& s) { return s.mounts.at(0).prefix + (s.mounts.at(0).filter ? "=m" : ""); }},
    {"module", "c", "e", "f", [](const Settings& s) { return s.only.at(0); }},
    {"without", "c", "e", "f", [](const Settings& s) { return s.without.at(0); }},
    {"workers", "3", "4", "5", [](const Settings& s) { return std::to_string(s.workers); }},
    {"offload-threads", "3", "5", "6", [](const Settings& s) { return std::to_string(s.offload_threads); }},
    {"log-level", "debug", "warning", "error",
     [](const Settings& s) {
       const char* names[] = {"debug", "info", "warning", "error"};
       return std::string(names[static_cast<unsigned>(s.log_level)]);
     }},
    {"confine", "off", "on", "off",
     [](const Settings& s) {
       return std::string(s.confine == Confine::on ? "on" : s.confine == Confine::off ? "off" : "auto");
     }},
    {"grant", "c=exec", "e=exec", "f=exec", [](const Settings& s) { return s.grants.at(0).module + "=exec"; }},
    {"core-dumps", "on", "off", "on",
     [](const Settings& s) { return std::string(s.core_dumps ? "on" : "off"); }},
    {"worker-memory", "1024", "2048", "4096", number<&Settings::limits, &Limits::worker_bytes_max>},
    {"loop-audit", "on", "off", "on",
     [](const Settings& s) { return std::string(s.loop_audit ? "on" : "off"); }},
    {"pid-file", "c", "e", "f", [](const Settings& s) { return s.pid_file; }},
    {"control", "c", "e", "f", [](const Settings& s) { return s.control; }},
    {"swap-quiet", "11ms", "12ms", "13ms", time<&Settings::policy, &ModulePolicy::quiet_ms>},
    {"swap-timeout", "111ms", "112ms", "113ms", time<&Settings::policy, &ModulePolicy::swap_ms>},
    {"fault-limit", "11", "12", "13", number<&Settings::policy, &ModulePolicy::faults_max>},
    {"fault-window", "1001ms", "1002ms", "1003ms", time<&Settings::policy, &ModulePolicy::fault_window_ms>},
    {"hang-limit", "11ms", "12ms", "13ms", time<&Settings::policy, &ModulePolicy::hang_ms>},
    {"head-timeout", "11ms", "12ms", "13ms", time<&Settings::timeouts, &Timeouts::head_ms>},
    {"body-timeout", "11ms", "12ms", "13ms", time<&Settings::timeouts, &Timeouts::body_ms>},
    {"send-timeout", "11ms", "12ms", "13ms", time<&Settings::timeouts, &Timeouts::send_ms>},
    {"keepalive-timeout", "11ms", "12ms", "13ms", time<&Settings::timeouts, &Timeouts::keepalive_ms>},
    {"handler-timeout", "11ms", "12ms", "13ms", time<&Settings::timeouts, &Timeouts::handler_ms>},
    {"tunnel-timeout", "11ms", "12ms", "13ms", time<&Settings::timeouts, &Timeouts::tunnel_ms>},
    {"linger-timeout", "11ms", "12ms", "13ms", time<&Settings::timeouts, &Timeouts::linger_ms>},
    {"drain-timeout", "11ms", "12ms", "13ms", time<&Settings::timeouts, &Timeouts::drain_ms>},
    {"lame-duck", "11ms", "12ms", "13ms", time<&Settings::timeouts, &Timeouts::lame_duck_ms>},
    {"stream-grace", "11ms", "12ms", "13ms", time<&Settings::timeouts, &Timeouts::stream_grace_ms>},
    {"head-max", "9001", "9002", "9003", number<&Settings::limits, &Limits::head_bytes_max>},
    {"target-max", "501", "502", "503", number<&Settings::limits, &Limits::target_bytes_max>},
    {"fields-max", "11", "12", "13", number<&Settings::limits, &Limits::fields_max>},
    {"body-max", "11", "12", "13", number<&Settings::limits, &Limits::body_bytes_max>},
    {"body-rate-min", "11", "12", "13", number<&Settings::limits, &Limits::body_rate_min>},
    {"client-connections-max", "11", "12", "13", number<&Settings::limits, &Limits::client_connections_max>},
    {"client-handshakes-max", "11", "12", "13", number<&Settings::limits, &Limits::client_handshakes_max>},
    {"client-requests-max", "11", "12", "13", number<&Settings::limits, &Limits::client_requests_max>},
    {"send-rate-min", "11", "12", "13", number<&Settings::limits, &Limits::send_rate_min>},
    {"drain-max", "11", "12", "13", number<&Settings::limits, &Limits::drain_bytes_max>},
    {"connections-max", "11", "12", "13", number<&Settings::limits, &Limits::connections_max>},
    {"turn-max", "20001", "20002", "20003", number<&Settings::limits, &Limits::turn_bytes_max>},
};

TEST_CASE("every option: command line, then environment, then file, then default") {
  const ScratchFolder scratch;
  std::size_t covered = 0;
  for (const ServeOption& option : serve_options()) covered += is_in_file(option) ? 1 : 0;
  CHECK(covered == std::size(kLevels));
  for (const Level& level : kLevels) {
    INFO(level.option);
    const ServeOption* option = find_serve_option(level.option);
    REQUIRE(option != nullptr);
    const std::string file =
        scratch.file(level.option, std::string(level.option) + " = \"" + level.file + "\"\n");
    const std::string flag = std::string("--") + level.option;
    const Variables variables{{variable_name(*option), level.environment}};
    CHECK(level.seen(settings({"--config", file})) == level.file);
    CHECK(level.seen(settings({"--config", file}, variables)) == level.environment);
    CHECK(level.seen(settings({}, variables)) == level.environment);
    CHECK(level.seen(settings({flag, level.command_line, "--config", file}, variables)) == level.command_line);
    CHECK(level.seen(settings({flag, level.command_line, "--config", file})) == level.command_line);
    CHECK(level.seen(settings({flag + "=" + level.command_line})) == level.command_line);
  }
}

TEST_CASE("the file is named by the command line or the environment") {
  const ScratchFolder scratch;
  const std::string one = scratch.file("one", "workers = 1\n");
  const std::string two = scratch.file("two", "workers = 2\n");
  CHECK(settings({}, {{"SLUICE_CONFIG", one}}).workers == 1);
  CHECK(settings({"--config", two}, {{"SLUICE_CONFIG", one}}).workers == 2);
}

TEST_CASE("check is a flag, or a word in the environment") {
  CHECK(read({"--check"})->check);
  CHECK(read({}, {{"SLUICE_CHECK", "yes"}})->check);
  CHECK_FALSE(read({}, {{"SLUICE_CHECK", "off"}})->check);
  CHECK_THAT(refusal({}, {{"SLUICE_CHECK", "maybe"}}), Contains("SLUICE_CHECK: 'maybe' is neither on nor off"));
}

TEST_CASE("a list replaces that of a lower level as a whole") {
  const ScratchFolder scratch;
  const std::string file = scratch.file("conf",
                                        "mount = [\"/a/=m\", \"/b/=m:k=1,l=2\", \"/c/=n\"]\n"
                                        "listen = \"[::1]:80\"\n");
  CHECK(mount_texts(settings({"--config", file})) == Arguments{"/a/=m", "/b/=m", "/c/=n"});
  CHECK(listen_texts(settings({"--config", file})) == Arguments{"[::1]:80"});
  CHECK(mount_texts(settings({"--config", file}, {{"SLUICE_MOUNT", "/e/=m"}})) == Arguments{"/e/=m"});
  CHECK(mount_texts(settings({"--config", file, "--mount", "/x/=m", "--mount", "/y/=n"},
                             {{"SLUICE_MOUNT", "/e/=m"}})) == Arguments{"/x/=m", "/y/=n"});
}

TEST_CASE("lists in the environment are separated by ';' and new lines") {
  const Settings made = settings({}, {{"SLUICE_MOUNT", "/a/=m:k=1,l=2; /b/=n\n\n;/c/=o;"},
                                      {"SLUICE_LISTEN", ":1\n:2\n"},
                                      {"SLUICE_MODULE", "m;n;o"},
                                      {"SLUICE_WITHOUT", ";p"}});
  CHECK(mount_texts(made) == Arguments{"/a/=m", "/b/=n", "/c/=o"});
  CHECK(made.mounts[0].options.size() == 2);
  CHECK(listen_texts(made) == Arguments{":1", ":2"});
  CHECK(made.only == Arguments{"m", "n", "o"});
  CHECK(made.without == Arguments{"p"});
}

TEST_CASE("an empty variable counts as none") {
  const ScratchFolder scratch;
  const std::string file = scratch.file("conf", "workers = 3\nlisten = \":3\"\n");
  const Settings made =
      settings({"--config", file}, {{"SLUICE_WORKERS", ""}, {"SLUICE_LISTEN", " ;\n"}, {"SLUICE_USER", ""}});
  CHECK(made.workers == 3);
  CHECK(listen_texts(made) == Arguments{":3"});
}

TEST_CASE("each call reads the file anew") {
  const ScratchFolder scratch;
  const std::string file = scratch.file("conf", "workers = 1\n");
  const CommandLine line = parse_command_line({"serve", "--config", file, "--fields-max", "7"});
  const Environment environment = environment_of({});
  CHECK(read_serve_request(line.given, environment)->settings.workers == 1);
  scratch.file("conf", "workers = 2\nfields-max = 9\n");
  const auto again = read_serve_request(line.given, environment);
  CHECK(again->settings.workers == 2);
  CHECK(again->settings.limits.fields_max == 7);
  scratch.file("conf", "wrokers = 2\n");
  CHECK_FALSE(read_serve_request(line.given, environment));
}

TEST_CASE("an error begins with the place of the value") {
  const ScratchFolder scratch;
  const std::string file = scratch.file("conf", "# c\nhead-timeout = \"soon\"\n");
  CHECK_THAT(refusal({"--workers", "x"}), Contains("--workers: 'x' is not a number of workers: write auto"));
  CHECK_THAT(refusal({}, {{"SLUICE_WORKERS", "x"}}),
             Contains("SLUICE_WORKERS: 'x' is not a number of workers"));
  CHECK_THAT(refusal({"--config", file}),
             Contains(file + ":2:16: head-timeout: 'soon' is not a time: write 500ms"));
  CHECK_THAT(refusal({"--listen", ":1", "--listen", "nowhere"}), Contains("--listen: the address 'nowhere'"));
}

TEST_CASE("a bad value is an error even if another level replaces it") {
  const ScratchFolder scratch;
  const std::string file = scratch.file("conf", "workers = \"many\"\n");
  CHECK_THAT(refusal({"--workers", "1", "--config", file}), Contains(file + ":1:11: workers: 'many'"));
  CHECK_THAT(refusal({"--workers", "1"}, {{"SLUICE_WORKERS", "many"}}), Contains("SLUICE_WORKERS: 'many'"));
}

TEST_CASE("unknown and misplaced keys of the file are named with their line and column") {
  const ScratchFolder scratch;
  const auto says = [&](const std::string& content) {
    const std::string file = scratch.file("conf", content);
    const std::string message = refusal({"--config", file});
    REQUIRE(message.substr(0, file.size()) == file);
    return message.substr(file.size());
  };
  CHECK(says("workers = 1\n\nwrokers = 2\n") == ":3:1: there is no key 'wrokers': did you mean 'workers'?");
  CHECK(says("keepalive_timeout = \"1s\"") ==
        ":1:1: there is no key 'keepalive_timeout': did you mean 'keepalive-timeout'?");
  CHECK(says("--workers = 1") == ":1:1: there is no key '--workers': did you mean 'workers'?");
  CHECK(
      says("colour = \"red\"") ==
      ":1:1: there is no key 'colour': the keys are the long options of 'sluice serve --help', without dashes");
  CHECK(says("config = \"other\"") ==
        ":1:1: 'config' cannot stand in a file: write --config on the command line");
  CHECK(says("check = true") == ":1:1: 'check' cannot stand in a file: write --check on the command line");
  CHECK(says("workers = 1\nworkers = 2\n") ==
        ":2:11: the key stands here a second time: write several values as one list, as in listen = [\"A\", "
        "\"B\"]");
  CHECK(says("workers = [\"1\", \"2\"]\n") == ":1:1: 'workers' takes one value: write it without brackets");
  CHECK(says("[serve]\n") ==
        ":1:1: there is no table [serve]: the tables are [[site]], and [[mount]] and [[filter]] in it or above "
        "it");
  CHECK(says("mount = [\"/a/=m\", \"a/=m\"]\n") ==
        ":1:19: mount: the mount 'a/=m' has the prefix 'a/': a prefix begins with '/', as in /docs/");
}

TEST_CASE("a file that cannot be read gives one sentence") {
  CHECK(refusal({"--config", "/no/such/file"}) ==
        "the configuration file '/no/such/file' cannot be read: No such file or directory");
  CHECK(refusal({"--config", ""}) == "--config: an empty value names nothing: write a FILE");
}

TEST_CASE("numbers have a range") {
  CHECK(refusal({"--head-max", "1023"}) == "--head-max: '1023' is out of range: write 1k to 1M");
  CHECK(refusal({"--head-max", "2M"}) == "--head-max: '2M' is out of range: write 1k to 1M");
  CHECK(refusal({"--target-max", "1"}) == "--target-max: '1' is out of range: write 256 to 1M");
  CHECK(refusal({"--fields-max", "0"}) == "--fields-max: '0' is out of range: write 1 to 10000");
  CHECK(refusal({"--drain-max", "2G"}) == "--drain-max: '2G' is out of range: write 0 to 1G");
  CHECK(refusal({"--connections-max", "0"}) == "--connections-max: '0' is out of range: write 1 to 1000000");
  CHECK(refusal({"--connections-max", "20k"}) ==
        "--connections-max: '20k' is not a number: write it in digits");
  CHECK(refusal({"--turn-max", "1k"}) == "--turn-max: '1k' is out of range: write 16k to 64M");
  CHECK(refusal({"--offload-threads", "65"}) == "--offload-threads: '65' is out of range: write 1 to 64");
  CHECK(refusal({"--head-timeout", "0"}) == "--head-timeout: '0' is out of range: write 10ms to 24h");
  CHECK(refusal({"--keepalive-timeout", "25h"}) ==
        "--keepalive-timeout: '25h' is out of range: write 10ms to 24h");
}

TEST_CASE("a duration needs its unit at every level") {
  const ScratchFolder scratch;
  const std::string file = scratch.file("conf", "hang-limit = 5\n");
  CHECK(refusal({"--keepalive-timeout", "30"}) == "--keepalive-timeout: '30' has no unit: write 30s or 30ms");
  CHECK(refusal({}, {{"SLUICE_SWAP_QUIET", "100"}}) ==
        "SLUICE_SWAP_QUIET: '100' has no unit: write 100s or 100ms");
  CHECK(refusal({"--config", file}) == file + ":1:14: hang-limit: '5' has no unit: write 5s or 5ms");
  CHECK(settings({"--hang-limit", "0"}).policy.hang_ms == 0);
}

TEST_CASE("the target's limit is at most the head's") {
  CHECK(settings({"--head-max", "4k"}).limits.target_bytes_max == 4096);
  CHECK(settings({"--head-max", "64k"}).limits.target_bytes_max == Limits{}.target_bytes_max);
  CHECK_THAT(refusal({"--head-max", "4k", "--target-max", "8k"}),
             Contains("target-max is 8192 bytes and head-max 4096"));
}

TEST_CASE("values that may not repeat, and names that are none") {
  CHECK(refusal({"--mount", "/a=m", "--mount", "/a/=n"}) ==
        "--mount: the prefix '/a/' is mounted twice, by m and by n: remove one");
  CHECK(refusal({"--listen", ":80", "--listen", ":80"}) ==
        "--listen: the address ':80' is given twice: give it once");
  CHECK(settings({"--listen", ":0", "--listen", ":0"}).listen.size() == 2);
  CHECK_THAT(refusal({"--module", "hello.so"}), Contains("--module: 'hello.so' is not the name of a module"));
  CHECK(refusal({"--protocols", "h2,http/1.1,"}) ==
        "--protocols: '' is no protocol that sluice speaks: write h2, http/1.1 or h2c");
  CHECK_THAT(refusal({"--without", ""}), Contains("--without: '' is not the name of a module"));
  CHECK(refusal({"--root", ""}) == "--root: an empty value names nothing: write a DIR");
}

TEST_CASE("networks of proxies") {
  const Settings made = settings(
      {"--proxy-protocol", "10.0.0.0/30, unix", "--proxy-protocol", "192.0.2.1", "--trusted-proxies", "off"});
  CHECK(the_network(made.proxy_protocol.networks) == "10.0.0.110.0.0.210.0.0.3");
  CHECK(made.proxy_protocol.networks.has(PeerAddress::of_unix_socket()));
  CHECK(made.proxy_protocol.networks.has(*PeerAddress::parse("192.0.2.1")));
  CHECK(made.trusted_proxies.from.networks.empty());
  CHECK_THAT(refusal({"--proxy-protocol", "10.0.0.0/8,"}),
             Contains("--proxy-protocol: '' is no network: write "));
  CHECK_THAT(refusal({"--trusted-proxies", "10.0.0.1/8"}),
             Contains("--trusted-proxies: the network '10.0.0.1/8' begins in the middle of a network: write "
                      "10.0.0.0/8"));
  for (const auto& [one, other] : {std::pair{"off", "10.0.0.1"}, {"10.0.0.1", "off"}}) {
    CHECK(refusal({"--trusted-proxies", one, "--trusted-proxies", other}) ==
          "--trusted-proxies: off says that there is no such network: write off alone");
  }
  CHECK(refusal({"--trusted-field", "x-real-ip"}) ==
        "--trusted-field: 'x-real-ip' is no field that proxies write: write x-forwarded-for or forwarded");
  const ScratchFolder scratch;
  const std::string file =
      scratch.file("conf", "workers = 1\ntrusted-proxies = [\"10.0.0.0/8\", \"balancer\"]\n");
  CHECK_THAT(refusal({"--config", file}),
             Contains(file + ":2:34: trusted-proxies: 'balancer' is no network: write "));
}

TEST_CASE("the versions of TLS") {
  CHECK(settings({"--tls-min", "1.2"}).tls_min == TlsVersion::v1_2);
  CHECK_THAT(refusal({"--tls-min", "1.1"}), Contains("write 1.2 or 1.3"));
}

TEST_CASE("the folders of modules alone") {
  using Folders = std::vector<std::string>;
  const auto folders = [](const Arguments& arguments, Variables variables) {
    return read_plugins_folders(parse_command_line(arguments).given, environment_of(std::move(variables)));
  };
  CHECK(folders({"modules"}, {}) == Folders{"plugins.d"});
  CHECK(folders({"modules"}, {{"SLUICE_HOME", "/h"}}) == Folders{"/h/plugins.d"});
  CHECK(folders({"modules"}, {{"SLUICE_HOME", "/h"}, {"SLUICE_PLUGINS", "e;f"}}) == Folders{"e", "f"});
  CHECK(folders({"modules", "--plugins", "c"}, {{"SLUICE_PLUGINS", "e"}}) == Folders{"c"});
  CHECK(folders({"modules", "--plugins", "c", "--plugins", "c"}, {}).error().message ==
        "--plugins: 'c' is given twice: name each folder once");
  CHECK(folders({"modules", "--plugins", ""}, {}).error().message ==
        "--plugins: an empty value names nothing: write a DIR");
}

}  // namespace
