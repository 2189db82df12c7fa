#include "control_command.h"

#include <poll.h>
#include <sys/socket.h>

#include <fmt/core.h>
#include <cerrno>
#include <filesystem>
#include <ostream>
#include <string_view>
#include <system_error>

#include "base/monotonic_clock.h"
#include "control/control_socket.h"
#include "exit_error.h"
#include "serve_request.h"
#include "server/supervisor.h"

namespace sluice::cli {
namespace {

// Longer than the server allows for a command.
constexpr std::uint64_t kAnswerMs = 150'000;
// Without a limit, since the drain limit of the server's settings may have any length.
constexpr std::string_view kEndless = "stop";
constexpr std::size_t kAnswerMax = 64 * 1024 * 1024;

constexpr ControlCommandLine kCommands[] = {
    {"reload", nullptr, "Make the running server read its settings and modules again"},
    {"stop", nullptr, "Make the running server finish the requests under way and end, and wait for it"},
    {"status", nullptr, "Show the running server's workers and mounts", "status-json"},
    {"certificates", nullptr,
     "Show the running server's certificates: of which sites, for which names, until when",
     "certificates-json"},
    {"module enable", "NAME", "Make the running server load a module that was switched off"},
    {"module disable", "NAME", "Make the running server switch a module off: its mounts answer 503"},
    {"metrics", nullptr, "Print the running server's counters in the text format of Prometheus"},
};

Result<std::string> find_server(const Settings& settings) {
  if (settings.control != kOwnControl && settings.control != kNoControl) return settings.control;
  const std::string& folder = settings.control_folder;
  std::error_code ignored;
  const bool exists = std::filesystem::exists(std::filesystem::symlink_status(folder, ignored));
  const auto safe = check_control_folder(folder);
  if (exists && !safe) return Unexpected(safe.error());
  const auto running = exists ? running_servers(folder) : std::vector<std::string>();
  if (running.size() == 1) return running.front();
  if (running.empty()) {
    return fail(
        fmt::format("no server of yours has a control socket in {}: start one with 'sluice serve', or name "
                    "its socket with --control PATH",
                    folder));
  }
  std::string list;
  for (const std::string& path : running) list += (list.empty() ? "--control " : " or --control ") + path;
  return fail(fmt::format("{} servers are running: say which one by {}", running.size(), list));
}

// Returns everything that the server says until it closes the connection.
Result<std::string> ask(const std::string& path, const std::string& request) {
  const auto socket = connect_control(path);
  if (!socket) return Unexpected(socket.error());
  const std::string line = request + "\n";
  if (::send(socket->get(), line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size()))
    return fail(
        fmt::format("the server at {} does not accept connections to its control socket: try again", path));
  std::string answer;
  const bool endless = request == kEndless;
  const std::uint64_t until_ms = monotonic_ms() + kAnswerMs;
  while (answer.size() < kAnswerMax) {
    const std::uint64_t now = monotonic_ms();
    if (!endless && now >= until_ms)
      return fail(fmt::format("the server at {} does not answer: its log may say why", path));
    pollfd wanted{socket->get(), POLLIN, 0};
    if (::poll(&wanted, 1, endless ? -1 : static_cast<int>(until_ms - now)) <= 0) continue;
    char buffer[16 * 1024];
    const ssize_t got = ::recv(socket->get(), buffer, sizeof(buffer), 0);
    if (got > 0) answer.append(buffer, static_cast<std::size_t>(got));
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) break;
  }
  return answer;
}

}  // namespace

std::span<const ControlCommandLine> control_commands() {
  return kCommands;
}

Result<std::string> ask_server(const std::string& request, const OptionTexts& command_line,
                               const Environment& environment) {
  const auto settings = read_control_settings(command_line, environment);
  const auto path = settings.and_then(find_server);
  if (!path) return Unexpected(path.error());
  const auto answer = ask(*path, request);
  if (!answer) return answer;
  const std::string_view text = *answer;
  const std::size_t end = text.find('\n');
  constexpr std::string_view kError = "error ";
  if (end == std::string_view::npos)
    return fail("the server at " + *path + " ended without an answer, or is busy: try again");
  if (text.starts_with(kError)) return fail(std::string(text.substr(kError.size(), end - kError.size())));
  return std::string(text.substr(end + 1));
}

int run_control(const std::string& request, const OptionTexts& command_line, const Environment& environment,
                std::ostream& out, std::ostream& err) {
  const auto answer = ask_server(request, command_line, environment);
  if (!answer) return refuse(err, answer.error());
  out << *answer;
  return kExitFine;
}

}  // namespace sluice::cli
